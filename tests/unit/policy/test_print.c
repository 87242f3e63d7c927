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

/* One proxy with all that an outbound can be, and a builtin gateway. */
static const char MANY[] =
	"---\n"
	"{apiVersion: kuma.io/v1alpha1, kind: Dataplane, mesh: default, metadata: "
	"{name:\n"
	"  many, namespace: demo}, spec: {networking: {address: 192.168.0.8, outbound: "
	"[\n"
	"  {port: 1, tags: {kuma.io/service: backend, version: v1}},\n"
	"  {port: 2, tags: {kuma.io/service: backend}},\n"
	"  {port: 3, backendRef: {kind: MeshService, labels: {app: db}, port: 5432}},\n"
	"  {port: 4, tags: {kuma.io/service: six}},\n"
	"  {port: 5, tags: {kuma.io/service: none}},\n"
	"  {port: 6, tags: {kuma.io/service: lost}}]}}}\n"
	"---\n"
	"{type: Dataplane, name: six-1, networking: {address: 'fd00::1', inbound: [\n"
	"  {port: 80, tags: {kuma.io/service: six}}]}}\n"
	"---\n"
	"{apiVersion: kuma.io/v1alpha1, kind: MeshTCPRoute, metadata: {name: route-0,\n"
	"  namespace: demo, labels: {kuma.io/origin: zone, kuma.io/zone: east,\n"
	"  test-role: consumer}}, spec: {to: [\n"
	"  {targetRef: {kind: MeshService, name: backend}, rules: [{default: "
	"{backendRefs: [\n"
	"  {kind: MeshService, labels: {app: db}, weight: 1},\n"
	"  {kind: MeshService, name: six, weight: 2},\n"
	"  {kind: MeshService, name: six, weight: 0}]}}]}]}}\n"
	"---\n"
	"{type: MeshTCPRoute, name: route-2, spec: {to: [\n"
	"  {targetRef: {kind: MeshService, name: none}, rules: [{default: {backendRefs: "
	"[\n"
	"  {kind: MeshService, name: six, weight: 0}]}}]},\n"
	"  {targetRef: {kind: MeshService, name: lost}, rules: [{default: {backendRefs: "
	"[\n"
	"  {kind: MeshService, name: gone, weight: 1}]}}]}]}}\n"
	"---\n"
	"{type: MeshTCPRoute, name: route-3, spec: {to: [\n"
	"  {targetRef: {kind: MeshService, name: backend}, rules: []}]}}\n"
	"---\n"
	"{type: MeshTCPRoute, name: route-4, spec: {targetRef: {kind: Dataplane, name: "
	"x},\n"
	"  to: [{targetRef: {kind: MeshService, name: backend}, rules: []}]}}\n"
	"---\n"
	"{type: Dataplane, name: gw, networking: {address: 192.168.0.7, gateway: {type:\n"
	"  BUILTIN, tags: {kuma.io/service: gw}}}}\n";

/* The JSON without white space at the start of lines and their ends. */
static char *json_of(struct scene *scene)
{
	struct zl_buf out = { 0 };
	struct zl_buf flat = { 0 };

	policy_json(&scene->answer, &out);
	for (const char *at = zl_buf_text(&out); *at != '\0'; at++)
		if (*at == '\n')
			at += strspn(at + 1, " ");
		else
			zl_buf_char(&flat, *at);
	zl_buf_free(&out);
	char *text = zl_strdup(zl_buf_text(&flat));
	zl_buf_free(&flat);
	return text;
}

static void expect_part(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no %s in %s", part, text);
}

static void members_that_are_not_always_there(void **state)
{
	struct scene *scene = scene_of(YAML, MANY, "web-01 many gw");
	char *text = json_of(scene);

	(void)state;
	/* Sorted by name, a gateway with listeners. */
	expect_part(text, "\"proxies\": [{\"name\": \"gw\",\"listeners\": []},"
			  "{\"name\": \"many\",\"namespace\": \"demo\",\"outbounds\": [");
	/* Two policies, the winner last, display name with namespace. */
	expect_part(text,
		    "\"policies\": ["
		    "{\"kind\": \"MeshTCPRoute\",\"name\": \"route-3\",\"origin\": "
		    "\"global\",\"to\": 0},"
		    "{\"kind\": \"MeshTCPRoute\",\"name\": \"route-1\",\"origin\": "
		    "\"global\",\"to\": 0},"
		    "{\"kind\": \"MeshTCPRoute\",\"name\": \"route-0\",\"namespace\": "
		    "\"demo\",\"origin\": \"zone\",\"to\": 0}]");
	expect_part(text, "{\"kind\": \"MeshService\",\"labels\": {\"app\": \"db\"},"
			  "\"weight\": 1,\"resolved\": false,\"reason\": ");
	/* D38. */
	expect_part(text, "{\"kind\": \"MeshService\",\"name\": \"six\",\"weight\": 0,"
			  "\"reason\": \"weight 0\"}");
	expect_part(text, "\"destination\": {\"kind\": \"MeshService\",\"name\": "
			  "\"backend\",\"tags\": {\"version\": \"v1\"},\"port\": null,"
			  "\"protocol\": \"tcp\"}");
	expect_part(text, "\"port\": 5432,\"protocol\": \"unknown\"}");
	free(text);
	scene_end(scene);
}

static void only_what_was_asked_for(void **state)
{
	struct scene *scene = scene_of(YAML, MANY, "many");
	scene->answer.to = "six";
	char *text = json_of(scene);

	(void)state;
	expect_part(text, "\"port\": 4,");
	assert_null(strstr(text, "\"port\": 1,"));
	free(text);

	scene->answer.to = "nobody";
	expect_part(text = json_of(scene), "\"outbounds\": []}");
	free(text);
	scene->answer.to = "";
	expect_part(text = json_of(scene), "\"port\": 1,");
	free(text);
	scene_end(scene);
}

static void warnings_once_and_sorted(void **state)
{
	struct scene *scene = scene_of(
		YAML,
		"---\n{type: Mesh, name: default}\n---\n{type: Dataplane, name: web-02,\n"
		"  networking: {address: 192.168.0.8, outbound: [{port: 1, tags:\n"
		"  {kuma.io/service: backend}}]}}\n",
		"web-02 web-01");
	static const char *const MORE[] = { "zzz", "aaa", "zzz" };

	(void)state;
	scene->answer.warnings = MORE;
	scene->answer.warning_count = ARRAY_LEN(MORE);
	char *text = json_of(scene);
	expect_part(text,
		    "\"warnings\": [\"aaa\",\"mesh \\\"default\\\": service "
		    "\\\"backend\\\" with tags {version: v0} has endpoints in other "
		    "zones: the hop through an ingress needs the mesh's mTLS, which is "
		    "off\",\"zzz\"]}");
	free(text);
	scene_end(scene);
}

static void prose(void **state)
{
	struct scene *scene = scene_of(YAML, MANY, "web-01 many gw");
	struct zl_buf out = { 0 };
	const char *text;

	(void)state;
	policy_text(&scene->answer, &out);
	text = zl_buf_text(&out);
	expect_part(text, "Proxy gw, zone east, mesh default\n");
	expect_part(text,
		    "  It has no listeners.\n\nProxy many, zone east, mesh default\n"
		    "  Policies, each stronger than those before it:\n"
		    "    MeshTCPRoute \"route-3\" (global) applies: targetRef Mesh: it "
		    "selects every proxy\n");
	expect_part(text,
		    "    MeshTCPRoute \"route-0\" of namespace demo (zone east) "
		    "applies: targetRef Mesh: it selects every proxy\n"
		    "    MeshTCPRoute \"route-4\" (global) does not apply: targetRef "
		    "Dataplane x: the proxy has another name\n");
	expect_part(
		text,
		"  Outbound 127.0.0.1:2 to MeshService \"backend\", protocol tcp\n"
		"    Decided by MeshTCPRoute \"route-0\" of namespace demo (zone east), "
		"spec.to[0], which replaces MeshTCPRoute \"route-1\" (global), "
		"spec.to[0], MeshTCPRoute \"route-3\" (global), spec.to[0].\n"
		"      33.3 % closed, meant for MeshService {app: db} (weight 1): no "
		"MeshService with labels {app: db} in mesh \"default\"\n"
		"      66.6 % to MeshService six (weight 2, cluster six)\n"
		"        [fd00::1]:80, zone east, direct, priority 0, weight 1\n"
		"      nothing to MeshService six: weight 0\n");
	expect_part(text,
		    "  Outbound 127.0.0.1:4 to MeshService \"six\", protocol unknown\n"
		    "    No policy is about it: it goes to itself.\n"
		    "      100 % to MeshService six (weight 1, cluster six)\n");
	expect_part(text, "      nothing to MeshService six: weight 0\n"
			  "      All weights are 0: every connection is closed.\n");
	expect_part(text, "      100 % closed, meant for MeshService gone (weight 1): ");
	expect_part(text,
		    "  Outbound 127.0.0.1:1 to MeshService \"backend\" {version: v1}");
	expect_part(text, "      90 % to MeshServiceSubset backend {version: v0} (weight "
			  "90, cluster backend-");
	expect_part(text,
		    "        10.20.0.1:10001, zone west, ingress, priority 1, weight "
		    "3\n");
	zl_buf_free(&out);

	scene->answer.to = "nobody";
	policy_text(&scene->answer, &out);
	expect_part(zl_buf_text(&out), "  It has no outbound to this service.\n");
	zl_buf_free(&out);
	scene_end(scene);
}

/* Kubernetes: two proxies of one display name. */
static void proxies_of_one_name(void **state)
{
	static const char TWINS[] = "---\n{apiVersion: kuma.io/v1alpha1, kind: "
				    "Dataplane, mesh: default, metadata:\n"
				    "  {name: twin, namespace: b}, spec: {networking: "
				    "{address: 192.168.0.8}}}\n"
				    "---\n{apiVersion: kuma.io/v1alpha1, kind: "
				    "Dataplane, mesh: default, metadata:\n"
				    "  {name: twin, namespace: a}, spec: {networking: "
				    "{address: 192.168.0.8}}}\n";
	struct scene *scene = scene_of("{type: Mesh, name: default}\n", TWINS, "twin");
	struct set_iter each = set_each(scene->world.set, KIND_DATAPLANE, "default");

	(void)state;
	(void)set_next(&each);
	scene->routes[1] = scene->routes[0];
	scene->routes[0] = policy_resolve(scene->index, scene->inventory, set_next(&each),
					  NULL, scene->world.arena);
	scene->answer.route_count = 2;
	char *text = json_of(scene);
	expect_part(text, "[{\"name\": \"twin\",\"namespace\": \"a\",\"outbounds\": []},"
			  "{\"name\": \"twin\",\"namespace\": \"b\",\"outbounds\": []}]");
	free(text);
	scene_end(scene);
}

static void prose_without_an_explanation(void **state)
{
	struct scene *scene = scene_of(YAML, "", "web-01");
	struct zl_buf out = { 0 };

	(void)state;
	scene->routes[0] =
		policy_resolve(scene->index, scene->inventory,
			       world_get(&scene->world, KIND_DATAPLANE, "web-01"), NULL,
			       scene->world.arena);
	policy_text(&scene->answer, &out);
	expect_part(zl_buf_text(&out),
		    "Proxy web-01, zone east, mesh default\n  Outbound ");
	zl_buf_free(&out);
	scene_end(scene);
}

static void prose_of_renormalised_shares(void **state)
{
	struct scene *scene =
		scene_of(YAML,
			 "---\n{type: Mesh, name: default, routing: "
			 "{unresolvedBackends: Renormalise}}\n"
			 "---\n"
			 "{type: MeshTCPRoute, name: route-5, spec: {targetRef: {kind: "
			 "Dataplane}, to: [{targetRef: {kind: MeshService, name: lost}, "
			 "rules: [{default: {backendRefs: [{kind: MeshService, name: "
			 "gone}]}}]}]}}\n"
			 "---\n{type: Dataplane, name: w, networking: {address: "
			 "192.168.0.8, outbound: [{port: 1, tags: {kuma.io/service: "
			 "lost}}, {port: 2, tags: {kuma.io/service: backend}}, {port: 3, "
			 "tags: {kuma.io/service: empty}}]}}\n",
			 "w");
	struct zl_buf out = { 0 };

	(void)state;
	policy_text(&scene->answer, &out);
	expect_part(zl_buf_text(&out), "      100 % to MeshServiceSubset backend "
				       "{version: v0} (weight 90, ");
	expect_part(zl_buf_text(&out), "      nothing to MeshService gone: no service "
				       "\"gone\" in mesh \"default\"\n");
	/* D33. */
	expect_part(zl_buf_text(&out), "      100 % closed, meant for MeshService gone ");
	expect_part(zl_buf_text(&out), "        no endpoints: these connections fail\n");
	expect_part(zl_buf_text(&out),
		    "\nWarnings\n  mesh \"default\": service \"backend\" with tags "
		    "{version: v0} has endpoints in other zones");
	char *text = json_of(scene);
	expect_part(text, "\"unresolved\": \"Renormalise\"");
	free(text);
	zl_buf_free(&out);
	scene_end(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_of_the_contract),
		cmocka_unit_test(nothing_to_tell),
		cmocka_unit_test(members_that_are_not_always_there),
		cmocka_unit_test(only_what_was_asked_for),
		cmocka_unit_test(warnings_once_and_sorted),
		cmocka_unit_test(prose),
		cmocka_unit_test(proxies_of_one_name),
		cmocka_unit_test(prose_without_an_explanation),
		cmocka_unit_test(prose_of_renormalised_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
