/* Whatever read_yaml takes, tree_yaml and tree_json print such that it is read back
 * equal. */
#include "model/read.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool equal(const struct tree *a, const struct tree *b)
{
	if (a->type != b->type || a->count != b->count || a->boolean != b->boolean ||
	    a->integer != b->integer || !(a->real == b->real))
		return false;
	if (a->type == TREE_TEXT && strcmp(a->text, b->text) != 0)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		bool same =
			a->type == TREE_LIST
				? equal(a->items[i], b->items[i])
				: strcmp(a->members[i].key, b->members[i].key) == 0 &&
					  equal(a->members[i].value, b->members[i].value);
		if (!same)
			return false;
	}
	return true;
}

static void check_yaml(const struct tree *tree, struct zl_arena *arena)
{
	struct zl_buf text = { 0 };
	struct zl_err err = { 0 };
	struct docs docs;

	tree_yaml(tree, &text);
	if (text.len > READ_DOC_BYTES_MAX) /* escapes may make it longer */
		goto done;
	if (read_yaml(text.data, text.len, arena, &docs, &err) != ZL_OK)
		(void)fprintf(stderr, "%s\n%s\n", err.msg, text.data);
	assert(docs.count == 1);
	assert(equal(tree, docs.items[0]));
done:
	zl_buf_free(&text);
}

static void check_json(const struct tree *tree, struct zl_arena *arena)
{
	struct zl_buf first = { 0 };
	struct zl_buf second = { 0 };
	struct tree *back = NULL;

	tree_json(tree, &first);
	if (first.len <= READ_DOC_BYTES_MAX) {
		assert(read_json(first.data, first.len, arena, &back, NULL) == ZL_OK);
		tree_json(back, &second);
		assert(first.len == second.len);
		assert(memcmp(first.data, second.data, first.len) == 0);
	}
	zl_buf_free(&first);
	zl_buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_err err = { 0 };
	struct docs docs;

	if (read_yaml(data, size, arena, &docs, &err) != ZL_OK)
		assert(docs.count == 0 && err.msg[0] >= '1' && err.msg[0] <= '9');
	for (size_t i = 0; i < docs.count; i++) {
		check_yaml(docs.items[i], arena);
		check_json(docs.items[i], arena);
	}
	zl_arena_free(&arena);
	return 0;
}
