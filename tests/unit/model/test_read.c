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

static struct docs read_ok(const char *text)
{
	struct docs docs;
	struct zl_err err = { 0 };

	if (read_yaml(text, strlen(text), arena, &docs, &err) != ZL_OK)
		fail_msg("%s\n%s", err.msg, text);
	return docs;
}

static const struct tree *yaml(const char *text)
{
	struct docs docs = read_ok(text);

	assert_int_equal(docs.count, 1);
	return docs.items[0];
}

static void assert_json(const char *text, const char *want)
{
	struct zl_buf out = { 0 };

	tree_json(yaml(text), &out);
	assert_string_equal(zl_buf_text(&out), want);
	zl_buf_free(&out);
}

static void refused(const void *bytes, size_t len, enum zl_code code, const char *start)
{
	struct docs docs = { .count = 99 };
	struct zl_err err = { 0 };

	if (read_yaml(bytes, len, arena, &docs, &err) != code)
		fail_msg("code %d (%s) for: %.100s", err.code, err.msg,
			 (const char *)bytes);
	assert_int_equal(docs.count, 0);
	if (strncmp(err.msg, start, strlen(start)) != 0)
		fail_msg("\"%s\", not \"%s\"", err.msg, start);
}

static void test_scalars(void **state)
{
	/* clang-format off */
	static const struct { const char *text; enum tree_type type; } cases[] = {
		{ "0", TREE_INT }, { "-12", TREE_INT }, { "9223372036854775807", TREE_INT },
		{ "9223372036854775808", TREE_REAL }, { "-9223372036854775809", TREE_REAL },
		{ "1.5", TREE_REAL }, { "1e3", TREE_REAL }, { "-0.0E-7", TREE_REAL },
		{ "true", TREE_BOOL }, { "false", TREE_BOOL },
		{ "True", TREE_TEXT }, { "yes", TREE_TEXT }, { "off", TREE_TEXT }, { "Null", TREE_TEXT },
		{ "~", TREE_TEXT }, { "+1", TREE_TEXT }, { "01", TREE_TEXT }, { "0x10", TREE_TEXT },
		{ "0o7", TREE_TEXT }, { "1_000", TREE_TEXT }, { ".5", TREE_TEXT }, { "1.", TREE_TEXT },
		{ "1e", TREE_TEXT }, { "1.2.3", TREE_TEXT }, { ".inf", TREE_TEXT }, { ".nan", TREE_TEXT },
		{ "-", TREE_LIST }, { "inf", TREE_TEXT }, { "nan", TREE_TEXT }, { "1 2", TREE_TEXT },
		{ "'1'", TREE_TEXT }, { "\"true\"", TREE_TEXT }, { "'null'", TREE_TEXT },
		{ "|\n  1", TREE_TEXT }, { ">\n  1", TREE_TEXT }, { "''", TREE_TEXT },
		{ "2020-01-01", TREE_TEXT }, { "12:30:45", TREE_TEXT },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tree *tree = yaml(cases[i].text);
		if (tree->type != cases[i].type)
			fail_msg("%s is %s", cases[i].text, tree_type_text(tree->type));
	}
	assert_int_equal(yaml("-9223372036854775808")->integer, INT64_MIN);
	assert_string_equal(yaml("1.50")->text, "1.50");
	assert_true(yaml("[true]")->items[0]->boolean);
	assert_int_equal(yaml("[null]")->items[0]->type, TREE_NULL);
	assert_int_equal(yaml("a:\n")->members[0].value->type, TREE_NULL);
}

static void test_places(void **state)
{
	const struct tree *map = yaml("# first\na:\n  - b: 1\n    \xc3\xa9: {c: x}\n");
	const struct tree *item = map->members[0].value->items[0];

	(void)state;
	assert_int_equal(map->members[0].line, 2);
	assert_int_equal(map->members[0].column, 1);
	assert_int_equal(item->line, 3);
	assert_int_equal(item->column, 5);
	assert_int_equal(item->members[1].line, 4);
	assert_int_equal(item->members[1].column, 5);
	assert_int_equal(item->members[1].value->members[0].value->column, 12);
}

static void test_documents(void **state)
{
	struct docs docs =
		read_ok("--- \n---\na: 1\n---\n# none\n---\nnull\n...\n---\nb: 2\n");

	(void)state;
	assert_int_equal(docs.count, 2);
	assert_int_equal(docs.numbers[0], 2);
	assert_int_equal(docs.numbers[1], 5);
	assert_non_null(tree_get(docs.items[1], "b"));
	assert_int_equal(read_ok("").count, 0);
	assert_int_equal(read_ok(" \n# only\n").count, 0);
	assert_int_equal(read_ok("\xef\xbb\xbf").count, 0);
	assert_int_equal(read_ok("\xef\xbb\xbf"
				 "a: 1")
				 .count,
			 1);
	assert_int_equal(read_yaml(NULL, 0, arena, &docs, NULL), ZL_OK);
}

static void test_keys(void **state)
{
	(void)state;
	assert_json(
		"1: a\ntrue: b\nnull: c\n\"\": d\n'<<': e\n",
		"{\"\":\"d\",\"1\":\"a\",\"<<\":\"e\",\"null\":\"c\",\"true\":\"b\"}");
	assert_json("? a\n: 1\n", "{\"a\":1}");
}

static void test_json_in_yaml(void **state)
{
	(void)state;
	assert_json("{\"a\":[1,\"\\u00e9\\/\",{\"b\":null}],\n\t\"c\":true}",
		    "{\"a\":[1,\"\xc3\xa9/\",{}],\"c\":true}");
	/* libyaml has no surrogate pairs. */
	assert_json(" {\"a\": \"\\ud83d\\ude00\"}", "{\"a\":\"\xf0\x9f\x98\x80\"}");
	static const char twice[] = "{\"a\":1,\"a\":\"\\ud83d\\ude00\"}";
	refused(twice, sizeof(twice) - 1, ZL_ESYNTAX, "1:15: found invalid Unicode");
}

static void test_refused(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *message; } cases[] = {
		{ "a: 1\nb:\n  name: 1\n  x: 2\n  name: 3\n", "5:3: duplicate key \"name\" (first at 3:3)" },
		{ "{a: 1, 'a': 2}", "1:8: duplicate key \"a\" (first at 1:2)" },
		{ "a: 1\n\"a\": 2\na: 3", "2:1: duplicate key \"a\" (first at 1:1)" },
		{ "a: &x 1", "1:4: anchors are not supported" },
		{ "- &x\n- 1", "1:3: anchors are not supported" },
		{ "a: &x {b: 1}", "1:4: anchors are not supported" },
		{ "&x a: 1", "1:1: anchors are not supported" },
		{ "a: *x", "1:4: aliases are not supported" },
		{ "*x : 1", "1:1: aliases are not supported" },
		{ "a: !!str 1", "1:4: tags are not supported" },
		{ "a: ! 1", "1:4: tags are not supported" },
		{ "\xc3\xa9: ! '1'", "1:4: tags are not supported" },
		{ "- !x [1]", "1:3: tags are not supported" },
		{ "! a: 1", "1:1: tags are not supported" },
		{ "%TAG !e! tag:x,2000:\n---\na: 1", "1:1: %TAG is not supported" },
		{ "a:\n  <<: {b: 1}", "2:3: merge keys are not supported" },
		{ "[a]: 1", "1:1: a key must be text, not a list" },
		{ "? {a: 1}\n: 2", "1:3: a key must be text, not an object" },
		{ "{? : 1}", "1:4: a key is missing" },
		{ "a: \"\\0\"", "1:4: the character U+0000 is not allowed" },
		{ "a: \x01", "1:4: the character U+0001 is not allowed" },
		{ "\n \x7f", "2:2: the character U+007F is not allowed" },
		{ "a: \xef\xbb\xbf", "1:4: the character U+FEFF is not allowed" },
		{ "a: \xff", "1:4: byte 0xff is not UTF-8" },
		{ "a\nb\xc3", "2:2: byte 0xc3 is not UTF-8" },
		{ "\xc0\x80", "1:1: byte 0xc0 is not UTF-8" },
		{ "\xe0\x80\x80", "1:1: byte 0xe0 is not UTF-8" },
		{ "\xed\xa0\x80", "1:1: byte 0xed is not UTF-8" },
		{ "\xf4\x90\x80\x80", "1:1: byte 0xf4 is not UTF-8" },
		{ "\xff\xfe" "a", "1:1: byte 0xff is not UTF-8" },
		{ "a: 1e999", "1:4: the number is too large" },
		{ "a: [1", "2:1: did not find expected ',' or ']' (while parsing a flow sequence from 1:4)" },
		{ "a: b: c", "1:5: mapping values are not allowed in this context: quote" },
		{ "a:\n\tb: 1", "2:1: found character that cannot start any token: indent with spaces" },
		{ "a: @b", "1:4: found character that cannot start any token" },
		{ "a: \"\\q\"", "1:5: found unknown escape character (while parsing a quoted scalar from 1:4): write \"\\\\\" for a backslash" },
		{ "\"\\xyz\"", "1:4: did not find expected hexdecimal number (while parsing a quoted scalar from 1:1): write" },
		{ "a\nb: 1\n", "2:2: mapping values are not allowed" },
		{ "a: 1\n}", "2:1: did not find expected" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		refused(cases[i].text, strlen(cases[i].text), ZL_ESYNTAX,
			cases[i].message);
	refused("a: 1\0", 5, ZL_ESYNTAX, "1:5: the character U+0000 is not allowed");
}

/* ---- limits ---- */
static struct zl_buf repeated(const char *start, const char *text, size_t count)
{
	struct zl_buf buf = { 0 };

	zl_buf_str(&buf, start);
	for (size_t i = 0; i < count; i++)
		zl_buf_str(&buf, text);
	return buf;
}

static void limit(struct zl_buf buf, const char *message)
{
	struct docs docs;

	if (message != NULL)
		refused(buf.data, buf.len, ZL_ELIMIT, message);
	else
		assert_int_equal(read_yaml(buf.data, buf.len, arena, &docs, NULL), ZL_OK);
	zl_buf_free(&buf);
}

static void test_depth(void **state)
{
	struct zl_buf deep = repeated("", "[", READ_DEPTH_MAX);

	(void)state;
	for (size_t i = 0; i < READ_DEPTH_MAX; i++)
		zl_buf_char(&deep, ']');
	limit(deep, NULL);
	limit(repeated("", "[", 33), "1:33: nested deeper than 32 levels");
	limit(repeated("", "[", 200000), "1:33: nested deeper than 32 levels");
	limit(repeated("", "{a: ", 100000), "1:129: nested deeper than 32 levels");
	limit(repeated("", "- ", 100000), "1:65: nested deeper than 32 levels");
}

static void test_sizes(void **state)
{
	static const char large[] = "1:4: more than 1 MiB in one document: split it";
	enum { PAIRS = (READ_DOC_BYTES_MAX - 3) / 2, LINES = READ_STREAM_BYTES_MAX / 8 };

	(void)state;
	limit(repeated("a: ", "\xc3\xa9", PAIRS), NULL); /* bytes, not characters */
	limit(repeated("a: ", "\xc3\xa9", PAIRS + 1), large);
	limit(repeated("a: ", "x", READ_DOC_BYTES_MAX), large);
	limit(repeated("", "--- 1\n", READ_STREAM_DOCS_MAX), NULL);
	limit(repeated("", "--- 1\n", READ_STREAM_DOCS_MAX + 1),
	      "10001:1: more than 10000 documents");
	limit(repeated("", "- 1\n", READ_DOC_EVENTS_MAX - 4), NULL);
	limit(repeated("", "- 1\n", READ_DOC_EVENTS_MAX + 1),
	      "199999:3: more than 200000 values and keys");
	limit(repeated("", "# 34567\n", LINES), NULL);
	limit(repeated("x", "# 34567\n", LINES), "more than 16 MiB");
}

/* Many keys are compared in n log n, and a duplicate among them is found. */
static void test_many_keys(void **state)
{
	struct zl_buf buf = { 0 };

	(void)state;
	for (unsigned i = 0; i < 90000; i++)
		zl_buf_format(&buf, "%05x: 1\n", i * 7919u % 90001u);
	limit((struct zl_buf){ zl_strdup(buf.data), buf.len, 0 }, NULL);
	zl_buf_str(&buf, "00000: 1\n01eef: 1\n");
	refused(buf.data, buf.len, ZL_ESYNTAX,
		"90001:1: duplicate key \"00000\" (first at 1:1)");
	zl_buf_free(&buf);
}

/* ---- JSON ---- */
static enum zl_code json(const char *text, size_t len, struct tree **tree,
			 struct zl_err *err)
{
	*err = (struct zl_err){ 0 };
	return read_json(text, len, arena, tree, err);
}

static void test_json(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf{\"b\":[1,-2.5,1e2,true,null,\"\\ud83d\\ude00\"],\"a\":{}}";
	struct tree *tree;
	struct zl_err err;
	struct zl_buf out = { 0 };

	(void)state;
	assert_int_equal(json(text, sizeof(text) - 1, &tree, &err), ZL_OK);
	assert_string_equal(tree->members[0].key, "b"); /* as written */
	assert_int_equal(tree->line, 0);
	tree_json(tree, &out);
	assert_string_equal(zl_buf_text(&out), "{\"a\":{},\"b\":[1,-2.5,1e+02,true,null,"
					       "\"\xf0\x9f\x98\x80\"]}");
	zl_buf_free(&out);
	assert_int_equal(json("3", 1, &tree, &err), ZL_OK);
	assert_int_equal(tree->integer, 3);
}

static void test_json_refused(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *message; } cases[] = {
		{ "", "1:1: " },
		{ "{\"a\":1,\n\"a\":2}", "2:3: duplicate" },
		{ "[1", "1:2: ']' expected" },
		{ "[1]\nx", "2:1: end of file expected" },
		{ "[99999999999999999999]", "1:21: the number is too large" },
		{ "[1e999]", "1:6: the number is too large" },
		{ "[\"\\u0000\"]", "1:9: the character U+0000 is not allowed" },
		{ "{\"\\u0000\":1}", "1:9: the character U+0000 is not allowed" },
		{ "[\"\\ud800\"]", "1:" },
		{ "[01]", "1:" },
		{ "{a:1}", "1:" },
		{ "[\"\xff\"]", "1:3: byte 0xff is not UTF-8" },
		{ "[NaN]", "1:" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tree *tree;
		struct zl_err err;
		if (json(cases[i].text, strlen(cases[i].text), &tree, &err) !=
			    ZL_ESYNTAX ||
		    strncmp(err.msg, cases[i].message, strlen(cases[i].message)) != 0)
			fail_msg("code %d, %s for %s", err.code, err.msg, cases[i].text);
		assert_null(tree);
	}
}

static void json_limit(struct zl_buf buf, const char *message)
{
	struct tree *tree;
	struct zl_err err;

	assert_int_equal(json(buf.data, buf.len, &tree, &err),
			 message != NULL ? ZL_ELIMIT : ZL_OK);
	assert_string_equal(err.msg, message != NULL ? message : "");
	zl_buf_free(&buf);
}

static void test_json_limits(void **state)
{
	struct zl_buf deep = repeated("", "[", 33);
	struct zl_buf many = repeated("[1", ",1", 99999);
	struct zl_buf more = repeated("[1", ",1", 200000);

	(void)state;
	for (size_t i = 0; i < 33; i++)
		zl_buf_char(&deep, ']');
	json_limit(deep, "1:1: nested deeper than 32 levels");
	json_limit(repeated("", "[", 200000), "1:2049: nested deeper than 32 levels");
	zl_buf_char(&many, ']');
	json_limit(many, NULL);
	zl_buf_char(&more, ']');
	json_limit(more, "1:1: more than 200000 values and keys: split it");
	json_limit(repeated("", " ", READ_DOC_BYTES_MAX + 1),
		   "1:1: more than 1 MiB in one document: split it");
}

/* A list of documents may be larger and a little deeper than one. */
static void test_json_large(void **state)
{
	struct zl_buf list = repeated("{\"items\":[", "", 0);
	struct tree *tree;

	(void)state;
	for (size_t i = 0; i < 70000; i++) {
		if (i > 0)
			zl_buf_char(&list, ',');
		zl_buf_str(&list, "{\"name\":\"some\",\"number\":1}");
	}
	zl_buf_str(&list, "]}");
	assert_int_equal(read_json(list.data, list.len, arena, &tree, NULL), ZL_ELIMIT);
	assert_int_equal(read_json_large(list.data, list.len, arena, &tree, NULL), ZL_OK);
	assert_int_equal(tree_get(tree, "items")->count, 70000);
	zl_buf_free(&list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_scalars),    TEST(test_places),       TEST(test_documents),
		TEST(test_keys),       TEST(test_json_in_yaml), TEST(test_refused),
		TEST(test_depth),      TEST(test_sizes),        TEST(test_many_keys),
		TEST(test_json),       TEST(test_json_refused), TEST(test_json_limits),
		TEST(test_json_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
