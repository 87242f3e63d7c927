#include "support/test.h"
#include "support/world.h"
#include "unit/policy/east.h"

#include <stdlib.h>
#include <string.h>

/* A builtin gateway; LISTENERS and SELECTORS have their items. */
#define EDGE                                                                            \
	"---\n{type: Dataplane, name: edge-1, networking: {address: 9.9.9.6, gateway: " \
	"{type: BUILTIN, tags: {kuma.io/service: edge, tier: front, own: "              \
	"dataplane}}}}\n"
#define GATEWAY_OF(name, labels, selectors, tags, listeners)                             \
	"---\n{type: MeshGateway, name: " name ", labels: {" labels                      \
	"}, selectors: [" selectors "], tags: {" tags "}, conf: {listeners: [" listeners \
	"]}}\n"
#define FOR(tags) "{match: {kuma.io/service: " tags "}}"
#define GATEWAY(listeners) GATEWAY_OF("edge", "", FOR("edge"), "", listeners)
#define TCP(port, tags) "{port: " port ", protocol: TCP, tags: {" tags "}}"
#define TLS(port, hostname)                                    \
	"{port: " port ", protocol: TLS, hostname: '" hostname \
	"', tls: {mode: PASSTHROUGH}}"
/* A route about the listeners of edge with TAGS; TO has its items. */
#define ABOUT_OF(name, labels, gateway, tags, to)                                  \
	"---\n{type: MeshTCPRoute, name: " name ", labels: {" labels               \
	"}, spec: {targetRef: {kind: MeshGateway, name: " gateway ", tags: {" tags \
	"}}, to: [" to "]}}\n"
#define TO(rules) "{targetRef: {kind: Mesh}, rules: " rules "}"
#define ABOUT(name, tags, refs) ABOUT_OF(name, "", "edge", tags, TO(LIST(refs)))

#define CLOSED(listener)                                                  \
	"mesh \"default\": MeshGateway \"edge\", listener " listener ": " \
	"connections are closed: no MeshTCPRoute is about it"

/* The listeners of edge-1: "port protocol hostname owner [policies]: kind name weight",
 * and its warnings, a line each. */
/* clang-format off */
static const struct {
	const char *why, *yaml, *want, *warnings;
} CASES[] = {
	{ "no MeshGateway", "", "", "mesh \"default\": Dataplane \"edge-1\" has no listeners: no MeshGateway matches its tags\n" },
	{ "a list for a listener", GATEWAY(TCP("80", "")) ABOUT("r", "", MS("backend", "90") ", " MS("gone", "10")),
	  "80 TCP * MeshTCPRoute [r/0]: MeshService backend 90, !MeshService gone 10\n", "" },
	{ "nothing is about it", GATEWAY(TCP("80", "")), "80 TCP * default []:\n", CLOSED("80 TCP for \"*\"") "\n" },

	/* Which MeshGateway. */
	{ "for another service", GATEWAY_OF("edge", "", FOR("web"), "", TCP("80", "")), "",
	  "mesh \"default\": Dataplane \"edge-1\" has no listeners: no MeshGateway matches its tags\n" },
	{ "the most tags, of any selector",
	  GATEWAY_OF("a", "", FOR("edge"), "", TCP("80", "")) GATEWAY_OF("edge", "", FOR("web") ", " FOR("edge, tier: front") ", " FOR("edge"), "", TCP("81", ""))
	  ABOUT("r", "", MS("far", "1")), "81 TCP * MeshTCPRoute [r/0]: MeshService far 1\n",
	  "mesh \"default\": Dataplane \"edge-1\" has the listeners of MeshGateway \"edge\"; \"a\", which matches it too, has no effect on it\n" },
	{ "then the smaller name", GATEWAY_OF("a", "", FOR("'*'"), "", "{port: 80, protocol: HTTP}")
	  GATEWAY_OF("b", "", FOR("edge"), "", TCP("81", "")) GATEWAY_OF("c", "", FOR("web"), "", TCP("82", "")),
	  "80 HTTP * default []:\n",
	  "mesh \"default\": Dataplane \"edge-1\" has the listeners of MeshGateway \"a\"; \"b\", which matches it too, has no effect on it\n"
	  "mesh \"default\": MeshGateway \"a\", listener 80 HTTP for \"*\": it is not served: only TCP and TLS listeners are\n" },
	{ "whoever wrote it", GATEWAY_OF("z", "", FOR("edge"), "", TCP("80", "")) GATEWAY_OF("edge", IN_EAST, FOR("edge"), "", TCP("81", ""))
	  ABOUT("r", "", MS("far", "1")), "81 TCP * MeshTCPRoute [r/0]: MeshService far 1\n",
	  "mesh \"default\": Dataplane \"edge-1\" has the listeners of MeshGateway \"edge\"; \"z\", which matches it too, has no effect on it\n" },
	{ "of its zone", GATEWAY_OF("edge", IN_EAST, FOR("edge, kuma.io/zone: east"), "", TCP("80", "")) ABOUT("r", "", MS("far", "1")),
	  "80 TCP * MeshTCPRoute [r/0]: MeshService far 1\n", "" },
	{ "not of another zone", GATEWAY_OF("a", "kuma.io/origin: zone, kuma.io/zone: west", FOR("edge, tier: front"), "", TCP("80", ""))
	  GATEWAY_OF("edge", "kuma.io/origin: zone", FOR("edge"), "", TCP("81", "")) ABOUT("r", "", MS("far", "1")),
	  "81 TCP * MeshTCPRoute [r/0]: MeshService far 1\n", "" },

	/* Listeners. */
	{ "by port and hostname", GATEWAY(TCP("90", "") ", " TLS("80", "b.org") ", " TLS("80", "*.a.org") ", " TLS("80", "*")) ABOUT("r", "", MS("far", "1")),
	  "80 TLS * MeshTCPRoute [r/0]: MeshService far 1\n80 TLS *.a.org MeshTCPRoute [r/0]: MeshService far 1\n"
	  "80 TLS b.org MeshTCPRoute [r/0]: MeshService far 1\n90 TCP * MeshTCPRoute [r/0]: MeshService far 1\n", "" },
	{ "K18: no certificate is there", GATEWAY("{port: 443, protocol: TLS, tls: {mode: TERMINATE, certificates: [{secret: s}, {secret: t}]}}")
	  ABOUT("r", "", MS("far", "1")), "443 TLS * MeshTCPRoute [r/0]: MeshService far 1\n",
	  "mesh \"default\": MeshGateway \"edge\", listener 443 TLS for \"*\": it is not served: there is no Secret \"s\"\n" },
	{ "K18: one of two is enough", GATEWAY("{port: 443, protocol: TLS, tls: {mode: TERMINATE, certificates: [{secret: s}, {secret: t}]}}")
	  "---\n{type: Secret, mesh: default, name: t, data: aGk=}\n" ABOUT("r", "", MS("far", "1")),
	  "443 TLS * MeshTCPRoute [r/0]: MeshService far 1\n", "" },
	{ "K13", GATEWAY("{port: 80, protocol: HTTP}, {port: 443, protocol: HTTPS, tls: {mode: TERMINATE, certificates: [{secret: s}]}}")
	  ABOUT("r", "", MS("far", "1")), "80 HTTP * default []:\n443 HTTPS * default []:\n",
	  "mesh \"default\": MeshGateway \"edge\", listener 443 HTTPS for \"*\": it is not served: only TCP and TLS listeners are\n"
	  "mesh \"default\": MeshGateway \"edge\", listener 80 HTTP for \"*\": it is not served: only TCP and TLS listeners are\n" },

	/* Whose routes. */
	{ "tags of the listener", GATEWAY(TCP("80", "port: a") ", " TCP("81", "port: b")) ABOUT("r", "port: b", MS("far", "1")),
	  "80 TCP * default []:\n81 TCP * MeshTCPRoute [r/0]: MeshService far 1\n", CLOSED("80 TCP for \"*\"") "\n" },
	{ "tags of all three", GATEWAY_OF("edge", "", FOR("edge"), "some: gateway", TCP("80", "port: a"))
	  ABOUT("r", "kuma.io/service: edge, kuma.io/zone: east, tier: '*', some: gateway, port: a", MS("far", "1")),
	  "80 TCP * MeshTCPRoute [r/0]: MeshService far 1\n", "" },
	{ "later tags win", GATEWAY_OF("edge", "", FOR("edge"), "own: gateway, tier: mine", TCP("80", "own: listener"))
	  ABOUT("r", "own: listener, tier: mine", MS("far", "1")) ABOUT("a", "own: gateway", MS("far", "2")) ABOUT("b", "tier: front", MS("far", "3")),
	  "80 TCP * MeshTCPRoute [r/0]: MeshService far 1\n", "" },
	{ "of another gateway", GATEWAY(TCP("80", "")) ABOUT_OF("r", "", "other", "", TO(LIST(MS("far", "1")))),
	  "80 TCP * default []:\n", CLOSED("80 TCP for \"*\"") "\n" },
	{ "by display name", "---\n{apiVersion: kuma.io/v1alpha1, kind: MeshGateway, mesh: default, metadata: {name: edge, namespace: demo}, spec: "
	  "{selectors: [" FOR("edge") "], conf: {listeners: [" TCP("80", "") "]}}}\n" ABOUT("r", "", MS("far", "1")),
	  "80 TCP * MeshTCPRoute [r/0]: MeshService far 1\n", "" },
	{ "D9: other tops", GATEWAY(TCP("80", "")) ROUTE(MS("far", "1")) ROUTE_OF("s", "", "{kind: MeshService, name: edge}", "backend", LIST(MS("far", "1"))),
	  "80 TCP * default []:\n", CLOSED("80 TCP for \"*\"") "\n" },
	{ "a shadow", GATEWAY(TCP("80", "")) ABOUT_OF("r", "kuma.io/effect: shadow", "edge", "", TO(LIST(MS("far", "1")))),
	  "80 TCP * default []:\n", CLOSED("80 TCP for \"*\"") "\n" },

	/* D31: a list replaces a list. */
	{ "the smaller name", GATEWAY(TCP("80", "")) ABOUT("b", "", MS("far", "1")) ABOUT("a", "", MS("backend", "2")),
	  "80 TCP * MeshTCPRoute [b/0 a/0]: MeshService backend 2\n", "" },
	{ "more tags of the listener", GATEWAY(TCP("80", "port: a")) ABOUT("b", "port: a", MS("far", "1")) ABOUT("a", "", MS("backend", "2")),
	  "80 TCP * MeshTCPRoute [a/0 b/0]: MeshService far 1\n", "" },
	{ "the later entry", GATEWAY(TCP("80", "")) ABOUT_OF("r", "", "edge", "", TO(LIST(MS("far", "1"))) ", " TO(LIST(MS("backend", "2")))),
	  "80 TCP * MeshTCPRoute [r/0 r/1]: MeshService backend 2\n", "" },
	{ "no rules", GATEWAY(TCP("80", "")) ABOUT("b", "", MS("far", "1")) ABOUT_OF("a", "", "edge", "", TO("[]")),
	  "80 TCP * MeshTCPRoute [b/0 a/0]:\n",
	  "mesh \"default\": MeshGateway \"edge\", listener 80 TCP for \"*\": connections are closed: MeshTCPRoute \"a\", spec.to[0], has no "
	  "rules, and a listener has no destination of its own\n" },
};
/* clang-format on */

static void describe(const struct listener_route *route, struct zl_buf *out)
{
	zl_buf_format(out, "%u %s %s %s [", route->listener->port,
		      gateway_protocol_name(route->listener->protocol),
		      route->listener->hostname, route_owner_name(route->owner));
	for (size_t i = 0; i < route->policy_count; i++)
		zl_buf_format(out, "%s%s/%zu", i == 0 ? "" : " ",
			      route->policies[i].policy->key.name, route->policies[i].to);
	zl_buf_str(out, "]:");
	for (size_t i = 0; i < route->backend_count; i++)
		zl_buf_format(out, "%s %s%s %s %u", i == 0 ? "" : ",",
			      route->backends[i].resolved ? "" : "!",
			      ref_kind_name(route->backends[i].kind),
			      route->backends[i].name,
			      (unsigned)route->backends[i].weight);
	zl_buf_char(out, '\n');
}

static void run_case(size_t number, struct dice *dice)
{
	char *yaml = zl_format("%s%s", EDGE, CASES[number].yaml);
	struct tools tools = tools_of(BASE, yaml, dice);
	const struct routes *routes = resolve(&tools, "edge-1");
	struct zl_buf out = { 0 };
	size_t more;

	assert_true(routes->is_gateway);
	assert_int_equal(routes->outbound_count, 0);
	for (size_t i = 0; i < routes->listener_count; i++)
		describe(&routes->listeners[i], &out);
	if (strcmp(zl_buf_text(&out), CASES[number].want) != 0)
		fail_msg("%s: %s", CASES[number].why, zl_buf_text(&out));
	zl_buf_drain(&out, out.len);
	for (size_t i = 0; i < routes->warning_count; i++)
		zl_buf_format(&out, "%s\n", routes->warnings[i]);
	if (strcmp(zl_buf_text(&out), CASES[number].warnings) != 0)
		fail_msg("%s: %s", CASES[number].why, zl_buf_text(&out));
	(void)policy_warnings(tools.index, tools.inventory, "default", tools.world.arena,
			      &more);
	assert_int_equal(more, 0);
	zl_buf_free(&out);
	free(yaml);
	tools_end(&tools);
}

static void what_a_gateway_listens_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
		run_case(i, NULL);
}

static const char *in_any_order(uint64_t seed)
{
	struct dice dice = { seed };

	run_case(dice_below(&dice, ARRAY_LEN(CASES)), &dice);
	return NULL;
}

static void the_order_of_documents_does_not_matter(void **state)
{
	(void)state;
	seeds_run(100, in_any_order);
}

/* Who is no builtin gateway has no listeners, and routes about them are none for it. */
static void other_proxies(void **state)
{
	static const char DELEGATED[] =
		"---\n{type: Dataplane, name: kong, networking: {address: 9.9.9.5, "
		"gateway: {type: DELEGATED, tags: {kuma.io/service: edge}}, outbound: "
		"[{port: 1, tags: {kuma.io/service: backend}}]}}\n" GATEWAY(TCP("80", ""))
			ABOUT("r", "", MS("far", "1"))
				ROUTE_OF("s", "", "{kind: Mesh, proxyTypes: [Gateway]}",
					 "backend", LIST(MS("other", "1")));
	static const char *const NAMES[] = { "web", "kong" };
	struct tools tools = tools_of(BASE, DELEGATED, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
		const struct routes *routes = resolve(&tools, NAMES[i]);

		assert_false(routes->is_gateway);
		assert_int_equal(routes->listener_count, 0);
		assert_int_equal(routes->outbounds[0].owner,
				 i == 0 ? OWNER_DEFAULT : OWNER_TCP_ROUTE);
		assert_int_equal(routes->warning_count, 0);
	}
	tools_end(&tools);
}

static const struct considered *considered(const struct routes *routes, const char *name)
{
	assert_int_equal(routes->considered_count, 2);
	return &routes->considered[strcmp(routes->considered[0].policy->key.name, name) !=
				   0];
}

static void why_a_policy_is_on_a_listener(void **state)
{
	/* clang-format off */
	static const struct {
		const char *route, *reason;
		bool selected, touches;
	} ROUTES[] = {
		{ ABOUT("r", "port: a", MS("far", "1")), "it is about MeshGateway \"edge\", listener 80 TCP for \"*\"", true, true },
		{ ABOUT("r", "port: x", MS("far", "1")), "no listener of the gateway is what it asks for", false, true },
		{ ABOUT_OF("r", "", "other", "", TO("[]")), "no listener of the gateway is what it asks for", false, true },
		{ ABOUT_OF("r", "kuma.io/effect: shadow", "edge", "", TO("[]")), "it is a shadow policy", false, false },
		{ ROUTE(MS("far", "1")), "targetRef Mesh: listeners of a builtin gateway take those of kind MeshGateway only", false, false },
	};
	/* clang-format on */
	const struct policy_options explain = { .explain = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++) {
		char *yaml =
			zl_format("%s%s%s%s", EDGE, ABOUT("z", "", MS("backend", "1")),
				  GATEWAY(TCP("79", "") ", " TCP("80", "port: a")),
				  ROUTES[i].route);
		struct tools tools = tools_of(BASE, yaml, NULL);
		const struct resource *edge =
			world_get(&tools.world, KIND_DATAPLANE, "edge-1");
		const struct routes *routes = policy_resolve(
			tools.index, tools.inventory, edge, &explain, tools.world.arena);

		const struct considered *at = considered(routes, "r");
		assert_string_equal(at->reason, ROUTES[i].reason);
		assert_int_equal(at->selected, ROUTES[i].selected);
		assert_int_equal(policy_touches(at->policy, edge, "east"),
				 ROUTES[i].touches);
		assert_true(considered(routes, "z")->selected);
		free(yaml);
		tools_end(&tools);
	}
}

/* Whom a change of a MeshGateway may concern. */
static void what_a_mesh_gateway_touches(void **state)
{
	static const struct {
		const char *yaml;
		bool edge;
	} GATEWAYS[] = {
		{ GATEWAY(TCP("80", "")), true },
		{ GATEWAY_OF("g", "", FOR("web"), "", TCP("80", "")), false },
		{ GATEWAY_OF("g", "kuma.io/origin: zone, kuma.io/zone: west", FOR("edge"),
			     "", TCP("80", "")),
		  false },
		{ "---\n{type: MeshGateway, mesh: m2, name: g, selectors: [" FOR(
			  "edge") "], conf: {listeners: [" TCP("80", "") "]}}\n",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(GATEWAYS); i++) {
		char *yaml = zl_format("%s%s", EDGE, GATEWAYS[i].yaml);
		struct world world = world_of(BASE, yaml, NULL);
		struct set_iter each = set_each(world.set, KIND_MESH_GATEWAY, NULL);
		const struct resource *gateway = set_next(&each);

		assert_int_equal(
			policy_touches(gateway,
				       world_get(&world, KIND_DATAPLANE, "edge-1"),
				       "east"),
			GATEWAYS[i].edge);
		/* Though its inbound has the tags. */
		assert_false(policy_touches(
			gateway, world_get(&world, KIND_DATAPLANE, "web"), "east"));
		free(yaml);
		world_end(&world);
	}
}

/* What no reader lets in, but a store of another version might hold. */
static void what_is_stored_otherwise(void **state)
{
	static const char *const STORED[] = {
		"{\"mesh\":\"default\",\"name\":\"a\",\"spec\":{\"targetRef\":{\"kind\":"
		"\"MeshGateway\",\"name\":\"edge\"},\"to\":[{\"rules\":[{\"default\":{"
		"\"backendRefs\":[]}}],\"targetRef\":{\"kind\":\"Mesh\"}}]},\"type\":"
		"\"MeshTCPRoute\"}",
		"{\"mesh\":\"default\",\"name\":\"a\",\"spec\":{\"targetRef\":{\"kind\":"
		"\"MeshGateway\",\"name\":\"edge\"},\"to\":[{\"targetRef\":{\"kind\":"
		"\"Mesh\"}}]},\"type\":\"MeshHTTPRoute\"}",
		"{\"conf\":{\"listeners\":[]},\"mesh\":\"default\",\"name\":\"edge\","
		"\"selectors\":[{\"match\":{\"kuma.io/service\":\"edge\"}}],\"type\":"
		"\"MeshGateway\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(STORED); i++) {
		struct world world = world_of(EDGE GATEWAY(TCP("80", "")),
					      ABOUT("r", "", MS("far", "1")), NULL);
		struct resource *res = NULL;
		struct zl_err err = { 0 };

		assert_int_equal(
			resource_from_json(STORED[i], strlen(STORED[i]), &res, &err),
			ZL_OK);
		struct set_edit *edit = set_edit(world.set);
		set_put(edit, res);
		struct set *set = set_done(&edit);
		struct policy_index *index = policy_index_new(set, "east");
		struct inventory *inventory = inventory_build(set, "east");
		const struct routes *routes = policy_resolve(
			index, inventory, world_get(&world, KIND_DATAPLANE, "edge-1"),
			NULL, world.arena);

		assert_int_equal(routes->listener_count, i < 2);
		if (i < 2)
			assert_int_equal(routes->listeners[0].policy_count, 1);
		inventory_drop(&inventory);
		policy_index_drop(&index);
		set_drop(&set);
		resource_drop(&res);
		world_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_gateway_listens_for),
		cmocka_unit_test(the_order_of_documents_does_not_matter),
		cmocka_unit_test(other_proxies),
		cmocka_unit_test(why_a_policy_is_on_a_listener),
		cmocka_unit_test(what_a_mesh_gateway_touches),
		cmocka_unit_test(what_is_stored_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
