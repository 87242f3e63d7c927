/* zone/replication/replica.h - the replica's store as the machine of sync/zone.h looks at
 * it, and what is said of what it does not understand. Private to the room.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "model/key.h"
#include "sync/zone.h"

/* For the machine; their io is the struct store. */
extern const struct sync_store_ops REPLICA_OPS;

/* Log a record that this release does not understand: the apply_odd_fn of model/apply.h.
 */
void replica_on_odd(void *ctx, const struct key *key, uint64_t rev, const char *why);
