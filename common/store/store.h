/* store/store.h - revisioned, durable store of keys and values: open, look after, close.
 *
 * The state is a set of records (key -> value) at a position (model/position.h). A commit
 * moves it from revision N to N + 1 and keeps what it did as entry N + 1 of the log.
 * write.h changes it (one writer thread, group commit), read.h looks at it. Who wants to
 * watch takes the results of all writes, or reads the log from a revision on.
 *
 * Keys (1 to ENTRY_KEY_MAX bytes) and values (to STORE_VALUE_MAX) are opaque bytes.
 * Every record and log entry has a checksum: damage is reported, never served.
 *
 * Threads:  open, close: one. All else: any thread, between the two.
 * Lifetime: the folder belongs to this user; one process has it open for writing.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_VALUE_MAX = 1 << 20, STORE_COMMIT_MAX = 16 << 20 };

struct store;
struct store_result;

struct store_options {
	uint64_t map_size;  /* bytes of address space to begin with; 0: 16 GiB */
	uint64_t log_count; /* log entries to keep, about; 0: 100000 */
	uint64_t log_bytes; /* bytes of the log to keep, about; 0: 256 MiB */
	bool read_only;     /* nothing is made, locked or written */

	/* Gets the results of each commit once it is durable, in commit order: a list,
	 * owned by the callee (store_results_free). Runs on the writer thread: post it
	 * and return. NULL: results are dropped. */
	void (*done)(void *ctx, struct store_result *results);
	void *ctx; /* borrowed */
};

/* Open the store in folder dir, which is made (mode 0700) when it is not there, and check
 * it: position, log end, digest and the checksum of each record. On failure *out is NULL
 * and err says what is wrong: ZL_ECORRUPT damaged or truncated or not a
 * store, ZL_ECONFLICT open in another process, ZL_EACCES not this user's or forbidden,
 * ZL_ENOENT (read_only) no store there, ZL_ENOSPC, ZL_EIO. */
ZL_MUST_USE enum zl_code store_open(struct store **out, const char *dir,
				    const struct store_options *options,
				    struct zl_err *err);

/* Commit all that was submitted, deliver the results, close, set *storep to NULL. Accepts
 * NULL. All views must be closed. */
void store_close(struct store **storep);

/* Keep all processes from opening the store in dir for writing until *lock is closed; -1:
 * nobody ever did. It may be damaged. ZL_ECONFLICT: one has it open. */
ZL_MUST_USE enum zl_code store_lock(const char *dir, int *lock, struct zl_err *err);

/* Check everything, also each log entry and its link in the chain. ZL_ECORRUPT: err names
 * what is damaged. */
ZL_MUST_USE enum zl_code store_verify(struct store *store, struct zl_err *err);

/* Write a compact copy of the store to the file path while it is in use; it is complete
 * and synced once it has that name. As file "data.mdb" of an empty folder it is a store.
 * ZL_EACCES, ZL_ENOENT, ZL_ENOSPC, ZL_EIO. */
ZL_MUST_USE enum zl_code store_copy(struct store *store, const char *path,
				    struct zl_err *err);

struct store_status {
	uint64_t records, log_entries, log_bytes;
	uint64_t floor_rev;  /* the oldest entry that the log has; rev + 1 for none */
	uint64_t file_bytes; /* space in use */
	uint64_t map_bytes;  /* it grows by itself when this is reached */
	uint64_t commits;    /* transactions since the start */
	uint64_t reader_lag; /* transactions since the oldest open reader began */
	bool failed;         /* an I/O error: nothing is written any more */
	struct zl_err failure;
};
void store_status(struct store *store, struct store_status *status);

/* Keep each log entry from revision rev on until store_unpin with the returned id. */
uint64_t store_pin(struct store *store, uint64_t rev);
void store_unpin(struct store *store, uint64_t id);
