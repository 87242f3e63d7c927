#include "support/test.h"

#include "base/base64.h"

#include <string.h>

/* RFC 4648, 10. */
static const struct {
	const char *text, *base64;
} VECTORS[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

static void vectors_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
		struct zl_buf made = { 0 };
		struct zl_buf read = { 0 };
		struct zl_err err = { 0 };
		const char *base64 = VECTORS[i].base64;

		zl_base64(VECTORS[i].text, strlen(VECTORS[i].text), &made);
		assert_string_equal(zl_buf_text(&made), base64);
		assert_int_equal(zl_base64_read(base64, strlen(base64), &read, &err),
				 ZL_OK);
		assert_string_equal(zl_buf_text(&read), VECTORS[i].text);
		zl_buf_free(&made);
		zl_buf_free(&read);
	}
}

static void what_is_not_base64(void **state)
{
	static const char *const BAD[] = { "Z",    "Zg",   "Zg=",  "Zh==",
					   "Zm9=", "====", "=Zg=", "Zg==Zm8=",
					   "Zm9-", "Zm 9", "Zm9v=" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		struct zl_buf read = { 0 };
		struct zl_err err = { 0 };

		zl_buf_str(&read, "kept");
		if (zl_base64_read(BAD[i], strlen(BAD[i]), &read, &err) != ZL_EINVAL)
			fail_msg("taken: %s", BAD[i]);
		assert_int_equal(read.len, 4);
		zl_buf_free(&read);
	}
}

static void all_bytes_come_back(void **state)
{
	uint8_t bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(255 - i);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct zl_buf made = { 0 };
		struct zl_buf read = { 0 };
		struct zl_err err = { 0 };

		zl_base64(bytes, len, &made);
		assert_int_equal(
			zl_base64_read(zl_buf_text(&made), made.len, &read, &err), ZL_OK);
		assert_int_equal(read.len, len);
		if (len > 0)
			assert_memory_equal(read.data, bytes, len);
		zl_buf_free(&made);
		zl_buf_free(&read);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_rfc),
		cmocka_unit_test(what_is_not_base64),
		cmocka_unit_test(all_bytes_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
