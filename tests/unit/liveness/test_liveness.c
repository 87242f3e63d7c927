/* When a zone is demoted and withdrawn, on a clock of the test's own. */
#include "liveness/liveness.h"

#include "support/seeds.h"
#include "support/test.h"

#include <stdio.h>

enum { STEP = 500 };

static const struct liveness_rules RULES = { 15000, 60000 };

/* Let so much time pass with the same news in each step. */
static void pass(struct liveness *zone, const struct liveness_rules *rules, uint64_t ms,
		 struct liveness_news news)
{
	news.passed_ms = STEP;
	for (uint64_t i = 0; i < ms; i += STEP)
		(void)liveness_step(zone, rules, &news);
}

static void silence_demotes_after_its_time(void **state)
{
	struct liveness zone = { 0 };
	const struct liveness_news nothing = { 0 };

	(void)state;
	pass(&zone, &RULES, 14500, nothing);
	assert_int_equal(zone.condition, ZONE_ONLINE);
	assert_true(
		liveness_step(&zone, &RULES, &(struct liveness_news){ 500, 0, 0, 0 }));
	assert_int_equal(zone.condition, ZONE_STALE);
	assert_false(
		liveness_step(&zone, &RULES, &(struct liveness_news){ 500, 0, 0, 0 }));
	pass(&zone, &RULES, 600000, nothing); /* alone it never withdraws */
	assert_int_equal(zone.condition, ZONE_STALE);
	assert_true(
		liveness_step(&zone, &RULES, &(struct liveness_news){ 500, 1, 0, 0 }));
	assert_int_equal(zone.condition, ZONE_ONLINE);
	pass(&zone, &RULES, 14500, nothing); /* it begins anew */
	assert_int_equal(zone.condition, ZONE_ONLINE);
}

static void a_word_now_and_then_is_enough(void **state)
{
	struct liveness zone = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		pass(&zone, &RULES, 14000, (struct liveness_news){ 0 });
		assert_false(liveness_step(&zone, &RULES,
					   &(struct liveness_news){ 500, 1, 3, 0 }));
	}
	assert_int_equal(zone.condition, ZONE_ONLINE);
}

/* Withdrawn is what is silent for long and does not answer either. */
static void only_failing_probes_withdraw(void **state)
{
	static const struct {
		uint64_t silent;
		unsigned failing, answering;
		enum zone_condition want;
	} CASES[] = {
		{ 14000, 3, 0, ZONE_ONLINE },  { 59500, 3, 0, ZONE_STALE },
		{ 60000, 3, 0, ZONE_OFFLINE }, { 60000, 1, 5, ZONE_OFFLINE },
		{ 60000, 0, 1, ZONE_STALE },   { 600000, 0, 0, ZONE_STALE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct liveness zone = { 0 };
		pass(&zone, &RULES, CASES[i].silent,
		     (struct liveness_news){ 0, 0, CASES[i].failing,
					     CASES[i].answering });
		if (zone.condition != CASES[i].want)
			fail_msg("case %zu: %s", i, zone_condition_name(zone.condition));
	}
}

static void an_answer_brings_back_half_way(void **state)
{
	struct liveness zone = { 0 };

	(void)state;
	pass(&zone, &RULES, 60000, (struct liveness_news){ 0, 0, 1, 0 });
	assert_int_equal(zone.condition, ZONE_OFFLINE);
	pass(&zone, &RULES, 5000, (struct liveness_news){ 0 }); /* nobody says anything */
	assert_int_equal(zone.condition, ZONE_OFFLINE);
	pass(&zone, &RULES, 500, (struct liveness_news){ 0, 0, 1, 1 });
	assert_int_equal(zone.condition, ZONE_OFFLINE);
	pass(&zone, &RULES, 500, (struct liveness_news){ 0, 0, 0, 1 });
	assert_int_equal(zone.condition, ZONE_STALE);
	pass(&zone, &RULES, 500, (struct liveness_news){ 0, 0, 1, 0 });
	assert_int_equal(zone.condition, ZONE_OFFLINE);
	pass(&zone, &RULES, 500, (struct liveness_news){ 0, 1, 1, 0 });
	assert_int_equal(zone.condition, ZONE_ONLINE);
}

static void never_means_never(void **state)
{
	static const struct liveness_rules NEVER = { 15000, 0 };
	struct liveness zone = { 0 };

	(void)state;
	pass(&zone, &NEVER, 10000000, (struct liveness_news){ 0, 0, 4, 0 });
	assert_int_equal(zone.condition, ZONE_STALE);
}

/* A process that was stopped for a minute has not listened for a minute. */
static void time_without_us_is_no_silence(void **state)
{
	struct listening listening = { 0 };
	uint64_t counted = 0;

	(void)state;
	assert_int_equal(listening_step(&listening, 500), 0); /* it begins */
	for (int i = 0; i < 20; i++)
		counted += listening_step(&listening, 500);
	assert_int_equal(counted, 0); /* zones come back in that time */
	assert_int_equal(listening_step(&listening, 500), 500);
	assert_int_equal(listening_step(&listening, LIVENESS_STEP_MAX_MS),
			 LIVENESS_STEP_MAX_MS);
	assert_int_equal(listening_step(&listening, 60000), 0); /* stopped */
	for (int i = 0; i < 19; i++)
		assert_int_equal(listening_step(&listening, 500), 0);
	assert_int_equal(listening_step(&listening, 700), 200);
}

/* What was stored as Stale or Offline stays that until something is heard. */
static void a_new_process_begins_where_the_old_one_was(void **state)
{
	struct liveness zone = { ZONE_OFFLINE, 0 };

	(void)state;
	pass(&zone, &RULES, 5000, (struct liveness_news){ 0, 0, 1, 0 });
	assert_int_equal(zone.condition, ZONE_OFFLINE);
	zone = (struct liveness){ ZONE_STALE, 0 };
	pass(&zone, &RULES, 59500, (struct liveness_news){ 0, 0, 1, 0 });
	assert_int_equal(zone.condition, ZONE_STALE);
	pass(&zone, &RULES, 500, (struct liveness_news){ 0, 0, 1, 0 });
	assert_int_equal(zone.condition, ZONE_OFFLINE);
}

/* Whatever comes: no demotion before its time, none of who speaks. */
static const char *random_news(uint64_t seed)
{
	static char text[64];
	struct dice dice = { seed };
	struct liveness zone = { 0 };
	uint64_t silent = 0;

	for (int i = 0; i < 500; i++) {
		struct liveness_news news = { dice_below(&dice, 5000),
					      dice_chance(&dice, 4),
					      (unsigned)dice_below(&dice, 3),
					      (unsigned)dice_below(&dice, 3) };
		silent = news.heard ? 0 : silent + news.passed_ms;
		(void)liveness_step(&zone, &RULES, &news);
		if ((zone.condition != ZONE_ONLINE && silent < RULES.stale_ms) ||
		    (zone.condition == ZONE_OFFLINE && silent < RULES.withdraw_ms)) {
			(void)snprintf(text, sizeof(text), "%s after %llu ms",
				       zone_condition_name(zone.condition),
				       (unsigned long long)silent);
			return text;
		}
	}
	return NULL;
}

static void nobody_is_demoted_too_early(void **state)
{
	(void)state;
	seeds_run(500, random_news);
}

static void a_zone_that_stands_still_is_told(void **state)
{
	struct progress zone = { 0 };

	(void)state;
	assert_int_equal(progress_step(&zone, 5, 5, 1000), 0);
	assert_int_equal(progress_step(&zone, 5, 5, 90000), 0); /* nothing to do */
	assert_int_equal(progress_step(&zone, 5, 6, 100000), 0);
	assert_int_equal(progress_step(&zone, 5, 9, 109999), 0);
	assert_int_equal(progress_step(&zone, 5, 9, 110000), 10000);
	assert_int_equal(progress_step(&zone, 5, 99, 150000), 50000);
	assert_int_equal(progress_step(&zone, 6, 99, 151000), 0); /* it moves */
	assert_int_equal(progress_step(&zone, 6, 99, 161000), 10000);
	assert_int_equal(progress_step(&zone, 99, 99, 162000), 0);
	assert_int_equal(progress_step(&zone, 99, 100, 200000), 0);
}

static void probes_fail_in_a_row(void **state)
{
	struct probe zone = { 0 };

	(void)state;
	assert_false(probe_step(&zone, 0, 2));
	assert_int_equal(zone.verdict, PROBE_UNKNOWN);
	assert_true(probe_step(&zone, 0, 2));
	assert_int_equal(zone.verdict, PROBE_FAILS);
	assert_true(probe_step(&zone, 1, 2)); /* one ingress is enough */
	assert_int_equal(zone.verdict, PROBE_ANSWERS);
	assert_false(probe_step(&zone, 0, 2));
	assert_int_equal(zone.verdict, PROBE_ANSWERS);
	assert_false(probe_step(&zone, 1, 2));
	assert_false(probe_step(&zone, 0, 2)); /* not in a row */
	assert_true(probe_step(&zone, 0, 2));
	assert_true(probe_step(&zone, 0, 0)); /* there is nothing to try */
	assert_int_equal(zone.verdict, PROBE_UNKNOWN);
}

static void who_answers_here_is_not_withdrawn_here(void **state)
{
	(void)state;
	assert_int_equal(liveness_seen(ZONE_OFFLINE, PROBE_ANSWERS), ZONE_STALE);
	assert_int_equal(liveness_seen(ZONE_OFFLINE, PROBE_FAILS), ZONE_OFFLINE);
	assert_int_equal(liveness_seen(ZONE_OFFLINE, PROBE_UNKNOWN), ZONE_OFFLINE);
	assert_int_equal(liveness_seen(ZONE_STALE, PROBE_ANSWERS), ZONE_STALE);
	assert_int_equal(liveness_seen(ZONE_STALE, PROBE_FAILS), ZONE_STALE);
	assert_int_equal(liveness_seen(ZONE_ONLINE, PROBE_FAILS), ZONE_ONLINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_demotes_after_its_time),
		cmocka_unit_test(a_word_now_and_then_is_enough),
		cmocka_unit_test(only_failing_probes_withdraw),
		cmocka_unit_test(an_answer_brings_back_half_way),
		cmocka_unit_test(never_means_never),
		cmocka_unit_test(time_without_us_is_no_silence),
		cmocka_unit_test(a_new_process_begins_where_the_old_one_was),
		cmocka_unit_test(nobody_is_demoted_too_early),
		cmocka_unit_test(a_zone_that_stands_still_is_told),
		cmocka_unit_test(probes_fail_in_a_row),
		cmocka_unit_test(who_answers_here_is_not_withdrawn_here),
	};
	return cmocka_run_group_tests_name("liveness/liveness", tests, NULL, NULL);
}
