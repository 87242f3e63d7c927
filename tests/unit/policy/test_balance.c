#include "support/test.h"
#include "support/world.h"

#include "policy/policy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* MeshLoadBalancingStrategy (kinds-spec 15): what a proxy of zone east gets for the
 * service b, of which there are instances here and in three other zones. */
#define MTLS "mtls: {enabledBackend: ca, backends: [{name: ca, type: builtin}]}"
#define ON "{type: Mesh, name: default, " MTLS "}\n"
#define OFF "{type: Mesh, name: default}\n"
#define FLAT                                \
	"{type: Mesh, name: default, " MTLS \
	", routing: {localityAwareLoadBalancing: false}}\n"
#define FLAT_OFF \
	"{type: Mesh, name: default, routing: {localityAwareLoadBalancing: false}}\n"
#define EGRESS "{type: Mesh, name: default, " MTLS ", routing: {zoneEgress: true}}\n"

static const char OURS[] =
	"---\n{type: Dataplane, name: b1, networking: {address: 1.1.1.1, inbound: [\n"
	"  {port: 80, tags: {kuma.io/service: b, rack: r1, node: n1}}]}}\n"
	"---\n{type: Dataplane, name: b2, networking: {address: 1.1.1.2, inbound: [\n"
	"  {port: 80, tags: {kuma.io/service: b, rack: r2, node: n1}}]}}\n"
	"---\n{type: Dataplane, name: b3, networking: {address: 1.1.1.3, inbound: [\n"
	"  {port: 80, tags: {kuma.io/service: b, rack: r1}}]}}\n";

static const char OTHERS[] =
	"---\n{type: ZoneIngress, name: iw, zone: west, networking: {address: 9.0.0.1,\n"
	"  port: 1, advertisedAddress: 2.2.2.2, advertisedPort: 2}, availableServices:\n"
	"  [{instances: 2, tags: {kuma.io/service: b}}]}\n"
	"---\n{type: ZoneIngress, name: in, zone: north, networking: {address: 9.0.0.1,\n"
	"  port: 1, advertisedAddress: 3.3.3.3, advertisedPort: 2}, availableServices:\n"
	"  [{instances: 3, tags: {kuma.io/service: b}}]}\n"
	"---\n{type: ZoneIngress, name: ia, zone: apac, networking: {address: 9.0.0.1,\n"
	"  port: 1, advertisedAddress: 4.4.4.4, advertisedPort: 2}, availableServices:\n"
	"  [{instances: 1, tags: {kuma.io/service: b}}]}\n";

#define WEB(more)                                                                      \
	"---\n{type: Dataplane, name: web, labels: {app: web, rack: l1}, networking: " \
	"{address: 9.9.9.9, " more                                                     \
	" outbound: [{port: 10001, tags: {kuma.io/service: b}}]}}\n"
#define INBOUND(tags) "inbound: [{port: 81, tags: {kuma.io/service: web" tags "}}],"

/* A policy about service b. */
#define ABOUT(name, to, locality)                            \
	"---\n{type: MeshLoadBalancingStrategy, name: " name \
	", spec: {to: [{targetRef: {kind: " to               \
	"}, default: {localityAwareness: {" locality "}}}]}}\n"
#define B(locality) ABOUT("p", "MeshService, name: b", locality)
#define ANY "crossZone: {failover: [{to: {type: Any}}]}"
#define RACK "localZone: {affinityTags: [{key: rack}]}"
#define LOCALS "0 1.1.1.1, 0 1.1.1.2, 0 1.1.1.3"

/* clang-format off */
static const struct {
	const char *why, *mesh, *web, *policies;
	const char *expected; /* by_group and percent, then endpoints */
} CASES[] = {
	{ "nothing is said", ON, "", "", "0: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
	{ "an empty policy says nothing", ON, "", B(""), "0: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
	{ "nor where zones are one", FLAT, "", B(""), "0: 0 4.4.4.4, " LOCALS ", 0 3.3.3.3, 0 2.2.2.2" },
	{ "all zones are one", ON, "", B("disabled: true"), "0: 0 4.4.4.4, " LOCALS ", 0 3.3.3.3, 0 2.2.2.2" },
	{ "whatever else is said", ON, "", B("disabled: true, " RACK ", " ANY), "0: 0 4.4.4.4, " LOCALS ", 0 3.3.3.3, 0 2.2.2.2" },
	{ "they are not one, though the mesh says so", FLAT, "", B("disabled: false"), "0: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
	{ "without mTLS others come last", FLAT_OFF, "", B("disabled: true"), "0: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
	{ "and without a policy", FLAT_OFF, "", "", "0: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
	{ "localZone alone stays in the zone", ON, "", B("localZone: {}"), "0: " LOCALS },
	{ "crossZone without a rule too", ON, "", B("crossZone: {}"), "0 200: " LOCALS },
	{ "any zone", ON, "", B(ANY), "0 200: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
	{ "one rule after the other", ON, "",
	  B("crossZone: {failover: [{to: {type: Only, zones: [west]}}, {to: {type: None}}, {to: {type: AnyExcept, zones: [apac]}}], failoverThreshold: {percentage: 70}}"),
	  "0 143: " LOCALS ", 1 2.2.2.2, 2 3.3.3.3" },
	{ "the first that fits", ON, "", B("crossZone: {failover: [{to: {type: Any}}, {to: {type: Only, zones: [west]}}]}"),
	  "0 200: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
	{ "rules for other zones", ON, "",
	  B("crossZone: {failover: [{from: {zones: [west, apac]}, to: {type: Any}}, {from: {zones: [west, east]}, to: {type: Only, zones: [north]}}]}"),
	  "0 200: " LOCALS ", 1 3.3.3.3" },
	{ "a small threshold", ON, "", B("crossZone: {failoverThreshold: {percentage: '0.0000000001'}}"), "0 4294967295: " LOCALS },
	{ "and the largest", ON, "", B("crossZone: {failoverThreshold: {percentage: 100}}"), "0 100: " LOCALS },
	{ "nothing here", ON, "none here", B("crossZone: {failover: [{to: {type: Only, zones: [apac]}}, {to: {type: Any}}]}"),
	  "0 200: 0 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
	{ "a silent zone is behind all", ON, "",
	  "---\n{type: Zone, name: west, status: {condition: Stale}}\n"
	  B("crossZone: {failover: [{to: {type: Only, zones: [west]}}, {to: {type: Any}}]}"),
	  "0 200: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 2 2.2.2.2" },
	{ "one that is offline is gone", ON, "",
	  "---\n{type: Zone, name: west, status: {condition: Offline}}\n" B(ANY), "0 200: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3" },

	{ "near ones", ON, WEB(INBOUND(", rack: r1")), B(RACK ", " ANY),
	  "1 200: 0 1.1.1.1 rack=r1 9, 0 1.1.1.2 1, 0 1.1.1.3 rack=r1 9, 1 4.4.4.4 1, 1 3.3.3.3 3, 1 2.2.2.2 2" },
	{ "the first tag that agrees", ON, WEB(INBOUND(", rack: r1, node: n1")), B("localZone: {affinityTags: [{key: node}, {key: rack}]}"),
	  "1: 0 1.1.1.1 node=n1 90, 0 1.1.1.2 node=n1 90, 0 1.1.1.3 rack=r1 9" },
	{ "of the weights that are written", ON, WEB(INBOUND(", node: n1")), B("localZone: {affinityTags: [{key: rack, weight: 7}, {key: node, weight: 5}]}"),
	  "1: 0 1.1.1.1 node=n1 5, 0 1.1.1.2 node=n1 5, 0 1.1.1.3 1" },
	{ "none agrees", ON, WEB(INBOUND(", rack: r3")), B(RACK), "1: 0 1.1.1.1 1, 0 1.1.1.2 1, 0 1.1.1.3 1" },
	{ "the proxy has no such tag", ON, "", B("localZone: {affinityTags: [{key: node}]}"), "1: 0 1.1.1.1 1, 0 1.1.1.2 1, 0 1.1.1.3 1" },
	{ "by the zone", ON, WEB(INBOUND("")), B("localZone: {affinityTags: [{key: kuma.io/zone}]}"),
	  "1: 0 1.1.1.1 kuma.io/zone=east 9, 0 1.1.1.2 kuma.io/zone=east 9, 0 1.1.1.3 kuma.io/zone=east 9" },
	{ "of the second inbound, the first is ignored", ON,
	  WEB("inbound: [{port: 81, state: Ignored, tags: {kuma.io/service: web, rack: r1}}, {port: 82, tags: {kuma.io/service: web, rack: r2}}, {port: 83, tags: {kuma.io/service: web, rack: r1}}],"),
	  B(RACK), "1: 0 1.1.1.1 1, 0 1.1.1.2 rack=r2 9, 0 1.1.1.3 1" },
	{ "of a gateway", ON, WEB("gateway: {type: DELEGATED, tags: {kuma.io/service: web, rack: r2}},"), B(RACK),
	  "1: 0 1.1.1.1 1, 0 1.1.1.2 rack=r2 9, 0 1.1.1.3 1" },
	{ "an empty list takes tags back", ON, WEB(INBOUND(", rack: r1")),
	  ABOUT("z", "MeshService, name: b", RACK) ABOUT("a", "MeshService, name: b", "localZone: {affinityTags: []}"), "0: " LOCALS },

	{ "of the mesh", ON, "", ABOUT("p", "Mesh", ANY), "0 200: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
	{ "of another service", ON, "", ABOUT("p", "MeshService, name: c", "disabled: true"), "0: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
	{ "a service before the mesh", ON, "", ABOUT("a", "Mesh", "disabled: true") ABOUT("b", "MeshService, name: b", "disabled: false, localZone: {}"), "0: " LOCALS },
	{ "members of several", ON, WEB(INBOUND(", rack: r1")),
	  ABOUT("m", "Mesh", "crossZone: {failover: [{to: {type: Any}}], failoverThreshold: {percentage: 80}}")
	  ABOUT("z", "MeshService, name: b", RACK) ABOUT("a", "MeshService, name: b", "crossZone: {failover: [{to: {type: Only, zones: [west]}}]}"),
	  "1 125: 0 1.1.1.1 rack=r1 9, 0 1.1.1.2 1, 0 1.1.1.3 rack=r1 9, 1 2.2.2.2 2" },
	{ "for other proxies", ON, "",
	  "---\n{type: MeshLoadBalancingStrategy, name: p, spec: {targetRef: {kind: Dataplane, labels: {app: other}}, to: [{targetRef: {kind: Mesh}, default: {localityAwareness: {localZone: {}}}}]}}\n",
	  "0: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
	{ "for this proxy", ON, "",
	  "---\n{type: MeshLoadBalancingStrategy, name: p, spec: {targetRef: {kind: Dataplane, labels: {app: web}}, to: [{targetRef: {kind: Mesh}, default: {localityAwareness: {localZone: {}}}}]}}\n",
	  "0: " LOCALS },
	{ "in shadow", ON, "", "---\n{type: MeshLoadBalancingStrategy, name: p, labels: {kuma.io/effect: shadow}, spec: {to: [{targetRef: {kind: Mesh}, default: {localityAwareness: {localZone: {}}}}]}}\n",
	  "0: " LOCALS ", 1 4.4.4.4, 1 3.3.3.3, 1 2.2.2.2" },
};
/* clang-format on */

static char *describe(const struct backend *backend)
{
	struct zl_buf out = { 0 };

	zl_buf_format(&out, "%d", backend->by_group);
	if (backend->overprovisioning > 0)
		zl_buf_format(&out, " %u", backend->overprovisioning);
	for (size_t i = 0; i < backend->endpoint_count; i++) {
		const struct endpoint *at = &backend->endpoints[i];

		zl_buf_format(&out, "%s %u %s", i == 0 ? ":" : ",", at->priority,
			      at->address);
		if (at->sub_zone != NULL)
			zl_buf_format(&out, " %s", at->sub_zone);
		if (at->group_weight > 0)
			zl_buf_format(&out, " %" PRIu64, at->group_weight);
	}
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

struct scene {
	struct world world;
	struct policy_index *index;
	struct inventory *inventory;
	const struct routes *routes; /* of web */
};

static struct scene scene_of(const char *first, const char *second, struct dice *dice)
{
	static const struct policy_options EXPLAIN = { .explain = true };
	struct scene scene = { .world = world_of(first, second, dice) };

	scene.index = policy_index_new(scene.world.set, "east");
	scene.inventory = inventory_build(scene.world.set, "east");
	scene.routes = policy_resolve(scene.index, scene.inventory,
				      world_get(&scene.world, KIND_DATAPLANE, "web"),
				      &EXPLAIN, scene.world.arena);
	return scene;
}

static void scene_end(struct scene *scene)
{
	policy_index_drop(&scene->index);
	inventory_drop(&scene->inventory);
	world_end(&scene->world);
}

static void run_case(size_t number, struct dice *dice)
{
	const char *web = CASES[number].web;
	bool none = strcmp(web, "none here") == 0;
	struct zl_buf yaml = { 0 };

	zl_buf_format(&yaml, "%s%s%s%s", CASES[number].mesh, none ? "" : OURS, OTHERS,
		      none || web[0] == '\0' ? WEB("") : web);
	struct scene scene = scene_of(zl_buf_text(&yaml), CASES[number].policies, dice);
	char *text = describe(&scene.routes->outbounds[0].backends[0]);
	if (strcmp(text, CASES[number].expected) != 0)
		fail_msg("%s: %s", CASES[number].why, text);
	free(text);
	zl_buf_free(&yaml);
	scene_end(&scene);
}

static void what_policies_mean(void **state)
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
	seeds_run(300, in_any_order);
}

static void expect_warning(const struct routes *routes, const char *text)
{
	for (size_t i = 0; i < routes->warning_count; i++)
		if (strcmp(routes->warnings[i], text) == 0)
			return;
	for (size_t i = 0; i < routes->warning_count; i++)
		print_error("%s\n", routes->warnings[i]);
	fail_msg("not warned: %s", text);
}

static void nothing_is_left(void **state)
{
	struct zl_buf yaml = { 0 };

	(void)state;
	zl_buf_format(&yaml, "%s%s%s", ON, OTHERS, WEB(""));
	struct scene scene = scene_of(zl_buf_text(&yaml), B("localZone: {}"), NULL);
	expect_warning(scene.routes,
		       "mesh \"default\": service \"b\" has no endpoint: those in other "
		       "zones are left out by MeshLoadBalancingStrategy \"p\"");
	assert_int_equal(scene.routes->warning_count, 1);
	zl_buf_free(&yaml);
	scene_end(&scene);
}

/* Behind an egress it is the egress that chooses, by policies of the whole mesh. */
static void an_egress_chooses(void **state)
{
	struct zl_buf yaml = { 0 };

	(void)state;
	zl_buf_format(&yaml, "%s%s%s%s", EGRESS, OURS, OTHERS, WEB(INBOUND("")));
	struct scene scene =
		scene_of(zl_buf_text(&yaml),
			 ABOUT("fine", "Mesh",
			       ANY) "---\n{type: MeshLoadBalancingStrategy, name: own, "
				    "spec: {targetRef: "
				    "{kind: Dataplane, labels: {app: web}}, to: [\n"
				    "  {targetRef: {kind: Mesh}, default: "
				    "{localityAwareness: {disabled: "
				    "false}}},\n"
				    "  {targetRef: {kind: Mesh}, default: "
				    "{localityAwareness: {" ANY "}}}]}}\n",
			 NULL);
	expect_warning(scene.routes,
		       "mesh \"default\": MeshLoadBalancingStrategy \"own\": spec.to[1] "
		       "does not order zones: a ZoneEgress does, by policies whose "
		       "targetRef is the Mesh");
	for (size_t i = 0; i < scene.routes->warning_count; i++)
		assert_null(strstr(scene.routes->warnings[i], "\"fine\""));
	scene_end(&scene);

	scene = scene_of(
		zl_buf_text(&yaml),
		ABOUT("fine", "Mesh", RACK ", " ANY) "---\n{type: ZoneEgress, name: e1, "
						     "zone: east, networking: "
						     "{address: 6.6.6.1, port: 1}}\n"
						     "---\n{type: ZoneEgress, name: e2, "
						     "zone: east, networking: "
						     "{address: 6.6.6.2, port: 1}}\n",
		NULL);
	char *text = describe(&scene.routes->outbounds[0].backends[0]);
	assert_string_equal(text, "1 200: 0 1.1.1.1 1, 0 1.1.1.2 1, 0 1.1.1.3 1, "
				  "1 6.6.6.1 2, 1 6.6.6.2 2");
	free(text);
	zl_buf_free(&yaml);
	scene_end(&scene);
}

/* What an egress of the zone does with the zones that have the service. */
static char *by_egress(const char *policies)
{
	struct zl_buf yaml = { 0 };

	zl_buf_format(
		&yaml, "%s%s%s%s", EGRESS, OURS, OTHERS,
		"---\n{type: ZoneEgress, name: e, zone: east, networking: {address: "
		"6.6.6.1, port: 1}}\n");
	struct world world = world_of(zl_buf_text(&yaml), policies, NULL);
	struct policy_index *index = policy_index_new(world.set, "east");
	struct inventory *inventory = inventory_build(world.set, "east");
	struct set_iter each = set_each(world.set, KIND_ZONE_EGRESS, NULL);
	const struct zone_routes *routes =
		policy_egress(index, inventory, set_next(&each), world.arena);
	char *text = NULL;

	for (size_t i = 0; i < routes->passage_count; i++)
		if (strcmp(routes->passages[i].backend->cluster, "default:b") == 0)
			text = describe(routes->passages[i].backend);
	assert_non_null(text);
	zl_buf_free(&yaml);
	policy_index_drop(&index);
	inventory_drop(&inventory);
	world_end(&world);
	return text;
}

#define FROM(top, labels)                                                       \
	"---\n{type: MeshLoadBalancingStrategy, name: p, labels: {" labels      \
	"}, spec: {targetRef: {kind: " top "}, to: [{targetRef: {kind: Mesh}, " \
	"default: {localityAwareness: {" RACK ", crossZone: {failover: [{to: "  \
	"{type: Only, zones: [west]}}]}}}}]}}\n"

static void an_egress_takes_those_of_the_mesh(void **state)
{
	static const char ALL[] = "0: 0 4.4.4.4, 0 3.3.3.3, 0 2.2.2.2";
	static const char WEST[] = "1 200: 0 2.2.2.2 2";
	/* clang-format off */
	static const struct {
		const char *policy, *expected;
	} EACH[] = {
		{ "", ALL },
		{ FROM("Mesh", ""), WEST },
		{ FROM("Dataplane, labels: {app: web}", ""), ALL },
		{ FROM("Mesh", "kuma.io/effect: shadow"), ALL },
		{ FROM("Mesh", "kuma.io/effect: other"), WEST },
		{ FROM("Mesh", "kuma.io/origin: zone, kuma.io/zone: east"), WEST },
		{ FROM("Mesh", "kuma.io/origin: zone, kuma.io/zone: west"), ALL },
		{ FROM("Mesh", "test-role: system"), WEST },
		{ FROM("Mesh", "test-role: consumer"), ALL },
		{ FROM("Mesh", "test-role: workload-owner"), ALL },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(EACH); i++) {
		char *text = by_egress(EACH[i].policy);
		if (strcmp(text, EACH[i].expected) != 0)
			fail_msg("%s: %s", EACH[i].policy, text);
		free(text);
	}
}

/* The last level that Envoy takes is for zones that are silent. */
static void more_rules_than_levels(void **state)
{
	struct zl_buf yaml = { 0 };
	struct zl_buf policy = { 0 };

	(void)state;
	zl_buf_str(&policy, "---\n{type: Zone, name: apac, status: {condition: Stale}}\n"
			    "---\n{type: MeshLoadBalancingStrategy, name: p, spec: {to: "
			    "[{targetRef: {kind: Mesh}, default: {localityAwareness: "
			    "{crossZone: {failover: [");
	for (size_t i = 0; i < 128; i++)
		zl_buf_format(&policy, "{to: {type: Only, zones: [%s]}}, ",
			      i == 0     ? "apac"
			      : i == 126 ? "west"
			      : i == 127 ? "north"
					 : "nowhere");
	zl_buf_str(&policy, "]}}}}]}}\n");
	zl_buf_format(&yaml, "%s%s%s", ON, OTHERS, WEB(""));
	struct scene scene = scene_of(zl_buf_text(&yaml), zl_buf_text(&policy), NULL);
	char *text = describe(&scene.routes->outbounds[0].backends[0]);
	assert_string_equal(text, "0 200: 0 3.3.3.3, 0 2.2.2.2, 1 4.4.4.4");
	free(text);
	zl_buf_free(&policy);
	zl_buf_free(&yaml);
	scene_end(&scene);
}

/* ---- objects ---- */

#define LABELS "labels: {kuma.io/origin: zone, kuma.io/zone: east, team: x}"
static const char OBJECTS[] = ON
	"---\n{type: MeshService, name: b, " LABELS ", spec: {selector: "
	"{dataplaneTags: {kuma.io/service: b}}, ports: [{port: 80, targetPort: 80}, "
	"{port: 90, targetPort: 90}]}}\n"
	"---\n{type: MeshMultiZoneService, name: all, spec: {selector: {meshService: "
	"{matchLabels: {team: x}}}, ports: [{port: 80}]}}\n"
	"---\n{type: MeshExternalService, name: out, spec: {match: {port: 80}, "
	"endpoints: [{address: 5.5.5.5, port: 80}]}}\n"
	"---\n{type: Dataplane, name: web, networking: {address: 9.9.9.9, outbound: [\n"
	"  {port: 1, backendRef: {kind: MeshService, name: b, port: 80}},\n"
	"  {port: 2, backendRef: {kind: MeshService, name: b, port: 90}},\n"
	"  {port: 3, backendRef: {kind: MeshMultiZoneService, name: all, port: 80}},\n"
	"  {port: 4, backendRef: {kind: MeshExternalService, name: out}}]}}\n";

/* The policies about each outbound's target, the strongest last. */
static char *balancing_of(const struct routes *routes)
{
	struct zl_buf out = { 0 };

	for (size_t i = 0; i < routes->outbound_count; i++) {
		const struct backend *backend = &routes->outbounds[i].backends[0];

		zl_buf_str(&out, i == 0 ? "" : ", ");
		for (size_t k = 0; k < backend->balancing_count; k++)
			zl_buf_format(&out, "%s%zu",
				      backend->balancing[k].policy->key.name,
				      backend->balancing[k].to);
		zl_buf_char(&out, '.');
	}
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static void of_objects(void **state)
{
	struct scene scene = scene_of(
		OBJECTS,
		"---\n{type: MeshLoadBalancingStrategy, name: p, spec: {to: [\n"
		"  {targetRef: {kind: MeshService, name: b, sectionName: '80'}, default: "
		"{localityAwareness: {localZone: {}}}},\n"
		"  {targetRef: {kind: MeshService, labels: {team: x}}, default: "
		"{localityAwareness: {localZone: {}}}},\n"
		"  {targetRef: {kind: MeshMultiZoneService, name: all}, default: "
		"{localityAwareness: {disabled: true}}},\n"
		"  {targetRef: {kind: Mesh}, default: {localityAwareness: {disabled: "
		"false}}},\n"
		"  {targetRef: {kind: MeshService, labels: {team: y}}, default: "
		"{localityAwareness: {localZone: {}}}},\n"
		"  {targetRef: {kind: MeshService, name: b}, default: "
		"{localityAwareness: {disabled: false}}}]}}\n",
		NULL);
	char *text = balancing_of(scene.routes);
	size_t count;

	(void)state;
	assert_string_equal(text, "p3p1p5p0., p3p1p5., p3p2., .");
	free(text);
	const char *const *warnings = policy_warnings(
		scene.index, scene.inventory, "default", scene.world.arena, &count);
	assert_int_equal(count, 1);
	assert_string_equal(warnings[0],
			    "MeshLoadBalancingStrategy \"p\": spec.to[4] has no effect: "
			    "no MeshService with labels {team: y} in mesh \"default\"");
	scene_end(&scene);
}

/* ---- printing ---- */

static void it_is_told(void **state)
{
	struct zl_buf yaml = { 0 };
	struct zl_buf out = { 0 };

	(void)state;
	zl_buf_format(&yaml, "%s%s%s", ON, OURS, WEB(INBOUND(", rack: r2")));
	struct scene scene =
		scene_of(zl_buf_text(&yaml), ABOUT("m", "Mesh", ANY) B(RACK), NULL);
	const struct policy_answer answer = { .zone = "east",
					      .mesh = "default",
					      .routes = &scene.routes,
					      .route_count = 1 };
	policy_text(&answer, &out);
	assert_non_null(strstr(
		zl_buf_text(&out),
		"        balanced by MeshLoadBalancingStrategy \"p\" (global), "
		"spec.to[0], then MeshLoadBalancingStrategy \"m\" (global), spec.to[0]\n"
		"        1.1.1.1:80, zone east, direct, priority 0, weight 1\n"
		"        1.1.1.2:80, zone east near by rack=r2, direct, priority 0, "
		"weight 1\n"));
	assert_non_null(strstr(zl_buf_text(&out),
			       "MeshLoadBalancingStrategy \"m\" (global) applies: "));
	zl_buf_free(&out);
	policy_json(&answer, &out);
	assert_non_null(strstr(zl_buf_text(&out), "\"subZone\": \"rack=r2\""));
	assert_non_null(strstr(zl_buf_text(&out), "\"balancing\": ["));
	zl_buf_free(&out);
	zl_buf_free(&yaml);
	scene_end(&scene);
}

/* On a builtin gateway as well, of whose listeners it says nothing. */
static void of_a_gateway(void **state)
{
	struct zl_buf yaml = { 0 };

	(void)state;
	zl_buf_format(&yaml, "%s%s%s%s", ON, OURS, OTHERS,
		      "---\n{type: MeshGateway, name: edge, selectors: [{match: "
		      "{kuma.io/service: edge}}], conf: {listeners: [{port: 80, "
		      "protocol: TCP}]}}\n"
		      "---\n{type: MeshTCPRoute, name: r, spec: {targetRef: {kind: "
		      "MeshGateway, name: edge}, to: [{targetRef: {kind: Mesh}, rules: "
		      "[{default: {backendRefs: [{kind: MeshService, name: b}]}}]}]}}\n"
		      "---\n{type: Dataplane, name: web, networking: {address: 9.9.9.9, "
		      "gateway: {type: BUILTIN, tags: {kuma.io/service: edge}}}}\n");
	struct scene scene = scene_of(zl_buf_text(&yaml), B("localZone: {}"), NULL);
	char *text = describe(&scene.routes->listeners[0].backends[0]);
	assert_string_equal(text, "0: " LOCALS);
	free(text);
	for (size_t i = 0; i < scene.routes->considered_count; i++)
		assert_true(scene.routes->considered[i].selected);
	assert_int_equal(scene.routes->considered_count, 2);
	zl_buf_free(&yaml);
	scene_end(&scene);
}

/* An index that followed a change says what a new one says. */
static void an_index_follows(void **state)
{
	struct zl_buf yaml = { 0 };

	(void)state;
	zl_buf_format(&yaml, "%s%s%s%s", ON, OURS, OTHERS, WEB(""));
	struct world without = world_of(zl_buf_text(&yaml), "", NULL);
	struct scene scene = scene_of(zl_buf_text(&yaml), B("localZone: {}"), NULL);
	struct policy_index *before = policy_index_new(without.set, "east");
	struct policy_index *after = policy_index_update(before, scene.world.set);
	const struct resource *web = world_get(&scene.world, KIND_DATAPLANE, "web");
	const struct routes *routes =
		policy_resolve(after, scene.inventory, web, NULL, scene.world.arena);

	assert_false(policy_index_fits(before, scene.world.set));
	assert_int_equal(routes->outbounds[0].backends[0].endpoint_count, 3);
	struct policy_index *again = policy_index_update(after, without.set);
	routes = policy_resolve(again, scene.inventory, web, NULL, scene.world.arena);
	assert_int_equal(routes->outbounds[0].backends[0].endpoint_count, 6);
	policy_index_drop(&before);
	policy_index_drop(&after);
	policy_index_drop(&again);
	world_end(&without);
	zl_buf_free(&yaml);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_policies_mean),
		cmocka_unit_test(the_order_of_documents_does_not_matter),
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(an_egress_chooses),
		cmocka_unit_test(an_egress_takes_those_of_the_mesh),
		cmocka_unit_test(more_rules_than_levels),
		cmocka_unit_test(of_objects),
		cmocka_unit_test(it_is_told),
		cmocka_unit_test(of_a_gateway),
		cmocka_unit_test(an_index_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
