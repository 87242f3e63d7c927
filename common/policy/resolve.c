#include "policy/policy.h"

#include "policy/attach.h"
#include "policy/claims.h"
#include "policy/gateway.h"
#include "policy/http.h"
#include "policy/inbounds.h"
#include "policy/index.h"
#include "policy/refs.h"
#include "policy/select.h"
#include "policy/traffic.h"
#include "policy/trust.h"

#include <string.h>

/* Lists replace one another as a whole; no rules is a list of the destination itself. */
static void route_by_list(struct resolving *at, const struct outbound *outbound,
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
	resolving_made(at, backends, to->backend_count);
}

/* Where nobody owns the requests there is one rule, and its backend is the outbound's. */
static void route_by_request(struct resolving *at, const struct outbound *outbound,
			     const struct claims *claims, struct outbound_route *to)
{
	to->policies = claims->http;
	to->policy_count = claims->http_count;
	http_resolve(at, outbound, claims->http, claims->http_count, to);
	if (to->owner == OWNER_HTTP_ROUTE)
		return;
	to->backends = to->rules[0].backends;
	to->backend_count = to->rules[0].backend_count;
}

/* Its split is of connections, whatever they carry (D30). */
static void route_by_traffic(struct resolving *at, const struct resource *route,
			     struct outbound_route *to)
{
	struct contributor *policy = zl_arena_alloc(at->arena, 1, sizeof(*policy));

	policy->policy = route;
	to->owner = OWNER_TRAFFIC_ROUTE;
	to->policies = policy;
	to->policy_count = 1;
	to->backends = traffic_backends(at, route, to->tags, &to->backend_count);
	if (protocol_is_http(to->destination.protocol))
		resolving_warn(
			at,
			zl_arena_format(at->arena,
					"mesh \"%s\": TrafficRoute \"%s\" splits "
					"connections to \"%s\", not requests, though "
					"their protocol is %s",
					at->mesh_name, route->key.name,
					to->destination.name, to->destination.protocol));
}

/* MeshHTTPRoutes about what carries no requests. */
static void warn_of_idle(struct resolving *at, const struct claims *claims,
			 const struct outbound_route *to)
{
	if (protocol_is_http(to->destination.protocol))
		return;
	for (size_t i = 0; i < claims->http_count; i++)
		resolving_warn(
			at,
			zl_arena_format(at->arena,
					"mesh \"%s\": MeshHTTPRoute \"%s\" has no "
					"effect on connections to \"%s\": their "
					"protocol is %s",
					at->mesh_name, claims->http[i].policy->key.name,
					to->destination.name, to->destination.protocol));
}

static struct outbound_route resolve_outbound(struct resolving *at,
					      const struct outbound *outbound)
{
	struct outbound_route to = { .address = outbound->address,
				     .port = outbound->port,
				     .tags = outbound->tags,
				     .unresolved = at->mesh->unresolved };
	const struct resource *traffic = NULL;

	target_set_destination(at, outbound, &to);
	struct claims claims = claims_about(at, &to);
	bool requests = protocol_is_http(to.destination.protocol);
	to.owner = claims_owner(&claims, to.destination.protocol);
	warn_of_idle(at, &claims, &to);
	if (to.owner == OWNER_DEFAULT && !outbound->has_backend)
		traffic = traffic_about(at, to.destination.name);
	if (traffic != NULL)
		route_by_traffic(at, traffic, &to);
	else if (requests && to.owner != OWNER_TCP_ROUTE)
		route_by_request(at, outbound, &claims, &to);
	else
		route_by_list(at, outbound, &claims, &to);
	return to;
}

/* Why a policy applies or not. */
static bool applies(const struct routes *routes, const struct indexed_route *at,
		    struct zl_arena *arena, const char **reason)
{
	const struct resource *policy = at->rank.route;

	if (at->withdrawn) {
		*reason =
			zl_arena_format(arena, "zone \"%s\", which wrote it, is disabled",
					policy->key.zone);
		return false;
	}
	if (policy->key.kind == KIND_TRAFFIC_ROUTE || kind_is_legacy(policy->key.kind))
		return traffic_selects(policy, routes->proxy, routes->zone, arena,
				       reason);
	if (routes->is_gateway && kind_attaches(policy->key.kind))
		return gateway_attaches(routes, policy, arena, reason);
	return select_proxy(policy, routes->proxy, routes->zone, arena, reason) &&
	       (!routes->is_gateway || !route_is_route(policy) ||
		gateway_selects(routes, policy, arena, reason));
}

/* Each policy of the mesh. */
static void consider(const struct policy_index *index, struct routes *routes,
		     struct zl_arena *arena)
{
	const struct indexed_route *sorted = index_sorted(
		index, routes->proxy->key.mesh, arena, &routes->considered_count);
	struct considered *list =
		zl_arena_alloc(arena, routes->considered_count, sizeof(*list));

	for (size_t i = 0; i < routes->considered_count; i++) {
		list[i].policy = sorted[i].rank.route;
		list[i].selected = applies(routes, &sorted[i], arena, &list[i].reason);
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

	if (options != NULL) {
		at.has_identity = options->has_identity;
		at.is_serving = options->is_serving;
		at.owner = options->owner;
	}
	for (size_t i = 0; i < spec->outbound_count; i++)
		outbounds[i] = resolve_outbound(&at, &spec->outbounds[i]);

	routes->proxy = proxy;
	routes->zone = at.zone;
	routes->mesh = at.mesh;
	trust_identify(&at, routes);
	inbounds_resolve(&at, routes);
	routes->outbounds = outbounds;
	routes->outbound_count = spec->outbound_count;
	if (spec->gateway == GATEWAY_BUILTIN)
		gateway_resolve(&at, routes);
	attach_all(&at, outbounds, routes);
	routes->warning_count = texts_sort(at.warnings, at.warning_count);
	routes->warnings = at.warnings;
	if (at.relays.found)
		leads_to_egresses(&at.leads);
	routes->leads_len = at.leads.text.len;
	routes->leads =
		zl_arena_memdup(arena, zl_buf_text(&at.leads.text), at.leads.text.len);
	leads_free(&at.leads);
	if (options != NULL && options->explain)
		consider(index, routes, arena);
	return routes;
}
