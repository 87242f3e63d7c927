#include "model/read.h"

#include "model/scalar.h"
#include "model/tree_grow.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

struct reader {
	struct zl_arena *arena; /* borrowed */
	struct zl_err *err;
	size_t events, max_events, max_depth;
};

static enum zl_code convert(struct reader *reader, const json_t *from, size_t depth,
			    struct tree **out);

static enum zl_code convert_list(struct reader *reader, const json_t *from, size_t depth,
				 struct tree *list)
{
	for (size_t i = 0; i < json_array_size(from); i++) {
		struct tree *item;
		enum zl_code code =
			convert(reader, json_array_get(from, i), depth + 1, &item);
		if (code != ZL_OK)
			return code;
		tree_push(reader->arena, list, item);
	}
	return ZL_OK;
}

/* jansson walks by iterators that it wants not const, and only reads. */
static json_t *walkable(const json_t *from)
{
	union {
		const json_t *in;
		json_t *out;
	} ptr = { .in = from };

	return ptr.out;
}

static enum zl_code convert_map(struct reader *reader, const json_t *from, size_t depth,
				struct tree *map)
{
	json_t *object = walkable(from);

	for (void *at = json_object_iter(object); at != NULL;
	     at = json_object_iter_next(object, at)) {
		struct tree *value;
		enum zl_code code =
			convert(reader, json_object_iter_value(at), depth + 1, &value);
		if (code != ZL_OK)
			return code;
		reader->events++;
		tree_append(reader->arena, map,
			    zl_arena_strdup(reader->arena, json_object_iter_key(at)),
			    value);
	}
	return ZL_OK;
}

static void convert_scalar(struct reader *reader, const json_t *from, struct tree *tree)
{
	char real[SCALAR_REAL_MAX];

	switch (json_typeof(from)) {
	case JSON_STRING:
		tree->type = TREE_TEXT;
		tree->text = zl_arena_strdup(reader->arena, json_string_value(from));
		break;
	case JSON_INTEGER:
		tree->type = TREE_INT;
		tree->integer = json_integer_value(from);
		tree->text = zl_arena_format(reader->arena, "%" PRId64, tree->integer);
		break;
	case JSON_REAL:
		tree->type = TREE_REAL;
		tree->real = json_real_value(from);
		scalar_real(tree->real, real);
		tree->text = zl_arena_strdup(reader->arena, real);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		tree->type = TREE_BOOL;
		tree->boolean = json_is_true(from);
		break;
	default:
		tree->type = TREE_NULL;
	}
}

/* depth: how many lists and objects from is in. */
static enum zl_code convert(struct reader *reader, const json_t *from, size_t depth,
			    struct tree **out)
{
	struct tree *tree = zl_arena_alloc(reader->arena, 1, sizeof(*tree));

	*out = tree;
	if (++reader->events > reader->max_events)
		return zl_fail(reader->err, ZL_ELIMIT,
			       "1:1: more than %zu values and keys: split it",
			       reader->max_events);
	if (!json_is_object(from) && !json_is_array(from)) {
		convert_scalar(reader, from, tree);
		return ZL_OK;
	}
	if (depth == reader->max_depth)
		return zl_fail(reader->err, ZL_ELIMIT,
			       "1:1: nested deeper than %zu levels", depth);
	reader->events++; /* its end */
	tree->type = json_is_object(from) ? TREE_MAP : TREE_LIST;
	return tree->type == TREE_MAP ? convert_map(reader, from, depth, tree)
				      : convert_list(reader, from, depth, tree);
}

static enum zl_code fail_syntax(struct zl_err *err, const json_error_t *error)
{
	int line = error->line > 0 ? error->line : 1;
	int column = error->column > 0 ? error->column : 1;

	switch (json_error_code(error)) {
	case json_error_stack_overflow:
		return zl_fail(err, ZL_ELIMIT, "%d:%d: nested deeper than 32 levels",
			       line, column);
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return zl_fail(err, ZL_ESYNTAX,
			       "%d:%d: the character U+0000 is not allowed in a text",
			       line, column);
	case json_error_numeric_overflow:
		return zl_fail(err, ZL_ESYNTAX,
			       "%d:%d: the number is too large: quote it if it is a text",
			       line, column);
	default:
		return zl_fail(err, ZL_ESYNTAX, "%d:%d: %s", line, column, error->text);
	}
}

static enum zl_code read_within(struct reader *reader, const void *bytes, size_t len,
				struct tree **out)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
	const char *text = bytes;
	json_error_t error;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	enum zl_code code = scalar_check(text, len, false, reader->err);
	if (code != ZL_OK)
		return code;
	json_t *root = json_loadb(text, len, flags, &error);
	if (root == NULL)
		return fail_syntax(reader->err, &error);
	code = convert(reader, root, 0, out);
	json_decref(root);
	if (code != ZL_OK)
		*out = NULL;
	return code;
}

enum zl_code read_json(const void *bytes, size_t len, struct zl_arena *arena,
		       struct tree **out, struct zl_err *err)
{
	struct reader reader = { .arena = arena,
				 .err = err,
				 .max_events = READ_DOC_EVENTS_MAX,
				 .max_depth = READ_DEPTH_MAX };

	*out = NULL;
	if (len > READ_DOC_BYTES_MAX)
		return zl_fail(err, ZL_ELIMIT,
			       "1:1: more than 1 MiB in one document: split it");
	return read_within(&reader, bytes, len, out);
}

enum zl_code read_json_large(const void *bytes, size_t len, struct zl_arena *arena,
			     struct tree **out, struct zl_err *err)
{
	/* Lists and answers hold documents some levels below their own. */
	struct reader reader = { .arena = arena,
				 .err = err,
				 .max_events = SIZE_MAX,
				 .max_depth = READ_DEPTH_MAX + 8 };

	*out = NULL;
	if (len > READ_LARGE_BYTES_MAX)
		return zl_fail(err, ZL_ELIMIT, "1:1: more than 256 MiB");
	return read_within(&reader, bytes, len, out);
}
