/* rest/write.h - one write from its request to its answer. Private to the room.
 *
 * Threads:  the loop's.
 * Lifetime: from write_new to write_free; the tag of its store job meanwhile.
 */
#pragma once

#include "rest/rest.h"

enum write_kind { WRITE_PUT, WRITE_DELETE, WRITE_APPLY };

struct write_item {
	const char *type, *mesh, *name;
	struct resource *res; /* held; NULL: a delete */
};

struct write {
	struct zl_arena *arena; /* owned */
	struct http_request *req;
	enum write_kind kind;
	struct write_item *items; /* one for each op of the job */
	size_t count;
	struct tree *warnings;
	const char *wait; /* "" */
	uint64_t timeout_ms;
};

struct write *write_new(struct http_request *req, enum write_kind kind);
void write_free(struct write **writep);

/* What ?wait= and ?timeout= ask for. False after a 400. */
bool write_read_wait(struct write *write);

/* Hand job over with write as its tag, or answer 503 and free both. */
void write_submit(struct rest *rest, struct write *write, struct store_job *job);

/* The answer: result NULL for a dry run, where changes tells what would be. */
void write_body(const struct write *write, uint64_t rev,
		const struct store_change *changes, bool dry_run, struct zl_buf *out);
