/* Who may have a name, who made it flap, and who may make a new epoch begin. */
#include "pair.h"

#include <string.h>

static const uint64_t LEASE = SYNC_LEASE_MS;

static struct node *live_zone(struct pair *pair)
{
	pair_init(pair);
	struct node *node = pair_zone(pair, 0, "east", 1, 1, 11);
	pair_pass(pair, 1100);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	return node;
}

static struct sync_session_view session(const struct pair *pair)
{
	struct sync_session_view view = { .fence = 0 };

	assert_true(sync_global_zone(pair->global, "east", &view));
	return view;
}

static void release(struct pair *pair, const char *zone)
{
	global_event(pair, (struct sync_global_event){ .kind = SYNC_GEV_RELEASE,
						       .zone = zone });
}

static void starting_again_and_again_is_no_flap(void **state)
{
	struct pair pair;

	(void)state;
	live_zone(&pair);
	for (uint64_t i = 2; i < 12; i++) {
		pair_zone(&pair, 0, "east", 1, i, 10 + i);
		pair_pass(&pair, 1000);
		assert_int_equal(session_state(&pair, "east"), SYNC_ACTIVE);
	}
	assert_int_equal(zone_state(&pair.zones[0]), SYNC_LIVE);
	pair_fini(&pair);
}

/* A process that is killed while the network is away has questions on the way still. They
 * come when the next one is there, and nothing comes after them. */
static void last_words_are_no_second_process(void **state)
{
	const struct op op = { .key = "k", .key_len = 1, .value = "v", .value_len = 1 };
	struct pair pair;

	(void)state;
	live_zone(&pair);
	for (uint64_t i = 2; i < 10; i++) {
		struct node *old = &pair.zones[i % 2];
		pair_zone(&pair, (i + 1) % 2, "east", 1, i, 10 + i);
		unsigned sends = old->sends;
		zone_event(old, (struct sync_zone_event){ .kind = SYNC_EV_INVENTORY,
							  .ops = &op,
							  .op_count = 1 });
		assert_int_equal(old->sends, sends + 1);
		sync_zone_free(&old->machine);
		pair_pass(&pair, LEASE / 2);
		assert_int_equal(session_state(&pair, "east"), SYNC_ACTIVE);
	}
	pair_fini(&pair);
}

/* Two machines with one disk's copy: each start takes the name from the other, which is
 * alive and says so. */
static void clones(struct pair *pair)
{
	live_zone(pair);
	for (uint64_t i = 2; i < 8; i++) {
		pair_zone(pair, i % 2, "east", 1, i, 10 + i);
		pair_pass(pair, LEASE / 2); /* the other one hears that it is fenced */
	}
}

static void clones_that_take_the_name_from_each_other_are_quarantined(void **state)
{
	struct pair pair;

	(void)state;
	clones(&pair);
	assert_int_equal(session_state(&pair, "east"), SYNC_QUARANTINED);
	assert_true(pair.records[0].quarantined);
	pair_global(&pair); /* that is not forgotten */
	pair_pass(&pair, 2 * LEASE);
	assert_int_equal(session_state(&pair, "east"), SYNC_QUARANTINED);
	assert_int_equal(zone_state(&pair.zones[0]), SYNC_JOIN);
	release(&pair, "east");
	assert_int_equal(session_state(&pair, "east"), SYNC_OFFLINE);
	assert_false(pair.records[0].quarantined);
	sync_zone_free(&pair.zones[0].machine);
	pair_pass(&pair, 2 * LEASE);
	assert_int_equal(zone_state(&pair.zones[1]), SYNC_LIVE);
	pair_fini(&pair);
}

static void flaps_that_are_far_apart_are_none(void **state)
{
	struct pair pair;

	(void)state;
	live_zone(&pair);
	for (uint8_t i = 2; i < 8; i++) {
		zone_simple(&pair.zones[0], SYNC_EV_STOP);
		pair_pass(&pair, UINT64_C(4) * 60 * 1000);
		pair_zone(&pair, 0, "east", i, 1, i);
		assert_int_equal(session_state(&pair, "east"), SYNC_ACTIVE);
	}
	pair_fini(&pair);
}

static void a_rival_is_shown_for_a_while(void **state)
{
	struct pair pair;

	(void)state;
	live_zone(&pair);
	assert_null(session(&pair).rival);
	pair.zones[1].setup.push_max = 0;
	pair_zone(&pair, 1, "east", 2, 1, 12);
	const struct sync_session_view view = session(&pair);
	assert_non_null(view.rival);
	assert_string_equal(view.host, "rack-1");
	assert_string_equal(view.rival->host, "rack-1");
	assert_string_equal(view.rival->build, "test");
	assert_non_null(strstr(view.rival->why, "another zone"));
	sync_zone_free(&pair.zones[1].machine);
	pair_pass(&pair, 2 * LEASE + 1100);
	assert_null(session(&pair).rival);
	pair_fini(&pair);
}

static void an_operator_gives_the_name_to_the_other_one(void **state)
{
	struct pair pair;

	(void)state;
	live_zone(&pair);
	struct node *other = pair_zone(&pair, 1, "east", 2, 1, 12);
	assert_int_equal(zone_state(other), SYNC_JOIN);
	sync_zone_free(&pair.zones[0].machine); /* it hangs */
	release(&pair, "east");
	release(&pair, "nobody");
	release(&pair, "east"); /* it is offline */
	assert_null(session(&pair).rival);
	pair_pass(&pair, LEASE + 1000);
	assert_int_equal(zone_state(other), SYNC_LIVE);
	pair_fini(&pair);
}

static void features_are_those_that_both_have(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	assert_int_equal(session(&pair).features, SYNC_FEATURES);
	assert_int_equal(sync_zone_view(node->machine).features, SYNC_FEATURES);
	pair_fini(&pair);
}

/* Global put back to an older store without a restart cannot be: who says so lies. */
static void lie(struct node *node)
{
	node->store.state.position.rev += 5;
	pair_zone(node->pair, (size_t)(node - node->pair->zones), node->setup.zone,
		  node->setup.uuid[0], node->setup.incarnation + 1,
		  node->setup.session + 1);
	pair_pass(node->pair, 3000);
}

static void one_zone_alone_begins_one_epoch_in_ten_minutes(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	struct node *west = pair_zone(&pair, 1, "west", 2, 1, 101);
	pair_pass(&pair, 1100);
	lie(node);
	assert_int_equal(pair.epochs, 1);
	unsigned swaps = west->swaps;
	for (int i = 0; i < 3; i++) {
		lie(node);
		assert_int_equal(pair.epochs, 1);
		assert_true(pair_same(&pair, node)); /* it alone copied everything */
		assert_int_equal(zone_state(node), SYNC_LIVE);
	}
	assert_int_equal(west->swaps, swaps);
	pair_pass(&pair, UINT64_C(10) * 60 * 1000);
	lie(node);
	assert_int_equal(pair.epochs, 2);
	pair_fini(&pair);
}

static void two_zones_that_are_ahead_are_believed(void **state)
{
	struct pair pair;

	(void)state;
	struct node *east = live_zone(&pair);
	struct node *west = pair_zone(&pair, 1, "west", 2, 1, 101);
	pair_pass(&pair, 1100);
	lie(east);
	lie(east);
	assert_int_equal(pair.epochs, 1);
	lie(west);
	assert_int_equal(pair.epochs, 2);
	lie(east);
	pair_pass(&pair, 70000);
	lie(west); /* too long after the other one */
	assert_int_equal(pair.epochs, 2);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starting_again_and_again_is_no_flap),
		cmocka_unit_test(last_words_are_no_second_process),
		cmocka_unit_test(
			clones_that_take_the_name_from_each_other_are_quarantined),
		cmocka_unit_test(flaps_that_are_far_apart_are_none),
		cmocka_unit_test(a_rival_is_shown_for_a_while),
		cmocka_unit_test(an_operator_gives_the_name_to_the_other_one),
		cmocka_unit_test(features_are_those_that_both_have),
		cmocka_unit_test(one_zone_alone_begins_one_epoch_in_ten_minutes),
		cmocka_unit_test(two_zones_that_are_ahead_are_believed),
	};
	return cmocka_run_group_tests_name("unit/sync/names", tests, NULL, NULL);
}
