/* policy/order.h - which of two policies, or of two of their entries, has the last word.
 *
 * Threads:  pure.
 * Lifetime: a rank borrows from its route.
 */
#pragma once

#include "model/resource.h"

/* What spec 3.2 compares before names, looked up once: more is stronger. */
struct rank {
	const struct resource *route;
	uint64_t strength;
};

struct rank rank_of(const struct resource *route);

/* Negative if b is the stronger route. */
int rank_compare(const struct rank *a, const struct rank *b);

/* The same for entries, which are indexes into spec.to; 0 only for the same one. */
int rank_compare_entries(const struct rank *a, size_t a_to, const struct rank *b,
			 size_t b_to);
/* True if what counts before names is equal for two entries. */
bool rank_ties(const struct rank *a, size_t a_to, const struct rank *b, size_t b_to);
