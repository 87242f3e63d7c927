#include "policy/policy.h"

#include "policy/claims.h"
#include "policy/index.h"
#include "policy/refs.h"
#include "policy/select.h"

#include <string.h>

/* The tag service that an outbound is to; NULL: it asks for a real object. */
static const char *service_of(const struct outbound *outbound)
{
	return outbound->has_backend ? NULL : labels_get(outbound->tags, TAG_SERVICE);
}

/* Lists replace one another as a whole; no rules is a list of the destination itself. */
static void set_backends(struct resolving *at, const struct outbound *outbound,
			 const struct claims *claims, struct outbound_route *to)
{
	const struct contributor *last =
		claims->tcp_count > 0 ? &claims->tcp[claims->tcp_count - 1] : NULL;
	const struct tcp_to *winner =
		last != NULL ? &last->policy->tcp_route->to[last->to] : NULL;
	bool list = winner != NULL && winner->has_rule;

	to->policies = claims->tcp;
	to->policy_count = claims->tcp_count;
	to->backend_count = list ? winner->ref_count : 1;
	struct backend *backends =
		zl_arena_alloc(at->arena, to->backend_count, sizeof(*backends));

	to->backends = backends;
	if (!list)
		backends[0] = target_of_destination(at, outbound, to);
	for (size_t i = 0; list && i < winner->ref_count; i++)
		backends[i] = target_of_ref(at, last->policy, &winner->refs[i].ref,
					    winner->refs[i].weight);
}

static struct outbound_route resolve_outbound(struct resolving *at,
					      const struct outbound *outbound)
{
	struct outbound_route to = { .address = outbound->address,
				     .port = outbound->port,
				     .tags = outbound->tags,
				     .unresolved = at->mesh->unresolved };
	struct claims claims = { 0 };

	target_set_destination(at, outbound, &to);
	if (!outbound->has_backend)
		claims = claims_about(at, &to);
	to.owner = claims_owner(&claims, to.destination.protocol);
	set_backends(at, outbound, &claims, &to);
	return to;
}

/* Why each policy of the mesh applies or not. */
static void consider(const struct policy_index *index, const char *zone,
		     struct routes *routes, struct zl_arena *arena)
{
	const struct indexed_route *sorted = index_sorted(
		index, routes->proxy->key.mesh, arena, &routes->considered_count);
	struct considered *list =
		zl_arena_alloc(arena, routes->considered_count, sizeof(*list));

	for (size_t i = 0; i < routes->considered_count; i++) {
		const struct resource *policy = sorted[i].rank.route;

		list[i].policy = policy;
		if (sorted[i].withdrawn)
			list[i].reason = zl_arena_format(
				arena, "zone \"%s\", which wrote it, is disabled",
				policy->key.zone);
		else
			list[i].selected = select_proxy(policy, routes->proxy, zone,
							arena, &list[i].reason);
	}
	routes->considered = list;
}

const struct routes *policy_resolve(const struct policy_index *index,
				    const struct inventory *inventory,
				    const struct resource *proxy,
				    const struct policy_options *options,
				    struct zl_arena *arena)
{
	const struct dataplane_spec *spec = proxy->dataplane;
	struct routes *routes = zl_arena_alloc(arena, 1, sizeof(*routes));
	struct outbound_route *outbounds =
		zl_arena_alloc(arena, spec->outbound_count, sizeof(*outbounds));
	struct resolving at = { .index = index,
				.inventory = inventory,
				.proxy = proxy,
				.set = index_set(index),
				.zone = inventory_zone(inventory),
				.mesh_name = proxy->key.mesh,
				.mesh = set_mesh(index_set(index), proxy->key.mesh),
				.arena = arena };

	for (size_t i = 0; i < spec->outbound_count; i++)
		outbounds[i] = resolve_outbound(&at, &spec->outbounds[i]);

	routes->proxy = proxy;
	routes->zone = at.zone;
	routes->outbounds = outbounds;
	routes->outbound_count = spec->outbound_count;
	routes->warning_count = texts_sort(at.warnings, at.warning_count);
	routes->warnings = at.warnings;
	if (options != NULL && options->explain)
		consider(index, at.zone, routes, arena);
	return routes;
}

/* True if an entry of route is about service. */
static bool is_about(const struct resource *route, const char *service)
{
	for (size_t i = 0; i < route_to_count(route); i++)
		if (ref_is_by_name(route_to(route, i)) &&
		    strcmp(route_to(route, i)->name, service) == 0)
			return true;
	return false;
}

bool policy_touches(const struct resource *route, const struct resource *proxy,
		    const char *zone)
{
	const struct dataplane_spec *spec = proxy->dataplane;
	bool about = false;

	if (strcmp(route->key.mesh, proxy->key.mesh) != 0)
		return false;
	for (size_t i = 0; !about && i < spec->outbound_count; i++) {
		const char *service = service_of(&spec->outbounds[i]);

		about = service != NULL && is_about(route, service);
	}
	return about && select_proxy(route, proxy, zone, NULL, NULL);
}

void policy_services(const struct routes *routes, struct zl_buf *services)
{
	for (size_t i = 0; i < routes->outbound_count; i++) {
		const struct outbound_route *route = &routes->outbounds[i];

		zl_buf_str(services, route->destination.name);
		zl_buf_char(services, '\0');
		for (size_t j = 0; j < route->backend_count; j++) {
			/* Mostly a destination is its own backend. */
			if (strcmp(route->backends[j].name, route->destination.name) == 0)
				continue;
			zl_buf_str(services, route->backends[j].name);
			zl_buf_char(services, '\0');
		}
	}
}

bool policy_endures(const struct zl_buf *services, const char *mesh,
		    const struct inventory *before, const struct inventory *after)
{
	for (size_t at = 0; at < services->len; at += strlen(services->data + at) + 1) {
		const char *name = services->data + at;

		if (!service_same(inventory_find(before, mesh, name),
				  inventory_find(after, mesh, name)))
			return false;
	}
	return true;
}
