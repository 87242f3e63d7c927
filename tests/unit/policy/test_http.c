#include "support/test.h"
#include "support/world.h"
#include "unit/policy/http_routes.h"

#include <stdlib.h>
#include <string.h>

/* The rules of the outbound of shopper to other, in the order they are tried:
 * "owner [policies]: rule; rule". */
/* clang-format off */
static const struct {
	const char *why, *yaml, *want;
} CASES[] = {
	{ "4.2: no route", "", "default []: PathPrefix / = rest other 1" },
	{ "K14", HTTP(WHEN(EXACT("/a"), MS("far", "1"))),
	  "MeshHTTPRoute [h/0]: Exact /a = h/0 far 1; PathPrefix / = rest other 1" },
	{ "K14: a prefix that takes all", HTTP(WHEN(PREFIX("/"), MS("far", "1"))),
	  "MeshHTTPRoute [h/0]: PathPrefix / = h/0 far 1" },
	{ "K14: a match of anything", HTTP(WHEN("{}", MS("far", "1"))),
	  "MeshHTTPRoute [h/0]: any = h/0 far 1" },
	{ "K14: one of several takes all", HTTP(WHEN(EXACT("/a") ", {}", MS("far", "1")) ", " WHEN(REGEX("/b"), MS("far", "2"))),
	  "MeshHTTPRoute [h/0]: Exact /a = h/0 far 1; RegularExpression /b = h/0 far 2; any = h/0 far 1" },
	{ "K14: whatever stands behind it", HTTP(WHEN(PREFIX("/"), MS("far", "1")) ", " WHEN(REGEX("/b"), MS("far", "2"))),
	  "MeshHTTPRoute [h/0]: PathPrefix / = h/0 far 1; RegularExpression /b = h/0 far 2" },
	{ "K14: / with a method", HTTP(WHEN("{" PATH("PathPrefix", "/") ", method: GET}", MS("far", "1"))),
	  "MeshHTTPRoute [h/0]: PathPrefix / GET = h/0 far 1; PathPrefix / = rest other 1" },
	{ "K14: / with a header", HTTP(WHEN("{headers: [{name: a, value: b}]}", MS("far", "1"))),
	  "MeshHTTPRoute [h/0]: any +a 0 b = h/0 far 1; PathPrefix / = rest other 1" },
	{ "K14: / with a parameter", HTTP(WHEN("{queryParams: [{type: Exact, name: a, value: b}]}", MS("far", "1"))),
	  "MeshHTTPRoute [h/0]: any ?a 0 b = h/0 far 1; PathPrefix / = rest other 1" },
	{ "K14: Exact / is one path", HTTP(WHEN(EXACT("/"), MS("far", "1"))),
	  "MeshHTTPRoute [h/0]: Exact / = h/0 far 1; PathPrefix / = rest other 1" },

	/* Where a rule leads. */
	{ "no backendRefs", HTTP("{matches: [" EXACT("/a") "], default: {}}"),
	  "MeshHTTPRoute [h/0]: Exact /a = h/0 other 1; PathPrefix / = rest other 1" },
	{ "a list as it is", HTTP(WHEN("{}", MS("gone", "10") ", " MS("far", "0") ", " MS("backend", "90"))),
	  "MeshHTTPRoute [h/0]: any = h/0 !gone 10, !far 0, backend 90" },
	{ "no rules: owned, and to itself", HTTP(""), "MeshHTTPRoute [h/0]: PathPrefix / = rest other 1" },
	{ "D39: each match of a rule is tried once", HTTP(WHEN(PREFIX("/a") ", " EXACT("/b") ", " PREFIX("/longer"), MS("far", "1"))),
	  "MeshHTTPRoute [h/0]: Exact /b = h/0 far 1; PathPrefix /longer = h/0 far 1; PathPrefix /a = h/0 far 1; "
	  "PathPrefix / = rest other 1" },

	/* Order, D35. */
	{ "by path", HTTP(WHEN("{}", MS("far", "1")) ", " WHEN(REGEX("/x"), MS("far", "2")) ", " WHEN(REGEX("/xx"), MS("far", "3")) ", "
	  WHEN(PREFIX("/y"), MS("far", "4")) ", " WHEN(PREFIX("/yy"), MS("far", "5")) ", " WHEN(EXACT("/z"), MS("far", "6")) ", "
	  WHEN(EXACT("/zz"), MS("far", "7"))),
	  "MeshHTTPRoute [h/0]: Exact /z = h/0 far 6; Exact /zz = h/0 far 7; PathPrefix /yy = h/0 far 5; PathPrefix /y = h/0 far 4; "
	  "RegularExpression /xx = h/0 far 3; RegularExpression /x = h/0 far 2; any = h/0 far 1" },
	{ "then a method", HTTP(WHEN("{headers: [{name: a, value: b}]}", MS("far", "1")) ", " WHEN("{method: GET}", MS("far", "2"))),
	  "MeshHTTPRoute [h/0]: any GET = h/0 far 2; any +a 0 b = h/0 far 1; PathPrefix / = rest other 1" },
	{ "then headers", HTTP(WHEN("{queryParams: [{type: Exact, name: a, value: b}, {type: Exact, name: c, value: d}]}", MS("far", "1")) ", "
	  WHEN("{headers: [{name: a, value: b}], queryParams: [{type: Exact, name: a, value: b}]}", MS("far", "2"))),
	  "MeshHTTPRoute [h/0]: any +a 0 b ?a 0 b = h/0 far 2; any ?a 0 b ?c 0 d = h/0 far 1; PathPrefix / = rest other 1" },
	{ "then parameters", HTTP(WHEN("{queryParams: [{type: Exact, name: a, value: b}]}", MS("far", "1")) ", "
	  WHEN("{queryParams: [{type: Exact, name: a, value: b}, {type: RegularExpression, name: c, value: d}]}", MS("far", "2"))),
	  "MeshHTTPRoute [h/0]: any ?a 0 b ?c 2 d = h/0 far 2; any ?a 0 b = h/0 far 1; PathPrefix / = rest other 1" },
	{ "then the stronger policy", HTTP_OF("b", MESH, "other", WHEN("{method: PUT}, {method: GET}", MS("far", "1")))
	  HTTP_OF("a", MESH, "other", WHEN("{method: GET}", MS("far", "2"))),
	  "MeshHTTPRoute [b/0 a/0]: any GET = a/0 far 2; any PUT = b/0 far 1; any GET = b/0 far 1; PathPrefix / = rest other 1" },
	{ "then the earlier rule", HTTP(WHEN("{method: PUT}, {method: GET}", MS("far", "1")) ", " WHEN("{method: GET}", MS("far", "2"))),
	  "MeshHTTPRoute [h/0]: any PUT = h/0 far 1; any GET = h/0 far 1; any GET = h/0 far 2; PathPrefix / = rest other 1" },

	/* Merging, D35. */
	{ "a stronger policy's rule replaces an equal one, others stay",
	  HTTP_OF("a", MESH, "other", WHEN(PREFIX("/a"), MS("far", "1")) ", " WHEN(PREFIX("/b"), MS("far", "2")))
	  HTTP_OF("z", WEB, "other", WHEN(PREFIX("/b"), MS("backend", "3")) ", " WHEN(PREFIX("/c"), MS("backend", "4"))),
	  "MeshHTTPRoute [a/0 z/0]: PathPrefix /b = z/0 backend 3; PathPrefix /c = z/0 backend 4; PathPrefix /a = a/0 far 1; "
	  "PathPrefix / = rest other 1" },
	{ "no rules replace none",
	  HTTP_OF("z", MESH, "other", WHEN(PREFIX("/a"), MS("far", "1"))) HTTP_OF("a", MESH, "other", ""),
	  "MeshHTTPRoute [z/0 a/0]: PathPrefix /a = z/0 far 1; PathPrefix / = rest other 1" },
	{ "whatever the order of matches, headers and parameters",
	  HTTP_OF("z", MESH, "other", WHEN("{method: GET}, {headers: [{name: a, value: b}, {name: c, type: Present}], queryParams: "
	  "[{type: Exact, name: d, value: e}, {type: Exact, name: f, value: g}]}", MS("far", "1")))
	  HTTP_OF("a", MESH, "other", WHEN("{headers: [{name: c, type: Present}, {name: a, value: b, type: Exact}], queryParams: "
	  "[{type: Exact, name: f, value: g}, {type: Exact, name: d, value: e}]}, {method: GET}", MS("far", "2"))),
	  "MeshHTTPRoute [z/0 a/0]: any GET = a/0 far 2; any +c 1  +a 0 b ?f 0 g ?d 0 e = a/0 far 2; PathPrefix / = rest other 1" },
	{ "any path is not PathPrefix /",
	  HTTP_OF("z", MESH, "other", WHEN(PREFIX("/"), MS("far", "1"))) HTTP_OF("a", MESH, "other", WHEN("{}", MS("far", "2"))),
	  "MeshHTTPRoute [z/0 a/0]: PathPrefix / = z/0 far 1; any = a/0 far 2" },
	{ "names and values stay apart",
	  HTTP_OF("z", MESH, "other", WHEN("{headers: [{name: a, value: 'b 1:c'}]}", MS("far", "1")))
	  HTTP_OF("a", MESH, "other", WHEN("{headers: [{name: a, value: b}, {name: c, value: ''}]}", MS("far", "2"))),
	  "MeshHTTPRoute [z/0 a/0]: any +a 0 b +c 0  = a/0 far 2; any +a 0 b 1:c = z/0 far 1; PathPrefix / = rest other 1" },
	{ "the first of equal ones in one policy",
	  HTTP(WHEN(PREFIX("/a"), MS("far", "1")) ", " WHEN(PREFIX("/b"), MS("far", "2")) ", " WHEN(PREFIX("/a"), MS("far", "3"))),
	  "MeshHTTPRoute [h/0]: PathPrefix /a = h/0 far 1; PathPrefix /b = h/0 far 2; PathPrefix / = rest other 1" },
	{ "the first of equal ones of two entries",
	  "---\n{type: MeshHTTPRoute, name: h, spec: {to: [{targetRef: {kind: MeshService, name: other}, rules: ["
	  WHEN(PREFIX("/a"), MS("far", "1")) "]}, {targetRef: {kind: MeshService, name: other}, rules: ["
	  WHEN(PREFIX("/b"), MS("far", "2")) ", " WHEN(PREFIX("/a"), MS("far", "3")) "]}]}}\n",
	  "MeshHTTPRoute [h/0 h/1]: PathPrefix /a = h/0 far 1; PathPrefix /b = h/1 far 2; PathPrefix / = rest other 1" },

	/* Who owns it, spec 4.2. */
	{ "MeshTCPRoute alone: no requests", ROUTE_OF("t", "", MESH, "other", LIST(MS("far", "1"))), "MeshTCPRoute [t/0]: tcp far" },
	{ "both: MeshHTTPRoute", ROUTE_OF("t", "", MESH, "other", LIST(MS("far", "1"))) HTTP(WHEN("{}", MS("backend", "1"))),
	  "MeshHTTPRoute [h/0]: any = h/0 backend 1" },
	{ "about another service", HTTP_OF("h", MESH, "backend", WHEN("{}", MS("far", "1"))),
	  "default []: PathPrefix / = rest other 1" },
	{ "for another proxy", HTTP_OF("h", "{kind: Dataplane, labels: {app: x}}", "other", WHEN("{}", MS("far", "1"))),
	  "default []: PathPrefix / = rest other 1" },
};
/* clang-format on */

static char *described(const struct outbound_route *route)
{
	struct zl_buf out = { 0 };

	zl_buf_format(&out, "%s [", route_owner_name(route->owner));
	for (size_t i = 0; i < route->policy_count; i++)
		zl_buf_format(&out, "%s%s/%zu", i == 0 ? "" : " ",
			      route->policies[i].policy->key.name, route->policies[i].to);
	zl_buf_str(&out, "]:");
	if (!route->http)
		zl_buf_format(&out, " tcp %s", route->backends[0].name);
	for (size_t i = 0; i < route->rule_count; i++) {
		zl_buf_str(&out, i == 0 ? " " : "; ");
		rule_describe(&route->rules[i], &out);
	}
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static void run_case(size_t number, struct dice *dice)
{
	char *yaml = zl_format("%s%s", SHOPPER, CASES[number].yaml);
	struct tools tools = tools_of(BASE, yaml, dice);
	const struct outbound_route *route = &resolve(&tools, "shopper")->outbounds[0];
	char *text = described(route);

	if (strcmp(text, CASES[number].want) != 0)
		fail_msg("%s: %s", CASES[number].why, text);
	/* An HTTP outbound that a policy owns has rules only. */
	assert_int_equal(route->backend_count, route->owner != OWNER_HTTP_ROUTE);
	free(text);
	free(yaml);
	tools_end(&tools);
}

static void what_rules_come_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
		run_case(i, NULL);
}

static const char *in_any_order(uint64_t seed)
{
	struct dice dice = { seed };

	run_case(dice_below(&dice, ARRAY_LEN(CASES)), &dice);
	return NULL;
}

static void the_order_of_documents_does_not_matter(void **state)
{
	(void)state;
	seeds_run(200, in_any_order);
}

/* An entry about a port is stronger than one about all of them, also in one policy. */
static void the_stronger_entry_before_the_earlier(void **state)
{
	static const char YAML[] =
		"---\n{type: MeshService, name: db, labels: {kuma.io/origin: zone, "
		"kuma.io/zone: east}, spec: {selector: {dataplaneTags: {kuma.io/service: "
		"other}}, ports: [{port: 80, name: main, appProtocol: http}]}}\n"
		"---\n{type: Dataplane, name: c, networking: {address: 9.9.9.5, "
		"outbound: "
		"[{port: 1, backendRef: {kind: MeshService, name: db, port: 80}}]}}\n"
		"---\n{type: MeshHTTPRoute, name: h, spec: {to: [\n"
		"  {targetRef: {kind: MeshService, name: db, sectionName: main}, rules: "
		"[" WHEN("{method: GET}, {method: PUT}",
			 MS("far",
			    "1")) "]},\n"
				  "  {targetRef: {kind: MeshService, name: db}, rules: "
				  "[" WHEN("{method: GET}", MS("far", "2")) ", " WHEN(
					  "{method: GET}, {method: PUT}",
					  MS("far",
					     "3")) "]},\n"
						   "  {targetRef: {kind: MeshService, "
						   "name: db}, rules: [" WHEN(
							   "{method: PUT}",
							   MS("far", "4")) "]}]}}\n";
	struct tools tools = tools_of(BASE, YAML, NULL);
	char *text = described(&resolve(&tools, "c")->outbounds[0]);

	(void)state;
	/* Of equal keys the first one that is walked stays, and the weakest is. */
	assert_string_equal(text, "MeshHTTPRoute [h/1 h/2 h/0]: any GET = h/1 far 2; any "
				  "GET = h/1 far 3; any PUT = h/1 far 3; any PUT = h/2 "
				  "far 4; PathPrefix / = rest db 1");
	free(text);
	tools_end(&tools);
}

/* What is raw TCP has no requests to route. */
static void a_tcp_destination_ignores_it(void **state)
{
	struct tools tools = tools_of(
		BASE, HTTP_OF("h", MESH, "backend", WHEN("{}", MS("far", "1"))), NULL);
	const struct routes *routes = resolve(&tools, "web");
	char *text = described(&routes->outbounds[0]);

	(void)state;
	assert_string_equal(text, "default []: tcp backend");
	assert_int_equal(routes->warning_count, 1);
	assert_string_equal(routes->warnings[0],
			    "mesh \"default\": MeshHTTPRoute \"h\" has no effect on "
			    "connections to \"backend\": their protocol is tcp");
	free(text);
	tools_end(&tools);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_rules_come_out),
		cmocka_unit_test(the_order_of_documents_does_not_matter),
		cmocka_unit_test(the_stronger_entry_before_the_earlier),
		cmocka_unit_test(a_tcp_destination_ignores_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
