/* model/tree.h - a document as it was written, before anyone knows what it means.
 *
 * Readers make it from YAML or JSON, resource.h makes typed resources from it, printers
 * make YAML or canonical JSON of it.
 *
 * Threads:  pure.
 * Lifetime: all of a tree lives in the arena it was made in, and is not edited once it
 *           is handed over.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tree_type {
	TREE_NULL,
	TREE_BOOL,
	TREE_INT,
	TREE_REAL,
	TREE_TEXT,
	TREE_LIST,
	TREE_MAP
};

struct tree_member;

struct tree {
	enum tree_type type;
	unsigned line, column; /* from 1; 0: unknown */
	bool boolean;
	int64_t integer; /* TREE_INT; beyond int64 a number is TREE_REAL */
	double real;     /* TREE_REAL */
	const char
		*text; /* TREE_TEXT: UTF-8 without NUL. TREE_INT, TREE_REAL: as written */
	struct tree **items; /* TREE_LIST: count of them */
	struct tree_member
		*members; /* TREE_MAP: count of them, as written; keys differ */
	size_t count;
};

struct tree_member {
	const char *key;
	struct tree *value;
	unsigned line, column; /* of the key */
};

/* The member of a map, or NULL: also when map is NULL, not a map, or the member is null
 * (D39: null counts as absent). */
const struct tree *tree_get(const struct tree *map, const char *key);

/* "text", "number", "boolean", "list", "object", "null": for messages. */
const char *tree_type_text(enum tree_type type);

/* Builders, for code that makes documents. text is copied. */
struct tree *tree_map(struct zl_arena *arena);
struct tree *tree_list(struct zl_arena *arena);
struct tree *tree_text(struct zl_arena *arena, const char *text);
struct tree *tree_int(struct zl_arena *arena, int64_t value);
struct tree *tree_bool(struct zl_arena *arena, bool value);
void tree_set(struct zl_arena *arena, struct tree *map, const char *key,
	      struct tree *value); /* replaces an equal key */
void tree_push(struct zl_arena *arena, struct tree *list, struct tree *value);
/* All of tree, without members that are null; texts are copied, positions kept. */
struct tree *tree_copy(const struct tree *tree, struct zl_arena *arena);

/* Canonical JSON: keys sorted by bytes, no white space, shortest escapes, absent members
 * instead of nulls; equal meaning gives equal bytes. Appends. */
void tree_json(const struct tree *tree, struct zl_buf *out);
/* True if both mean the same: their canonical JSON is equal. */
bool tree_equal(const struct tree *a, const struct tree *b);
/* JSON for people: members in their order, indented by two spaces. Appends. */
void tree_json_pretty(const struct tree *tree, struct zl_buf *out);
/* Block YAML, which read_yaml reads back equal. Appends. */
void tree_yaml(const struct tree *tree, struct zl_buf *out);
