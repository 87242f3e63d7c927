/* The tools of the tests are tested as well: a tool that hides a failure hides all. */
#include "support/seeds.h"

#include "support/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void dice_are_fair_enough(void **state)
{
	struct dice dice = { 1 };
	int counts[7] = { 0 }, hits = 0;

	(void)state;
	for (int i = 0; i < 70000; i++) {
		counts[dice_below(&dice, 7)]++;
		hits += dice_chance(&dice, 30);
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(counts[i], 9600, 10400);
	assert_in_range(hits, 20400, 21600);
	assert_int_equal(dice_below(&dice, 1), 0);
	assert_false(dice_chance(&dice, 0));
	assert_true(dice_chance(&dice, 100));
}

static uint64_t calls, first;

static const char *count(uint64_t seed)
{
	first = calls++ == 0 ? seed : first;
	return NULL;
}

static void the_environment_chooses_seeds(void **state)
{
	(void)state;
	unsetenv("ZL_SEED");
	unsetenv("ZL_SEEDS");
	calls = 0;
	seeds_run(5, count);
	assert_int_equal(calls, 5);
	assert_int_equal(first, 1);
	setenv("ZL_SEEDS", "12", 1);
	calls = 0;
	seeds_run(5, count);
	assert_int_equal(calls, 12);
	setenv("ZL_SEED", "77", 1);
	calls = 0;
	seeds_run(5, count);
	assert_int_equal(calls, 1);
	assert_int_equal(first, 77);
	unsetenv("ZL_SEED");
	unsetenv("ZL_SEEDS");
}

static const char *abort_at_3(uint64_t seed)
{
	if (seed == 3)
		abort();
	return NULL;
}

static const char *text_at_4(uint64_t seed)
{
	return seed == 4 ? "wrong" : NULL;
}

static const char *check_at_5(uint64_t seed)
{
	assert_int_not_equal(seed, 5);
	return NULL;
}

static const char *(*chosen)(uint64_t seed);

static void run_chosen(void **state)
{
	(void)state;
	seeds_run(9, chosen);
}

/* What a test program prints whose one test runs seeds. */
static void output_of(const char *(*run)(uint64_t seed), char *text, size_t size)
{
	int ends[2];
	size_t len = 0;
	ssize_t got;

	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		const struct CMUnitTest tests[] = { cmocka_unit_test(run_chosen) };
		chosen = run;
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		signal(SIGABRT, SIG_DFL);
		exit(cmocka_run_group_tests_name("inner", tests, NULL, NULL));
	}
	close(ends[1]);
	while (len + 1 < size && (got = read(ends[0], text + len, size - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	close(ends[0]);
	waitpid(pid, NULL, 0);
}

static void every_failure_names_its_seed(void **state)
{
	char text[8192];

	(void)state;
	output_of(abort_at_3, text, sizeof(text));
	assert_non_null(strstr(text, "ZL_SEED=3"));
	output_of(text_at_4, text, sizeof(text));
	assert_non_null(strstr(text, "wrong (to see it again: ZL_SEED=4)"));
	output_of(check_at_5, text, sizeof(text));
	assert_non_null(strstr(text, "ZL_SEED=5"));
	output_of(count, text, sizeof(text));
	assert_null(strstr(text, "ZL_SEED"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dice_are_fair_enough),
		cmocka_unit_test(the_environment_chooses_seeds),
		cmocka_unit_test(every_failure_names_its_seed),
	};
	return cmocka_run_group_tests_name("base/seeds", tests, NULL, NULL);
}
