/* model/apply.h - stored bytes into a set: log entries, and records at start.
 *
 * What is not understood (a kind or field type of a newer release, damage that a bug
 * made) is left out of the set and named to the caller; the bytes stay stored, and the
 * rest goes on.
 *
 * Threads:  pure.
 */
#pragma once

#include "model/entry.h"
#include "model/set.h"

/* Called for each op or record that was left out. */
typedef void apply_odd_fn(void *ctx, const struct key *key, uint64_t rev,
			  const char *why);

/* Carry out the ops of entry, which became revision rev, on edit. A resource that base
 * has keeps its create_rev. odd may be NULL. */
void apply_entry(struct set_edit *edit, const struct set *base, const struct entry *entry,
		 uint64_t rev, apply_odd_fn *odd, void *ctx);

struct apply_record {
	const void *key, *value;
	size_t key_len, value_len;
	uint64_t mod_rev, create_rev, wall_us;
};

/* Put one stored record into edit. */
void apply_record(struct set_edit *edit, const struct apply_record *record,
		  apply_odd_fn *odd, void *ctx);
