#include "support/test.h"

#include "inventory/inventory.h"

#include <string.h>

/* clang-format off */
static const struct {
	const char *a, *b, *common;
} CASES[] = {
	{ "tcp",   "tcp",   "tcp" },
	{ "grpc",  "grpc",  "grpc" },
	{ "tls",   "tls",   "tls" },
	{ "mysql", "mysql", "mysql" },
	{ "HTTP",  "http",  "http" },
	{ "grpc",  "http2", "http2" },
	{ "grpc",  "http",  "tcp" },
	{ "http",  "http2", "tcp" },
	{ "http",  "tcp",   "tcp" },
	{ "kafka", "tcp",   "tcp" },
	{ "kafka", "http",  "tcp" },
	{ "tls",   "http",  "tcp" },
	{ "mysql", "tcp",   "unknown" },
	{ "mysql", "http",  "unknown" },
	{ "http",  NULL,    "unknown" },
	{ NULL,    NULL,    "unknown" },
	{ "http",  "udp",   "unknown" },
	{ "http",  "",      "unknown" },
};
/* clang-format on */

static void what_two_protocols_have_in_common(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		assert_string_equal(protocol_common(CASES[i].a, CASES[i].b),
				    CASES[i].common);
		assert_string_equal(protocol_common(CASES[i].b, CASES[i].a),
				    CASES[i].common);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_two_protocols_have_in_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
