/* What travels between global and its zones, and under which names. */
#include "model/travel.h"

#include "support/world.h"

#define ROUTE(name, labels)                                                      \
	"{type: MeshTCPRoute, name: " name ", labels: {" labels "}, spec: {to: " \
	"[{targetRef: {kind: MeshService, name: a}, rules: []}]}}\n---\n"
#define GATEWAY(name, labels)                                                      \
	"{type: MeshGateway, name: " name ", labels: {" labels "}, selectors: "    \
	"[{match: {kuma.io/service: e}}], conf: {listeners: [{port: 1, protocol: " \
	"TCP}]}}\n---\n"
#define STRATEGY(name, labels)                                               \
	"{type: MeshLoadBalancingStrategy, name: " name ", labels: {" labels \
	"}, spec: {to: [{targetRef: {kind: MeshService, name: a}, default: {}}]}}\n"
#define TIMEOUT(name, labels)                                              \
	"{type: MeshTimeout, name: " name ", labels: {" labels "}, spec: " \
	"{rules: [{default: {idleTimeout: 1s}}]}}\n---\n"
#define OF(zone) "kuma.io/origin: zone, kuma.io/zone: " zone
#define HOME ", kuma.io/kds-sync: disabled"

/* clang-format off */
static const char *const ALL =
	ROUTE("global", "kuma.io/origin: global")
	ROUTE("none", "a: b")
	ROUTE("global-home", "kuma.io/origin: global" HOME)
	ROUTE("own", OF("east"))
	ROUTE("own-home", OF("east") HOME)
	ROUTE("own-enabled", OF("east") ", kuma.io/kds-sync: enabled")
	ROUTE("system", OF("west"))
	ROUTE("producer", OF("west") ", test-role: producer")
	ROUTE("consumer", OF("west") ", test-role: consumer")
	ROUTE("owner", OF("west") ", test-role: workload-owner")
	ROUTE("producer-home", OF("west") HOME ", test-role: producer")
	"{type: MeshHTTPRoute, name: http-producer, labels: {" OF("west")
	", test-role: producer}, spec: {}}\n---\n"
	"{type: MeshHTTPRoute, name: http-consumer, labels: {" OF("west")
	", test-role: consumer}, spec: {}}\n---\n"
	"{type: TrafficRoute, name: old, sources: [{match: {kuma.io/service: a}}], "
	"destinations: [{match: {kuma.io/service: a}}], conf: {destination: "
	"{kuma.io/service: a}}}\n---\n"
	GATEWAY("gw-global", "kuma.io/origin: global")
	GATEWAY("gw-own", OF("east"))
	GATEWAY("gw-west", OF("west"))
	"{type: Mesh, name: default}\n---\n"
	"{type: Dataplane, name: dp, labels: {" OF("east") "}, networking: {address: "
	"10.0.0.1}}\n---\n"
	"{type: ZoneIngress, name: in-east, labels: {" OF("east") "}, networking: "
	"{address: 10.0.0.1, port: 1}}\n---\n"
	"{type: ZoneIngress, name: in-west, labels: {" OF("west") "}, networking: "
	"{address: 10.0.0.1, port: 1}}\n---\n"
	"{type: ZoneEgress, name: out-east, labels: {" OF("east") "}, networking: "
	"{address: 10.0.0.1, port: 1}}\n---\n"
	"{type: ZoneEgress, name: out-west, labels: {" OF("west") "}, networking: "
	"{address: 10.0.0.1, port: 1}}\n---\n"
	TIMEOUT("soon-global", "kuma.io/origin: global")
	TIMEOUT("soon-own", OF("east"))
	TIMEOUT("soon-producer", OF("west") ", test-role: producer")
	TIMEOUT("soon-consumer", OF("west") ", test-role: consumer")
	TIMEOUT("soon-owner", OF("west") ", test-role: workload-owner")
	"{type: TrafficPermission, name: let-in, sources: [{match: {a: b}}], "
	"destinations: [{match: {a: b}}]}\n---\n"
	STRATEGY("near-global", "kuma.io/origin: global") "---\n"
	STRATEGY("near-own", OF("east")) "---\n"
	STRATEGY("near-producer", OF("west") ", test-role: producer") "---\n"
	STRATEGY("near-consumer", OF("west") ", test-role: consumer");

static const struct {
	enum kind kind;
	const char *name;
	bool up, down; /* as east sees it */
} CASES[] = {
	{ KIND_MESH_TCP_ROUTE, "global",        false, true },
	{ KIND_MESH_TCP_ROUTE, "none",          false, true },
	{ KIND_MESH_TCP_ROUTE, "global-home",   false, false },
	{ KIND_MESH_TCP_ROUTE, "own",           true,  false },
	{ KIND_MESH_TCP_ROUTE, "own-enabled",   true,  false },
	{ KIND_MESH_TCP_ROUTE, "own-home",      false, false },
	{ KIND_MESH_TCP_ROUTE, "system",        false, false },
	{ KIND_MESH_TCP_ROUTE, "producer",      false, true },
	{ KIND_MESH_TCP_ROUTE, "producer-home", false, false },
	{ KIND_MESH_TCP_ROUTE, "consumer",      false, false },
	{ KIND_MESH_TCP_ROUTE, "owner",         false, false },
	{ KIND_MESH_HTTP_ROUTE, "http-producer", false, true },
	{ KIND_MESH_HTTP_ROUTE, "http-consumer", false, false },
	{ KIND_TRAFFIC_ROUTE,  "old",           false, true },
	{ KIND_MESH_GATEWAY,   "gw-global",     false, true },
	{ KIND_MESH_GATEWAY,   "gw-own",        true,  false },
	{ KIND_MESH_GATEWAY,   "gw-west",       false, false },
	{ KIND_MESH,           "default",       false, true },
	{ KIND_DATAPLANE,      "dp",            false, false },
	{ KIND_ZONE_INGRESS,   "in-east",       true,  false },
	{ KIND_ZONE_INGRESS,   "in-west",       false, true },
	{ KIND_ZONE_EGRESS,    "out-east",      true,  false },
	{ KIND_ZONE_EGRESS,    "out-west",      false, false },
	{ KIND_MESH_TIMEOUT,   "soon-global",   false, true },
	{ KIND_MESH_TIMEOUT,   "soon-own",      true,  false },
	{ KIND_MESH_TIMEOUT,   "soon-producer", false, true },
	{ KIND_MESH_TIMEOUT,   "soon-consumer", false, false },
	{ KIND_MESH_TIMEOUT,   "soon-owner",    false, false },
	{ KIND_TRAFFIC_PERMISSION, "let-in",    false, true },
	{ KIND_MESH_LOAD_BALANCING_STRATEGY, "near-global",   false, true },
	{ KIND_MESH_LOAD_BALANCING_STRATEGY, "near-own",      true,  false },
	{ KIND_MESH_LOAD_BALANCING_STRATEGY, "near-producer", false, true },
	{ KIND_MESH_LOAD_BALANCING_STRATEGY, "near-consumer", false, false },
};
/* clang-format on */

static void who_gets_what(void **state)
{
	struct world world = world_of(ALL, "", NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		const struct resource *res =
			world_get(&world, CASES[i].kind, CASES[i].name);
		if (travel_goes_up(res, "east") != CASES[i].up ||
		    travel_comes_down(res, "east") != CASES[i].down)
			fail_msg("%s: up %d, down %d", CASES[i].name,
				 travel_goes_up(res, "east"),
				 travel_comes_down(res, "east"));
	}
	world_end(&world);
}

static void what_one_zone_may_have(void **state)
{
	static const struct {
		struct travel_load load;
		size_t size;
		unsigned slack;
		const char *why;
	} LIMITS[] = {
		{ { 0, 0 }, 1, 1, NULL },
		{ { TRAVEL_RESOURCES_MAX - 1, 0 }, 1, 1, NULL },
		{ { TRAVEL_RESOURCES_MAX, 0 }, 1, 1, "5000 resources" },
		{ { TRAVEL_RESOURCES_MAX, 0 }, 1, 2, NULL },
		{ { 2 * TRAVEL_RESOURCES_MAX, 0 }, 1, 2, "5000 resources" },
		{ { 1, TRAVEL_BYTES_MAX - 10 }, 10, 1, NULL },
		{ { 1, TRAVEL_BYTES_MAX - 10 }, 11, 1, "7 MiB" },
		{ { 1, TRAVEL_BYTES_MAX }, TRAVEL_BYTES_MAX, 2, NULL },
		{ { 1, TRAVEL_BYTES_MAX }, TRAVEL_BYTES_MAX + 1, 2, "7 MiB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(LIMITS); i++) {
		const char *why =
			travel_overload(&LIMITS[i].load, LIMITS[i].size, LIMITS[i].slack);
		if (LIMITS[i].why == NULL)
			assert_null(why);
		else
			assert_non_null(strstr(why, LIMITS[i].why));
	}
	struct world world = world_of("{type: Mesh, name: m}", "", NULL);
	const struct resource *mesh = world_get(&world, KIND_MESH, "m");
	assert_int_equal(travel_size(mesh), mesh->json_len + 5);
	world_end(&world);
}

static void names_of_replicas(void **state)
{
	static const struct {
		const char *mesh, *zone, *ns, *name, *want;
	} NAMES[] = {
		{ "", "", "", "foo", "foo-zxw6c95d42zfz9cc" },
		{ "", "zone-1", "custom-ns", "foo", "foo-696vzv497z4cv4f4" },
		{ "default", "", "", "tcp-route-1", "tcp-route-1-225v4vzzcx9zd45w" },
		{ "default", "zone-1", "kuma-demo", "tcp-route-1",
		  "tcp-route-1-wv7zxz22665c2z67" },
	};
	char name[254];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
		const struct key key = { KIND_MESH_TCP_ROUTE, NAMES[i].mesh,
					 NAMES[i].zone, NAMES[i].ns, NAMES[i].name };
		struct zl_buf out = { 0 };
		travel_name(&key, &out);
		assert_string_equal(zl_buf_text(&out), NAMES[i].want);
		assert_true(travel_is_name(&key, NAMES[i].want));
		assert_false(travel_is_name(&key, NAMES[i].name));
		assert_false(travel_is_name(&key, NAMES[(i + 1) % 4].want));
		zl_buf_free(&out);
	}
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	const struct key longest = { KIND_MESH_TCP_ROUTE, "m", "", "", name };
	struct zl_buf out = { 0 };
	travel_name(&longest, &out);
	assert_int_equal(out.len, 236 + 1 + 16);
	assert_true(travel_is_name(&longest, zl_buf_text(&out)));
	out.data[out.len - 1] = 'a'; /* no letter of these names */
	assert_false(travel_is_name(&longest, zl_buf_text(&out)));
	zl_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_gets_what),
		cmocka_unit_test(what_one_zone_may_have),
		cmocka_unit_test(names_of_replicas),
	};
	return cmocka_run_group_tests_name("model/travel", tests, NULL, NULL);
}
