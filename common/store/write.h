/* store/write.h - change the store.
 *
 * Everything is done by the store's writer thread in the order in which it was submitted:
 * it takes all that waits, up to 256 jobs, and makes one durable transaction of it. Each
 * job gets one result through store_options.done after the disk has it. A job fails alone
 * and then has done nothing.
 *
 * A job is built, filled (what is given is copied) and submitted. Codes of results:
 *   ZL_OK, also when nothing had to be changed
 *   ZL_ECONFLICT  an expectation does not hold (op, op_rev); chain or position differs
 *   ZL_ENOENT     a delete of what is not there (op)
 *   ZL_EINVAL     a bad key or entry, one key twice; ZL_ELIMIT too large
 *   ZL_ENOSPC     disk full; nothing is lost, try again when there is space
 *   ZL_ECORRUPT   a stored record that had to be read is damaged
 *   ZL_EIO        the store has failed; it stays readable
 *
 * Threads:  a job belongs to one thread until it is submitted; submit from any.
 * Lifetime: store_submit takes the job. A result is its receiver's.
 */
#pragma once

#include "base/err.h"
#include "model/position.h"
#include "store/store.h"

enum store_job_kind {
	STORE_COMMIT, /* a new revision, made here (global) */
	STORE_FOLLOW, /* revisions made elsewhere (zone) */
	STORE_STAGE,  /* records of a snapshot, beside the present ones */
	STORE_SWAP,   /* the staged records become the present ones */
	STORE_REPAIR, /* records put right at the present position */
	STORE_EPOCH,  /* a new epoch */
	STORE_LOCAL   /* records outside of revision and digest */
};

struct store_job;

enum store_expect { STORE_ANY, STORE_ABSENT, STORE_EXISTS, STORE_AT_REV };

/* COMMIT: one revision of all the ops that change something. wall_us, who and message are
 * kept with it. tag comes back in the result, here and below. */
struct store_job *store_commit_new(void *tag, uint64_t wall_us, const char *who,
				   const char *message);
/* rev: only for STORE_AT_REV, the mod_rev that the record must have. */
void store_commit_put(struct store_job *job, const void *key, size_t key_len,
		      const void *value, size_t value_len, enum store_expect expect,
		      uint64_t rev);
void store_commit_delete(struct store_job *job, const void *key, size_t key_len,
			 enum store_expect expect, uint64_t rev);

/* The small records of *localp (store_local_new), which is taken, are changed in the same
 * transaction, if and only if the commit is made; also when its ops change nothing. */
void store_commit_also(struct store_job *job, struct store_job **localp);

/* FOLLOW: all of the entries or none. The first must have revision rev + 1, and each
 * chain must be what the entry and the chain before it give. */
struct store_job *store_follow_new(void *tag);
void store_follow_entry(struct store_job *job, uint64_t rev,
			const uint8_t chain[POSITION_CHAIN], const void *entry,
			size_t len);

/* STAGE: fresh empties the staging area first. Of one key, what has the higher revision
 * stays, so a log can be laid over an earlier copy. REPAIR: records are put as given, if
 * the store still stands at position. */
struct store_job *store_stage_new(void *tag, bool fresh);
struct store_job *store_repair_new(void *tag, const struct position *position);
void store_record_put(struct store_job *job, const void *key, size_t key_len,
		      uint64_t mod_rev, const void *value, size_t value_len);
void store_record_delete(struct store_job *job, const void *key, size_t key_len,
			 uint64_t rev);

/* SWAP: if the staged records have this digest they replace all records, the store
 * stands at position and its log begins anew. Else ZL_ECONFLICT, and the old state and
 * the staged one are as they were. */
struct store_job *store_swap_new(void *tag, const struct position *position,
				 const struct digest *digest);

/* EPOCH: a new random epoch, or the one given. */
struct store_job *store_epoch_new(void *tag, const uint8_t epoch[POSITION_EPOCH]);

/* LOCAL: put (len up to STORE_LOCAL_MAX) or delete (value NULL) small records; space and
 * name are text of 1 to 200 bytes. */
enum { STORE_LOCAL_MAX = 72 << 10 };
struct store_job *store_local_new(void *tag);
void store_local_put(struct store_job *job, const char *space, const char *name,
		     const void *value, size_t len);

/* Hand over *jobp and set it to NULL. ZL_ELIMIT: 4096 jobs wait already; the job is still
 * the caller's. */
ZL_MUST_USE enum zl_code store_submit(struct store *store, struct store_job **jobp,
				      struct zl_err *err);
/* Free a job that was not submitted, set *jobp to NULL. Accepts NULL. */
void store_job_free(struct store_job **jobp);

/* As store_submit, but wait for the result and return its code; done is not called.
 * For start-up and tools; never from the writer thread. result: NULL, or set to the
 * result, which is then the caller's. */
ZL_MUST_USE enum zl_code store_run(struct store *store, struct store_job **jobp,
				   struct store_result **result, struct zl_err *err);

enum store_change_kind { STORE_UNCHANGED, STORE_CREATED, STORE_UPDATED, STORE_DELETED };

struct store_change {
	enum store_change_kind kind;
	uint64_t mod_rev; /* now; of a delete, its revision */
	uint64_t old_rev; /* before; 0: there was none */
};

struct store_result {
	struct store_result *next; /* of the same commit; owned */
	void *tag;
	enum store_job_kind kind;
	enum zl_code code;
	struct zl_err err;        /* set unless ZL_OK */
	size_t op;                /* the op that failed, if one did */
	uint64_t op_rev;          /* and the mod_rev that its record has; 0: none */
	struct position position; /* after this job */
	uint8_t chain_before[POSITION_CHAIN]; /* before it */
	struct digest digest;                 /* after it */
	void *entry; /* COMMIT: the entry as logged; owned; NULL: no change */
	size_t entry_len;
	struct store_change *changes; /* COMMIT: one for each op in order; owned */
	size_t change_count;
};

/* Free results and those behind it; set *resultsp to NULL. Accepts NULL. */
void store_results_free(struct store_result **resultsp);
