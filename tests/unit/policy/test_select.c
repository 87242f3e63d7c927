#include "support/test.h"
#include "support/world.h"

#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char PROXIES[] =
	"{type: Dataplane, name: web, labels: {app: web, k8s.kuma.io/namespace: demo},\n"
	"  networking: {address: 1.1.1.1, inbound: [\n"
	"  {port: 80, tags: {kuma.io/service: web, version: v1}},\n"
	"  {port: 81, tags: {kuma.io/service: admin}, state: NotReady},\n"
	"  {port: 82, tags: {kuma.io/service: off, version: v9}, state: Ignored}],\n"
	"  outbound: [{port: 10001, tags: {kuma.io/service: b}}]}}\n"
	"---\n"
	"{type: Dataplane, name: client, labels: {app: client}, networking: {address:\n"
	"  1.1.1.2, outbound: [{port: 10001, tags: {kuma.io/service: b}}]}}\n"
	"---\n"
	"{type: Dataplane, name: edge, labels: {app: edge}, networking: {address: "
	"1.1.1.3,\n"
	"  gateway: {type: DELEGATED, tags: {kuma.io/service: edge, tier: front}},\n"
	"  outbound: [{port: 10001, tags: {kuma.io/service: b}}]}}\n"
	"---\n"
	"{type: Dataplane, name: built, labels: {app: edge}, networking: {address: "
	"1.1.1.4,\n"
	"  gateway: {type: BUILTIN, tags: {kuma.io/service: built}}}}\n";

#define NS(name) "k8s.kuma.io/namespace: " name
#define ROLE(name) "test-role: " name ", " NS("demo")

/* clang-format off */
static const struct {
	const char *labels, *top;
	const char *selected; /* web client edge built: first letters of the selected */
	const char *reason;   /* said of web */
} CASES[] = {
	{ "", "{kind: Mesh}", "wce", "targetRef Mesh: it selects every proxy" },
	{ "", "{kind: Mesh, proxyTypes: [Sidecar]}", "wc", "targetRef Mesh: it selects every proxy" },
	{ "", "{kind: Mesh, proxyTypes: [Gateway]}", "e",
	  "targetRef Mesh: the proxy is a sidecar, which its proxyTypes leave out" },
	{ "", "{kind: Mesh, proxyTypes: [Gateway, Sidecar]}", "wce", "targetRef Mesh: it selects every proxy" },

	{ "", "{kind: Dataplane}", "wce", "targetRef Dataplane: without labels it selects every proxy" },
	{ "", "{kind: Dataplane, labels: {}}", "wce", "targetRef Dataplane: without labels it selects every proxy" },
	{ "", "{kind: Dataplane, labels: {app: web}}", "w", "targetRef Dataplane {app: web}: the proxy has these labels" },
	{ "", "{kind: Dataplane, labels: {app: client}}", "c", "targetRef Dataplane {app: client}: the proxy has app: web" },
	{ "", "{kind: Dataplane, labels: {app: edge}}", "e", "targetRef Dataplane {app: edge}: the proxy has app: web" },
	{ "", "{kind: Dataplane, labels: {app: web, tier: x}}", "", "targetRef Dataplane {app: web, tier: x}: the proxy has no label tier" },
	{ "", "{kind: Dataplane, labels: {kuma.io/display-name: web}}", "w",
	  "targetRef Dataplane {kuma.io/display-name: web}: the proxy has these labels" },
	{ "", "{kind: Dataplane, labels: {kuma.io/zone: east, kuma.io/mesh: default}}", "wce",
	  "targetRef Dataplane {kuma.io/mesh: default, kuma.io/zone: east}: the proxy has these labels" },
	{ "", "{kind: Dataplane, labels: {kuma.io/zone: west}}", "",
	  "targetRef Dataplane {kuma.io/zone: west}: the proxy has kuma.io/zone: east" },
	{ "", "{kind: Dataplane, name: web}", "w", "targetRef Dataplane web: that is the proxy" },
	{ "", "{kind: Dataplane, name: client}", "c", "targetRef Dataplane client: the proxy has another name" },
	{ "", "{kind: Dataplane, name: web, namespace: demo}", "w", "targetRef Dataplane web: that is the proxy" },
	{ "", "{kind: Dataplane, name: web, namespace: prod}", "",
	  "targetRef Dataplane web: the proxy is not in namespace \"prod\"" },
	{ "", "{kind: Dataplane, namespace: demo}", "w", "targetRef Dataplane: that is the proxy" },
	{ ROLE("system"), "{kind: Dataplane, name: web}", "w", "targetRef Dataplane web: that is the proxy" },
	{ ROLE("consumer"), "{kind: Dataplane, name: web}", "w", "targetRef Dataplane web: that is the proxy" },
	{ "test-role: producer, " NS("prod"), "{kind: Dataplane, name: web}", "",
	  "targetRef Dataplane web: the proxy is not in namespace \"prod\"" },

	{ "", "{kind: MeshSubset, tags: {version: v1}}", "w", "targetRef MeshSubset {version: v1}: inbound 80 has these tags" },
	{ "", "{kind: MeshSubset, tags: {kuma.io/service: admin}}", "w",
	  "targetRef MeshSubset {kuma.io/service: admin}: inbound 81 has these tags" },
	{ "", "{kind: MeshSubset, tags: {version: '*'}}", "w", "targetRef MeshSubset {version: *}: inbound 80 has these tags" },
	{ "", "{kind: MeshSubset, tags: {version: v9}}", "",
	  "targetRef MeshSubset {version: v9}: no inbound of the proxy has these tags" },
	{ "", "{kind: MeshSubset, tags: {kuma.io/service: admin, version: v1}}", "",
	  "targetRef MeshSubset {kuma.io/service: admin, version: v1}: no inbound of the proxy has these tags" },
	{ "", "{kind: MeshSubset, tags: {app: web}}", "",
	  "targetRef MeshSubset {app: web}: no inbound of the proxy has these tags" },
	{ "", "{kind: MeshSubset, tags: {app: client}}", "c",
	  "targetRef MeshSubset {app: client}: no inbound of the proxy has these tags" },
	{ "", "{kind: MeshSubset, tags: {app: edge}}", "",
	  "targetRef MeshSubset {app: edge}: no inbound of the proxy has these tags" },
	{ "", "{kind: MeshSubset, tags: {tier: front}}", "e",
	  "targetRef MeshSubset {tier: front}: no inbound of the proxy has these tags" },
	{ "", "{kind: MeshSubset, tags: {kuma.io/zone: east}}", "wce",
	  "targetRef MeshSubset {kuma.io/zone: east}: inbound 80 has these tags" },
	{ "", "{kind: MeshSubset, tags: {kuma.io/zone: west}}", "",
	  "targetRef MeshSubset {kuma.io/zone: west}: no inbound of the proxy has these tags" },
	{ "", "{kind: MeshSubset}", "wce", "targetRef MeshSubset: inbound 80 has these tags" },
	{ "", "{kind: MeshSubset, proxyTypes: [Gateway]}", "e",
	  "targetRef MeshSubset: the proxy is a sidecar, which its proxyTypes leave out" },

	{ "", "{kind: MeshService, name: web}", "w", "targetRef MeshService web: inbound 80 has these tags" },
	{ "", "{kind: MeshService, name: edge}", "e", "targetRef MeshService edge: no inbound of the proxy has these tags" },
	{ "", "{kind: MeshService, name: off}", "", "targetRef MeshService off: no inbound of the proxy has these tags" },
	{ "", "{kind: MeshService, name: web, namespace: demo}", "", "targetRef MeshService web: there is no such object" },
	{ "", "{kind: MeshService, name: web, sectionName: http}", "", "targetRef MeshService web: there is no such object" },
	{ "", "{kind: MeshService, labels: {app: web}}", "", "targetRef MeshService {app: web}: there is no such object" },
	{ "", "{kind: MeshServiceSubset, name: web, tags: {version: v1}}", "w",
	  "targetRef MeshServiceSubset web {version: v1}: inbound 80 has these tags" },
	{ "", "{kind: MeshServiceSubset, name: admin, tags: {version: v1}}", "",
	  "targetRef MeshServiceSubset admin {version: v1}: no inbound of the proxy has these tags" },
	{ "", "{kind: MeshServiceSubset, name: edge, tags: {tier: front}}", "e",
	  "targetRef MeshServiceSubset edge {tier: front}: no inbound of the proxy has these tags" },
	{ "", "{kind: MeshGateway, name: built}", "", "targetRef MeshGateway built: the proxy is no builtin gateway" },

	{ "kuma.io/effect: shadow", "{kind: Mesh}", "", "it is a shadow policy" },
	{ "kuma.io/effect: bright", "{kind: Mesh}", "wce", "targetRef Mesh: it selects every proxy" },
	{ "kuma.io/origin: zone, kuma.io/zone: east", "{kind: Mesh}", "wce", "targetRef Mesh: it selects every proxy" },
	{ "kuma.io/origin: zone", "{kind: Mesh}", "wce", "targetRef Mesh: it selects every proxy" },
	{ "kuma.io/origin: zone, kuma.io/zone: west", "{kind: Mesh}", "",
	  "it was written in zone \"west\", for its proxies" },
	{ "kuma.io/origin: zone, kuma.io/zone: west, test-role: producer, " NS("x"), "{kind: Mesh}", "wce",
	  "targetRef Mesh: it selects every proxy" },
	{ ROLE("consumer"), "{kind: Mesh}", "w", "targetRef Mesh: it selects every proxy" },
	{ ROLE("workload-owner"), "{kind: Mesh}", "w", "targetRef Mesh: it selects every proxy" },
	{ ROLE("system"), "{kind: Mesh}", "wce", "targetRef Mesh: it selects every proxy" },
	{ "test-role: consumer, " NS("prod"), "{kind: Mesh}", "",
	  "it is a consumer policy for proxies of namespace \"prod\"" },
	{ "test-role: consumer", "{kind: Mesh}", "", "it is a consumer policy for proxies of namespace \"\"" },
};
/* clang-format on */

static const char *const NAMES[] = { "web", "client", "edge", "built" };

static char *yaml_of_case(size_t number)
{
	bool gateway = strstr(CASES[number].top, "MeshGateway") != NULL;

	return zl_format(
		"{type: MeshTCPRoute, name: r, labels: {%s}, spec: {targetRef: %s, "
		"to: [{targetRef: {%s}, rules: [{default: {backendRefs: [{kind: "
		"MeshService, name: c}]}}]}]}}",
		CASES[number].labels, CASES[number].top,
		gateway ? "kind: Mesh" : "kind: MeshService, name: b");
}

static void top_level_refs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		char *yaml = yaml_of_case(i);
		struct world world = world_of(PROXIES, yaml, NULL);
		struct policy_index *index = policy_index_new(world.set, "east");
		struct inventory *inventory = inventory_build(world.set, "east");
		char selected[8] = "";

		for (size_t j = 0; j < ARRAY_LEN(NAMES); j++) {
			const struct resource *proxy =
				world_get(&world, KIND_DATAPLANE, NAMES[j]);
			const struct routes *routes = policy_resolve(
				index, inventory, proxy,
				&(struct policy_options){ .explain = true }, world.arena);

			assert_int_equal(routes->considered_count, 1);
			if (j == 0 &&
			    strcmp(routes->considered[0].reason, CASES[i].reason) != 0)
				fail_msg("%s: %s", CASES[i].top,
					 routes->considered[0].reason);
			if (routes->considered[0].selected)
				strncat(selected, NAMES[j], 1);

			/* What resolve does is what explain says, and touches. */
			for (size_t k = 0; k < routes->outbound_count; k++)
				assert_int_equal(routes->outbounds[k].owner ==
							 OWNER_TCP_ROUTE,
						 routes->considered[0].selected);
			/* A gateway without a MeshGateway may get one. */
			if (j != 3)
				assert_int_equal(
					policy_touches(routes->considered[0].policy,
						       proxy, "east"),
					routes->considered[0].selected);
		}
		if (strcmp(selected, CASES[i].selected) != 0)
			fail_msg("%s {%s} selects %s", CASES[i].top, CASES[i].labels,
				 selected);
		policy_index_drop(&index);
		inventory_drop(&inventory);
		world_end(&world);
		free(yaml);
	}
}

/* A policy about a section of a proxy touches those that have one of that name. */
static void sections(void **state)
{
	static const struct {
		const char *top;
		bool touched; /* web */
	} SECTIONS[] = {
		{ "{kind: Dataplane, sectionName: '80'}", true },
		{ "{kind: Dataplane, sectionName: '81'}", true },
		{ "{kind: Dataplane, sectionName: '82'}", false }, /* is ignored */
		{ "{kind: Dataplane, sectionName: web}", false },
		{ "{kind: Dataplane, name: web, sectionName: '80'}", true },
		{ "{kind: Dataplane, name: client, sectionName: '80'}", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(SECTIONS); i++) {
		char *yaml =
			zl_format("{type: MeshTimeout, name: t, spec: {targetRef: %s, "
				  "rules: [{default: {idleTimeout: 1s}}]}}",
				  SECTIONS[i].top);
		struct world world = world_of(PROXIES, yaml, NULL);

		assert_int_equal(policy_touches(world_get(&world, KIND_MESH_TIMEOUT, "t"),
						world_get(&world, KIND_DATAPLANE, "web"),
						"east"),
				 SECTIONS[i].touched);
		world_end(&world);
		free(yaml);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(top_level_refs),
		cmocka_unit_test(sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
