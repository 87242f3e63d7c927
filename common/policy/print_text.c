#include "policy/answer.h"
#include "policy/policy.h"
#include "policy/print_inbounds.h"
#include "policy/refs.h"

#include "inventory/objects.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const char *backend_name(const struct backend *backend, struct zl_arena *arena)
{
	struct labels more = backend->tags.count > 0 ? backend->tags : backend->labels;

	return zl_arena_format(arena, "%s%s%s%s%s", ref_kind_name(backend->kind),
			       backend->name[0] == '\0' ? "" : " ", backend->name,
			       more.count == 0 ? "" : " ",
			       more.count == 0 ? "" : labels_text(more, arena));
}

static void print_considered(const struct routes *routes, struct zl_arena *arena,
			     struct zl_buf *out)
{
	if (routes->considered_count == 0)
		return;
	zl_buf_str(out, "  Policies, each stronger than those before it:\n");
	for (size_t i = 0; i < routes->considered_count; i++) {
		const struct considered *at = &routes->considered[i];

		zl_buf_format(out, "    %s %s: %s\n",
			      answer_policy_name(at->policy, arena),
			      at->selected ? "applies" : "does not apply", at->reason);
	}
}

/* A policy and which of its entries. */
static const char *place_of(const struct contributor *from, struct zl_arena *arena)
{
	const char *name = answer_policy_name(from->policy, arena);

	if (from->policy->key.kind == KIND_TRAFFIC_ROUTE)
		return name;
	return zl_arena_format(arena, "%s, spec.to[%zu]", name, from->to);
}

/* The strongest comes first. relation is what the others are to it, nothing what there is
 * without any. */
static void print_policies(const struct contributor *policies, size_t count,
			   const char *relation, const char *nothing,
			   struct zl_arena *arena, struct zl_buf *out)
{
	if (count == 0) {
		zl_buf_format(out, "    No policy is about it: %s.\n", nothing);
		return;
	}
	zl_buf_format(out, "    Decided by %s", place_of(&policies[count - 1], arena));
	for (size_t i = count - 1; i > 0; i--)
		zl_buf_format(out, "%s %s", i == count - 1 ? relation : ",",
			      place_of(&policies[i - 1], arena));
	zl_buf_str(out, ".\n");
}

/* A list of backends, and what is shared among them. */
struct shared {
	const struct backend *backends;
	size_t count;
	enum unresolved unresolved;
	bool requests; /* else connections */
};

/* The MeshLoadBalancingStrategies about it, the strongest first. */
static void print_balancing(const struct backend *backend, struct zl_arena *arena,
			    struct zl_buf *out)
{
	for (size_t i = backend->balancing_count; i > 0; i--)
		zl_buf_format(out, "%s%s%s",
			      i == backend->balancing_count ? "        balanced by " : "",
			      place_of(&backend->balancing[i - 1], arena),
			      i > 1 ? ", then " : "\n");
}

void answer_endpoint_line(const struct endpoint *at, struct zl_buf *out)
{
	bool v6 = strchr(at->address, ':') != NULL;

	zl_buf_format(out,
		      "        %s%s%s:%u, %s%s%s%s, %s, priority %u, weight "
		      "%" PRIu64 "\n",
		      v6 ? "[" : "", at->address, v6 ? "]" : "", at->port,
		      at->zone == NULL ? "no zone" : "zone ",
		      at->zone == NULL ? "" : at->zone,
		      at->sub_zone == NULL ? "" : " near by ",
		      at->sub_zone == NULL ? "" : at->sub_zone, via_name(at->via),
		      at->priority, at->weight);
}

static void print_endpoints(const struct shared *all, const struct backend *backend,
			    struct zl_buf *out)
{
	for (size_t i = 0; i < backend->endpoint_count; i++)
		answer_endpoint_line(&backend->endpoints[i], out);
	if (backend->resolved && backend->endpoint_count == 0)
		zl_buf_format(out, "        no endpoints: these %s fail\n",
			      all->requests ? "requests" : "connections");
}

static bool any_resolved(const struct shared *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->backends[i].resolved)
			return true;
	return false;
}

/* True if backend has a share, be it served or not (D33). */
static bool has_share(const struct shared *all, const struct backend *backend)
{
	return backend->weight > 0 &&
	       (backend->resolved || all->unresolved == UNRESOLVED_BLACKHOLE ||
		!any_resolved(all));
}

/* In tenths of a percent, cut. */
static void print_share(const struct shared *all, uint64_t weight, struct zl_buf *out)
{
	uint64_t total = 0;

	for (size_t i = 0; i < all->count; i++)
		if (has_share(all, &all->backends[i]))
			total += all->backends[i].weight;

	assert(total > 0); /* backend itself has a share */
	uint64_t tenths = weight * 1000 / total;
	zl_buf_format(out, "%" PRIu64, tenths / 10);
	if (tenths % 10 != 0)
		zl_buf_format(out, ".%" PRIu64, tenths % 10);
	zl_buf_str(out, " %");
}

static void print_backend(const struct shared *all, const struct backend *backend,
			  struct zl_arena *arena, struct zl_buf *out)
{
	const char *name = backend_name(backend, arena);

	zl_buf_str(out, "      ");
	if (!has_share(all, backend)) {
		zl_buf_format(out, "nothing to %s: %s\n", name, backend->reason);
		return;
	}
	print_share(all, backend->weight, out);
	if (backend->resolved)
		zl_buf_format(out, " to %s (weight %" PRIu64 ", cluster %s)\n", name,
			      backend->weight, backend->cluster);
	else
		zl_buf_format(out, " %s, meant for %s (weight %" PRIu64 "): %s\n",
			      all->requests ? "answered 503" : "closed", name,
			      backend->weight, backend->reason);
	print_balancing(backend, arena, out);
	answer_settings(backend->settings, SETTINGS_OF_CLUSTER, "        ", arena, out);
	print_endpoints(all, backend, out);
}

static void print_backends(const struct shared *all, struct zl_arena *arena,
			   struct zl_buf *out)
{
	bool none = all->count > 0;

	for (size_t i = 0; i < all->count; i++) {
		print_backend(all, &all->backends[i], arena, out);
		none = none && all->backends[i].weight == 0;
	}
	if (none)
		zl_buf_format(out, "      All weights are 0: every %s.\n",
			      all->requests ? "request is answered 503"
					    : "connection is closed");
}

/* ---- requests ---- */

static void print_fields(const char *what, const struct http_field *fields, size_t count,
			 struct zl_buf *out)
{
	for (size_t i = 0; i < count; i++)
		zl_buf_format(out, ", %s %s %s%s%s", what, fields[i].name,
			      http_value_name(fields[i].type),
			      fields[i].value[0] == '\0' ? "" : " ", fields[i].value);
}

static void print_rule(const struct outbound_route *route, size_t index,
		       struct zl_arena *arena, struct zl_buf *out)
{
	const struct request_route *rule = &route->rules[index];
	const struct http_match *match = rule->match;
	const struct shared all = { rule->backends, rule->backend_count,
				    route->unresolved, true };

	zl_buf_format(out, "    %zu. ", index + 1);
	if (match->path_type == HTTP_PATH_NONE)
		zl_buf_str(out, "any path");
	else
		zl_buf_format(out, "path %s %s", http_path_name(match->path_type),
			      match->path);
	if (match->method[0] != '\0')
		zl_buf_format(out, ", method %s", match->method);
	print_fields("header", match->headers, match->header_count, out);
	print_fields("parameter", match->params, match->param_count, out);
	zl_buf_format(out, ": %s\n",
		      rule->from == NULL ? "what no rule is about"
					 : place_of(rule->from, arena));
	if (answer_has_settings(rule))
		answer_settings(rule->settings, SETTINGS_OF_REQUESTS, "      ", arena,
				out);
	print_backends(&all, arena, out);
}

/* ---- proxies ---- */

/* As it is asked for, and an object that is there by its KRI as well. */
static const char *destination_name(const struct outbound_route *route,
				    struct zl_arena *arena)
{
	const struct resource *object = route->destination.object;
	struct labels more = route->destination.tags.count > 0
				     ? route->destination.tags
				     : route->destination.labels;
	const char *name = ref_kind_name(route->destination.kind);

	if (route->destination.name[0] != '\0')
		name = zl_arena_format(arena, "%s \"%s\"", name, route->destination.name);
	if (object != NULL)
		return zl_arena_format(
			arena, "%s, port %u (%s)", name, route->destination.port,
			object_kri(object, route->destination.section, arena));
	return more.count == 0
		       ? name
		       : zl_arena_format(arena, "%s %s", name, labels_text(more, arena));
}

static void print_outbound(const struct outbound_route *route, struct zl_arena *arena,
			   struct zl_buf *out)
{
	const struct shared all = { route->backends, route->backend_count,
				    route->unresolved, false };
	bool by_request = route->owner == OWNER_HTTP_ROUTE;

	zl_buf_format(out, "  Outbound %s:%u to %s, protocol %s\n", route->address,
		      route->port, destination_name(route, arena),
		      route->destination.protocol);
	print_policies(route->policies, route->policy_count,
		       by_request ? ", before" : ", which replaces", "it goes to itself",
		       arena, out);
	answer_settings(route->settings,
			route->http ? SETTINGS_OF_REQUESTS : SETTINGS_OF_CONNECTIONS,
			"    ", arena, out);
	if (!by_request)
		print_backends(&all, arena, out);
	for (size_t i = 0; by_request && i < route->rule_count; i++)
		print_rule(route, i, arena, out);
}

static void print_listener(const struct listener_route *route, struct zl_arena *arena,
			   struct zl_buf *out)
{
	const struct shared all = { route->backends, route->backend_count,
				    route->unresolved, false };

	zl_buf_format(out,
		      "  Listener %u for \"%s\" of MeshGateway \"%s\", protocol %s\n",
		      route->listener->port, route->listener->hostname,
		      route->gateway->key.name,
		      gateway_protocol_name(route->listener->protocol));
	print_policies(route->policies, route->policy_count, ", which replaces",
		       "connections are closed", arena, out);
	answer_settings(route->settings, SETTINGS_OF_CONNECTIONS, "    ", arena, out);
	print_backends(&all, arena, out);
}

/* What is shown where nothing is. */
static const char *nothing_of(const struct routes *routes)
{
	if (routes->is_gateway)
		return routes->listener_count == 0 ? "It has no listeners."
						   : "It has no listener that leads to "
						     "this service.";
	return routes->outbound_count == 0 ? "It has no outbounds."
					   : "It has no outbound to this service.";
}

static void print_proxy(const struct policy_answer *answer, const struct routes *routes,
			struct zl_arena *arena, struct zl_buf *out)
{
	size_t shown = 0;

	zl_buf_format(out, "Proxy %s, zone %s, mesh %s\n", routes->proxy->key.name,
		      answer->zone, answer->mesh);
	print_considered(routes, arena, out);
	for (size_t i = 0; i < routes->outbound_count; i++) {
		if (!answer_has(answer, &routes->outbounds[i]))
			continue;
		print_outbound(&routes->outbounds[i], arena, out);
		shown++;
	}
	for (size_t i = 0; i < routes->listener_count; i++) {
		if (!answer_has_listener(answer, &routes->listeners[i]))
			continue;
		print_listener(&routes->listeners[i], arena, out);
		shown++;
	}
	if (shown == 0)
		zl_buf_format(out, "  %s\n", nothing_of(routes));
	inbounds_text(answer, routes, arena, out);
}

void policy_text(const struct policy_answer *answer, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();
	const struct answered *sorted = answer_routes(answer, arena);
	size_t count;
	const char **warnings = answer_warnings(answer, arena, &count);

	for (size_t i = 0; i < answer->route_count; i++) {
		if (i > 0)
			zl_buf_char(out, '\n');
		print_proxy(answer, sorted[i].routes, arena, out);
	}
	if (answer->unreached_count > 0)
		zl_buf_format(out, "%sOther zones\n",
			      answer->route_count > 0 ? "\n" : "");
	for (size_t i = 0; i < answer->unreached_count; i++)
		zl_buf_format(out, "  %s\n", answer->unreached[i]);
	if (count > 0)
		zl_buf_format(out, "%sWarnings\n",
			      answer->route_count + answer->unreached_count > 0 ? "\n"
										: "");
	for (size_t i = 0; i < count; i++)
		zl_buf_format(out, "  %s\n", warnings[i]);
	zl_arena_free(&arena);
}
