/* rest/rest.h - resources over HTTP: GET, list, PUT, DELETE and _apply on a set and a
 * store, as docs/reference/api.md says. Global and zones serve the same paths with it.
 *
 * Reads answer from the set that the owner holds now. Writes are checked, become one
 * commit job of the owner's store, and are answered when the owner hands the result back
 * (rest_finish) - after it has put the entry into its set, so that a client reads its own
 * write.
 *
 * Threads:  the loop's.
 * Lifetime: a write that was submitted lives until rest_finish.
 */
#pragma once

#include "http/http.h"
#include "model/resource.h"
#include "model/set.h"
#include "store/write.h"

/* One more resource of a write: *resp, which is taken, or NULL: key is deleted. */
typedef void rest_add_fn(void *arg, const struct key *key, struct resource **resp);

struct rest_ops {
	/* What is known now. Borrowed for the call. */
	const struct set *(*set)(void *owner);
	/* May old (NULL: none) become now (NULL: deleted) by an API call? False: refuse
	 * with *status and err's message. rest_beside tells of what comes with it. */
	bool (*allow)(void *owner, const struct resource *old, const struct resource *now,
		      unsigned *status, struct zl_err *err);
	/* now, which may replace old, with what the server itself says in it; held by the
	 * caller. NULL: as written. The function may be NULL too. */
	struct resource *(*complete)(void *owner, const struct resource *old,
				     const struct resource *now);
	/* now will be stored: add to local the records that are written with it. NULL:
	 * there are none. */
	void (*beside)(void *owner, const struct resource *now, struct store_job *local);
	/* old (NULL: none) becomes now (NULL: deleted): call add for each other resource
	 * that has to change with it, in the same revision. False: err says why that
	 * cannot be. NULL: none has to. */
	bool (*with)(void *owner, const struct resource *old, const struct resource *now,
		     rest_add_fn *add, void *arg, struct zl_err *err);
	/* Keep the content of a Secret now (NULL: old is deleted) elsewhere than in its
	 * document: *kept becomes what is stored instead, held; local gets the records
	 * that are written with it. False: err says why it cannot be kept. NULL: Secrets
	 * are refused. */
	bool (*keep)(void *owner, const struct resource *old, const struct resource *now,
		     struct resource **kept, struct store_job *local, struct zl_err *err);
	/* Add to doc what the client of req may see of res besides. NULL: nothing. */
	void (*show)(void *owner, struct http_request *req, const struct resource *res,
		     struct tree *doc, struct zl_arena *arena);
	/* A write whose client asked to wait is revision rev (that of what stands, when
	 * nothing changed); status and body are what to answer, now or later when all
	 * that it waits for have it. wait is "zones" or "proxies"; body is borrowed.
	 * NULL: such requests are refused. */
	void (*written)(void *owner, struct http_request *req, uint64_t rev,
			unsigned status, const char *wait, uint64_t timeout_ms,
			const char *body);
};

struct rest {
	const struct rest_ops *ops;   /* borrowed */
	void *owner;                  /* borrowed */
	struct store *store;          /* borrowed; where writes go */
	enum writer writer;           /* WRITER_GLOBAL or WRITER_ZONE */
	const char *zone;             /* of WRITER_ZONE; "" */
	bool alone;                   /* of WRITER_ZONE: it has no global */
	bool closed;                  /* shutting down: writes are refused with 503 */
	size_t waits;                 /* writes under way whose clients asked to wait */
	const struct write *deciding; /* private: whose documents allow is asked about */
};

/* For allow: what else is written in the same revision has for key, as its client wrote
 * it. NULL: nothing. Borrowed for the call. */
const struct resource *rest_beside(const struct rest *rest, const struct key *key);

/* The handlers. The kind is the {plural} of the pattern; with_mesh is true for patterns
 * that have {mesh}. */
void rest_get(struct rest *rest, struct http_request *req, bool with_mesh);
void rest_list(struct rest *rest, struct http_request *req, bool with_mesh);
void rest_put(struct rest *rest, struct http_request *req, bool with_mesh);
void rest_delete(struct rest *rest, struct http_request *req, bool with_mesh);
void rest_apply(struct rest *rest, struct http_request *req);

/* A result whose tag is a write of rest: answer its client. result is borrowed. */
void rest_finish(struct rest *rest, const struct store_result *result);

/* The resource that a path means: kind, mesh and name, with ?zone= and ?namespace=. NULL
 * after an answer of 404 or 409. Borrowed from set. */
const struct resource *rest_find(struct http_request *req, const struct set *set,
				 enum kind kind, const char *mesh, const char *name);

/* res with revision, creationRevision, modificationTime and kri, as JSON, as the client
 * of req may see it. Appends. */
void rest_render(struct rest *rest, struct http_request *req, const struct resource *res,
		 struct zl_buf *out);

/* "5s", "500ms", "2m": milliseconds, at most 10 minutes. False: none of these. */
bool rest_duration(const char *text, uint64_t *ms);
