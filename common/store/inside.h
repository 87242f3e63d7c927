/* store/inside.h - the parts of a store, for the files of this room.
 *
 * Threads:  the writer thread alone writes; what others look at is under lock.
 * Lifetime: from store_open to store_close.
 */
#pragma once

#include "store/env.h"
#include "store/read.h"
#include "store/store.h"
#include "store/write.h"

#include "base/mem.h"

#include <pthread.h>

enum { STORE_POOL = 16, STORE_QUEUE_MAX = 4096 };

struct pin {
	struct pin *next; /* owned */
	uint64_t id, rev;
};

struct store {
	struct env env;
	char *dir; /* owned */
	int owner; /* descriptor of the locked file; -1: none */
	struct store_options options;
	pthread_t writer;
	bool has_writer;

	pthread_mutex_t lock; /* all below */
	pthread_cond_t wake;  /* the writer: there is work */
	pthread_cond_t woken; /* who waits in store_run */
	struct state state;   /* the last durable one */
	struct digest sums[DIGEST_BUCKETS];
	struct store_job *first, *last; /* owned: submitted, not yet taken */
	size_t waiting;
	bool closing;
	bool failed;
	struct zl_err failure;
	uint64_t commits;
	struct pin *pins; /* owned */
	uint64_t pin_id;
	MDB_txn *pool[STORE_POOL]; /* owned: reset read transactions */
	size_t pooled;
};

struct job_op {
	const void *key, *value; /* in the job's arena */
	size_t key_len, value_len;
	uint64_t rev;         /* expected, followed or recorded */
	const uint8_t *chain; /* FOLLOW */
	enum store_expect expect;
	bool deleted;
};

struct store_job {
	struct store_job *next; /* owned by the queue */
	enum store_job_kind kind;
	void *tag; /* borrowed */
	struct zl_arena *arena;
	struct job_op *ops; /* owned */
	size_t op_count, op_room;
	size_t bytes; /* of keys and values */
	uint64_t wall_us;
	const char *who, *message;
	struct position position; /* SWAP, REPAIR; EPOCH: its epoch */
	struct digest digest;     /* SWAP */
	bool fresh;               /* STAGE */
	struct store_job *also;   /* COMMIT: a LOCAL job that belongs to it; owned */
	bool waited;              /* in store_run: the result goes there, not to done */
	struct store_result *result; /* owned by who waits */
};

/* A write transaction and the state it leads to. */
struct work {
	struct store *store; /* borrowed */
	MDB_txn *txn;        /* owned */
	struct state state;
	struct digest sums[DIGEST_BUCKETS];
	bool dirty;
};

struct store_view {
	struct store *store; /* borrowed */
	MDB_txn *txn;        /* owned */
	struct state state;
};

/* view.c: a damaged record of key, in words. */
enum zl_code view_damaged(struct zl_err *err, const char *what, const void *key,
			  size_t key_len);

/* verify.c: check what view shows and give the sums of its records. log: each entry of
 * the log, not only the last. */
ZL_MUST_USE enum zl_code verify_view(struct store_view *view, bool log,
				     struct digest sums[DIGEST_BUCKETS],
				     struct zl_err *err);
/* Sums and number of the records in table. */
ZL_MUST_USE enum zl_code verify_table(MDB_txn *txn, MDB_dbi table,
				      struct digest sums[DIGEST_BUCKETS],
				      uint64_t *records, struct zl_err *err);
void verify_total(const struct digest sums[DIGEST_BUCKETS], struct digest *total);

/* owner.c: folder, mark and lock. */
ZL_MUST_USE enum zl_code owner_take(const char *dir, bool read_only, int *owner,
				    struct zl_err *err);
ZL_MUST_USE enum zl_code owner_mark(const char *dir, struct zl_err *err);

/* work.c: one record in a write transaction. work_old: MDB_NOTFOUND for none;
 * MDB_CORRUPTED: err names it. */
int work_old(struct work *work, const void *key, size_t key_len, struct record *old,
	     struct zl_err *err);
int work_put(struct work *work, const void *key, size_t key_len,
	     const struct record *record, const struct record *old);
int work_delete(struct work *work, const void *key, size_t key_len,
		const struct record *old);
/* Append revision state.position.rev + 1 to the log and move the position to it. before:
 * op_count x u64, big-endian. */
int work_log(struct work *work, const void *entry, size_t len, const uint8_t *before,
	     uint32_t op_count);
/* Take some entries off the log's old end if it is longer than it shall be. */
int work_trim(struct work *work);

/* Do one job. 0: done, or refused with a code in result before anything was written.
 * Anything else, by LMDB's codes: the transaction cannot be committed. */
int commit_apply(struct work *work, struct store_job *job, struct store_result *result);
int follow_apply(struct work *work, struct store_job *job, struct store_result *result);
int stage_apply(struct work *work, struct store_job *job, struct store_result *result);
int swap_apply(struct work *work, struct store_job *job, struct store_result *result);
int repair_apply(struct work *work, struct store_job *job, struct store_result *result);
int local_apply(struct work *work, struct store_job *job, struct store_result *result);

/* writer.c: the thread. */
ZL_MUST_USE enum zl_code writer_start(struct store *store, struct zl_err *err);
void writer_stop(struct store *store);
