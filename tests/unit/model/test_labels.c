#include "support/test.h"

#include "model/labels.h"

static const struct label SOME[] = { { "a", "1" }, { "c", "3" }, { "e", "5" } };
static const struct labels ABC = { SOME, ARRAY_LEN(SOME) };
static const struct labels NONE = { NULL, 0 };

static void test_get(void **state)
{
	(void)state;
	assert_string_equal(labels_get(ABC, "a"), "1");
	assert_string_equal(labels_get(ABC, "e"), "5");
	assert_null(labels_get(ABC, ""));
	assert_null(labels_get(ABC, "b"));
	assert_null(labels_get(ABC, "f"));
	assert_null(labels_get(NONE, "a"));
}

static void test_match(void **state)
{
	static const struct label wrong[] = { { "a", "1" }, { "c", "4" } };
	static const struct label star[] = { { "c", "*" } };
	static const struct label other[] = { { "d", "*" } };

	(void)state;
	assert_true(labels_match(NONE, ABC, false));
	assert_true(labels_match(ABC, ABC, false));
	assert_true(labels_match((struct labels){ SOME + 1, 1 }, ABC, false));
	assert_false(labels_match(ABC, (struct labels){ SOME, 2 }, false));
	assert_false(labels_match((struct labels){ wrong, 2 }, ABC, true));
	assert_false(labels_match((struct labels){ star, 1 }, ABC, false));
	assert_true(labels_match((struct labels){ star, 1 }, ABC, true));
	assert_false(labels_match((struct labels){ other, 1 }, ABC, true));
}

static void test_compare(void **state)
{
	static const struct label larger[] = { { "a", "2" } };

	(void)state;
	assert_int_equal(labels_compare(ABC, ABC), 0);
	assert_int_equal(labels_compare(NONE, NONE), 0);
	assert_true(labels_compare(NONE, ABC) < 0);
	assert_true(labels_compare(ABC, (struct labels){ SOME, 2 }) > 0);
	assert_true(labels_compare(ABC, (struct labels){ larger, 1 }) < 0);
}

static void assert_labels(struct labels labels, const char *want)
{
	struct zl_buf got = { 0 };

	for (size_t i = 0; i < labels.count; i++)
		zl_buf_format(&got, "%s%s", labels.items[i].key, labels.items[i].value);
	assert_string_equal(zl_buf_text(&got), want);
	zl_buf_free(&got);
}

static void test_copies(void **state)
{
	struct zl_arena *arena = zl_arena_new();

	(void)state;
	assert_labels(labels_with(arena, NONE, "x", "0"), "x0");
	assert_labels(labels_with(arena, ABC, "0", "9"), "09a1c3e5");
	assert_labels(labels_with(arena, ABC, "c", "9"), "a1c9e5");
	assert_labels(labels_with(arena, ABC, "d", "9"), "a1c3d9e5");
	assert_labels(labels_with(arena, ABC, "f", "9"), "a1c3e5f9");
	assert_labels(labels_without(arena, ABC, "a"), "c3e5");
	assert_labels(labels_without(arena, ABC, "e"), "a1c3");
	assert_labels(labels_without(arena, ABC, "b"), "a1c3e5");
	assert_labels(labels_without(arena, NONE, "b"), "");
	assert_labels(ABC, "a1c3e5");
	zl_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
