/* policy/target.h - what one reference means in a zone: a service, or why none.
 *
 * Threads:  pure.
 * Lifetime: in the arena; texts belong to set and inventory.
 */
#pragma once

#include "inventory/inventory.h"
#include "policy/endpoints.h"
#include "policy/leads.h"
#include "policy/memo.h"
#include "policy/policy.h"

/* The zone's egresses, once they are asked for. */
struct relays {
	bool found;
	const struct endpoint *items; /* of those that serve */
	size_t count;
	const struct resource *const *all;
	size_t all_count;
};

/* What resolving one proxy needs and collects. */
struct resolving {
	const struct policy_index *index;
	const struct inventory *inventory;
	const struct resource *proxy;
	const struct set *set; /* whose inventory it is */
	const char *zone, *mesh_name;
	const struct mesh_spec *mesh;
	struct zl_arena *arena;
	bool (*has_identity)(const void *owner,
			     const struct resource *dataplane); /* or NULL */
	bool (*is_serving)(const void *owner,
			   const struct resource *egress); /* or NULL */
	const void *owner;                                 /* their first argument */
	struct relays relays;
	struct leads leads;  /* all that was looked up */
	struct memo targets; /* resolved already */
	struct {
		enum kind kind;
		const char *ns, *name; /* NULL: none */
		const struct resource *object;
		bool several;
	} last; /* object that was looked up by name */
	/* The best TrafficRoute, or legacy policy, for any service, in arena; NULL: not
	 * asked for yet. */
	struct traffic_fit *any_traffic[KIND_END];
	struct made {
		struct backend *items;
		size_t count;
	} * made; /* lists of backends of the routes, in arena */
	size_t made_count, made_room;
	const char **warnings; /* in arena; unsorted */
	size_t warning_count, warning_room;
};

void resolving_warn(struct resolving *at, const char *text);

/* Note the backends of a route, whose settings come later. */
void resolving_made(struct resolving *at, struct backend *items, size_t count);

/* Fill in to->destination. */
void target_set_destination(struct resolving *at, const struct outbound *outbound,
			    struct outbound_route *to);

/* The backend that ref, which stands in the policy from, means with this weight. */
struct backend target_of_ref(struct resolving *at, const struct resource *from,
			     const struct target_ref *ref, uint64_t weight);

/* The destination of outbound, which to has, as its own backend: always resolved, weight
 * 1 (D18, B5), unless it is an object that does not exist (K17). */
struct backend target_of_destination(struct resolving *at,
				     const struct outbound *outbound,
				     const struct outbound_route *to);

/* The endpoints of service, which may be NULL, for backend, a target inside the mesh;
 * what balances them is told to it. */
struct endpoints target_endpoints(struct resolving *at, struct backend *backend,
				  const struct service *service);

/* A tag service as a backend, always resolved, weight 1. */
struct backend target_of_service(struct resolving *at, const char *service,
				 struct labels tags);
