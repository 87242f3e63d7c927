/* Whatever read_json takes, tree_json prints canonically and tree_yaml such that it means
 * the same. */
#include "model/read.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_canonical(const struct tree *tree, const struct zl_buf *want)
{
	struct zl_buf text = { 0 };

	tree_json(tree, &text);
	assert(text.len == want->len && memcmp(text.data, want->data, text.len) == 0);
	zl_buf_free(&text);
}

static void check_prints(const struct tree *tree, struct zl_arena *arena)
{
	struct zl_buf canonical = { 0 };
	struct zl_buf text = { 0 };
	struct zl_err err = { 0 };
	struct tree *back;
	struct docs docs;

	tree_json(tree, &canonical);
	if (canonical.len <= READ_DOC_BYTES_MAX) {
		assert(read_json(canonical.data, canonical.len, arena, &back, NULL) ==
		       ZL_OK);
		assert_canonical(back, &canonical);
	}
	tree_json_pretty(tree, &text);
	if (text.len <= READ_DOC_BYTES_MAX) {
		assert(read_json(text.data, text.len, arena, &back, NULL) == ZL_OK);
		assert_canonical(back, &canonical);
	}
	zl_buf_free(&text);
	tree_yaml(tree, &text);
	if (text.len <= READ_DOC_BYTES_MAX) {
		if (read_yaml(text.data, text.len, arena, &docs, &err) != ZL_OK)
			(void)fprintf(stderr, "%s\n%s\n", err.msg, text.data);
		assert(docs.count == (tree->type != TREE_NULL));
		if (docs.count == 1)
			assert_canonical(docs.items[0], &canonical);
	}
	zl_buf_free(&text);
	zl_buf_free(&canonical);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_err err = { 0 };
	struct tree *tree;

	if (read_json(data, size, arena, &tree, &err) == ZL_OK)
		check_prints(tree, arena);
	else
		assert(tree == NULL && err.msg[0] >= '1' && err.msg[0] <= '9');
	zl_arena_free(&arena);
	return 0;
}
