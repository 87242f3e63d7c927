/* policy/endpoints.h - where the connections to a service, or to a subset, may go.
 *
 * A Ready local instance is an endpoint of its own; the instances of another zone are
 * reached through its ingresses. Weights make each instance count the same (D21): with L
 * the least common multiple of the zones' ingress counts, a local instance weighs L and
 * an ingress of zone z weighs L x instances(z) / ingresses(z).
 *
 * Threads:  pure.
 * Lifetime: in the arena; texts belong to the inventory.
 */
#pragma once

#include "inventory/inventory.h"
#include "policy/routes.h"

struct endpoints {
	const struct endpoint *items; /* sorted by (priority, zone, address, port) */
	size_t count;
	const char *remote_zone; /* the first zone behind an ingress; NULL: none */
};

/* zone is the own one. tags may hold "*". service may be NULL: none. */
struct endpoints endpoints_of(const struct service *service, struct labels tags,
			      const char *zone, const struct mesh_spec *mesh,
			      struct zl_arena *arena);
