#include "model/read.h"

#include "model/scalar.h"
#include "model/tree_grow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* A list or map that has begun and not ended. */
struct level {
	struct tree *tree;
	const char *key; /* of a map: waits for its value; NULL: a key comes next */
	yaml_mark_t key_at;
};

struct reader {
	yaml_parser_t parser;
	const char *bytes; /* borrowed; without a byte order mark */
	size_t len;
	struct zl_arena *arena; /* borrowed */
	struct zl_err *err;
	struct docs docs;
	size_t index, byte; /* libyaml counts characters; byte is where that one is */
	/* of the document that is read */
	size_t number, first_byte, events, depth;
	struct tree *root;
	struct level levels[READ_DEPTH_MAX];
};

#define AT(mark) (mark).line + 1, (mark).column + 1

/* ---- what is wrong ---- */
static const struct hint {
	const char *problem, *hint;
} HINTS[] = {
	{ "cannot start any token",
	  ": indent with spaces, not tabs, and quote a text that begins so" },
	{ "mapping values are not allowed",
	  ": quote a text that holds \": \", or check the indentation" },
	{ "hexdecimal", ": write \"\\\\\" for a backslash" },
	{ "did not find expected", ": check the indentation and the brackets" },
	{ "could not find expected ':'", ": write \"key: value\" with a space" },
	{ "unknown escape character", ": write \"\\\\\" for a backslash" },
};

static const char *hint_for(const char *problem)
{
	for (size_t i = 0; i < sizeof(HINTS) / sizeof(HINTS[0]); i++)
		if (strstr(problem, HINTS[i].problem) != NULL)
			return HINTS[i].hint;
	return "";
}

static enum zl_code fail_parser(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem != NULL ? parser->problem : "no YAML";

	if (parser->error == YAML_MEMORY_ERROR)
		return zl_fail(reader->err, ZL_ENOMEM, "out of memory");
	if (parser->context == NULL ||
	    parser->context_mark.index == parser->problem_mark.index)
		return zl_fail(reader->err, ZL_ESYNTAX, "%zu:%zu: %s%s",
			       AT(parser->problem_mark), problem, hint_for(problem));
	return zl_fail(reader->err, ZL_ESYNTAX, "%zu:%zu: %s (%s from %zu:%zu)%s",
		       AT(parser->problem_mark), problem, parser->context,
		       AT(parser->context_mark), hint_for(problem));
}

static enum zl_code fail_limit(struct reader *reader, yaml_mark_t mark, const char *what)
{
	return zl_fail(reader->err, ZL_ELIMIT, "%zu:%zu: %s", AT(mark), what);
}

static enum zl_code fail_syntax(struct reader *reader, yaml_mark_t mark, const char *what)
{
	return zl_fail(reader->err, ZL_ESYNTAX, "%zu:%zu: %s", AT(mark), what);
}

/* ---- where ---- */

/* The byte of a mark; marks are asked for in their order. */
static size_t byte_of(struct reader *reader, yaml_mark_t mark)
{
	for (; reader->index < mark.index && reader->byte < reader->len;
	     reader->index++) {
		do
			reader->byte++;
		while (reader->byte < reader->len &&
		       ((unsigned char)reader->bytes[reader->byte] & 0xc0) == 0x80);
	}
	return reader->byte;
}

/* libyaml drops the tag "!" without a word, so the bytes are asked what stands there. */
static enum zl_code check_properties(struct reader *reader, const yaml_event_t *event)
{
	size_t byte = byte_of(reader, event->start_mark);
	int first = byte < reader->len ? reader->bytes[byte] : 0;

	if (event->start_mark.index == event->end_mark.index)
		return ZL_OK;
	if (event->type == YAML_ALIAS_EVENT)
		return fail_syntax(reader, event->start_mark,
				   "aliases are not supported: write the value out");
	if (first == '&')
		return fail_syntax(
			reader, event->start_mark,
			"anchors are not supported: write the value out "
			"where it is used, or quote a text that begins with &");
	if (first == '!')
		return fail_syntax(reader, event->start_mark,
				   "tags are not supported: leave it out, or quote a "
				   "text that begins with !");
	return ZL_OK;
}

/* ---- building ---- */
static struct tree *new_tree(struct reader *reader, enum tree_type type, yaml_mark_t mark)
{
	struct tree *tree = zl_arena_alloc(reader->arena, 1, sizeof(*tree));

	tree->type = type;
	tree->line = (unsigned)mark.line + 1;
	tree->column = (unsigned)mark.column + 1;
	return tree;
}

/* Put value where it belongs. */
static void place(struct reader *reader, struct tree *value)
{
	if (reader->depth == 0) {
		reader->root = value;
		return;
	}
	struct level *level = &reader->levels[reader->depth - 1];
	if (level->tree->type == TREE_LIST) {
		tree_push(reader->arena, level->tree, value);
		return;
	}
	struct tree_member *member =
		tree_append(reader->arena, level->tree, level->key, value);
	member->line = (unsigned)level->key_at.line + 1;
	member->column = (unsigned)level->key_at.column + 1;
	level->key = NULL;
}

static bool key_is_due(const struct reader *reader)
{
	if (reader->depth == 0)
		return false;
	const struct level *level = &reader->levels[reader->depth - 1];
	return level->tree->type == TREE_MAP && level->key == NULL;
}

static enum zl_code on_key(struct reader *reader, const yaml_event_t *event,
			   const char *text)
{
	struct level *level = &reader->levels[reader->depth - 1];
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (plain && *text == '\0')
		return fail_syntax(reader, event->start_mark,
				   "a key is missing before \":\"");
	if (plain && strcmp(text, "<<") == 0)
		return fail_syntax(reader, event->start_mark,
				   "merge keys are not supported: write the members out");
	level->key = text;
	level->key_at = event->start_mark;
	return ZL_OK;
}

static enum zl_code on_scalar(struct reader *reader, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	if (memchr(value, '\0', len) != NULL)
		return fail_syntax(reader, event->start_mark,
				   "the character U+0000 is not allowed in a text");
	const char *text = zl_arena_strndup(reader->arena, value, len);
	if (key_is_due(reader))
		return on_key(reader, event, text);

	struct tree *tree = new_tree(reader, TREE_TEXT, event->start_mark);
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    !scalar_read(text, tree))
		return fail_syntax(reader, event->start_mark,
				   "the number is too large: quote it if it is a text");
	if (tree->type != TREE_NULL && tree->type != TREE_BOOL)
		tree->text = text;
	place(reader, tree);
	return ZL_OK;
}

static enum zl_code on_open(struct reader *reader, const yaml_event_t *event)
{
	bool map = event->type == YAML_MAPPING_START_EVENT;

	if (key_is_due(reader))
		return fail_syntax(reader, event->start_mark,
				   map ? "a key must be text, not an object"
				       : "a key must be text, not a list");
	if (reader->depth == READ_DEPTH_MAX)
		return fail_limit(reader, event->start_mark,
				  "nested deeper than 32 levels");
	struct tree *tree =
		new_tree(reader, map ? TREE_MAP : TREE_LIST, event->start_mark);
	place(reader, tree);
	reader->levels[reader->depth++] = (struct level){ .tree = tree };
	return ZL_OK;
}

/* ---- duplicate keys ---- */
enum { MEMBER = sizeof(const struct tree_member *) };

static int by_key(const void *a, const void *b)
{
	const struct tree_member *const *left = a;
	const struct tree_member *const *right = b;
	int order = strcmp((*left)->key, (*right)->key);

	return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* The first member whose key an earlier one has, and that one. */
static const struct tree_member *duplicate(const struct tree *map,
					   const struct tree_member **first)
{
	const struct tree_member **sorted = zl_alloc(map->count, MEMBER);
	const struct tree_member *found = NULL;

	for (size_t i = 0; i < map->count; i++)
		sorted[i] = &map->members[i];
	qsort(sorted, map->count, MEMBER, by_key);
	for (size_t i = 1; i < map->count; i++)
		if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0 &&
		    (found == NULL || sorted[i] < found)) {
			found = sorted[i];
			*first = sorted[i - 1];
		}
	free(sorted);
	return found;
}

static enum zl_code on_close(struct reader *reader)
{
	const struct tree *tree = reader->levels[--reader->depth].tree;
	const struct tree_member *first = NULL;

	if (tree->type != TREE_MAP || tree->count < 2)
		return ZL_OK;
	const struct tree_member *second = duplicate(tree, &first);
	if (second == NULL)
		return ZL_OK;
	return zl_fail(reader->err, ZL_ESYNTAX,
		       "%u:%u: duplicate key \"%s\" (first at %u:%u)", second->line,
		       second->column, second->key, first->line, first->column);
}

/* ---- documents ---- */
static enum zl_code on_document(struct reader *reader, const yaml_event_t *event)
{
	if (event->data.document_start.tag_directives.start !=
	    event->data.document_start.tag_directives.end)
		return fail_syntax(reader, event->start_mark,
				   "%TAG is not supported: leave it out");
	if (reader->number == READ_STREAM_DOCS_MAX)
		return fail_limit(reader, event->start_mark,
				  "more than 10000 documents: split the input");
	reader->number++;
	reader->first_byte = byte_of(reader, event->start_mark);
	reader->events = 0;
	reader->root = NULL;
	return ZL_OK;
}

static void on_document_end(struct reader *reader)
{
	struct docs *docs = &reader->docs;

	if (reader->root == NULL || reader->root->type == TREE_NULL)
		return;
	docs->items =
		tree_grow(reader->arena, docs->items, docs->count, sizeof(struct tree *));
	docs->numbers = tree_grow(reader->arena, docs->numbers, docs->count,
				  sizeof(*docs->numbers));
	docs->items[docs->count] = reader->root;
	docs->numbers[docs->count++] = reader->number;
}

static enum zl_code on_event(struct reader *reader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(reader, event);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return on_open(reader, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(reader);
	case YAML_DOCUMENT_START_EVENT:
		return on_document(reader, event);
	case YAML_DOCUMENT_END_EVENT:
		on_document_end(reader);
		return ZL_OK;
	default:
		return ZL_OK;
	}
}

/* Count the event; a document must stay within its limits. */
static enum zl_code check_limits(struct reader *reader, const yaml_event_t *event)
{
	if (event->type == YAML_STREAM_START_EVENT ||
	    event->type == YAML_STREAM_END_EVENT)
		return ZL_OK;
	if (++reader->events > READ_DOC_EVENTS_MAX)
		return fail_limit(reader, event->start_mark,
				  "more than 200000 values and keys in one document: "
				  "split it");
	if (byte_of(reader, event->end_mark) - reader->first_byte > READ_DOC_BYTES_MAX)
		return fail_limit(reader, event->start_mark,
				  "more than 1 MiB in one document: split it");
	return ZL_OK;
}

static enum zl_code read_events(struct reader *reader)
{
	for (bool done = false; !done;) {
		yaml_event_t event;
		if (!yaml_parser_parse(&reader->parser, &event))
			return fail_parser(reader);
		enum zl_code code = check_properties(reader, &event);
		if (code == ZL_OK)
			code = on_event(reader, &event);
		if (code == ZL_OK)
			code = check_limits(reader, &event);
		done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		if (code != ZL_OK)
			return code;
	}
	return ZL_OK;
}

static enum zl_code read_stream(struct reader *reader)
{
	enum zl_code code = scalar_check(reader->bytes, reader->len, true, reader->err);

	if (code != ZL_OK)
		return code;
	if (!yaml_parser_initialize(&reader->parser))
		return zl_fail(reader->err, ZL_ENOMEM, "out of memory");
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser,
				     (const unsigned char *)reader->bytes, reader->len);
	code = read_events(reader);
	yaml_parser_delete(&reader->parser);
	return code;
}

/* ---- JSON ---- */

/* Not all of JSON is YAML for libyaml: surrogate pairs, keys of more than 1024 bytes. */
static bool looks_like_json(const struct reader *reader)
{
	size_t blank = 0;

	while (blank < reader->len && strchr(" \t\r\n", reader->bytes[blank]) != NULL)
		blank++;
	return blank < reader->len && strchr("{[", reader->bytes[blank]) != NULL;
}

static bool read_as_json(struct reader *reader)
{
	struct tree *tree;

	if (read_json(reader->bytes, reader->len, reader->arena, &tree, NULL) != ZL_OK)
		return false;
	reader->docs = (struct docs){ 0 };
	reader->root = tree;
	reader->number = 1;
	on_document_end(reader);
	return true;
}

enum zl_code read_yaml(const void *bytes, size_t len, struct zl_arena *arena,
		       struct docs *docs, struct zl_err *err)
{
	struct reader reader = { .bytes = bytes, .len = len, .arena = arena, .err = err };

	*docs = (struct docs){ 0 };
	if (len == 0)
		return ZL_OK;
	if (len > READ_STREAM_BYTES_MAX)
		return zl_fail(err, ZL_ELIMIT, "more than 16 MiB: split the input");
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		reader.bytes += 3;
		reader.len -= 3;
	}
	enum zl_code code = read_stream(&reader);
	if (code == ZL_ESYNTAX && looks_like_json(&reader) && read_as_json(&reader))
		code = ZL_OK;
	if (code == ZL_OK)
		*docs = reader.docs;
	return code;
}
