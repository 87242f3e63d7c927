/* How long an Envoy that is not connected is counted, and with what. */
#include "zone/proxies/away.h"

#include "support/test.h"

static void one_that_left_counts_until_it_is_given_up(void **state)
{
	struct away away = { 0 };

	(void)state;
	assert_false(away_counts(&away, true));
	away_leave(&away, 7, 1000);
	assert_true(away_counts(&away, true));
	assert_int_equal(away.rev, 7);
	assert_int_equal(away_pass(&away, 1000 + AWAY_BACK_MS - 1), 1);
	assert_true(away_counts(&away, true));
	assert_int_equal(away_pass(&away, 1000 + AWAY_BACK_MS), 0);
	assert_false(away_counts(&away, true));
	assert_int_equal(away_pass(&away, 900000), 0);
	assert_false(away_counts(&away, true));
}

static void one_that_came_back_is_not_given_up(void **state)
{
	struct away away = { 0 };

	(void)state;
	away_leave(&away, 7, 1000);
	away_come(&away);
	assert_false(away_counts(&away, true));
	assert_int_equal(away_pass(&away, 1001), 0);
	/* It has its whole time again, and what it has learned since. */
	away_leave(&away, 9, 3000);
	assert_int_equal(away_pass(&away, 1000 + AWAY_BACK_MS), 2000);
	assert_true(away_counts(&away, true));
	assert_int_equal(away.rev, 9);
}

/* The content of a Secret comes behind the revision that names it. */
static void one_that_misses_a_part_has_not_the_revision(void **state)
{
	struct away away = { 0 };

	(void)state;
	away_leave(&away, 7, 1000);
	away_miss(&away, 8);
	assert_int_equal(away.rev, 7);
	away_miss(&away, 7);
	assert_int_equal(away.rev, 6);
	away_miss(&away, 3);
	assert_int_equal(away.rev, 2);
	away_miss(&away, 5);
	assert_int_equal(away.rev, 2);
	away_leave(&away, 0, 1000);
	away_miss(&away, 0);
	assert_int_equal(away.rev, 0);
}

/* Streams of one id end one after the other. */
static void one_that_leaves_twice_counts_from_the_second_time(void **state)
{
	struct away away = { 0 };

	(void)state;
	away_leave(&away, 7, 1000);
	away_leave(&away, 0, 2000);
	assert_int_equal(away.rev, 0);
	assert_int_equal(away_pass(&away, 1000 + AWAY_BACK_MS), 1000);
	assert_true(away_counts(&away, true));
}

static void a_start_counts_all(void **state)
{
	struct away away = { 0 };

	(void)state;
	assert_true(away_counts(&away, false));
	assert_int_equal(away_pass(&away, 900000), 0);
	assert_true(away_counts(&away, false));
	/* It begins to push: who was not seen yet has the time that one who left has. */
	away_leave(&away, 0, 900000);
	assert_true(away_counts(&away, true));
	assert_int_equal(away_pass(&away, 900000 + AWAY_BACK_MS), 0);
	assert_false(away_counts(&away, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_left_counts_until_it_is_given_up),
		cmocka_unit_test(one_that_came_back_is_not_given_up),
		cmocka_unit_test(one_that_misses_a_part_has_not_the_revision),
		cmocka_unit_test(one_that_leaves_twice_counts_from_the_second_time),
		cmocka_unit_test(a_start_counts_all),
	};
	return cmocka_run_group_tests_name("zone_proxies/away", tests, NULL, NULL);
}
