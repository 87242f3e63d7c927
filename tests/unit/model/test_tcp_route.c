/* Each violation row of MeshTCPRoute that is ours (spec 2.4 by D40; D20, D25, D36), with
 * its exact field and text. */
#include "doc.h"

#define TOP(ref) "{type: MeshTCPRoute, name: r, spec: {targetRef: " ref "}}"
#define TO(ref) "{type: MeshTCPRoute, name: r, spec: {to: [{targetRef: " ref "}]}}"
#define GOOD_TO "{targetRef: {kind: MeshService, name: b}}"
#define SPEC(spec) "{type: MeshTCPRoute, name: r, spec: " spec "}"
#define RULES(rules) \
	SPEC("{to: [{targetRef: {kind: MeshService, name: b}, rules: " rules "}]}")
#define REFS(refs) RULES("[{default: {backendRefs: " refs "}}]")

#define TOP_AT "spec.targetRef"
#define TO_AT "spec.to[0].targetRef"
#define REFS_AT "spec.to[0].rules[0].default.backendRefs"
#define REF_AT REFS_AT "[0]"
#define OLD(kind)                                                                      \
	"spec.targetRef.kind: " kind " value for 'targetRef.kind' is deprecated, use " \
	"Dataplane with labels instead"

/* clang-format off */
static const struct doc_case VALID[] = {
	{ SPEC("{}"), NULL, NULL },
	{ SPEC("{targetRef: null, to: null}"), NULL, NULL },
	{ TOP("{kind: Mesh}"), NULL, NULL },
	{ TOP("{kind: Mesh, proxyTypes: [Sidecar, Gateway]}"), NULL, NULL },
	{ TOP("{kind: Dataplane, labels: {app: web}}"), NULL, NULL },
	{ TOP("{kind: Dataplane, labels: {}}"), NULL, NULL },
	{ TOP("{kind: Dataplane, name: web, namespace: demo}"), NULL, NULL },
	{ TOP("{kind: MeshSubset, tags: {version: '*'}}"), NULL, OLD("MeshSubset") },
	{ TOP("{kind: MeshService, name: web}"), NULL, OLD("MeshService") },
	{ TOP("{kind: MeshServiceSubset, name: web, tags: {a: b}}"), NULL, OLD("MeshServiceSubset") },
	{ TOP("{kind: MeshSubset}"), NULL, TOP_AT ": MeshSubset without tags selects every proxy of the mesh\n" OLD("MeshSubset") },
	{ SPEC("{targetRef: {kind: MeshGateway, name: edge, tags: {port: tcp}}, to: [{targetRef: {kind: Mesh}}]}"), NULL, NULL },
	{ TO("{kind: MeshService, name: b_ns_svc_80}"), NULL, NULL },
	{ TO("{kind: MeshService, name: b, namespace: ns, sectionName: http, port: 65535}"), NULL, NULL },
	{ TO("{kind: MeshService, labels: {kuma.io/display-name: b}, sectionName: http}"), NULL, NULL },
	{ TO("{kind: MeshExternalService, name: b}"), NULL, NULL },
	{ TO("{kind: MeshMultiZoneService, name: b}"), NULL, NULL },
	{ TO("{kind: MeshService, name: b, _port: 80}"), NULL, TO_AT "._port: _port is deprecated, use port instead" },
	{ RULES("[]"), NULL, NULL },
	{ REFS("[{kind: MeshService, name: b, weight: 0}, {kind: MeshService, name: b, weight: 4294967295}]"), NULL, NULL },
	{ REFS("[{kind: MeshServiceSubset, name: b}]"), NULL, REF_AT ": MeshServiceSubset without tags equals MeshService" },
	{ REFS("[{kind: MeshService, name: b, weight: 0}]"), NULL, REFS_AT ": the sum of weights is 0: every connection will be closed" },
	{ REFS("[{kind: MeshMultiZoneService, name: b, port: 80}]"), NULL, NULL },
	{ REFS("[{kind: MeshServiceSubset, name: b, tags: {path: 'a/b', any: '*'}}]"), NULL, NULL },
	{ SPEC("{to: [" GOOD_TO ", " GOOD_TO "]}"), NULL, NULL },
};

static const struct doc_case ROWS[] = {
	/* V1, V2 */
	{ TOP("{}"), TOP_AT ".kind: must be defined", NULL },
	{ TO("{name: b}"), TO_AT ".kind: must be defined", NULL },
	{ TOP("{kind: BlahBlah}"), TOP_AT ".kind: value 'BlahBlah' is not supported", NULL },
	{ TOP("{kind: MeshHTTPRoute, name: r}"), TOP_AT ".kind: value 'MeshHTTPRoute' is not supported", NULL },
	{ TOP("{kind: MeshExternalService, name: r}"), TOP_AT ".kind: value 'MeshExternalService' is not supported", NULL },
	{ TO("{kind: Mesh}"), TO_AT ".kind: value 'Mesh' is not supported", NULL },
	{ TO("{kind: MeshServiceSubset, name: b}"), TO_AT ".kind: value 'MeshServiceSubset' is not supported", NULL },
	{ TO("{kind: Mesh, name: b, tags: {'': ''}}"), TO_AT ".kind: value 'Mesh' is not supported", NULL },
	{ SPEC("{targetRef: {kind: MeshGateway, name: e}, to: [" GOOD_TO "]}"), TO_AT ".kind: value 'MeshService' is not supported", NULL },
	{ REFS("[{kind: Mesh}]"), REF_AT ".kind: value 'Mesh' is not supported", NULL },
	/* V3 */
	{ RULES("[{default: {}}]"), REFS_AT ": must be defined", NULL },
	{ REFS("[]"), REFS_AT ": must be defined", NULL },
	{ REFS("null"), REFS_AT ": must be defined", NULL },
	/* V4, V5, weights and ports of D20 */
	{ REFS("[{kind: MeshMultiZoneService, name: b, sectionName: http}]"), REF_AT ".port: must be defined with kind MeshMultiZoneService", NULL },
	{ REFS("[{kind: MeshService, name: b, weight: 4294967296}]"), REF_AT ".weight: must be in inclusive range [0, 4294967295]", NULL },
	{ REFS("[{kind: MeshService, name: b, weight: -1}]"), REF_AT ".weight: must be in inclusive range [0, 4294967295]", NULL },
	{ REFS("[{kind: MeshService, name: b, weight: 99999999999999999999}]"), REF_AT ".weight: must be in inclusive range [0, 4294967295]", NULL },
	{ REFS("[{kind: MeshService, name: b, weight: 1.5}]"), REF_AT ".weight: must be a whole number", NULL },
	{ REFS("[{kind: MeshService, name: b, weight: 4294967295}, {kind: MeshService, name: c}]"), REFS_AT ": sum of weights must be in inclusive range [0, 4294967295]", NULL },
	{ REFS("[{kind: MeshService, name: b, port: 0}]"), REF_AT ".port: must be in inclusive range [1, 65535]", NULL },
	{ TO("{kind: MeshService, name: b, port: 65536}"), TO_AT ".port: must be in inclusive range [1, 65535]", NULL },
	{ TO("{kind: MeshService, name: b, _port: 0}"), TO_AT "._port: must be in inclusive range [1, 65535]", TO_AT "._port: _port is deprecated, use port instead" },
	/* V7, V10, V11, V12 */
	{ TOP("{kind: Mesh, name: x}"), TOP_AT ".name: using name with kind Mesh is not yet supported", NULL },
	{ TOP("{kind: Mesh, mesh: x, tags: {a: b}, labels: {a: b}, namespace: n, sectionName: s}"),
	  TOP_AT ".mesh: must not be set with kind Mesh\n" TOP_AT ".tags: must not be set with kind Mesh\n"
	  TOP_AT ".labels: must not be set with kind Mesh\n" TOP_AT ".namespace: must not be set with kind Mesh\n"
	  TOP_AT ".sectionName: must not be set with kind Mesh", NULL },
	{ TOP("{kind: Mesh, proxyTypes: []}"), TOP_AT ".proxyTypes: must be undefined or have at least one element", NULL },
	{ TOP("{kind: MeshSubset, tags: {a: b}, proxyTypes: []}"), TOP_AT ".proxyTypes: must be undefined or have at least one element", OLD("MeshSubset") },
	{ TOP("{kind: Mesh, proxyTypes: [Sidecar, Car]}"), TOP_AT ".proxyTypes[1]: value 'Car' is not supported", NULL },
	/* V8, V26, V27 */
	{ TOP("{kind: Dataplane, sectionName: s}"), TOP_AT ".sectionName: can only be used with inbound policies", NULL },
	{ TOP("{kind: Dataplane, mesh: m, tags: {a: b}, proxyTypes: [Sidecar]}"),
	  TOP_AT ".mesh: must not be set with kind Dataplane\n" TOP_AT ".tags: must not be set with kind Dataplane\n"
	  TOP_AT ".proxyTypes: must not be set with kind Dataplane", NULL },
	{ TOP("{kind: Dataplane, labels: {a: b}, namespace: n}"), TOP_AT ".labels: either labels or name and namespace must be specified", NULL },
	/* V13 */
	{ TOP("{kind: MeshSubset, tags: {a: b}, name: n, mesh: m, labels: {a: b}, namespace: n, sectionName: s}"),
	  TOP_AT ".name: must not be set with kind MeshSubset\n" TOP_AT ".mesh: must not be set with kind MeshSubset\n"
	  TOP_AT ".labels: must not be set with kind MeshSubset\n" TOP_AT ".namespace: must not be set with kind MeshSubset\n"
	  TOP_AT ".sectionName: must not be set with kind MeshSubset", OLD("MeshSubset") },
	/* V14b, D37 */
	{ TO("{kind: MeshService}"), TO_AT ": name or labels must be set when kind is MeshService", NULL },
	{ TO("{kind: MeshService, labels: {}}"), TO_AT ": name or labels must be set when kind is MeshService", NULL },
	{ TO("{kind: MeshExternalService}"), TO_AT ": name or labels must be set when kind is MeshExternalService", NULL },
	{ REFS("[{kind: MeshMultiZoneService, port: 1}]"), REF_AT ": name or labels must be set when kind is MeshMultiZoneService", NULL },
	/* V9, V15, V16, V16b */
	{ TO("{kind: MeshExternalService, name: b, sectionName: s}"), TO_AT ".sectionName: must not be set with kind MeshExternalService", NULL },
	{ TO("{kind: MeshService, name: b, mesh: m, tags: {a: b}, proxyTypes: [Gateway]}"),
	  TO_AT ".mesh: must not be set with kind MeshService\n" TO_AT ".tags: must not be set with kind MeshService\n"
	  TO_AT ".proxyTypes: must not be set with kind MeshService", NULL },
	{ TO("{kind: MeshService, name: b, labels: {a: b}}"), TO_AT ".labels: either labels or name and namespace must be specified", NULL },
	{ TO("{kind: MeshService, namespace: b, labels: {a: b}}"), TO_AT ".labels: either labels or name and namespace must be specified", NULL },
	{ TO("{kind: MeshExternalService, name: b, labels: {a: b}}"), TO_AT ".labels: either labels or name must be specified", NULL },
	/* V18, V19 */
	{ REFS("[{kind: MeshServiceSubset, tags: {a: b}}]"), REF_AT ".name: must be set when kind is MeshServiceSubset", NULL },
	{ TOP("{kind: MeshGateway}"), TOP_AT ".name: must be set when kind is MeshGateway", NULL },
	{ TOP("{kind: MeshGateway, name: e, mesh: m, proxyTypes: [Gateway], labels: {a: b}, namespace: n, sectionName: s}"),
	  TOP_AT ".mesh: must not be set with kind MeshGateway\n" TOP_AT ".labels: must not be set with kind MeshGateway\n"
	  TOP_AT ".namespace: must not be set with kind MeshGateway\n" TOP_AT ".sectionName: must not be set with kind MeshGateway\n"
	  TOP_AT ".proxyTypes: must not be set with kind MeshGateway", NULL },
	/* V21 */
	{ TO("{kind: MeshService, name: Backend}"), TO_AT ".name: invalid characters: must consist of lower case alphanumeric characters, '-', '.' and '_'.", NULL },
	/* V22 to V25 */
	{ TOP("{kind: MeshSubset, tags: {'': x}}"), TOP_AT ".tags: tag name must be non-empty", OLD("MeshSubset") },
	{ TOP("{kind: MeshSubset, tags: {'a b': x}}"), TOP_AT ".tags[\"a b\"]: tag name must consist of alphanumeric characters, dots, dashes, slashes and underscores", OLD("MeshSubset") },
	{ TOP("{kind: MeshSubset, tags: {z: '', b: 'x y'}}"),
	  TOP_AT ".tags[\"b\"]: tag value must consist of alphanumeric characters, dots, dashes and underscores\n"
	  TOP_AT ".tags[\"z\"]: tag value must be non-empty", OLD("MeshSubset") },
	{ REFS("[{kind: MeshServiceSubset, name: b, tags: {v: 'x y'}}]"),
	  REF_AT ".tags[\"v\"]: tag value must consist of alphanumeric characters, dots, dashes, slashes and underscores or be \"*\"", NULL },
	{ REFS("[{kind: MeshServiceSubset, name: b, tags: {'q\"': '*'}}]"),
	  REF_AT ".tags[\"q\\\"\"]: tag name must consist of alphanumeric characters, dots, dashes, slashes and underscores", NULL },
	/* D20, D25 and the limits of ours */
	{ SPEC("{to: []}"), "spec.to: must be undefined or have at least one element", NULL },
	{ SPEC("{to: [{}]}"), "spec.to[0].targetRef: must be defined", NULL },
	{ RULES("[{}]"), "spec.to[0].rules[0].default: must be defined", NULL },
	{ RULES("[{default: {backendRefs: [{kind: MeshService, name: b}]}}, {default: {backendRefs: [{kind: MeshService, name: b}]}}]"), "spec.to[0].rules: must have at most one element", NULL },
	{ SPEC("{from: []}"), "spec.from: MeshTCPRoute is an outbound policy: use spec.to", NULL },
	{ SPEC("{to: [" GOOD_TO ", {targetRef: {kind: MeshService, name: b}, default: {}}]}"), "spec.to[1].default: belongs under rules: spec.to[1].rules[0].default", NULL },
	{ "{type: MeshTCPRoute, name: r}", "spec: must be defined", NULL },
	/* D3, D28 */
	{ RULES("[{default: {backendrefs: [{kind: MeshService, name: b}]}}]"),
	  "spec.to[0].rules[0].default.backendrefs: unknown field, did you mean \"backendRefs\"?\n" REFS_AT ": must be defined", NULL },
	{ TO("{kind: MeshService, name: b, colour: x}"), TO_AT ".colour: unknown field", NULL },
	{ "{type: MeshTCPRoute, name: r, spec: {}, to: []}", "to: unknown field, did you mean \"spec.to\"?", NULL },
	{ TOP("{kind: MeshSubset, tags: {version: 1.0}}"), TOP_AT ".tags[\"version\"]: must be a string, not a number: quote it, \"1.0\"", OLD("MeshSubset") },
	{ TO("{kind: MeshService, name: true}"), TO_AT ".name: must be a string, not a boolean: quote it, \"true\"", NULL },
	{ TO("{kind: 7}"), TO_AT ".kind: must be a string, not a number: quote it, \"7\"", NULL },
	{ TO("[]"), TO_AT ": must be an object, not a list", NULL },
	{ REFS("[{kind: MeshService, name: b, weight: '9'}]"), REF_AT ".weight: must be a number, not a text: write it in digits, without quotes", NULL },
	{ REFS("{kind: MeshService}"), REFS_AT ": must be a list, not an object", NULL },
	{ REFS("[null, 3]"), REF_AT ": must be an object, not null\n" REFS_AT "[1]: must be an object, not a number", NULL },
	{ SPEC("text"), "spec: must be an object, not a text", NULL },
};
/* clang-format on */

static void valid_routes_have_only_their_warnings(void **state)
{
	(void)state;
	doc_cases(VALID, ARRAY_LEN(VALID));
}

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(ROWS, ARRAY_LEN(ROWS));
}

static void violations_come_in_the_order_of_the_checks(void **state)
{
	static const char YAML[] =
		"type: MeshTCPRoute\n"
		"spec:\n"
		"  to:\n"
		"  - targetRef: {kind: MeshService, name: ok}\n"
		"  - rules:\n"
		"    - default:\n"
		"        backendRefs:\n"
		"        - {kind: MeshService, name: ok}\n"
		"        - {weight: -1, name: UP, kind: MeshService}\n"
		"        - {kind: Nope, weight: 4294967296}\n"
		"    targetRef: {kind: MeshExternalService, tags: {a: b}}\n"
		"  targetRef: {kind: Mesh, name: x}\n"
		"name: Bad\n";
	struct doc doc = doc_of(YAML);

	(void)state;
	assert_string_equal(
		doc_violations(&doc),
		"name: invalid characters. A lowercase RFC 1123 subdomain must consist "
		"of lower case alphanumeric characters, '-' or '.', and must start and "
		"end with an alphanumeric character\n"
		"spec.targetRef.name: using name with kind Mesh is not yet supported\n"
		"spec.to[1].targetRef: name or labels must be set when kind is "
		"MeshExternalService\n"
		"spec.to[1].targetRef.tags: must not be set with kind "
		"MeshExternalService\n"
		"spec.to[1].rules[0].default.backendRefs[1].name: invalid characters: "
		"must consist of lower case alphanumeric characters, '-', '.' and '_'.\n"
		"spec.to[1].rules[0].default.backendRefs[1].weight: must be in inclusive "
		"range [0, 4294967295]\n"
		"spec.to[1].rules[0].default.backendRefs[2].kind: value 'Nope' is not "
		"supported\n"
		"spec.to[1].rules[0].default.backendRefs[2].weight: must be in inclusive "
		"range [0, 4294967295]");
	assert_int_equal(doc.found.violations[5].line, 9);
	assert_string_equal(doc.found.violations[0].kind, "MeshTCPRoute");
	assert_string_equal(doc.found.violations[0].name, "Bad");
	doc_free(&doc);
}

/* count times item, within head and tail. */
static struct doc repeated(const char *head, const char *item, size_t count,
			   const char *tail)
{
	struct zl_buf yaml = { 0 };

	zl_buf_str(&yaml, head);
	for (size_t i = 0; i < count; i++)
		zl_buf_format(&yaml, "%s%s", i > 0 ? ", " : "", item);
	zl_buf_str(&yaml, tail);
	struct doc doc = doc_of(zl_buf_text(&yaml));
	zl_buf_free(&yaml);
	return doc;
}

static void lists_end_at_their_limits(void **state)
{
	static const char REF[] = "{kind: MeshService, name: b}";
	static const char HEAD[] =
		"{type: MeshTCPRoute, name: r, spec: {to: [{targetRef: "
		"{kind: MeshService, name: b}, rules: [{default: "
		"{backendRefs: [";
	struct doc doc = repeated(HEAD, REF, 128, "]}}]}]}}");

	(void)state;
	assert_string_equal(doc_violations(&doc), "");
	assert_int_equal(doc.res->tcp_route->to[0].ref_count, 128);
	doc_free(&doc);
	doc = repeated(HEAD, REF, 129, "]}}]}]}}");
	assert_string_equal(doc_violations(&doc),
			    REFS_AT ": must have at most 128 elements");
	doc_free(&doc);
	doc = repeated("{type: MeshTCPRoute, name: r, spec: {to: [", GOOD_TO, 1024,
		       "]}}");
	assert_string_equal(doc_violations(&doc), "");
	doc_free(&doc);
	doc = repeated("{type: MeshTCPRoute, name: r, spec: {to: [", GOOD_TO, 1025,
		       "]}}");
	assert_string_equal(doc_violations(&doc),
			    "spec.to: must have at most 1024 elements");
	doc_free(&doc);
}

static void spec_has_values_and_defaults(void **state)
{
	struct doc doc = doc_of(
		SPEC("{to: [{targetRef: {kind: MeshService, name: b, _port: 80}}, "
		     "{targetRef: {kind: MeshExternalService, labels: {a: b}}, rules: "
		     "[{default: {backendRefs: [{kind: MeshServiceSubset, name: s, tags: "
		     "{z: y, a: b}}, {kind: MeshMultiZoneService, name: m, port: 7, "
		     "weight: 4294967290}]}}]}]}"));
	const struct tcp_route_spec *route = doc.res->tcp_route;

	(void)state;
	assert_int_equal(route->target.kind, REF_MESH);
	assert_true(route->target.sidecar && route->target.gateway);
	assert_int_equal(route->to_count, 2);
	assert_false(route->to[0].has_rule);
	assert_int_equal(route->to[0].target.port, 80);
	assert_string_equal(route->to[0].target.section, "");
	const struct tcp_to *to = &route->to[1];
	assert_true(to->has_rule && to->target.has_labels);
	assert_int_equal(to->ref_count, 2);
	assert_string_equal(labels_get(to->refs[0].ref.tags, "a"), "b");
	assert_string_equal(to->refs[0].ref.tags.items[1].key, "z");
	assert_true(to->refs[0].weight == 1);
	assert_true(to->refs[1].weight == 4294967290);
	assert_int_equal(to->refs[1].ref.port, 7);
	doc_free(&doc);

	doc = doc_of(TOP("{kind: Mesh, proxyTypes: [Gateway]}"));
	assert_true(doc.res->tcp_route->target.gateway);
	assert_false(doc.res->tcp_route->target.sidecar);
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_routes_have_only_their_warnings),
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(violations_come_in_the_order_of_the_checks),
		cmocka_unit_test(lists_end_at_their_limits),
		cmocka_unit_test(spec_has_values_and_defaults),
	};
	return cmocka_run_group_tests_name("model/tcp_route", tests, NULL, NULL);
}
