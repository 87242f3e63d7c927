/* From documents to Envoy: the whole way that `simulate -o envoy` goes. */
#include "sample.h"

#include "model/read.h"
#include "policy/policy.h"

#include <string.h>

#define DATAPLANES                                                                      \
	"{type: Dataplane, mesh: default, name: web-01, networking: {address: "         \
	"192.168.0.1, inbound: [{port: 8080, servicePort: 80, tags: {kuma.io/service: " \
	"web, kuma.io/protocol: tcp}}], outbound: [{port: 10001, tags: "                \
	"{kuma.io/service: backend}}, {port: 10002, tags: {kuma.io/service: "           \
	"other-backend}}]}}\n"                                                          \
	"---\n"                                                                         \
	"{type: Dataplane, mesh: default, name: b-eu, networking: {address: "           \
	"192.168.0.4, inbound: [{port: 8004, tags: {kuma.io/service: backend, "         \
	"kuma.io/protocol: tcp, region: eu}}]}}\n"                                      \
	"---\n"                                                                         \
	"{type: Dataplane, mesh: default, name: b-us, networking: {address: "           \
	"192.168.0.5, inbound: [{port: 8005, tags: {kuma.io/service: backend, "         \
	"kuma.io/protocol: http, region: us}}]}}\n"                                     \
	"---\n"                                                                         \
	"{type: ZoneIngress, name: ingress-west, zone: west, networking: {address: "    \
	"10.0.0.1, port: 10001, advertisedAddress: 10.20.0.1, advertisedPort: 10001}, " \
	"availableServices: [{mesh: default, instances: 3, tags: {kuma.io/service: "    \
	"backend, kuma.io/zone: west, kuma.io/protocol: tcp, region: us}}]}\n"          \
	"---\n"

#define SPLIT                                                                         \
	"targetRef: {kind: Mesh}, to: [{targetRef: {kind: MeshService, name: "        \
	"backend}, rules: [{default: {backendRefs: [{kind: MeshServiceSubset, name: " \
	"backend, tags: {region: eu}, weight: 40}, {kind: MeshServiceSubset, name: "  \
	"backend, tags: {region: us}, weight: 15}, {kind: MeshService, name: gone, "  \
	"weight: 15}]}}]}]"

/* The config that web-01 of zone east has by these documents; secrets come elsewhere. */
static struct envoy_config *config_without_secrets(const char *yaml)
{
	struct zl_arena *arena = zl_arena_new();
	struct findings found = findings_in(arena);
	struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);
	const struct key key = { KIND_DATAPLANE, "default", "east", "", "web-01" };
	struct zl_err err;
	struct docs docs;

	if (read_yaml(yaml, strlen(yaml), arena, &docs, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < docs.count; i++) {
		const char *type = tree_get(docs.items[i], "type") != NULL
					   ? tree_get(docs.items[i], "type")->text
					   : "";
		rules.writer = strcmp(type, "Dataplane") == 0 ? WRITER_ZONE : WRITER_ANY;
		rules.zone = rules.writer == WRITER_ZONE ? "east" : "";
		struct resource *res = resource_from_doc(docs.items[i], &rules, &found);
		if (res == NULL)
			fail_msg("%s: %s", found.violations[0].field,
				 found.violations[0].reason);
		set_put(edit, res);
		resource_drop(&res);
	}

	struct set *set = set_done(&edit);
	struct policy_index *index = policy_index_new(set, "east");
	struct inventory *inventory = inventory_build(set, "east");
	const struct resource *proxy = set_get(set, &key);
	assert_non_null(proxy);
	struct envoy_config *config = envoy_build_proxy(
		policy_resolve(index, inventory, proxy, NULL, arena), NULL);
	inventory_drop(&inventory);
	policy_index_drop(&index);
	set_drop(&set);
	set_drop(&empty);
	zl_arena_free(&arena);
	return config;
}

static struct envoy_config *config_of(const char *yaml)
{
	struct envoy_config *config = config_without_secrets(yaml);

	sample_whole(config);
	return config;
}

static void a_split_across_zones(void **state)
{
	(void)state;
	sample_golden(config_of(DATAPLANES "{type: MeshTCPRoute, mesh: default, name: "
					   "split, spec: {" SPLIT "}}\n"),
		      "documents");
}

static void both_forms_mean_the_same(void **state)
{
	(void)state;
	sample_golden(
		config_of(DATAPLANES
			  "{apiVersion: kuma.io/v1alpha1, kind: MeshTCPRoute, metadata: "
			  "{name: split, namespace: kuma-system, labels: {kuma.io/mesh: "
			  "default}}, spec: {" SPLIT "}}\n"),
		"documents");
}

static void without_a_route_the_listener_is_the_same(void **state)
{
	struct envoy_config *plain = config_of(DATAPLANES);
	struct envoy_config *split =
		config_of(DATAPLANES "{type: MeshTCPRoute, mesh: default, name: split, "
				     "spec: {" SPLIT "}}\n");
	size_t count;
	const struct envoy_resource *items =
		envoy_config_list(plain, ENVOY_LISTENER, &count);

	(void)state;
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(
			items[i].version,
			envoy_config_find(split, ENVOY_LISTENER, items[i].name)->version);
	assert_non_null(envoy_config_find(plain, ENVOY_CLUSTER, "backend"));
	assert_null(envoy_config_find(split, ENVOY_CLUSTER, "backend"));
	assert_non_null(envoy_config_find(split, ENVOY_CLUSTER, BACKEND_EU));
	envoy_config_drop(&plain);
	envoy_config_drop(&split);
}

/* Every denial counts against every grant: what they share is written once. */
static void many_who_are_let_in_and_many_who_are_not(void **state)
{
	enum { MANY = 500, LENGTH = 100 };
	static const char *const LISTS[] = { "allow", "deny" };
	struct zl_buf yaml = { 0 };

	(void)state;
	zl_buf_str(&yaml, DATAPLANES
		   "{type: Mesh, name: default, mtls: {enabledBackend: ca, "
		   "backends: [{name: ca, type: builtin}]}}\n---\n"
		   "{type: MeshTrafficPermission, mesh: default, name: p, spec: "
		   "{targetRef: {kind: Mesh}, rules: [{default: {");
	for (size_t i = 0; i < 2; i++) {
		zl_buf_format(&yaml, "%s: [", LISTS[i]);
		for (size_t k = 0; k < MANY; k++)
			zl_buf_format(&yaml,
				      "{spiffeID: {type: Exact, value: "
				      "'spiffe://default/%s-%zu'}}, ",
				      LISTS[i], k);
		zl_buf_str(&yaml, "], ");
	}
	zl_buf_str(&yaml, "}}]}}\n");
	struct envoy_config *config = config_without_secrets(zl_buf_text(&yaml));
	const struct envoy_resource *rbac = envoy_config_find(
		config, ENVOY_EXTENSION, "inbound:192.168.0.1:8080/rbac");
	assert_non_null(rbac);
	assert_in_range(rbac->len, (size_t)2 * MANY * 20, (size_t)2 * MANY * LENGTH);
	envoy_config_drop(&config);
	zl_buf_free(&yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_split_across_zones),
		cmocka_unit_test(both_forms_mean_the_same),
		cmocka_unit_test(without_a_route_the_listener_is_the_same),
		cmocka_unit_test(many_who_are_let_in_and_many_who_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
