/* policy/subsets.h - the subsets of one service that somebody may ask its zone for.
 *
 * Threads:  pure.
 * Lifetime: in the arena; texts belong to who gave them. With an arena and most, zeroed
 *           otherwise, it is empty.
 */
#pragma once

#include "model/labels.h"

/* What one service is let have, so that one Envoy can hold all. */
enum { SUBSETS_MAX = 1024 };

struct subset {
	struct labels tags; /* without kuma.io/zone */
	/* Asked for by these tags alone; by these and kuma.io/zone, which is the own one.
	 */
	bool plain, zoned;
	bool asked; /* by a route, or it is all of the service */
};

/* Subsets in the order they were added, which differ in their tags. */
struct subsets {
	struct zl_arena *arena;
	struct subset *items;
	size_t count, room; /* room: 0 or a power of 2 */
	size_t *places;     /* twice room of them, by hash: 1 + the index; 0: free */
	size_t most;        /* further ones are left out */
	bool full;          /* some were left out */
};

/* Add one, or let the one that is there be asked for in this way too. False: it was there
 * or is left out. */
bool subsets_add(struct subsets *subsets, const struct subset *subset);

/* Add what may be asked of instances that have tags, which are without kuma.io/service,
 * kuma.io/protocol and kuma.io/zone (kinds-spec 3). */
void subsets_add_parts(struct subsets *subsets, struct labels tags);

/* The same of instances with the tags of one of rows, whatever is among them. */
void subsets_add_used(struct subsets *subsets, const struct labels *rows, size_t count);
