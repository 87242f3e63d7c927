/* policy/endpoints.h - where the connections to a service, or to a subset, may go.
 *
 * A Ready local instance is an endpoint of its own; the instances of another zone are
 * reached through its ingresses. Weights make each instance count the same (D21): with L
 * the least common multiple of the zones' ingress counts, a local instance weighs L and
 * an ingress of zone z weighs L x instances(z) / ingresses(z).
 *
 * A balance says which zones are left out and in which order the others come (spec 6.6);
 * what no rule is about stands where the mesh lets it: others behind the own (D21).
 *
 * Of a zone that is Stale the endpoints have a priority behind all others. Those of an
 * Offline one are left out, unless nothing would remain: then they stay (D13).
 *
 * Threads:  pure.
 * Lifetime: in the arena; texts belong to the inventory.
 */
#pragma once

#include "inventory/inventory.h"
#include "policy/balance.h"

/* A zone whose endpoints do not stand where they would if it were Online. */
struct demotion {
	const char *zone;
	enum zone_condition condition;
	bool withdrawn; /* else they come last; of an Offline one: there are no others */
};

struct endpoints {
	const struct endpoint *items; /* sorted by (priority, zone, address, port) */
	size_t count;
	bool barred; /* others are left out, as a policy has no place for their zones */
	bool unrelayed; /* others are left out, as they go through an egress and none
			 * serves */
	const char *remote_zone; /* the first zone behind an ingress; NULL: none */
	const struct demotion *demotions; /* sorted by zone */
	size_t demotion_count;
};

/* zone is the own one. tags may hold "*". service may be NULL: none. */
struct endpoints endpoints_of(const struct service *service, struct labels tags,
			      const char *zone, const struct mesh_spec *mesh,
			      const struct balance *balance, struct zl_arena *arena);
