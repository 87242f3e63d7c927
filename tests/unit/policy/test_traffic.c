#include "support/test.h"
#include "support/world.h"
#include "unit/policy/east.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A TrafficRoute with items of its lists. */
#define TRAFFIC(name, sources, destinations, split)                    \
	"---\n{type: TrafficRoute, name: " name ", sources: [" sources \
	"], destinations: [" destinations "], conf: {split: [" split "]}}\n"
#define MATCH(tags) "{match: {kuma.io/service: " tags "}}"
#define SPLIT(weight, tags) \
	"{weight: " weight ", destination: {kuma.io/service: " tags "}}"
#define ANY MATCH("'*'")
#define TO_FAR SPLIT("1", "far")

/* What becomes of the outbound of web, or of client, which has no inbounds: "owner
 * [policies]: kind name {tags} weight cluster". */
/* clang-format off */
static const struct {
	const char *why, *yaml, *want;
} CASES[] = {
	{ "a split", TRAFFIC("t", ANY, MATCH("backend"), SPLIT("90", "backend, version: v0") ", " SPLIT("10", "other")),
	  "TrafficRoute [t/0]: MeshServiceSubset backend {version: v0} 90, MeshService other {} 10" },
	{ "conf.destination is a split of one",
	  "---\n{type: TrafficRoute, name: t, sources: [" ANY "], destinations: [" ANY "], conf: {destination: {kuma.io/service: far}}}\n",
	  "TrafficRoute [t/0]: MeshService far {} 1" },
	{ "weights as they are, unknown services, weight 0",
	  TRAFFIC("t", ANY, ANY, SPLIT("4294967290", "gone") ", " SPLIT("0", "far") ", " SPLIT("5", "gone, version: v1")),
	  "TrafficRoute [t/0]: MeshService gone {} 4294967290 !no service \"gone\" in mesh \"default\", "
	  "MeshService far {} 0 !weight 0, MeshServiceSubset gone {version: v1} 5 !no service \"gone\" in mesh \"default\"" },
	{ "* is the destination itself, and its subset", TRAFFIC("t", ANY, ANY, SPLIT("1", "'*'") ", " SPLIT("2", "'*', version: v1")),
	  "TrafficRoute [t/0]: MeshService backend {} 1, MeshServiceSubset backend {version: v1} 2" },
	{ "* of a tag falls away", TRAFFIC("t", ANY, ANY, SPLIT("1", "backend, version: '*'")),
	  "TrafficRoute [t/0]: MeshService backend {} 1" },

	/* Whether it is about it. */
	{ "another source", TRAFFIC("t", MATCH("db"), ANY, TO_FAR), "default []: MeshService backend {} 1" },
	{ "another destination", TRAFFIC("t", ANY, MATCH("other"), TO_FAR), "default []: MeshService backend {} 1" },
	{ "one of several", TRAFFIC("t", MATCH("db") ", " MATCH("web"), MATCH("other") ", " MATCH("backend"), TO_FAR),
	  "TrafficRoute [t/0]: MeshService far {} 1" },
	{ "twice the same", TRAFFIC("t", ANY, MATCH("backend") ", " MATCH("other") ", " MATCH("backend"), TO_FAR), "TrafficRoute [t/0]: MeshService far {} 1" },
	{ "tags of the source", TRAFFIC("t", MATCH("web, kuma.io/zone: east"), ANY, TO_FAR), "TrafficRoute [t/0]: MeshService far {} 1" },
	{ "tags that it lacks", TRAFFIC("t", MATCH("web, version: '*'"), ANY, TO_FAR), "default []: MeshService backend {} 1" },
	{ "another mesh",
	  "---\n{type: TrafficRoute, mesh: m2, name: t, sources: [" ANY "], destinations: [" ANY "], conf: {destination: {kuma.io/service: far}}}\n",
	  "default []: MeshService backend {} 1" },

	/* Which one, D30. */
	{ "more source tags", TRAFFIC("a", MATCH("web"), MATCH("backend"), TO_FAR)
	  TRAFFIC("b", MATCH("web, kuma.io/zone: east"), ANY, SPLIT("2", "other")), "TrafficRoute [b/0]: MeshService other {} 2" },
	{ "of the best source", TRAFFIC("a", ANY, MATCH("backend"), TO_FAR)
	  TRAFFIC("b", MATCH("db, a: b, c: d") ", " ANY ", " MATCH("web") ", " ANY, ANY, SPLIT("2", "other")), "TrafficRoute [b/0]: MeshService other {} 2" },
	{ "then destination tags", TRAFFIC("a", ANY, ANY, TO_FAR) TRAFFIC("b", ANY, MATCH("backend") ", " ANY, SPLIT("2", "other")),
	  "TrafficRoute [b/0]: MeshService other {} 2" },
	{ "then the smaller name", TRAFFIC("b", ANY, ANY, TO_FAR) TRAFFIC("a", ANY, ANY, SPLIT("2", "other")),
	  "TrafficRoute [a/0]: MeshService other {} 2" },
	{ "* counts for nothing", TRAFFIC("b", MATCH("'*', kuma.io/zone: '*'"), ANY, TO_FAR) TRAFFIC("a", ANY, ANY, SPLIT("2", "other")),
	  "TrafficRoute [a/0]: MeshService other {} 2" },

	/* Others win, D10. */
	{ "MeshTCPRoute", TRAFFIC("t", MATCH("web"), MATCH("backend"), TO_FAR) ROUTE(MS("other", "3")),
	  "MeshTCPRoute [r/0]: MeshService other {} 3" },
	{ "MeshTCPRoute about another", TRAFFIC("t", ANY, ANY, TO_FAR) ROUTE_OF("r", "", MESH, "other", LIST(MS("other", "3"))),
	  "TrafficRoute [t/0]: MeshService far {} 1" },
	{ "MeshHTTPRoute on what is tcp does not",
	  TRAFFIC("t", ANY, ANY, TO_FAR) "---\n{type: MeshHTTPRoute, name: h, spec: {to: [{targetRef: {kind: MeshService, name: backend}, "
	  "rules: []}]}}\n", "TrafficRoute [t/0]: MeshService far {} 1" },
};
/* clang-format on */

static void describe(const struct outbound_route *route, struct zl_buf *out)
{
	zl_buf_format(out, "%s [", route_owner_name(route->owner));
	for (size_t i = 0; i < route->policy_count; i++)
		zl_buf_format(out, "%s%s/%zu", i == 0 ? "" : " ",
			      route->policies[i].policy->key.name, route->policies[i].to);
	zl_buf_str(out, "]:");
	for (size_t i = 0; i < route->backend_count; i++) {
		const struct backend *at = &route->backends[i];

		zl_buf_format(out, "%s %s %s {", i == 0 ? "" : ",",
			      ref_kind_name(at->kind), at->name);
		for (size_t j = 0; j < at->tags.count; j++)
			zl_buf_format(out, "%s%s: %s", j == 0 ? "" : ", ",
				      at->tags.items[j].key, at->tags.items[j].value);
		zl_buf_format(out, "} %" PRIu64 "%s%s", at->weight,
			      at->resolved ? "" : " !", at->reason);
	}
}

static void run_case(size_t number, struct dice *dice)
{
	struct tools tools = tools_of(BASE, CASES[number].yaml, dice);
	struct zl_buf out = { 0 };

	describe(&resolve(&tools, "web")->outbounds[0], &out);
	if (strcmp(zl_buf_text(&out), CASES[number].want) != 0)
		fail_msg("%s: %s", CASES[number].why, zl_buf_text(&out));
	zl_buf_free(&out);
	tools_end(&tools);
}

static void which_one_and_where_to(void **state)
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

/* Outbounds with more tags, by backendRef, of http; and a client that is known by its
 * labels, or by its gateway's tags. */
static void outbounds_of_every_sort(void **state)
{
	static const char YAML[] =
		"---\n{type: Dataplane, name: many, networking: {address: 9.9.9.8, "
		"gateway: {tags: {kuma.io/service: many}}, outbound: [\n"
		"  {port: 1, tags: {kuma.io/service: backend, version: v1, region: eu, "
		"kuma.io/mesh: default}},\n"
		"  {port: 2, backendRef: {kind: MeshService, name: backend, port: 80}},\n"
		"  {port: 3, tags: {kuma.io/service: other}}]}}\n"
		"---\n{type: Dataplane, name: client, labels: {kuma.io/service: many}, "
		"networking: {address: 9.9.9.7, outbound: [{port: 1, tags: "
		"{kuma.io/service: backend}}]}}\n" TRAFFIC(
			"t", MATCH("many"), ANY,
			SPLIT("1", "'*', version: v0") ", " SPLIT("2", "far"));
	static const char WANT[] =
		"TrafficRoute [t/0]: MeshServiceSubset backend {region: eu, version: v0} "
		"1, MeshServiceSubset far {region: eu, version: v1} 2\n"
		"default []: MeshService backend {} 1 !no MeshService \"backend\" with "
		"port 80 in mesh \"default\"\n"
		"TrafficRoute [t/0]: MeshServiceSubset other {version: v0} 1, "
		"MeshService far {} 2\n";
	static const char WARNING[] =
		"mesh \"default\": TrafficRoute \"t\" splits connections to \"other\", "
		"not requests, though their protocol is http";
	struct tools tools = tools_of(BASE, YAML, NULL);
	const struct routes *routes = resolve(&tools, "many");
	struct zl_buf out = { 0 };
	bool warned = false;

	(void)state;
	for (size_t i = 0; i < routes->outbound_count; i++) {
		describe(&routes->outbounds[i], &out);
		zl_buf_char(&out, '\n');
		assert_false(routes->outbounds[i].http);
	}
	assert_string_equal(zl_buf_text(&out), WANT);
	for (size_t i = 0; i < routes->warning_count; i++)
		warned = warned || strcmp(routes->warnings[i], WARNING) == 0;
	assert_true(warned);
	assert_int_equal(resolve(&tools, "client")->outbounds[0].owner,
			 OWNER_TRAFFIC_ROUTE);
	zl_buf_free(&out);
	tools_end(&tools);
}

/* What no reader lets in, but a store of another version might hold. */
static void what_is_empty_says_nothing(void **state)
{
	static const char *const STORED[] = {
		"{\"conf\":{\"split\":[]},\"destinations\":[{\"match\":{\"kuma.io/"
		"service\":\"*\"}}],\"mesh\":\"default\",\"name\":\"t\",\"sources\":[{"
		"\"match\":{\"kuma.io/service\":\"*\"}}],\"type\":\"TrafficRoute\"}",
		"{\"conf\":{\"destination\":{\"kuma.io/service\":\"far\"}},"
		"\"destinations\":[{\"match\":{}}],\"mesh\":\"default\",\"name\":\"t\","
		"\"sources\":[],\"type\":\"TrafficRoute\"}",
	};
	const struct policy_options explain = { .explain = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(STORED); i++) {
		struct world world = world_of(BASE, "", NULL);
		struct resource *route = NULL;
		struct zl_err err = { 0 };

		assert_int_equal(
			resource_from_json(STORED[i], strlen(STORED[i]), &route, &err),
			ZL_OK);
		struct set_edit *edit = set_edit(world.set);
		set_put(edit, route);
		struct set *set = set_done(&edit);
		struct policy_index *index = policy_index_new(set, "east");
		struct inventory *inventory = inventory_build(set, "east");
		const struct resource *web = world_get(&world, KIND_DATAPLANE, "web");
		const struct routes *routes =
			policy_resolve(index, inventory, web, &explain, world.arena);

		assert_int_equal(routes->outbounds[0].owner, OWNER_DEFAULT);
		assert_int_equal(routes->considered[0].selected, i == 0);
		assert_false(policy_touches(route, web, "east"));
		if (i == 1)
			assert_string_equal(routes->considered[0].reason,
					    "it has no sources");
		inventory_drop(&inventory);
		policy_index_drop(&index);
		set_drop(&set);
		resource_drop(&route);
		world_end(&world);
	}
}

/* Whom a route may concern, and why, weaker than any other. */
static void who_is_concerned(void **state)
{
	/* clang-format off */
	static const struct {
		const char *yaml, *reason;
		bool touches;
	} ROUTES[] = {
		{ TRAFFIC("t", MATCH("db") ", " MATCH("web"), MATCH("other") ", " MATCH("backend"), TO_FAR),
		  "source {kuma.io/service: web}: inbound 80 has these tags", true },
		{ TRAFFIC("t", MATCH("web"), MATCH("other"), TO_FAR),
		  "source {kuma.io/service: web}: inbound 80 has these tags", false },
		{ TRAFFIC("t", MATCH("db"), ANY, TO_FAR),
		  "source {kuma.io/service: db}: no inbound of the proxy has these tags", false },
		{ TRAFFIC("t", MATCH("db") ", " MATCH("nobody"), ANY, TO_FAR),
		  "source {kuma.io/service: nobody}: no inbound of the proxy has these tags", false },
	};
	/* clang-format on */
	const struct policy_options explain = { .explain = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++) {
		char *yaml = zl_format("%s%s", ROUTE(MS("other", "1")), ROUTES[i].yaml);
		struct tools tools = tools_of(BASE, yaml, NULL);
		const struct resource *web =
			world_get(&tools.world, KIND_DATAPLANE, "web");
		const struct routes *routes = policy_resolve(
			tools.index, tools.inventory, web, &explain, tools.world.arena);

		assert_int_equal(routes->considered_count, 2);
		assert_int_equal(routes->considered[0].policy->key.kind,
				 KIND_TRAFFIC_ROUTE);
		assert_string_equal(routes->considered[0].reason, ROUTES[i].reason);
		assert_int_equal(routes->considered[0].selected, i < 2);
		assert_int_equal(
			policy_touches(routes->considered[0].policy, web, "east"),
			ROUTES[i].touches);
		free(yaml);
		tools_end(&tools);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_one_and_where_to),
		cmocka_unit_test(the_order_of_documents_does_not_matter),
		cmocka_unit_test(outbounds_of_every_sort),
		cmocka_unit_test(what_is_empty_says_nothing),
		cmocka_unit_test(who_is_concerned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
