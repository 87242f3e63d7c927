/* policy/index.h - the routes of a set, found by destination.
 *
 * Threads:  immutable.
 * Lifetime: in the index.
 */
#pragma once

#include "policy/entries.h"
#include "policy/policy.h"

const struct set *index_set(const struct policy_index *index);

/* The entries of that name, in increasing precedence (TrafficRoutes': by name), *count of
 * them. */
const struct entry *index_entries(const struct policy_index *index,
				  struct entry_name name, size_t *count);

/* False: there is no MeshLoadBalancingStrategy. */
bool index_balances(const struct policy_index *index);
/* The same of MeshLoadBalancingStrategies. */
const struct entry *index_balancing(const struct policy_index *index,
				    struct entry_name name, size_t *count);

struct indexed_route {
	struct rank rank;
	bool withdrawn; /* written in another zone, which is disabled */
};

/* All routes of mesh in increasing precedence, in arena: only people need that. */
const struct indexed_route *index_sorted(const struct policy_index *index,
					 const char *mesh, struct zl_arena *arena,
					 size_t *count);

/* Sort texts and drop doubles; returns how many are left. */
size_t texts_sort(const char **texts, size_t count);
