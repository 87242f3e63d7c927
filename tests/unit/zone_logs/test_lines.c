/* What of the lines for one receiver is kept, written again and dropped. */
#include "support/test.h"

#include "zone/logs/lines.h"

#include <string.h>

/* Lines of ten bytes, of which three fit. */
enum { LEN = 10, COST = 16 + LEN };

static void add(struct lines *lines, char name)
{
	char text[LEN + 1] = "---------\n";

	text[0] = name;
	lines_add(lines, text, LEN);
}

/* The first letters of what is to be written. */
static const char *names(const struct lines *lines)
{
	static char text[9];
	struct iovec runs[8];
	size_t count = lines_peek(lines, runs, 8);

	for (size_t i = 0; i < count; i++)
		text[i] = *(const char *)runs[i].iov_base;
	text[count] = '\0';
	return text;
}

static struct lines three(void)
{
	struct lines lines = { .max = 3 * COST };

	add(&lines, 'a');
	add(&lines, 'b');
	add(&lines, 'c');
	return lines;
}

static void oldest_is_dropped(void **state)
{
	struct lines lines = three();

	(void)state;
	assert_string_equal(names(&lines), "abc");
	assert_int_equal(lines.dropped, 0);
	add(&lines, 'd');
	assert_string_equal(names(&lines), "bcd");
	assert_int_equal(lines.dropped, 1);
	lines_drop(&lines);
}

static void begun_line_stays(void **state)
{
	struct lines lines = three();

	(void)state;
	lines_written(&lines, LEN + 3);
	add(&lines, 'd');
	assert_int_equal(lines.dropped, 1);
	assert_string_equal(names(&lines), "-d"); /* the rest of b */
	lines_again(&lines);
	assert_string_equal(names(&lines), "abd");
	lines_drop(&lines);
}

static void nothing_fits_behind_what_stays(void **state)
{
	struct lines lines = three();

	(void)state;
	lines_written(&lines, 3 * LEN);
	add(&lines, 'd');
	assert_int_equal(lines.dropped, 1);
	assert_string_equal(names(&lines), "");
	lines_left(&lines, 0);
	assert_int_equal(lines.delivered, 3);
	assert_true(lines_empty(&lines));
	lines_drop(&lines);
}

static void what_is_not_there_yet_is_kept(void **state)
{
	struct lines lines = three();

	(void)state;
	lines_written(&lines, 2 * LEN + 5);
	lines_left(&lines,
		   LEN + 5); /* the other end has a, b and half of c are under way */
	assert_int_equal(lines.delivered, 1);
	lines_again(&lines);
	assert_string_equal(names(&lines), "bc");
	lines_written(&lines, 2 * LEN);
	lines_left(&lines, 1);
	assert_int_equal(lines.delivered, 2);
	lines_drop(&lines);
	assert_int_equal(lines.dropped, 1);
	assert_true(lines_empty(&lines));
	add(&lines, 'e');
	assert_string_equal(names(&lines), "e");
	lines_drop(&lines);
}

static void too_long_line_is_dropped(void **state)
{
	struct lines lines = { .max = COST - 1 };

	(void)state;
	add(&lines, 'a');
	assert_int_equal(lines.dropped, 1);
	assert_true(lines_empty(&lines));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_is_dropped),
		cmocka_unit_test(begun_line_stays),
		cmocka_unit_test(nothing_fits_behind_what_stays),
		cmocka_unit_test(what_is_not_there_yet_is_kept),
		cmocka_unit_test(too_long_line_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
