#include "support/test.h"
#include "support/world.h"
#include "unit/policy/east.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Outcome: "owner [policy/to ...] mode: backend; backend", a backend being "kind name
 * weight cluster @addresses" or "kind name weight !reason". */
/* clang-format off */
static const struct {
	const char *why, *yaml, *want;
	const char *warning; /* the only one; NULL: none */
} CASES[] = {
	{ "4.4: no policy", "",
	  "default [] Blackhole: MeshService backend 1 backend @1.1.1.1 @1.1.1.2", NULL },
	{ "redirect", ROUTE("{kind: MeshService, name: other}"),
	  "MeshTCPRoute [r/0] Blackhole: MeshService other 1 other @1.1.1.3", NULL },
	{ "split", ROUTE(SUB("v0", "90") ", " SUB("v1", "10")),
	  "MeshTCPRoute [r/0] Blackhole: MeshServiceSubset backend 90 backend-C0 @1.1.1.1; "
	  "MeshServiceSubset backend 10 backend-C1 @1.1.1.2", NULL },
	{ "weights as they are", ROUTE(MS("other", "3") ", " MS("far", "4294967292")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService other 3 other @1.1.1.3; "
	  "MeshService far 4294967292 far @2.2.2.2", NULL },
	{ "D38: weight 0", ROUTE(MS("other", "0") ", " MS("gone", "0") ", " MS("far", "1")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService other 0 !weight 0; MeshService gone 0 !weight 0; "
	  "MeshService far 1 far @2.2.2.2", NULL },
	{ "the same target twice stays twice", ROUTE(MS("other", "1") ", " MS("other", "2")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService other 1 other @1.1.1.3; MeshService other 2 other @1.1.1.3", NULL },
	{ "to itself", ROUTE(MS("backend", "7")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService backend 7 backend @1.1.1.1 @1.1.1.2", NULL },
	{ "B5: empty rules", ROUTE_OF("r", "", MESH, "backend", "[]"),
	  "MeshTCPRoute [r/0] Blackhole: MeshService backend 1 backend @1.1.1.1 @1.1.1.2", NULL },
	{ "about another service", ROUTE_OF("r", "", MESH, "other", LIST(MS("far", "1"))),
	  "default [] Blackhole: MeshService backend 1 backend @1.1.1.1 @1.1.1.2", NULL },
	{ "for another proxy", ROUTE_OF("r", "", "{kind: Dataplane, labels: {app: db}}", "backend", LIST(MS("far", "1"))),
	  "default [] Blackhole: MeshService backend 1 backend @1.1.1.1 @1.1.1.2", NULL },
	{ "of another mesh",
	  "---\n{type: MeshTCPRoute, name: r, mesh: m2, spec: {to: [{targetRef: {kind: MeshService, name: backend}, rules: "
	  LIST(MS("far", "1")) "}]}}\n"
	  "---\n{type: MeshTCPRoute, name: r, mesh: a, spec: {to: [{targetRef: {kind: MeshService, name: backend}, rules: "
	  LIST(MS("far", "1")) "}]}}\n",
	  "default [] Blackhole: MeshService backend 1 backend @1.1.1.1 @1.1.1.2", NULL },

	/* Merging, spec 3.6. */
	{ "worked example 1: a list replaces a list",
	  ROUTE_OF("split-90-10", "", MESH, "backend", LIST(SUB("v0", "90") ", " SUB("v1", "10")))
	  ROUTE_OF("split-40-20", "", WEB, "backend", LIST(SUB("v0", "40") ", " MS("far", "20"))),
	  "MeshTCPRoute [split-90-10/0 split-40-20/0] Blackhole: MeshServiceSubset backend 40 backend-C0 @1.1.1.1; "
	  "MeshService far 20 far @2.2.2.2", NULL },
	{ "worked example 2: no rules, then a list",
	  ROUTE_OF("route-1", "", MESH, "backend", "[]") ROUTE_OF("route-2", "", WEB, "backend", LIST(MS("far", "50"))),
	  "MeshTCPRoute [route-1/0 route-2/0] Blackhole: MeshService far 50 far @2.2.2.2", NULL },
	{ "worked example 3: a zone resets a global split",
	  ROUTE_OF("global", "", MESH, "backend", LIST(SUB("v0", "90"))) ROUTE_OF("local", IN_EAST, MESH, "backend", "[]"),
	  "MeshTCPRoute [global/0 local/0] Blackhole: MeshService backend 1 backend @1.1.1.1 @1.1.1.2", NULL },
	{ "the smaller name wins",
	  ROUTE_OF("route-b", "", MESH, "backend", LIST(MS("far", "1"))) ROUTE_OF("route-a", "", MESH, "backend", LIST(MS("other", "1"))),
	  "MeshTCPRoute [route-b/0 route-a/0] Blackhole: MeshService other 1 other @1.1.1.3", NULL },
	{ "the later entry of one policy wins",
	  "---\n{type: MeshTCPRoute, name: r, spec: {to: [\n"
	  "  {targetRef: {kind: MeshService, name: backend}, rules: " LIST(MS("far", "1")) "},\n"
	  "  {targetRef: {kind: MeshService, name: other}, rules: []},\n"
	  "  {targetRef: {kind: MeshService, name: backend}, rules: " LIST(MS("other", "1")) "}]}}\n",
	  "MeshTCPRoute [r/0 r/2] Blackhole: MeshService other 1 other @1.1.1.3", NULL },

	/* Unresolved, D7, D18, D32. */
	{ "nobody has it", ROUTE(MS("other", "90") ", " MS("gone", "10")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService other 90 other @1.1.1.3; "
	  "MeshService gone 10 !no service \"gone\" in mesh \"default\"", NULL },
	{ "a subset of nobody", ROUTE("{kind: MeshServiceSubset, name: gone, tags: {version: v0}}"),
	  "MeshTCPRoute [r/0] Blackhole: MeshServiceSubset gone 1 !no service \"gone\" in mesh \"default\"", NULL },
	{ "D7: Renormalise", "---\n{type: Mesh, name: default, routing: {unresolvedBackends: Renormalise}}\n" ROUTE(MS("other", "90") ", " MS("gone", "10")),
	  "MeshTCPRoute [r/0] Renormalise: MeshService other 90 other @1.1.1.3; "
	  "MeshService gone 10 !no service \"gone\" in mesh \"default\"", NULL },
	{ "D32: port", ROUTE("{kind: MeshService, name: other, port: 80}"),
	  "MeshTCPRoute [r/0] Blackhole: MeshService other 1 !no MeshService \"other\" with port 80 in mesh \"default\"", NULL },
	{ "D32: namespace and section", ROUTE("{kind: MeshService, name: other, namespace: ns, sectionName: http, port: 80}"),
	  "MeshTCPRoute [r/0] Blackhole: MeshService other 1 !no MeshService \"other\" in namespace \"ns\" "
	  "with section \"http\" in mesh \"default\"", NULL },
	{ "labels", ROUTE("{kind: MeshService, labels: {app: b, tier: x}}"),
	  "MeshTCPRoute [r/0] Blackhole: MeshService  1 !no MeshService with labels {app: b, tier: x} in mesh \"default\"", NULL },
	{ "external", ROUTE("{kind: MeshExternalService, name: other}"),
	  "MeshTCPRoute [r/0] Blackhole: MeshExternalService other 1 !no MeshExternalService \"other\" in mesh \"default\"", NULL },
	{ "multi-zone", ROUTE("{kind: MeshMultiZoneService, name: other, port: 80}"),
	  "MeshTCPRoute [r/0] Blackhole: MeshMultiZoneService other 1 !no MeshMultiZoneService \"other\" with port 80 "
	  "in mesh \"default\"", NULL },
	{ "D18: nobody offers the subset", ROUTE(SUB("v9", "1")),
	  "MeshTCPRoute [r/0] Blackhole: MeshServiceSubset backend 1 backend-C9",
	  "mesh \"default\": service \"backend\" with tags {version: v9} has no endpoint: connections to it fail" },
	{ "D18: not Ready", ROUTE(MS("sleepy", "1")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService sleepy 1 sleepy",
	  "mesh \"default\": service \"sleepy\" has no endpoint: connections to it fail" },
	{ "D18: not Ready elsewhere", ROUTE(MS("napping", "1")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService napping 1 napping",
	  "mesh \"default\": service \"napping\" has no endpoint: connections to it fail" },
	{ "D12: withdrawn", "---\n{type: Zone, name: west, enabled: false}\n" ROUTE(MS("far", "1")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService far 1 !no service \"far\" in mesh \"default\"", NULL },
	{ "D13: silent", "---\n{type: Zone, name: west, status: {condition: Stale, since: '12:00'}}\n" ROUTE(MS("far", "1")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService far 1 far @2.2.2.2",
	  "mesh \"default\": service \"far\": zone \"west\" is Stale, last heard of at 12:00: its endpoints come last" },
	{ "D13: the floor", "---\n{type: Zone, name: west, status: {condition: Offline}}\n" ROUTE(MS("far", "1")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService far 1 far @2.2.2.2",
	  "mesh \"default\": service \"far\": zone \"west\" is Offline: there are no other endpoints, so those stay" },
	{ "D13: withdrawn", "---\n{type: Zone, name: west, status: {condition: Offline}}\n---\n{type: Dataplane, name: near, "
	  "networking: {address: 3.3.3.3, inbound: [{port: 80, tags: {kuma.io/service: far}}]}}\n" ROUTE(MS("far", "1")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService far 1 far @3.3.3.3",
	  "mesh \"default\": service \"far\": zone \"west\" is Offline: its endpoints are withdrawn" },
	{ "D17: no mTLS", "---\n{type: Mesh, name: default}\n" ROUTE(MS("far", "1")),
	  "MeshTCPRoute [r/0] Blackhole: MeshService far 1 far @2.2.2.2",
	  "mesh \"default\": service \"far\" has endpoints in other zones: the hop through an ingress needs the mesh's "
	  "mTLS, which is off" },
	{ "D26: a subset without tags", ROUTE("{kind: MeshServiceSubset, name: backend}"),
	  "MeshTCPRoute [r/0] Blackhole: MeshServiceSubset backend 1 backend @1.1.1.1 @1.1.1.2", NULL },

	{ "any version", ROUTE("{kind: MeshServiceSubset, name: backend, tags: {version: '*', kuma.io/protocol: tcp}}"),
	  "MeshTCPRoute [r/0] Blackhole: MeshServiceSubset backend 1 backend-6d07a11f3ad47ff6 @1.1.1.1 @1.1.1.2", NULL },

	/* Entries that are about nothing. */
	{ "D32: to with a port",
	  "---\n{type: MeshTCPRoute, name: r, spec: {to: [{targetRef: {kind: MeshService, name: backend, port: 80}, rules: "
	  LIST(MS("far", "1")) "}]}}\n",
	  "default [] Blackhole: MeshService backend 1 backend @1.1.1.1 @1.1.1.2",
	  "MeshTCPRoute \"r\": spec.to[0] has no effect: no MeshService \"backend\" with port 80 in mesh \"default\"" },
	{ "a real object",
	  "---\n{type: MeshTCPRoute, name: r, spec: {to: [{targetRef: {kind: MeshService, name: other}, rules: []}, "
	  "{targetRef: {kind: MeshExternalService, name: backend}, rules: " LIST(MS("far", "1")) "}]}}\n",
	  "default [] Blackhole: MeshService backend 1 backend @1.1.1.1 @1.1.1.2",
	  "MeshTCPRoute \"r\": spec.to[1] has no effect: no MeshExternalService \"backend\" in mesh \"default\"" },
	{ "no to at all", "---\n{type: MeshTCPRoute, name: r, spec: {targetRef: {kind: Mesh}}}\n",
	  "default [] Blackhole: MeshService backend 1 backend @1.1.1.1 @1.1.1.2", NULL },
};
/* clang-format on */

/* Put the clusters' hashes in place of what stands for them. */
static char *with_hashes(const char *text, struct zl_arena *arena)
{
	struct zl_buf out = { 0 };

	for (; *text != '\0'; text++) {
		if (strncmp(text, "backend-C", 9) != 0) {
			zl_buf_char(&out, *text);
			continue;
		}
		const char version[] = { 'v', text[9], '\0' };
		const struct label tag = { "version", version };

		zl_buf_str(&out, policy_cluster_name("backend",
						     (struct labels){ &tag, 1 }, arena));
		text += 9;
	}
	char *result = zl_arena_strdup(arena, zl_buf_text(&out));
	zl_buf_free(&out);
	return result;
}

static void describe(const struct outbound_route *route, struct zl_buf *out)
{
	zl_buf_format(out, "%s [", route_owner_name(route->owner));
	for (size_t i = 0; i < route->policy_count; i++)
		zl_buf_format(out, "%s%s/%zu", i == 0 ? "" : " ",
			      route->policies[i].policy->key.name, route->policies[i].to);
	zl_buf_format(out, "] %s:",
		      route->unresolved == UNRESOLVED_BLACKHOLE ? "Blackhole"
								: "Renormalise");
	for (size_t i = 0; i < route->backend_count; i++) {
		const struct backend *at = &route->backends[i];

		zl_buf_format(out, "%s %s %s %" PRIu64 " %s%s", i == 0 ? "" : ";",
			      ref_kind_name(at->kind), at->name, at->weight,
			      at->resolved ? "" : "!",
			      at->resolved ? at->cluster : at->reason);
		for (size_t j = 0; j < at->endpoint_count; j++)
			zl_buf_format(out, " @%s", at->endpoints[j].address);
	}
}

static void run_case(size_t number, struct dice *dice)
{
	const char *why = CASES[number].why;
	struct tools tools = tools_of(BASE, CASES[number].yaml, dice);
	static const struct policy_options PLAIN = { 0 };
	const struct routes *routes =
		policy_resolve(tools.index, tools.inventory,
			       world_get(&tools.world, KIND_DATAPLANE, "web"), &PLAIN,
			       tools.world.arena);
	struct zl_buf out = { 0 };
	size_t more;

	routes = without_entries(routes, tools.world.arena);
	const char *const *index_warnings = policy_warnings(
		tools.index, tools.inventory, "default", tools.world.arena, &more);
	const char *want = CASES[number].warning;

	assert_int_equal(routes->outbound_count, 1);
	assert_string_equal(routes->outbounds[0].destination.name, "backend");
	assert_string_equal(routes->outbounds[0].destination.protocol, "tcp");
	describe(&routes->outbounds[0], &out);
	if (strcmp(zl_buf_text(&out),
		   with_hashes(CASES[number].want, tools.world.arena)) != 0)
		fail_msg("%s: %s", why, zl_buf_text(&out));
	if (routes->warning_count + more != (want == NULL ? 0 : 1))
		fail_msg("%s: %zu warnings", why, routes->warning_count + more);
	if (want != NULL)
		assert_string_equal(more > 0 ? index_warnings[0] : routes->warnings[0],
				    want);
	zl_buf_free(&out);
	tools_end(&tools);
}

static void what_routes_come_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
		run_case(i, NULL);
}

/* The second text is read after the first, so that what stands in both keeps its turn. */
static const char *in_any_order(uint64_t seed)
{
	struct dice dice = { seed };
	size_t number = dice_below(&dice, ARRAY_LEN(CASES));

	run_case(number, &dice);
	return NULL;
}

static void the_order_of_documents_does_not_matter(void **state)
{
	(void)state;
	seeds_run(200, in_any_order);
}

/* Outbounds of every sort, as the Dataplane lists them. */
static void outbounds_of_a_proxy(void **state)
{
	static const char PROXY[] =
		"---\n{type: Dataplane, name: many, networking: {address: 9.9.9.8, "
		"outbound: [\n"
		"  {port: 3, tags: {kuma.io/service: backend, version: v1, kuma.io/mesh: "
		"default}},\n"
		"  {address: 127.0.0.2, port: 2, tags: {kuma.io/service: nobody}},\n"
		"  {port: 1, backendRef: {kind: MeshService, name: db, port: 5432}},\n"
		"  {port: 5, backendRef: {kind: MeshExternalService, name: ext}},\n"
		"  {port: 4, tags: {kuma.io/service: far}}]}}\n" ROUTE_OF(
			"r", "", MESH, "far", LIST(MS("nobody", "1")))
			ROUTE_OF("s", "", MESH, "db", LIST(MS("far", "1")));
	static const char WANT[] =
		"127.0.0.1:3 MeshService backend 0 tcp 1: default [] Blackhole: "
		"MeshServiceSubset backend 1 backend-C1 @1.1.1.2\n"
		"127.0.0.2:2 MeshService nobody 0 unknown 0: default [] Blackhole: "
		"MeshService nobody 1 nobody\n"
		"127.0.0.1:1 MeshService db 5432 unknown 0: default [] Blackhole: "
		"MeshService db 1 !no MeshService \"db\" with port 5432 in mesh "
		"\"default\"\n"
		"127.0.0.1:5 MeshExternalService ext 0 unknown 0: default [] Blackhole: "
		"MeshExternalService ext 1 !no MeshExternalService \"ext\" in mesh "
		"\"default\"\n"
		"127.0.0.1:4 MeshService far 0 tcp 0: MeshTCPRoute [r/0] Blackhole: "
		"MeshService nobody 1 !no service \"nobody\" in mesh \"default\"\n";
	struct tools tools = tools_of(BASE, PROXY, NULL);
	const struct routes *routes = resolve(&tools, "many");
	struct zl_buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < routes->outbound_count; i++) {
		const struct outbound_route *at = &routes->outbounds[i];

		zl_buf_format(&out, "%s:%u %s %s %u %s %zu: ", at->address, at->port,
			      ref_kind_name(at->destination.kind), at->destination.name,
			      at->destination.port, at->destination.protocol,
			      at->destination.tags.count);
		describe(at, &out);
		zl_buf_char(&out, '\n');
	}
	assert_string_equal(zl_buf_text(&out), with_hashes(WANT, tools.world.arena));
	assert_int_equal(routes->warning_count, 1);
	assert_string_equal(routes->warnings[0],
			    "mesh \"default\": service \"nobody\" is offered nowhere");
	assert_string_equal(routes->zone, "east");
	zl_buf_free(&out);
	tools_end(&tools);
}

static void a_proxy_that_is_not_stored(void **state)
{
	struct tools tools = tools_of(BASE, ROUTE(MS("far", "1")), NULL);
	struct world stranger = world_of(
		"{type: Dataplane, name: new, networking: {address: 9.9.9.7, outbound:\n"
		"  [{port: 1, tags: {kuma.io/service: backend}}]}}",
		"", NULL);
	const struct routes *routes = policy_resolve(
		tools.index, tools.inventory, world_get(&stranger, KIND_DATAPLANE, "new"),
		NULL, tools.world.arena);

	(void)state;
	assert_int_equal(routes->outbounds[0].owner, OWNER_TCP_ROUTE);
	assert_int_equal(routes->considered_count, 0);
	world_end(&stranger);
	tools_end(&tools);
}

/* The producer policies of a zone go with it (kinds-spec 5). */
static void policies_of_a_disabled_zone(void **state)
{
	static const char WEST[] =
		"---\n{type: Zone, name: west, enabled: %s}\n"
		"---\n{apiVersion: kuma.io/v1alpha1, kind: MeshTCPRoute, metadata: "
		"{name: r,\n"
		"  namespace: demo, labels: {kuma.io/origin: zone, kuma.io/zone: west,\n"
		"  test-role: producer}}, spec: {to: [{targetRef: {kind:\n"
		"  MeshService, name: backend}, rules: []}]}}\n";
	const struct policy_options explain = { .explain = true };

	(void)state;
	for (int enabled = 0; enabled < 2; enabled++) {
		char *yaml = zl_format(WEST, enabled ? "true" : "false");
		struct tools tools = tools_of(BASE, yaml, NULL);
		const struct routes *routes =
			policy_resolve(tools.index, tools.inventory,
				       world_get(&tools.world, KIND_DATAPLANE, "web"),
				       &explain, tools.world.arena);

		assert_int_equal(routes->outbounds[0].policy_count, enabled);
		assert_int_equal(routes->considered_count, 1);
		assert_int_equal(routes->considered[0].selected, enabled);
		if (!enabled)
			assert_string_equal(routes->considered[0].reason,
					    "zone \"west\", which wrote it, is disabled");
		free(yaml);
		tools_end(&tools);
	}
}

/* What no reader lets in, but a store of another version might hold. */
static struct resource *stored(const char *json)
{
	struct resource *res = NULL;
	struct zl_err err = { 0 };

	if (resource_from_json(json, strlen(json), &res, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return res;
}

static void a_rule_without_a_list_says_nothing(void **state)
{
	struct resource *route = stored(
		"{\"mesh\":\"default\",\"name\":\"a\",\"spec\":{\"to\":[{\"rules\":[{"
		"\"default\":{\"backendRefs\":[]}}],\"targetRef\":{\"kind\":"
		"\"MeshService\",\"name\":\"backend\"}}]},\"type\":\"MeshTCPRoute\"}");
	struct world world = world_of(BASE, ROUTE(MS("far", "1")), NULL);
	struct set_edit *edit = set_edit(world.set);
	struct zl_buf out = { 0 };

	(void)state;
	set_put(edit, route);
	struct set *set = set_done(&edit);
	struct policy_index *index = policy_index_new(set, "east");
	struct inventory *inventory = inventory_build(set, "east");

	describe(&policy_resolve(index, inventory,
				 world_get(&world, KIND_DATAPLANE, "web"), NULL,
				 world.arena)
			  ->outbounds[0],
		 &out);
	assert_string_equal(
		zl_buf_text(&out),
		"MeshTCPRoute [r/0] Blackhole: MeshService far 1 far @2.2.2.2");
	zl_buf_free(&out);
	inventory_drop(&inventory);
	policy_index_drop(&index);
	set_drop(&set);
	resource_drop(&route);
	world_end(&world);
}

static void more_warnings_than_a_few(void **state)
{
	struct zl_buf yaml = { 0 };
	const struct policy_options plain = { 0 };
	const struct policy_options explain = { .explain = true };

	(void)state;
	zl_buf_str(&yaml, "{type: Dataplane, name: p, networking: {address: 9.9.9.9, "
			  "outbound: [");
	for (unsigned i = 0; i < 20; i++)
		zl_buf_format(&yaml, "{port: %u, tags: {kuma.io/service: nobody-%02u}}, ",
			      20 - i, i);
	zl_buf_str(&yaml, "]}}");

	struct tools tools = tools_of(zl_buf_text(&yaml), "", NULL);
	const struct resource *proxy = world_get(&tools.world, KIND_DATAPLANE, "p");
	const struct routes *routes = policy_resolve(tools.index, tools.inventory, proxy,
						     &plain, tools.world.arena);

	assert_int_equal(routes->warning_count, 20);
	assert_string_equal(routes->warnings[19],
			    "mesh \"default\": service \"nobody-19\" is offered nowhere");
	assert_int_equal(routes->considered_count, 0);
	/* Nothing to consider in a mesh without routes. */
	routes = policy_resolve(tools.index, tools.inventory, proxy, &explain,
				tools.world.arena);
	assert_int_equal(routes->considered_count, 0);
	zl_buf_free(&yaml);
	tools_end(&tools);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_routes_come_out),
		cmocka_unit_test(the_order_of_documents_does_not_matter),
		cmocka_unit_test(outbounds_of_a_proxy),
		cmocka_unit_test(a_proxy_that_is_not_stored),
		cmocka_unit_test(policies_of_a_disabled_zone),
		cmocka_unit_test(a_rule_without_a_list_says_nothing),
		cmocka_unit_test(more_warnings_than_a_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
