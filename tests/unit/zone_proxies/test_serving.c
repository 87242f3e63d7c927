/* When a ZoneEgress takes connections, and how long one that is silent is believed. */
#include "zone/proxies/serving.h"

#include "support/test.h"

/* Take event at ms: serving must be on afterwards, or not. */
static void step(struct serving *serving, enum serving_event event, uint64_t ms, bool on)
{
	bool before = serving->on;

	assert_int_equal(serving_take(serving, event, ms), before != on);
	assert_int_equal(serving->on, on);
}

static void one_that_was_never_heard_does_not(void **state)
{
	struct serving serving = { 0 };

	(void)state;
	step(&serving, SERVING_CAME, 1000, false);
	step(&serving, SERVING_PASSED, 60000, false);
	step(&serving, SERVING_BARE, 60001, false);
	step(&serving, SERVING_HEARD, 60002, true);
	step(&serving, SERVING_PASSED, 900000, true);
}

static void one_that_comes_back_in_time_goes_on(void **state)
{
	struct serving serving = { 0 };

	(void)state;
	step(&serving, SERVING_HEARD, 1000, true);
	step(&serving, SERVING_LEFT, 2000, true);
	step(&serving, SERVING_PASSED, 2000 + SERVING_BACK_MS - 1, true);
	/* From here on it is known to live. */
	step(&serving, SERVING_CAME, 2000 + SERVING_BACK_MS - 1, true);
	step(&serving, SERVING_PASSED, 2000 + SERVING_BACK_MS, true);
	step(&serving, SERVING_HEARD, 4000, true);
	step(&serving, SERVING_PASSED, 900000, true);
}

static void one_that_stays_away_does_not(void **state)
{
	struct serving serving = { 0 };

	(void)state;
	step(&serving, SERVING_HEARD, 1000, true);
	step(&serving, SERVING_LEFT, 2000, true);
	step(&serving, SERVING_PASSED, 2000 + SERVING_BACK_MS, false);
	/* It has to be heard again. */
	step(&serving, SERVING_CAME, 9000, false);
	step(&serving, SERVING_HEARD, 9001, true);
}

static void one_that_comes_and_says_nothing_does_not(void **state)
{
	struct serving serving = { 0 };

	(void)state;
	step(&serving, SERVING_HEARD, 1000, true);
	step(&serving, SERVING_LEFT, 2000, true);
	step(&serving, SERVING_CAME, 2500, true);
	step(&serving, SERVING_PASSED, 2500 + SERVING_START_MS, false);
}

static void a_start_believes_for_a_while(void **state)
{
	struct serving serving = { 0 };

	(void)state;
	step(&serving, SERVING_STARTED, 1000, true);
	step(&serving, SERVING_PASSED, 1000 + SERVING_START_MS - 1, true);
	step(&serving, SERVING_PASSED, 1000 + SERVING_START_MS, false);

	step(&serving, SERVING_STARTED, 1000, true);
	step(&serving, SERVING_CAME, 2000, true);
	step(&serving, SERVING_HEARD, 3000, true);
	step(&serving, SERVING_PASSED, 900000, true);
}

static void one_without_its_listener_does_not(void **state)
{
	struct serving serving = { 0 };

	(void)state;
	step(&serving, SERVING_HEARD, 1000, true);
	step(&serving, SERVING_BARE, 1001, false);
	step(&serving, SERVING_PASSED, 1002, false);
	step(&serving, SERVING_HEARD, 1003, true);
}

static void only_a_listener_that_stays_is_heard(void **state)
{
	const struct xds_resource_status list[] = {
		{ .type = ENVOY_CLUSTER, .wanted = "a", .acked = "a" },
		{ .type = ENVOY_LISTENER, .name = "there", .acked = "a" }, /* goes */
		{ .type = ENVOY_LISTENER, .name = "here", .wanted = "a" }, /* comes */
		{ .type = ENVOY_LISTENER, .name = "here", .wanted = "b", .acked = "a" },
	};

	(void)state;
	assert_false(serving_is_heard(list, 0));
	assert_false(serving_is_heard(list, 3));
	assert_true(serving_is_heard(list, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_was_never_heard_does_not),
		cmocka_unit_test(one_that_comes_back_in_time_goes_on),
		cmocka_unit_test(one_that_stays_away_does_not),
		cmocka_unit_test(one_that_comes_and_says_nothing_does_not),
		cmocka_unit_test(a_start_believes_for_a_while),
		cmocka_unit_test(one_without_its_listener_does_not),
		cmocka_unit_test(only_a_listener_that_stays_is_heard),
	};
	return cmocka_run_group_tests_name("zone_proxies/serving", tests, NULL, NULL);
}
