/* PUT and DELETE. */
#include "served.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define ROUTE "/meshes/default/meshtcproutes/"
#define WEIGHT                                                                     \
	"{type: MeshTCPRoute, name: route-1, spec: {targetRef: {kind: Mesh}, to: " \
	"[{targetRef: {kind: MeshService, name: backend}, rules: [{default: "      \
	"{backendRefs: [{kind: MeshService, name: backend, weight: %d}]}}]}]}}"

static unsigned put_weight(struct fixture *fix, const char *query, const char *headers,
			   int weight)
{
	char path[128];
	char body[512];

	(void)snprintf(path, sizeof(path), ROUTE "route-1%s", query);
	(void)snprintf(body, sizeof(body), WEIGHT, weight);
	return ask_with(fix, "PUT", path, headers, body);
}

static void created_configured_unchanged(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(put_weight(fix, "", "", 90), 201);
	assert_string_equal(at(fix, "result"), "created");
	assert_string_equal(at(fix, "revision"), "1");
	assert_true(has_head(fix, "\r\nETag: \"r1\"\r\n"));
	assert_int_equal(put_weight(fix, "", "", 80), 200);
	assert_string_equal(at(fix, "result"), "configured");
	assert_string_equal(at(fix, "revision"), "2");
	assert_int_equal(ask(fix, "PUT", "/meshes/other", "{type: Mesh, name: other}"),
			 201);
	assert_int_equal(put_weight(fix, "", "", 80), 200);
	assert_string_equal(at(fix, "result"), "unchanged");
	assert_string_equal(at(fix, "revision"), "2");
	assert_true(has_head(fix, "\r\nETag: \"r2\"\r\n"));

	assert_int_equal(ask(fix, "GET", ROUTE "route-1", ""), 200);
	assert_string_equal(at(fix, "revision"), "2");
	assert_string_equal(at(fix, "creationRevision"), "1");
	assert_int_equal(ask(fix, "DELETE", ROUTE "route-1", ""), 200);
	assert_string_equal(at(fix, "revision"), "4");
	assert_int_equal(ask(fix, "DELETE", ROUTE "route-1", ""), 404);
	assert_int_equal(put_weight(fix, "", "", 80), 201);
	assert_int_equal(ask(fix, "GET", ROUTE "route-1", ""), 200);
	assert_string_equal(at(fix, "creationRevision"), "5");
}

/* What GET gives can be put back, with the members that a server adds. */
static void what_was_read_can_be_written(struct fixture *fix, const char *path,
					 const char *doc)
{
	struct zl_buf body = { 0 };

	(void)ask(fix, "PUT", path, doc);
	expect(fix, 201);
	(void)ask(fix, "GET", path, "");
	expect(fix, 200);
	tree_set(fix->arena, fix->json, "creationTime",
		 tree_text(fix->arena, "2024-01-01T00:00:00Z"));
	tree_json(fix->json, &body);
	assert_non_null(strstr(body.data, "\"creationRevision\":"));
	assert_non_null(strstr(body.data, "\"kri\":"));
	(void)ask_with(fix, "PUT", path, "Content-Type: application/json\r\n", body.data);
	expect(fix, 200);
	assert_string_equal(at(fix, "result"), "unchanged");
	zl_buf_drain(&body, body.len);
	(void)ask(fix, "GET", path, "");
	tree_yaml(fix->json, &body);
	(void)ask(fix, "PUT", path, body.data);
	expect(fix, 200);
	assert_string_equal(at(fix, "result"), "unchanged");
	zl_buf_free(&body);
}

static void global_kinds_go_round(void **state)
{
	what_was_read_can_be_written(*state, "/meshes/m",
				     "{type: Mesh, name: m, routing: "
				     "{unresolvedBackends: Renormalise}}");
	what_was_read_can_be_written(*state, "/zones/west",
				     "{type: Zone, name: west, enabled: false}");
	what_was_read_can_be_written(*state, ROUTE "r",
				     "apiVersion: kuma.io/v1alpha1\n"
				     "kind: MeshTCPRoute\n"
				     "metadata: {name: r, namespace: kuma-system, "
				     "labels: {a: b}}\n"
				     "spec: {targetRef: {kind: Mesh}}\n");
}

static void zone_kinds_go_round(void **state)
{
	what_was_read_can_be_written(
		*state, "/meshes/default/dataplanes/web-01",
		"{type: Dataplane, name: web-01, networking: {address: 10.0.0.1, "
		"inbound: [{port: 80, tags: {kuma.io/service: web}}]}}");
	what_was_read_can_be_written(
		*state, "/zoneingresses/in",
		"{type: ZoneIngress, name: in, networking: {address: 10.0.0.1, "
		"port: 10001, advertisedAddress: 10.0.0.2, advertisedPort: 10001}}");
	what_was_read_can_be_written(
		*state, ROUTE "r",
		"{type: MeshTCPRoute, name: r, labels: {kuma.io/origin: zone}, "
		"spec: {targetRef: {kind: Mesh}}}");
}

static void conditions_hold_or_nothing_changes(void **state)
{
	static const struct {
		const char *headers;
		unsigned status;
	} CASES[] = {
		{ "If-Match: \"r1\"\r\n", 412 },
		{ "If-Match: \"r99\"\r\n", 412 },
		{ "If-None-Match: *\r\n", 412 },
		{ "If-Match: \"r2\r\n", 400 },
		{ "If-Match: r2\"\r\n", 400 },
		{ "If-Match: \"2\"\r\n", 400 },
		{ "If-Match: \"r\"\r\n", 400 },
		{ "If-Match: \"r-2\"\r\n", 400 },
		{ "If-Match: \"r99999999999999999999\"\r\n", 400 },
		{ "If-None-Match: \"r2\"\r\n", 400 },
		{ "If-Match: \"r2\"\r\nIf-None-Match: *\r\n", 400 },
	};
	struct fixture *fix = *state;

	assert_int_equal(put_weight(fix, "", "If-Match: \"r1\"\r\n", 1), 412);
	assert_non_null(strstr(at(fix, "detail"), "is not there"));
	assert_int_equal(put_weight(fix, "", "If-Match: *\r\n", 1), 412);
	assert_int_equal(put_weight(fix, "", "If-None-Match: *\r\n", 1), 201);
	assert_int_equal(put_weight(fix, "", "If-Match: \"r1\"\r\n", 2), 200);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		for (int dry = 0; dry < 2; dry++) {
			(void)put_weight(fix, dry ? "?dry_run=server" : "",
					 CASES[i].headers, 3);
			expect(fix, CASES[i].status);
			if (CASES[i].status == 412)
				assert_non_null(
					strstr(at(fix, "detail"),
					       "\"route-1\" is at revision 2; nothing"));
		}
	}
	assert_int_equal(
		ask_with(fix, "DELETE", ROUTE "route-1", "If-Match: \"r1\"\r\n", ""),
		412);
	assert_int_equal(ask(fix, "GET", ROUTE "route-1", ""), 200);
	assert_string_equal(at(fix, "revision"), "2");
	assert_string_equal(at(fix, "spec.to.0.rules.0.default.backendRefs.0.weight"),
			    "2");
	assert_int_equal(put_weight(fix, "", "If-Match: *\r\n", 3), 200);
	assert_int_equal(
		ask_with(fix, "DELETE", ROUTE "route-1", "If-Match: \"r3\"\r\n", ""),
		200);
}

/* All routes of the mesh: the fixture's "what has to go with it". */
static bool routes_go_with(void *owner, const struct resource *old,
			   const struct resource *now, rest_add_fn *add, void *arg,
			   struct zl_err *err)
{
	const struct fixture *fix = owner;
	struct resource *none = NULL;
	const struct resource *res;

	(void)err;
	if (now != NULL)
		return true;
	struct set_iter each = set_each(fix->set, KIND_MESH_TCP_ROUTE, old->key.name);
	while (old->key.kind == KIND_MESH && (res = set_next(&each)) != NULL)
		add(arg, &res->key, &none);
	return true;
}

static void what_belongs_to_it_goes_with_it(void **state)
{
	struct fixture *fix = *state;

	fix->ops.with = routes_go_with; /* before the first request reads it */
	assert_int_equal(
		ask(fix, "PUT", "/meshes/default", "{type: Mesh, name: default}"), 201);
	assert_int_equal(put_weight(fix, "", "", 1), 201);
	assert_int_equal(
		ask_with(fix, "DELETE", "/meshes/default", "If-Match: \"r2\"\r\n", ""),
		412);
	assert_int_equal(ask(fix, "GET", ROUTE "route-1", ""), 200);
	/* The condition is one on the Mesh alone. */
	assert_int_equal(
		ask_with(fix, "DELETE", "/meshes/default", "If-Match: \"r1\"\r\n", ""),
		200);
	assert_string_equal(at(fix, "revision"), "3");
	assert_int_equal(ask(fix, "GET", ROUTE "route-1", ""), 404);
	assert_int_equal(ask(fix, "GET", "/meshes/default", ""), 404);
}

static void a_dry_run_stores_nothing(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(put_weight(fix, "?dry_run=server", "", 1), 200);
	assert_string_equal(at(fix, "result"), "created");
	assert_string_equal(at(fix, "dryRun"), "true");
	assert_string_equal(at(fix, "revision"), "0");
	assert_int_equal(ask(fix, "GET", ROUTE "route-1", ""), 404);
	assert_int_equal(put_weight(fix, "", "", 1), 201);
	assert_int_equal(put_weight(fix, "?dry_run=server", "", 1), 200);
	assert_string_equal(at(fix, "result"), "unchanged");
	assert_int_equal(put_weight(fix, "?dry_run=server", "", 2), 200);
	assert_string_equal(at(fix, "result"), "configured");
	assert_string_equal(at(fix, "revision"), "1");
	assert_int_equal(ask(fix, "DELETE", ROUTE "route-1?dry_run=server", ""), 200);
	assert_int_equal(ask(fix, "GET", ROUTE "route-1", ""), 200);
	assert_string_equal(at(fix, "revision"), "1");
}

static void the_query_is_strict(void **state)
{
	static const char *const QUERIES[] = {
		"?dryrun=server", "?dry_run",       "?dry_run=client", "?wait=all",
		"?wait",          "?timeout=5",     "?timeout=11m",    "?timeout=-1s",
		"?timeout=5s5",   "?if_revision=1", "?timeout=s",
	};
	struct fixture *fix = *state;

	for (size_t i = 0; i < ARRAY_LEN(QUERIES); i++) {
		(void)put_weight(fix, QUERIES[i], "", 1);
		expect(fix, 400);
	}
	assert_int_equal(ask(fix, "GET", ROUTE "route-1", ""), 404);
	assert_int_equal(put_weight(fix, "?wait=zones&timeout=250ms&message=why", "", 1),
			 201);
	assert_true(has_head(fix, "\r\nX-Waited: zones 1 250\r\n"));
	assert_string_equal(at(fix, "result"), "created");
	assert_int_equal(put_weight(fix, "?wait=proxies", "", 1), 200);
	assert_true(has_head(fix, "\r\nX-Waited: proxies 1 10000\r\n"));
	assert_string_equal(at(fix, "result"), "unchanged");
}

/* The server adds what it alone knows: here the label that the one before had. */
static struct resource *keep_label(void *owner, const struct resource *old,
				   const struct resource *now)
{
	const char *kept = old != NULL ? labels_get(old->labels, "kept") : "first";
	const struct label label = { "kept", kept };

	(void)owner;
	return labels_get(now->labels, "free") != NULL ? NULL
						       : resource_relabel(now, &label, 1);
}

static void the_server_has_its_say(void **state)
{
	struct fixture *fix = *state;

	fix->ops.complete = keep_label;
	assert_int_equal(put_weight(fix, "", "", 1), 201);
	(void)ask(fix, "GET", ROUTE "route-1", "");
	assert_string_equal(at(fix, "labels.kept"), "first");
	assert_int_equal(put_weight(fix, "", "", 1), 200);
	assert_string_equal(at(fix, "result"), "unchanged");
	(void)ask(fix, "POST", "/_apply", "{type: Mesh, name: a}");
	expect(fix, 200);
	(void)ask(fix, "GET", "/meshes/a", "");
	assert_string_equal(at(fix, "labels.kept"), "first");
	(void)ask(fix, "POST", "/_apply", "{type: Mesh, name: a, labels: {free: yes}}");
	expect(fix, 200);
	(void)ask(fix, "GET", "/meshes/a", "");
	assert_string_equal(at(fix, "labels.kept"), "");
}

/* A body always means the writer's own, so a query may not mean another's. */
static void the_query_and_the_body_mean_one(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(put_weight(fix, "?zone=", "", 1), 201);
	assert_int_equal(put_weight(fix, "?zone=&namespace=", "", 2), 200);
	assert_int_equal(put_weight(fix, "?zone=east", "", 3), 400);
	assert_non_null(strstr(at(fix, "detail"), "another MeshTCPRoute than the body"));
	assert_int_equal(put_weight(fix, "?namespace=demo", "", 3), 400);
	(void)ask(fix, "GET", ROUTE "route-1", "");
	assert_string_equal(at(fix, "revision"), "2");
}

static void who_cannot_wait_says_so(void **state)
{
	struct fixture *fix = *state;

	fix->ops.written = NULL;
	assert_int_equal(put_weight(fix, "?wait=zones", "", 1), 400);
	assert_int_equal(put_weight(fix, "", "", 1), 400); /* no label of origin */
	assert_string_equal(flaw(fix, 0), "labels[\"kuma.io/origin\"]: the origin label "
					  "must be set to 'zone'");
}

static void bodies_that_are_refused(void **state)
{
	static const struct {
		const char *type, *path, *body, *flaw;
	} CASES[] = {
		{ "", ROUTE "a", "", ": the body holds no document" },
		{ "", ROUTE "a", "---\n---\n", ": the body holds no document" },
		{ "", ROUTE "a", "{type: Mesh, name: a}\n---\n{type: Mesh, name: b}\n",
		  ": the body holds more than one document; POST /_apply takes several" },
		{ "", ROUTE "a", "a: [", NULL },
		{ "application/json", ROUTE "a", "{\"type\":", NULL },
		{ "application/json", ROUTE "a", "type: Mesh", NULL },
		{ "application/json; charset=utf-8", ROUTE "a", "type: Mesh", NULL },
		{ "application/json", "/meshes/a", "[{\"type\":\"Mesh\"}]",
		  ": a resource must be an object" },
		{ "", "/meshes/a", "{type: Mesh, name: b}",
		  "name: name from the URL has to be the same as in body" },
		{ "", "/meshes/a", "{type: Zone, name: a}",
		  "type: type from the URL has to be the same as in body" },
		{ "", ROUTE "a", "{type: MeshTCPRoute, mesh: x, name: a, spec: {}}",
		  "mesh: mesh from the URL has to be the same as in body" },
		{ "", "/meshes/a", "{type: Mesh, name: a, rooting: {}}",
		  "rooting: unknown field, did you mean \"routing\"?" },
	};
	struct fixture *fix = *state;
	char header[128];

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		(void)snprintf(header, sizeof(header), "Content-Type: %s\r\n",
			       CASES[i].type);
		(void)ask_with(fix, "PUT", CASES[i].path, *CASES[i].type ? header : "",
			       CASES[i].body);
		expect(fix, 400);
		if (CASES[i].flaw != NULL)
			assert_string_equal(flaw(fix, 0), CASES[i].flaw);
		else if (flaw(fix, 0)[0] != ':' || strchr(flaw(fix, 0) + 1, ':') == NULL)
			fail_msg("no line and column: %s", flaw(fix, 0));
	}
	assert_int_equal(ask(fix, "GET", "/meshes", ""), 200);
	assert_string_equal(at(fix, "total"), "0");
}

static void many_violations_are_cut(void **state)
{
	struct fixture *fix = *state;
	struct zl_buf body = { 0 };

	zl_buf_str(&body, "type: Mesh\nname: a\n");
	for (int i = 0; i < 150; i++)
		zl_buf_format(&body, "zzz%d: 1\n", i);
	assert_int_equal(ask(fix, "PUT", "/meshes/a", body.data), 400);
	assert_string_equal(at(fix, "invalid_parameters"), "[100]");
	assert_string_equal(at(fix, "causes"), "[100]");
	assert_string_equal(at(fix, "details"), at(fix, "detail"));
	zl_buf_free(&body);
}

static void kinds_have_their_place(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(ask(fix, "PUT", "/meshes/default/dataplanes/a", "{"), 405);
	assert_string_equal(at(fix, "detail"), "kind Dataplane is written in a zone");
	assert_int_equal(ask(fix, "PUT", "/meshtcproutes/route-1", "{"), 404);
	assert_int_equal(put_weight(fix, "", "", 1), 201);
	assert_int_equal(ask(fix, "DELETE", "/meshtcproutes/route-1", ""), 404);
	assert_int_equal(ask(fix, "PUT", "/meshes/locked", "{type: Mesh, name: locked}"),
			 409);
	assert_string_equal(at(fix, "detail"), "\"locked\" is locked");
}

static void a_zone_alone_writes_what_global_writes(void **state)
{
	static const char MESH[] = "{type: Mesh, name: m}";
	struct fixture *fix = *state;

	assert_int_equal(ask(fix, "PUT", "/meshes/m", MESH), 405);
	assert_string_equal(at(fix, "detail"), "kind Mesh is written at global");
	assert_int_equal(ask(fix, "POST", "/_apply", MESH), 400);
	fix->rest.alone = true;
	assert_int_equal(ask(fix, "PUT", "/meshes/m", MESH), 201);
	assert_int_equal(ask(fix, "POST", "/_apply", MESH), 200);
}

static void warnings_come_with_the_answer(void **state)
{
	struct fixture *fix = *state;

	(void)ask(fix, "PUT", ROUTE "r",
		  "{type: MeshTCPRoute, name: r, spec: {targetRef: {kind: MeshSubset, "
		  "tags: {a: b}}}}");
	expect(fix, 201);
	assert_string_equal(at(fix, "warnings.0.kind"), "MeshTCPRoute");
	assert_string_equal(at(fix, "warnings.0.name"), "r");
	assert_string_not_equal(at(fix, "warnings.0.field"), "");
	assert_string_not_equal(at(fix, "warnings.0.reason"), "");
	assert_string_equal(at(fix, "warnings.0.document"), "");
}

static void a_mesh_that_is_not_there_is_told(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(put_weight(fix, "", "", 90), 201);
	assert_string_equal(at(fix, "warnings"), "[1]");
	assert_string_equal(at(fix, "warnings.0.field"), "mesh");
	assert_string_equal(at(fix, "warnings.0.reason"),
			    "there is no mesh \"default\": its defaults hold");
	assert_int_equal(
		ask(fix, "PUT", "/meshes/default", "{type: Mesh, name: default}"), 201);
	assert_int_equal(put_weight(fix, "", "", 80), 200);
	assert_string_equal(at(fix, "warnings"), "[0]");
}

static void a_closing_server_refuses(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(put_weight(fix, "", "", 1), 201);
	atomic_store(&fix->close_at_next, true);
	assert_int_equal(put_weight(fix, "", "", 2), 503);
	assert_true(has_head(fix, "\r\nRetry-After: 1\r\n"));
	assert_int_equal(ask(fix, "GET", ROUTE "route-1", ""), 200);
	assert_string_equal(at(fix, "revision"), "1");
}

/* RLIMIT_FSIZE stands for a full disk. */
static void a_full_disk_changes_nothing(void **state)
{
	struct fixture *fix = *state;
	struct rlimit limit;
	struct stat file;
	char *data = zl_format("%s/data.mdb", tmp_path(&fix->tmp, "store"));
	struct zl_buf body = { 0 };
	unsigned status = 0;
	int n = 0;

	assert_int_equal(put_weight(fix, "", "", 1), 201);
	assert_int_equal(stat(data, &file), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	struct rlimit tight = { (rlim_t)file.st_size + 100000, limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	for (; n < 100 && status < 400; n++) {
		zl_buf_drain(&body, body.len);
		zl_buf_format(&body, "{type: Mesh, name: m%d, routing: {}, labels: {", n);
		for (int i = 0; i < 900; i++)
			zl_buf_format(&body, "%skey-%d: value-of-this-key-%d",
				      i > 0 ? ", " : "", i, i);
		zl_buf_str(&body, "}}");
		status = ask(fix, "POST", "/_apply", body.data);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	expect(fix, 507);
	assert_non_null(strstr(at(fix, "detail"), "nothing was changed"));
	assert_int_equal(ask(fix, "GET", "/meshes", ""), 200);
	assert_int_equal(strtol(at(fix, "total"), NULL, 10), n - 1);
	assert_int_equal(ask(fix, "POST", "/_apply", body.data), 200);
	free(data);
	zl_buf_free(&body);
}

int main(void)
{
#define TEST(name, how) cmocka_unit_test_setup_teardown(name, how, teardown)
	const struct CMUnitTest tests[] = {
		TEST(created_configured_unchanged, at_global),
		TEST(global_kinds_go_round, at_global),
		TEST(zone_kinds_go_round, in_zone),
		TEST(conditions_hold_or_nothing_changes, at_global),
		TEST(what_belongs_to_it_goes_with_it, at_global),
		TEST(a_dry_run_stores_nothing, at_global),
		TEST(the_query_is_strict, at_global),
		TEST(the_query_and_the_body_mean_one, at_global),
		TEST(the_server_has_its_say, at_global),
		TEST(who_cannot_wait_says_so, in_zone),
		TEST(bodies_that_are_refused, at_global),
		TEST(many_violations_are_cut, at_global),
		TEST(kinds_have_their_place, at_global),
		TEST(a_zone_alone_writes_what_global_writes, in_zone),
		TEST(warnings_come_with_the_answer, at_global),
		TEST(a_mesh_that_is_not_there_is_told, at_global),
		TEST(a_closing_server_refuses, at_global),
		TEST(a_full_disk_changes_nothing, at_global),
	};
	return cmocka_run_group_tests_name("rest/write", tests, NULL, NULL);
}
