/* Both ends understand what a newer release says to them: fields more in every message,
 * features and versions that they have not; and what they do not understand they say. */
#include "newer.h"
#include "pair.h"

#include <string.h>

static struct node *live_zone(struct pair *pair)
{
	pair_init(pair);
	struct node *node = pair_zone(pair, 0, "east", 1, 1, 11);
	pair_pass(pair, 1100);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_true(pair_same(pair, node));
	return node;
}

static void offer(struct node *node, const char *key)
{
	const struct op op = {
		.key = key, .key_len = strlen(key), .value = "x", .value_len = 1
	};

	zone_event(node, (struct sync_zone_event){
				 .kind = SYNC_EV_INVENTORY, .ops = &op, .op_count = 1 });
}

static void features_that_only_one_knows_are_not_used(struct pair *pair)
{
	struct sync_session_view view;

	assert_true(sync_global_zone(pair->global, "east", &view));
	assert_string_equal(view.build, NEWER_BUILD);
	assert_int_equal(view.features, SYNC_FEATURES);
}

static void report_all(struct node *node)
{
	static const struct sync_trouble TROUBLE = { "web", "cds", "no" };
	static const struct sync_probe PROBE = { "west", true };
	static const struct sync_backend BACKEND = { "backend", 1, 2, 3, true };
	static const struct sync_observed OBSERVED = { "default", "route", "backend", 1,
						       0,         0,       &BACKEND,  1 };
	const struct sync_report report = { .healthy = true,
					    .last_error = "an error",
					    .trouble = &TROUBLE,
					    .trouble_count = 1,
					    .probes = &PROBE,
					    .probe_count = 1,
					    .observed = &OBSERVED,
					    .observed_count = 1 };

	zone_event(node,
		   (struct sync_zone_event){ .kind = SYNC_EV_REPORT, .report = &report });
}

static void the_report_has_arrived(struct pair *pair)
{
	struct sync_session_view view;

	assert_true(sync_global_zone(pair->global, "east", &view));
	assert_string_equal(view.report.last_error, "an error");
	assert_int_equal(view.report.trouble_count, 1);
	assert_int_equal(view.report.probe_count, 1);
	assert_int_equal(view.report.observed_count, 1);
	assert_string_equal(view.report.observed[0].backends[0].name, "backend");
}

static void each_type_was_among_them(void)
{
	static const enum sync_type TYPES[] = {
		SYNC_MSG_DELTA,       SYNC_MSG_NUDGE,      SYNC_MSG_BEAT,
		SYNC_MSG_HELLO,       SYNC_MSG_FETCH,      SYNC_MSG_SNAP,
		SYNC_MSG_SUMS,        SYNC_MSG_KEYS,       SYNC_MSG_PUSH,
		SYNC_MSG_LEASE,       SYNC_MSG_BYE,        SYNC_MSG_SECRET,
		SYNC_MSG_WELCOME,     SYNC_MSG_UNKNOWN,    SYNC_MSG_LOG,
		SYNC_MSG_CHUNK,       SYNC_MSG_SUMS_REPLY, SYNC_MSG_KEYS_REPLY,
		SYNC_MSG_PUSHED,      SYNC_MSG_LEASED,     SYNC_MSG_BYE_OK,
		SYNC_MSG_SECRET_REPLY
	};

	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++)
		if ((newer_types() >> TYPES[i] & 1) == 0)
			fail_msg("no message of type %d was sent", TYPES[i]);
}

/* One life of a zone with each message in it: copy, hints, parts, repair, inventory,
 * report, Secret, a global that began anew, goodbye. */
static void fields_more_hurt_no_message(void **state)
{
	static const struct sync_secret CERT = { "default", "cert", "v1" };
	char great[300] = "";
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	features_that_only_one_knows_are_not_used(&pair);
	pair.secret = "content";
	pair.setup.delta_max = pair.setup.batch_max = 100;
	pair_global(&pair);
	pair_pass(&pair, 2000);
	memset(great, 'x', sizeof(great) - 1);
	pair_commit(&pair, "great", great, true);
	pair_commit(&pair, "c", "3", true);
	pair_pass(&pair, 1200);
	assert_true(pair_same(&pair, node));
	assert_int_equal(node->swaps, 1);

	sim_store_rot(&node->store, 1);
	pair_commit(&pair, "c", "4", true);
	pair_pass(&pair, 1200);
	assert_int_equal(node->repaired, 1);
	assert_true(pair_same(&pair, node));

	offer(node, "i/web");
	assert_non_null(sim_store_find(&pair.inventory, "i/web", 5));
	report_all(node);
	pair_pass(&pair, 100);
	the_report_has_arrived(&pair);
	zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_WANT,
						   .secrets = &CERT,
						   .secret_count = 1 });
	assert_string_equal(node->secret, "cert=content");
	assert_int_equal(zone_state(node), SYNC_LIVE);
	zone_simple(node, SYNC_EV_STOP);
	assert_int_equal(session_state(&pair, "east"), SYNC_OFFLINE);
	assert_int_equal(sync_zone_view(node->machine).dropped, 0);
	each_type_was_among_them();
	pair_fini(&pair);
}

/* ---- what is not understood ---- */

static void ask(struct pair *pair, const void *bytes, size_t len)
{
	pair->said[0] = '\0';
	global_event(pair, (struct sync_global_event){ .kind = SYNC_GEV_REQUEST,
						       .id = UINT64_C(999) * ZONES,
						       .identity = pair->identity,
						       .bytes = bytes,
						       .len = len });
}

static void a_request_of_no_known_type_is_answered_and_told(void **state)
{
	static const uint8_t TYPE[] = { 'Z', 'L', SYNC_PROTO, NEWER_TYPE, 8, 1 };
	static const uint8_t VERSION[] = { 'Z', 'L', NEWER_VERSION, SYNC_MSG_LEASE };
	static const uint8_t ANSWER[] = { 'Z', 'L', SYNC_PROTO, SYNC_MSG_BYE_OK };
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.identity = "east";
	ask(&pair, TYPE, sizeof(TYPE));
	assert_int_equal(sync_zone_view(node->machine).dropped, 0); /* it asked nothing */
	assert_non_null(strstr(pair.said, "unknown type 60"));

	/* Once in a minute: who sends many of them does not fill the disk. */
	ask(&pair, VERSION, sizeof(VERSION));
	ask(&pair, TYPE, sizeof(TYPE));
	assert_string_equal(pair.said, "");
	pair_pass(&pair, 60001);
	ask(&pair, VERSION, sizeof(VERSION));
	assert_non_null(strstr(pair.said, "version 2, not 1"));
	assert_non_null(strstr(pair.said, "and 2 more"));
	pair_pass(&pair, 60001);
	ask(&pair, ANSWER, sizeof(ANSWER));
	assert_non_null(strstr(pair.said, "is no request"));
	assert_null(strstr(pair.said, "more before"));

	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_commit(&pair, "c", "3", true);
	assert_true(pair_same(&pair, node));
	pair_fini(&pair);
}

/* A release that has given up our version of the protocol: the reason is known at both
 * ends, and the name stays free. */
static void a_zone_without_our_version_is_refused_with_the_reason(void **state)
{
	struct pair pair;
	struct zl_arena *arena = zl_arena_new();
	const struct position at = { .rev = 0 };
	uint8_t uuid[SYNC_UUID] = { 9 };
	char name[] = "west";
	Sync__Head head = SYNC__HEAD__INIT;
	Sync__Hello hello = SYNC__HELLO__INIT;

	(void)state;
	struct node *node = live_zone(&pair);
	head.zone = name;
	head.session = 3;
	hello.head = &head;
	hello.zone_uuid = sync_bin(arena, uuid, sizeof(uuid));
	hello.proto_min = NEWER_VERSION;
	hello.position = sync_position_out(arena, &at);
	struct sync_bytes bytes = sync_encode(arena, SYNC_MSG_HELLO, &hello);
	ask(&pair, bytes.data, bytes.len);
	assert_non_null(strstr(pair.said, "versions 2 to 2 of the protocol"));
	assert_int_equal(session_state(&pair, "west"), SYNC_NONE);

	Sync__Refused refused = SYNC__REFUSED__INIT;
	char text[] = "not with you";
	refused.reason = 99; /* which no release has yet */
	refused.text = text;
	pair.requests_lost = true;
	struct node *west = pair_zone(&pair, 1, "west", 9, 1, 12);
	refused.req_id = west->asked;
	bytes = sync_encode(arena, SYNC_MSG_REFUSED, &refused);
	zone_event(west, (struct sync_zone_event){ .kind = SYNC_EV_REPLY,
						   .id = west->asked,
						   .bytes = bytes.data,
						   .len = bytes.len });
	assert_string_equal(west->said, "global refuses this zone: not with you");
	assert_int_equal(zone_state(node), SYNC_LIVE);
	zl_arena_free(&arena);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_more_hurt_no_message),
		cmocka_unit_test(a_zone_without_our_version_is_refused_with_the_reason),
		cmocka_unit_test(a_request_of_no_known_type_is_answered_and_told),
	};
	return cmocka_run_group_tests_name("unit/sync/newer", tests, NULL, NULL);
}
