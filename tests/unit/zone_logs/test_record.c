/* What records of access logs mean. */
#include "support/test.h"

#include "zone/logs/record.h"

#include <stdlib.h>
#include <string.h>

static const struct xds_log_field ADDRESS = { "address", "logs:5000" };
static const struct xds_log_field DENIAL = { "denial", "inbound:10.0.0.1:80" };

static void expect_line(const struct xds_log_record *record, const char *line)
{
	struct zl_buf out = { 0 };

	record_line(record, &out);
	assert_string_equal(zl_buf_text(&out), line);
	zl_buf_free(&out);
}

static void a_body_is_one_line(void **state)
{
	const struct xds_log_field fields[] = { { "z", "1\"" }, { "a", "x\ny" } };
	const struct xds_log_record text = { .text = "a\tb",
					     .attributes = &ADDRESS,
					     .attribute_count = 1 };
	const struct xds_log_record evil = {
		.text = "a\nb\r\x1b[2J\x7f\xc2\x9b\xc3\xa4"
	};
	const struct xds_log_record list = { .fields = fields, .field_count = 2 };

	(void)state;
	expect_line(&text, "a\tb\n");
	expect_line(&evil, "a\\x0ab\\x0d\\x1b[2J\\x7f\\xc2\\x9b\xc3\xa4\n");
	struct zl_buf out = { 0 };
	record_line(&list, &out);
	assert_non_null(strstr(out.data, "\"1\\\"\""));
	assert_non_null(strstr(out.data, "\"x\\ny\""));
	assert_ptr_equal(strchr(out.data, '\n'), out.data + out.len - 1);
	zl_buf_free(&out);
	assert_string_equal(record_attribute(&text, "address"), "logs:5000");
	assert_null(record_attribute(&text, "denial"));
}

static void a_line_is_bounded(void **state)
{
	char *text = zl_alloc(RECORD_LINE_MAX + 100, 1);
	const struct xds_log_record record = { .text = text };
	struct zl_buf out = { 0 };

	(void)state;
	memset(text, 'x', RECORD_LINE_MAX - 1);
	memcpy(text + RECORD_LINE_MAX - 1, "\xc3\xa4\xc3\xa4", 5);
	record_line(&record, &out);
	assert_int_equal(out.len, RECORD_LINE_MAX); /* no half of a character */
	zl_buf_free(&out);
	free(text);
}

/* What is made of a body; NULL: no denial. */
static const char *denial(const char *termination, const char *failure,
			  const char *shadow, enum denial_mode *mode,
			  struct zl_arena *arena)
{
	const struct xds_log_field fields[] = {
		{ "client", "kuma://a/b,spiffe://default/web,spiffe://default/x" },
		{ "termination", termination },
		{ "failure", failure },
		{ "shadow", shadow },
	};
	const struct xds_log_record record = { .fields = fields,
					       .field_count = 4,
					       .attributes = &DENIAL,
					       .attribute_count = 1 };
	struct record_denial out;

	if (!record_denial(&record, arena, &out))
		return NULL;
	assert_string_equal(out.inbound, "inbound:10.0.0.1:80");
	assert_string_equal(out.client, "spiffe://default/web,spiffe://default/x");
	*mode = out.mode;
	return out.why;
}

static void denials_are_told_from_the_rest(void **state)
{
	static const char RBAC[] = "rbac_access_denied_matched_policy[none]";
	static const char GATE[] = "TLS_error:verify SAN list:SAN_matcher";
	struct zl_arena *arena = zl_arena_new();
	const struct xds_log_record line = { .text = "x",
					     .attributes = &DENIAL,
					     .attribute_count = 1 };
	struct record_denial out;
	enum denial_mode mode = DENIAL_SHADOW;

	(void)state;
	assert_string_equal(denial(RBAC, "-", "denied", &mode, arena), RBAC);
	assert_int_equal(mode, DENIAL_ENFORCED);
	assert_string_equal(denial("-", GATE, "-", &mode, arena), GATE);
	assert_int_equal(mode, DENIAL_ENFORCED);
	assert_non_null(denial("-", "-", "denied", &mode, arena));
	assert_int_equal(mode, DENIAL_SHADOW);
	assert_null(denial("-", "-", "-", &mode, arena)); /* the application is down */
	assert_null(denial("-", "-", "allowed", &mode, arena));
	assert_null(denial("-", "TLS_error:wrong version number", "-", &mode, arena));
	assert_false(record_denial(&line, arena, &out));
	zl_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_is_one_line),
		cmocka_unit_test(a_line_is_bounded),
		cmocka_unit_test(denials_are_told_from_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
