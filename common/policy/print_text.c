#include "policy/answer.h"
#include "policy/policy.h"
#include "policy/refs.h"

#include "inventory/objects.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const char *policy_name(const struct resource *policy, struct zl_arena *arena)
{
	const char *ns = policy->key.ns;
	const char *zone = policy->origin == ORIGIN_ZONE ? policy->key.zone : "";

	return zl_arena_format(arena, "%s \"%s\"%s%s (%s%s%s)",
			       kind_info(policy->key.kind)->name, policy->key.name,
			       ns[0] == '\0' ? "" : " of namespace ", ns,
			       origin_name(policy), zone[0] == '\0' ? "" : " ", zone);
}

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

		zl_buf_format(out, "    %s %s: %s\n", policy_name(at->policy, arena),
			      at->selected ? "applies" : "does not apply", at->reason);
	}
}

static void print_winner(const struct outbound_route *route, struct zl_arena *arena,
			 struct zl_buf *out)
{
	if (route->policy_count == 0) {
		zl_buf_str(out, "    No policy is about it: it goes to itself.\n");
		return;
	}
	const struct contributor *winner = &route->policies[route->policy_count - 1];
	zl_buf_format(out, "    Decided by %s, spec.to[%zu]",
		      policy_name(winner->policy, arena), winner->to);
	for (size_t i = route->policy_count - 1; i > 0; i--) {
		const struct contributor *other = &route->policies[i - 1];

		zl_buf_format(out, "%s %s, spec.to[%zu]",
			      i == route->policy_count - 1 ? ", which replaces" : ",",
			      policy_name(other->policy, arena), other->to);
	}
	zl_buf_str(out, ".\n");
}

static void print_endpoints(const struct backend *backend, struct zl_buf *out)
{
	for (size_t i = 0; i < backend->endpoint_count; i++) {
		const struct endpoint *at = &backend->endpoints[i];
		bool v6 = strchr(at->address, ':') != NULL;

		zl_buf_format(out,
			      "        %s%s%s:%u, %s%s, %s, priority %u, weight "
			      "%" PRIu64 "\n",
			      v6 ? "[" : "", at->address, v6 ? "]" : "", at->port,
			      at->zone == NULL ? "no zone" : "zone ",
			      at->zone == NULL ? "" : at->zone, via_name(at->via),
			      at->priority, at->weight);
	}
	if (backend->resolved && backend->endpoint_count == 0)
		zl_buf_str(out, "        no endpoints: these connections fail\n");
}

static bool any_resolved(const struct outbound_route *route)
{
	for (size_t i = 0; i < route->backend_count; i++)
		if (route->backends[i].resolved)
			return true;
	return false;
}

/* True if backend has a share of the connections, be they served or closed (D33). */
static bool has_share(const struct outbound_route *route, const struct backend *backend)
{
	return backend->weight > 0 &&
	       (backend->resolved || route->unresolved == UNRESOLVED_BLACKHOLE ||
		!any_resolved(route));
}

/* In tenths of a percent, cut. */
static void print_share(const struct outbound_route *route, uint64_t weight,
			struct zl_buf *out)
{
	uint64_t total = 0;

	for (size_t i = 0; i < route->backend_count; i++)
		if (has_share(route, &route->backends[i]))
			total += route->backends[i].weight;

	assert(total > 0); /* backend itself has a share */
	uint64_t tenths = weight * 1000 / total;
	zl_buf_format(out, "%" PRIu64, tenths / 10);
	if (tenths % 10 != 0)
		zl_buf_format(out, ".%" PRIu64, tenths % 10);
	zl_buf_str(out, " %");
}

static void print_backend(const struct outbound_route *route,
			  const struct backend *backend, struct zl_arena *arena,
			  struct zl_buf *out)
{
	const char *name = backend_name(backend, arena);

	zl_buf_str(out, "      ");
	if (!has_share(route, backend)) {
		zl_buf_format(out, "nothing to %s: %s\n", name, backend->reason);
		return;
	}
	print_share(route, backend->weight, out);
	if (backend->resolved)
		zl_buf_format(out, " to %s (weight %" PRIu64 ", cluster %s)\n", name,
			      backend->weight, backend->cluster);
	else
		zl_buf_format(out, " closed, meant for %s (weight %" PRIu64 "): %s\n",
			      name, backend->weight, backend->reason);
	print_endpoints(backend, out);
}

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
	bool closed = true;

	zl_buf_format(out, "  Outbound %s:%u to %s, protocol %s\n", route->address,
		      route->port, destination_name(route, arena),
		      route->destination.protocol);
	print_winner(route, arena, out);
	for (size_t i = 0; i < route->backend_count; i++) {
		print_backend(route, &route->backends[i], arena, out);
		closed = closed && route->backends[i].weight == 0;
	}
	if (closed)
		zl_buf_str(out, "      All weights are 0: every connection is closed.\n");
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
	if (shown == 0)
		zl_buf_format(out, "  %s\n",
			      routes->outbound_count == 0
				      ? "It has no outbounds."
				      : "It has no outbound to this service.");
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
	if (count > 0)
		zl_buf_format(out, "%sWarnings\n", answer->route_count > 0 ? "\n" : "");
	for (size_t i = 0; i < count; i++)
		zl_buf_format(out, "  %s\n", warnings[i]);
	zl_arena_free(&arena);
}
