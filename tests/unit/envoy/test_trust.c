/* What the mesh's mTLS makes of clusters and inbounds. */
#include "sample.h"

#include "inventory/inventory.h"
#include "model/read.h"
#include "policy/policy.h"

#include <string.h>

#define MESH(mode)                                                                      \
	"{type: Mesh, name: default, mtls: {enabledBackend: ca, backends: [{name: ca, " \
	"type: "                                                                        \
	"builtin, mode: " mode "}]}}\n"
#define OTHERS                                                                          \
	"---\n{type: Dataplane, name: backend-01, networking: {address: 192.168.0.2, "  \
	"inbound: [{port: 80, tags: {kuma.io/service: backend, kuma.io/protocol: "      \
	"tcp}}]}}\n"                                                                    \
	"---\n{type: Dataplane, name: web-01, networking: {address: 192.168.0.1, "      \
	"inbound: ["                                                                    \
	"{port: 80, servicePort: 8080, tags: {kuma.io/service: web, kuma.io/protocol: " \
	"tcp}}, "                                                                       \
	"{port: 81, servicePort: 8081, tags: {kuma.io/service: api, kuma.io/protocol: " \
	"http}}], outbound: [{port: 10001, tags: {kuma.io/service: backend}}]}}\n"

#define AWAY                                                                           \
	"---\n{type: Dataplane, name: backend-02, networking: {address: 192.168.0.3, " \
	"inbound: [{port: 80, tags: {kuma.io/service: backend, rack: r1}}]}}\n"        \
	"---\n{type: Dataplane, name: backend-03, networking: {address: 192.168.0.4, " \
	"inbound: [{port: 80, tags: {kuma.io/service: backend, rack: r2}}]}}\n"        \
	"---\n{type: ZoneIngress, name: west, zone: west, networking: {address: "      \
	"10.0.0.1, port: 10001, advertisedAddress: 20.0.0.1, advertisedPort: 10001}, " \
	"availableServices: [{instances: 2, tags: {kuma.io/service: backend}}]}\n"
#define NEAR                                                                            \
	"---\n{type: MeshLoadBalancingStrategy, name: near, spec: {to: [{targetRef: "   \
	"{kind: Mesh}, default: {localityAwareness: {localZone: {affinityTags: [{key: " \
	"rack}, {key: kuma.io/zone}]}, crossZone: {failover: [{to: {type: Any}}], "     \
	"failoverThreshold: {percentage: 80}}}}}]}}\n"
#define RACK                                                                          \
	"---\n{type: Dataplane, name: web-01, networking: {address: 192.168.0.1, "    \
	"inbound: [{port: 80, servicePort: 8080, tags: {kuma.io/service: web, rack: " \
	"r1}}], "                                                                     \
	"outbound: [{port: 10001, tags: {kuma.io/service: backend}}]}}\n"

static struct envoy_config *config_of(const char *yaml,
				      const struct envoy_secrets *secrets)
{
	struct zl_arena *arena = zl_arena_new();
	struct findings found = findings_in(arena);
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	const struct key key = { KIND_DATAPLANE, "default", "", "", "web-01" };
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);
	struct docs docs;
	struct zl_err err;

	if (read_yaml(yaml, strlen(yaml), arena, &docs, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < docs.count; i++) {
		struct resource *res = resource_from_doc(docs.items[i], &rules, &found);
		assert_non_null(res);
		set_put(edit, res);
		resource_drop(&res);
	}
	struct set *set = set_done(&edit);
	struct policy_index *index = policy_index_new(set, "east");
	struct inventory *inventory = inventory_build(set, "east");
	struct envoy_config *config = envoy_build_proxy(
		policy_resolve(index, inventory, set_get(set, &key), NULL, arena),
		secrets);
	inventory_drop(&inventory);
	policy_index_drop(&index);
	set_drop(&set);
	set_drop(&empty);
	zl_arena_free(&arena);
	return config;
}

static size_t count_of(const struct envoy_config *config, enum envoy_type type)
{
	size_t count;

	(void)envoy_config_list(config, type, &count);
	return count;
}

static bool no_secret(void *owner, const char *mesh, const char *name,
		      struct zl_buf *content)
{
	(void)owner;
	(void)mesh;
	(void)name;
	(void)content;
	return false;
}

static bool no_identity(void *owner, const struct envoy_holder *holder,
			struct envoy_identity *out)
{
	(void)owner;
	(void)out;
	assert_int_equal(holder->uri_count, 7);
	return false;
}

static bool some_identity(void *owner, const struct envoy_holder *holder,
			  struct envoy_identity *out)
{
	assert_string_equal(holder->mesh_name, "default");
	zl_buf_format(&out->chain, "chain %s", (const char *)owner);
	zl_buf_str(&out->key, "key");
	zl_buf_str(&out->roots, "roots");
	return true;
}

static void only_the_mesh_is_let_in(void **state)
{
	char name[] = "one";
	const struct envoy_secrets secrets = { no_secret, some_identity, name };

	(void)state;
	sample_golden(config_of(MESH("STRICT") OTHERS, &secrets), "mtls-strict");
}

static void plain_text_is_let_in_too(void **state)
{
	char name[] = "one";
	const struct envoy_secrets secrets = { no_secret, some_identity, name };

	(void)state;
	sample_golden(config_of(MESH("PERMISSIVE") OTHERS, &secrets), "mtls-permissive");
}

static void who_cannot_say_who_it_is_is_alone(void **state)
{
	const struct envoy_secrets secrets = { no_secret, no_identity, NULL };
	struct envoy_config *config = config_of(MESH("STRICT") OTHERS, &secrets);

	(void)state;
	/* The outbound listens, and leads to a cluster without endpoints. */
	assert_int_equal(count_of(config, ENVOY_LISTENER), 1);
	assert_int_equal(count_of(config, ENVOY_SECRET), 0);
	sample_golden(config, "mtls-none");
	config = config_of(MESH("PERMISSIVE") OTHERS, &secrets);
	assert_int_equal(count_of(config, ENVOY_LISTENER), 3);
	envoy_config_drop(&config);
}

/* A new certificate changes a Secret, and nothing else. */
static void a_new_certificate_is_one_secret(void **state)
{
	char first[] = "one";
	char second[] = "two";
	struct envoy_secrets secrets = { no_secret, some_identity, first };
	struct envoy_config *before = config_of(MESH("STRICT") OTHERS, &secrets);
	size_t changed = 0;

	(void)state;
	sample_whole(before);
	secrets.owner = second;
	struct envoy_config *after = config_of(MESH("STRICT") OTHERS, &secrets);
	for (enum envoy_type type = 0; type < ENVOY_TYPES; type++) {
		size_t count;
		const struct envoy_resource *was =
			envoy_config_list(before, type, &count);
		assert_int_equal(count_of(after, type), count);
		for (size_t i = 0; i < count; i++) {
			const struct envoy_resource *is =
				envoy_config_find(after, type, was[i].name);
			assert_non_null(is);
			if (strcmp(is->version, was[i].version) == 0)
				continue;
			changed++;
			assert_string_equal(is->name, "identity_cert:secret:default");
		}
	}
	assert_int_equal(changed, 1);
	envoy_config_drop(&before);
	envoy_config_drop(&after);
}

/* Envoy takes no Secret that nothing names, and does not acknowledge it. */
static void who_has_no_use_for_an_identity_gets_none(void **state)
{
	char name[] = "one";
	const struct envoy_secrets secrets = { no_secret, some_identity, name };
	struct envoy_config *config = config_of(
		MESH("STRICT") "---\n{type: Dataplane, name: web-01, networking: "
			       "{address: 192.168.0.1, gateway: {type: BUILTIN, tags: "
			       "{kuma.io/service: web}}}}\n",
		&secrets);

	(void)state;
	assert_int_equal(count_of(config, ENVOY_LISTENER), 0);
	assert_int_equal(count_of(config, ENVOY_SECRET), 0);
	envoy_config_drop(&config);
}

static void groups_and_levels(void **state)
{
	char name[] = "one";
	const struct envoy_secrets secrets = { no_secret, some_identity, name };

	(void)state;
	sample_golden(config_of(MESH("STRICT") OTHERS AWAY NEAR RACK, &secrets),
		      "balancing");
}

/* A cluster that changed would forget who is dead. */
static void endpoints_change_no_cluster(void **state)
{
	struct envoy_config *here = config_of(MESH("STRICT") OTHERS, NULL);
	struct envoy_config *both = config_of(MESH("STRICT") OTHERS AWAY, NULL);

	(void)state;
	assert_string_equal(envoy_config_find(here, ENVOY_CLUSTER, "backend")->version,
			    envoy_config_find(both, ENVOY_CLUSTER, "backend")->version);
	assert_string_not_equal(
		envoy_config_find(here, ENVOY_ENDPOINTS, "backend")->version,
		envoy_config_find(both, ENVOY_ENDPOINTS, "backend")->version);
	envoy_config_drop(&here);
	envoy_config_drop(&both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_mesh_is_let_in),
		cmocka_unit_test(plain_text_is_let_in_too),
		cmocka_unit_test(who_cannot_say_who_it_is_is_alone),
		cmocka_unit_test(a_new_certificate_is_one_secret),
		cmocka_unit_test(who_has_no_use_for_an_identity_gets_none),
		cmocka_unit_test(groups_and_levels),
		cmocka_unit_test(endpoints_change_no_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
