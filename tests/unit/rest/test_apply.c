/* POST /_apply. */
#include "served.h"

#define TWO "{type: Mesh, name: a}\n---\n\n---\n{type: Mesh, name: b}\n"

static void all_in_one_revision(void **state)
{
	struct fixture *fix = *state;

	(void)ask(fix, "POST", "/_apply?message=first", TWO);
	expect(fix, 200);
	assert_string_equal(at(fix, "revision"), "1");
	assert_string_equal(at(fix, "dryRun"), "false");
	assert_string_equal(at(fix, "results"), "[2]");
	assert_string_equal(at(fix, "results.1.type"), "Mesh");
	assert_string_equal(at(fix, "results.1.mesh"), "");
	assert_string_equal(at(fix, "results.1.name"), "b");
	assert_string_equal(at(fix, "results.1.result"), "created");
	assert_string_equal(at(fix, "results.1.previous"), "0");
	assert_string_equal(at(fix, "results.1.revision"), "1");
	(void)ask(
		fix, "POST", "/_apply",
		"[{\"type\":\"Mesh\",\"name\":\"a\",\"labels\":{\"k\":\"v\"}},"
		"{\"type\":\"Mesh\",\"name\":\"b\"},{\"type\":\"Mesh\",\"name\":\"c\"}]");
	expect(fix, 200);
	assert_string_equal(at(fix, "revision"), "2");
	assert_string_equal(at(fix, "results.0.result"), "configured");
	assert_string_equal(at(fix, "results.0.previous"), "1");
	assert_string_equal(at(fix, "results.0.revision"), "2");
	assert_string_equal(at(fix, "results.1.result"), "unchanged");
	assert_string_equal(at(fix, "results.1.revision"), "1");
	assert_string_equal(at(fix, "results.2.result"), "created");
	(void)ask(fix, "POST", "/_apply", TWO "---\n{type: Mesh, name: c}\n");
	assert_string_equal(at(fix, "revision"), "3"); /* the label is gone */
	(void)ask(fix, "POST", "/_apply", TWO);
	assert_string_equal(at(fix, "revision"), "3"); /* unchanged: as it stands */
}

static void every_form_of_body(void **state)
{
	static const struct {
		const char *type, *body, *count;
	} CASES[] = {
		{ "", "type: Mesh\nname: a\n", "[1]" },
		{ "", "{type: Mesh, name: a}", "[1]" },
		{ "", "[{type: Mesh, name: a}, {type: Mesh, name: b}]", "[2]" },
		{ "", "- {type: Mesh, name: a}\n- {type: Mesh, name: b}\n", "[2]" },
		{ "", "{\"type\":\"Mesh\",\"name\":\"a\"}", "[1]" },
		{ "application/json", "{\"type\":\"Mesh\",\"name\":\"a\"}", "[1]" },
		{ "application/json", " [{\"type\":\"Mesh\",\"name\":\"a\"}]", "[1]" },
		{ "application/yaml",
		  "{\"type\":\"Mesh\",\"name\":\"a\"}\n---\n"
		  "{\"type\":\"Mesh\",\"name\":\"b\"}\n",
		  "[2]" },
	};
	struct fixture *fix = *state;
	char header[64];

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		(void)snprintf(header, sizeof(header), "Content-Type: %s\r\n",
			       CASES[i].type);
		(void)ask_with(fix, "POST", "/_apply", *CASES[i].type ? header : "",
			       CASES[i].body);
		expect(fix, 200);
		assert_string_equal(at(fix, "results"), CASES[i].count);
	}
}

static void one_violation_and_nothing_is_stored(void **state)
{
	struct fixture *fix = *state;

	(void)ask(fix, "POST", "/_apply",
		  TWO "---\n{type: Mesh, name: c, labels: {k: 1}}\n---\n"
		      "{type: Mesh, name: UPPER}\n---\n{type: Dataplane, name: d}\n");
	expect(fix, 400);
	assert_string_equal(at(fix, "invalid_parameters.0.document"), "4");
	assert_string_equal(at(fix, "invalid_parameters.0.field"), "labels[\"k\"]");
	assert_string_equal(at(fix, "invalid_parameters.1.document"), "5");
	assert_string_equal(at(fix, "invalid_parameters.1.field"), "name");
	assert_string_equal(at(fix, "invalid_parameters.2.document"), "6");
	assert_string_equal(at(fix, "invalid_parameters.2.reason"),
			    "kind Dataplane is written in a zone");
	assert_int_equal(ask(fix, "GET", "/meshes", ""), 200);
	assert_string_equal(at(fix, "total"), "0");
}

static void doubles_are_violations(void **state)
{
	struct fixture *fix = *state;

	(void)ask(fix, "POST", "/_apply", TWO "---\n{type: Mesh, name: a}\n");
	expect(fix, 400);
	assert_string_equal(flaw(fix, 0), "name: already defined in document 1");
	assert_string_equal(at(fix, "invalid_parameters.0.document"), "4");
}

static void what_cannot_be_read(void **state)
{
	static const char *const BODIES[] = { "",           "---\n",       "[]",
					      "a: 1\na: 2", "{type: Mesh", "&a b",
					      "\xff",       "[1" };
	struct fixture *fix = *state;

	for (size_t i = 0; i < ARRAY_LEN(BODIES); i++) {
		(void)ask(fix, "POST", "/_apply", BODIES[i]);
		expect(fix, 400);
		assert_string_equal(at(fix, "title"), "The body cannot be read");
		assert_string_equal(at(fix, "invalid_parameters"), "[1]");
	}
	(void)ask(fix, "POST", "/_apply", "[1]");
	expect(fix, 400);
	assert_string_equal(flaw(fix, 0), ": a resource must be an object");
}

static void the_owner_may_refuse(void **state)
{
	struct fixture *fix = *state;

	(void)ask(fix, "POST", "/_apply", TWO "---\n{type: Mesh, name: locked}\n");
	expect(fix, 409);
	assert_string_equal(at(fix, "detail"), "document 4: \"locked\" is locked");
	(void)ask(fix, "POST", "/_apply?dry_run=server", "{type: Mesh, name: locked}");
	expect(fix, 409);
	assert_int_equal(ask(fix, "GET", "/meshes", ""), 200);
	assert_string_equal(at(fix, "total"), "0");
}

/* In whatever order they come, and in this request only. */
static void the_owner_sees_what_comes_with_it(void **state)
{
	struct fixture *fix = *state;

	(void)ask(fix, "POST", "/_apply",
		  "{type: Mesh, name: locked}\n---\n{type: Mesh, name: key}\n");
	expect(fix, 200);
	(void)ask(fix, "POST", "/_apply",
		  "{type: Mesh, name: key}\n---\n{type: Mesh, name: locked}\n");
	expect(fix, 200);
	(void)ask(fix, "POST", "/_apply", TWO "---\n{type: Mesh, name: locked}\n");
	expect(fix, 409);
	(void)ask(fix, "PUT", "/meshes/locked", "{type: Mesh, name: locked}");
	expect(fix, 409);
}

static void dry_runs_tell_what_would_be(void **state)
{
	struct fixture *fix = *state;

	(void)ask(fix, "POST", "/_apply", TWO);
	(void)ask(fix, "POST", "/_apply?dry_run=server",
		  TWO "---\n{type: Mesh, name: c}\n");
	expect(fix, 200);
	assert_string_equal(at(fix, "dryRun"), "true");
	assert_string_equal(at(fix, "revision"), "1");
	assert_string_equal(at(fix, "results.1.result"), "unchanged");
	assert_string_equal(at(fix, "results.2.result"), "created");
	assert_int_equal(ask(fix, "GET", "/meshes/c", ""), 404);
	assert_int_equal(ask(fix, "POST", "/_apply?if_revision=1", TWO), 400);
	assert_int_equal(ask(fix, "POST", "/_apply?dryrun=server", TWO), 400);
}

static void warnings_name_their_document(void **state)
{
	struct fixture *fix = *state;

	(void)ask(fix, "POST", "/_apply?wait=proxies&timeout=1s",
		  TWO "---\n{type: MeshTCPRoute, name: r, spec: {targetRef: {kind: "
		      "MeshSubset, tags: {a: b}}}}\n");
	expect(fix, 200);
	assert_string_equal(at(fix, "warnings.0.document"), "4");
	assert_string_equal(at(fix, "warnings.0.name"), "r");
	assert_string_equal(at(fix, "warnings.1.document"), "4");
	assert_string_equal(at(fix, "warnings.1.field"), "mesh");
	assert_true(has_head(fix, "\r\nX-Waited: proxies 1 1000\r\n"));
}

static void a_mesh_that_closes_is_told(void **state)
{
#define MTLS(rest)                                                                      \
	"{type: Mesh, name: m, mtls: {enabledBackend: ca, backends: [{name: ca, type: " \
	"builtin}]" rest "}}\n"
#define PERMIT                                                               \
	"---\n{type: MeshTrafficPermission, mesh: m, name: p, spec: {from: " \
	"[{targetRef: "                                                      \
	"{kind: Mesh}, default: {action: Allow}}]}}\n"
	struct fixture *fix = *state;

	(void)ask(fix, "POST", "/_apply?dry_run=server", MTLS(""));
	expect(fix, 200);
	assert_string_equal(at(fix, "warnings.0.field"), "mtls.enabledBackend");
	assert_non_null(strstr(at(fix, "warnings.0.reason"), "nobody is let in"));
	(void)ask(fix, "PUT", "/meshes/m?dry_run=server", MTLS(""));
	expect(fix, 200);
	assert_string_equal(at(fix, "warnings.0.field"), "mtls.enabledBackend");
	(void)ask(fix, "POST", "/_apply?dry_run=server",
		  MTLS(", defaultPermission: Allow"));
	assert_string_equal(at(fix, "warnings.0.field"), "");
	(void)ask(fix, "POST", "/_apply", MTLS("") PERMIT);
	expect(fix, 200);
	assert_string_equal(at(fix, "warnings.0.field"), "");
	(void)ask(fix, "PUT", "/meshes/m", MTLS("")); /* it is there by now */
	expect(fix, 200);
	assert_string_equal(at(fix, "warnings.0.field"), "");
}

static void a_large_body(void **state)
{
	struct fixture *fix = *state;
	struct zl_buf body = { 0 };

	zl_buf_char(&body, '[');
	for (int i = 0; i < 10000; i++)
		zl_buf_format(&body,
			      "%s{\"type\":\"Mesh\",\"name\":\"m-%d\",\"labels\":"
			      "{\"some-key\":\"some-value-that-takes-some-space\"}}",
			      i > 0 ? "," : "", i);
	zl_buf_char(&body, ']');
	(void)ask(fix, "POST", "/_apply", body.data);
	expect(fix, 200);
	assert_string_equal(at(fix, "results"), "[10000]");
	body.data[body.len - 1] = ',';
	zl_buf_str(&body, "{\"type\":\"Mesh\",\"name\":\"x\"}]");
	(void)ask(fix, "POST", "/_apply", body.data);
	expect(fix, 400);
	zl_buf_free(&body);
}

int main(void)
{
#define TEST(name, how) cmocka_unit_test_setup_teardown(name, how, teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_in_one_revision, at_global),
		TEST(every_form_of_body, at_global),
		TEST(one_violation_and_nothing_is_stored, at_global),
		TEST(doubles_are_violations, at_global),
		TEST(what_cannot_be_read, at_global),
		TEST(the_owner_may_refuse, at_global),
		TEST(the_owner_sees_what_comes_with_it, at_global),
		TEST(dry_runs_tell_what_would_be, at_global),
		TEST(warnings_name_their_document, at_global),
		TEST(a_mesh_that_closes_is_told, at_global),
		TEST(a_large_body, at_global),
	};
	return cmocka_run_group_tests_name("rest/apply", tests, NULL, NULL);
}
