/* store/read.h - look at the store, at one moment of it.
 *
 * A view sees one committed state, whatever is written meanwhile. Each function says at
 * once whether a thing is absent or could not be read. ZL_ECORRUPT names the key.
 *
 * Threads:  any number of views; one is used and closed on the thread that opened it.
 * Lifetime: bytes that a view gives are valid until it is closed. Close it soon (100 ms):
 *           an open view keeps old pages from being used again. Views may be nested.
 */
#pragma once

#include "base/err.h"
#include "model/position.h"
#include "store/store.h"

struct store_view;

/* Open a view. ZL_ELIMIT: too many are open; ZL_EIO, ZL_ECORRUPT. */
ZL_MUST_USE enum zl_code store_view_open(struct store *store, struct store_view **out,
					 struct zl_err *err);
/* Close it and set *viewp to NULL. Accepts NULL. */
void store_view_close(struct store_view **viewp);

/* Where this view stands, and the digest of all records. digest may be NULL. */
void store_position(const struct store_view *view, struct position *position,
		    struct digest *digest);
/* The oldest revision that the log can give; rev + 1 if none. */
uint64_t store_floor(const struct store_view *view);

struct store_item {
	const void *key, *value; /* borrowed from the view */
	size_t key_len, value_len;
	uint64_t mod_rev, create_rev;
	uint64_t wall_us; /* of the last change; 0: not known */
};

/* ZL_OK: *item is set. ZL_ENOENT: no such record; err is untouched. */
ZL_MUST_USE enum zl_code store_get(struct store_view *view, const void *key,
				   size_t key_len, struct store_item *item,
				   struct zl_err *err);

/* Call fn for the records whose keys begin with prefix (of length 0: all), in key order,
 * from the first key behind after (NULL: from the start) until it returns false. */
typedef bool store_item_fn(void *ctx, const struct store_item *item);
ZL_MUST_USE enum zl_code store_each(struct store_view *view, const void *prefix,
				    size_t prefix_len, const void *after,
				    size_t after_len, store_item_fn *fn, void *ctx,
				    struct zl_err *err);

/* As store_each, for what is staged (write.h) beside the records: all of it. */
ZL_MUST_USE enum zl_code store_staged_each(struct store_view *view, store_item_fn *fn,
					   void *ctx, struct zl_err *err);

struct store_log_item {
	uint64_t rev;
	const uint8_t *chain; /* POSITION_CHAIN bytes: after this entry */
	const void *entry;    /* see model/entry.h */
	size_t len;
};

/* Call fn for the log entries from revision from on until it returns false. ZL_ENOENT:
 * the log no longer goes back that far (err says so). Beyond the end there is nothing. */
typedef bool store_log_fn(void *ctx, const struct store_log_item *item);
ZL_MUST_USE enum zl_code store_log(struct store_view *view, uint64_t from,
				   store_log_fn *fn, void *ctx, struct zl_err *err);

/* The chain as it was after revision rev: known from floor - 1 to the present. ZL_ENOENT:
 * outside of that. */
ZL_MUST_USE enum zl_code store_chain_at(struct store_view *view, uint64_t rev,
					uint8_t chain[POSITION_CHAIN],
					struct zl_err *err);

struct store_past {
	uint64_t rev, wall_us;
	const char *who, *message;
	const void *value; /* valid during the call only, as who and message are */
	size_t value_len;
	bool deleted;
};

/* Call fn for up to limit changes of key that the log still has, newest first, until it
 * returns false; they go back to the last time that the key was made. */
typedef bool store_past_fn(void *ctx, const struct store_past *past);
ZL_MUST_USE enum zl_code store_history(struct store_view *view, const void *key,
				       size_t key_len, size_t limit, store_past_fn *fn,
				       void *ctx, struct zl_err *err);

/* The sums of the digest's buckets, and the position that they belong to. */
ZL_MUST_USE enum zl_code store_sums(struct store *store,
				    struct digest sums[DIGEST_BUCKETS],
				    struct position *position, struct zl_err *err);

/* Call fn for the records in the wanted buckets; hash is what a record adds to its sum
 * (as digest_bytes writes it). */
typedef bool store_key_fn(void *ctx, const struct store_item *item,
			  const uint8_t hash[32]);
ZL_MUST_USE enum zl_code store_bucket_keys(struct store_view *view,
					   const bool wanted[DIGEST_BUCKETS],
					   store_key_fn *fn, void *ctx,
					   struct zl_err *err);

/* Small records of this process's own (write.h), of one namespace: as store_get and
 * store_each, with mod_rev, create_rev and wall_us 0. */
ZL_MUST_USE enum zl_code store_local_get(struct store_view *view, const char *space,
					 const char *name, struct store_item *item,
					 struct zl_err *err);
ZL_MUST_USE enum zl_code store_local_each(struct store_view *view, const char *space,
					  store_item_fn *fn, void *ctx,
					  struct zl_err *err);
