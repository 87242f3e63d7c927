#include "base/bytes.h"
#include "base/hash.h"

#include "support/test.h"

#include <string.h>

/* FIPS 180-2, appendix B. */
static void sha256_of_runs_is_that_of_the_whole(void **state)
{
	static const char WANT[] =
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
	const struct zl_run runs[] = {
		{ "abcdbcdecdefdefgefgh", 20 },
		{ NULL, 0 },
		{ "fghighijhijkijkljklmklmnlmnomnopnopq", 36 },
	};
	uint8_t sum[ZL_SHA256];
	char text[2 * ZL_SHA256 + 1];

	(void)state;
	zl_sha256(runs, 3, sum);
	zl_hex(sum, sizeof(sum), text);
	assert_string_equal(text, WANT);
	zl_sha256(NULL, 0, sum);
	zl_hex(sum, 4, text);
	assert_string_equal(text, "e3b0c442");
}

/* From the FNV authors' test vectors. */
static void sha256_of_pieces_is_that_of_the_whole(void **state)
{
	const struct zl_run run = { "one, two", 8 };
	uint8_t want[ZL_SHA256];
	uint8_t sum[ZL_SHA256];
	struct zl_hash *hash = zl_hash_new();

	(void)state;
	zl_sha256(&run, 1, want);
	zl_hash_add(hash, "one", 3);
	zl_hash_add(hash, "", 0);
	zl_hash_add(hash, ", two", 5);
	zl_hash_end(&hash, sum);
	assert_null(hash);
	assert_memory_equal(sum, want, sizeof(sum));
	zl_hash_end(&hash, sum);
	hash = zl_hash_new();
	zl_hash_end(&hash, NULL);
}

static void fnv64a_is_the_published_one(void **state)
{
	(void)state;
	assert_true(zl_fnv64a("", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(zl_fnv64a("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(zl_fnv64a("foobar", 6) == UINT64_C(0x85944171f73967e8));
}

/* Stored records depend on it: it may not change with a library. */
static void xxh3_is_the_published_one(void **state)
{
	(void)state;
	assert_true(zl_xxh3("", 0) == UINT64_C(0x2d06800538d394c2));
	assert_true(zl_xxh3("a", 1) != zl_xxh3("b", 1));
	assert_true(zl_xxh3("a\0", 2) != zl_xxh3("a", 1));
}

static void random_bytes_fill_all_of_it(void **state)
{
	uint8_t first[1000], second[1000];
	int zeros = 0;

	(void)state;
	memset(first, 0, sizeof(first));
	zl_random(first, sizeof(first));
	zl_random(second, sizeof(second));
	assert_memory_not_equal(first, second, sizeof(first));
	for (size_t i = 900; i < sizeof(first); i++)
		zeros += first[i] == 0;
	assert_in_range(zeros, 0, 20);
}

static void integers_are_big_endian_at_any_address(void **state)
{
	uint8_t bytes[12] = { 0 };

	(void)state;
	zl_put_be64(bytes + 1, UINT64_C(0x0102030405060708));
	for (uint8_t i = 1; i <= 8; i++)
		assert_int_equal(bytes[i], i);
	assert_true(zl_get_be64(bytes + 1) == UINT64_C(0x0102030405060708));
	zl_put_be32(bytes + 3, 0xfffefdfc);
	assert_memory_equal(bytes + 3, "\xff\xfe\xfd\xfc", 4);
	assert_true(zl_get_be32(bytes + 3) == 0xfffefdfc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_of_runs_is_that_of_the_whole),
		cmocka_unit_test(sha256_of_pieces_is_that_of_the_whole),
		cmocka_unit_test(fnv64a_is_the_published_one),
		cmocka_unit_test(xxh3_is_the_published_one),
		cmocka_unit_test(random_bytes_fill_all_of_it),
		cmocka_unit_test(integers_are_big_endian_at_any_address),
	};
	return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
