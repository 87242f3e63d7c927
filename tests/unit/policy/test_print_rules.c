#include "support/test.h"
#include "support/world.h"
#include "unit/policy/http_routes.h"

#include <stdlib.h>
#include <string.h>

/* Rules of HTTP outbounds, TrafficRoutes and listeners of gateways, as they are printed.
 */
static const char YAML[] = SHOPPER
	"---\n{type: Dataplane, name: edge-1, networking: {address: 9.9.9.6, gateway: "
	"{type: "
	"BUILTIN, tags: {kuma.io/service: edge}}}}\n"
	"---\n{type: MeshGateway, name: edge, selectors: [{match: {kuma.io/service: "
	"edge}}], "
	"conf: {listeners: [{port: 80, protocol: TCP, tags: {port: tcp}}, {port: 443, "
	"protocol: TLS, hostname: a.org, tls: {mode: PASSTHROUGH}}]}}\n"
	"---\n{type: MeshTCPRoute, name: entry, spec: {targetRef: {kind: MeshGateway, "
	"name: "
	"edge, tags: {port: tcp}}, to: [{targetRef: {kind: Mesh}, rules: [{default: "
	"{backendRefs: [{kind: MeshService, name: far}]}}]}]}}\n"
	"---\n{type: TrafficRoute, name: old, sources: [{match: {kuma.io/service: "
	"web}}], "
	"destinations: [{match: {kuma.io/service: backend}}], conf: {destination: "
	"{kuma.io/service: far}}}\n" HTTP_OF(
		"h", MESH, "other",
		WHEN("{" PATH("PathPrefix",
			      "/api") ", method: GET, headers: [{name: x-env, "
				      "value: canary}, {name: x-on, type: Present}, "
				      "{name: x-off, type: "
				      "Absent}], queryParams: [{type: RegularExpression, "
				      "name: v, value: "
				      "'[12]'}]}",
		     MS("far", "3") ", " MS(
			     "gone",
			     "1")) ", " WHEN("{method: PUT}",
					     MS("far", "0")) ", " WHEN("{method: POST}",
								       MS("sleepy", "1")))
		HTTP_OF("i", MESH, "other", "");

/* clang-format off */
static const char RULES[] =
	"\"owner\":\"MeshHTTPRoute\",\"policies\":[{\"kind\":\"MeshHTTPRoute\",\"name\":\"i\",\"origin\":\"global\",\"to\":0},"
	"{\"kind\":\"MeshHTTPRoute\",\"name\":\"h\",\"origin\":\"global\",\"to\":0}],\"unresolved\":\"Blackhole\",\"rules\":["
	"{\"matches\":[{\"path\":{\"type\":\"PathPrefix\",\"value\":\"/api\"},\"method\":\"GET\",\"headers\":["
	"{\"type\":\"Exact\",\"name\":\"x-env\",\"value\":\"canary\"},{\"type\":\"Present\",\"name\":\"x-on\"},"
	"{\"type\":\"Absent\",\"name\":\"x-off\"}],\"queryParams\":[{\"type\":\"RegularExpression\",\"name\":\"v\",\"value\":\"[12]\"}]}],"
	"\"backends\":[{\"kind\":\"MeshService\",\"name\":\"far\",\"weight\":3,\"resolved\":true,\"cluster\":\"far\",\"endpoints\":["
	"{\"zone\":\"west\",\"address\":\"2.2.2.2\",\"port\":10001,\"weight\":3,\"priority\":0,\"via\":\"ingress\"}]},"
	"{\"kind\":\"MeshService\",\"name\":\"gone\",\"weight\":1,\"resolved\":false,\"reason\":\"no service \\\"gone\\\" in mesh "
	"\\\"default\\\"\"}]},"
	"{\"matches\":[{\"method\":\"PUT\"}],\"backends\":[{\"kind\":\"MeshService\",\"name\":\"far\",\"weight\":0,\"reason\":\"weight 0\"}]},"
	"{\"matches\":[{\"method\":\"POST\"}],\"backends\":[{\"kind\":\"MeshService\",\"name\":\"sleepy\",\"weight\":1,\"resolved\":true,"
	"\"cluster\":\"sleepy\",\"endpoints\":[]}]},"
	"{\"matches\":[{\"path\":{\"type\":\"PathPrefix\",\"value\":\"/\"}}],\"backends\":[{\"kind\":\"MeshService\",\"name\":\"other\","
	"\"weight\":1,\"resolved\":true,\"cluster\":\"other\",\"endpoints\":[{\"zone\":\"east\",\"address\":\"1.1.1.3\",\"port\":80,"
	"\"weight\":1,\"priority\":0,\"via\":\"direct\"}]}]}]}]";
static const char LISTENERS[] =
	"{\"name\":\"edge-1\",\"listeners\":[{\"port\":80,\"protocol\":\"TCP\",\"hostname\":\"*\",\"owner\":\"MeshTCPRoute\","
	"\"policies\":[{\"kind\":\"MeshTCPRoute\",\"name\":\"entry\",\"origin\":\"global\",\"to\":0}],\"unresolved\":\"Blackhole\","
	"\"backends\":[{\"kind\":\"MeshService\",\"name\":\"far\",\"weight\":1,\"resolved\":true,\"cluster\":\"far\",\"endpoints\":["
	"{\"zone\":\"west\",\"address\":\"2.2.2.2\",\"port\":10001,\"weight\":3,\"priority\":0,\"via\":\"ingress\"}]}]},"
	"{\"port\":443,\"protocol\":\"TLS\",\"hostname\":\"a.org\",\"owner\":\"default\",\"policies\":[],\"unresolved\":\"Blackhole\","
	"\"backends\":[]}]}";
static const char TRAFFIC[] =
	"\"owner\":\"TrafficRoute\",\"policies\":[{\"kind\":\"TrafficRoute\",\"name\":\"old\",\"origin\":\"global\",\"to\":0}],"
	"\"unresolved\":\"Blackhole\",\"backends\":[{\"kind\":\"MeshService\",\"name\":\"far\",\"weight\":1,\"resolved\":true,";

static const char TEXT[] =
	"Proxy edge-1, zone east, mesh default\n"
	"  Listener 80 for \"*\" of MeshGateway \"edge\", protocol TCP\n"
	"    Decided by MeshTCPRoute \"entry\" (global), spec.to[0].\n"
	"      100 % to MeshService far (weight 1, cluster far)\n"
	"        2.2.2.2:10001, zone west, ingress, priority 0, weight 3\n"
	"  Listener 443 for \"a.org\" of MeshGateway \"edge\", protocol TLS\n"
	"    No policy is about it: connections are closed.\n"
	"\n"
	"Proxy shopper, zone east, mesh default\n"
	"  Outbound 127.0.0.1:1 to MeshService \"other\", protocol http\n"
	"    Decided by MeshHTTPRoute \"h\" (global), spec.to[0], before MeshHTTPRoute \"i\" (global), spec.to[0].\n"
	"    1. path PathPrefix /api, method GET, header x-env Exact canary, header x-on Present, header x-off Absent, "
	"parameter v RegularExpression [12]: MeshHTTPRoute \"h\" (global), spec.to[0]\n"
	"      75 % to MeshService far (weight 3, cluster far)\n"
	"        2.2.2.2:10001, zone west, ingress, priority 0, weight 3\n"
	"      25 % answered 503, meant for MeshService gone (weight 1): no service \"gone\" in mesh \"default\"\n"
	"    2. any path, method PUT: MeshHTTPRoute \"h\" (global), spec.to[0]\n"
	"      nothing to MeshService far: weight 0\n"
	"      All weights are 0: every request is answered 503.\n"
	"    3. any path, method POST: MeshHTTPRoute \"h\" (global), spec.to[0]\n"
	"      100 % to MeshService sleepy (weight 1, cluster sleepy)\n"
	"        no endpoints: these requests fail\n"
	"    4. path PathPrefix /: what no rule is about\n"
	"      100 % to MeshService other (weight 1, cluster other)\n"
	"        1.1.1.3:80, zone east, direct, priority 0, weight 1\n"
	"\n"
	"Proxy web, zone east, mesh default\n"
	"  Outbound 127.0.0.1:10001 to MeshService \"backend\", protocol tcp\n"
	"    Decided by TrafficRoute \"old\" (global).\n"
	"      100 % to MeshService far (weight 1, cluster far)\n"
	"        2.2.2.2:10001, zone west, ingress, priority 0, weight 3\n";
/* clang-format on */

struct scene {
	struct tools tools;
	const struct routes *routes[3];
	struct policy_answer answer;
};

static struct scene *scene_of(void)
{
	static const char *const NAMES[] = { "web", "shopper", "edge-1" };
	struct scene *scene = zl_alloc(1, sizeof(*scene));

	scene->tools = tools_of(BASE, YAML, NULL);
	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++)
		scene->routes[i] = resolve(&scene->tools, NAMES[i]);
	scene->answer = (struct policy_answer){ .zone = "east",
						.mesh = "default",
						.routes = scene->routes,
						.route_count = ARRAY_LEN(NAMES) };
	return scene;
}

static void scene_end(struct scene *scene)
{
	tools_end(&scene->tools);
	free(scene);
}

static void as_json(void **state)
{
	static const char *const PARTS[] = { RULES, LISTENERS, TRAFFIC };
	struct scene *scene = scene_of();
	struct zl_buf out = { 0 };

	(void)state;
	policy_json(&scene->answer, &out);
	char *json = dense(zl_buf_text(&out));
	for (size_t i = 0; i < ARRAY_LEN(PARTS); i++)
		if (strstr(json, PARTS[i]) == NULL)
			fail_msg("no %s in %s", PARTS[i], json);
	free(json);
	zl_buf_free(&out);
	scene_end(scene);
}

static void as_prose(void **state)
{
	struct scene *scene = scene_of();
	struct zl_buf out = { 0 };

	(void)state;
	policy_text(&scene->answer, &out);
	if (strncmp(zl_buf_text(&out), TEXT, strlen(TEXT)) != 0)
		fail_msg("%s", zl_buf_text(&out));
	zl_buf_free(&out);
	scene_end(scene);
}

/* Listeners that lead to it, outbounds that are to it. */
static void only_what_was_asked_for(void **state)
{
	static const struct {
		const char *to, *edge;
		bool json;
	} ASKED[] = {
		{ "far", "  Listener 80 for", true },
		{ "other", "  It has no listener that leads to this service.\n", false },
		{ "", "  Listener 80 for", true },
	};
	struct scene *scene = scene_of();
	struct zl_buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ASKED); i++) {
		scene->answer.to = ASKED[i].to;
		policy_text(&scene->answer, &out);
		assert_non_null(strstr(zl_buf_text(&out), ASKED[i].edge));
		assert_int_equal(strstr(zl_buf_text(&out), "Listener 443") != NULL,
				 ASKED[i].to[0] == '\0');
		zl_buf_drain(&out, out.len);
		policy_json(&scene->answer, &out);
		assert_int_equal(strstr(zl_buf_text(&out), "\"hostname\": \"*\"") != NULL,
				 ASKED[i].json);
		zl_buf_drain(&out, out.len);
	}
	zl_buf_free(&out);
	scene_end(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_json),
		cmocka_unit_test(as_prose),
		cmocka_unit_test(only_what_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
