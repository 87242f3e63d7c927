/* MeshHTTPRoute: each row of kinds-spec 11 with its exact field and text, and what the
 * rows of MeshTCPRoute say of it too. */
#include "doc.h"

#define SPEC(spec) "{type: MeshHTTPRoute, name: r, spec: " spec "}"
#define TOP(ref) SPEC("{targetRef: " ref "}")
#define TO(ref) SPEC("{to: [{targetRef: " ref "}]}")
#define RULES(rules) \
	SPEC("{to: [{targetRef: {kind: MeshService, name: b}, rules: " rules "}]}")
#define MATCHES(matches) RULES("[{matches: " matches ", default: {}}]")
#define PATH(path) MATCHES("[{path: " path "}]")
#define HEADER(header) MATCHES("[{headers: [" header "]}]")
#define PARAM(param) MATCHES("[{queryParams: [" param "]}]")
#define DEFAULT(value) RULES("[{matches: [{}], default: " value "}]")
#define FILTER(filter) DEFAULT("{filters: [" filter "]}")

#define RULE_AT "spec.to[0].rules[0]"
#define MATCH_AT RULE_AT ".matches[0]"
#define HEADER_AT MATCH_AT ".headers[0]"
#define PARAM_AT MATCH_AT ".queryParams[0]"
#define REFS_AT RULE_AT ".default.backendRefs"
#define FILTER_AT RULE_AT ".default.filters[0].type"
#define NO_NAME ": must be a lower case HTTP header name"
#define SLASH                                                            \
	": does not need a trailing slash because only a `/`-separated " \
	"prefix or an entire path is matched"

/* clang-format off */
static const struct doc_case VALID[] = {
	{ SPEC("{}"), NULL, NULL },
	{ TO("{kind: MeshService, name: b}"), NULL, NULL },
	{ RULES("[]"), NULL, NULL },
	{ MATCHES("[{}]"), NULL, NULL },
	{ PATH("{type: Exact, value: /}"), NULL, NULL },
	{ PATH("{type: Exact, value: /a/}"), NULL, NULL },
	{ PATH("{type: PathPrefix, value: /}"), NULL, NULL },
	{ PATH("{type: PathPrefix, value: /a/b}"), NULL, NULL },
	{ PATH("{type: RegularExpression, value: 'no/slash.*'}"), NULL, NULL },
	{ MATCHES("[{method: TRACE}, {method: CONNECT}]"), NULL, NULL },
	{ HEADER("{name: 'x-a!#$%&''*+-.^_`~|9', value: v}"), NULL, NULL },
	{ HEADER("{name: a, type: Present}, {name: b, type: Absent}, {name: c, type: Prefix, value: ''}, {name: d, type: RegularExpression, value: '[a-z]+'}"), NULL, NULL },
	{ PARAM("{type: Exact, name: v, value: ''}, {type: RegularExpression, name: w, value: '\\d+'}"), NULL, NULL },
	{ DEFAULT("{backendRefs: [], filters: []}"), NULL, NULL },
	{ DEFAULT("{backendRefs: [{kind: MeshService, name: b, weight: 0}]}"), NULL, REFS_AT ": the sum of weights is 0: every request will fail" },
	{ "{apiVersion: kuma.io/v1alpha1, kind: MeshHTTPRoute, metadata: {name: h, namespace: kuma-system, labels: {kuma.io/mesh: default}}, spec: {to: [{targetRef: {kind: MeshService, name: backend}, rules: [{matches: [{path: {type: Exact, value: /}}], default: {}}]}]}}", NULL, NULL },
};

static const struct doc_case ROWS[] = {
	/* what MeshTCPRoute has too, and K13 */
	{ TOP("{kind: MeshGateway, name: g}"), "spec.targetRef.kind: value 'MeshGateway' is not supported", NULL },
	{ TOP("{kind: Mesh, name: x}"), "spec.targetRef.name: using name with kind Mesh is not yet supported", NULL },
	{ TO("{kind: Mesh}"), "spec.to[0].targetRef.kind: value 'Mesh' is not supported", NULL },
	{ TO("{kind: MeshService}"), "spec.to[0].targetRef: name or labels must be set when kind is MeshService", NULL },
	{ SPEC("{to: []}"), "spec.to: must be undefined or have at least one element", NULL },
	{ SPEC("{to: [{}]}"), "spec.to[0].targetRef: must be defined", NULL },
	{ SPEC("{from: []}"), "spec.from: MeshHTTPRoute is an outbound policy: use spec.to", NULL },
	{ SPEC("{to: [{targetRef: {kind: MeshService, name: b}, default: {}}]}"), "spec.to[0].default: belongs under rules: spec.to[0].rules[0].default", NULL },
	{ SPEC("{to: [{targetRef: {kind: MeshService, name: b}, hostnames: [a.b]}]}"), "spec.to[0].hostnames: must not be defined", NULL },
	{ DEFAULT("{backendRefs: [{kind: MeshMultiZoneService, name: b}]}"), REFS_AT "[0].port: must be defined with kind MeshMultiZoneService", NULL },
	{ DEFAULT("{backendRefs: [{kind: MeshService, name: b, weight: -1}]}"), REFS_AT "[0].weight: must be in inclusive range [0, 4294967295]", NULL },
	{ DEFAULT("{backendRefs: [{kind: MeshService, name: b, weight: 4294967295}, {kind: MeshService, name: c}]}"), REFS_AT ": sum of weights must be in inclusive range [0, 4294967295]", NULL },
	/* rules and matches */
	{ RULES("[{default: {}}]"), RULE_AT ".matches: must be defined", NULL },
	{ RULES("[{matches: [{}]}]"), RULE_AT ".default: must be defined", NULL },
	{ MATCHES("[]"), RULE_AT ".matches: must have at least one element", NULL },
	{ MATCHES("[{method: get}]"), MATCH_AT ".method: value 'get' is not supported", NULL },
	{ MATCHES("[{path: /}]"), MATCH_AT ".path: must be an object, not a text", NULL },
	{ MATCHES("[{colour: red}]"), MATCH_AT ".colour: unknown field", NULL },
	/* paths */
	{ PATH("{value: /}"), MATCH_AT ".path.type: must be defined", NULL },
	{ PATH("{type: '', value: /}"), MATCH_AT ".path.type: must be defined", NULL },
	{ PATH("{type: Prefix, value: /}"), MATCH_AT ".path.type: value 'Prefix' is not supported", NULL },
	{ PATH("{type: Exact}"), MATCH_AT ".path.value: must be defined", NULL },
	{ PATH("{type: Exact, value: a}"), MATCH_AT ".path.value: must be an absolute path", NULL },
	{ PATH("{type: PathPrefix, value: ''}"), MATCH_AT ".path.value: must be an absolute path", NULL },
	{ PATH("{type: PathPrefix, value: /a/}"), MATCH_AT ".path.value" SLASH, NULL },
	{ PATH("{type: RegularExpression, value: '('}"), MATCH_AT ".path.value: not a valid regular expression: missing closing )", NULL },
	/* headers */
	{ HEADER("{value: v}"), HEADER_AT ".name: must be defined", NULL },
	{ HEADER("{name: X-Env, value: v}"), HEADER_AT ".name" NO_NAME, NULL },
	{ HEADER("{name: '', value: v}"), HEADER_AT ".name" NO_NAME, NULL },
	{ HEADER("{name: ':path', value: v}"), HEADER_AT ".name" NO_NAME, NULL },
	{ HEADER("{name: a, type: Present, value: v}"), HEADER_AT ".value: must not be defined", NULL },
	{ HEADER("{name: a, type: Absent, value: ''}"), HEADER_AT ".value: must not be defined", NULL },
	{ HEADER("{name: a, type: Suffix, value: v}"), HEADER_AT ".type: value 'Suffix' is not supported", NULL },
	{ HEADER("{name: a, type: RegularExpression}"), HEADER_AT ".value: not a valid regular expression: it is empty", NULL },
	{ HEADER("{name: a, value: v}, {name: b, value: v}, {name: a, type: Absent}"), MATCH_AT ".headers[2].name: multiple entries for name a", NULL },
	/* query parameters */
	{ PARAM("{name: v, value: '2'}"), PARAM_AT ".type: must be defined", NULL },
	{ PARAM("{type: Present, name: v, value: '2'}"), PARAM_AT ".type: value 'Present' is not supported", NULL },
	{ PARAM("{type: '', name: v, value: '2'}"), PARAM_AT ".type: must be defined", NULL },
	{ PARAM("{type: Exact, value: '2'}"), PARAM_AT ".name: must be defined", NULL },
	{ PARAM("{type: Exact, name: '', value: '2'}"), PARAM_AT ".name: must be defined", NULL },
	{ PARAM("{type: Exact, name: v}"), PARAM_AT ".value: must be defined", NULL },
	{ PARAM("{type: RegularExpression, name: v, value: '[b-a]'}"), PARAM_AT ".value: not a valid regular expression: a range in [] that goes backwards", NULL },
	{ PARAM("{type: Exact, name: foo, value: '1'}, {type: Exact, name: foo, value: '2'}"), MATCH_AT ".queryParams[1].name: multiple entries for name foo", NULL },
	/* filters */
	{ FILTER("{type: RequestMirror, requestMirror: {backendRef: 7}}"), FILTER_AT ": filter RequestMirror is not part of Zonelink", NULL },
	{ FILTER("{type: URLRewrite}, {type: RequestRedirect}"), FILTER_AT ": filter URLRewrite is not part of Zonelink\n" RULE_AT ".default.filters[1].type: filter RequestRedirect is not part of Zonelink", NULL },
	{ FILTER("{type: RequestHeaderModifier}"), FILTER_AT ": filter RequestHeaderModifier is not part of Zonelink", NULL },
	{ FILTER("{type: ResponseHeaderModifier}"), FILTER_AT ": filter ResponseHeaderModifier is not part of Zonelink", NULL },
	{ FILTER("{type: Cache}"), FILTER_AT ": value 'Cache' is not supported", NULL },
	{ FILTER("{}"), FILTER_AT ": must be defined", NULL },
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

static void spec_has_values_and_defaults(void **state)
{
	struct doc doc = doc_of(RULES(
		"[{matches: [{path: {type: PathPrefix, value: /api}, method: GET, "
		"headers: [{name: x, value: v}, {name: y, type: Absent}], queryParams: "
		"[{type: RegularExpression, name: q, value: '2'}]}, {}], default: "
		"{backendRefs: [{kind: MeshServiceSubset, name: b, tags: {v: v2}, "
		"weight: 90}, {kind: MeshService, name: o}]}}, {matches: [{path: {type: "
		"Exact, value: /x}}], default: {}}]"));
	const struct http_route_spec *route = doc.res->http_route;

	(void)state;
	assert_int_equal(route->target.kind, REF_MESH);
	assert_int_equal(route->to_count, 1);
	assert_int_equal(route->to[0].rule_count, 2);
	const struct http_rule *rule = &route->to[0].rules[0];
	assert_int_equal(rule->match_count, 2);
	assert_int_equal(rule->matches[0].path_type, HTTP_PATH_PREFIX);
	assert_string_equal(rule->matches[0].path, "/api");
	assert_string_equal(rule->matches[0].method, "GET");
	assert_int_equal(rule->matches[0].header_count, 2);
	assert_int_equal(rule->matches[0].headers[0].type, HTTP_VALUE_EXACT);
	assert_int_equal(rule->matches[0].headers[1].type, HTTP_VALUE_ABSENT);
	assert_string_equal(rule->matches[0].headers[1].value, "");
	assert_int_equal(rule->matches[0].params[0].type, HTTP_VALUE_REGEX);
	assert_int_equal(rule->matches[1].path_type, HTTP_PATH_NONE);
	assert_string_equal(rule->matches[1].path, "");
	assert_string_equal(rule->matches[1].method, "");
	assert_int_equal(rule->ref_count, 2);
	assert_true(rule->refs[0].weight == 90 && rule->refs[1].weight == 1);
	assert_int_equal(route->to[0].rules[1].matches[0].path_type, HTTP_PATH_EXACT);
	assert_int_equal(route->to[0].rules[1].ref_count, 0);
	doc_free(&doc);
}

static void a_route_of_a_zone_is_a_policy(void **state)
{
	static const char YAML[] =
		"{apiVersion: kuma.io/v1alpha1, kind: MeshHTTPRoute, metadata: {name: h, "
		"namespace: shop, labels: {kuma.io/origin: zone}}, spec: {to: "
		"[{targetRef: {kind: MeshService, name: b, _port: 80}}]}}";
	struct resource_rules east = { .writer = WRITER_ZONE, .zone = "east" };
	struct doc doc = doc_by(YAML, east);

	(void)state;
	assert_string_equal(doc_violations(&doc), "");
	assert_string_equal(labels_get(doc.res->labels, "kuma.io/policy-role"),
			    "producer");
	assert_non_null(strstr(doc.res->json, "\"port\":80"));
	doc_free(&doc);
	doc = doc_by(SPEC("{}"), east);
	assert_string_equal(doc_violations(&doc),
			    "labels[\"kuma.io/origin\"]: the origin label must be set to "
			    "'zone'");
	doc_free(&doc);
}

/* ---- regular expressions, as RE2 has them ---- */
static const char *route_of(const char *expression, struct zl_buf *yaml)
{
	zl_buf_str(yaml, "{type: MeshHTTPRoute, name: r, spec: {to: [{targetRef: {kind: "
			 "MeshService, name: b}, rules: [{matches: [{path: {type: "
			 "RegularExpression, value: '");
	for (; *expression != '\0'; expression++)
		zl_buf_format(yaml, "%s%c", *expression == '\'' ? "'" : "", *expression);
	zl_buf_str(yaml, "'}}], default: {}}]}]}}");
	return zl_buf_text(yaml);
}

static const char *fault_of(const char *expression, struct doc *doc)
{
	static const char BEFORE[] =
		MATCH_AT ".path.value: not a valid regular expression: ";
	struct zl_buf yaml = { 0 };

	*doc = doc_of(route_of(expression, &yaml));
	zl_buf_free(&yaml);
	const char *text = doc_violations(doc);
	if (*text == '\0')
		return "";
	if (strncmp(text, BEFORE, strlen(BEFORE)) != 0)
		fail_msg("%s: %s", expression, text);
	return text + strlen(BEFORE);
}

static void expressions_of_re2_are_taken(void **state)
{
	static const char *const TAKEN[] = {
		"/api/v[0-9]+(/.*)?",
		"(?i)abc|def",
		"(?P<id>[a-f]{2,5})",
		"(?i-s:x)(?:y)",
		"a*?b+?c??",
		"a{2}{",
		"a{,3}",
		"{",
		"]",
		"a{01}",
		"\\Qa(b\\E*",
		"\\x41\\x{ff}",
		"\\pL\\p{Greek}\\P{^Lu}",
		"[^]a-]",
		"[[:alpha:][:^digit:]\\d]",
		"[a\\-z]",
		"\\A\\bfoo\\B\\z",
		"^*",
		"a(?i)*",
		"\\123",
		"\\_\\/",
		"é+",
		"(|a)",
		"()",
		"a||b",
		"(a{10}){100}",
		"[a-zA-Z0-9_-]{1,1000}",
		"[[:x]",
		"\\Q",
		"(?i)",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(TAKEN); i++) {
		struct doc doc;
		const char *fault = fault_of(TAKEN[i], &doc);
		if (*fault != '\0')
			fail_msg("%s: %s", TAKEN[i], fault);
		doc_free(&doc);
	}
}

static void others_are_refused_with_the_reason(void **state)
{
	/* clang-format off */
	static const char *const REFUSED[][2] = {
		{ "", "it is empty" },
		{ "(a", "missing closing )" },
		{ "a)", "a ) without its (" },
		{ "[a", "missing closing ]" },
		{ "[]", "missing closing ]" },
		{ "[a-", "missing closing ]" },
		{ "[z-a]", "a range in [] that goes backwards" },
		{ "[[:foo:]]", "a class such as [:alpha:] that RE2 does not know" },
		{ "[a-\\d]", "an escape that RE2 does not know" },
		{ "*a", "a repetition of nothing" },
		{ "a|+", "a repetition of nothing" },
		{ "(?i)*", "a repetition of nothing" },
		{ "({2})", "a repetition of nothing" },
		{ "a**", "a repetition of a repetition" },
		{ "a++", "a repetition of a repetition" },
		{ "a{2}{3}", "a repetition of a repetition" },
		{ "a{3,2}", "repeats must be at most 1000, and in order" },
		{ "a{1001}", "repeats must be at most 1000, and in order" },
		{ "a{1,1001}", "repeats must be at most 1000, and in order" },
		{ "(a{101}){10}", "repeats within each other must be at most 1000" },
		{ "((a{2,}){500}b){2}", "repeats within each other must be at most 1000" },
		{ "(?=a)", "a group that RE2 does not know: it has no look-around and no atomic groups" },
		{ "(?<!a)b", "a group that RE2 does not know: it has no look-around and no atomic groups" },
		{ "(?>a)", "a group that RE2 does not know: it has no look-around and no atomic groups" },
		{ "(?-)", "a group that RE2 does not know: it has no look-around and no atomic groups" },
		{ "(?", "a group that RE2 does not know: it has no look-around and no atomic groups" },
		{ "(?P<a-b>x)", "a group with a wrong name" },
		{ "(?P<n>a)(?P<n>b)", "two groups of one name" },
		{ "(a)\\1", "RE2 has no back-references" },
		{ "(?P<a>x)\\k<a>", "RE2 has no back-references" },
		{ "\\", "it ends in a backslash" },
		{ "\\h", "an escape that RE2 does not know" },
		{ "\\x4", "\\x needs two digits, or digits in braces" },
		{ "\\x{100}", "a character beyond \\xFF" },
		{ "[\\xe0-é]", "a range in [] that goes backwards" },
		{ "\\400", "a character beyond \\xFF" },
		{ "\\p{Klingon}", "\\p with a group that RE2 does not know" },
		{ "\\p{Greek", "\\p needs the name of a group" },
		{ "\\p", "\\p with a group that RE2 does not know" },
		{ "\\pL{1000}", "it is too large" },
		{ "(((a.{100}){10}b){1,0}", "repeats must be at most 1000, and in order" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(REFUSED); i++) {
		struct doc doc;
		const char *fault = fault_of(REFUSED[i][0], &doc);
		if (strcmp(fault, REFUSED[i][1]) != 0)
			fail_msg("%s: %s, not %s", REFUSED[i][0], fault, REFUSED[i][1]);
		doc_free(&doc);
	}
}

static void long_expressions_end_at_their_limit(void **state)
{
	char text[1200];
	struct doc doc;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[1024] = '\0';
	assert_string_equal(fault_of(text, &doc), "");
	doc_free(&doc);
	text[1024] = 'a';
	text[1025] = '\0';
	assert_string_equal(fault_of(text, &doc), "it is longer than 1024 bytes");
	doc_free(&doc);
	memset(text, '(', 512);
	memset(text + 512, ')', 512);
	text[1024] = '\0';
	assert_string_equal(fault_of(text, &doc), "");
	doc_free(&doc);
}

/* A name that Envoy does not take would cost the whole table. */
static void names_of_parameters_end_at_their_limit(void **state)
{
	static const char *const TEXTS[] = {
		"", PARAM_AT ".name: must not be longer than 1024 bytes"
	};
	char text[1400];

	(void)state;
	for (int more = 0; more < (int)ARRAY_LEN(TEXTS); more++) {
		(void)snprintf(text, sizeof(text),
			       PARAM("{type: Exact, name: n%0*d, value: v}"), 1023 + more,
			       0);
		struct doc doc = doc_of(text);
		assert_string_equal(doc_violations(&doc), TEXTS[more]);
		doc_free(&doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_routes_have_only_their_warnings),
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(spec_has_values_and_defaults),
		cmocka_unit_test(a_route_of_a_zone_is_a_policy),
		cmocka_unit_test(expressions_of_re2_are_taken),
		cmocka_unit_test(others_are_refused_with_the_reason),
		cmocka_unit_test(long_expressions_end_at_their_limit),
		cmocka_unit_test(names_of_parameters_end_at_their_limit),
	};
	return cmocka_run_group_tests_name("model/http_route", tests, NULL, NULL);
}
