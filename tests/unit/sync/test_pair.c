/* The two machines against each other, one rule of the protocol a test. What happens by
 * chance is in tests/sim. */
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t LEASE = SYNC_LEASE_MS;

static struct node *live_zone(struct pair *pair)
{
	pair_init(pair);
	struct node *node = pair_zone(pair, 0, "east", 1, 1, 11);
	pair_pass(pair, 1100);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_true(pair_same(pair, node));
	return node;
}

static void a_new_zone_copies_everything(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	assert_int_equal(node->swaps, 1);
	assert_int_equal(session_state(&pair, "east"), SYNC_ACTIVE);
	pair_fini(&pair);
}

static void a_copy_in_small_chunks_takes_in_what_is_written_meanwhile(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair.setup.chunk_max = 1;
	pair_global(&pair);
	for (char key[2] = "c"; key[0] < 'p'; key[0]++)
		pair_commit(&pair, key, "x", true);
	struct node *node = pair_zone(&pair, 0, "east", 1, 1, 11);
	pair_pass(&pair, 1100);
	assert_true(pair_same(&pair, node));
	assert_true(node->sends > 10);
	pair_fini(&pair);
}

static void a_delta_is_applied_at_once(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair_commit(&pair, "c", "3", true);
	assert_true(pair_same(&pair, node));
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_commit(&pair, "a", NULL, true);
	assert_true(pair_same(&pair, node));
	assert_int_equal(node->applies, 2);
	pair_fini(&pair);
}

static bool is_told(const struct pair *pair)
{
	struct sync_session_view view;

	return sync_global_zone(pair->global, "east", &view) &&
	       position_equal(&view.applied, &pair->store.state.position);
}

/* Who waits at global for a revision must not wait for the next lease. */
static void what_is_waited_for_is_told_at_once(void **state)
{
	struct pair pair;

	(void)state;
	(void)live_zone(&pair);
	pair.waited = true;
	pair_commit(&pair, "c", "3", true);
	assert_true(is_told(&pair));
	pair_fini(&pair);
}

static void what_nobody_waits_for_is_told_soon_in_one(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair_pass(&pair, 100);
	unsigned sends = node->sends;
	for (int i = 0; i < 10; i++)
		pair_commit(&pair, "c", i % 2 == 0 ? "3" : "4", true);
	assert_int_equal(node->sends, sends);
	pair_pass(&pair, SOON);
	assert_true(is_told(&pair));
	assert_int_equal(node->sends, sends + 1);
	pair_fini(&pair);
}

/* Also when an answer to what was said before is still on its way. */
static void what_is_new_while_one_asks_is_told_after_the_answer(void **state)
{
	struct sync_report report = { .last_error = "" };
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	zone_event(node,
		   (struct sync_zone_event){ .kind = SYNC_EV_REPORT, .report = &report });
	pair.replies_late = true; /* of this lease */
	pair_pass(&pair, SOON);
	pair_commit(&pair, "c", "3", true);
	pair.replies_late = false;
	assert_false(is_told(&pair));
	pair_reply(&pair);
	pair_pass(&pair, SOON);
	assert_true(is_told(&pair));
	pair_fini(&pair);
}

/* A report of proxies is what a waiter waits for, too, until it says that they have it.
 */
static void reports_are_told_at_once_until_proxies_have_it(void **state)
{
	struct sync_report report = { .last_error = "" };
	struct sync_session_view view;
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	const struct sync_zone_event said = { .kind = SYNC_EV_REPORT, .report = &report };
	pair.waited = true;
	pair_commit(&pair, "c", "3", true);
	unsigned sends = node->sends;
	zone_event(node, said); /* they do not have it yet */
	assert_int_equal(node->sends, sends + 1);
	report.acked_rev = pair.store.state.position.rev;
	zone_event(node, said);
	assert_int_equal(node->sends, sends + 2);
	assert_true(sync_global_zone(pair.global, "east", &view));
	assert_true(view.report.acked_rev == report.acked_rev);
	zone_event(node, said); /* nobody waits for this one */
	assert_int_equal(node->sends, sends + 2);
	pair_fini(&pair);
}

/* By the other connection what is new can be there before an older answer. */
static void an_answer_that_is_overtaken_is_no_way_back(void **state)
{
	struct sync_report report = { .last_error = "" };
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.replies_late = true; /* of this lease, and of no other */
	zone_event(node,
		   (struct sync_zone_event){ .kind = SYNC_EV_REPORT, .report = &report });
	pair_pass(&pair, SOON);
	unsigned applies = node->applies;
	pair_commit(&pair, "c", "3", true);
	assert_int_equal(node->applies, applies + 1);
	pair.replies_late = false;
	unsigned sends = node->sends;
	pair_reply(&pair);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_true(sync_zone_view(node->machine).global_rev ==
		    pair.store.state.position.rev);
	assert_true(pair_same(&pair, node));
	assert_int_equal(node->sends, sends);
	pair_fini(&pair);
}

static void a_lost_delta_is_fetched_after_the_next(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.pub_lost = true;
	pair_commit(&pair, "c", "3", true);
	pair.pub_lost = false;
	assert_false(pair_same(&pair, node));
	pair_commit(&pair, "d", "4", true);
	assert_true(pair_same(&pair, node));
	pair_fini(&pair);
}

static void a_lost_delta_is_fetched_after_a_beat(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.pub_lost = true;
	pair_commit(&pair, "c", "3", true);
	pair.pub_lost = false;
	pair_pass(&pair, 400);
	assert_true(pair_same(&pair, node));
	pair_fini(&pair);
}

static void a_great_entry_is_announced_and_comes_in_parts_as_one(void **state)
{
	static char value[3000];
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair.setup.delta_max = pair.setup.batch_max = 1000;
	pair_global(&pair);
	struct node *node = pair_zone(&pair, 0, "east", 1, 1, 11);
	pair_pass(&pair, 1100);
	memset(value, 'x', sizeof(value) - 1);
	unsigned sends = node->sends, applies = node->applies;
	pair_commit(&pair, "big", value, true);
	assert_true(pair_same(&pair, node));
	assert_int_equal(node->applies, applies + 1);
	assert_true(node->sends >= sends + 4);
	pair_fini(&pair);
}

static void without_beats_a_zone_is_stale_and_polls(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.pub_lost = true;
	pair_pass(&pair, 5000);
	assert_int_equal(zone_state(node), SYNC_STALE);
	assert_true(node->redials > 0);
	assert_true(node->alarmed);
	pair_commit(&pair, "c", "3", true);
	pair_pass(&pair, LEASE / 3 + 100);
	assert_true(pair_same(&pair, node));
	assert_int_equal(zone_state(node), SYNC_STALE);
	pair.pub_lost = false;
	pair_pass(&pair, 1100);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_fini(&pair);
}

static void unanswered_questions_make_it_dial_anew_though_beats_come(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.requests_lost = true;
	pair_pass(&pair, LEASE);
	assert_true(node->redials > 0);
	pair_pass(&pair, 3 * LEASE);
	assert_int_equal(zone_state(node), SYNC_JOIN);
	assert_int_equal(session_state(&pair, "east"), SYNC_EXPIRED);
	pair.requests_lost = false;
	pair_pass(&pair, 8000);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_fini(&pair);
}

static void a_global_that_began_anew_is_told_hello_again(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	unsigned swaps = node->swaps;
	pair_global(&pair);
	pair_pass(&pair, 1500);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_int_equal(session_state(&pair, "east"), SYNC_ACTIVE);
	assert_int_equal(node->swaps, swaps); /* nothing to copy */
	pair_fini(&pair);
}

static void a_global_put_back_begins_a_new_epoch(void **state)
{
	struct pair pair;
	struct sim_store old = { 0 };

	(void)state;
	struct node *node = live_zone(&pair);
	sim_store_copy(&old, &pair.store);
	pair_commit(&pair, "c", "3", true);
	sim_store_copy(&pair.store, &old);
	pair_global(&pair);
	pair_pass(&pair, 3000);
	assert_int_equal(pair.epochs, 1);
	assert_non_null(strstr(pair.said, "zone") != NULL ? pair.said : NULL);
	assert_true(pair_same(&pair, node));
	assert_int_equal(zone_state(node), SYNC_LIVE);
	sim_store_fini(&old);
	pair_fini(&pair);
}

static void another_history_is_copied(void **state)
{
	struct pair pair;
	struct sim_store old = { 0 };

	(void)state;
	struct node *node = live_zone(&pair);
	sim_store_copy(&old, &pair.store);
	pair_commit(&pair, "c", "3", true);
	sim_store_copy(&pair.store, &old);
	pair_commit(&pair, "c", "other", false);
	pair_global(&pair);
	pair_pass(&pair, 3000);
	assert_int_equal(pair.epochs, 0);
	assert_int_equal(node->swaps, 2);
	assert_true(pair_same(&pair, node));
	sim_store_fini(&old);
	pair_fini(&pair);
}

/* Global as it is never does that without a restart, which the zone hears of. */
static void equal_revisions_of_other_histories_are_told_apart(void **state)
{
	struct pair pair;
	struct sim_store old = { 0 };

	(void)state;
	struct node *node = live_zone(&pair);
	sim_store_copy(&old, &pair.store);
	pair_commit(&pair, "c", "3", true);
	sim_store_copy(&pair.store, &old);
	pair_commit(&pair, "c", "other", false);
	node->said[0] = '\0';
	global_event(&pair, (struct sync_global_event){ .kind = SYNC_GEV_START,
							.state = pair.store.state });
	assert_non_null(strstr(node->said, "another history"));
	assert_int_equal(node->swaps, 2);
	assert_int_equal(node->repairs, 0);
	assert_true(pair_same(&pair, node));
	sim_store_fini(&old);
	pair_fini(&pair);
}

static void a_zone_behind_the_log_copies(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.store.keep = 2;
	pair.pub_lost = true;
	for (int i = 0; i < 5; i++)
		pair_commit(&pair, "c", i % 2 == 0 ? "x" : "y", true);
	pair.pub_lost = false;
	pair_pass(&pair, 1200);
	assert_true(pair_same(&pair, node));
	assert_int_equal(node->swaps, 2);
	pair_fini(&pair);
}

static void a_rotten_record_is_repaired_alone(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	sim_store_rot(&node->store, 1);
	sim_store_put(&node->store, "more", 4, 1, "x", 1);
	sim_store_delete(&node->store, "a", 1);
	assert_false(pair_same(&pair, node));
	pair_commit(&pair, "c", "3", true);
	pair_pass(&pair, 1200);
	assert_int_equal(node->repairs, 1);
	assert_int_equal(node->repaired, 3);
	assert_int_equal(node->swaps, 1);
	assert_true(pair_same(&pair, node));
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_fini(&pair);
}

static void a_store_that_fails_is_tried_again(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	node->refuse = "no space";
	pair_commit(&pair, "c", "3", true);
	assert_true(node->alarmed);
	pair_pass(&pair, 500);
	assert_int_equal(sync_zone_view(node->machine).durable.position.rev, 2);
	node->refuse = NULL;
	pair_pass(&pair, 2000);
	assert_true(pair_same(&pair, node));
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_fini(&pair);
}

static void a_damaged_store_is_copied_anew(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	unsigned swaps = node->swaps;
	node->damaged = true;
	pair_commit(&pair, "c", "3", true);
	assert_non_null(strstr(node->said, "damaged"));
	pair_pass(&pair, 5000);
	assert_int_equal(node->swaps, swaps + 1);
	assert_true(pair_same(&pair, node));
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_fini(&pair);
}

static void what_failed_before_fails_once(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.pub_lost = true;
	pair_pass(&pair, 5000);
	assert_int_equal(zone_state(node), SYNC_STALE);
	zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_FAILED, .id = 999 });
	assert_int_equal(zone_state(node), SYNC_SYNC);
	node->said[0] = '\0';
	zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_FAILED, .id = 1 });
	assert_string_equal(node->said, ""); /* it went with the one before */
	pair_fini(&pair);
}

static void a_new_epoch_is_noticed_without_beats(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.pub_lost = true;
	pair_pass(&pair, 5000);
	assert_int_equal(zone_state(node), SYNC_STALE);
	pair.store.state.position.epoch[0] ^= 1;
	global_event(&pair, (struct sync_global_event){ .kind = SYNC_GEV_START,
							.state = pair.store.state });
	pair_pass(&pair, LEASE / 3 + 2000);
	assert_true(pair_same(&pair, node));
	pair_fini(&pair);
}

static void before_its_start_a_machine_does_nothing(void **state)
{
	const struct sync_zone_setup setup = {
		.zone = "east", .build = "", .session = 1, .ops = &SIM_STORE_OPS
	};
	struct sync_zone *zone = sync_zone_new(&setup);

	(void)state;
	struct sync_zone_todo todo = sync_zone_step(
		zone, &(struct sync_zone_event){ .kind = SYNC_EV_TICK, .now = 1 });
	assert_int_equal(todo.count, 0);
	sync_zone_free(&zone);
}

static void many_rotten_records_and_a_wrong_sum_are_repaired(void **state)
{
	struct pair pair;
	char key[4];

	(void)state;
	struct node *node = live_zone(&pair);
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(key, sizeof(key), "r%02u", i % 100);
		pair_commit(&pair, key, "x", true);
	}
	for (size_t i = 0; i < 40; i++)
		sim_store_rot(&node->store, i);
	pair_commit(&pair, "c", "3", true);
	pair_pass(&pair, 1200);
	assert_int_equal(node->repaired, 40);
	assert_true(pair_same(&pair, node));

	sim_store_put(&node->store, "more", 4, 1, "x", 1); /* nothing is wanted */
	pair_commit(&pair, "c", "4", true);
	pair_pass(&pair, 1200);
	assert_true(pair_same(&pair, node));

	/* The records are right and what the disk says of them is not. */
	struct sync_zone_event event = { .kind = SYNC_EV_COMMITTED,
					 .state = node->store.state };
	event.state.digest.lane[0] ^= 1;
	unsigned repairs = node->repairs;
	zone_event(node, event);
	pair_pass(&pair, 1200);
	assert_int_equal(node->repairs, repairs + 1);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_fini(&pair);
}

/* ---- who may have a name ---- */

static void second_processes_are_told_apart(void **state)
{
	static const struct {
		uint8_t uuid;
		uint64_t incarnation, session;
		bool welcome;
	} ROWS[] = {
		{ 1, 2, 12, true },  /* the same zone, started again */
		{ 1, 1, 12, false }, /* a copy of its data */
		{ 1, 0, 12, false }, /* its data, put back */
		{ 2, 1, 12, false }, /* another zone */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct pair pair;
		struct node *first = live_zone(&pair);
		struct node *second = pair_zone(&pair, 1, "east", ROWS[i].uuid,
						ROWS[i].incarnation, ROWS[i].session);
		if (ROWS[i].welcome) {
			assert_true(zone_state(second) != SYNC_JOIN);
			first->alarmed = false;
			pair_pass(&pair, LEASE / 2);
			assert_int_equal(zone_state(first), SYNC_JOIN);
			assert_true(first->alarmed); /* fenced */
		} else {
			assert_int_equal(zone_state(second), SYNC_JOIN);
			assert_non_null(strstr(second->said, "refuses"));
			assert_int_equal(zone_state(first), SYNC_LIVE);
		}
		pair_fini(&pair);
	}
}

static void a_name_is_free_when_its_lease_has_ended(void **state)
{
	struct pair pair;

	(void)state;
	live_zone(&pair);
	struct node *other = pair_zone(&pair, 1, "east", 2, 1, 12);
	assert_int_equal(zone_state(other), SYNC_JOIN);
	sync_zone_free(&pair.zones[0].machine);
	pair_pass(&pair, 2 * LEASE + 2000);
	assert_int_equal(zone_state(other), SYNC_LIVE);
	pair_fini(&pair);
}

static void after_a_start_of_global_names_stay_taken_for_a_lease(void **state)
{
	struct pair pair;

	(void)state;
	live_zone(&pair);
	sync_zone_free(&pair.zones[0].machine);
	pair_global(&pair);
	struct node *other = pair_zone(&pair, 1, "east", 2, 1, 12);
	assert_int_equal(zone_state(other), SYNC_JOIN);
	pair_pass(&pair, LEASE + 1000);
	assert_int_equal(zone_state(other), SYNC_LIVE);
	pair_fini(&pair);
}

static void goodbye_frees_the_name_at_once(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	zone_simple(node, SYNC_EV_STOP);
	assert_int_equal(session_state(&pair, "east"), SYNC_OFFLINE);
	struct node *other = pair_zone(&pair, 1, "east", 2, 1, 12);
	assert_true(zone_state(other) != SYNC_JOIN);
	pair_fini(&pair);
}

static void a_name_that_goes_back_and_forth_is_quarantined(void **state)
{
	struct pair pair;

	(void)state;
	live_zone(&pair);
	for (uint8_t i = 2; i < 7; i++) {
		zone_simple(&pair.zones[0], SYNC_EV_STOP);
		pair_zone(&pair, 0, "east", i, 1, i);
	}
	assert_int_equal(session_state(&pair, "east"), SYNC_QUARANTINED);
	global_event(&pair, (struct sync_global_event){ .kind = SYNC_GEV_RELEASE,
							.zone = "east" });
	pair_zone(&pair, 0, "east", 9, 1, 99);
	assert_int_equal(session_state(&pair, "east"), SYNC_ACTIVE);
	pair_fini(&pair);
}

static void the_certificate_must_name_the_zone(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair.identity = "west";
	struct node *node = pair_zone(&pair, 0, "east", 1, 1, 11);
	assert_int_equal(zone_state(node), SYNC_JOIN);
	assert_non_null(strstr(node->said, "certificate"));
	pair.identity = "east";
	pair_pass(&pair, 2 * LEASE);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_fini(&pair);
}

static void a_zone_has_a_label_for_a_name(void **state)
{
	static const char *const NAMES[] = {
		"", "East", "-east", "east-", "e/st", "1st"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
		struct pair pair;
		pair_init(&pair);
		struct node *node = pair_zone(&pair, 0, NAMES[i], 1, 1, 11);
		assert_int_equal(zone_state(node), SYNC_JOIN);
		assert_int_equal(sync_global_zone_count(pair.global), 0);
		pair_fini(&pair);
	}
}

/* ---- inventory and reports ---- */

static void offer(struct node *node, const char *key, const char *value)
{
	const struct op op = { .key = key,
			       .key_len = strlen(key),
			       .value = value,
			       .value_len = value != NULL ? strlen(value) : 0,
			       .deleted = value == NULL };

	zone_event(node, (struct sync_zone_event){
				 .kind = SYNC_EV_INVENTORY, .ops = &op, .op_count = 1 });
}

static bool has(const struct pair *pair, const char *key, const char *value)
{
	const struct sim_record *record =
		sim_store_find(&pair->inventory, key, strlen(key));

	return value == NULL ? record == NULL
			     : record != NULL && record->len == strlen(value) &&
				       memcmp(record->value, value, record->len) == 0;
}

static void an_inventory_is_pushed_and_kept_up_to_date(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	offer(node, "i/1", "x");
	offer(node, "i/2", "y");
	assert_true(has(&pair, "i/1", "x") && has(&pair, "i/2", "y"));
	unsigned writes = pair.writes;
	offer(node, "i/2", "y"); /* the same again is no change */
	assert_int_equal(pair.writes, writes);
	offer(node, "i/1", NULL);
	assert_true(has(&pair, "i/1", NULL));
	pair_fini(&pair);
}

static void an_inventory_told_as_a_whole_takes_away_what_it_lacks(void **state)
{
	struct op ops[20];
	char keys[20][8];
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "i/%02u", i % 100);
		ops[i] = (struct op){
			.key = keys[i], .key_len = 4, .value = "x", .value_len = 1
		};
	}
	struct sync_zone_event event = {
		.kind = SYNC_EV_INVENTORY, .ops = ops, .op_count = 20, .full = true
	};
	zone_event(node, event);
	assert_true(has(&pair, "i/00", "x") && has(&pair, "i/19", "x"));
	event.op_count = 5;
	zone_event(node, event);
	assert_true(has(&pair, "i/04", "x") && has(&pair, "i/19", NULL));
	zone_event(node, event); /* the same again */
	event.op_count = 6;
	zone_event(node, event);
	assert_true(has(&pair, "i/05", "x"));
	pair_fini(&pair);
}

static void while_one_push_is_under_way_only_the_newest_value_waits(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.hold_write = 1;
	offer(node, "i/1", "1");
	uint64_t ticket = pair.hold_write;
	unsigned writes = pair.writes;
	for (int i = 0; i < 50; i++)
		offer(node, "i/1", i % 2 == 0 ? "2" : "3");
	assert_int_equal(pair.writes, writes);
	pair.hold_write = 0;
	global_event(&pair, (struct sync_global_event){
				    .kind = SYNC_GEV_DONE, .id = ticket, .ok = true });
	assert_int_equal(pair.writes, writes + 1);
	assert_true(has(&pair, "i/1", "3"));
	pair_fini(&pair);
}

static void a_push_that_could_not_be_stored_comes_again(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.hold_write = 1;
	offer(node, "i/1", "1");
	uint64_t ticket = pair.hold_write;
	pair.hold_write = 0;
	unsigned writes = pair.writes;
	global_event(&pair, (struct sync_global_event){
				    .kind = SYNC_GEV_DONE, .id = ticket, .ok = false });
	pair_pass(&pair, 1500);
	assert_int_equal(pair.writes, writes + 1);
	pair_fini(&pair);
}

static void a_new_session_begins_with_everything(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair.zones[0].setup.push_max = 1; /* every record is a part of its own */
	struct node *node = pair_zone(&pair, 0, "east", 1, 1, 11);
	pair_pass(&pair, 1100);
	offer(node, "i/1", "x");
	offer(node, "i/2", "y");
	offer(node, "i/3", "z");
	sim_store_put(&pair.inventory, "i/9", 3, 1, "gone", 4);
	pair_global(&pair);
	pair_pass(&pair, 1500);
	assert_true(has(&pair, "i/1", "x") && has(&pair, "i/2", "y") &&
		    has(&pair, "i/3", "z"));
	assert_true(has(&pair, "i/9", NULL));
	pair_fini(&pair);
}

static void a_report_arrives(void **state)
{
	const struct sync_trouble trouble = { "web-01", "cluster", "no such thing" };
	const struct sync_backend backends[] = { { "v0", 70, 701, 3, true },
						 { "gone", 30, 0, 0, false } };
	const struct sync_observed observed = { .mesh = "default",
						.route = "r",
						.destination = "backend",
						.proxies = 4,
						.pending = 1,
						.deviating = 2,
						.backends = backends,
						.backend_count = 2 };
	const struct sync_probe probes[] = { { "north", true }, { "west", false } };
	struct sync_report report = { .acked_rev = 7,
				      .proxies = 3,
				      .acked = 2,
				      .nacked = 1,
				      .last_error = "bad \xff text",
				      .trouble = &trouble,
				      .trouble_count = 1,
				      .observed = &observed,
				      .observed_count = 1,
				      .probes = probes,
				      .probe_count = 2 };
	struct sync_session_view view;
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	zone_event(node,
		   (struct sync_zone_event){ .kind = SYNC_EV_REPORT, .report = &report });
	pair_pass(&pair, SOON);
	assert_true(sync_global_zone(pair.global, "east", &view));
	assert_int_equal(view.report.acked_rev, 7);
	assert_int_equal(view.report.nacked, 1);
	assert_false(view.report.healthy);
	assert_int_equal(view.report.trouble_count, 1);
	assert_string_equal(view.report.trouble[0].text, "no such thing");
	assert_int_equal(view.report.probe_count, 2);
	assert_string_equal(view.report.probes[0].zone, "north");
	assert_true(view.report.probes[0].answers);
	assert_string_equal(view.report.probes[1].zone, "west");
	assert_false(view.report.probes[1].answers);
	assert_int_equal(view.report.observed_count, 1);
	const struct sync_observed *seen = view.report.observed;
	assert_string_equal(seen->destination, "backend");
	assert_int_equal(seen->proxies, 4);
	assert_int_equal(seen->pending, 1);
	assert_int_equal(seen->deviating, 2);
	assert_int_equal(seen->backend_count, 2);
	assert_int_equal(seen->backends[0].connections, 701);
	assert_true(seen->backends[0].observable);
	assert_string_equal(seen->backends[1].name, "gone");
	assert_false(seen->backends[1].observable);
	assert_string_equal(view.zone_state, "live");
	assert_int_equal(view.applied.rev, 2);

	/* While one is under way others wait, and the newest is sent. */
	unsigned sends = node->sends;
	pair.replies_lost = true;
	for (uint64_t rev = 8; rev < 20; rev++) {
		report.acked_rev = rev;
		zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_REPORT,
							   .report = &report });
		pair_pass(&pair, SOON);
	}
	assert_int_equal(node->sends, sends + 1);
	pair.replies_lost = false;
	pair_pass(&pair, 5000);
	assert_true(sync_global_zone(pair.global, "east", &view));
	assert_int_equal(view.report.acked_rev, 19);
	pair_fini(&pair);
}

static void what_is_no_message_is_dropped(void **state)
{
	static const char *const BYTES[] = { "",
					     "ZL",
					     "GET / HTTP/1.1",
					     "ZL\1\7xxxxx",
					     "ZL\2\3",
					     "ZL\1\x10\xff\xff\xff\xff" };
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	for (size_t i = 0; i < ARRAY_LEN(BYTES); i++) {
		zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_PUB,
							   .bytes = BYTES[i],
							   .len = strlen(BYTES[i]) });
		global_event(&pair,
			     (struct sync_global_event){ .kind = SYNC_GEV_REQUEST,
							 .id = ZONES,
							 .bytes = BYTES[i],
							 .len = strlen(BYTES[i]) });
	}
	assert_int_equal(sync_zone_view(node->machine).dropped, ARRAY_LEN(BYTES));
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_zone_copies_everything),
		cmocka_unit_test(
			a_copy_in_small_chunks_takes_in_what_is_written_meanwhile),
		cmocka_unit_test(a_delta_is_applied_at_once),
		cmocka_unit_test(what_is_waited_for_is_told_at_once),
		cmocka_unit_test(what_nobody_waits_for_is_told_soon_in_one),
		cmocka_unit_test(what_is_new_while_one_asks_is_told_after_the_answer),
		cmocka_unit_test(reports_are_told_at_once_until_proxies_have_it),
		cmocka_unit_test(an_answer_that_is_overtaken_is_no_way_back),
		cmocka_unit_test(a_lost_delta_is_fetched_after_the_next),
		cmocka_unit_test(a_lost_delta_is_fetched_after_a_beat),
		cmocka_unit_test(a_great_entry_is_announced_and_comes_in_parts_as_one),
		cmocka_unit_test(without_beats_a_zone_is_stale_and_polls),
		cmocka_unit_test(
			unanswered_questions_make_it_dial_anew_though_beats_come),
		cmocka_unit_test(a_global_that_began_anew_is_told_hello_again),
		cmocka_unit_test(a_global_put_back_begins_a_new_epoch),
		cmocka_unit_test(another_history_is_copied),
		cmocka_unit_test(equal_revisions_of_other_histories_are_told_apart),
		cmocka_unit_test(a_zone_behind_the_log_copies),
		cmocka_unit_test(a_rotten_record_is_repaired_alone),
		cmocka_unit_test(a_store_that_fails_is_tried_again),
		cmocka_unit_test(a_damaged_store_is_copied_anew),
		cmocka_unit_test(what_failed_before_fails_once),
		cmocka_unit_test(a_new_epoch_is_noticed_without_beats),
		cmocka_unit_test(before_its_start_a_machine_does_nothing),
		cmocka_unit_test(many_rotten_records_and_a_wrong_sum_are_repaired),
		cmocka_unit_test(an_inventory_told_as_a_whole_takes_away_what_it_lacks),
		cmocka_unit_test(second_processes_are_told_apart),
		cmocka_unit_test(a_name_is_free_when_its_lease_has_ended),
		cmocka_unit_test(after_a_start_of_global_names_stay_taken_for_a_lease),
		cmocka_unit_test(goodbye_frees_the_name_at_once),
		cmocka_unit_test(a_name_that_goes_back_and_forth_is_quarantined),
		cmocka_unit_test(the_certificate_must_name_the_zone),
		cmocka_unit_test(a_zone_has_a_label_for_a_name),
		cmocka_unit_test(an_inventory_is_pushed_and_kept_up_to_date),
		cmocka_unit_test(while_one_push_is_under_way_only_the_newest_value_waits),
		cmocka_unit_test(a_push_that_could_not_be_stored_comes_again),
		cmocka_unit_test(a_new_session_begins_with_everything),
		cmocka_unit_test(a_report_arrives),
		cmocka_unit_test(what_is_no_message_is_dropped),
	};
	return cmocka_run_group_tests_name("unit/sync/pair", tests, NULL, NULL);
}
