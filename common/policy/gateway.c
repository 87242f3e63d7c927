#include "policy/gateway.h"

#include "policy/refs.h"
#include "policy/select.h"
#include "policy/warn.h"

#include <stdlib.h>
#include <string.h>

/* ---- the MeshGateway ---- */

/* The most tags of a selector that matches; 0: none does, for none is without tags. */
static size_t most_tags(const struct resource *gateway, const struct resource *proxy,
			const char *zone)
{
	const struct mesh_gateway_spec *spec = gateway->gateway;
	size_t most = 0;

	if (gateway->origin == ORIGIN_ZONE && gateway->key.zone[0] != '\0' &&
	    strcmp(gateway->key.zone, zone) != 0)
		return 0;
	for (size_t i = 0; i < spec->selector_count; i++) {
		struct labels match = spec->selectors[i].match;

		if (match.count > most && select_by_tags(proxy, zone, match, NULL, NULL))
			most = match.count;
	}
	return most;
}

bool gateway_matches(const struct resource *gateway, const struct resource *proxy,
		     const char *zone)
{
	return most_tags(gateway, proxy, zone) > 0;
}

static void warn_of_other(struct resolving *at, const struct resource *proxy,
			  const struct resource *taken, const struct resource *other)
{
	resolving_warn(at, zl_arena_format(at->arena,
					   "mesh \"%s\": Dataplane \"%s\" has the "
					   "listeners of MeshGateway \"%s\"; \"%s\", "
					   "which matches it too, has no effect on it",
					   at->mesh_name, proxy->key.name,
					   taken->key.name, other->key.name));
}

/* The one with the most tags, then the smaller name. */
static const struct resource *take(struct resolving *at)
{
	const struct resource *proxy = at->proxy;
	struct set_iter each = set_each(at->set, KIND_MESH_GATEWAY, at->mesh_name);
	const struct resource *taken = NULL;
	const struct resource *gateway;
	size_t most = 0;

	while ((gateway = set_next(&each)) != NULL) {
		size_t tags = most_tags(gateway, proxy, at->zone);

		if (tags > most || (tags > 0 && tags == most &&
				    strcmp(gateway->key.name, taken->key.name) < 0)) {
			taken = gateway;
			most = tags;
		}
	}
	each = set_each(at->set, KIND_MESH_GATEWAY, at->mesh_name);
	while (taken != NULL && (gateway = set_next(&each)) != NULL)
		if (gateway != taken && gateway_matches(gateway, proxy, at->zone))
			warn_of_other(at, proxy, taken, gateway);
	return taken;
}

/* ---- tags of listeners ---- */

static struct labels joined(struct zl_arena *arena, struct labels base,
			    struct labels more)
{
	for (size_t i = 0; i < more.count; i++)
		base = labels_with(arena, base, more.items[i].key, more.items[i].value);
	return base;
}

/* Later ones win. */
static struct labels tags_of(const struct resource *proxy, const char *zone,
			     const struct listener_route *route, struct zl_arena *arena)
{
	struct labels tags =
		labels_with(arena, proxy->dataplane->gateway_tags, TAG_ZONE, zone);

	tags = joined(arena, tags, route->gateway->gateway->tags);
	return joined(arena, tags, route->listener->tags);
}

/* ---- policies ---- */

/* A rule without a list, which only a store can hold, says nothing. */
static bool is_void(const struct contributor *from)
{
	const struct tcp_to *to = &from->policy->tcp_route->to[from->to];

	return to->has_rule && to->ref_count == 0;
}

/* Of all entries about listeners those whose policies name this gateway and select the
 * proxy; by increasing precedence. */
static struct contributor *contributors(struct resolving *at,
					const struct resource *gateway, size_t *count)
{
	const struct entry_name name = { at->mesh_name, REF_MESH, "" };
	size_t entry_count;
	const struct entry *entries = index_entries(at->index, name, &entry_count);
	struct contributor *list = zl_arena_alloc(at->arena, entry_count, sizeof(*list));

	*count = 0;
	for (size_t i = 0; i < entry_count; i++) {
		const struct contributor from = { entries[i].rank.route, entries[i].to };

		if (from.policy->key.kind == KIND_MESH_TCP_ROUTE && !is_void(&from) &&
		    strcmp(route_top(from.policy)->name, gateway->key.name) == 0 &&
		    select_proxy(from.policy, at->proxy, at->zone, NULL, NULL))
			list[(*count)++] = from;
	}
	return list;
}

const char *gateway_listener_text(const struct listener_route *route,
				  struct zl_arena *arena)
{
	return zl_arena_format(arena, "MeshGateway \"%s\", listener %u %s for \"%s\"",
			       route->gateway->key.name, route->listener->port,
			       gateway_protocol_name(route->listener->protocol),
			       route->listener->hostname);
}

static void warn_of_listener(struct resolving *at, const struct listener_route *route,
			     const char *what)
{
	resolving_warn(at,
		       zl_arena_format(at->arena, "mesh \"%s\": %s: %s", at->mesh_name,
				       gateway_listener_text(route, at->arena), what));
}

/* One list replaces another (D31). */
static void set_backends(struct resolving *at, struct listener_route *route)
{
	const struct contributor *last = &route->policies[route->policy_count - 1];
	const struct tcp_to *winner = &last->policy->tcp_route->to[last->to];
	struct backend *backends =
		zl_arena_alloc(at->arena, winner->ref_count, sizeof(*backends));

	for (size_t i = 0; i < winner->ref_count; i++)
		backends[i] = target_of_ref(at, last->policy, &winner->refs[i].ref,
					    winner->refs[i].weight);
	resolving_made(at, backends, winner->ref_count);
	route->backends = backends;
	route->backend_count = winner->ref_count;
	if (winner->ref_count == 0)
		warn_of_listener(
			at, route,
			zl_arena_format(at->arena,
					"connections are closed: MeshTCPRoute "
					"\"%s\", spec.to[%zu], has no rules, and "
					"a listener has no destination of its "
					"own",
					last->policy->key.name, last->to));
}

/* Where TLS is ended and no certificate of two is there. */
static void warn_of_certificates(struct resolving *at, const struct listener_route *route)
{
	const struct gateway_listener *listener = route->listener;
	size_t lacking = 0;

	for (size_t i = 0; i < listener->cert_count; i++)
		lacking += warn_lacks_secret(at, &listener->certs[i]);
	if (lacking > 0 && lacking == listener->cert_count)
		warn_of_listener(at, route,
				 zl_arena_format(at->arena,
						 "it is not served: there is no Secret "
						 "\"%s\"",
						 listener->certs[0].secret));
}

static void resolve_listener(struct resolving *at, const struct contributor *all,
			     size_t count, struct listener_route *route)
{
	struct labels tags = tags_of(at->proxy, at->zone, route, at->arena);
	struct contributor *policies =
		zl_arena_alloc(at->arena, count, sizeof(*policies));

	if (route->listener->protocol == GATEWAY_HTTP ||
	    route->listener->protocol == GATEWAY_HTTPS) {
		warn_of_listener(at, route,
				 "it is not served: only TCP and TLS listeners are");
		return;
	}
	warn_of_certificates(at, route);
	for (size_t i = 0; i < count; i++)
		if (labels_match(route_top(all[i].policy)->tags, tags, true))
			policies[route->policy_count++] = all[i];
	if (route->policy_count == 0) {
		warn_of_listener(at, route,
				 "connections are closed: no MeshTCPRoute is about it");
		return;
	}
	route->owner = OWNER_TCP_ROUTE;
	route->policies = policies;
	set_backends(at, route);
}

/* ---- all ---- */

static int by_place(const void *one, const void *other)
{
	const struct listener_route *a = one;
	const struct listener_route *b = other;
	uint32_t port_a = a->listener->port;
	uint32_t port_b = b->listener->port;

	if (port_a != port_b)
		return port_a < port_b ? -1 : 1;
	return strcmp(a->listener->hostname, b->listener->hostname);
}

void gateway_resolve(struct resolving *at, struct routes *routes)
{
	const struct resource *gateway = take(at);
	size_t policy_count;

	routes->is_gateway = true;
	if (gateway == NULL) {
		resolving_warn(at, zl_arena_format(at->arena,
						   "mesh \"%s\": Dataplane \"%s\" has no "
						   "listeners: no MeshGateway matches "
						   "its tags",
						   at->mesh_name, at->proxy->key.name));
		return;
	}

	const struct mesh_gateway_spec *spec = gateway->gateway;
	const struct contributor *policies = contributors(at, gateway, &policy_count);
	struct listener_route *listeners =
		zl_arena_alloc(at->arena, spec->listener_count, sizeof(*listeners));
	for (size_t i = 0; i < spec->listener_count; i++)
		listeners[i] =
			(struct listener_route){ .gateway = gateway,
						 .listener = &spec->listeners[i],
						 .unresolved = at->mesh->unresolved };
	if (spec->listener_count > 0)
		qsort(listeners, spec->listener_count, sizeof(*listeners), by_place);
	for (size_t i = 0; i < spec->listener_count; i++)
		resolve_listener(at, policies, policy_count, &listeners[i]);
	routes->listeners = listeners;
	routes->listener_count = spec->listener_count;
}

bool gateway_selects(const struct routes *routes, const struct resource *policy,
		     struct zl_arena *arena, const char **reason)
{
	for (size_t i = 0; i < routes->listener_count; i++) {
		const struct listener_route *route = &routes->listeners[i];

		for (size_t j = 0; j < route->policy_count; j++) {
			if (route->policies[j].policy != policy)
				continue;
			*reason = zl_arena_format(arena, "it is about %s",
						  gateway_listener_text(route, arena));
			return true;
		}
	}
	*reason = "no listener of the gateway is what it asks for";
	return false;
}

/* True if policy, which attaches, is about the listener; *reason says why, of a ref to
 * another MeshGateway or other tags "". reason NULL: nobody asks why. */
static bool is_meant(const struct routes *routes, const struct listener_route *route,
		     const struct resource *policy, struct zl_arena *arena,
		     const char **reason)
{
	const struct target_ref *top = route_top(policy);
	struct labels tags = tags_of(routes->proxy, routes->zone, route, arena);

	if (!select_listener(policy, routes->proxy, routes->zone, tags,
			     reason != NULL ? arena : NULL, reason))
		return false;
	if (top->kind != REF_MESH_GATEWAY)
		return true;
	bool meant = strcmp(top->name, route->gateway->key.name) == 0 &&
		     labels_match(top->tags, tags, true);
	if (reason != NULL)
		*reason = meant ? zl_arena_format(arena, "it is about %s",
						  gateway_listener_text(route, arena))
				: "";
	return meant;
}

bool gateway_is_meant(const struct routes *routes, const struct listener_route *route,
		      const struct resource *policy, struct zl_arena *arena)
{
	return is_meant(routes, route, policy, arena, NULL);
}

bool gateway_means_any(const struct routes *routes, const struct resource *policy,
		       struct zl_arena *arena)
{
	size_t i = 0;

	while (i < routes->listener_count &&
	       !gateway_is_meant(routes, &routes->listeners[i], policy, arena))
		i++;
	return i < routes->listener_count;
}

bool gateway_attaches(const struct routes *routes, const struct resource *policy,
		      struct zl_arena *arena, const char **reason)
{
	const char *last = "";

	for (size_t i = 0; i < routes->listener_count; i++)
		if (is_meant(routes, &routes->listeners[i], policy, arena, &last)) {
			*reason = last;
			return true;
		}
	*reason = *last != '\0' ? last : "no listener of the gateway is what it asks for";
	return false;
}
