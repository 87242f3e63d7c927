#include "support/test.h"
#include "support/world.h"
#include "unit/policy/east.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a change of the world can touch, and what outlives it. */

static void an_index_is_counted(void **state)
{
	static const struct {
		const char *yaml;
		bool fits;
	} CHANGES[] = {
		{ "{type: Dataplane, name: x, networking: {address: 1.1.1.1}}", true },
		{ "{type: Mesh, name: default}", false },
		{ "{type: Zone, name: west}", false },
		{ ROUTE(MS("far", "2")), false },
		{ "{type: Secret, name: s, data: eA==}", false },
	};
	struct tools tools = tools_of(BASE, ROUTE(MS("far", "1")), NULL);
	struct policy_index *second = policy_index_hold(tools.index);
	size_t count;

	(void)state;
	assert_true(policy_index_fits(second, tools.world.set));
	for (size_t i = 0; i < ARRAY_LEN(CHANGES); i++) {
		struct set_edit *edit = set_edit(tools.world.set);

		world_read(tools.world.arena, edit, CHANGES[i].yaml, NULL);
		struct set *set = set_done(&edit);
		assert_int_equal(policy_index_fits(second, set), CHANGES[i].fits);
		set_drop(&set);
	}
	(void)policy_warnings(second, tools.inventory, "no such mesh", tools.world.arena,
			      &count);
	assert_int_equal(count, 0);
	policy_index_drop(&tools.index);
	tools.index = second;
	assert_int_equal(resolve(&tools, "web")->outbounds[0].owner, OWNER_TCP_ROUTE);
	tools_end(&tools);
	policy_index_drop(&tools.index);
}

static void what_a_route_touches(void **state)
{
	/* clang-format off */
	static const struct {
		const char *route;
		bool web, object; /* the latter goes to objects */
	} ROUTES[] = {
		{ ROUTE_OF("r", "", MESH, "backend", "[]"), true, false },
		{ ROUTE_OF("r", "", WEB, "backend", "[]"), true, false },
		{ ROUTE_OF("r", "", MESH, "other", "[]"), false, false },
		{ ROUTE_OF("r", "", "{kind: Dataplane, labels: {app: x}}", "backend", "[]"), false, false },
		{ ROUTE_OF("r", "kuma.io/effect: shadow", MESH, "backend", "[]"), false, false },
		{ "---\n{type: MeshTCPRoute, mesh: m2, name: r, spec: {to: [{targetRef: {kind: MeshService, name: backend}, "
		  "rules: []}]}}\n", false, false },
		{ "---\n{type: MeshTCPRoute, name: r, spec: {to: [{targetRef: {kind: MeshExternalService, name: backend}, "
		  "rules: []}]}}\n", false, true },
		{ "---\n{type: MeshTCPRoute, name: r, spec: {to: [{targetRef: {kind: MeshExternalService, name: other}, "
		  "rules: []}]}}\n", false, false },
		{ "---\n{type: MeshTCPRoute, name: r, spec: {to: [{targetRef: {kind: MeshExternalService, labels: {a: b}}, "
		  "rules: []}]}}\n", false, true },
		{ "---\n{type: MeshTCPRoute, name: r, spec: {to: [{targetRef: {kind: MeshMultiZoneService, name: other}, "
		  "rules: []}]}}\n", false, true },
		{ "---\n{type: MeshTCPRoute, name: r, spec: {to: [{targetRef: {kind: MeshService, labels: {a: b}}, "
		  "rules: []}]}}\n", true, false },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++) {
		char *yaml = zl_format(
			"%s---\n{type: Dataplane, name: object, networking: "
			"{address: 9.9.9.8, outbound: [{port: 1, backendRef: "
			"{kind: MeshExternalService, name: backend}}, {port: 2, "
			"backendRef: {kind: MeshMultiZoneService, labels: "
			"{a: b}, port: 1}}]}}\n",
			ROUTES[i].route);
		struct world world = world_of(BASE, yaml, NULL);

		free(yaml);

		assert_int_equal(
			policy_touches(world_get(&world, KIND_MESH_TCP_ROUTE, "r"),
				       world_get(&world, KIND_DATAPLANE, "web"), "east"),
			ROUTES[i].web);
		assert_int_equal(
			policy_touches(world_get(&world, KIND_MESH_TCP_ROUTE, "r"),
				       world_get(&world, KIND_DATAPLANE, "object"),
				       "east"),
			ROUTES[i].object);
		world_end(&world);
	}
}

static void a_destination_that_is_its_own_backend_counts_once(void **state)
{
	static const char EXPECTED[] = "sbackend";
	struct tools tools = tools_of(BASE, "", NULL);
	struct zl_buf services = { 0 };

	(void)state;
	policy_services(resolve(&tools, "web"), &services);
	assert_int_equal(services.len, sizeof(EXPECTED));
	assert_memory_equal(services.data, EXPECTED, sizeof(EXPECTED));
	zl_buf_free(&services);
	tools_end(&tools);
}

/* Which changes of the world are none for a proxy that goes to other and far. */
static void what_routes_endure(void **state)
{
	/* clang-format off */
	static const struct {
		const char *yaml;
		bool same;
	} CHANGES[] = {
		{ "{type: Dataplane, name: new, networking: {address: 1.1.1.9, inbound: [{port: 80, tags: {kuma.io/service: new}}]}}", true },
		{ "{type: Dataplane, name: b0, networking: {address: 1.1.1.9, inbound: [{port: 80, tags: {kuma.io/service: backend}}]}}", false },
		{ "{type: Dataplane, name: o, networking: {address: 1.1.1.3, inbound: [{port: 80, tags: {kuma.io/service: other}}]}}", false },
		{ "{type: Dataplane, name: o, networking: {address: 1.1.1.3, inbound: [{port: 80, tags: {kuma.io/service: another}}]}}", false },
		{ "{type: Dataplane, name: o2, networking: {address: 1.1.1.3, inbound: [{port: 80, tags: {kuma.io/service: other}}]}}", false },
		{ "{type: Dataplane, name: o2, networking: {address: 1.1.1.3, inbound: [{port: 80, tags: {kuma.io/service: far}}]}}", false },
		{ "{type: Dataplane, name: web, networking: {address: 9.9.9.9}}", true },
		{ "{type: Dataplane, name: g, networking: {address: 1.1.1.3, inbound: [{port: 80, tags: {kuma.io/service: gone}}]}}", false },
		{ "{type: ZoneIngress, name: w2, zone: west, networking: {address: 10.0.0.1, port: 1}, availableServices: [{instances: 3,"
		  " tags: {kuma.io/service: far}}]}", false },
		{ "{type: Zone, name: west, enabled: true}", true },
		{ "{type: Zone, name: west, enabled: false}", false },
		{ "{type: Zone, name: west, status: {condition: Stale}}", false },
		{ "{type: Zone, name: west, status: {condition: Online}}", true },
		{ "{type: ZoneIngress, name: w, zone: west, networking: {address: 10.0.0.1, port: 1, advertisedAddress: 2.2.2.2,"
		  " advertisedPort: 10001}, availableServices: [{instances: 3, tags: {kuma.io/service: far}}]}", false },
	};
	/* clang-format on */
	struct tools tools = tools_of(
		BASE, ROUTE(MS("other", "1") ", " MS("far", "1") ", " MS("gone", "1")),
		NULL);
	struct zl_buf services = { 0 };

	(void)state;
	policy_services(resolve(&tools, "web"), &services);
	for (size_t i = 0; i < ARRAY_LEN(CHANGES); i++) {
		struct set_edit *edit = set_edit(tools.world.set);

		world_read(tools.world.arena, edit, CHANGES[i].yaml, NULL);
		struct set *set = set_done(&edit);
		struct inventory *ways[] = { inventory_build(set, "east"),
					     inventory_update(tools.inventory, set) };

		for (size_t j = 0; j < ARRAY_LEN(ways); j++) {
			if (policy_endures(&services, "default", tools.inventory,
					   ways[j]) != CHANGES[i].same)
				fail_msg("%s", CHANGES[i].yaml);
			inventory_drop(&ways[j]);
		}
		set_drop(&set);
	}
	zl_buf_free(&services);
	tools_end(&tools);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_is_counted),
		cmocka_unit_test(what_a_route_touches),
		cmocka_unit_test(a_destination_that_is_its_own_backend_counts_once),
		cmocka_unit_test(what_routes_endure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
