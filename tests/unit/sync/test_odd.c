/* Messages that no honest other end sends, or that come where they do not fit: each is
 * dropped, answered or repaired, and what is known stays right. */
#include "pair.h"

#include "sync/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct node *live_zone(struct pair *pair)
{
	pair_init(pair);
	struct node *node = pair_zone(pair, 0, "east", 1, 1, 11);
	pair_pass(pair, 1100);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	return node;
}

/* ---- what a zone is answered ---- */

static void answer(struct node *node, enum sync_type type, void *body)
{
	struct zl_arena *arena = zl_arena_new();
	struct sync_bytes bytes = sync_encode(arena, type, body);

	zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_REPLY,
						   .id = node->asked,
						   .bytes = bytes.data,
						   .len = bytes.len });
	zl_arena_free(&arena);
}

/* The zone has asked for the log and waits. */
static struct node *fetching_zone(struct pair *pair)
{
	struct node *node = live_zone(pair);

	pair->requests_lost = true;
	zone_simple(node, SYNC_EV_PIPE);
	assert_int_equal(zone_state(node), SYNC_SYNC);
	return node;
}

static void all_comes_right(struct pair *pair, struct node *node)
{
	pair->requests_lost = false;
	pair_pass(pair, 8000);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_true(pair_same(pair, node));
	pair_fini(pair);
}

static void answers_that_do_not_fit_are_dropped(void **state)
{
	Sync__Log log = SYNC__LOG__INIT;
	Sync__Position head = SYNC__POSITION__INIT;
	Sync__Unknown unknown = SYNC__UNKNOWN__INIT;
	Sync__Nudge nudge = SYNC__NUDGE__INIT;
	uint8_t zeros[32] = { 0 };
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair.requests_lost = true;
	struct node *node = pair_zone(&pair, 0, "east", 1, 1, 11);
	zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_REPLY,
						   .id = node->asked,
						   .bytes = "no",
						   .len = 2 });
	assert_int_equal(sync_zone_view(node->machine).dropped, 1);
	pair_pass(&pair, 200);
	answer(node, SYNC_MSG_UNKNOWN, &unknown); /* to another question */
	assert_int_equal(sync_zone_view(node->machine).dropped, 2);
	pair_pass(&pair, 400);
	head.epoch = head.chain = (ProtobufCBinaryData){ 16, zeros };
	log.req_id = node->asked;
	log.epoch = head.epoch;
	log.head = &head;
	log.digest = (ProtobufCBinaryData){ 32, zeros };
	answer(node, SYNC_MSG_LOG, &log); /* to a HELLO */
	assert_int_equal(sync_zone_view(node->machine).dropped, 3);
	pair_pass(&pair, 1000);
	nudge.position = &head;
	answer(node, SYNC_MSG_NUDGE, &nudge); /* no answer at all */
	assert_int_equal(sync_zone_view(node->machine).dropped, 4);
	zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_REPLY });
	zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_LOST });
	zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_LOST, .id = 1 });
	all_comes_right(&pair, node);
}

static void a_zone_without_a_session_cannot_lose_one(void **state)
{
	Sync__Unknown unknown = SYNC__UNKNOWN__INIT;
	Sync__Fenced fenced = SYNC__FENCED__INIT;
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair.requests_lost = true;
	struct node *node = pair_zone(&pair, 0, "east", 1, 1, 11);
	unknown.req_id = node->asked;
	answer(node, SYNC_MSG_UNKNOWN, &unknown);
	fenced.req_id = node->asked;
	answer(node, SYNC_MSG_FENCED, &fenced);
	assert_int_equal(zone_state(node), SYNC_JOIN);
	assert_int_equal(sync_zone_view(node->machine).dropped, 0);
	all_comes_right(&pair, node);
}

static void leases_have_a_sane_length(void **state)
{
	static const struct {
		uint32_t said, taken;
	} ROWS[] = { { 1, 300 }, { 5000, 5000 }, { UINT32_MAX, 3600000 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		Sync__Welcome welcome = SYNC__WELCOME__INIT;
		Sync__Position at = SYNC__POSITION__INIT;
		uint8_t zeros[16] = { 0 };
		struct pair pair;
		pair_init(&pair);
		pair.requests_lost = true;
		struct node *node = pair_zone(&pair, 0, "east", 1, 1, 11);
		at.epoch = at.chain = (ProtobufCBinaryData){ 16, zeros };
		welcome.req_id = node->asked;
		welcome.fence = 1;
		welcome.features = UINT64_MAX; /* bits of a later release */
		welcome.lease_ms = ROWS[i].said;
		welcome.position = &at;
		answer(node, SYNC_MSG_WELCOME, &welcome);
		struct sync_zone_view view = sync_zone_view(node->machine);
		assert_int_equal(view.lease_until, pair.now + ROWS[i].taken);
		assert_int_equal(view.features, SYNC_FEATURES);
		pair_fini(&pair);
	}
}

struct odd_log {
	const char *what;
	bool other_epoch, entry, part;
	uint64_t rev; /* before or after the zone's */
	uint64_t offset, total;
	size_t len;
	bool copies; /* the zone takes it for another history */
};

static void answer_log(struct pair *pair, struct node *node, const struct odd_log *odd)
{
	Sync__Log log = SYNC__LOG__INIT;
	Sync__LogEntry entry = SYNC__LOG_ENTRY__INIT, *list = &entry;
	struct zl_arena *arena = zl_arena_new();
	struct sync_state at = pair->store.state;
	uint8_t bytes[64] = { 7 };

	at.position.rev += 1;
	if (odd->other_epoch)
		at.position.epoch[0] ^= 1;
	log.req_id = node->asked;
	log.head = sync_position_out(arena, &at.position);
	log.epoch = log.head->epoch;
	log.digest = sync_digest_out(arena, &at.digest);
	log.more = true;
	entry.rev = odd->rev;
	entry.chain = (ProtobufCBinaryData){ 16, bytes };
	entry.bytes = (ProtobufCBinaryData){ odd->len, bytes };
	log.offset = odd->offset;
	log.total = odd->total;
	if (odd->entry) {
		log.entries = &list;
		log.n_entries = 1;
	}
	if (odd->part)
		log.part = &entry;
	answer(node, SYNC_MSG_LOG, &log);
	zl_arena_free(&arena);
}

static void logs_of_other_histories_and_parts_that_do_not_fit(void **state)
{
	/* clang-format off */
	static const struct odd_log ROWS[] = {
		{ .what = "epoch", .other_epoch = true, .copies = true },
		{ .what = "chain", .entry = true, .rev = 3, .len = 9, .copies = true },
		{ .what = "gap", .entry = true, .rev = 5, .len = 9, .copies = true },
		{ .what = "last one differs", .entry = true, .rev = 2, .len = 9, .copies = true },
		{ .what = "old one", .entry = true, .rev = 1, .len = 9 },
		{ .what = "part", .part = true, .rev = 3, .total = 100, .len = 9 },
		{ .what = "part of another", .part = true, .rev = 4, .total = 100, .len = 9 },
		{ .what = "too great", .part = true, .rev = 3, .total = UINT64_MAX, .len = 9 },
		{ .what = "empty", .part = true, .rev = 3, .total = 100 },
		{ .what = "no beginning", .part = true, .rev = 3, .offset = 9, .total = 100, .len = 9 },
		{ .what = "over its end", .part = true, .rev = 3, .total = 5, .len = 9 },
		{ .what = "whole and wrong", .part = true, .rev = 3, .total = 9, .len = 9, .copies = true },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct pair pair;
		struct node *node = fetching_zone(&pair);
		answer_log(&pair, node, &ROWS[i]);
		enum sync_zone_state now = zone_state(node);
		if (now != (ROWS[i].copies ? SYNC_SNAP : SYNC_SYNC))
			fail_msg("%s: %s", ROWS[i].what, sync_zone_state_name(now));
		all_comes_right(&pair, node);
	}
}

static void parts_of_two_entries_are_not_mixed(void **state)
{
	static const struct odd_log FIRST = {
		.part = true, .rev = 3, .total = 100, .len = 9
	};
	struct odd_log next = {
		.part = true, .rev = 3, .offset = 9, .total = 99, .len = 9
	};
	struct pair pair;

	(void)state;
	struct node *node = fetching_zone(&pair);
	answer_log(&pair, node, &FIRST);
	answer_log(&pair, node, &next); /* another length: another entry */
	assert_int_equal(zone_state(node), SYNC_SYNC);
	all_comes_right(&pair, node);
}

/* The zone's records differ from global's: it asks for sums and waits. */
static struct node *repairing_zone(struct pair *pair)
{
	struct node *node = live_zone(pair);

	sim_store_rot(&node->store, 0);
	pair->replies_late = true;
	pair_commit(pair, "c", "3", true);
	pair_pass(pair, 300);
	assert_int_equal(zone_state(node), SYNC_REPAIR);
	return node;
}

static void sums_at_another_revision_end_a_repair(void **state)
{
	Sync__SumsReply reply = SYNC__SUMS_REPLY__INIT;
	static uint8_t zeros[32 * DIGEST_BUCKETS];
	struct pair pair;

	(void)state;
	struct node *node = repairing_zone(&pair);
	reply.req_id = node->asked;
	reply.rev = 99;
	reply.sums = (ProtobufCBinaryData){ sizeof(zeros), zeros };
	answer(node, SYNC_MSG_SUMS_REPLY, &reply);
	assert_int_equal(zone_state(node), SYNC_SYNC);
	pair.replies_late = false;
	all_comes_right(&pair, node);
}

struct odd_keys {
	uint64_t rev;
	bool too_many, values;
	size_t count;
	const char *key;
	enum sync_zone_state then;
};

static void answer_keys(struct node *node, const struct odd_keys *odd)
{
	Sync__KeysReply reply = SYNC__KEYS_REPLY__INIT;
	Sync__Record record = SYNC__RECORD__INIT, *list[] = { &record, &record };

	reply.req_id = node->asked;
	reply.rev = odd->rev;
	reply.too_many = odd->too_many;
	record.key.data = (uint8_t *)zl_strdup(odd->key);
	record.key.len = strlen(odd->key);
	reply.records = list;
	reply.n_records = odd->count;
	answer(node, SYNC_MSG_KEYS_REPLY, &reply);
	free(record.key.data);
}

static void odd_keys_end_a_repair(void **state)
{
	static const struct odd_keys ROWS[] = {
		{ .rev = 9, .key = "a", .then = SYNC_SYNC },
		{ .rev = 3, .too_many = true, .key = "a", .then = SYNC_SNAP },
		{ .rev = 3, .values = true, .key = "a", .then = SYNC_SNAP },
		{ .rev = 3, .values = true, .count = 2, .key = "a", .then = SYNC_SNAP },
		{ .rev = 3, .values = true, .count = 1, .key = "x", .then = SYNC_SNAP },
		{ .rev = 3, .values = true, .count = 1, .key = "a", .then = SYNC_SYNC },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct pair pair;
		struct node *node = repairing_zone(&pair);
		pair_reply(&pair); /* the sums; then it asks for keys */
		if (ROWS[i].values)
			pair_reply(&pair);
		assert_int_equal(zone_state(node), SYNC_REPAIR);
		answer_keys(node, &ROWS[i]);
		assert_int_equal(zone_state(node), ROWS[i].then);
		pair.replies_late = false;
		all_comes_right(&pair, node);
	}
}

static void what_is_no_hint_is_dropped(void **state)
{
	Sync__ByeOk bye = SYNC__BYE_OK__INIT;
	struct zl_arena *arena = zl_arena_new();
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	struct sync_bytes bytes = sync_encode(arena, SYNC_MSG_BYE_OK, &bye);
	zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_PUB,
						   .bytes = bytes.data,
						   .len = bytes.len });
	assert_int_equal(sync_zone_view(node->machine).dropped, 1);
	zl_arena_free(&arena);
	pair_fini(&pair);
}

static void a_lease_may_be_put_off(void **state)
{
	struct sync_report report = { .last_error = "" };
	Sync__Later later = SYNC__LATER__INIT;
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.requests_lost = true;
	zone_event(node,
		   (struct sync_zone_event){ .kind = SYNC_EV_REPORT, .report = &report });
	later.req_id = node->asked;
	later.retry_ms = UINT32_MAX; /* not for ever */
	unsigned sends = node->sends;
	answer(node, SYNC_MSG_LATER, &later);
	assert_int_equal(node->sends, sends);
	pair_pass(&pair, 7000);
	assert_true(node->sends > sends);
	all_comes_right(&pair, node);
}

/* An acceptance is for a position and a digest. */
static void an_acceptance_of_another_digest_is_for_something_else(void **state)
{
	struct sync_report report = { .last_error = "" };
	struct zl_arena *arena = zl_arena_new();
	Sync__Leased leased = SYNC__LEASED__INIT;
	Sync__Accept accept = SYNC__ACCEPT__INIT;
	struct pair pair;
	char key[4];

	(void)state;
	pair_init(&pair);
	struct sim_store few = { .count = 0 };
	sim_store_copy(&few, &pair.store);
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(key, sizeof(key), "p%02u", i % 100);
		pair_commit(&pair, key, "x", true);
	}
	struct node *node = pair_zone(&pair, 0, "east", 1, 1, 11);
	pair_pass(&pair, 1100);
	sim_store_copy(&pair.store, &few);
	pair.store.state.position.epoch[0] ^= 1;
	pair_global(&pair);
	pair_pass(&pair, 2500);
	assert_int_equal(zone_state(node), SYNC_HELD);
	struct sync_state name = sync_zone_view(node->machine).held.name;
	pair.requests_lost = true;
	zone_event(node,
		   (struct sync_zone_event){ .kind = SYNC_EV_REPORT, .report = &report });
	name.digest.lane[0] ^= 1;
	accept.position = sync_position_out(arena, &name.position);
	accept.digest = sync_digest_out(arena, &name.digest);
	leased.req_id = node->asked;
	leased.lease_ms = SYNC_LEASE_MS;
	leased.position = accept.position;
	leased.digest = accept.digest;
	leased.accept = &accept;
	answer(node, SYNC_MSG_LEASED, &leased);
	assert_int_equal(zone_state(node), SYNC_HELD);
	assert_int_equal(node->swaps, 1);
	sim_store_fini(&few);
	zl_arena_free(&arena);
	pair_fini(&pair);
}

/* ---- what global is asked ---- */

/* The type of global's answer; 0: none came. */
static unsigned ask(struct pair *pair, enum sync_type type, void *body)
{
	struct zl_arena *arena = zl_arena_new();
	struct sync_bytes bytes = sync_encode(arena, type, body);
	bool late = pair->replies_late;

	pair->replies_late = true;
	free(pair->late.bytes);
	pair->late.bytes = NULL;
	global_event(pair, (struct sync_global_event){ .kind = SYNC_GEV_REQUEST,
						       .id = ZONES,
						       .bytes = bytes.data,
						       .len = bytes.len });
	pair->replies_late = late;
	zl_arena_free(&arena);
	return pair->late.bytes != NULL ? (uint8_t)pair->late.bytes[3] : 0;
}

static Sync__Head *head_of(const struct pair *pair)
{
	static Sync__Head head = SYNC__HEAD__INIT;
	struct sync_session_view view = { .fence = 0 };
	static char zone[] = "east";

	(void)sync_global_zone(pair->global, zone, &view);
	head.zone = zone;
	head.session = 11;
	head.fence = view.fence;
	head.req_id = 77;
	return &head;
}

static void hellos_of_other_protocols_and_names_are_refused(void **state)
{
	static const struct {
		const char *zone;
		uint32_t min, max;
		unsigned answer;
	} ROWS[] = {
		{ "west", 1, 1, SYNC_MSG_WELCOME },
		{ "west", 1, 9, SYNC_MSG_WELCOME },
		{ "west", 2, 3, SYNC_MSG_REFUSED },
		{ "west", 0, 0, SYNC_MSG_REFUSED },
		{ "{west", 1, 1, SYNC_MSG_REFUSED },
		{ "a123456789012345678901234567890123456789012345678901234567890123", 1,
		  1, SYNC_MSG_REFUSED },
	};
	struct pair pair;

	(void)state;
	pair_init(&pair);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		Sync__Hello hello = SYNC__HELLO__INIT;
		Sync__Head head = SYNC__HEAD__INIT;
		struct zl_arena *arena = zl_arena_new();
		uint8_t uuid[SYNC_UUID] = { 9 };
		head.zone = zl_arena_strdup(arena, ROWS[i].zone);
		head.session = 100;
		hello.head = &head;
		hello.zone_uuid = (ProtobufCBinaryData){ sizeof(uuid), uuid };
		hello.proto_min = ROWS[i].min;
		hello.proto_max = ROWS[i].max;
		hello.features = UINT64_MAX;
		hello.position = sync_position_out(arena, &pair.store.state.position);
		hello.build = hello.host = zl_arena_strdup(arena, "later");
		assert_int_equal(ask(&pair, SYNC_MSG_HELLO, &hello), ROWS[i].answer);
		zl_arena_free(&arena);
	}
	pair_fini(&pair);
}

static void what_is_no_request_is_answered_all_the_same(void **state)
{
	Sync__Pushed pushed = SYNC__PUSHED__INIT;
	Sync__Nudge nudge = SYNC__NUDGE__INIT;
	struct zl_arena *arena = zl_arena_new();
	struct pair pair;

	(void)state;
	live_zone(&pair);
	pushed.req_id = 5;
	nudge.position = sync_position_out(arena, &pair.store.state.position);
	assert_int_equal(ask(&pair, SYNC_MSG_PUSHED, &pushed), SYNC_MSG_LATER);
	assert_int_equal(ask(&pair, SYNC_MSG_NUDGE, &nudge), SYNC_MSG_LATER);
	zl_arena_free(&arena);
	pair_fini(&pair);
}

static void a_store_that_cannot_be_read_puts_zones_off(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	Sync__Fetch fetch = SYNC__FETCH__INIT;
	Sync__Snap snap = SYNC__SNAP__INIT;
	Sync__Sums sums = SYNC__SUMS__INIT;
	Sync__Keys buckets = SYNC__KEYS__INIT, keys = SYNC__KEYS__INIT;
	uint8_t bucket = 1;
	ProtobufCBinaryData key = { 1, (uint8_t *)zl_arena_strdup(arena, "a") };
	struct pair pair;

	(void)state;
	live_zone(&pair);
	struct position before = pair.store.state.position;
	pair_commit(&pair, "c", "3", false);
	global_event(&pair, (struct sync_global_event){ .kind = SYNC_GEV_START,
							.state = pair.store.state });
	fetch.head = snap.head = sums.head = buckets.head = keys.head = head_of(&pair);
	fetch.position = sync_position_out(arena, &before);
	buckets.buckets = (ProtobufCBinaryData){ 1, &bucket };
	keys.keys = &key;
	keys.n_keys = 1;
	pair.broken = true;
	assert_int_equal(ask(&pair, SYNC_MSG_FETCH, &fetch), SYNC_MSG_LATER);
	assert_int_equal(ask(&pair, SYNC_MSG_SNAP, &snap), SYNC_MSG_LATER);
	assert_int_equal(ask(&pair, SYNC_MSG_SUMS, &sums), SYNC_MSG_LATER);
	assert_int_equal(ask(&pair, SYNC_MSG_KEYS, &buckets), SYNC_MSG_LATER);
	assert_int_equal(ask(&pair, SYNC_MSG_KEYS, &keys), SYNC_MSG_LATER);
	assert_non_null(strstr(pair.said, "broken"));
	pair.broken = false;
	assert_int_equal(ask(&pair, SYNC_MSG_KEYS, &keys), SYNC_MSG_KEYS_REPLY);
	fetch.offset = 1000; /* beyond its end: from the beginning */
	fetch.max_bytes = 4;
	assert_int_equal(ask(&pair, SYNC_MSG_FETCH, &fetch), SYNC_MSG_LOG);
	fetch.max_bytes = 1 << 30;
	assert_int_equal(ask(&pair, SYNC_MSG_FETCH, &fetch), SYNC_MSG_LOG);
	key.data[0] = 'x'; /* there is none */
	assert_int_equal(ask(&pair, SYNC_MSG_KEYS, &keys), SYNC_MSG_KEYS_REPLY);
	zl_arena_free(&arena);
	pair_fini(&pair);
}

static void pushes_out_of_order_begin_again(void **state)
{
	Sync__Push push = SYNC__PUSH__INIT;
	struct pair pair;

	(void)state;
	live_zone(&pair);
	push.head = head_of(&pair);
	push.to_seq = 5;
	push.from_seq = 4; /* what is before it never came */
	assert_int_equal(ask(&pair, SYNC_MSG_PUSH, &push), SYNC_MSG_PUSH_RESET);
	push.full_id = 1000;
	push.part = 3;
	assert_int_equal(ask(&pair, SYNC_MSG_PUSH, &push), SYNC_MSG_PUSH_RESET);
	push.part = 0;
	assert_int_equal(ask(&pair, SYNC_MSG_PUSH, &push), SYNC_MSG_PUSHED);
	push.part = 2;
	assert_int_equal(ask(&pair, SYNC_MSG_PUSH, &push), SYNC_MSG_PUSH_RESET);
	pair_fini(&pair);
}

static void an_epoch_that_cannot_be_stored_is_tried_again(void **state)
{
	struct sim_store old = { 0 };
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	sim_store_copy(&old, &pair.store);
	pair_commit(&pair, "c", "3", true);
	sim_store_copy(&pair.store, &old);
	pair.epoch_fails = true;
	pair_global(&pair);
	pair_pass(&pair, 3000);
	assert_int_equal(pair.epochs, 0);
	pair.epoch_fails = false;
	sim_store_fini(&old);
	all_comes_right(&pair, node);
}

/* Field 99, a text. */
static const char LATER[] = "\x9a\x06\x05later";

static void fields_of_a_later_release_are_skipped(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	Sync__Fetch fetch = SYNC__FETCH__INIT;
	struct zl_buf bytes = { 0 };
	struct pair pair;

	(void)state;
	live_zone(&pair);
	fetch.head = head_of(&pair);
	fetch.position = sync_position_out(arena, &pair.store.state.position);
	struct sync_bytes plain = sync_encode(arena, SYNC_MSG_FETCH, &fetch);
	zl_buf_add(&bytes, plain.data, plain.len);
	zl_buf_add(&bytes, LATER, sizeof(LATER) - 1);
	pair.replies_late = true;
	global_event(&pair, (struct sync_global_event){ .kind = SYNC_GEV_REQUEST,
							.id = ZONES,
							.bytes = bytes.data,
							.len = bytes.len });
	assert_int_equal(pair.late.bytes[3], SYNC_MSG_LOG);
	zl_buf_free(&bytes);
	zl_arena_free(&arena);
	pair_fini(&pair);
}

/* An entry is passed on as it was written, so the chain over it is the same everywhere.
 */
static void entries_of_a_later_release_are_kept_whole(void **state)
{
	const struct op op = { .key = "c", .key_len = 1, .value = "3", .value_len = 1 };
	struct sync_global_event event = { .kind = SYNC_GEV_COMMITTED };
	struct zl_buf bytes = { 0 };
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	entry_pack(&(struct entry){ .ops = &op, .op_count = 1, .who = "", .message = "" },
		   &bytes);
	zl_buf_add(&bytes, LATER, sizeof(LATER) - 1);
	sim_store_apply(&pair.store, bytes.data, bytes.len, UINT64_MAX);
	event.state = pair.store.state;
	event.entry = (struct sync_entry){ .rev = event.state.position.rev,
					   .bytes = bytes.data,
					   .len = bytes.len };
	memcpy(event.entry.chain, event.state.position.chain, POSITION_CHAIN);
	global_event(&pair, event);
	assert_int_equal(node->applies, 1);
	assert_int_equal(node->store.log[0].len, bytes.len);
	assert_true(pair_same(&pair, node));
	zl_buf_free(&bytes);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_that_do_not_fit_are_dropped),
		cmocka_unit_test(a_zone_without_a_session_cannot_lose_one),
		cmocka_unit_test(leases_have_a_sane_length),
		cmocka_unit_test(logs_of_other_histories_and_parts_that_do_not_fit),
		cmocka_unit_test(parts_of_two_entries_are_not_mixed),
		cmocka_unit_test(sums_at_another_revision_end_a_repair),
		cmocka_unit_test(odd_keys_end_a_repair),
		cmocka_unit_test(what_is_no_hint_is_dropped),
		cmocka_unit_test(a_lease_may_be_put_off),
		cmocka_unit_test(an_acceptance_of_another_digest_is_for_something_else),
		cmocka_unit_test(hellos_of_other_protocols_and_names_are_refused),
		cmocka_unit_test(what_is_no_request_is_answered_all_the_same),
		cmocka_unit_test(a_store_that_cannot_be_read_puts_zones_off),
		cmocka_unit_test(pushes_out_of_order_begin_again),
		cmocka_unit_test(an_epoch_that_cannot_be_stored_is_tried_again),
		cmocka_unit_test(fields_of_a_later_release_are_skipped),
		cmocka_unit_test(entries_of_a_later_release_are_kept_whole),
	};
	return cmocka_run_group_tests_name("unit/sync/odd", tests, NULL, NULL);
}
