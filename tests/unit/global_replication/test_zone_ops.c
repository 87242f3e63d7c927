/* What global takes from a zone, what it refuses, and what it remembers of that. */
#include "global/replication/zone_ops.h"

#include "model/apply.h"
#include "store/store.h"
#include "support/test.h"
#include "support/tmp.h"
#include "vips/vips.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPS = 24 };

struct fixture {
	struct tmp tmp;
	struct store *store;
	struct set *set; /* held; what global has */
	struct zone_books books;
	struct vips *vips; /* NULL: none */
	struct zl_arena *arena;
	struct op ops[OPS];
	size_t count;
};

static int setup(void **state)
{
	struct fixture *fix = zl_alloc(1, sizeof(*fix));
	const struct store_options options = { .map_size = 64 << 20 };
	struct zl_err err = { 0 };

	tmp_make(&fix->tmp);
	assert_int_equal(
		store_open(&fix->store, tmp_path(&fix->tmp, "store"), &options, &err),
		ZL_OK);
	fix->set = set_empty();
	fix->arena = zl_arena_new();
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	vips_close(&fix->vips);
	store_close(&fix->store);
	set_drop(&fix->set);
	zone_books_free(&fix->books);
	zl_arena_free(&fix->arena);
	tmp_remove(&fix->tmp);
	free(fix);
	return 0;
}

/* ---- what a zone says ---- */

static struct op *op_of(struct fixture *fix, enum kind kind, const char *zone,
			const char *name, const char *json)
{
	const struct key key = { kind, kind == KIND_ZONE_INGRESS ? "" : "default", zone,
				 "", name };
	struct zl_buf bytes = { 0 };
	struct op *op = &fix->ops[fix->count++];

	assert_true(fix->count <= OPS);
	key_bytes(&key, &bytes);
	*op = (struct op){ .key = zl_arena_memdup(fix->arena, bytes.data, bytes.len),
			   .key_len = bytes.len,
			   .value = json,
			   .value_len = json != NULL ? strlen(json) : 0,
			   .deleted = json == NULL };
	zl_buf_free(&bytes);
	return op;
}

#define EAST "\"kuma.io/origin\":\"zone\",\"kuma.io/zone\":\"east\""

/* A route with these labels besides and this spec. */
static const char *route_json(struct fixture *fix, const char *name, const char *labels,
			      const char *spec)
{
	return zl_arena_format(fix->arena,
			       "{\"labels\":{%s},\"mesh\":\"default\",\"name\":\"%s\","
			       "\"spec\":{%s},\"type\":\"MeshTCPRoute\"}",
			       labels, name, spec);
}

static void say_route(struct fixture *fix, const char *name, const char *labels,
		      const char *spec)
{
	(void)op_of(fix, KIND_MESH_TCP_ROUTE, "east", name,
		    route_json(fix, name, labels, spec));
}

static void say(struct fixture *fix, const char *name)
{
	say_route(fix, name, EAST, "\"targetRef\":{\"kind\":\"Mesh\"}");
}

static void say_gone(struct fixture *fix, const char *name)
{
	(void)op_of(fix, KIND_MESH_TCP_ROUTE, "east", name, NULL);
}

/* ---- what comes of it ---- */

static struct zone_book *book(struct fixture *fix)
{
	return zone_books_get(&fix->books, "east");
}

/* Carry out all that was said; how many changes that were. */
static size_t push(struct fixture *fix, bool full)
{
	struct store_job *job = store_commit_new(NULL, 0, "east", "");
	struct store_result *result = NULL;
	struct zl_err err = { 0 };
	struct entry entry;

	size_t changes = zone_ops_job(job, book(fix), fix->ops, fix->count, full,
				      fix->set, fix->vips);
	assert_int_equal(store_run(fix->store, &job, &result, &err), ZL_OK);
	assert_int_equal(result->entry != NULL, changes > 0);
	if (result->entry != NULL) {
		assert_int_equal(entry_unpack(result->entry, result->entry_len,
					      fix->arena, &entry, &err),
				 ZL_OK);
		struct set_edit *edit = set_edit(fix->set);
		apply_entry(edit, fix->set, &entry, result->position.rev, NULL, NULL);
		set_drop(&fix->set);
		fix->set = set_done(&edit);
	}
	store_job_free(&job);
	store_results_free(&result);
	fix->count = 0;
	return changes;
}

static const struct resource *find(const struct fixture *fix, const char *zone,
				   const char *name)
{
	const struct key key = { KIND_MESH_TCP_ROUTE, "default", zone, "", name };

	return set_get(fix->set, &key);
}

static void expect_refused(struct fixture *fix, const char *why)
{
	const struct zone_book *at = book(fix);

	if (at->refused_count != 1)
		fail_msg("%zu refused, want: %s", at->refused_count, why);
	if (strstr(at->refused[0].why, why) == NULL)
		fail_msg("refused for: %s\nwant: %s", at->refused[0].why, why);
}

/* ---- tests ---- */

static void a_zones_own_come_and_go(void **state)
{
	struct fixture *fix = *state;

	say(fix, "a");
	say(fix, "b");
	assert_int_equal(push(fix, true), 2);
	assert_int_equal(find(fix, "east", "a")->origin, ORIGIN_ZONE);
	assert_string_equal(labels_get(find(fix, "east", "a")->labels, LABEL_ZONE),
			    "east");
	assert_int_equal(book(fix)->load.resources, 2);
	say(fix, "a"); /* as it is */
	assert_int_equal(push(fix, false), 0);
	say_gone(fix, "a");
	say(fix, "c");
	assert_int_equal(push(fix, false), 2);
	assert_null(find(fix, "east", "a"));
	say(fix, "a"); /* made again */
	assert_int_equal(push(fix, false), 1);
	assert_non_null(find(fix, "east", "a"));
	assert_int_equal(book(fix)->load.resources, 3);
	say(fix, "c"); /* all there is */
	assert_int_equal(push(fix, true), 2);
	assert_null(find(fix, "east", "a"));
	assert_non_null(find(fix, "east", "c"));
	assert_int_equal(book(fix)->load.resources, 1);
	assert_int_equal(book(fix)->load.bytes, travel_size(find(fix, "east", "c")));
	assert_int_equal(push(fix, true), 1);
	assert_int_equal(book(fix)->load.resources, 0);
	assert_int_equal(book(fix)->load.bytes, 0);
	assert_int_equal(book(fix)->refused_count, 0);
}

/* One bad one among good ones, by its reason. */
static void what_a_zone_may_not_write(void **state)
{
	static const struct {
		enum kind kind;
		const char *zone, *name, *json, *why;
	} CASES[] = {
		{ KIND_MESH, "", "default", "{\"name\":\"default\",\"type\":\"Mesh\"}",
		  "kind Mesh is written at global" },
		{ KIND_ZONE, "", "east", "{\"name\":\"east\",\"type\":\"Zone\"}",
		  "kind Zone is written at global" },
		{ KIND_DATAPLANE, "east", "dp",
		  "{\"labels\":{" EAST "},\"mesh\":\"default\",\"name\":\"dp\","
		  "\"networking\":{\"address\":\"10.0.0.1\"},\"type\":\"Dataplane\"}",
		  "this kind stays in its zone" },
		{ KIND_MESH_TCP_ROUTE, "west", "x",
		  "{\"labels\":{\"kuma.io/origin\":\"zone\",\"kuma.io/zone\":\"west\"},"
		  "\"mesh\":\"default\",\"name\":\"x\",\"spec\":{\"targetRef\":{\"kind\":"
		  "\"Mesh\"}},\"type\":\"MeshTCPRoute\"}",
		  "kuma.io/zone label should have east value" },
		{ KIND_MESH_TCP_ROUTE, "", "x",
		  "{\"labels\":{\"kuma.io/origin\":\"global\"},\"mesh\":\"default\","
		  "\"name\":\"x\",\"spec\":{\"targetRef\":{\"kind\":\"Mesh\"}},\"type\":"
		  "\"MeshTCPRoute\"}",
		  "the origin label must be set to 'zone'" },
		{ KIND_MESH_TCP_ROUTE, "east", "y",
		  "{\"labels\":{" EAST "},\"mesh\":\"default\",\"name\":\"x\",\"spec\":{"
		  "\"targetRef\":{\"kind\":\"Mesh\"}},\"type\":\"MeshTCPRoute\"}",
		  "its key is not that of its content" },
		{ KIND_MESH_TCP_ROUTE, "west", "x",
		  "{\"labels\":{" EAST "},\"mesh\":\"default\",\"name\":\"x\",\"spec\":{"
		  "\"targetRef\":{\"kind\":\"Mesh\"}},\"type\":\"MeshTCPRoute\"}",
		  "its key is not that of its content" },
		{ KIND_MESH_TCP_ROUTE, "east", "x",
		  "{\"labels\":{" EAST ",\"kuma.io/kds-sync\":\"disabled\"},\"mesh\":"
		  "\"default\",\"name\":\"x\",\"spec\":{\"targetRef\":{\"kind\":\"Mesh\"}"
		  "},\"type\":\"MeshTCPRoute\"}",
		  "kuma.io/kds-sync: disabled" },
		{ KIND_MESH_TCP_ROUTE, "east", "x",
		  "{\"labels\":{" EAST "},\"mesh\":\"default\",\"name\":\"x\",\"spec\":{"
		  "\"to\":[]},\"type\":\"MeshTCPRoute\"}",
		  "spec.to: must be undefined or have at least one element" },
		{ KIND_MESH_TCP_ROUTE, "east", "x",
		  "{\"labels\":{" EAST "},\"mesh\":\"default\",\"name\":\"x\",\"spec\":{"
		  "\"from\":[]},\"type\":\"MeshTCPRoute\"}",
		  "spec.from" },
		{ KIND_MESH_TCP_ROUTE, "east", "x", "{", "expected near end of file" },
		{ KIND_MESH_TCP_ROUTE, "east", "x", "[]",
		  "a resource must be an object" },
		{ KIND_MESH_TCP_ROUTE, "west", "x", NULL,
		  "it does not belong to this zone" },
		{ KIND_MESH_TCP_ROUTE, "", "x", NULL, "it does not belong to this zone" },
		/* A role that would let it act elsewhere is not believed. */
		{ KIND_MESH_TCP_ROUTE, "east", "x",
		  "{\"labels\":{" EAST ",\"kuma.io/policy-role\":\"producer\"},\"mesh\":"
		  "\"default\",\"name\":\"x\",\"spec\":{\"targetRef\":{\"kind\":\"Mesh\"}"
		  "},\"type\":\"MeshTCPRoute\"}",
		  "kuma.io/policy-role label should have system value, got producer" },
		/* Nor an ingress that says it stands in another zone. */
		{ KIND_ZONE_INGRESS, "east", "in",
		  "{\"labels\":{" EAST "},\"name\":\"in\",\"networking\":{\"address\":"
		  "\"10.0.0.1\",\"port\":1},\"type\":\"ZoneIngress\",\"zone\":\"west\"}",
		  "zone" },
	};
	struct fixture *fix = *state;
	char name[8];

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		zone_book_clear(book(fix));
		(void)snprintf(name, sizeof(name), "a%zu", i);
		say(fix, name);
		(void)op_of(fix, CASES[i].kind, CASES[i].zone, CASES[i].name,
			    CASES[i].json);
		name[0] = 'b';
		say(fix, name);
		assert_int_equal(push(fix, false), 2);
		expect_refused(fix, CASES[i].why);
		assert_non_null(find(fix, "east", name));
	}
	assert_int_equal(set_count(fix->set, KIND_MESH_TCP_ROUTE), 2 * ARRAY_LEN(CASES));
	assert_int_equal(set_count(fix->set, KIND_MESH), 0);
}

static void another_zones_and_globals_are_safe(void **state)
{
	struct fixture *fix = *state;
	struct set_edit *edit = set_edit(fix->set);
	static const char *const OTHERS[] = {
		"{\"labels\":{\"kuma.io/"
		"origin\":\"global\"},\"mesh\":\"default\",\"name\":"
		"\"x\",\"spec\":{},\"type\":\"MeshTCPRoute\"}",
		"{\"labels\":{\"kuma.io/origin\":\"zone\",\"kuma.io/zone\":\"west\"},"
		"\"mesh\":\"default\",\"name\":\"x\",\"spec\":{},\"type\":"
		"\"MeshTCPRoute\"}",
	};

	for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++) {
		struct resource *res = NULL;
		assert_int_equal(
			resource_from_json(OTHERS[i], strlen(OTHERS[i]), &res, NULL),
			ZL_OK);
		set_put(edit, res);
		resource_drop(&res);
	}
	set_drop(&fix->set);
	fix->set = set_done(&edit);
	say(fix, "x"); /* three of one display name stand side by side */
	assert_int_equal(push(fix, true), 1);
	assert_int_equal(set_count(fix->set, KIND_MESH_TCP_ROUTE), 3);
	assert_int_equal(book(fix)->load.resources, 1);
	assert_int_equal(push(fix, true), 1); /* east has nothing more */
	assert_non_null(find(fix, "", "x"));
	assert_non_null(find(fix, "west", "x"));
	assert_null(find(fix, "east", "x"));
}

static void the_role_is_computed_here(void **state)
{
#define IN_DEMO EAST ",\"k8s.kuma.io/namespace\":\"demo\""
#define TO(kind) \
	"\"to\":[{\"rules\":[],\"targetRef\":{\"kind\":\"" kind "\",\"name\":\"db\"}}]"
	struct fixture *fix = *state;
	const struct key made = { KIND_MESH_TCP_ROUTE, "default", "east", "demo", "p" };
	struct zl_buf bytes = { 0 };

	key_bytes(&made, &bytes);
	struct op *op = op_of(fix, KIND_MESH_TCP_ROUTE, "east", "p",
			      route_json(fix, "p", IN_DEMO, TO("MeshService")));
	op->key = bytes.data;
	op->key_len = bytes.len;
	assert_int_equal(push(fix, true), 1);
	assert_string_equal(labels_get(set_get(fix->set, &made)->labels, LABEL_ROLE),
			    "producer");
	assert_true(travel_comes_down(set_get(fix->set, &made), "west"));
	op = op_of(fix, KIND_MESH_TCP_ROUTE, "east", "p",
		   route_json(fix, "p", IN_DEMO ",\"kuma.io/policy-role\":\"producer\"",
			      TO("MeshExternalService")));
	op->key = bytes.data;
	op->key_len = bytes.len;
	assert_int_equal(push(fix, false), 0);
	expect_refused(fix, "should have consumer value, got producer");
	zl_buf_free(&bytes);
}

static void quarantine_ends(void **state)
{
	struct fixture *fix = *state;

	say(fix, "a");
	say(fix, "b");
	(void)push(fix, true);
	uint64_t rev = find(fix, "east", "a")->mod_rev;
	say_route(fix, "a", EAST, "\"to\":[]");
	assert_int_equal(push(fix, false), 0);
	expect_refused(fix, "spec.to");
	assert_string_equal(book(fix)->refused[0].what, "kri_mtcpr_default_east__a_");
	assert_int_equal(find(fix, "east", "a")->mod_rev, rev); /* as it was */
	say_route(fix, "a", EAST, "\"to\":[]");
	say(fix, "b"); /* also when all is told */
	assert_int_equal(push(fix, true), 0);
	expect_refused(fix, "spec.to");
	assert_non_null(find(fix, "east", "a"));
	assert_int_equal(book(fix)->load.resources, 2);
	say(fix, "a");
	(void)push(fix, false);
	assert_int_equal(book(fix)->refused_count, 0);

	say_route(fix, "a", EAST, "\"to\":[]");
	(void)push(fix, false);
	expect_refused(fix, "spec.to");
	say_gone(fix, "a");
	assert_int_equal(push(fix, false), 1);
	assert_int_equal(book(fix)->refused_count, 0);
	assert_null(find(fix, "east", "a"));

	say_route(fix, "a", EAST, "\"to\":[]");
	(void)push(fix, false);
	(void)push(fix, true); /* it is not named any more */
	assert_int_equal(book(fix)->refused_count, 0);
}

/* A newer zone's kind: refused by its name, beside what is understood, until the zone
 * takes it away. */
static void a_kind_of_a_newer_release_is_refused(void **state)
{
	static const char KEY[] = "\310default\0east\0\0new\x80";
	static const char DOC[] = "{\"labels\":{" EAST "},\"mesh\":\"default\",\"name\":"
				  "\"new\",\"spec\":{},\"type\":\"MeshOfTomorrow\"}";
	struct fixture *fix = *state;
	struct op newer = { .key = KEY,
			    .key_len = sizeof(KEY) - 1,
			    .value = DOC,
			    .value_len = sizeof(DOC) - 1 };

	for (int full = 0; full < 2; full++) {
		say(fix, full ? "b" : "a");
		fix->ops[fix->count++] = newer;
		(void)push(fix, full);
		expect_refused(fix, "MeshOfTomorrow");
		assert_string_equal(book(fix)->refused[0].what,
				    "kind 200:default east  new?");
	}
	assert_non_null(find(fix, "east", "b"));
	newer.deleted = true;
	fix->ops[fix->count++] = newer;
	assert_int_equal(push(fix, false), 0);
	assert_int_equal(book(fix)->refused_count, 0);
	fix->ops[fix->count++] = newer; /* what was never told cannot go */
	(void)push(fix, false);
	expect_refused(fix, "unknown kind 200");
}

static void a_flood_meets_its_limit(void **state)
{
	enum { FLOOD = TRAVEL_SLACK * TRAVEL_RESOURCES_MAX + ZONE_BOOK_REFUSED + 30 };
	struct fixture *fix = *state;
	struct op *ops = zl_alloc(FLOOD, sizeof(*ops));
	struct store_job *job = store_commit_new(NULL, 0, "east", "");
	char name[16];

	for (size_t i = 0; i < FLOOD; i++) {
		(void)snprintf(name, sizeof(name), "r%05zu", i);
		fix->count = 0;
		say(fix, zl_arena_strdup(fix->arena, name));
		ops[i] = fix->ops[0];
	}
	assert_int_equal(zone_ops_job(job, book(fix), ops, FLOOD, true, fix->set, NULL),
			 TRAVEL_SLACK * TRAVEL_RESOURCES_MAX);
	assert_int_equal(book(fix)->refused_count, ZONE_BOOK_REFUSED);
	assert_int_equal(book(fix)->unlisted, 30);
	assert_non_null(strstr(book(fix)->refused[0].why, "5000 resources"));
	store_job_free(&job);
	free(ops);
}

static void bytes_are_counted_too(void **state)
{
	struct fixture *fix = *state;
	static const char LABELS[] = EAST
		",\"k\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"";

	for (size_t i = 0; i < 4; i++)
		say_route(fix,
			  i == 0   ? "a"
			  : i == 1 ? "b"
			  : i == 2 ? "c"
				   : "d",
			  LABELS, "\"targetRef\":{\"kind\":\"Mesh\"}");
	book(fix)->counted = true;
	book(fix)->load.bytes = TRAVEL_SLACK * TRAVEL_BYTES_MAX - 700;
	assert_int_equal(push(fix, false), 2);
	assert_int_equal(book(fix)->refused_count, 2);
	assert_non_null(strstr(book(fix)->refused[0].why, "7 MiB"));
	/* What replaces another counts for what it is longer. */
	book(fix)->load.bytes = TRAVEL_SLACK * TRAVEL_BYTES_MAX - 1;
	say(fix, "a");
	assert_int_equal(push(fix, false), 1);
	assert_true(book(fix)->load.bytes < TRAVEL_SLACK * TRAVEL_BYTES_MAX - 60);
	/* and is no more resources than before, so a full share may still change. */
	book(fix)->load.resources = (size_t)TRAVEL_SLACK * TRAVEL_RESOURCES_MAX;
	book(fix)->load.bytes = 1000;
	say_route(fix, "a", LABELS, "\"targetRef\":{\"kind\":\"Mesh\"}");
	say(fix, "z");
	assert_int_equal(push(fix, false), 1);
	assert_non_null(strstr(find(fix, "east", "a")->json, "xxxx"));
	assert_null(find(fix, "east", "z"));
}

static void long_reasons_are_cut(void **state)
{
	struct fixture *fix = *state;
	struct zl_buf name = { 0 };

	for (size_t i = 0; i < 300; i++)
		zl_buf_str(&name, "\xc3\xa4");
	char *spec = zl_format("\"%s\":1", name.data);
	say_route(fix, "a", EAST, spec);
	(void)push(fix, true);
	const char *why = book(fix)->refused[0].why;
	size_t len = strlen(why);
	assert_true(len > 390 && len <= 403);
	assert_string_equal(why + len - 5, "\xc3\xa4...");
	free(spec);
	zl_buf_free(&name);
}

static void each_zone_has_its_book(void **state)
{
	struct fixture *fix = *state;

	assert_null(zone_books_find(&fix->books, "west"));
	struct zone_book *west = zone_books_get(&fix->books, "west");
	assert_ptr_not_equal(west, book(fix));
	assert_ptr_equal(zone_books_find(&fix->books, "west"), west);
	say_route(fix, "a", EAST, "\"to\":[]");
	(void)push(fix, false);
	assert_int_equal(west->refused_count, 0);
	zone_book_refuse(west, &(struct op){ .key = "\x09", .key_len = 1 }, "no key");
	assert_string_equal(west->refused[0].what, "kind 9:");
}

/* A service has its address in the commit that brings it, and keeps it; what a zone says
 * of it counts for nothing. */
static void services_get_addresses(void **state)
{
	struct fixture *fix = *state;
	struct vip_ranges ranges;
	static const char SERVICE[] =
		"{\"labels\":{" EAST "},\"mesh\":\"default\",\"name\":\"db\",\"spec\":{"
		"\"ports\":[{\"port\":%d}]},\"status\":{\"vips\":[{\"ip\":\"241.0.0.9\"}]"
		"}"
		",\"type\":\"MeshService\"}";
	const struct key key = { KIND_MESH_SERVICE, "default", "east", "", "db" };

	for (int i = 0; i < VIP_KINDS; i++)
		assert_int_equal(vip_range_read("241.0.0.0/8", &ranges.of[i], NULL),
				 ZL_OK);
	assert_int_equal(vips_open(&fix->vips, fix->store, &ranges, fix->set, NULL),
			 ZL_OK);
	for (int port = 1; port <= 2; port++) {
		char *json = zl_format(SERVICE, port);
		fix->count = 0;
		(void)op_of(fix, KIND_MESH_SERVICE, "east", "db", json);
		assert_int_equal(push(fix, port == 1), 1);
		const struct resource *res = set_get(fix->set, &key);
		assert_non_null(strstr(res->json, "{\"ip\":\"241.173.130.67\"}"));
		assert_null(strstr(res->json, "241.0.0.9"));
		assert_non_null(strstr(res->json, "\"db.svc.east.mesh.local\""));
		assert_int_equal(push(fix, false), 0); /* the same again */
		free(json);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_zones_own_come_and_go),
		TEST(what_a_zone_may_not_write),
		TEST(another_zones_and_globals_are_safe),
		TEST(the_role_is_computed_here),
		TEST(quarantine_ends),
		TEST(a_kind_of_a_newer_release_is_refused),
		TEST(a_flood_meets_its_limit),
		TEST(bytes_are_counted_too),
		TEST(long_reasons_are_cut),
		TEST(each_zone_has_its_book),
		TEST(services_get_addresses),
	};
	return cmocka_run_group_tests_name("global_replication/zone_ops", tests, NULL,
					   NULL);
}
