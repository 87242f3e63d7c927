#include "support/test.h"
#include "support/world.h"

#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Routes named in increasing precedence (spec 3.2, D15). Each differs from the one
 * before it by what the comment says. %s is the rest of every document. */
#define TO ", to: [{targetRef: {kind: MeshService, name: b}, rules: []}]"
#define ZONE_ORIGIN "kuma.io/origin: zone, kuma.io/zone: "

/* clang-format off */
static const struct {
	const char *why, *name;
	const char *labels, *top;
} ROUTES[] = {
	{ "the smaller name wins",   "zz", "", "{kind: Mesh}" },
	{ "",                        "aa", "", "{kind: Mesh}" },
	{ "role",                    "zy", "test-role: producer, k8s.kuma.io/namespace: a", "{kind: Mesh}" },
	{ "name within role",        "ab", "test-role: producer, k8s.kuma.io/namespace: a", "{kind: Mesh}" },
	{ "larger KRI",              "ab", "test-role: producer, k8s.kuma.io/namespace: b", "{kind: Mesh}" },
	{ "role",                    "zx", "test-role: consumer, k8s.kuma.io/namespace: a", "{kind: Mesh}" },
	{ "role",                    "zw", "test-role: workload-owner, k8s.kuma.io/namespace: a", "{kind: Mesh}" },
	{ "origin beats role",       "zv", ZONE_ORIGIN "east", "{kind: Mesh}" },
	{ "larger KRI",              "zv", ZONE_ORIGIN "west", "{kind: Mesh}" },
	{ "top kind beats origin",   "zu", "", "{kind: Dataplane}" },
	{ "labels are no detail",    "ac", "", "{kind: Dataplane, labels: {app: web}}" },
	{ "a name is a detail",      "zt", "", "{kind: Dataplane, name: web}" },
	{ "top kind",                "zs", "", "{kind: MeshSubset, tags: {a: b}}" },
	{ "top kind",                "zr", "", "{kind: MeshGateway, name: g}" },
	{ "more listener tags",      "zq", "", "{kind: MeshGateway, name: g, tags: {a: b}}" },
	{ "top kind",                "zp", "", "{kind: MeshService, name: web}" },
	{ "top kind",                "zo", "", "{kind: MeshServiceSubset, name: web, tags: {a: b}}" },
};
/* clang-format on */

static char *yaml_of_routes(void)
{
	struct zl_buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++) {
		bool gateway = strncmp(ROUTES[i].top, "{kind: MeshGateway", 18) == 0;

		zl_buf_format(
			&out,
			"---\n{type: MeshTCPRoute, name: %s, labels: {x: '%zu'%s%s}, "
			"spec: {targetRef: %s%s}}\n",
			ROUTES[i].name, i, ROUTES[i].labels[0] == '\0' ? "" : ", ",
			ROUTES[i].labels, ROUTES[i].top, gateway ? "" : TO);
	}
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static const struct resource *numbered(const struct world *world, size_t number)
{
	char text[16];
	struct set_iter each = set_each(world->set, KIND_MESH_TCP_ROUTE, NULL);
	const struct resource *res;

	(void)snprintf(text, sizeof(text), "%zu", number);
	while ((res = set_next(&each)) != NULL)
		if (strcmp(labels_get(res->labels, "x"), text) == 0)
			return res;
	fail_msg("no route %zu", number);
	return NULL;
}

static void routes_have_a_total_order(void **state)
{
	char *yaml = yaml_of_routes();
	struct world world = world_of(yaml, "", NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++) {
		const struct resource *a = numbered(&world, i);

		assert_int_equal(policy_compare(a, a), 0);
		for (size_t j = 0; j < i; j++) {
			const struct resource *b = numbered(&world, j);

			if (policy_compare(b, a) >= 0 || policy_compare(a, b) <= 0)
				fail_msg("%s does not win: %s", ROUTES[i].name,
					 ROUTES[i].why);
		}
	}
	free(yaml);
	world_end(&world);
}

/* An underscore may stand in a mesh's name, so KRIs of two routes may be equal texts;
 * then the keys decide, and equal keys are one. */
static void a_copy_is_equal(void **state)
{
	static const char ROUTE[] = "{type: MeshTCPRoute, name: r, spec: {to: "
				    "[{targetRef: {kind: MeshService,"
				    " name: b}, rules: []}]}}";
	struct world one = world_of(ROUTE, "", NULL);
	struct world other = world_of(ROUTE, "", NULL);

	(void)state;
	assert_int_equal(policy_compare(world_get(&one, KIND_MESH_TCP_ROUTE, "r"),
					world_get(&other, KIND_MESH_TCP_ROUTE, "r")),
			 0);
	world_end(&one);
	world_end(&other);
}

/* Within equal routes: the kind of `to`, its section, the name, the index. Entries in
 * increasing precedence. */
static void entries_have_a_total_order(void **state)
{
	static const char YAML[] =
		"{type: MeshTCPRoute, name: b, spec: {to: [\n"
		"  {targetRef: {kind: MeshService, name: x}, rules: []},\n"
		"  {targetRef: {kind: MeshService, name: x}, rules: []},\n"
		"  {targetRef: {kind: MeshService, name: x, sectionName: s}, rules: "
		"[]},\n"
		"  {targetRef: {kind: MeshExternalService, name: x}, rules: []},\n"
		"  {targetRef: {kind: MeshMultiZoneService, name: x}, rules: []},\n"
		"  {targetRef: {kind: MeshMultiZoneService, name: x, sectionName: s}, "
		"rules: "
		"[]}]}}\n"
		"---\n"
		"{type: MeshTCPRoute, name: a, spec: {to: [\n"
		"  {targetRef: {kind: MeshService, name: x}, rules: []}]}}\n"
		"---\n"
		"{type: MeshTCPRoute, name: z, labels: {kuma.io/origin: zone}, spec: "
		"{to: [\n"
		"  {targetRef: {kind: MeshService, name: x}, rules: []}]}}\n";
	static const struct {
		const char *name;
		size_t to;
	} ENTRIES[] = { { "b", 0 }, { "b", 1 }, { "a", 0 }, { "b", 2 },
			{ "b", 3 }, { "b", 4 }, { "b", 5 }, { "z", 0 } };
	struct world world = world_of(YAML, "", NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ENTRIES); i++)
		for (size_t j = 0; j < ARRAY_LEN(ENTRIES); j++) {
			int order = policy_compare_entries(
				world_get(&world, KIND_MESH_TCP_ROUTE, ENTRIES[i].name),
				ENTRIES[i].to,
				world_get(&world, KIND_MESH_TCP_ROUTE, ENTRIES[j].name),
				ENTRIES[j].to);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			/* of the first three only the names differ, and only a's and b's
			 */
			assert_int_equal(
				policy_ties(world_get(&world, KIND_MESH_TCP_ROUTE,
						      ENTRIES[i].name),
					    ENTRIES[i].to,
					    world_get(&world, KIND_MESH_TCP_ROUTE,
						      ENTRIES[j].name),
					    ENTRIES[j].to),
				(i < 2 && j == 2) || (i == 2 && j < 2));
		}
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_have_a_total_order),
		cmocka_unit_test(a_copy_is_equal),
		cmocka_unit_test(entries_have_a_total_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
