#include "base/clock.h"

#include "support/test.h"

#include <poll.h>

static void clocks_run_forward(void **state)
{
	uint64_t ms = zl_now_ms();
	uint64_t us = zl_now_us();

	(void)state;
	(void)poll(NULL, 0, 20);
	assert_in_range(zl_now_ms() - ms, 19, 10000);
	assert_in_range(zl_now_us() - us, 19000, 10000000);
	for (int i = 0; i < 1000; i++) {
		uint64_t later = zl_now_us();
		assert_true(later >= us);
		us = later;
	}
}

static void wall_time_is_of_our_days(void **state)
{
	(void)state;
	assert_true(zl_wall_us() > UINT64_C(1700000000000000)); /* 2023 */
}

static void time_is_written_as_rfc_3339(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} CASES[] = {
		{ 0, "1970-01-01T00:00:00.000000Z" },
		{ 951827696000001, "2000-02-29T12:34:56.000001Z" },
		{ 1767225599999999, "2025-12-31T23:59:59.999999Z" },
		{ 253402300799999999, "9999-12-31T23:59:59.999999Z" },
	};
	char text[ZL_TIME_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		zl_time_text(CASES[i].us, text);
		assert_string_equal(text, CASES[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_run_forward),
		cmocka_unit_test(wall_time_is_of_our_days),
		cmocka_unit_test(time_is_written_as_rfc_3339),
	};
	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
