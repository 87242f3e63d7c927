/* What policies that attach to routes share: the lists, their references and roles, each
 * row of policies-spec 1.1 with its exact field and text. */
#include "doc.h"

#define SPEC(kind, spec) "{type: " kind ", name: r, spec: " spec "}"
#define IDLE "default: {idleTimeout: 1s}"
#define LIMIT "default: {connectionLimits: {maxConnections: 1}}"
#define TRY "default: {tcp: {maxConnectAttempt: 2}}"
#define CHECK "default: {tcp: {}}"
#define LOG "default: {backends: []}"
#define ALLOW "default: {action: Allow}"
#define ITEM(ref, right) "[{targetRef: " ref ", " right "}]"
#define MESH "{kind: Mesh}"
#define TIMEOUT_TO(ref) SPEC("MeshTimeout", "{to: " ITEM(ref, IDLE) "}")
#define TOP(ref, rest) SPEC("MeshTimeout", "{targetRef: " ref ", " rest "}")
#define TO_MESH "to: " ITEM(MESH, IDLE)
#define RULES "rules: [{" IDLE "}]"
#define FROM "from: " ITEM(MESH, IDLE)
#define GATEWAY "{kind: MeshGateway, name: g}"
#define K8S_OF_ZONE(kind, ns, spec)                  \
	"{apiVersion: kuma.io/v1alpha1, kind: " kind \
	", metadata: {name: r, namespace: " ns       \
	", labels: {kuma.io/origin: zone}}, spec: " spec "}"
#define K8S(kind, ns, spec)                          \
	"{apiVersion: kuma.io/v1alpha1, kind: " kind \
	", metadata: {name: r, namespace: " ns "}, spec: " spec "}"

#define W12 "spec.from: 'from' field is deprecated, use 'rules' instead"

/* clang-format off */
static const struct doc_case VALID[] = {
	{ TIMEOUT_TO("{kind: Mesh}"), NULL, NULL },
	{ TIMEOUT_TO("{kind: MeshService, name: b}"), NULL, NULL },
	{ TIMEOUT_TO("{kind: MeshService, labels: {a: b}, sectionName: http}"), NULL, NULL },
	{ TIMEOUT_TO("{kind: MeshExternalService, name: b}"), NULL, NULL },
	{ TIMEOUT_TO("{kind: MeshMultiZoneService, name: b, port: 80}"), NULL, NULL },
	{ SPEC("MeshTimeout", "{to: [{targetRef: {kind: MeshHTTPRoute, name: h}, default: {http: {requestTimeout: 1s}}}]}"), NULL, NULL },
	{ SPEC("MeshRetry", "{to: [{targetRef: {kind: MeshHTTPRoute, labels: {a: b}}, default: {http: {numRetries: 1}, grpc: {numRetries: 2}}}]}"), NULL, NULL },
	{ SPEC("MeshTimeout", "{" TO_MESH ", " FROM "}"), NULL, W12 },
	{ SPEC("MeshTimeout", "{" RULES "}"), NULL, NULL },
	{ SPEC("MeshTimeout", "{" RULES ", to: [], from: []}"), NULL, NULL },
	{ SPEC("MeshAccessLog", "{to: " ITEM("{kind: MeshExternalService, name: b}", LOG) "}"), NULL, NULL },
	{ SPEC("MeshAccessLog", "{from: " ITEM(MESH, LOG) "}"), NULL, W12 },
	{ SPEC("MeshCircuitBreaker", "{from: " ITEM(MESH, LIMIT) "}"), NULL, W12 },
	{ SPEC("MeshCircuitBreaker", "{to: " ITEM("{kind: MeshMultiZoneService, name: b}", LIMIT) "}"), NULL, NULL },
	{ SPEC("MeshHealthCheck", "{to: " ITEM("{kind: MeshService, name: b}", CHECK) "}"), NULL, NULL },
	{ SPEC("MeshTrafficPermission", "{from: " ITEM("{kind: MeshSubset, tags: {a: b}}", ALLOW) "}"), NULL, NULL },
	{ SPEC("MeshTrafficPermission", "{from: " ITEM("{kind: MeshServiceSubset, name: a, tags: {a: b}}", ALLOW) "}"), NULL, NULL },
	{ SPEC("MeshTrafficPermission", "{from: " ITEM("{kind: MeshService, name: a}", ALLOW) "}"), NULL,
	  "spec.from[0].targetRef.kind: MeshService value for 'from[].targetRef.kind' is deprecated, use MeshSubset with 'kuma.io/service' instead" },
	/* the target */
	{ TOP("{kind: Dataplane, labels: {a: b}}", TO_MESH), NULL, NULL },
	{ TOP("{kind: Dataplane, labels: {a: b}, sectionName: http}", RULES), NULL, NULL },
	{ TOP("{kind: Dataplane, sectionName: '8080'}", FROM), NULL, W12 },
	{ TOP(GATEWAY, TO_MESH), NULL, NULL },
	{ TOP("{kind: MeshGateway, name: g, tags: {port: http}}", "to: " ITEM("{kind: MeshExternalService, name: b}", IDLE)), NULL, NULL },
	{ TOP("{kind: MeshService, name: w}", TO_MESH), NULL,
	  "spec.targetRef.kind: MeshService value for 'targetRef.kind' is deprecated, use Dataplane with labels instead" },
};

static const struct doc_case LISTS[] = {
	/* PV1 */
	{ SPEC("MeshTimeout", "{}"), "spec: at least one of 'from', 'to' or 'rules' has to be defined", NULL },
	{ SPEC("MeshTimeout", "{to: [], rules: []}"), "spec: at least one of 'from', 'to' or 'rules' has to be defined", NULL },
	{ SPEC("MeshCircuitBreaker", "{}"), "spec: at least one of 'from', 'to' or 'rules' has to be defined", NULL },
	{ SPEC("MeshAccessLog", "{}"), "spec: at least one of 'from', 'to' or 'rules' has to be defined", NULL },
	/* PV2 */
	{ SPEC("MeshTimeout", "{" RULES ", " TO_MESH "}"), "spec: fields 'to' and 'from' must be empty when 'rules' is defined", NULL },
	{ SPEC("MeshTimeout", "{" RULES ", " FROM "}"), "spec: fields 'to' and 'from' must be empty when 'rules' is defined", W12 },
	/* PV3 */
	{ SPEC("MeshRetry", "{}"), "spec.to: needs at least one item", NULL },
	{ SPEC("MeshRetry", "{to: []}"), "spec.to: needs at least one item", NULL },
	{ SPEC("MeshRetry", "{to: {}}"), "spec.to: must be a list, not an object", NULL },
	/* PV4 */
	{ SPEC("MeshTrafficPermission", "{}"), "spec: at least one of 'from' or 'rules' has to be defined", NULL },
	{ SPEC("MeshTrafficPermission", "{from: " ITEM(MESH, ALLOW) ", rules: [{default: {allow: [{spiffeID: {type: Exact, value: spiffe://a/b}}]}}]}"),
	  "spec: field 'from' must be empty when 'rules' is defined", NULL },
	/* PV5 */
	{ SPEC("MeshHealthCheck", "{}"), "spec.to: must be defined", NULL },
	{ SPEC("MeshHealthCheck", "{to: []}"), "spec.to: must be defined", NULL },
	/* PV6 */
	{ SPEC("MeshTimeout", "{to: [{" IDLE "}]}"), "spec.to[0].targetRef: must be defined", NULL },
	{ SPEC("MeshTimeout", "{to: [{targetRef: {kind: Mesh}}]}"), "spec.to[0].default: must be defined", NULL },
	{ SPEC("MeshTimeout", "{to: [{targetRef: {kind: Mesh}, default: []}]}"), "spec.to[0].default: must be an object, not a list", NULL },
	{ SPEC("MeshTimeout", "{from: [{" IDLE "}]}"), "spec.from[0].targetRef: must be defined", W12 },
	{ SPEC("MeshTimeout", "{rules: [{}]}"), "spec.rules[0].default: must be defined", NULL },
	{ SPEC("MeshTimeout", "{rules: [{" IDLE "}, {targetRef: {kind: Mesh}, default: {}}]}"),
	  "spec.rules[1].targetRef: unknown field\nspec.rules[1].default: at least one timeout should be configured", NULL },
	/* PV7, and lists that a kind has not */
	{ SPEC("MeshTrafficPermission", "{to: " ITEM(MESH, ALLOW) "}"),
	  "spec.to: unknown field\nspec: at least one of 'from' or 'rules' has to be defined", NULL },
	{ SPEC("MeshRetry", "{to: " ITEM(MESH, TRY) ", from: []}"), "spec.from: unknown field", NULL },
	{ SPEC("MeshRetry", "{to: " ITEM(MESH, TRY) ", from: " ITEM(MESH, TRY) ", rules: [{}]}"), "spec.from: unknown field\nspec.rules: unknown field", NULL },
	{ SPEC("MeshHealthCheck", "{to: " ITEM(MESH, CHECK) ", rules: []}"), "spec.rules: unknown field", NULL },
	{ SPEC("MeshHealthCheck", "{targetRef: " GATEWAY ", to: " ITEM(MESH, CHECK) ", from: " ITEM(MESH, CHECK) "}"), "spec.from: unknown field", NULL },
	{ "{type: MeshTimeout, name: r}", "spec: must be defined\nspec: at least one of 'from', 'to' or 'rules' has to be defined", NULL },
};

static const struct doc_case REFERENCES[] = {
	/* to */
	{ TIMEOUT_TO("{kind: MeshSubset}"), "spec.to[0].targetRef.kind: value 'MeshSubset' is not supported", NULL },
	{ TIMEOUT_TO("{kind: MeshServiceSubset, name: b}"), "spec.to[0].targetRef.kind: value 'MeshServiceSubset' is not supported", NULL },
	{ TIMEOUT_TO("{kind: MeshGateway, name: b}"), "spec.to[0].targetRef.kind: value 'MeshGateway' is not supported", NULL },
	{ TIMEOUT_TO("{kind: Mesh, name: b}"), "spec.to[0].targetRef.name: using name with kind Mesh is not yet supported", NULL },
	{ TIMEOUT_TO("{kind: MeshService}"), "spec.to[0].targetRef: name or labels must be set when kind is MeshService", NULL },
	{ TIMEOUT_TO("{kind: MeshHTTPRoute}"),
	  "spec.to[0].targetRef: name or labels must be set when kind is MeshHTTPRoute\nspec.to[0].default.idleTimeout: must not be set with kind MeshHTTPRoute", NULL },
	{ SPEC("MeshTimeout", "{to: [{targetRef: {kind: MeshHTTPRoute, name: h, sectionName: a, port: 1}, default: {http: {requestTimeout: 1s}}}]}"),
	  "spec.to[0].targetRef.sectionName: must not be set with kind MeshHTTPRoute\nspec.to[0].targetRef.port: must not be set with kind MeshHTTPRoute", NULL },
	{ SPEC("MeshRetry", "{to: [{targetRef: {kind: MeshHTTPRoute, name: h}, " TRY "}]}"),
	  "spec.to[0].default.tcp: must not be set with kind MeshHTTPRoute", NULL },
	{ SPEC("MeshTimeout", "{to: [{targetRef: {kind: MeshHTTPRoute, name: h}, default: {connectionTimeout: null, http: {requestTimeout: 1s, maxStreamDuration: 1s, maxConnectionDuration: 1s, requestHeadersTimeout: 1s}}}]}"), NULL,
	  "spec.to[0].default.http.maxStreamDuration: maxStreamDuration has no effect with kind MeshHTTPRoute: name the destination\n"
	  "spec.to[0].default.http.maxConnectionDuration: maxConnectionDuration has no effect with kind MeshHTTPRoute: name the destination\n"
	  "spec.to[0].default.http.requestHeadersTimeout: requestHeadersTimeout has no effect with kind MeshHTTPRoute: name the destination" },
	/* P19 */
	{ TOP("{kind: MeshHTTPRoute, name: h}", TO_MESH), "spec.targetRef.kind: value 'MeshHTTPRoute' is not supported", NULL },
	{ SPEC("MeshAccessLog", "{to: " ITEM("{kind: MeshHTTPRoute, name: h}", "default: {http: {}}") "}"),
	  "spec.to[0].targetRef.kind: value 'MeshHTTPRoute' is not supported\nspec.to[0].default.http: unknown field\nspec.to[0].default.backends: must be defined", NULL },
	{ SPEC("MeshHealthCheck", "{to: " ITEM("{kind: MeshExternalService, name: b}", CHECK) "}"), "spec.to[0].targetRef.kind: value 'MeshExternalService' is not supported", NULL },
	{ SPEC("MeshCircuitBreaker", "{to: " ITEM("{kind: MeshExternalService, name: b}", LIMIT) "}"), "spec.to[0].targetRef.kind: value 'MeshExternalService' is not supported", NULL },
	/* from */
	{ SPEC("MeshTimeout", "{from: " ITEM("{kind: MeshSubset, tags: {a: b}}", IDLE) "}"), "spec.from[0].targetRef.kind: value 'MeshSubset' is not supported", W12 },
	{ SPEC("MeshTrafficPermission", "{from: " ITEM("{kind: MeshGateway, name: g}", ALLOW) "}"), "spec.from[0].targetRef.kind: value 'MeshGateway' is not supported", NULL },
	{ SPEC("MeshTrafficPermission", "{from: " ITEM("{kind: MeshSubset, name: g}", ALLOW) "}"), "spec.from[0].targetRef.name: must not be set with kind MeshSubset",
	  "spec.from[0].targetRef: MeshSubset without tags selects every proxy of the mesh" },
	{ SPEC("MeshTrafficPermission", "{from: " ITEM("{kind: MeshService, labels: {a: b}}", ALLOW) "}"), "spec.from[0].targetRef.labels: must not be set with kind MeshService",
	  "spec.from[0].targetRef.kind: MeshService value for 'from[].targetRef.kind' is deprecated, use MeshSubset with 'kuma.io/service' instead" },
	/* the target */
	{ TOP("{kind: Dataplane, sectionName: http}", TO_MESH), "spec.targetRef.sectionName: can only be used with inbound policies", NULL },
	{ SPEC("MeshRetry", "{targetRef: {kind: Dataplane, sectionName: http}, to: " ITEM(MESH, TRY) "}"), "spec.targetRef.sectionName: can only be used with inbound policies", NULL },
	{ TOP("{kind: MeshMultiZoneService, name: b}", TO_MESH), "spec.targetRef.kind: value 'MeshMultiZoneService' is not supported", NULL },
	{ TOP(GATEWAY, "to: " ITEM("{kind: MeshService, name: b}", IDLE)), "spec.to[0].targetRef.kind: value 'MeshService' is not supported", NULL },
	{ SPEC("MeshHealthCheck", "{targetRef: " GATEWAY ", to: " ITEM("{kind: MeshService, name: b}", CHECK) "}"), "spec.to[0].targetRef.kind: value 'MeshService' is not supported", NULL },
	{ TOP(GATEWAY, TO_MESH ", " FROM), "spec.from: must not be defined", W12 },
	{ TOP(GATEWAY, RULES), "spec.rules: must not be defined", NULL },
	{ SPEC("MeshTrafficPermission", "{targetRef: " GATEWAY ", from: " ITEM(MESH, ALLOW) "}"),
	  "spec.targetRef.kind: value 'MeshGateway' is not supported", NULL },
};

static const struct doc_case ROLES[] = {
	{ K8S("MeshTimeout", "kuma-system", "{targetRef: " GATEWAY ", " TO_MESH "}"), NULL, NULL },
	{ K8S("MeshTimeout", "shop", "{targetRef: " GATEWAY ", " TO_MESH "}"), NULL, NULL },
	{ K8S("MeshTimeout", "shop", "{targetRef: " GATEWAY ", " RULES "}"),
	  "spec.targetRef.kind: value 'MeshGateway' is not supported\nspec.rules: must not be defined", NULL },
	{ K8S("MeshTimeout", "shop", "{to: [{targetRef: {kind: MeshService, name: b}, " IDLE "}, {targetRef: {kind: Mesh}, " IDLE "}]}"),
	  "spec.to: it's not allowed to mix producer and consumer items in the same policy", NULL },
};
/* clang-format on */

static void valid_policies_have_only_their_warnings(void **state)
{
	(void)state;
	doc_cases(VALID, ARRAY_LEN(VALID));
}

static void each_row_of_the_lists(void **state)
{
	(void)state;
	doc_cases(LISTS, ARRAY_LEN(LISTS));
}

static void each_row_of_the_references(void **state)
{
	(void)state;
	doc_cases(REFERENCES, ARRAY_LEN(REFERENCES));
}

static void gateways_are_for_who_has_a_to(void **state)
{
	(void)state;
	doc_cases(ROLES, ARRAY_LEN(ROLES));
}

static void roles_follow_the_lists(void **state)
{
	static const struct {
		const char *spec, *role;
	} CASES_OF[] = {
		{ "{" RULES "}", "workload-owner" },
		{ "{" FROM "}", "workload-owner" },
		{ "{" TO_MESH "}", "consumer" },
		{ "{to: [{targetRef: {kind: MeshService, name: b}, " IDLE "}]}",
		  "producer" },
		{ "{to: [{targetRef: {kind: MeshHTTPRoute, name: b}, default: {http: "
		  "{requestTimeout: 1s}}}]}",
		  "producer" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES_OF); i++) {
		char yaml[512];
		snprintf(yaml, sizeof(yaml), K8S_OF_ZONE("MeshTimeout", "shop", "%s"),
			 CASES_OF[i].spec);
		struct doc doc =
			doc_by(yaml, (struct resource_rules){ .writer = WRITER_ZONE,
							      .zone = "e" });
		const char *role = NULL;
		if (doc.res != NULL)
			role = labels_get(doc.res->labels, LABEL_ROLE);
		if (role == NULL || strcmp(role, CASES_OF[i].role) != 0)
			fail_msg("%s: %s, %s", CASES_OF[i].spec,
				 role != NULL ? role : "none", doc_violations(&doc));
		doc_free(&doc);
	}
}

static void what_is_written_is_kept(void **state)
{
	struct doc doc = doc_of(SPEC(
		"MeshTimeout",
		"{to: [{targetRef: {kind: MeshService, name: b}, default: {idleTimeout: "
		"1s, "
		"connectionTimeout: null, http: {requestTimeout: 2s, streamIdleTimeout: "
		"null}}}], from: [{targetRef: {kind: Mesh}, " IDLE
		"}, {targetRef: {kind: "
		"Mesh}, default: {idleTimeout: 2s}}]}"));
	const struct attached_spec *spec = doc.res->attached;
	struct zl_buf json = { 0 };

	(void)state;
	assert_int_equal(spec->target.kind, REF_MESH);
	assert_int_equal(spec->to.count, 1);
	assert_int_equal(spec->to.items[0].target.kind, REF_MESH_SERVICE);
	assert_string_equal(spec->to.items[0].target.name, "b");
	assert_int_equal(spec->from.count, 2);
	assert_int_equal(spec->rules.count, 0);
	tree_json(spec->to.items[0].conf, &json);
	assert_string_equal(
		zl_buf_text(&json),
		"{\"http\":{\"requestTimeout\":\"2s\"},\"idleTimeout\":\"1s\"}");
	assert_null(tree_get(spec->to.items[0].conf, "connectionTimeout"));
	assert_int_equal(spec->to.items[0].conf->count, 2);
	zl_buf_free(&json);

	/* Stored and read back it says the same. */
	struct resource *back = NULL;
	assert_int_equal(
		resource_from_json(doc.res->json, doc.res->json_len, &back, NULL), ZL_OK);
	assert_string_equal(
		tree_get(back->attached->from.items[1].conf, "idleTimeout")->text, "2s");
	resource_drop(&back);
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_policies_have_only_their_warnings),
		cmocka_unit_test(each_row_of_the_lists),
		cmocka_unit_test(each_row_of_the_references),
		cmocka_unit_test(gateways_are_for_who_has_a_to),
		cmocka_unit_test(roles_follow_the_lists),
		cmocka_unit_test(what_is_written_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
