#include "support/test.h"

#include "base/span.h"

static void what_is_taken(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} CASES[] = { { "0s", 0 },
		      { "500ms", 500 },
		      { "007s", 7000 },
		      { "30m", 1800000 },
		      { "24h", 86400000 },
		      { "7d", 604800000 },
		      { "2w", 1209600000 },
		      { "10y", 315360000000 },
		      { "99999999y", UINT64_C(99999999) * 31536000000 } };
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		assert_true(zl_span_ms(CASES[i].text, &ms));
		assert_int_equal(ms, CASES[i].ms);
	}
}

static void what_is_not(void **state)
{
	static const char *const BAD[] = { "",     "0",    "5",    "s",
					   "-5s",  "+5s",  " 5s",  "5 s",
					   "5s ",  "1.5s", "5S",   "5us",
					   "1h5m", "5sm",  "0x5s", "100000000s" };
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		assert_false(zl_span_ms(BAD[i], &ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken),
		cmocka_unit_test(what_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
