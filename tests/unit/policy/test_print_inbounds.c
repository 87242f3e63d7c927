#include "east.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>

/* Who may connect to the inbounds of p, and how they are served, in words and as JSON. */

#define PROXY                                                                        \
	"---\n{type: Dataplane, name: p, networking: {address: 9.9.9.8, inbound: [{" \
	"port: 80, tags: {kuma.io/service: p}}, {port: 90, tags: {kuma.io/service: " \
	"q, kuma.io/protocol: http}}]}}\n"
#define MTLS(more)                                                                       \
	"---\n{type: Mesh, name: default, mtls: {enabledBackend: ca, backends: [{name: " \
	"ca, type: builtin}]" more "}}\n"
#define PLAIN "---\n{type: Mesh, name: default}\n"
#define POLICY(kind, name, spec) \
	"---\n{type: " kind ", name: " name ", spec: {" spec "}}\n"
#define ITEM(ref, action) "{targetRef: " ref ", default: {action: " action "}}"
#define WITH(tags) "{kind: MeshSubset, tags: {" tags "}}"
#define ID(type, value) \
	"{spiffeID: {type: " type ", value: 'spiffe://default/" value "'}}"
#define IDLE(conf) POLICY("MeshTimeout", "t", "rules: [{default: {" conf "}}]")

static const char SOME[] = POLICY(
	"MeshTrafficPermission", "b",
	"from: [" ITEM(WITH("kuma.io/service: web, version: v1"), "Allow") ", " ITEM(
		MESH, "AllowWithShadowDeny") ", " ITEM(WITH("team: x"),
						       "Deny") ", " ITEM(WITH("team: y"),
									 "Deny") "]")
	POLICY("MeshTrafficPermission", "c",
	       "from: [" ITEM(WITH("team: z"), "Allow") "]");
static const char RULES[] = POLICY(
	"MeshTrafficPermission", "r",
	"targetRef: {kind: Dataplane, sectionName: '80'}, rules: [{default: {deny: [" ID(
		"Prefix", "a/") "], allow: [" ID("Exact", "web") "]}}]");
static const char EVERYBODY[] =
	POLICY("MeshTrafficPermission", "b", "from: [" ITEM(MESH, "Allow") "]");
static const char NOBODY[] =
	POLICY("MeshTrafficPermission", "b", "from: [" ITEM(MESH, "Deny") "]");

#define END "    A permission that is withdrawn does not end what is open.\n"
#define DENIED "nobody, as no MeshTrafficPermission selects it\n"
#define OPEN "everybody in the mesh, as no MeshTrafficPermission selects it\n"

/* clang-format off */
static const struct {
	const char *why, *policies, *to, *text;
} IN_WORDS[] = {
	{ "nothing to tell", PLAIN, NULL, "" },
	{ "nobody is selected", "", NULL,
	  "  Who may connect to p:80 (9.9.9.8): " DENIED
	  "  Who may connect to q:90 (9.9.9.8): " DENIED },
	{ "one service", "", "q", "  Who may connect to q:90 (9.9.9.8): " DENIED },
	{ "any service", "", "",
	  "  Who may connect to p:80 (9.9.9.8): " DENIED
	  "  Who may connect to q:90 (9.9.9.8): " DENIED },
	{ "by default", MTLS(", defaultPermission: Allow"), "p", "  Who may connect to p:80 (9.9.9.8): " OPEN },
	{ "some", SOME, "p",
	  "  Who may connect to p:80 (9.9.9.8): only these, by MeshTrafficPermission \"c\", MeshTrafficPermission \"b\":\n"
	  "    * except kuma://team/x, kuma://team/y\n"
	  "    kuma://team/z except kuma://team/x, kuma://team/y\n"
	  "    spiffe://default/web and kuma://version/v1 except kuma://team/x, kuma://team/y\n"
	  "    would be denied, and is counted so: * except kuma://team/x, kuma://team/y\n"
	  END },
	{ "rules", RULES, NULL,
	  "  Who may connect to p:80 (9.9.9.8): only these, by MeshTrafficPermission \"r\":\n"
	  "    spiffe://default/web except spiffe://default/a/*\n"
	  "    denied: spiffe://default/a/*\n"
	  END
	  "  Who may connect to q:90 (9.9.9.8): " DENIED },
	{ "everybody", EVERYBODY, "p",
	  "  Who may connect to p:80 (9.9.9.8): everybody in the mesh, by MeshTrafficPermission \"b\":\n"
	  "    *\n"
	  END },
	{ "none", NOBODY, "p", "  Who may connect to p:80 (9.9.9.8): nobody, by MeshTrafficPermission \"b\":\n" END },
	/* What else holds there, and what holds if nothing is said of it. */
	{ "settings", PLAIN IDLE("idleTimeout: 1s, http: {streamIdleTimeout: 2s}"), NULL,
	  "  Who may connect to p:80 (9.9.9.8): everybody, as the mesh has no mTLS\n"
	  "    idleTimeout \"1s\": MeshTimeout \"t\" (global), spec.rules[0]\n"
	  "  Who may connect to q:90 (9.9.9.8): everybody, as the mesh has no mTLS\n"
	  "    http.streamIdleTimeout \"2s\": MeshTimeout \"t\" (global), spec.rules[0]\n"
	  "    idleTimeout \"1s\": MeshTimeout \"t\" (global), spec.rules[0]\n" },
	{ "and no others", PLAIN IDLE("connectionTimeout: 1s"), NULL,
	  "  Who may connect to p:80 (9.9.9.8): everybody, as the mesh has no mTLS\n"
	  "    connectionTimeout \"1s\": MeshTimeout \"t\" (global), spec.rules[0]\n"
	  "    idleTimeout \"2h\": default (Zonelink)\n"
	  "  Who may connect to q:90 (9.9.9.8): everybody, as the mesh has no mTLS\n"
	  "    connectionTimeout \"1s\": MeshTimeout \"t\" (global), spec.rules[0]\n"
	  "    http.streamIdleTimeout \"5m\": default (Envoy)\n" },
};
/* clang-format on */

struct scene {
	struct tools tools;
	const struct routes *routes;
	struct policy_answer answer;
};

static void scene_begin(struct scene *scene, const char *policies, const char *to)
{
	char *first = zl_format("%s%s", BASE, PROXY);

	scene->tools = tools_of(first, policies, NULL);
	scene->routes = without_entries(resolve_all(&scene->tools, "p"),
					scene->tools.world.arena);
	scene->answer = (struct policy_answer){ .zone = "east",
						.mesh = "default",
						.to = to,
						.routes = &scene->routes,
						.route_count = 1 };
	free(first);
}

static void in_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(IN_WORDS); i++) {
		struct scene scene;
		struct zl_buf out = { 0 };

		scene_begin(&scene, IN_WORDS[i].policies, IN_WORDS[i].to);
		policy_text(&scene.answer, &out);
		char *text = zl_strdup(zl_buf_text(&out));
		char *said = strstr(text, "  Who may connect");
		char *warnings = strstr(text, "\nWarnings\n");
		if (warnings != NULL)
			*warnings = '\0';
		if (strcmp(said != NULL ? said : "", IN_WORDS[i].text) != 0)
			fail_msg("%s: %s", IN_WORDS[i].why, text);
		free(text);
		zl_buf_free(&out);
		tools_end(&scene.tools);
	}
}

#define INBOUNDS "\"outbounds\":[],\"inbounds\":["
#define POLICY_B(item)                                                              \
	"{\"kind\":\"MeshTrafficPermission\",\"name\":\"b\",\"origin\":\"global\"," \
	"\"from\":" item "}"
#define AT(port, service)                                                   \
	"{\"address\":\"9.9.9.8\",\"port\":" port ",\"service\":\"" service \
	"\",\"permission\":"
#define MODE(mode) \
	"{\"mode\":\"" mode "\",\"allow\":[],\"shadow\":[],\"deny\":[],\"policies\":[]}"
#define APPLIED                                                                       \
	"\"applied\":[{\"kind\":\"MeshTimeout\",\"field\":\"idleTimeout\",\"value\":" \
	"\"1s\",\"policy\":{"                                                         \
	"\"kind\":\"MeshTimeout\",\"name\":\"t\",\"origin\":\"global\",\"rules\":0}}]"

static void as_json(void **state)
{
	/* clang-format off */
	static const struct {
		const char *policies, *to, *json;
	} CASES[] = {
		{ PLAIN, NULL, "\"outbounds\":[]}]" },
		{ "", NULL, INBOUNDS AT("80", "p") MODE("denied") "}," AT("90", "q") MODE("denied") "}]" },
		{ RULES, "p", INBOUNDS AT("80", "p") "{\"mode\":\"enforced\",\"allow\":[\"spiffe://default/web except "
		  "spiffe://default/a/*\"],\"shadow\":[],\"deny\":[\"spiffe://default/a/*\"],\"policies\":[{\"kind\":"
		  "\"MeshTrafficPermission\",\"name\":\"r\",\"origin\":\"global\",\"rules\":0}]}}]" },
		{ SOME, "q", INBOUNDS AT("90", "q") "{\"mode\":\"enforced\",\"allow\":[\"* except kuma://team/x, kuma://team/y\","
		  "\"kuma://team/z except kuma://team/x, kuma://team/y\",\"spiffe://default/web and kuma://version/v1 except "
		  "kuma://team/x, kuma://team/y\"],\"shadow\":[\"* except kuma://team/x, kuma://team/y\"],\"deny\":[],\"policies\":["
		  "{\"kind\":\"MeshTrafficPermission\",\"name\":\"c\",\"origin\":\"global\",\"from\":0},"
		  POLICY_B("0") "," POLICY_B("1") "," POLICY_B("2") "," POLICY_B("3") "]}}]" },
		{ PLAIN IDLE("idleTimeout: 1s"), "p", INBOUNDS AT("80", "p") MODE("plain") "," APPLIED "}]" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct scene scene;
		struct zl_buf out = { 0 };

		scene_begin(&scene, CASES[i].policies, CASES[i].to);
		policy_json(&scene.answer, &out);
		char *json = dense(zl_buf_text(&out));
		if (strstr(json, CASES[i].json) == NULL)
			fail_msg("case %zu: %s", i, json);
		free(json);
		zl_buf_free(&out);
		tools_end(&scene.tools);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_words),
		cmocka_unit_test(as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
