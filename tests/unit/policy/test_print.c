#include "support/test.h"
#include "support/world.h"

#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sample of design.md 7, with a second proxy and a stronger policy. */
static const char YAML[] =
	"{type: Mesh, name: default, mtls: {enabledBackend: ca, backends: [\n"
	"  {name: ca, type: builtin}]}}\n"
	"---\n"
	"{type: Dataplane, name: web-01, networking: {address: 192.168.0.9, outbound: [\n"
	"  {port: 10001, tags: {kuma.io/service: backend}}]}}\n"
	"---\n"
	"{type: Dataplane, name: b0, networking: {address: 192.168.0.1, inbound: "
	"[{port:\n"
	"  8080, tags: {kuma.io/service: backend, kuma.io/protocol: tcp, version: "
	"v0}}]}}\n"
	"---\n"
	"{type: ZoneIngress, name: w, zone: west, networking: {address: 10.0.0.1, port: "
	"1,\n"
	"  advertisedAddress: 10.20.0.1, advertisedPort: 10001}, availableServices: [\n"
	"  {instances: 3, tags: {kuma.io/service: backend, kuma.io/protocol: tcp,\n"
	"  version: v0}}]}\n"
	"---\n"
	"{type: MeshTCPRoute, name: route-1, spec: {to: [{targetRef: {kind: "
	"MeshService,\n"
	"  name: backend}, rules: [{default: {backendRefs: [\n"
	"  {kind: MeshServiceSubset, name: backend, tags: {version: v0}, weight: 90},\n"
	"  {kind: MeshService, name: gone, weight: 10}]}}]}]}}\n";

static const char JSON[] =
	"{\n"
	"  \"zone\": \"east\",\n"
	"  \"mesh\": \"default\",\n"
	"  \"proxies\": [\n"
	"    {\n"
	"      \"name\": \"web-01\",\n"
	"      \"outbounds\": [\n"
	"        {\n"
	"          \"address\": \"127.0.0.1\",\n"
	"          \"port\": 10001,\n"
	"          \"destination\": {\n"
	"            \"kind\": \"MeshService\",\n"
	"            \"name\": \"backend\",\n"
	"            \"port\": null,\n"
	"            \"protocol\": \"tcp\"\n"
	"          },\n"
	"          \"owner\": \"MeshTCPRoute\",\n"
	"          \"policies\": [\n"
	"            {\n"
	"              \"kind\": \"MeshTCPRoute\",\n"
	"              \"name\": \"route-1\",\n"
	"              \"origin\": \"global\",\n"
	"              \"to\": 0\n"
	"            }\n"
	"          ],\n"
	"          \"unresolved\": \"Blackhole\",\n"
	"          \"backends\": [\n"
	"            {\n"
	"              \"kind\": \"MeshServiceSubset\",\n"
	"              \"name\": \"backend\",\n"
	"              \"tags\": {\n"
	"                \"version\": \"v0\"\n"
	"              },\n"
	"              \"weight\": 90,\n"
	"              \"resolved\": true,\n"
	"              \"cluster\": \"%s\",\n"
	"              \"endpoints\": [\n"
	"                {\n"
	"                  \"zone\": \"east\",\n"
	"                  \"address\": \"192.168.0.1\",\n"
	"                  \"port\": 8080,\n"
	"                  \"weight\": 1,\n"
	"                  \"priority\": 0,\n"
	"                  \"via\": \"direct\"\n"
	"                },\n"
	"                {\n"
	"                  \"zone\": \"west\",\n"
	"                  \"address\": \"10.20.0.1\",\n"
	"                  \"port\": 10001,\n"
	"                  \"weight\": 3,\n"
	"                  \"priority\": 1,\n"
	"                  \"via\": \"ingress\"\n"
	"                }\n"
	"              ]\n"
	"            },\n"
	"            {\n"
	"              \"kind\": \"MeshService\",\n"
	"              \"name\": \"gone\",\n"
	"              \"weight\": 10,\n"
	"              \"resolved\": false,\n"
	"              \"reason\": \"no service \\\"gone\\\" in mesh \\\"default\\\"\"\n"
	"            }\n"
	"          ]\n"
	"        }\n"
	"      ]\n"
	"    }\n"
	"  ],\n"
	"  \"warnings\": []\n"
	"}\n";

enum { ROUTES_MAX = 4 };

struct scene {
	struct world world;
	struct policy_index *index;
	struct inventory *inventory;
	const struct routes *routes[ROUTES_MAX];
	struct policy_answer answer;
};

/* Answer about proxies, given by their names with spaces between. */
static struct scene *scene_of(const char *yaml, const char *more, const char *proxies)
{
	struct scene *scene = zl_alloc(1, sizeof(*scene));
	const struct policy_options explain = { .explain = true };
	char *names = zl_strdup(proxies);
	char *next = names;
	size_t count = 0;

	scene->world = world_of(yaml, more, NULL);
	scene->index = policy_index_new(scene->world.set, "east");
	scene->inventory = inventory_build(scene->world.set, "east");
	for (char *name; (name = strsep(&next, " ")) != NULL;)
		if (name[0] != '\0')
			scene->routes[count++] = policy_resolve(
				scene->index, scene->inventory,
				world_get(&scene->world, KIND_DATAPLANE, name), &explain,
				scene->world.arena);
	scene->answer = (struct policy_answer){ .zone = "east",
						.mesh = "default",
						.routes = scene->routes,
						.route_count = count };
	free(names);
	return scene;
}

static void scene_end(struct scene *scene)
{
	policy_index_drop(&scene->index);
	inventory_drop(&scene->inventory);
	world_end(&scene->world);
	free(scene);
}

static void expect_json(struct scene *scene, const char *want)
{
	struct zl_buf out = { 0 };

	policy_json(&scene->answer, &out);
	assert_string_equal(zl_buf_text(&out), want);
	zl_buf_free(&out);
}

static void expect_text(struct scene *scene, const char *want)
{
	struct zl_buf out = { 0 };

	policy_text(&scene->answer, &out);
	assert_string_equal(zl_buf_text(&out), want);
	zl_buf_free(&out);
}

static void the_sample_of_the_contract(void **state)
{
	static const struct label TAG = { "version", "v0" };
	struct scene *scene = scene_of(YAML, "", "web-01");
	char want[sizeof(JSON) + 64];

	(void)state;
	(void)snprintf(want, sizeof(want), JSON,
		       policy_cluster_name("backend", (struct labels){ &TAG, 1 },
					   scene->world.arena));
	expect_json(scene, want);
	scene_end(scene);
}

static void nothing_to_tell(void **state)
{
	struct scene *scene = scene_of(YAML, "", "");

	(void)state;
	expect_json(scene, "{\n  \"zone\": \"east\",\n  \"mesh\": \"default\",\n"
			   "  \"proxies\": [],\n  \"warnings\": []\n}\n");
	expect_text(scene, "");
	scene->answer.warnings = (const char *const[]){ "one" };
	scene->answer.warning_count = 1;
	expect_text(scene, "Warnings\n  one\n");
	scene_end(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_of_the_contract),
		cmocka_unit_test(nothing_to_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
