/* sim/store.h - a store in memory: records, position, digest and a short log. What was
 * put into it is durable at once; who simulates a disk delays the call.
 *
 * Lifetime: sim_store_fini; a copy (sim_store_copy) shares nothing with its source.
 */
#pragma once

#include "sync/global.h"

enum { SIM_KEY = 16, SIM_RECORDS = 64 };

struct sim_record {
	char key[SIM_KEY]; /* NUL-terminated, compared as text */
	uint64_t mod_rev;
	char *value; /* owned */
	size_t len;
	struct digest sum; /* what the record adds to a digest */
};

struct sim_entry {
	uint64_t rev;
	uint8_t chain[POSITION_CHAIN];
	char *bytes; /* owned */
	size_t len;
};

struct sim_store {
	struct sim_record records[SIM_RECORDS]; /* in order of keys */
	size_t count;
	struct sync_state state;
	struct sim_entry *log; /* owned; the last one has revision state.position.rev */
	size_t log_count;
	uint8_t floor_chain[POSITION_CHAIN]; /* before the first of log */
	size_t keep;                         /* entries of the log; 0: none */
	struct zl_arena *scratch;            /* owned; for one call */
};

void sim_store_fini(struct sim_store *store);
void sim_store_copy(struct sim_store *to, const struct sim_store *from);
void sim_store_clear(struct sim_store *store); /* records and log, not the position */

/* Records only. over: only over a record with mod_rev below it. */
void sim_store_put(struct sim_store *store, const void *key, size_t key_len,
		   uint64_t mod_rev, const void *value, size_t len);
void sim_store_delete(struct sim_store *store, const void *key, size_t key_len);
const struct sim_record *sim_store_find(const struct sim_store *store, const void *key,
					size_t key_len);
/* One bit of one record turns. */
void sim_store_rot(struct sim_store *store, size_t index);

/* An entry on top: records, chain, log. pin: the log keeps what is from there on. */
void sim_store_apply(struct sim_store *store, const void *bytes, size_t len,
		     uint64_t pin);
/* An entry over a copy that may be newer. */
void sim_store_replay(struct sim_store *store, const struct sync_entry *entry);
/* All records of from; the log begins anew. */
void sim_store_swap(struct sim_store *store, const struct sim_store *from,
		    const struct position *position);

bool sim_store_same(const struct sim_store *a, const struct sim_store *b);
/* What the records add up to. */
struct digest sim_store_digest(const struct sim_store *store);

extern const struct sync_store_ops SIM_STORE_OPS;   /* io: struct sim_store */
extern const struct sync_global_ops SIM_GLOBAL_OPS; /* io: as above; zone finds none */
