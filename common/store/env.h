/* store/env.h - the LMDB environment of a store: codes, tables, transactions, map size.
 *
 * Tables: "a" and "b" (records; the state says which one is the present one), "log"
 * (revision, big-endian -> log record), "local" (space, 0x00, name -> record). The state
 * itself is a record of the main database: that page is written by each commit anyway.
 *
 * Threads:  the map lock keeps transactions and changes of the map apart.
 * Lifetime: owned by struct store.
 */
#pragma once

#include "base/err.h"
#include "store/record.h"

#include <lmdb.h>
#include <pthread.h>

struct env {
	MDB_env *mdb; /* owned */
	MDB_dbi main, table[2], log, local;
	pthread_rwlock_t map; /* read: a transaction is open; write: the map changes */
	bool read_only;
};

/* What a code of LMDB or the system means to the callers of this room. */
enum zl_code env_code(int rc);
/* zl_fail with "what: text of rc". */
enum zl_code env_fail(struct zl_err *err, int rc, const char *what);
/* LMDB takes void * even for what it only reads. */
MDB_val env_val(const void *data, size_t len);

/* Open dir; the tables are made unless read_only. */
ZL_MUST_USE enum zl_code env_open(struct env *env, const char *dir, uint64_t map_size,
				  bool read_only, struct zl_err *err);
/* Close; accepts a half-open env. */
void env_close(struct env *env);

/* Begin a read transaction: *txnp is renewed if it is not NULL. The map lock is held
 * until env_read_end, which resets the transaction and keeps it for renewal. */
ZL_MUST_USE int env_read_begin(struct env *env, MDB_txn **txnp);
void env_read_end(struct env *env, MDB_txn *txn);

ZL_MUST_USE int env_write_begin(struct env *env, MDB_txn **txnp);

/* Make the map at least double its size, and room for more bytes. No transaction of this
 * thread may be open. */
ZL_MUST_USE int env_grow(struct env *env, uint64_t more);

/* Free the slots of readers that died. */
void env_clear_readers(struct env *env);

/* What LMDB says of itself; reader_lag: transactions since the oldest reader began. */
struct env_size {
	uint64_t file_bytes, map_bytes, reader_lag;
};
void env_size(struct env *env, struct env_size *size);

/* The state as txn sees it. MDB_NOTFOUND: a new store. ZL codes by env_code. */
ZL_MUST_USE int env_state(const struct env *env, MDB_txn *txn, struct state *state);
ZL_MUST_USE int env_put_state(const struct env *env, MDB_txn *txn,
			      const struct state *state);
