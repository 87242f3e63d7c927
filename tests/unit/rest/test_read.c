/* GET and lists. */
#include "served.h"

#define ROUTE "/meshes/default/meshtcproutes/"
#define BODY                                                                             \
	"{type: MeshTCPRoute, mesh: default, name: %s, spec: {targetRef: {kind: Mesh}, " \
	"to: [{targetRef: {kind: MeshService, name: backend}, rules: []}]}}"

static void put_route(struct fixture *fix, const char *name)
{
	char path[128];
	char body[512];

	(void)snprintf(path, sizeof(path), ROUTE "%s", name);
	(void)snprintf(body, sizeof(body), BODY, name);
	(void)ask(fix, "PUT", path, body);
	expect(fix, 201);
}

static void a_resource_is_shown_with_what_is_known_of_it(void **state)
{
	struct fixture *fix = *state;

	put_route(fix, "route-1");
	assert_int_equal(ask(fix, "GET", ROUTE "route-1", ""), 200);
	assert_true(has_head(fix, "\r\nETag: \"r1\"\r\n"));
	assert_true(has_head(fix, "\r\nContent-Type: application/json"));
	assert_string_equal(at(fix, "type"), "MeshTCPRoute");
	assert_string_equal(at(fix, "mesh"), "default");
	assert_string_equal(at(fix, "name"), "route-1");
	assert_string_equal(at(fix, "spec.to.0.targetRef.name"), "backend");
	assert_string_equal(at(fix, "revision"), "1");
	assert_string_equal(at(fix, "creationRevision"), "1");
	assert_string_equal(at(fix, "kri"), "kri_mtcpr_default___route-1_");
	const char *when = at(fix, "modificationTime");
	assert_int_equal(when[4], '-');
	assert_int_equal(when[10], 'T');
	assert_int_equal(when[strlen(when) - 1], 'Z');
}

static void what_is_not_there_is_404(void **state)
{
	static const char *const PATHS[] = {
		(ROUTE "nope"),
		"/meshes/nope",
		"/meshes/default/nopes/a",
		"/nopes",
		"/meshes/default/meshes/a", /* a Mesh is in no mesh */
		"/meshtcproutes/route-1",   /* and a route in one */
		"/meshes/other/meshtcproutes/route-1",
	};
	struct fixture *fix = *state;

	put_route(fix, "route-1");
	for (size_t i = 0; i < ARRAY_LEN(PATHS); i++) {
		(void)ask(fix, "GET", PATHS[i], "");
		expect(fix, 404);
		assert_true(has_head(fix, "application/problem+json"));
		assert_string_not_equal(at(fix, "detail"), "");
		assert_string_not_equal(at(fix, "instance"), "");
	}
}

static void lists_come_in_pages(void **state)
{
	struct fixture *fix = *state;
	char name[16];

	for (int i = 0; i < 7; i++) {
		(void)snprintf(name, sizeof(name), "%s-%d", i < 5 ? "web" : "db", i);
		put_route(fix, name);
	}
	assert_int_equal(ask(fix, "GET", "/meshes/default/meshtcproutes?size=3", ""),
			 200);
	assert_string_equal(at(fix, "total"), "7");
	assert_string_equal(at(fix, "items"), "[3]");
	assert_string_equal(at(fix, "items.0.name"), "db-5");
	assert_string_equal(at(fix, "next"),
			    "/meshes/default/meshtcproutes?size=3&offset=3");
	assert_int_equal(ask(fix, "GET", at(fix, "next"), ""), 200);
	assert_string_equal(at(fix, "items.2.name"), "web-3");
	assert_int_equal(ask(fix, "GET", at(fix, "next"), ""), 200);
	assert_string_equal(at(fix, "items"), "[1]");
	assert_string_equal(at(fix, "next"), "");

	/* a part of the name goes on to the next page */
	assert_int_equal(ask(fix, "GET", "/meshtcproutes?size=2&name=w%65b-", ""), 200);
	assert_string_equal(at(fix, "total"), "5");
	assert_string_equal(at(fix, "next"), "/meshtcproutes?size=2&offset=2&name=web-");
	assert_int_equal(ask(fix, "GET", "/meshtcproutes?name=%22%3c%26", ""), 200);
	assert_string_equal(at(fix, "total"), "0");
	assert_int_equal(ask(fix, "GET", "/meshtcproutes?offset=9223372036854775807", ""),
			 400);
	assert_int_equal(ask(fix, "GET", "/meshtcproutes?offset=100", ""), 200);
	assert_string_equal(at(fix, "items"), "[0]");
	assert_string_equal(at(fix, "total"), "7");
	assert_int_equal(ask(fix, "GET", "/meshes/other/meshtcproutes", ""), 200);
	assert_string_equal(at(fix, "total"), "0");
}

static void pages_have_limits(void **state)
{
	static const char *const QUERIES[] = { "size=0",  "size=1001", "size=-1",
					       "size=",   "size=x",    "size=1x",
					       "offset=", "offset=-1", "size=1e3" };
	struct fixture *fix = *state;
	char path[64];

	for (size_t i = 0; i < ARRAY_LEN(QUERIES); i++) {
		(void)snprintf(path, sizeof(path), "/meshes?%s", QUERIES[i]);
		(void)ask(fix, "GET", path, "");
		expect(fix, 400);
	}
	assert_int_equal(ask(fix, "GET", "/meshes?size=1000", ""), 200);
}

/* In a zone two routes may share a name: one of each namespace. */
static void ambiguous_names_are_told(void **state)
{
	static const char BOTH[] =
		"[{\"type\":\"MeshTCPRoute\",\"name\":\"r\",\"labels\":"
		"{\"kuma.io/origin\":\"zone\",\"k8s.kuma.io/namespace\":\"%s\"},"
		"\"spec\":{\"targetRef\":{\"kind\":\"Mesh\"}}}]";
	struct fixture *fix = *state;
	char body[512];

	(void)snprintf(body, sizeof(body), BOTH, "one");
	(void)ask(fix, "POST", "/_apply", body);
	expect(fix, 200);
	assert_int_equal(ask(fix, "GET", ROUTE "r", ""), 200);
	(void)snprintf(body, sizeof(body), BOTH, "two");
	(void)ask(fix, "POST", "/_apply", body);
	expect(fix, 200);
	(void)ask(fix, "GET", ROUTE "r", "");
	expect(fix, 409);
	assert_non_null(strstr(at(fix, "detail"), "kri_mtcpr_default_east_one_r_"));
	assert_non_null(strstr(at(fix, "detail"), "kri_mtcpr_default_east_two_r_"));
	assert_int_equal(ask(fix, "DELETE", ROUTE "r", ""), 409);
	/* The name that a replica is stored by tells them apart too. */
	const char *two = strstr(at(fix, "detail"), "_two_r_ (");
	assert_non_null(two);
	(void)snprintf(body, sizeof(body), ROUTE "%.18s", two + strlen("_two_r_ ("));
	assert_int_equal(ask(fix, "GET", body, ""), 200);
	assert_string_equal(at(fix, "kri"), "kri_mtcpr_default_east_two_r_");
	body[strlen(body) - 1] = body[strlen(body) - 1] == 'b' ? 'c' : 'b';
	assert_int_equal(ask(fix, "GET", body, ""), 404);
	assert_int_equal(ask(fix, "GET", ROUTE "r?namespace=two", ""), 200);
	assert_string_equal(at(fix, "kri"), "kri_mtcpr_default_east_two_r_");
	assert_int_equal(ask(fix, "GET", ROUTE "r?zone=east&namespace=one", ""), 200);
	assert_int_equal(ask(fix, "GET", ROUTE "r?zone=west", ""), 404);
	assert_int_equal(ask(fix, "DELETE", ROUTE "r?namespace=one", ""), 200);
	assert_int_equal(ask(fix, "GET", ROUTE "r", ""), 200);
	assert_string_equal(at(fix, "kri"), "kri_mtcpr_default_east_two_r_");
}

int main(void)
{
#define TEST(name, how) cmocka_unit_test_setup_teardown(name, how, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_resource_is_shown_with_what_is_known_of_it, at_global),
		TEST(what_is_not_there_is_404, at_global),
		TEST(lists_come_in_pages, at_global),
		TEST(pages_have_limits, at_global),
		TEST(ambiguous_names_are_told, in_zone),
	};
	return cmocka_run_group_tests_name("rest/read", tests, NULL, NULL);
}
