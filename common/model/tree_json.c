#include "model/scalar.h"
#include "model/tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void text(const char *from, struct zl_buf *out)
{
	static const char SHORT[] = "\b\f\n\r\t\"\\";
	static const char LETTERS[] = "bfnrt\"\\";

	zl_buf_char(out, '"');
	for (const char *at = from; *at != '\0';) {
		/* Runs of plain bytes go in one piece. */
		const char *stop = at;
		while ((unsigned char)*stop >= 0x20 && *stop != '"' && *stop != '\\')
			stop++;
		zl_buf_add(out, at, (size_t)(stop - at));
		at = stop;
		if (*at == '\0')
			break;
		const char *found = strchr(SHORT, *at);
		if (found != NULL)
			zl_buf_format(out, "\\%c", LETTERS[found - SHORT]);
		else
			zl_buf_format(out, "\\u%04x", (unsigned char)*at);
		at++;
	}
	zl_buf_char(out, '"');
}

static void scalar(const struct tree *tree, struct zl_buf *out)
{
	char real[SCALAR_REAL_MAX];

	switch (tree->type) {
	case TREE_BOOL:
		zl_buf_str(out, tree->boolean ? "true" : "false");
		break;
	case TREE_INT:
		zl_buf_format(out, "%" PRId64, tree->integer);
		break;
	case TREE_REAL:
		scalar_real(tree->real, real);
		zl_buf_str(out, real);
		break;
	case TREE_TEXT:
		text(tree->text, out);
		break;
	default:
		zl_buf_str(out, "null");
	}
}

enum { MEMBER = sizeof(const struct tree_member *) };

static int by_key(const void *a, const void *b)
{
	const struct tree_member *const *left = a;
	const struct tree_member *const *right = b;

	return strcmp((*left)->key, (*right)->key);
}

static void canonical_map(const struct tree *map, struct zl_buf *out)
{
	const struct tree_member **sorted = zl_alloc(map->count, MEMBER);
	size_t count = 0;

	for (size_t i = 0; i < map->count; i++)
		if (map->members[i].value->type != TREE_NULL)
			sorted[count++] = &map->members[i];
	qsort(sorted, count, MEMBER, by_key);

	zl_buf_char(out, '{');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			zl_buf_char(out, ',');
		text(sorted[i]->key, out);
		zl_buf_char(out, ':');
		tree_json(sorted[i]->value, out);
	}
	zl_buf_char(out, '}');
	free(sorted);
}

void tree_json(const struct tree *tree, struct zl_buf *out)
{
	if (tree->type == TREE_MAP) {
		canonical_map(tree, out);
	} else if (tree->type == TREE_LIST) {
		zl_buf_char(out, '[');
		for (size_t i = 0; i < tree->count; i++) {
			if (i > 0)
				zl_buf_char(out, ',');
			tree_json(tree->items[i], out);
		}
		zl_buf_char(out, ']');
	} else {
		scalar(tree, out);
	}
}

static void new_line(size_t depth, struct zl_buf *out)
{
	zl_buf_char(out, '\n');
	for (size_t i = 0; i < depth; i++)
		zl_buf_str(out, "  ");
}

static void pretty(const struct tree *tree, size_t depth, struct zl_buf *out)
{
	bool map = tree->type == TREE_MAP;

	if (!map && tree->type != TREE_LIST) {
		scalar(tree, out);
		return;
	}
	if (tree->count == 0) {
		zl_buf_str(out, map ? "{}" : "[]");
		return;
	}
	zl_buf_char(out, map ? '{' : '[');
	for (size_t i = 0; i < tree->count; i++) {
		if (i > 0)
			zl_buf_char(out, ',');
		new_line(depth + 1, out);
		if (map) {
			text(tree->members[i].key, out);
			zl_buf_str(out, ": ");
		}
		pretty(map ? tree->members[i].value : tree->items[i], depth + 1, out);
	}
	new_line(depth, out);
	zl_buf_char(out, map ? '}' : ']');
}

void tree_json_pretty(const struct tree *tree, struct zl_buf *out)
{
	pretty(tree, 0, out);
}

bool tree_equal(const struct tree *a, const struct tree *b)
{
	struct zl_buf one = { 0 };
	struct zl_buf other = { 0 };

	tree_json(a, &one);
	tree_json(b, &other);
	bool equal = strcmp(zl_buf_text(&one), zl_buf_text(&other)) == 0;
	zl_buf_free(&one);
	zl_buf_free(&other);
	return equal;
}
