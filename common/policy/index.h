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

/* False: there is no policy that attaches to routes, nor a legacy one. */
bool index_attaches(const struct policy_index *index);
/* The same of `to` entries of policies that attach to routes, of all kinds of them. */
const struct entry *index_attached(const struct policy_index *index,
				   struct entry_name name, size_t *count);
/* The policies of a kind of these with `from` or `rules`, increasing precedence; their
 * entries are OF_INBOUNDS. */
const struct entry *index_inbound(const struct policy_index *index, const char *mesh,
				  enum kind kind, size_t *count);
/* The destinations of legacy policies of all kinds with this tag kuma.io/service, or "*",
 * or "" for those that have none. By name. */
const struct entry *index_legacy(const struct policy_index *index, const char *mesh,
				 const char *service, size_t *count);

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
