/* zone/replication/replica.h - what stands in the replica's store: as the set that is
 * shown when the process starts, and as the machine of sync/zone.h looks at it. Private
 * to the room.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "model/set.h"
#include "store/store.h"
#include "sync/zone.h"

/* For the machine; their io is the struct store. */
extern const struct sync_store_ops REPLICA_OPS;

/* All that is stored as a set, which the caller holds even when this fails, and where the
 * store stands. */
ZL_MUST_USE enum zl_code replica_load(struct store *store, struct set **set,
				      struct sync_state *state, struct zl_err *err);

/* Log a record that this release does not understand: the apply_odd_fn of model/apply.h.
 */
void replica_on_odd(void *ctx, const struct key *key, uint64_t rev, const char *why);
