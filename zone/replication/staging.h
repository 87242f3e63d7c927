/* zone/replication/staging.h - a snapshot on its way in, beside the replica in use.
 *
 * Of one key what has the higher revision stays, so that the log can be laid over a copy
 * that is newer in places. Private to the room.
 *
 * Threads:  the loop's.
 * Lifetime: caller's memory; zeroed is empty; staging_clear frees.
 */
#pragma once

#include "model/set.h"
#include "sync/sync.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct staged;

struct staging {
	struct staged *records; /* owned */
	struct digest digest;   /* of all that is staged */
	struct set *shown;      /* held; what is to be replaced; NULL: nothing */
	uint64_t count,
		written; /* objects there; of them those that users wrote at global */
	uint64_t kept, written_kept; /* of them are staged too */
};

void staging_clear(struct staging *staging);
/* Nothing is staged; it will take the place of shown. */
void staging_begin(struct staging *staging, const struct set *shown);
struct sync_loss staging_loss(const struct staging *staging);
void staging_put(struct staging *staging, const void *key, size_t key_len,
		 uint64_t mod_rev, const void *value, size_t value_len);
void staging_delete(struct staging *staging, const void *key, size_t key_len,
		    uint64_t rev);
/* All that is staged as a set; the caller holds it. */
struct set *staging_set(const struct staging *staging);
