/* policy/index.h - the routes of a set, sorted and found by destination.
 *
 * Threads:  immutable.
 * Lifetime: in the index.
 */
#pragma once

#include "policy/order.h"
#include "policy/policy.h"

/* An entry of a route's `to` that is about a tag service. */
struct entry {
	const char *service;
	const struct rank *rank; /* of its route */
	size_t to;
};

struct indexed_route {
	struct rank rank;
	bool withdrawn; /* written in another zone, which is disabled */
};

struct mesh_routes {
	const char *mesh;
	struct indexed_route *routes; /* sorted by key */
	size_t route_count;
	const struct entry *entries; /* by service, then increasing precedence */
	size_t entry_count;
	const char *const *warnings;
	size_t warning_count;
};

/* NULL: the mesh has no routes. */
const struct mesh_routes *index_mesh(const struct policy_index *index, const char *mesh);
const struct set *index_set(const struct policy_index *index);

/* The routes in increasing precedence, in arena: only explain needs that. */
const struct indexed_route *index_sorted(const struct mesh_routes *routes,
					 struct zl_arena *arena);

/* The entries about service in increasing precedence, *count of them. routes may be
 * NULL. */
const struct entry *index_entries(const struct mesh_routes *routes, const char *service,
				  size_t *count);

/* Sort texts and drop doubles; returns how many are left. */
size_t texts_sort(const char **texts, size_t count);
