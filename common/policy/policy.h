/* policy/policy.h - from policies to routes: match, order, merge, resolve, explain.
 *
 * An index finds the entries of the routes of a set about a destination, in their total
 * order, without walking the others; one that is made of another (policy_index_update)
 * costs what the changed routes are about. Resolving
 * a proxy costs what its outbounds and the entries about them cost.
 *
 * Pure: the same set, zone and proxy give the same routes, in the same order.
 *
 * Threads:  an index is immutable; holders may be on different threads (the count is
 *           atomic).
 * Lifetime: counted; holds the set it was made of.
 */
#pragma once

#include "inventory/inventory.h"
#include "policy/routes.h"

struct policy_index;

/* The caller holds the result. zone is the zone that resolves; copied. */
struct policy_index *policy_index_new(const struct set *set, const char *zone);
/* As policy_index_new(set, zone of before), at the cost of the routes that differ; a Zone
 * that differs costs a whole index. */
struct policy_index *policy_index_update(const struct policy_index *before,
					 const struct set *set);
struct policy_index *policy_index_hold(const struct policy_index *index);
void policy_index_drop(struct policy_index **indexp); /* sets NULL; accepts NULL */

/* True if an index made of set would be equal: cheap, and never true when not. */
bool policy_index_fits(const struct policy_index *index, const struct set *set);

/* Findings about routes of mesh that hold for every proxy: entries that can have no
 * effect, as there is nothing that they are about. Sorted; *count of them; in arena.
 * Walks all routes of the mesh. */
const char *const *policy_warnings(const struct policy_index *index,
				   const struct inventory *inventory, const char *mesh,
				   struct zl_arena *arena, size_t *count);

struct policy_options {
	bool explain; /* fill considered as well, which walks all routes of the mesh */
	/* True if this Dataplane has its certificate, so that it takes mTLS. Only asked
	 * where plain connections are taken as well. NULL: all have. */
	bool (*has_identity)(const void *owner, const struct resource *dataplane);
	/* True if this ZoneEgress takes connections. NULL: all do. */
	bool (*is_serving)(const void *owner, const struct resource *egress);
	const void *owner;
};

/* The routes of proxy, a Dataplane of this zone, which need not be in the set. options
 * may be NULL. */
const struct routes *policy_resolve(const struct policy_index *index,
				    const struct inventory *inventory,
				    const struct resource *proxy,
				    const struct policy_options *options,
				    struct zl_arena *arena);

/* What a ZoneIngress of this zone does (kinds-spec 3): for each mesh with mTLS a passage
 * to each service and object that the zone offers, and to each subset that somebody may
 * ask for. Never to another zone. */
const struct zone_routes *policy_ingress(const struct policy_index *index,
					 const struct inventory *inventory,
					 const struct resource *ingress,
					 struct zl_arena *arena);

/* True if ingresses of this zone come out the same with either inventory, routes and
 * meshes being equal: nothing that the zone itself offers has changed. Cheap, and never
 * true when they do not. Both inventories are of one zone. */
bool policy_ingress_endures(const struct inventory *before,
			    const struct inventory *after);

/* What a ZoneEgress of this zone does (kinds-spec 4): for each mesh with
 * routing.zoneEgress a passage to each service of other zones and to each one outside. */
const struct zone_routes *policy_egress(const struct policy_index *index,
					const struct inventory *inventory,
					const struct resource *egress,
					struct zl_arena *arena);

/* The same for egresses: nothing in other zones or outside has changed. */
bool policy_egress_endures(const struct inventory *before, const struct inventory *after);

/* True if policy (a resource of any kind, as it was or as it becomes) may have a say in
 * the routes of proxy: a route that selects the proxy and is about one of its outbounds,
 * or about listeners of builtin gateways, which it is; a MeshGateway that is for it. A
 * ZoneIngress or ZoneEgress is concerned by any route, the latter by any
 * MeshLoadBalancingStrategy too. zone is the zone that resolves. Needs no index. */
bool policy_touches(const struct resource *policy, const struct resource *proxy,
		    const char *zone);

/* The services and objects that routes lead to, and all that was looked up to find them,
 * for policy_endures. Appends. */
void policy_services(const struct routes *routes, struct zl_buf *services);

/* True if routes that lead to services differ with the ZoneEgresses that serve. */
bool policy_needs_egress(const struct zl_buf *services);

/* True if routes of a proxy of mesh that lead to services come out the same with either
 * inventory, policies, Zones and mesh being equal: nothing of services has changed. Both
 * inventories are of one zone. */
bool policy_endures(const struct zl_buf *services, const char *mesh,
		    const struct inventory *before, const struct inventory *after);

/* Order of two routes: negative if b has the greater precedence (spec 3.2, D15); 0 only
 * for the same identity. */
int policy_compare(const struct resource *a, const struct resource *b);
/* The same for their entries spec.to[a_to] and spec.to[b_to]; 0 only for the same one. */
int policy_compare_entries(const struct resource *a, size_t a_to,
			   const struct resource *b, size_t b_to);
/* True if two entries of different policies are told apart by their policies' names
 * alone. */
bool policy_ties(const struct resource *a, size_t a_to, const struct resource *b,
		 size_t b_to);

/* The name of the cluster of a tag service or of a subset (spec 5.5); in arena. */
const char *policy_cluster_name(const char *service, struct labels tags,
				struct zl_arena *arena);

/* ---- printing ---- */

/* What `simulate` and `explain` say about proxies of one mesh. */
struct policy_answer {
	const char *zone, *mesh;
	const struct routes *const *routes; /* printed by name of the proxy */
	size_t route_count;
	const char *const *warnings; /* more, beside those of the routes */
	size_t warning_count;
	const char *const *unreached; /* other zones, for people only: policy_unreached */
	size_t unreached_count;
	const char *to; /* only outbounds to this service, and listeners that lead to
			 * it; NULL or "": all */
};

/* The Zones of which proxies of mesh in the zone own reach nothing, each with why; by
 * name, in arena. How they stand for global is not asked: their warnings say that. */
const char *const *policy_unreached(const struct set *set, const char *own,
				    const char *mesh, struct zl_arena *arena,
				    size_t *count);

/* The JSON of design.md 7, indented, with a line end. Appends. */
void policy_json(const struct policy_answer *answer, struct zl_buf *out);
/* The same for people, with the reasons. Appends. */
void policy_text(const struct policy_answer *answer, struct zl_buf *out);

/* What a zone proxy does: {"zone","name","kind","passages":[{"mesh","sni","cluster",
 * "endpoints"}],"warnings"}, and the same for people. Append. */
void policy_zone_json(const struct zone_routes *routes, struct zl_buf *out);
void policy_zone_text(const struct zone_routes *routes, struct zl_buf *out);
