/* How long a zone waits for what, and when it makes its connections anew. Ways that are
 * slow from the start or from a moment on are in sim/test_slow. */
#include "pair.h"

#include <stdio.h>

static struct node *live_zone(struct pair *pair)
{
	pair_init(pair);
	struct node *node = pair_zone(pair, 0, "east", 1, 1, 11);
	pair_pass(pair, 3000); /* some beats: they are known to come */
	assert_int_equal(zone_state(node), SYNC_LIVE);
	assert_int_equal(node->redials, 0);
	return node;
}

/* Until the zone dials anew, at most ms; how long that took. */
static uint64_t redialled_after(struct pair *pair, const struct node *node, uint64_t ms)
{
	uint64_t begin = pair->now;
	unsigned redials = node->redials;

	while (node->redials == redials && pair->now < begin + ms)
		pair_pass(pair, 1);
	assert_int_equal(node->redials, redials + 1);
	return pair->now - begin;
}

static void
a_dead_link_is_dialled_anew_when_a_beat_is_late_and_nobody_answers(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.pub_lost = pair.requests_lost = true;
	assert_in_range(redialled_after(&pair, node, 4000), 100, 1700);
	assert_int_equal(zone_state(node), SYNC_LIVE); /* it shows what it has anyway */
	pair.pub_lost = pair.requests_lost = false;
	pair_commit(&pair, "c", "3", true);
	assert_true(pair_same(&pair, node));
	pair_fini(&pair);
}

static void in_vain_it_dials_less_and_less_often(void **state)
{
	uint64_t took = 0;
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.pub_lost = pair.requests_lost = true;
	for (int i = 0; i < 6; i++)
		took = redialled_after(&pair, node, 60000);
	assert_true(took > 8000);
	pair.pub_lost = pair.requests_lost = false;
	pair_pass(&pair, 10000);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	pair.pub_lost = pair.requests_lost = true;
	assert_in_range(redialled_after(&pair, node, 4000), 100, 1700);
	pair_fini(&pair);
}

/* Connections that hang again before the first beat has come. */
static void an_answer_ends_its_patience(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	for (int i = 0; i < 8; i++) {
		pair.pub_lost = pair.requests_lost = true;
		assert_in_range(redialled_after(&pair, node, 4000), 100, 2500);
		pair.requests_lost = false;
		zone_event(node,
			   (struct sync_zone_event){ .kind = SYNC_EV_PIPE, .up = true });
		pair_pass(&pair, 700);
		pair_commit(&pair, "c", i % 2 == 0 ? "3" : "4", true);
	}
	pair_fini(&pair);
}

static void a_late_beat_makes_it_ask_what_it_missed(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.pub_lost = true;
	pair_commit(&pair, "c", "3", true);
	assert_false(pair_same(&pair, node));
	pair_pass(&pair, 1300);
	assert_true(pair_same(&pair, node));
	assert_int_equal(node->redials, 0);
	assert_in_range(redialled_after(&pair, node, 2000), 100, 1400);
	pair_fini(&pair);
}

static void answers_that_do_not_come_make_it_dial_though_beats_come(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.requests_lost = true;
	pair_commit(&pair, "c", "3", true); /* it tells global that this is durable */
	assert_in_range(redialled_after(&pair, node, 4000), 600, 2100);
	pair_fini(&pair);
}

/* Each of its questions is answered after so long, also those that it has given up. */
static void a_late_answer_says_how_slow_the_way_is(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.replies_late = true;
	pair_commit(&pair, "c", "3", true);
	unsigned sends = node->sends;
	pair_pass(&pair, 2500);
	assert_true(node->sends > sends + 1); /* asked again */
	for (int i = 0; i < 3; i++) {
		pair_reply(&pair); /* of what it asked last */
		pair_pass(&pair, 2500);
	}
	sends = node->sends;
	pair_reply(&pair);
	pair_pass(&pair, 2000);
	assert_in_range(node->sends, sends, sends + 2); /* it waits */
	pair_fini(&pair);
}

static void a_new_connection_is_given_time(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.pub_lost = pair.requests_lost = true;
	for (int i = 0; i < 10; i++) {
		pair_pass(&pair, 500);
		zone_simple(node, SYNC_EV_PIPE);
	}
	assert_int_equal(node->redials, 0);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_dead_link_is_dialled_anew_when_a_beat_is_late_and_nobody_answers),
		cmocka_unit_test(in_vain_it_dials_less_and_less_often),
		cmocka_unit_test(an_answer_ends_its_patience),
		cmocka_unit_test(a_late_beat_makes_it_ask_what_it_missed),
		cmocka_unit_test(answers_that_do_not_come_make_it_dial_though_beats_come),
		cmocka_unit_test(a_late_answer_says_how_slow_the_way_is),
		cmocka_unit_test(a_new_connection_is_given_time),
	};
	return cmocka_run_group_tests_name("sync/time", tests, NULL, NULL);
}
