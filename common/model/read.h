/* model/read.h - bytes from outside into trees, strictly and within limits.
 *
 * Refused with line and column (from 1) in the message: bytes that are no UTF-8, syntax,
 * anchors, aliases, tags, merge keys, duplicate keys, keys that are no text, NUL, too
 * deep, too large, too many. Scalars have JSON's syntax for numbers, booleans and null;
 * any other plain scalar, and every quoted one, is text (D28).
 *
 * Threads:  pure.
 * Lifetime: trees live in the arena.
 */
#pragma once

#include "model/tree.h"

enum {
	READ_DEPTH_MAX = 32,
	READ_DOC_BYTES_MAX = 1 << 20,
	READ_DOC_EVENTS_MAX = 200000,
	READ_STREAM_BYTES_MAX = 16 << 20,
	READ_STREAM_DOCS_MAX = 10000,
	READ_LARGE_BYTES_MAX = 256 << 20
};

struct docs {
	struct tree **items; /* empty documents left out */
	size_t *numbers;     /* of each item: its place in the stream, from 1 */
	size_t count;
};

/* A YAML stream; JSON is read as well. ZL_ESYNTAX with "line:column: what", ZL_ELIMIT
 * when a limit is passed. On a failure docs is empty. */
ZL_MUST_USE enum zl_code read_yaml(const void *bytes, size_t len, struct zl_arena *arena,
				   struct docs *docs, struct zl_err *err);

/* One JSON value. The same errors, the same limits of one document. */
ZL_MUST_USE enum zl_code read_json(const void *bytes, size_t len, struct zl_arena *arena,
				   struct tree **out, struct zl_err *err);

/* The same without the limit of one document, for a list of documents whose size its
 * transport bounds, and for the answers of our own servers. */
ZL_MUST_USE enum zl_code read_json_large(const void *bytes, size_t len,
					 struct zl_arena *arena, struct tree **out,
					 struct zl_err *err);
