#include "base/log.h"

#include "support/test.h"
#include "support/tmp.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Standard error goes to a file while a test runs. */
struct fixture {
	struct tmp tmp;
	int old;
	char text[4096];
};

static int setup(void **state)
{
	static struct fixture fix;

	tmp_make(&fix.tmp);
	fix.old = dup(STDERR_FILENO);
	int fd = open(tmp_path(&fix.tmp, "log"), O_CREAT | O_RDWR | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
	*state = &fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	dup2(fix->old, STDERR_FILENO);
	close(fix->old);
	tmp_remove(&fix->tmp);
	assert_true(zl_log_set_level("info"));
	assert_true(zl_log_set_format("logfmt"));
	return 0;
}

/* All lines since the last call. */
static const char *lines(struct fixture *fix)
{
	FILE *file = fopen(tmp_path(&fix->tmp, "log"), "r+");

	assert_non_null(file);
	size_t len = fread(fix->text, 1, sizeof(fix->text) - 1, file);
	fix->text[len] = '\0';
	assert_int_equal(ftruncate(fileno(file), 0), 0);
	(void)fclose(file);
	return fix->text;
}

/* The line without its time, which is checked for its form. */
static const char *line_after_time(struct fixture *fix, const char *before, char after)
{
	const char *line = lines(fix);
	size_t len = strlen(before);

	assert_int_equal(strncmp(line, before, len), 0);
	assert_int_equal(line[len + 10], 'T');
	assert_int_equal(line[len + 26], 'Z');
	assert_int_equal(line[len + 27], after);
	return line + len + 28;
}

static void logfmt_quotes_what_comes_from_outside(void **state)
{
	zl_log(ZL_WARN, "xds", "resource \"x\"",
	       "proxy=%q type=%s n=%d u=%u big=%llu z=%zu", "a\nb\\\"", "cds", -3, 7U,
	       (unsigned long long)UINT64_MAX, (size_t)9);
	assert_string_equal(line_after_time(*state, "ts=", ' '),
			    "level=warn component=xds msg=\"resource \\\"x\\\"\" "
			    "proxy=\"a\\u000ab\\\\\\\"\" type=cds n=-3 u=7 "
			    "big=18446744073709551615 z=9\n");
}

static void json_is_json(void **state)
{
	assert_true(zl_log_set_format("json"));
	zl_log(ZL_ERROR, "store", "full", "path=%s n=%d text=%q", "/x", 1, NULL);
	assert_string_equal(line_after_time(*state, "{\"ts\":\"", '"'),
			    ",\"level\":\"error\",\"component\":\"store\","
			    "\"msg\":\"full\",\"path\":\"/x\",\"n\":1,\"text\":\"\"}\n");
}

static void the_level_decides(void **state)
{
	static const char *const NAMES[] = { "error", "warn", "info", "debug" };

	for (int set = 0; set < 4; set++) {
		assert_true(zl_log_set_level(NAMES[set]));
		for (int level = 0; level < 4; level++) {
			zl_log((enum zl_level)level, "a", "b", NULL);
			assert_int_equal(zl_log_on((enum zl_level)level), level <= set);
			assert_int_equal(*lines(*state) != '\0', level <= set);
		}
	}
	assert_false(zl_log_set_level("loud"));
	assert_true(zl_log_on(ZL_DEBUG));
	assert_false(zl_log_set_format("xml"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(logfmt_quotes_what_comes_from_outside),
		TEST(json_is_json),
		TEST(the_level_decides),
	};
	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
