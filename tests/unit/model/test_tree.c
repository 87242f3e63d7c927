#include "support/test.h"

#include "model/read.h"

#include <stdio.h>
#include <string.h>

static struct zl_arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = zl_arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	zl_arena_free(&arena);
	return 0;
}

static struct tree *yaml(const char *text)
{
	struct docs docs;
	struct zl_err err = { 0 };

	if (read_yaml(text, strlen(text), arena, &docs, &err) != ZL_OK)
		fail_msg("%s\n%s", err.msg, text);
	assert_int_equal(docs.count, 1);
	return docs.items[0];
}

static void assert_printed(void (*print)(const struct tree *, struct zl_buf *),
			   const struct tree *tree, const char *want)
{
	struct zl_buf out = { 0 };

	print(tree, &out);
	assert_string_equal(zl_buf_text(&out), want);
	zl_buf_free(&out);
}

static void test_get(void **state)
{
	struct tree *map = yaml("a: 1\nb: null\nc: [1]\n");

	(void)state;
	assert_int_equal(tree_get(map, "a")->integer, 1);
	assert_null(tree_get(map, "b"));
	assert_null(tree_get(map, "d"));
	assert_null(tree_get(tree_get(map, "c"), "a"));
	assert_null(tree_get(tree_get(map, "d"), "a"));
}

static void test_build(void **state)
{
	struct tree *map = tree_map(arena);
	struct tree *list = tree_list(arena);
	char key[8];

	(void)state;
	tree_set(arena, map, "z", tree_text(arena, "x"));
	tree_set(arena, map, "a", tree_bool(arena, true));
	tree_set(arena, map, "z", list);
	for (int i = 0; i < 5; i++)
		tree_push(arena, list, tree_int(arena, i - 2));
	assert_printed(tree_json, map, "{\"a\":true,\"z\":[-2,-1,0,1,2]}");
	for (int i = 0; i < 100; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i % 50);
		tree_set(arena, map, key, tree_int(arena, i));
	}
	assert_int_equal(map->count, 52);
	assert_int_equal(tree_get(map, "k7")->integer, 57);
}

/* What a reader made has no room that a builder would not know of. */
static void test_build_on_read(void **state)
{
	struct tree *map = yaml("a: 1\nb: 2\nc: [1, 2, 3]\n");
	struct tree *list = map->members[2].value;

	(void)state;
	tree_set(arena, map, "d", tree_int(arena, 4));
	tree_set(arena, map, "e", tree_int(arena, 5));
	tree_push(arena, list, tree_int(arena, 4));
	tree_push(arena, list, tree_int(arena, 5));
	assert_printed(tree_json, map,
		       "{\"a\":1,\"b\":2,\"c\":[1,2,3,4,5],\"d\":4,\"e\":5}");
}

static void test_canonical(void **state)
{
	/* clang-format off */
	static const struct { const char *yaml, *json; } cases[] = {
		{ "b: 1\na: 2\nB: 3\n\xc3\xa9: 4", "{\"B\":3,\"a\":2,\"b\":1,\"\xc3\xa9\":4}" },
		{ "a: null\nb: {c: null}\nd: [null]", "{\"b\":{},\"d\":[null]}" },
		{ "[1.0, 1.50, 1e3, -0, -0.0, 0.1]", "[1.0,1.5,1e+03,0,-0.0,0.1]" },
		{ "[9223372036854775807, 9223372036854775808]", "[9223372036854775807,9.223372036854776e+18]" },
		{ "\"\\\"\\\\/\\b\\f\\n\\r\\t\\e\\x7f\\u2028\"",
		  "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001b\x7f\xe2\x80\xa8\"" },
		{ "[true, false, yes, ~, '']", "[true,false,\"yes\",\"~\",\"\"]" },
		{ "{}", "{}" },
		{ "[]", "[]" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_printed(tree_json, yaml(cases[i].yaml), cases[i].json);
}

static void test_pretty(void **state)
{
	(void)state;
	assert_printed(tree_json_pretty, yaml("b: {}\na:\n- 1\n- {c: d, e: []}\n"),
		       "{\n  \"b\": {},\n  \"a\": [\n    1,\n    {\n      \"c\": \"d\",\n"
		       "      \"e\": []\n    }\n  ]\n}");
	assert_printed(tree_json_pretty, yaml("x"), "\"x\"");
}

static void test_yaml(void **state)
{
	static const char route[] = "type: MeshTCPRoute\n"
				    "name: split\n"
				    "spec:\n"
				    "  to:\n"
				    "    - targetRef:\n"
				    "        kind: MeshService\n"
				    "      rules:\n"
				    "        - default:\n"
				    "            weight: 90\n"
				    "            empty: []\n"
				    "    - - 1\n"
				    "      - 2.5\n"
				    "  note: |\n"
				    "    two\n"
				    "\n"
				    "     lines\n";

	(void)state;
	assert_printed(tree_yaml, yaml(route), route);
}

/* Quotes only where text would be read as something else, here or by others. */
static void test_quotes(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *yaml; } cases[] = {
		{ "plain", "plain\n" },
		{ "kuma.io/service", "kuma.io/service\n" },
		{ "10.0.0.1", "10.0.0.1\n" },
		{ "10s", "10s\n" },
		{ "two words", "two words\n" },
		{ "http://x:80/", "http://x:80/\n" },
		{ "h\xc3\xa9", "h\xc3\xa9\n" },
		{ "", "\"\"\n" },
		{ "1.0", "\"1.0\"\n" },
		{ "0x10", "\"0x10\"\n" },
		{ "2020-01-01", "\"2020-01-01\"\n" },
		{ "12:30", "\"12:30\"\n" },
		{ "True", "\"True\"\n" },
		{ "no", "\"no\"\n" },
		{ "~", "\"~\"\n" },
		{ "*", "\"*\"\n" },
		{ "<<", "\"<<\"\n" },
		{ "---", "\"---\"\n" },
		{ "a: b", "\"a: b\"\n" },
		{ "a #b", "\"a #b\"\n" },
		{ "a ", "\"a \"\n" },
		{ "a:", "\"a:\"\n" },
		{ "a\tb", "\"a\\tb\"\n" },
		{ "a\n", "\"a\\n\"\n" },
		{ "\x7f\xe2\x80\xa8", "\"\\u007F\\u2028\"\n" },
		{ "\\\"", "\"\\\\\\\"\"\n" },
		{ "a\nb", "|-\n  a\n  b\n" },
		{ "a \nb", "\"a \\nb\"\n" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tree *tree = tree_text(arena, cases[i].text);
		assert_printed(tree_yaml, tree, cases[i].yaml);
		struct tree *back = yaml(cases[i].yaml);
		assert_int_equal(back->type, TREE_TEXT);
		assert_string_equal(back->text, cases[i].text);
	}
}

/* libyaml wants ":" within 1024 characters of a simple key. */
static void test_long_key(void **state)
{
	char key[3000];
	struct tree *map = tree_map(arena);
	struct zl_buf out = { 0 };

	(void)state;
	memset(key, '\1', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	tree_set(arena, map, key, tree_int(arena, 1));
	key[160] = '\0';
	tree_set(arena, map, key, tree_map(arena));
	tree_yaml(map, &out);
	struct tree *back = yaml(zl_buf_text(&out));
	assert_int_equal(back->count, 2);
	assert_int_equal(strlen(back->members[0].key), 2999);
	assert_int_equal(strlen(back->members[1].key), 160);
	zl_buf_free(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_get),       TEST(test_build),    TEST(test_build_on_read),
		TEST(test_canonical), TEST(test_pretty),   TEST(test_yaml),
		TEST(test_quotes),    TEST(test_long_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
