#include "peer.h"

#include "zone/xds/grpc_frame.h"
#include "zone/xds/wire.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

static void set(struct stage *stage, const char *bytes, size_t len, uint64_t revision)
{
	const struct envoy_resource list[] = {
		{ .type = ENVOY_CLUSTER, .name = "a", .bytes = bytes, .len = len },
		{ .type = ENVOY_SECRET, .name = "s", .bytes = bytes, .len = len },
		{ .type = ENVOY_EXTENSION, .name = "x", .bytes = bytes, .len = len },
	};
	struct envoy_config *config = envoy_config_new(list, len > 100 ? 3 : 1);

	xds_server_set(stage->server, "default.web", config, revision);
	envoy_config_drop(&config);
}

/* ---- what must work ------------------------------------------------------------------
 */

static void a_set_is_in_the_socket_when_it_returns(void **state)
{
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	peer_begin(&peer, &stage);
	peer_stream(&peer, 1);
	peer_ask(&peer, 1, CLUSTER, "");
	until(&peer, stage.connected == 1);
	assert_int_equal(peer.data, 0);
	set(&stage, "one", 3, 1);
	peer_take(&peer); /* without a turn of the loop */
	assert_true(peer.data > 3);
	peer_ask(&peer, 1, CLUSTER, "1");
	until(&peer, stage.acked == 1);
	assert_int_equal(counts(&stage).streams, 1);
	assert_int_equal(counts(&stage).responses[ENVOY_CLUSTER], 1);
	assert_int_equal(counts(&stage).acks[ENVOY_CLUSTER], 1);
	assert_int_equal(counts(&stage).pending_acks, 0);
	peer_close(&peer);
	struct peer other;
	peer_begin(&other, &stage);
	until(&other, stage.disconnected == 1);
	assert_int_equal(counts(&stage).streams, 0);
	assert_int_equal(counts(&stage).connections, 1);
	peer_close(&other);
	stage_close(&stage);
}

static void the_end_is_said_and_the_port_is_free(void **state)
{
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	peer_begin(&peer, &stage);
	peer_stream(&peer, 1);
	peer_ask(&peer, 1, CLUSTER, "");
	until(&peer, stage.connected == 1);
	xds_server_close(&stage.server);
	peer_take(&peer);
	assert_int_equal(peer.frames[GOAWAY], 1);
	until(&peer, peer.over);                 /* libevent closes in its next turn */
	assert_int_equal(stage.disconnected, 0); /* the owner asked for it */
	peer_close(&peer);
	stage_close(&stage);
}

static void several_addresses_or_none(void **state)
{
	static const struct xds_ops OPS = { 0 };
	struct zl_addr addrs[2];
	struct zl_addr taken;
	struct xds_server *server;
	struct xds_server *second;
	struct stage stage;
	struct zl_err err;

	(void)state;
	stage_open(&stage);
	for (int i = 0; i < 2; i++)
		assert_int_equal(zl_addr_parse("127.0.0.1:0", &addrs[i], &err), ZL_OK);
	struct xds_setup setup = { .base = stage.base,
				   .addrs = addrs,
				   .count = 2,
				   .tls = stage_tls(&stage),
				   .ops = &OPS };
	assert_int_equal(xds_server_open(&server, &setup, &err), ZL_OK);
	assert_int_not_equal(addrs[0].port, addrs[1].port);
	taken = addrs[1];
	setup.addrs = &taken;
	setup.count = 1;
	assert_int_not_equal(xds_server_open(&second, &setup, &err), ZL_OK);
	assert_null(second);
	assert_non_null(strstr(err.msg, "127.0.0.1"));
	xds_server_close(&server);
	xds_server_close(&server);
	pki_tls_drop(&setup.tls);
	/* Nowhere without TLS. */
	assert_int_equal(xds_server_open(&second, &setup, &err), ZL_EINVAL);
	assert_non_null(strstr(err.msg, "needs TLS"));
	stage_close(&stage);
}

/* Its stream is in the middle of a message when the proxy's first config comes. */
static void a_message_in_pieces(void **state)
{
	struct stage stage;
	struct peer peer;
	struct zl_buf message = { 0 };
	uint8_t head[XDS_FRAME_HEAD];

	(void)state;
	stage_open(&stage);
	set(&stage, "one", 3, 1);
	peer_begin(&peer, &stage);
	peer_stream(&peer, 1);
	xds_wire_put(&message, 1,
		     "\x0a\x0b"
		     "default.web",
		     13);
	xds_wire_put(&message, 2, CLUSTER, strlen(CLUSTER));
	xds_frame_head(head, message.len);
	peer_frame(&peer, DATA, 0, 1, head, 3);
	turn(&peer);
	peer_frame(&peer, DATA, 0, 1, head + 3, 2);
	for (size_t i = 0; i < message.len; i++)
		peer_frame(&peer, DATA, 0, 1, message.data + i, 1);
	until(&peer, peer.data > 0);
	zl_buf_free(&message);
	peer_close(&peer);
	stage_close(&stage);
}

/* ---- what must not -------------------------------------------------------------------
 */

static void ping_flood(struct peer *peer)
{
	for (int i = 0; i < 1000; i++)
		peer_frame(peer, PING, 0, 0, "12345678", 8);
}

static void settings_flood(struct peer *peer)
{
	for (int i = 0; i < 1000; i++)
		peer_frame(peer, SETTINGS, 0, 0, NULL, 0);
}

static void rapid_reset(struct peer *peer)
{
	for (uint32_t id = 1; id < 2000; id += 2) {
		peer_stream(peer, id);
		peer_frame(peer, RST_STREAM, 0, id, "\0\0\0\x08", 4);
	}
}

static void empty_data(struct peer *peer)
{
	peer_stream(peer, 1);
	for (int i = 0; i < 1000; i++)
		peer_frame(peer, DATA, 0, 1, NULL, 0);
}

static void continuations(struct peer *peer)
{
	peer_frame(peer, HEADERS, 0, 1, NULL, 0);
	for (int i = 0; i < 1000; i++)
		peer_frame(peer, CONTINUATION, 0, 1, NULL, 0);
}

static void garbage(struct peer *peer)
{
	peer_frame(peer, DATA, 0, 0, "x", 1);
}

static void header_bomb(struct peer *peer)
{
	struct zl_buf head = { 0 };
	char value[121];

	memset(value, 'v', sizeof(value) - 1);
	value[120] = '\0';
	for (uint32_t id = 1; id < 800; id += 2) {
		add_head(&head, DELTA);
		for (int i = 0; i < 120; i++) /* 120 * (1 + 120 + 32) is over 16 KiB */
			add_header(&head, "h", value);
		peer_frame(peer, HEADERS, END_HEADERS, id, head.data, head.len);
		head.len = 0;
	}
	zl_buf_free(&head);
}

static void too_many_streams_again_and_again(struct peer *peer)
{
	for (uint32_t id = 1; id < 1000; id += 2)
		peer_stream(peer, id);
}

struct attack {
	const char *name;
	void (*run)(struct peer *peer);
};

static const struct attack ATTACKS[] = {
	{ "PING flood", ping_flood },
	{ "SETTINGS flood", settings_flood },
	{ "rapid reset", rapid_reset },
	{ "empty DATA", empty_data },
	{ "CONTINUATION", continuations },
	{ "garbage", garbage },
	{ "header bomb", header_bomb },
	{ "streams", too_many_streams_again_and_again },
};

static void attacks_end_their_own_connection_only(void **state)
{
	struct stage stage;
	struct peer good;

	(void)state;
	stage_open(&stage);
	peer_begin(&good, &stage);
	peer_stream(&good, 1);
	peer_ask(&good, 1, CLUSTER, "");
	until(&good, stage.connected == 1);
	for (size_t i = 0; i < ARRAY_LEN(ATTACKS); i++) {
		struct peer peer;
		peer_begin(&peer, &stage);
		ATTACKS[i].run(&peer);
		uint64_t end = zl_now_ms() + PATIENCE_MS;
		while (turn(&peer), !peer.over)
			if (zl_now_ms() > end)
				fail_msg("%s goes on", ATTACKS[i].name);
		peer_close(&peer);
		if (good.over)
			fail_msg("%s hit another connection", ATTACKS[i].name);
	}
	set(&stage, "one", 3, 1);
	until(&good, good.data > 0);
	peer_close(&good);
	stage_close(&stage);
}

static void no_http2_at_all(void **state)
{
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	peer_open(&peer, &stage);
	peer_write(&peer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
	until(&peer, peer.over);
	assert_int_equal(counts(&stage).failed_handshakes, 1);
	peer_close(&peer);
	peer_open(&peer, &stage);
	peer_secure(&peer);
	peer_write(&peer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
	until(&peer, peer.over);
	assert_int_equal(counts(&stage).failed_handshakes, 1);
	assert_int_equal(counts(&stage).dropped_connections, 2);
	peer_close(&peer);
	stage_close(&stage);
}

/* Eight streams are served; a client that knows the limit and opens a ninth is none. */
static void eight_streams(void **state)
{
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	peer_begin(&peer, &stage);
	for (uint32_t id = 1; id <= 15; id += 2) {
		peer_stream(&peer, id);
		peer_ask(&peer, id, CLUSTER, "");
	}
	until(&peer, counts(&stage).streams == 8);
	peer_stream(&peer, 17);
	until(&peer, peer.over);
	assert_int_equal(peer.frames[GOAWAY], 1);
	peer_close(&peer);
	stage_close(&stage);
}

static void a_peer_that_does_not_read_is_dropped(void **state)
{
	char *big = zl_alloc(1, 2 << 20);
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	set(&stage, big, 2 << 20, 1);
	peer_begin(&peer, &stage);
	for (uint32_t id = 1; id <= 15; id += 2) {
		peer_stream(&peer, id);
		peer_ask(&peer, id, CLUSTER, "");
	}
	uint64_t end = zl_now_ms() + PATIENCE_MS;
	while (counts(&stage).dropped_connections == 0 && zl_now_ms() < end)
		event_base_loop(stage.base, EVLOOP_NONBLOCK);
	assert_int_equal(counts(&stage).dropped_connections, 1);
	until(&peer, stage.disconnected == 1);
	peer_close(&peer);
	stage_close(&stage);
	free(big);
}

/* All deadlines at once: a connection that is silent, one that is after its handshake,
 * one on which nobody is admitted, and a stream that is silent. */
static void silence_ends(void **state)
{
	struct stage stage;
	struct peer silent;
	struct peer secure;
	struct peer refused;
	struct peer idle;

	(void)state;
	stage_open(&stage);
	peer_open(&silent, &stage);
	peer_begin(&secure, &stage);
	stage.verdict = XDS_NOT_KNOWN;
	peer_begin(&refused, &stage);
	peer_stream(&refused, 1);
	peer_ask(&refused, 1, CLUSTER, "");
	until(&refused, refused.status == 16);
	stage.verdict = XDS_ADMITTED;
	assert_int_equal(counts(&stage).strangers, 3);
	peer_begin(&idle, &stage);
	peer_stream(&idle, 1);
	peer_ask(&idle, 1, CLUSTER, "");
	until(&idle, stage.connected == 1);
	peer_stream(&idle, 3);
	uint64_t start = zl_now_ms();
	uint64_t strangers_ms = 0;
	while (zl_now_ms() < start + 15000 && idle.frames[RST_STREAM] == 0) {
		event_base_loop(stage.base, EVLOOP_ONCE);
		peer_take(&silent);
		peer_take(&secure);
		peer_take(&refused);
		peer_take(&idle);
		if (strangers_ms == 0 && silent.over && secure.over && refused.over)
			strangers_ms = zl_now_ms() - start;
	}
	assert_in_range(strangers_ms, 3900, 9900);
	assert_int_equal(idle.frames[RST_STREAM], 1);
	assert_false(idle.over);
	assert_int_equal(counts(&stage).streams, 1);
	assert_int_equal(counts(&stage).strangers, 0);
	assert_int_equal(counts(&stage).dropped_connections, 3);
	peer_close(&silent);
	peer_close(&secure);
	peer_close(&refused);
	peer_close(&idle);
	stage_close(&stage);
}

/* ---- who is let in -------------------------------------------------------------------
 */

static void add_bearer_stream(struct peer *peer, uint32_t id, const char *first,
			      const char *second)
{
	struct zl_buf head = { 0 };

	add_head(&head, DELTA);
	add_header(&head, "authorization", first);
	if (second != NULL)
		add_header(&head, "authorization", second);
	peer_frame(peer, HEADERS, END_HEADERS, id, head.data, head.len);
	zl_buf_free(&head);
	peer_ask(peer, id, CLUSTER, "");
}

static void the_owner_sees_the_token_and_judges(void **state)
{
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	set(&stage, "one", 3, 1);
	peer_begin(&peer, &stage);
	stage.verdict = XDS_NOT_KNOWN;
	add_bearer_stream(&peer, 1, "Bearer bad", NULL);
	until(&peer, peer.status == 16);
	assert_string_equal(stage.token, "bad");
	stage.verdict = XDS_NOT_ALLOWED;
	add_bearer_stream(&peer, 3, "bearer another's", NULL);
	until(&peer, peer.status == 7);
	assert_string_equal(stage.token, "another's");
	assert_int_equal(stage.connected, 0);
	assert_int_equal(peer.data, 0);
	assert_int_equal(counts(&stage).refused_streams, 2);
	assert_int_equal(counts(&stage).strangers, 1);
	stage.verdict = XDS_ADMITTED;
	add_bearer_stream(&peer, 5, "Bearer good", NULL);
	until(&peer, peer.data > 0);
	assert_int_equal(counts(&stage).strangers, 0);
	/* Of two tokens neither counts, as of none; other schemes are none. */
	add_bearer_stream(&peer, 7, "Bearer a", "Bearer b");
	until(&peer, strcmp(stage.token, "-") == 0);
	stage.token[0] = '\0';
	add_bearer_stream(&peer, 9, "Basic a", NULL);
	until(&peer, strcmp(stage.token, "-") == 0);
	peer_close(&peer);
	stage_close(&stage);
}

static void a_new_certificate_cuts_nothing(void **state)
{
	struct stage stage;
	struct peer old;
	struct peer now;

	(void)state;
	stage_open(&stage);
	peer_begin(&old, &stage);
	peer_stream(&old, 1);
	peer_ask(&old, 1, CLUSTER, "");
	until(&old, stage.connected == 1);
	struct pki_tls *tls = stage_tls(&stage);
	xds_server_tls(stage.server, tls);
	pki_tls_drop(&tls);
	peer_begin(&now, &stage);
	struct pki_facts before;
	struct pki_facts after;
	assert_true(pki_tls_peer(old.tls, &before));
	assert_true(pki_tls_peer(now.tls, &after));
	assert_string_not_equal(before.serial, after.serial);
	set(&stage, "one", 3, 1);
	until(&old, old.data > 0);
	assert_false(old.over);
	peer_close(&old);
	peer_close(&now);
	stage_close(&stage);
}

static void who_is_expelled_may_come_again(void **state)
{
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	peer_begin(&peer, &stage);
	peer_stream(&peer, 1);
	peer_ask(&peer, 1, CLUSTER, "");
	until(&peer, stage.connected == 1);
	xds_server_expel(stage.server, "default.other");
	set(&stage, "one", 3, 1);
	until(&peer, peer.data > 0);
	assert_int_equal(peer.status, -1);
	xds_server_expel(stage.server, "default.web");
	size_t before = peer.data;
	set(&stage, "two", 3, 2); /* is not its business any more */
	until(&peer, peer.status == 7);
	assert_int_equal(peer.data, before);
	assert_false(peer.over);
	peer_frame(&peer, RST_STREAM, 0, 1, "\0\0\0\10", 4);
	until(&peer, stage.disconnected == 1);
	peer_stream(&peer, 3);
	peer_ask(&peer, 3, CLUSTER, "");
	until(&peer, stage.connected == 2);
	until(&peer, peer.data > before);
	peer_close(&peer);
	stage_close(&stage);
}

static void more_connections_than_allowed_are_closed(void **state)
{
	struct stage stage;
	struct peer peers[2];
	struct peer third;

	(void)state;
	stage_open_small(&stage, 2, 0);
	peer_begin(&peers[0], &stage);
	peer_begin(&peers[1], &stage);
	peer_open(&third, &stage);
	until(&third, third.over);
	assert_false(peers[0].over);
	peer_close(&third);
	peer_close(&peers[1]);
	until(&peers[0], counts(&stage).connections == 1);
	peer_begin(&third, &stage);
	assert_int_equal(counts(&stage).dropped_connections, 1);
	peer_close(&third);
	peer_close(&peers[0]);
	stage_close(&stage);
}

/* Who is silent gives way to who comes later, but is given a second. */
static void strangers_do_not_keep_others_out(void **state)
{
	struct stage stage;
	struct peer strangers[4];
	struct peer good;
	struct peer known;

	(void)state;
	stage_open_small(&stage, 0, 4);
	peer_begin(&known, &stage);
	peer_stream(&known, 1);
	peer_ask(&known, 1, CLUSTER, "");
	until(&known, stage.connected == 1);
	for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
		peer_open(&strangers[i], &stage);
	until(&strangers[0], counts(&stage).strangers == 4);
	peer_open(&good, &stage);
	until(&good, good.over);
	peer_close(&good);
	uint64_t end = zl_now_ms() + 1100;
	while (zl_now_ms() < end)
		event_base_loop(stage.base, EVLOOP_ONCE);
	peer_begin(&good, &stage);
	peer_stream(&good, 1);
	peer_ask(&good, 1, CLUSTER, "");
	until(&good, counts(&stage).streams == 2);
	until(&strangers[0], strangers[0].over);
	peer_take(&strangers[1]);
	assert_false(strangers[1].over);
	assert_false(known.over);
	for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
		peer_close(&strangers[i]);
	peer_close(&good);
	peer_close(&known);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_in_the_socket_when_it_returns),
		cmocka_unit_test(the_end_is_said_and_the_port_is_free),
		cmocka_unit_test(several_addresses_or_none),
		cmocka_unit_test(a_message_in_pieces),
		cmocka_unit_test(attacks_end_their_own_connection_only),
		cmocka_unit_test(no_http2_at_all),
		cmocka_unit_test(eight_streams),
		cmocka_unit_test(a_peer_that_does_not_read_is_dropped),
		cmocka_unit_test(the_owner_sees_the_token_and_judges),
		cmocka_unit_test(a_new_certificate_cuts_nothing),
		cmocka_unit_test(who_is_expelled_may_come_again),
		cmocka_unit_test(more_connections_than_allowed_are_closed),
		cmocka_unit_test(strangers_do_not_keep_others_out),
		cmocka_unit_test(silence_ends),
	};
	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
