#include "global/joining/ledger.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

static const struct ledger_token TOKEN = {
	.id = "t1", .zone = "east", .made_s = 1000, .expires_s = 2000
};

static const struct ledger_certificate CERTIFICATE = {
	.serial = "s1", .zone = "east", .begins_s = 1000, .ends_s = 3000, .key = "k1"
};

static void a_token_is_judged(void **state)
{
	static const struct {
		const char *id, *zone, *key;
		uint64_t now_s;
		enum ledger_verdict want;
	} CASES[] = {
		/* clang-format off */
		{ "t1",   "east", "k1", 1500, LEDGER_GOOD },
		{ "none", "east", "k1", 1500, LEDGER_UNKNOWN },
		{ "t1",   "west", "k1", 1500, LEDGER_WRONG_ZONE },
		{ "t1",   "east", "k1", 1999, LEDGER_GOOD },
		{ "t1",   "east", "k1", 2000, LEDGER_EXPIRED },
		{ "used", "east", "k1", 1500, LEDGER_GOOD },
		{ "used", "east", "k2", 1500, LEDGER_USED },
		{ "used", "east", "k1", 2000, LEDGER_EXPIRED },
		{ "used", "east", "k2", 2000, LEDGER_USED },
		/* clang-format on */
	};
	struct ledger ledger = { 0 };
	struct ledger_token used = TOKEN;

	(void)state;
	strcpy(used.id, "used");
	strcpy(used.key, "k1");
	used.used_s = 1200;
	(void)ledger_add_token(&ledger, &TOKEN);
	(void)ledger_add_token(&ledger, &used);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
		if (ledger_judge_token(&ledger, CASES[i].id, CASES[i].zone, CASES[i].key,
				       CASES[i].now_s) != CASES[i].want)
			fail_msg("case %zu", i);
	ledger_drop_token(&ledger, "t1");
	ledger_drop_token(&ledger, "none");
	assert_null(ledger_token(&ledger, "t1"));
	assert_non_null(ledger_token(&ledger, "used"));
	ledger_free(&ledger);
}

static void a_certificate_is_judged(void **state)
{
	static const struct {
		const char *zone, *serial;
		uint64_t now_s;
		enum ledger_verdict want;
	} CASES[] = {
		/* clang-format off */
		{ "east", "s1",   1500, LEDGER_GOOD },
		{ "east", "none", 1500, LEDGER_UNKNOWN },
		{ "west", "s1",   1500, LEDGER_WRONG_ZONE },
		{ "east", "s1",   3000, LEDGER_EXPIRED },
		{ "east", "gone", 1500, LEDGER_REVOKED },
		{ "east", "gone", 3000, LEDGER_REVOKED },
		/* clang-format on */
	};
	struct ledger ledger = { 0 };
	struct ledger_certificate gone = CERTIFICATE;

	(void)state;
	strcpy(gone.serial, "gone");
	gone.revoked_s = 1100;
	(void)ledger_add_certificate(&ledger, &CERTIFICATE);
	(void)ledger_add_certificate(&ledger, &gone);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
		if (ledger_judge_certificate(&ledger, CASES[i].zone, CASES[i].serial,
					     CASES[i].now_s) != CASES[i].want)
			fail_msg("case %zu", i);
	ledger_drop_certificate(&ledger, "gone");
	assert_null(ledger_certificate(&ledger, "gone"));
	ledger_free(&ledger);
}

static void a_zone_has_so_many_good_certificates(void **state)
{
	struct ledger ledger = { 0 };
	struct ledger_certificate one = CERTIFICATE;

	(void)state;
	for (unsigned i = 0; i < LEDGER_CERTIFICATES; i++) {
		assert_null(ledger_oldest(&ledger, "east", 1500));
		(void)snprintf(one.serial, sizeof(one.serial), "s%u", i);
		one.begins_s = 1000 + i;
		(void)ledger_add_certificate(&ledger, &one);
	}
	assert_null(ledger_oldest(&ledger, "west", 1500));
	struct ledger_certificate *oldest = ledger_oldest(&ledger, "east", 1500);
	assert_string_equal(oldest->serial, "s0");
	assert_null(ledger_oldest(&ledger, "east", 3000));
	oldest->revoked_s = 1500;
	assert_null(ledger_oldest(&ledger, "east", 1500));
	ledger_free(&ledger);
}

static void records_come_back_as_they_were(void **state)
{
	struct ledger_token token = TOKEN, token_back;
	struct ledger_certificate one = CERTIFICATE, one_back;
	struct zl_buf bytes = { 0 };

	(void)state;
	for (int used = 0; used < 2; used++) {
		token.used_s = used ? 1100 : 0;
		(void)snprintf(token.key, sizeof(token.key), "%s", used ? "k1" : "");
		ledger_write_token(&token, &bytes);
		assert_true(ledger_read_token("t1", bytes.data, bytes.len, &token_back));
		assert_string_equal(token_back.id, token.id);
		assert_string_equal(token_back.zone, token.zone);
		assert_string_equal(token_back.key, token.key);
		assert_int_equal(token_back.made_s, token.made_s);
		assert_int_equal(token_back.expires_s, token.expires_s);
		assert_int_equal(token_back.used_s, token.used_s);
		assert_true(token_back.is_durable);
		zl_buf_free(&bytes);

		one.revoked_s = used ? 1200 : 0;
		ledger_write_certificate(&one, &bytes);
		assert_true(
			ledger_read_certificate("s1", bytes.data, bytes.len, &one_back));
		assert_string_equal(one_back.serial, one.serial);
		assert_string_equal(one_back.zone, one.zone);
		assert_string_equal(one_back.key, one.key);
		assert_int_equal(one_back.begins_s, one.begins_s);
		assert_int_equal(one_back.ends_s, one.ends_s);
		assert_int_equal(one_back.revoked_s, one.revoked_s);
		zl_buf_free(&bytes);
	}
}

static void damaged_records_are_not_understood(void **state)
{
	static const char LONG_ZONE[] =
		"{\"zone\":"
		"\"0123456789012345678901234567890123456789012345678901234567890123"
		"\",\"expires\":1,\"ends\":1}";
	static const char *const BAD[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"zone\":\"east\"}",
		"{\"expires\":1,\"ends\":1}",
		"{\"zone\":7,\"expires\":1,\"ends\":1}",
		"{\"zone\":\"east\",\"expires\":-1,\"ends\":-1}",
		LONG_ZONE,
	};
	static const char GOOD[] = "{\"zone\":\"east\",\"expires\":1,\"ends\":1}";
	static const char LONG[] = "0123456789abcdef0123456789abcdef0";
	struct ledger_token token;
	struct ledger_certificate one;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		assert_false(ledger_read_token("t", BAD[i], strlen(BAD[i]), &token));
		assert_false(ledger_read_certificate("s", BAD[i], strlen(BAD[i]), &one));
	}
	assert_true(ledger_read_token("t", GOOD, strlen(GOOD), &token));
	assert_true(ledger_read_certificate("s", GOOD, strlen(GOOD), &one));
	assert_false(ledger_read_token(LONG, GOOD, strlen(GOOD), &token));
	assert_false(ledger_read_certificate(LONG, GOOD, strlen(GOOD), &one));
}

static void records_of_the_past_are_told(void **state)
{
	const uint64_t day = 86400;

	(void)state;
	assert_false(ledger_token_is_old(&TOKEN, TOKEN.expires_s + 7 * day));
	assert_true(ledger_token_is_old(&TOKEN, TOKEN.expires_s + 7 * day + 1));
	assert_false(ledger_certificate_is_old(&CERTIFICATE, CERTIFICATE.ends_s + day));
	assert_true(
		ledger_certificate_is_old(&CERTIFICATE, CERTIFICATE.ends_s + day + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_judged),
		cmocka_unit_test(a_certificate_is_judged),
		cmocka_unit_test(a_zone_has_so_many_good_certificates),
		cmocka_unit_test(records_come_back_as_they_were),
		cmocka_unit_test(damaged_records_are_not_understood),
		cmocka_unit_test(records_of_the_past_are_told),
	};
	return cmocka_run_group_tests_name("joining/ledger", tests, NULL, NULL);
}
