/* A hub and its uplinks in one process, over TLS and over unix sockets, through the gate.
 */
#include "certs.h"
#include "turn.h"

#include "base/err.h"
#include "wire/link.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { TCP = 0, UNIX = 1, MESSAGE_MAX = 2 << 20, IDS = 4096, ASK_MS = 60000 };

/* What a hub does with a request. */
enum manner { ECHOES, KEEPS };

struct end {
	struct loop *loop;
	struct link_hub *hub;
	struct pki_tls *tls;
	struct zl_addr addr[2]; /* by TCP, UNIX */
	enum manner manner;
	const char *name; /* put before what it echoes; 1 byte */
	uint64_t kept[IDS];
	size_t kept_count, requests;
	char asker[PKI_IDENTITY]; /* of the last request; "": none */
	char revoked[PKI_SERIAL]; /* is not let in */
};

struct zone {
	struct link_uplink *uplink;
	unsigned heard, ups, downs;
	bool up, whole; /* whole: all that was heard was as it was sent */
	size_t heard_len;
	unsigned char replies[IDS], losses[IDS]; /* by id */
	unsigned replied, lost;
	char from; /* the hub that answered last */
	size_t reply_len;
	uint64_t ask_again; /* ids up to here are asked from within replied */
};

/* What all messages are the beginning of; made once, for a sanitizer looks at each byte.
 */
static const unsigned char *pattern(void)
{
	static unsigned char bytes[MESSAGE_MAX + 1];

	static bool made;

	for (size_t i = 0; !made && i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	made = true;
	return bytes;
}

static void fill(unsigned char *bytes, size_t len)
{
	memcpy(bytes, pattern(), len);
}

static bool is_filled(const void *bytes, size_t len)
{
	return memcmp(bytes, pattern(), len) == 0;
}

static void on_request(void *arg, uint64_t handle, const char *identity,
		       const void *bytes, size_t len)
{
	struct end *end = arg;

	(void)snprintf(end->asker, sizeof(end->asker), "%s",
		       identity != NULL ? identity : "");
	end->requests++;
	if (end->manner == KEEPS) {
		end->kept[end->kept_count++ % IDS] = handle;
		return;
	}
	unsigned char *reply = malloc(len + 1);
	assert_non_null(reply);
	reply[0] = (unsigned char)end->name[0];
	memcpy(reply + 1, bytes, len);
	link_hub_reply(end->hub, handle, reply, len + 1);
	link_hub_reply(end->hub, handle, "twice", 5);
	free(reply);
}

static void on_published(void *arg, const void *bytes, size_t len)
{
	struct zone *zone = arg;

	zone->heard++;
	zone->heard_len = len;
	zone->whole = zone->whole && is_filled(bytes, len);
}

static void on_replied(void *arg, uint64_t id, const void *bytes, size_t len)
{
	struct zone *zone = arg;

	assert_true(id < IDS && len > 0);
	zone->replies[id]++;
	zone->replied++;
	zone->from = *(const char *)bytes;
	zone->reply_len = len;
	zone->whole = zone->whole && is_filled((const char *)bytes + 1, len - 1);
	if (id + LINK_REQUESTS < zone->ask_again) {
		unsigned char ask[100];
		fill(ask, sizeof(ask));
		link_uplink_request(zone->uplink, id + LINK_REQUESTS, ask, id % 100,
				    ASK_MS);
	}
}

static void on_lost(void *arg, uint64_t id)
{
	struct zone *zone = arg;

	assert_true(id < IDS);
	zone->losses[id]++;
	zone->lost++;
}

static void on_pipe(void *arg, bool up)
{
	struct zone *zone = arg;

	zone->up = up;
	zone->ups += up;
	zone->downs += !up;
}

static bool on_admit(void *arg, const char *zone, const char *serial)
{
	const struct end *end = arg;

	(void)zone;
	return serial == NULL || strcmp(serial, end->revoked) != 0;
}

struct rig {
	struct tmp tmp;
	struct loop *loop;
	struct certs certs;
	struct pki_tls *east; /* the zone's */
	struct end a, b;
	struct zone zone;
	unsigned zones;
};

static void hub_open(struct rig *rig, struct end *end, const char *name,
		     unsigned connections_max, uint64_t answer_ms)
{
	const struct link_hub_handlers handlers = { .request = on_request, .arg = end };
	struct link_hub_setup setup = { .message_max = MESSAGE_MAX,
					.connections_max = connections_max,
					.answer_ms = answer_ms,
					.allow_plain = true,
					.admit = on_admit };
	struct zl_err err = { 0 };
	char folder[200];

	(void)snprintf(folder, sizeof(folder), "%s", tmp_path(&rig->tmp, name));
	setup.folder = folder;
	if (end->tls == NULL)
		end->tls = certs_server(&rig->certs);
	setup.tls = end->tls;
	end->loop = rig->loop;
	end->name = name;
	if (link_hub_open(&end->hub, rig->loop, &setup, &handlers, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	if (end->addr[TCP].port == 0) {
		end->addr[TCP] = (struct zl_addr){ .host = "127.0.0.1" };
		end->addr[UNIX].is_unix = true;
		(void)snprintf(end->addr[UNIX].host, sizeof(end->addr[UNIX].host),
			       "%.190s.sock", folder);
	}
	for (int way = TCP; way <= UNIX; way++)
		if (link_hub_listen(end->hub, &end->addr[way], &err) != ZL_OK)
			fail_msg("%s", err.msg);
}

static void zone_open_as(struct rig *rig, struct zone *zone, const struct zl_addr *addrs,
			 size_t count, struct pki_tls *tls)
{
	const struct link_uplink_handlers handlers = { .published = on_published,
						       .replied = on_replied,
						       .lost = on_lost,
						       .pipe = on_pipe,
						       .arg = zone };
	struct link_uplink_setup setup = { .addrs = addrs,
					   .count = count,
					   .message_max = MESSAGE_MAX,
					   .tls = tls,
					   .allow_plain = true };
	struct zl_err err = { 0 };
	char folder[200], name[20];

	(void)snprintf(name, sizeof(name), "zone-%u", rig->zones++);
	(void)snprintf(folder, sizeof(folder), "%s", tmp_path(&rig->tmp, name));
	setup.folder = folder;
	zone->whole = true;
	if (link_uplink_open(&zone->uplink, rig->loop, &setup, &handlers, &err) != ZL_OK)
		fail_msg("%s", err.msg);
}

static void zone_open(struct rig *rig, struct zone *zone, const struct zl_addr *addrs,
		      size_t count)
{
	zone_open_as(rig, zone, addrs, count, rig->east);
}

static void rig_open(struct rig *rig, enum manner manner, unsigned connections_max)
{
	struct zl_err err = { 0 };

	*rig = (struct rig){ .a.manner = manner };
	tmp_make(&rig->tmp);
	assert_int_equal(loop_open(&rig->loop, &err), ZL_OK);
	certs_make(&rig->certs, &rig->tmp, "ca");
	rig->east = certs_zone(&rig->certs, "east");
	hub_open(rig, &rig->a, "a", connections_max, 0);
}

static void rig_close(struct rig *rig)
{
	link_uplink_close(&rig->zone.uplink);
	link_hub_close(&rig->a.hub);
	link_hub_close(&rig->b.hub);
	pki_tls_drop(&rig->a.tls);
	pki_tls_drop(&rig->b.tls);
	pki_tls_drop(&rig->east);
	certs_free(&rig->certs);
	loop_close(&rig->loop);
	tmp_remove(&rig->tmp);
	assert_int_equal(link_left_behind(), 0);
}

static void ask(struct zone *zone, uint64_t id, size_t len, uint32_t deadline_ms)
{
	unsigned char *bytes = malloc(len + 1);

	assert_non_null(bytes);
	fill(bytes, len);
	link_uplink_request(zone->uplink, id, bytes, len, deadline_ms);
	free(bytes);
}

/* Publish until the zone hears it: nng adds a pipe a moment after it is up. */
static void expect_heard(struct rig *rig, struct zone *zone, size_t len)
{
	unsigned char *bytes = malloc(len + 1);
	unsigned before = zone->heard;
	uint64_t next = 0;

	assert_non_null(bytes);
	fill(bytes, len);
	UNTIL(rig->loop, zone->up);
	while (zone->heard == before) {
		if (zl_now_ms() >= next) {
			link_hub_publish(rig->a.hub, bytes, len);
			next = zl_now_ms() + 200;
		}
		turn(rig->loop);
	}
	assert_true(zone->whole);
	assert_int_equal(zone->heard_len, len);
	free(bytes);
}

/* How many the zone has heard, when nothing is on its way to it any more. */
static unsigned settled(struct rig *rig)
{
	static unsigned char last[3];

	fill(last, sizeof(last));
	link_hub_publish(rig->a.hub, last, sizeof(last));
	UNTIL(rig->loop, rig->zone.heard_len == sizeof(last));
	return rig->zone.heard;
}

static void expect_once(const struct zone *zone, const unsigned char *what, size_t count)
{
	(void)zone;
	for (size_t id = 0; id < count; id++)
		assert_int_equal(what[id], 1);
}

static void what_is_published_is_heard(void **state)
{
	struct rig rig;

	(void)state;
	for (int way = TCP; way <= UNIX; way++) {
		rig_open(&rig, ECHOES, 64);
		zone_open(&rig, &rig.zone, &rig.a.addr[way], 1);
		expect_heard(&rig, &rig.zone, 1);
		expect_heard(&rig, &rig.zone, LINK_PUBLISHED_MAX);
		unsigned before = rig.zone.heard;
		for (int i = 0; i < 500; i++)
			link_hub_publish(rig.a.hub, "", 0);
		UNTIL(rig.loop, rig.zone.heard >= before + 500);
		assert_int_equal(link_hub_connections(rig.a.hub), 2);
		assert_int_equal(rig.zone.ups, 1);
		rig_close(&rig);
	}
}

static void a_thousand_requests_are_answered_once(void **state)
{
	struct rig rig;

	(void)state;
	for (int way = TCP; way <= UNIX; way++) {
		rig_open(&rig, ECHOES, 64);
		zone_open(&rig, &rig.zone, &rig.a.addr[way], 1);
		rig.zone.ask_again = 1000;
		for (uint64_t id = 0; id < LINK_REQUESTS; id++)
			ask(&rig.zone, id, 10, ASK_MS);
		UNTIL(rig.loop, rig.zone.replied == 1000);
		expect_once(&rig.zone, rig.zone.replies, 1000);
		assert_int_equal(rig.zone.lost, 0);
		assert_true(rig.zone.whole);
		rig_close(&rig);
	}
}

static void messages_may_be_as_great_as_agreed(void **state)
{
	struct rig rig;

	(void)state;
	for (int way = TCP; way <= UNIX; way++) {
		rig_open(&rig, ECHOES, 64);
		zone_open(&rig, &rig.zone, &rig.a.addr[way], 1);
		for (uint64_t id = 0; id < LINK_REQUESTS; id++)
			ask(&rig.zone, id, 1 << 20, ASK_MS);
		UNTIL(rig.loop, rig.zone.replied == LINK_REQUESTS);
		ask(&rig.zone, 8, MESSAGE_MAX - 1, ASK_MS);
		UNTIL(rig.loop, rig.zone.replied == LINK_REQUESTS + 1);
		assert_int_equal(rig.zone.reply_len, MESSAGE_MAX);
		ask(&rig.zone, 9, 0, ASK_MS);
		UNTIL(rig.loop, rig.zone.replied == LINK_REQUESTS + 2);
		assert_true(rig.zone.whole);
		assert_int_equal(rig.a.requests, LINK_REQUESTS + 2);
		/* One that is too great is lost, and the rest goes on: with the request,
		 * at once, and with a reply, when its time is over. */
		ask(&rig.zone, 10, MESSAGE_MAX + 1, ASK_MS);
		UNTIL(rig.loop, rig.zone.lost == 1);
		ask(&rig.zone, 12, MESSAGE_MAX, 1000); /* it may not even get there */
		UNTIL(rig.loop, rig.zone.lost == 2);
		ask(&rig.zone, 11, 10, ASK_MS);
		UNTIL(rig.loop, rig.zone.replied == LINK_REQUESTS + 3);
		assert_in_range(rig.a.requests, LINK_REQUESTS + 3, LINK_REQUESTS + 4);
		assert_int_equal(rig.zone.downs, 0);
		rig_close(&rig);
	}
}

static void what_is_not_answered_is_lost_once(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, KEEPS, 64);
	zone_open(&rig, &rig.zone, &rig.a.addr[TCP], 1);
	UNTIL(rig.loop, rig.zone.up && link_hub_connections(rig.a.hub) == 2);
	uint64_t start = zl_now_ms();
	for (uint64_t id = 0; id < LINK_REQUESTS + 4; id++)
		ask(&rig.zone, id, 10, 400);
	assert_int_equal(rig.zone.lost, 0); /* never from within the call */
	UNTIL(rig.loop, rig.zone.lost >= 4);
	for (uint64_t id = 0; id < 4; id++) /* those that were too many */
		assert_int_equal(rig.zone.losses[LINK_REQUESTS + id], 1);
	UNTIL(rig.loop, rig.zone.lost == LINK_REQUESTS + 4);
	assert_true(zl_now_ms() - start >= 390);
	assert_int_equal(rig.a.kept_count, LINK_REQUESTS);
	/* Too late, and to handles that never were. */
	for (size_t i = 0; i < rig.a.kept_count; i++)
		link_hub_reply(rig.a.hub, rig.a.kept[i], "a", 1);
	for (uint64_t handle = 0; handle < 200; handle++)
		link_hub_reply(rig.a.hub, handle, "a", 1);
	link_hub_reply(rig.a.hub, UINT64_MAX, "a", 1);
	turn_for(rig.loop, 200);
	expect_once(&rig.zone, rig.zone.losses, LINK_REQUESTS + 4);
	assert_int_equal(rig.zone.replied, 0);
	rig.a.manner = ECHOES;
	ask(&rig.zone, 100, 10, ASK_MS);
	UNTIL(rig.loop, rig.zone.replied == 1);
	assert_int_equal(rig.zone.replies[100], 1);
	rig_close(&rig);
}

static void nobody_there_is_a_loss_too(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, ECHOES, 64);
	zone_open(&rig, &rig.zone, &rig.a.addr[TCP], 1);
	link_hub_close(&rig.a.hub);
	for (uint64_t id = 0; id < LINK_REQUESTS; id++)
		ask(&rig.zone, id, 10, id == 0 ? 0 : 100);
	UNTIL(rig.loop, rig.zone.lost == LINK_REQUESTS);
	expect_once(&rig.zone, rig.zone.losses, LINK_REQUESTS);
	rig_close(&rig);
}

/* An owner that forgets requests must not run the hub out of slots. */
static void forgotten_requests_give_their_slots_back(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, ECHOES, 64);
	rig.b.manner = KEEPS;
	hub_open(&rig, &rig.b, "b", 64, 300);
	zone_open(&rig, &rig.zone, &rig.b.addr[UNIX], 1);
	for (uint64_t id = 0; id < 72; id += LINK_REQUESTS) { /* of 64 slots */
		for (uint64_t i = 0; i < LINK_REQUESTS; i++)
			ask(&rig.zone, id + i, 10, 20);
		UNTIL(rig.loop, rig.zone.lost == id + LINK_REQUESTS);
	}
	rig.b.manner = ECHOES;
	ask(&rig.zone, 100, 10, ASK_MS);
	UNTIL(rig.loop, rig.zone.replied == 1);
	for (size_t i = 0; i < rig.b.kept_count;
	     i++) /* given up: their slots are others' */
		link_hub_reply(rig.b.hub, rig.b.kept[i], "late", 4);
	ask(&rig.zone, 101, 10, ASK_MS);
	UNTIL(rig.loop, rig.zone.replied == 2);
	assert_int_equal(rig.zone.from, 'b');
	rig_close(&rig);
}

static void a_restarted_hub_is_found_again(void **state)
{
	struct rig rig;

	(void)state;
	for (int way = TCP; way <= UNIX; way++) {
		rig_open(&rig, KEEPS, 64);
		zone_open(&rig, &rig.zone, &rig.a.addr[way], 1);
		expect_heard(&rig, &rig.zone, 10);
		ask(&rig.zone, 0, 10, ASK_MS);
		UNTIL(rig.loop, rig.a.requests == 1);
		link_hub_close(&rig.a.hub); /* with the request under way */
		UNTIL(rig.loop, rig.zone.downs == 1);
		rig.a.manner = ECHOES;
		hub_open(&rig, &rig.a, "a", 64, 0);
		UNTIL(rig.loop, rig.zone.replied == 1); /* asked again by itself */
		expect_heard(&rig, &rig.zone, 10);
		assert_int_equal(rig.zone.lost, 0);
		rig_close(&rig);
	}
}

static void redial_turns_to_the_next_address(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, KEEPS, 64);
	hub_open(&rig, &rig.b, "b", 64, 0);
	const struct zl_addr addrs[] = { { .host = "127.0.0.1", .port = 1 },
					 rig.a.addr[TCP],
					 rig.b.addr[UNIX] };
	zone_open(&rig, &rig.zone, addrs, ARRAY_LEN(addrs));
	UNTIL(rig.loop, rig.zone.up); /* nobody is at the first: it went on by itself */
	ask(&rig.zone, 0, 10, ASK_MS);
	UNTIL(rig.loop, rig.a.requests == 1);
	link_uplink_redial(rig.zone.uplink); /* a takes requests but is silent */
	UNTIL(rig.loop, rig.zone.replied == 1);
	assert_int_equal(rig.zone.from, 'b');
	UNTIL(rig.loop, link_hub_connections(rig.a.hub) == 0);
	UNTIL(rig.loop, rig.zone.up && rig.zone.ups >= 2);
	for (int i = 0; i < 60; i++) { /* round and round */
		link_uplink_redial(rig.zone.uplink);
		if (i % 3 == 0)
			turn(rig.loop);
	}
	ask(&rig.zone, 1, 10, ASK_MS);
	for (size_t taken = rig.a.requests; rig.zone.replied < 2;
	     taken = rig.a.requests) {
		UNTIL(rig.loop, rig.zone.replied == 2 || rig.a.requests > taken);
		if (rig.zone.replied < 2) /* a has it, and is silent */
			link_uplink_redial(rig.zone.uplink);
	}
	assert_int_equal(rig.zone.lost, 0);
	assert_int_equal(rig.zone.from, 'b');
	rig_close(&rig);
}

static void many_zones_share_a_hub(void **state)
{
	enum { ZONES = 10 };
	struct zone *zones = calloc(ZONES, sizeof(*zones));
	struct rig rig;

	(void)state;
	assert_non_null(zones);
	rig_open(&rig, ECHOES, 64);
	for (int z = 0; z < ZONES; z++) {
		char name[8];
		(void)snprintf(name, sizeof(name), "zone-%d", z);
		struct pki_tls *tls = certs_zone(&rig.certs, name);
		zone_open_as(&rig, &zones[z], &rig.a.addr[z % 2], 1, tls);
		pki_tls_drop(&tls);
	}
	for (int z = 0; z < ZONES; z++) {
		zones[z].ask_again = 100;
		for (uint64_t id = 0; id < LINK_REQUESTS; id++)
			ask(&zones[z], id, 10, ASK_MS);
	}
	for (int z = 0; z < ZONES; z++) { /* 80 at a time, more than there are slots */
		UNTIL(rig.loop, zones[z].replied == 100);
		expect_once(&zones[z], zones[z].replies, 100);
		expect_heard(&rig, &zones[z], 1000);
	}
	assert_int_equal(rig.a.requests, 100 * ZONES);
	for (int z = 0; z < ZONES; z++)
		link_uplink_close(&zones[z].uplink);
	UNTIL(rig.loop, link_hub_connections(rig.a.hub) == 0);
	free(zones);
	rig_close(&rig);
}

/* Two thousand peers that go away at every point of the greeting; nng's listeners of
 * this version alone would be dead after some tens. */
static void storms_of_aborts_leave_the_listeners_alive(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} HEADERS[] = {
		{ "\0SP\0\0\x21\0\0", 8 },
		{ "\0SP\0\0\x30\0\0", 8 },
		{ "\0SP\0\0\x30\0\0xxx", 11 },
		{ "\0SP\0", 4 },
		{ "", 0 },
		{ "GET / HTTP/1.1\r\n\r\n", 18 },
	};
	struct rig rig;

	(void)state;
	for (int way = TCP; way <= UNIX; way++) {
		rig_open(&rig, ECHOES, 5000);
		for (int n = 0; n < 2000; n++) {
			size_t kind = (size_t)n % ARRAY_LEN(HEADERS);
			int peer = peer_dial(&rig.a.addr[way]);
			peer_say(peer, HEADERS[kind].bytes, HEADERS[kind].len);
			if (n % 5 == 0)
				turn(rig.loop);
			if (n % 3 == 0)
				(void)shutdown(peer, SHUT_WR);
			if (n % 2 == 0)
				peer_reset(peer);
			else
				close(peer);
			if (n % 10 == 9)
				turn(rig.loop);
		}
		zone_open(&rig, &rig.zone, &rig.a.addr[way], 1);
		expect_heard(&rig, &rig.zone, 10);
		ask(&rig.zone, 0, 10, ASK_MS);
		UNTIL(rig.loop, rig.zone.replied == 1);
		UNTIL(rig.loop, link_hub_connections(rig.a.hub) == 2);
		assert_true(link_hub_refused(rig.a.hub) >= 2000 / 2 - 2);
		rig_close(&rig);
	}
}

/* At its limit the gate hangs up on who comes. */
static void a_full_hub_is_joined_when_there_is_room(void **state)
{
	int peers[4];
	struct rig rig;

	(void)state;
	for (int way = TCP; way <= UNIX; way++) {
		rig_open(&rig, ECHOES, ARRAY_LEN(peers));
		for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
			peers[i] = peer_dial(&rig.a.addr[UNIX]);
			peer_say(peers[i], "\0SP\0\0\x21\0\0", 8);
		}
		UNTIL(rig.loop, link_hub_connections(rig.a.hub) == ARRAY_LEN(peers));
		zone_open(&rig, &rig.zone, &rig.a.addr[way], 1);
		UNTIL(rig.loop, link_hub_refused(rig.a.hub) >= 4);
		for (size_t i = 0; i < ARRAY_LEN(peers); i++)
			close(peers[i]);
		ask(&rig.zone, 0, 10, 60000);
		UNTIL(rig.loop, rig.zone.replied == 1);
		expect_heard(&rig, &rig.zone, 10);
		rig_close(&rig);
	}
}

/* After its greeting a peer may say what it likes: only its connection goes. */
static void nonsense_after_the_greeting_is_cut_off(void **state)
{
	static const char CLAIM[] = "\x01\x7f\xff\xff\xff\xff\xff\xff\xff";
	struct rig rig;

	(void)state;
	rig_open(&rig, ECHOES, 64);
	zone_open(&rig, &rig.zone, &rig.a.addr[TCP], 1);
	expect_heard(&rig, &rig.zone, 10);
	for (int n = 0; n < 200; n++) {
		int peer = peer_dial(&rig.a.addr[UNIX]);
		peer_say(peer, n % 4 < 2 ? "\0SP\0\0\x30\0\0" : "\0SP\0\0\x21\0\0", 8);
		peer_say(peer, CLAIM + n % 2, 8); /* with a length, or not even that */
		peer_say(peer, CLAIM, 9);
		UNTIL(rig.loop, peer_ended(peer));
		close(peer);
	}
	ask(&rig.zone, 0, 10, ASK_MS);
	UNTIL(rig.loop, rig.zone.replied == 1);
	expect_heard(&rig, &rig.zone, 10);
	UNTIL(rig.loop, link_hub_connections(rig.a.hub) == 2);
	assert_int_equal(rig.zone.downs, 0);
	rig_close(&rig);
}

/* Each request has the name that its certificate says, and nobody has another's. */
static void requests_carry_their_zone(void **state)
{
	struct zone west = { 0 };
	struct rig rig;

	(void)state;
	rig_open(&rig, ECHOES, 64);
	struct pki_tls *tls = certs_zone(&rig.certs, "west");
	zone_open(&rig, &rig.zone, &rig.a.addr[TCP], 1);
	zone_open_as(&rig, &west, &rig.a.addr[TCP], 1, tls);
	for (uint64_t id = 0; id < 20; id++) {
		bool is_west = id % 3 == 0;
		struct zone *zone = is_west ? &west : &rig.zone;
		unsigned before = zone->replied;
		ask(zone, id, 10, ASK_MS);
		UNTIL(rig.loop, zone->replied == before + 1);
		assert_string_equal(rig.a.asker, is_west ? "west" : "east");
	}
	link_uplink_close(&west.uplink);
	west = (struct zone){ 0 };
	zone_open(&rig, &west, &rig.a.addr[UNIX], 1); /* without TLS: nobody */
	ask(&west, 0, 10, ASK_MS);
	UNTIL(rig.loop, west.replied == 1);
	assert_string_equal(rig.a.asker, "");
	link_uplink_close(&west.uplink);
	pki_tls_drop(&tls);
	rig_close(&rig);
}

/* Another process that reaches into the folder is not heard. */
static void nobody_gets_in_behind_the_gate(void **state)
{
	struct rig rig;
	int status;

	(void)state;
	rig_open(&rig, ECHOES, 64);
	zone_open(&rig, &rig.zone, &rig.a.addr[TCP], 1);
	expect_heard(&rig, &rig.zone, 10);
	ask(&rig.zone, 0, 10, ASK_MS);
	UNTIL(rig.loop, rig.zone.replied == 1);
	struct zl_addr inner = { .is_unix = true };
	(void)snprintf(inner.host, sizeof(inner.host), "%s",
		       tmp_path(&rig.tmp, "a/0.rep"));
	if (access(inner.host, F_OK) != 0)
		fail_msg("no inner socket at %s", inner.host);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) { /* nothing here may touch nng */
		char byte[9];
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (peer_connect(fd, &inner) != 0 ||
		    send(fd, "\0SP\0\0\x30\0\0", 8, MSG_NOSIGNAL) != 8 ||
		    recv(fd, byte, 8, MSG_WAITALL) != 8)
			_exit(2);
		/* A request: nobody answers, and the connection ends. */
		(void)send(fd, "\x01\0\0\0\0\0\0\0\x08\x80\0\0\x01hack", 17,
			   MSG_NOSIGNAL);
		_exit(recv(fd, byte, 1, 0) <= 0 ? 0 : 3);
	}
	UNTIL(rig.loop, waitpid(child, &status, WNOHANG) == child);
	assert_int_equal(status, 0);
	assert_int_equal(rig.a.requests, 1);
	ask(&rig.zone, 1, 10, ASK_MS);
	UNTIL(rig.loop, rig.zone.replied == 2);
	rig_close(&rig);
}

/* A zone's process that dies in the middle of great messages, both ways, many times over:
 * nng 1.5.2 may hang for good on a pipe that breaks inside one, so it must not see that.
 */
static void peers_break_off_inside_messages(void **state)
{
	enum { TIMES = 60, GREAT = 1 << 20 };
	static unsigned char frame[9 + GREAT], great[GREAT];
	struct rig rig;

	(void)state;
	memcpy(frame, "\x01\0\0\0\0\0\x10\0\0\x80\0\0\x01", 13); /* a request's id */
	fill(great, GREAT);
	for (int way = TCP; way <= UNIX; way++) {
		rig_open(&rig, ECHOES, 64);
		zone_open(&rig, &rig.zone, &rig.a.addr[way], 1);
		expect_heard(&rig, &rig.zone, 10);
		unsigned published = settled(&rig);
		for (int n = 0; n < TIMES; n++) {
			bool asks = n % 2 == 0;
			int peer = peer_dial(&rig.a.addr[UNIX]);
			peer_say(peer, asks ? "\0SP\0\0\x30\0\0" : "\0SP\0\0\x21\0\0", 8);
			char header[8];
			UNTIL(rig.loop, recv(peer, header, 8, MSG_DONTWAIT) == 8);
			if (n % 5 == 0) /* nng may part with it at once by then */
				turn_for(rig.loop, 10);
			for (int i = 0; i < 2 && !asks; i++) {
				link_hub_publish(rig.a.hub, great, GREAT);
				published++;
			}
			for (int i = 0; i < 40 && asks; i++) {
				ssize_t sent = send(peer, frame + (i == 0 ? 0 : 13),
						    32768, MSG_NOSIGNAL);
				if (sent < 0)
					turn(rig.loop);
			}
			turn_for(rig.loop, (uint64_t)n % 4);
			if (n % 3 == 0)
				peer_reset(peer);
			else
				close(peer);
			UNTIL(rig.loop, rig.zone.heard == published);
		}
		link_hub_publish(rig.a.hub, great, 11); /* behind all that */
		UNTIL(rig.loop, rig.zone.heard_len == 11);
		assert_true(rig.zone.whole);
		ask(&rig.zone, 0, 10, ASK_MS);
		UNTIL(rig.loop, rig.zone.replied == 1);
		assert_int_equal(rig.zone.downs, 0);
		UNTIL(rig.loop, link_hub_connections(rig.a.hub) == 2);
		rig_close(&rig); /* nng closes by itself */
	}
}

/* Who answers at global's address must have global's certificate from the authority that
 * the zone knows. */
static void global_must_prove_that_it_is(void **state)
{
	struct rig rig;

	(void)state;
	for (int other = 0; other < 2; other++) {
		rig_open(&rig, ECHOES, 64);
		struct certs others;
		certs_make(&others, &rig.tmp, "others");
		rig.b.tls =
			other ? certs_tls(&others, &rig.certs, GLOBAL, 60, true, NULL)
			      : certs_tls(&rig.certs, &rig.certs, EAST, 60, true, NULL);
		hub_open(&rig, &rig.b, "b", 64, 0);
		const struct zl_addr addrs[] = { rig.b.addr[TCP], rig.a.addr[TCP] };
		zone_open(&rig, &rig.zone, addrs, 1);
		const char *why = other ? "self-signed" : "another's";
		UNTIL(rig.loop,
		      strstr(link_uplink_trouble(rig.zone.uplink), why) != NULL);
		assert_int_equal(link_hub_connections(rig.b.hub), 0);
		link_uplink_close(&rig.zone.uplink);
		zone_open(&rig, &rig.zone, addrs, 2); /* the next address is global's */
		ask(&rig.zone, 0, 10, ASK_MS);
		UNTIL(rig.loop, rig.zone.replied == 1);
		assert_int_equal(rig.zone.from, 'a');
		UNTIL(rig.loop, rig.zone.up);
		assert_string_equal(link_uplink_trouble(rig.zone.uplink), "");
		certs_free(&others);
		rig_close(&rig);
	}
}

/* New certificates on both ends disturb nobody; a zone that was cut off and is not
 * admitted any more stays out until it has a new one. */
static void certificates_change_while_it_runs(void **state)
{
	char serial[PKI_SERIAL];
	struct rig rig;

	(void)state;
	rig_open(&rig, ECHOES, 64);
	struct pki_tls *old =
		certs_tls(&rig.certs, &rig.certs, EAST, 3600, false, serial);
	zone_open_as(&rig, &rig.zone, &rig.a.addr[TCP], 1, old);
	expect_heard(&rig, &rig.zone, 10);
	struct pki_tls *tls = certs_server(&rig.certs);
	link_hub_set_tls(rig.a.hub, tls);
	pki_tls_drop(&tls);
	ask(&rig.zone, 0, 10, ASK_MS);
	UNTIL(rig.loop, rig.zone.replied == 1);
	assert_int_equal(rig.zone.downs, 0);
	memcpy(rig.a.revoked, serial, PKI_SERIAL);
	link_hub_cut(rig.a.hub, "east");
	UNTIL(rig.loop, rig.zone.downs == 1);
	UNTIL(rig.loop, link_hub_refused(rig.a.hub) >= 3);
	assert_int_equal(link_hub_connections(rig.a.hub), 0);
	assert_string_not_equal(link_uplink_trouble(rig.zone.uplink), "");
	tls = certs_zone(&rig.certs, "east");
	link_uplink_set_tls(rig.zone.uplink, tls);
	pki_tls_drop(&tls);
	ask(&rig.zone, 1, 10, ASK_MS);
	UNTIL(rig.loop, rig.zone.replied == 2);
	expect_heard(&rig, &rig.zone, 10);
	pki_tls_drop(&old);
	rig_close(&rig);
}

static void leave_file(const struct rig *rig, const char *name)
{
	int fd = open(tmp_path(&rig->tmp, name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

/* What a process that was killed left behind is in nobody's way. */
static void old_sockets_are_replaced(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, ECHOES, 64);
	assert_int_equal(mkdir(tmp_path(&rig.tmp, "zone-0"), 0700), 0);
	leave_file(&rig, "a/0.pub");
	leave_file(&rig, "a/0.rep");
	leave_file(&rig, "zone-0/sub");
	leave_file(&rig, "zone-0/req");
	zone_open(&rig, &rig.zone, &rig.a.addr[TCP], 1);
	expect_heard(&rig, &rig.zone, 10);
	ask(&rig.zone, 0, 10, ASK_MS);
	UNTIL(rig.loop, rig.zone.replied == 1);
	rig_close(&rig);
}

static void folders_are_made_safe_or_refused(void **state)
{
	const struct link_hub_handlers handlers = { .request = on_request };
	struct link_hub_setup setup = { .message_max = 100, .connections_max = 1 };
	struct zl_err err = { 0 };
	struct link_hub *hub;
	struct stat info;
	char path[300];
	struct rig rig;

	(void)state;
	rig_open(&rig, ECHOES, 64);
	(void)snprintf(path, sizeof(path), "%s", tmp_path(&rig.tmp, "loose"));
	setup.folder = path;
	assert_int_equal(mkdir(path, 0777), 0);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(link_hub_open(&hub, rig.loop, &setup, &handlers, &err), ZL_OK);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0700);
	link_hub_close(&hub);
	assert_null(hub);
	memset(path + strlen(path), 'x', 120);
	path[strlen(tmp_path(&rig.tmp, "loose")) + 120] = '\0';
	assert_int_equal(link_hub_open(&hub, rig.loop, &setup, &handlers, &err),
			 ZL_EINVAL);
	assert_null(hub);
	assert_non_null(strstr(err.msg, "shorter"));
	setup.folder = "/proc/none/there";
	assert_int_not_equal(link_hub_open(&hub, rig.loop, &setup, &handlers, &err),
			     ZL_OK);
	assert_null(hub);
	rig_close(&rig);
}

/* Close in the middle of everything, again and again; the sanitizers see what is left. */
static void ends_may_close_at_any_time(void **state)
{
	struct rig rig;

	(void)state;
	for (int n = 0; n < 40; n++) {
		rig_open(&rig, n % 4 == 0 ? KEEPS : ECHOES, 64);
		zone_open(&rig, &rig.zone, &rig.a.addr[n % 2], 1);
		for (uint64_t id = 0; id < LINK_REQUESTS + 2; id++)
			ask(&rig.zone, id, (size_t)n * 1000, ASK_MS);
		for (int i = 0; i < 50; i++)
			link_hub_publish(rig.a.hub, "", 0);
		turn_for(rig.loop, (uint64_t)n);
		for (int i = 0; i < 50; i++)
			link_hub_publish(rig.a.hub, "", 0);
		if (n % 3 == 0)
			link_hub_close(&rig.a.hub);
		rig_close(&rig);
	}
}

/* An end closes while messages are on their way, great ones in many steps: nng 1.5.2
 * hangs for good if that is between two steps. */
static void ends_close_while_they_speak(void **state)
{
	enum { TIMES = 40, GREAT = 600000 };
	unsigned char *great = malloc(GREAT);
	struct rig rig;

	(void)state;
	assert_non_null(great);
	fill(great, GREAT);
	rig_open(&rig, ECHOES, 64);
	for (int n = 0; n < TIMES; n++) {
		const size_t len = n % 2 == 0 ? 1000 : GREAT;
		zone_open(&rig, &rig.zone, &rig.a.addr[n % 2], 1);
		expect_heard(&rig, &rig.zone, 1);
		rig.zone.heard = 0;
		rig.zone.ask_again = IDS;
		for (uint64_t id = 0; id < LINK_REQUESTS; id++)
			ask(&rig.zone, id, len, ASK_MS);
		for (int i = 0; i < (n % 2 == 0 ? 1000 : 3); i++)
			link_hub_publish(rig.a.hub, great, len);
		UNTIL(rig.loop, rig.zone.heard > 0); /* the rest is on its way */
		if (n % 3 == 0) {
			link_hub_close(&rig.a.hub);
			hub_open(&rig, &rig.a, "a", 64, 0);
		}
		link_uplink_close(&rig.zone.uplink);
		assert_int_equal(link_left_behind(), 0);
		rig.zone = (struct zone){ 0 };
	}
	rig_close(&rig);
	free(great);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_published_is_heard),
		cmocka_unit_test(a_thousand_requests_are_answered_once),
		cmocka_unit_test(messages_may_be_as_great_as_agreed),
		cmocka_unit_test(what_is_not_answered_is_lost_once),
		cmocka_unit_test(nobody_there_is_a_loss_too),
		cmocka_unit_test(forgotten_requests_give_their_slots_back),
		cmocka_unit_test(a_restarted_hub_is_found_again),
		cmocka_unit_test(redial_turns_to_the_next_address),
		cmocka_unit_test(many_zones_share_a_hub),
		cmocka_unit_test(storms_of_aborts_leave_the_listeners_alive),
		cmocka_unit_test(a_full_hub_is_joined_when_there_is_room),
		cmocka_unit_test(nonsense_after_the_greeting_is_cut_off),
		cmocka_unit_test(requests_carry_their_zone),
		cmocka_unit_test(nobody_gets_in_behind_the_gate),
		cmocka_unit_test(peers_break_off_inside_messages),
		cmocka_unit_test(global_must_prove_that_it_is),
		cmocka_unit_test(certificates_change_while_it_runs),
		cmocka_unit_test(old_sockets_are_replaced),
		cmocka_unit_test(folders_are_made_safe_or_refused),
		cmocka_unit_test(ends_may_close_at_any_time),
		cmocka_unit_test(ends_close_while_they_speak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
