/* rest/write.h - one write from its request to its answer. Private to the room.
 *
 * Threads:  the loop's.
 * Lifetime: from write_new to write_free; the tag of its store job meanwhile.
 */
#pragma once

#include "rest/find.h"
#include "rest/rest.h"

enum write_kind { WRITE_PUT, WRITE_DELETE, WRITE_APPLY };

struct write_item {
	struct key key;       /* in the write's arena */
	struct resource *res; /* held; NULL: a delete */
};

struct write {
	struct zl_arena *arena; /* owned */
	struct http_request *req;
	enum write_kind kind;
	struct write_item *items; /* one for each op of the job */
	size_t count, room;
	size_t asked; /* how many of them the request names; the others go with these */
	struct condition condition; /* of PUT and DELETE */
	struct tree *warnings;
	bool dry;         /* check all, store nothing */
	const char *wait; /* "" */
	uint64_t timeout_ms;
};

struct write *write_new(struct http_request *req, enum write_kind kind);
void write_free(struct write **writep);

/* Add an item; takes *resp, which is NULL for a delete. */
void write_add(struct write *write, const struct key *key, struct resource **resp);

/* What the query asks for. False after a 400, also for a name that means nothing here. */
bool write_read_query(const struct rest *rest, struct write *write);

/* Carry the items out, as one job of the store that has write as its tag, or answer 503.
 * A dry run is answered at once. Takes write. */
void write_go(struct rest *rest, struct write *write);

/* The answer of write: changes tells what each item did. */
void write_body(const struct write *write, uint64_t rev,
		const struct store_change *changes, struct zl_buf *out);

/* Answer 412: item is at revision rev, 0 for not there. */
void write_refuse_moved(const struct write *write, const struct write_item *item,
			uint64_t rev);

/* dry.c: answer with what would be done. */
void write_dry(struct rest *rest, const struct write *write);
