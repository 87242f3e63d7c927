/* mirror/mirror.h - a set that shows what a store holds: all of it when a process starts,
 * then each entry that becomes durable.
 *
 * What this release does not understand is in the store and not in the set; odd is told
 * of it (model/apply.h).
 *
 * Threads:  one at a time.
 */
#pragma once

#include "model/apply.h"
#include "store/store.h"

/* All that store holds in place of *set, which is dropped (NULL: there is none); the
 * caller holds the new one, also where this fails, and then it lacks what could not be
 * read. *position and *digest, where the store stands; each may be NULL. */
ZL_MUST_USE enum zl_code mirror_load(struct store *store, apply_odd_fn *odd,
				     struct set **set, struct position *position,
				     struct digest *digest, struct zl_err *err);

/* What entry, which became revision rev, makes of *set. */
void mirror_entry(struct set **set, const struct entry *entry, uint64_t rev,
		  apply_odd_fn *odd);

/* An odd that says in the log: a stored resource is not understood. */
void mirror_odd(void *ctx, const struct key *key, uint64_t rev, const char *why);
