/* Copies that would remove much wait for an operator: zone_hold.c, and global's part. */
#include "pair.h"

#include <stdio.h>
#include <string.h>

enum { WRITTEN = 20 };

static void key_of(char key[8], unsigned i)
{
	(void)snprintf(key, 8, "p/%02u", i % 100);
}

static void put(struct pair *pair, unsigned from, unsigned to, bool told)
{
	char key[8];

	for (unsigned i = from; i < to; i++) {
		key_of(key, i);
		pair_commit(pair, key, "x", told);
	}
}

static struct node *live_zone(struct pair *pair)
{
	pair_init(pair);
	put(pair, 0, WRITTEN, true);
	struct node *node = pair_zone(pair, 0, "east", 1, 1, 11);
	pair_pass(pair, 1100);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_true(pair_same(pair, node));
	return node;
}

/* Global has lost its disk: a and b and the first of what was written are put again. */
static void begin_anew(struct pair *pair, uint8_t epoch, unsigned keep)
{
	sim_store_clear(&pair->store);
	pair->store.state = (struct sync_state){ .position.rev = 0 };
	memset(pair->store.floor_chain, 0, POSITION_CHAIN);
	memset(pair->store.state.position.epoch, epoch, POSITION_EPOCH);
	pair_commit(pair, "a", "1", false);
	pair_commit(pair, "b", "2", false);
	put(pair, 0, keep, false);
	pair_global(pair);
}

static struct node *holding_zone(struct pair *pair, unsigned keep)
{
	struct node *node = live_zone(pair);

	begin_anew(pair, 7, keep);
	pair_pass(pair, 2500);
	assert_int_equal(zone_state(node), SYNC_HELD);
	return node;
}

static struct sync_session_view session(const struct pair *pair)
{
	struct sync_session_view view = { .fence = 0 };

	assert_true(sync_global_zone(pair->global, "east", &view));
	return view;
}

static void accept_at_global(struct pair *pair)
{
	global_event(pair, (struct sync_global_event){ .kind = SYNC_GEV_ACCEPT,
						       .zone = "east" });
}

static void what_removes_little_is_taken_at_once(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	begin_anew(&pair, 7, WRITTEN - SYNC_HELD_MIN); /* not more than so many */
	pair_pass(&pair, 2500);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_true(pair_same(&pair, node));
	pair_fini(&pair);
}

static void a_part_below_the_limit_is_taken_at_once(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	put(&pair, WRITTEN, 60, true); /* 12 of these are 20 percent */
	begin_anew(&pair, 7, 48);
	pair_pass(&pair, 2500);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_true(pair_same(&pair, node));
	pair_fini(&pair);
}

static void what_removes_much_is_held_and_told(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = holding_zone(&pair, 3);
	assert_int_equal(node->store.count, WRITTEN + 2);
	assert_true(node->has_note);
	struct sync_zone_view view = sync_zone_view(node->machine);
	assert_true(view.is_held);
	assert_int_equal(view.held.shown, WRITTEN + 2);
	assert_int_equal(view.held.removed, WRITTEN - 3);
	assert_non_null(strstr(view.trouble, "zones accept east"));
	struct sync_session_view at_global = session(&pair);
	assert_true(at_global.is_held);
	assert_int_equal(at_global.held.removed, WRITTEN - 3);
	assert_string_equal(at_global.zone_state, "held");
	assert_int_equal(at_global.features, SYNC_FEATURE_HOLD);
	pair_pass(&pair, 60000);
	assert_int_equal(zone_state(node), SYNC_HELD);
	pair_fini(&pair);
}

static void an_operator_accepts_at_global(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = holding_zone(&pair, 3);
	accept_at_global(&pair);
	assert_true(session(&pair).accepted);
	pair_pass(&pair, SYNC_LEASE_MS / 3 + 1500);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_true(pair_same(&pair, node));
	assert_false(node->has_note);
	pair_pass(&pair, SYNC_LEASE_MS);
	assert_false(session(&pair).is_held);
	assert_false(session(&pair).accepted);
	pair_fini(&pair);
}

static void an_operator_accepts_in_the_zone_though_global_is_away(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = holding_zone(&pair, 3);
	pair.requests_lost = pair.pub_lost = true;
	pair_pass(&pair, 2 * SYNC_LEASE_MS);
	assert_int_equal(zone_state(node), SYNC_JOIN);
	zone_simple(node, SYNC_EV_ACCEPT);
	assert_true(pair_same(&pair, node));
	zone_simple(node, SYNC_EV_ACCEPT); /* nothing is held any more */
	assert_int_equal(node->swaps, 2);
	pair.requests_lost = pair.pub_lost = false;
	pair_pass(&pair, 8000);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_fini(&pair);
}

static void what_is_held_follows_global(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = holding_zone(&pair, 3);
	unsigned swaps = node->swaps;
	pair_commit(&pair, "a", "new", true);
	pair_pass(&pair, 2000);
	assert_int_equal(zone_state(node), SYNC_HELD);
	assert_true(digest_equal(&node->stage.state.digest, &pair.store.state.digest));
	assert_true(digest_equal(&node->noted.digest, &pair.store.state.digest));
	zone_simple(node, SYNC_EV_ACCEPT);
	assert_int_equal(node->swaps, swaps + 1);
	assert_true(pair_same(&pair, node));
	pair_fini(&pair);
}

static void it_ends_by_itself_when_the_objects_come_back(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = holding_zone(&pair, 3);
	put(&pair, 3, 9, true);
	pair_pass(&pair, 2000);
	assert_int_equal(zone_state(node), SYNC_HELD);
	assert_int_equal(sync_zone_view(node->machine).held.removed, WRITTEN - 9);
	put(&pair, 9, WRITTEN, true);
	pair_pass(&pair, 2000);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_true(pair_same(&pair, node));
	pair_fini(&pair);
}

static void more_than_was_accepted_is_held_again(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = holding_zone(&pair, 6);
	struct sync_state name = session(&pair).held.name;
	accept_at_global(&pair);
	/* Before the zone hears of it, more goes. */
	pair_commit(&pair, "p/00", NULL, true);
	pair_pass(&pair, SYNC_LEASE_MS);
	assert_int_equal(zone_state(node), SYNC_HELD);
	struct sync_state now = session(&pair).held.name;
	assert_false(position_equal(&now.position, &name.position));
	assert_int_equal(session(&pair).held.removed, WRITTEN - 5);
	assert_false(session(&pair).accepted);
	accept_at_global(&pair);
	pair_pass(&pair, SYNC_LEASE_MS);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_fini(&pair);
}

static void a_word_for_what_was_held_before_comes_late(void **state)
{
	struct sync_report report = { .last_error = "" };
	struct pair pair;

	(void)state;
	struct node *node = holding_zone(&pair, 6);
	accept_at_global(&pair);
	zone_event(node,
		   (struct sync_zone_event){ .kind = SYNC_EV_REPORT, .report = &report });
	pair.replies_late = true; /* of this lease */
	pair_pass(&pair, SOON);
	pair.replies_late = false;
	pair_commit(&pair, "p/00", NULL, true);
	pair_pass(&pair, 270); /* a beat came, and the answer is waited for still */
	assert_int_equal(sync_zone_view(node->machine).held.removed, WRITTEN - 5);
	pair_reply(&pair);
	pair_pass(&pair, 1500);
	assert_int_equal(zone_state(node), SYNC_HELD);
	pair_fini(&pair);
}

static void inventory_does_not_outvote_what_users_wrote(void **state)
{
	struct pair pair;
	char key[8];

	(void)state;
	struct node *node = live_zone(&pair);
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(key, sizeof(key), "i/%02u", i);
		pair_commit(&pair, key, "x", true);
	}
	begin_anew(&pair, 7, WRITTEN - 12); /* 12 of 62, but 12 of 20 */
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(key, sizeof(key), "i/%02u", i);
		pair_commit(&pair, key, "x", true);
	}
	pair_pass(&pair, 3000);
	assert_int_equal(zone_state(node), SYNC_HELD);
	assert_int_equal(sync_zone_view(node->machine).held.shown, WRITTEN);
	assert_int_equal(sync_zone_view(node->machine).held.removed, 12);
	pair_fini(&pair);
}

static void deletes_in_the_log_are_never_held(void **state)
{
	struct pair pair;
	char key[8];

	(void)state;
	struct node *node = live_zone(&pair);
	for (unsigned i = 0; i < WRITTEN; i++) {
		key_of(key, i);
		pair_commit(&pair, key, NULL, true);
	}
	assert_true(pair_same(&pair, node));
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair_fini(&pair);
}

static void it_outlives_the_process(void **state)
{
	struct pair pair;

	(void)state;
	holding_zone(&pair, 3);
	pair.requests_lost = pair.pub_lost = true;
	struct node *node = pair_zone(&pair, 0, "east", 1, 2, 12);
	assert_true(sync_zone_view(node->machine).is_held);
	assert_int_equal(sync_zone_view(node->machine).held.removed, WRITTEN - 3);
	pair.requests_lost = pair.pub_lost = false;
	pair_pass(&pair, 5000);
	assert_int_equal(zone_state(node), SYNC_HELD);
	assert_true(session(&pair).is_held);
	accept_at_global(&pair);
	pair_pass(&pair, SYNC_LEASE_MS);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_true(pair_same(&pair, node));
	pair_fini(&pair);
}

static void a_note_of_little_is_copied_anew(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = holding_zone(&pair, 3);
	sim_store_copy(&node->stage, &node->store); /* nothing would go */
	struct node *next = pair_zone(&pair, 0, "east", 1, 2, 12);
	assert_int_equal(next->store.count, WRITTEN + 2);
	pair_pass(&pair, 2000);
	assert_int_equal(zone_state(next), SYNC_HELD);
	pair_fini(&pair);
}

static void it_ends_when_global_has_its_own_history_back(void **state)
{
	struct pair pair;
	struct sim_store old = { 0 };

	(void)state;
	struct node *node = live_zone(&pair);
	sim_store_copy(&old, &pair.store);
	begin_anew(&pair, 7, 3);
	pair_pass(&pair, 2500);
	assert_int_equal(zone_state(node), SYNC_HELD);
	unsigned swaps = node->swaps;
	sim_store_copy(&pair.store, &old);
	pair_global(&pair);
	pair_pass(&pair, 2500);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_int_equal(node->swaps, swaps);
	assert_false(sync_zone_view(node->machine).is_held);
	assert_false(node->has_note);
	sim_store_fini(&old);
	pair_fini(&pair);
}

static void a_third_history_is_copied_and_held_anew(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = holding_zone(&pair, 3);
	begin_anew(&pair, 8, 5);
	pair_pass(&pair, 4000);
	assert_int_equal(zone_state(node), SYNC_HELD);
	assert_int_equal(session(&pair).held.removed, WRITTEN - 5);
	begin_anew(&pair, 9, WRITTEN);
	pair_pass(&pair, 4000);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_true(pair_same(&pair, node));
	pair_fini(&pair);
}

static void a_lost_session_keeps_what_is_held(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = holding_zone(&pair, 3);
	pair_global(&pair); /* the sessions are gone, the history is not */
	pair_pass(&pair, 3000);
	assert_int_equal(zone_state(node), SYNC_HELD);
	assert_true(session(&pair).is_held);
	pair_fini(&pair);
}

static void a_disk_that_fails_begins_the_copy_again(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = holding_zone(&pair, 3);
	node->refuse = "no space";
	pair_commit(&pair, "a", "new", true);
	pair_pass(&pair, 1500);
	assert_false(sync_zone_view(node->machine).is_held);
	node->refuse = NULL;
	pair_pass(&pair, 3000);
	assert_int_equal(zone_state(node), SYNC_HELD);
	pair_fini(&pair);
}

static void what_the_disk_says_late_is_not_for_a_copy(void **state)
{
	struct sync_zone_event staged = { .kind = SYNC_EV_STAGED, .id = 1 };
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	zone_event(node, staged);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	begin_anew(&pair, 7, 3);
	pair_pass(&pair, 2500);
	zone_event(node, staged); /* nothing is under way */
	assert_int_equal(zone_state(node), SYNC_HELD);
	pair.requests_lost = pair.pub_lost = true;
	pair_pass(&pair, 2 * SYNC_LEASE_MS);
	assert_int_equal(zone_state(node), SYNC_JOIN);
	zone_event(node, staged);
	assert_true(sync_zone_view(node->machine).is_held);
	assert_int_equal(node->swaps, 1);
	pair_fini(&pair);
}

static void a_report_is_cut_to_what_may_be_sent(void **state)
{
	struct sync_trouble trouble[SYNC_TROUBLES + 4];
	struct sync_report report = { .last_error = "",
				      .trouble = trouble,
				      .trouble_count = SYNC_TROUBLES + 4 };
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(trouble); i++)
		trouble[i] = (struct sync_trouble){ "web", "cluster", "no" };
	struct node *node = live_zone(&pair);
	zone_event(node,
		   (struct sync_zone_event){ .kind = SYNC_EV_REPORT, .report = &report });
	pair_pass(&pair, SOON);
	assert_int_equal(session(&pair).report.trouble_count, SYNC_TROUBLES);
	pair_fini(&pair);
}

static void nothing_is_accepted_where_nothing_is_held(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	zone_simple(node, SYNC_EV_ACCEPT);
	accept_at_global(&pair);
	global_event(&pair, (struct sync_global_event){ .kind = SYNC_GEV_ACCEPT,
							.zone = "nobody" });
	assert_false(session(&pair).accepted);
	assert_int_equal(node->swaps, 1);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_removes_little_is_taken_at_once),
		cmocka_unit_test(a_part_below_the_limit_is_taken_at_once),
		cmocka_unit_test(what_removes_much_is_held_and_told),
		cmocka_unit_test(an_operator_accepts_at_global),
		cmocka_unit_test(an_operator_accepts_in_the_zone_though_global_is_away),
		cmocka_unit_test(what_is_held_follows_global),
		cmocka_unit_test(it_ends_by_itself_when_the_objects_come_back),
		cmocka_unit_test(more_than_was_accepted_is_held_again),
		cmocka_unit_test(a_word_for_what_was_held_before_comes_late),
		cmocka_unit_test(inventory_does_not_outvote_what_users_wrote),
		cmocka_unit_test(deletes_in_the_log_are_never_held),
		cmocka_unit_test(it_outlives_the_process),
		cmocka_unit_test(a_note_of_little_is_copied_anew),
		cmocka_unit_test(it_ends_when_global_has_its_own_history_back),
		cmocka_unit_test(a_third_history_is_copied_and_held_anew),
		cmocka_unit_test(a_lost_session_keeps_what_is_held),
		cmocka_unit_test(a_disk_that_fails_begins_the_copy_again),
		cmocka_unit_test(what_the_disk_says_late_is_not_for_a_copy),
		cmocka_unit_test(a_report_is_cut_to_what_may_be_sent),
		cmocka_unit_test(nothing_is_accepted_where_nothing_is_held),
	};
	return cmocka_run_group_tests_name("unit/sync/hold", tests, NULL, NULL);
}
