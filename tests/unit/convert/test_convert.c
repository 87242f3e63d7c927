/* Random meshes before and after: with the MeshTCPRoutes in place of the TrafficRoutes
 * every outbound has the same endpoints and weights. TrafficRoutes with a note that they
 * stay do stay. */
#include "support/world.h"

#include "convert/convert.h"
#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROXIES = 6, ROUTES = 6 };

/* How much there was to see, in all meshes. */
static size_t led_before, converted, kept;

static const char *one_of(struct dice *dice, const char *const *texts, size_t count)
{
	return texts[dice_below(dice, count)];
}
#define ONE_OF(dice, texts) one_of(dice, texts, ARRAY_LEN(texts))

static const char *const SERVICES[] = { "s0", "s1", "s2", "x_y", "x-y" };

/* ---- a mesh ---- */
static void add_proxy(struct dice *dice, unsigned number, struct zl_buf *out)
{
	static const char *const PARTS[] = {
		"inbound: [{port: 80, tags: {kuma.io/service: %s, version: v%u, "
		"kuma.io/protocol: %s}}]",
		"inbound: [{port: 80, tags: {kuma.io/service: %s, version: v%u, "
		"kuma.io/protocol: %s}, state: NotReady}]",
		"gateway: {tags: {kuma.io/service: %s, version: v%u}}",
	};
	static const char *const PROTOCOLS[] = { "tcp", "tcp", "http" };
	static const char *const ASKED[] = {
		"{port: %u, tags: {kuma.io/service: %s}}, ",
		"{port: %u, tags: {kuma.io/service: %s}}, ",
		"{port: %u, tags: {kuma.io/service: %s}}, ",
		"{port: %u, tags: {kuma.io/service: %s, kuma.io/mesh: default}}, ",
		"{port: %u, backendRef: {kind: MeshService, name: %s, port: 80}}, ",
	};
	const char *service = ONE_OF(dice, SERVICES);
	unsigned version = (unsigned)dice_below(dice, 2);

	zl_buf_format(out,
		      "---\n{type: Dataplane, name: d%u, labels: {app: a%u, "
		      "kuma.io/service: %s, version: v%u}, networking: {address: "
		      "10.0.0.%u, ",
		      number, number % 2, service[1] == '_' ? "s0" : service, version,
		      number + 1);
	if (!dice_chance(dice, 15)) {
		zl_buf_format(out, ONE_OF(dice, PARTS), service, version,
			      ONE_OF(dice, PROTOCOLS));
		zl_buf_str(out, ", ");
	}
	zl_buf_str(out, "outbound: [");
	for (unsigned i = 0; i < 3; i++) {
		bool more = dice_chance(dice, 4);
		zl_buf_format(
			out,
			more ? "{port: %u, tags: {kuma.io/service: %s, version: "
			       "v1}}, "
			     : ASKED[dice_below(dice, ARRAY_LEN(ASKED) -
							      !dice_chance(dice, 20))],
			1000 + i, ONE_OF(dice, SERVICES));
	}
	zl_buf_str(out, "]}}\n");
}

static void add_selectors(struct dice *dice, const char *field, const char *const *texts,
			  size_t count, struct zl_buf *out)
{
	zl_buf_format(out, "%s: [", field);
	for (uint64_t i = 0, n = 1 + dice_below(dice, 2); i < n; i++)
		zl_buf_format(out, "{match: {%s}}, ", one_of(dice, texts, count));
	zl_buf_str(out, "], ");
}

static void add_traffic_route(struct dice *dice, unsigned number, struct zl_buf *out)
{
	static const char *const SOURCES[] = {
		"kuma.io/service: '*'",
		"kuma.io/service: s0",
		"kuma.io/service: s1",
		"kuma.io/service: '*', version: v1",
		"kuma.io/service: s1, version: v0",
		"kuma.io/service: '*', version: '*'",
		"kuma.io/service: s2, kuma.io/zone: east",
	};
	static const char *const DESTINATIONS[] = {
		"kuma.io/service: s0", "kuma.io/service: s1", "kuma.io/service: x_y",
		"kuma.io/service: 'x-y'", "kuma.io/service: '*'"
	};
	static const char *const TARGETS[] = {
		"kuma.io/service: '*'",
		"kuma.io/service: s0",
		"kuma.io/service: s1, version: v1",
		"kuma.io/service: '*', version: v0",
		"kuma.io/service: x_y, version: '*'",
		"kuma.io/service: nobody",
		"kuma.io/service: s2, kuma.io/zone: west",
	};

	zl_buf_format(out, "---\n{type: TrafficRoute, name: t%u, ",
		      (unsigned)dice_below(dice, 10) * 10 + number);
	add_selectors(dice, "sources", SOURCES, ARRAY_LEN(SOURCES), out);
	add_selectors(dice, "destinations", DESTINATIONS, ARRAY_LEN(DESTINATIONS), out);
	if (dice_chance(dice, 20)) {
		zl_buf_format(out, "conf: {destination: {%s}}}\n", ONE_OF(dice, TARGETS));
		return;
	}
	zl_buf_str(out, "conf: {split: [");
	for (uint64_t i = 0, n = 1 + dice_below(dice, 3); i < n; i++)
		zl_buf_format(out, "{weight: %u, destination: {%s}}, ",
			      i == 0 ? 7 : (unsigned)dice_below(dice, 3),
			      ONE_OF(dice, TARGETS));
	zl_buf_str(out, "]}}\n");
}

/* Now and then there is more: other policies, objects, another zone. */
static void add_others(struct dice *dice, struct zl_buf *out)
{
	static const char *const OTHERS[] = {
		"---\n{type: MeshService, name: s0, labels: {kuma.io/origin: zone, "
		"kuma.io/zone: east}, spec: {selector: {dataplaneTags: {kuma.io/service: "
		"s0}}, ports: [{port: 80}]}}\n",
		"---\n{type: MeshTCPRoute, name: all, spec: {to: [{targetRef: {kind: "
		"MeshService, name: s0}, rules: [{default: {backendRefs: [{kind: "
		"MeshService, name: s1, weight: 4}]}}]}]}}\n",
		"---\n{type: MeshTCPRoute, name: some, spec: {targetRef: {kind: "
		"Dataplane, labels: {app: a0}}, to: [{targetRef: {kind: MeshService, "
		"name: s1}, rules: [{default: {backendRefs: [{kind: MeshService, name: "
		"s0, weight: 5}]}}]}]}}\n",
		"---\n{type: MeshTCPRoute, name: aa, spec: {targetRef: {kind: "
		"MeshSubset, tags: {version: v1}}, to: [{targetRef: {kind: MeshService, "
		"name: s0}, rules: [{default: {backendRefs: [{kind: MeshService, name: "
		"s2, weight: 6}]}}]}]}}\n",
		"---\n{type: MeshTCPRoute, name: zz, spec: {targetRef: {kind: "
		"MeshSubset, tags: {version: v1}}, to: [{targetRef: {kind: MeshService, "
		"name: x-y}, rules: [{default: {backendRefs: [{kind: MeshService, name: "
		"s2, weight: 6}]}}]}]}}\n",
		"---\n{type: MeshTCPRoute, name: seen, labels: {kuma.io/effect: shadow}, "
		"spec: {to: [{targetRef: {kind: MeshService, name: s1}}]}}\n",
		"---\n{type: MeshHTTPRoute, name: h, spec: {to: [{targetRef: {kind: "
		"MeshService, name: s0}, rules: []}]}}\n",
		"---\n{type: ZoneIngress, name: in-west, zone: west, networking: "
		"{address: 10.9.0.1, port: 1, advertisedAddress: 10.9.0.2, "
		"advertisedPort: 1}, availableServices: [{tags: {kuma.io/service: s2, "
		"kuma.io/zone: west}, instances: 2}, {tags: {kuma.io/service: s0, "
		"kuma.io/zone: west, version: v0}, instances: 1}]}\n",
		"---\n{type: Mesh, name: default, routing: {unresolvedBackends: "
		"Renormalise}}\n",
		"---\n{type: Mesh, name: default, meshServices: {mode: Exclusive}}\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++)
		if (dice_chance(dice, 15))
			zl_buf_str(out, OTHERS[i]);
}

/* ---- before and after ---- */
static struct set *after(const struct set *set, const struct conversion *conversion)
{
	struct set_iter each = set_each(set, KIND_TRAFFIC_ROUTE, NULL);
	struct set_edit *edit = set_edit(set);
	const struct resource *route;

	while ((route = set_next(&each)) != NULL) {
		bool stays = false;
		for (size_t i = 0; i < conversion->note_count; i++)
			stays = stays || (conversion->notes[i].kept &&
					  conversion->notes[i].route == route);
		if (!stays)
			set_del(edit, &route->key);
	}
	for (size_t i = 0; i < conversion->count; i++)
		set_put(edit, conversion->routes[i]);
	return set_done(&edit);
}

static void describe(const struct outbound_route *route, struct zl_arena *arena,
		     struct zl_buf *out)
{
	size_t count;
	const struct part *parts = split_of(route->unresolved, route->backends,
					    route->backend_count, arena, &count);

	zl_buf_format(out, "%u to %s%s:", route->port, route->destination.name,
		      route->http ? " by request" : "");
	for (size_t i = 0; i < count; i++) {
		const struct backend *to = parts[i].backend;
		zl_buf_format(out, "\n  %s %u:", to != NULL ? to->cluster : "nothing",
			      (unsigned)parts[i].weight);
		for (size_t j = 0; to != NULL && j < to->endpoint_count; j++)
			zl_buf_format(out, " %s:%u*%u@%u", to->endpoints[j].address,
				      to->endpoints[j].port,
				      (unsigned)to->endpoints[j].weight,
				      to->endpoints[j].priority);
	}
	zl_buf_char(out, '\n');
}

/* What every proxy does with its connections. */
static const char *describe_all(const struct set *set, struct zl_arena *arena,
				size_t *by_traffic)
{
	struct policy_index *index = policy_index_new(set, "east");
	struct inventory *inventory = inventory_build(set, "east");
	struct set_iter each = set_each(set, KIND_DATAPLANE, NULL);
	const struct resource *proxy;
	struct zl_buf out = { 0 };

	while ((proxy = set_next(&each)) != NULL) {
		const struct routes *routes =
			policy_resolve(index, inventory, proxy, NULL, arena);
		for (size_t i = 0; i < routes->outbound_count; i++) {
			const struct outbound_route *route = &routes->outbounds[i];
			zl_buf_format(&out, "%s ", proxy->key.name);
			describe(route, arena, &out);
			*by_traffic += route->owner == OWNER_TRAFFIC_ROUTE;
		}
	}
	const char *text = zl_arena_strdup(arena, zl_buf_text(&out));
	zl_buf_free(&out);
	policy_index_drop(&index);
	inventory_drop(&inventory);
	return text;
}

static const char *one_mesh(uint64_t seed)
{
	struct dice dice = { seed };
	struct zl_buf yaml = { 0 };
	size_t left = 0;

	for (unsigned i = 0; i < PROXIES; i++)
		add_proxy(&dice, i, &yaml);
	for (unsigned i = 0; i < ROUTES; i++)
		add_traffic_route(&dice, i, &yaml);
	add_others(&dice, &yaml);
	struct world world = world_of(zl_buf_text(&yaml), "", NULL);
	struct conversion conversion = convert_traffic(world.set, world.arena);
	struct set *then = after(world.set, &conversion);
	const char *before = describe_all(world.set, world.arena, &led_before);
	const char *now = describe_all(then, world.arena, &left);

	const char *wrong = strcmp(before, now) != 0 ? "not the same endpoints" : NULL;
	if (wrong == NULL && conversion.kept_count == 0 && left > 0)
		wrong = "a TrafficRoute is left, and nobody said so";
	if (wrong != NULL)
		(void)fprintf(stderr, "%s\nbefore:\n%s\nafter:\n%s\n", zl_buf_text(&yaml),
			      before, now);
	converted += conversion.count;
	kept += conversion.kept_count;
	conversion_drop(&conversion);
	set_drop(&then);
	world_end(&world);
	zl_buf_free(&yaml);
	return wrong;
}

static void endpoints_and_weights_are_the_same(void **state)
{
	(void)state;
	seeds_run(400, one_mesh);
	/* or nothing was shown */
	if (getenv("ZL_SEED") == NULL && getenv("ZL_SEEDS") == NULL)
		assert_true(led_before > 400 && converted > 400 && kept > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_and_weights_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
