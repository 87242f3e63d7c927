/* Addresses beside their objects in a store: what survives, and what is told. */
#include "vips/vips.h"

#include "base/bytes.h"
#include "model/apply.h"
#include "model/read.h"
#include "store/read.h"
#include "store/store.h"
#include "support/test.h"
#include "support/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	struct tmp tmp;
	struct store *store;
	struct set *set; /* held; what the store has */
	struct vips *vips;
	const char *range;
};

static void open_vips(struct fixture *fix)
{
	struct vip_ranges ranges;

	for (int i = 0; i < VIP_KINDS; i++)
		assert_int_equal(vip_range_read(fix->range, &ranges.of[i], NULL), ZL_OK);
	assert_int_equal(vips_open(&fix->vips, fix->store, &ranges, fix->set, NULL),
			 ZL_OK);
}

static int setup(void **state)
{
	struct fixture *fix = zl_alloc(1, sizeof(*fix));
	const struct store_options options = { .map_size = 64 << 20 };

	tmp_make(&fix->tmp);
	assert_int_equal(
		store_open(&fix->store, tmp_path(&fix->tmp, "store"), &options, NULL),
		ZL_OK);
	fix->set = set_empty();
	fix->range = "241.0.0.0/8";
	open_vips(fix);
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	vips_close(&fix->vips);
	store_close(&fix->store);
	set_drop(&fix->set);
	tmp_remove(&fix->tmp);
	free(fix);
	return 0;
}

static struct resource *make(const char *yaml)
{
	const struct resource_rules rules = { .writer = WRITER_ZONE,
					      .zone = "east",
					      .alone = true };
	struct zl_arena *arena = zl_arena_new();
	struct findings found = findings_in(arena);
	struct docs docs;

	assert_int_equal(read_yaml(yaml, strlen(yaml), arena, &docs, NULL), ZL_OK);
	struct resource *res = resource_from_doc(docs.items[0], &rules, &found);
	assert_non_null(res);
	zl_arena_free(&arena);
	return res;
}

static struct resource *service(const char *name, int port)
{
	char *yaml = zl_format("{type: MeshService, name: %s, spec: {selector: "
			       "{dataplaneTags: {a: b}}, ports: [{port: %d}]}}",
			       name, port);
	struct resource *res = make(yaml);

	free(yaml);
	return res;
}

static void run(struct fixture *fix, struct store_job *job)
{
	struct store_result *result = NULL;
	struct zl_arena *arena = zl_arena_new();
	struct entry entry;

	assert_int_equal(store_run(fix->store, &job, &result, NULL), ZL_OK);
	assert_int_equal(
		entry_unpack(result->entry, result->entry_len, arena, &entry, NULL),
		ZL_OK);
	struct set_edit *edit = set_edit(fix->set);
	apply_entry(edit, fix->set, &entry, result->position.rev, NULL, NULL);
	set_drop(&fix->set);
	fix->set = set_done(&edit);
	vips_committed(fix->vips, &entry);
	vips_flush(fix->vips);
	store_results_free(&result);
	zl_arena_free(&arena);
}

/* Store res, which is taken, as global does. */
static void put(struct fixture *fix, struct resource *res, bool with_address)
{
	struct store_job *job = store_commit_new(NULL, 0, "", "");
	struct store_job *local = store_local_new(NULL);
	struct resource *made = with_address ? vips_complete(fix->vips, res) : NULL;
	struct zl_buf key = { 0 };

	if (made != NULL)
		vips_beside(fix->vips, made, local);
	else
		made = resource_hold(res);
	key_bytes(&made->key, &key);
	store_commit_put(job, key.data, key.len, made->json, made->json_len, STORE_ANY,
			 0);
	store_commit_also(job, &local);
	run(fix, job);
	zl_buf_free(&key);
	resource_drop(&made);
	resource_drop(&res);
}

static void take_away(struct fixture *fix, const char *name)
{
	const struct key key = { KIND_MESH_SERVICE, "default", "east", "", name };
	struct store_job *job = store_commit_new(NULL, 0, "", "");
	struct zl_buf bytes = { 0 };

	key_bytes(&key, &bytes);
	store_commit_delete(job, bytes.data, bytes.len, STORE_EXISTS, 0);
	run(fix, job);
	zl_buf_free(&bytes);
}

static const char *json_of(const struct fixture *fix, const char *name)
{
	const struct key key = { KIND_MESH_SERVICE, "default", "east", "", name };
	const struct resource *res = set_get(fix->set, &key);

	return res != NULL ? res->json : "";
}

static void open_again(struct fixture *fix)
{
	vips_close(&fix->vips);
	open_vips(fix);
}

#define DB_STATUS                                                                \
	"\"status\":{\"addresses\":[{\"hostname\":\"db.svc.east.mesh.local\"}]," \
	"\"vips\":"                                                              \
	"[{\"ip\":\"241.173.130.67\"}]}"

static void an_object_shows_its_address_and_name(void **state)
{
	struct fixture *fix = *state;

	put(fix, service("db", 1), true);
	assert_non_null(strstr(json_of(fix, "db"), DB_STATUS));
	put(fix, service("db", 2), true); /* another port, the same address */
	assert_non_null(strstr(json_of(fix, "db"), DB_STATUS));

	struct resource *ext = make("{type: MeshExternalService, name: ext, spec: "
				    "{match: {port: 1}, endpoints: [{address: a, port: "
				    "1}]}}");
	struct resource *made = vips_complete(fix->vips, ext);
	assert_non_null(strstr(made->json, "ext.extsvc.east.mesh.local"));
	assert_non_null(strstr(made->json, "\"vip\":{\"ip\":\"241."));
	resource_drop(&made);
	resource_drop(&ext);
	struct resource *mesh = make("{type: Mesh, name: m}");
	assert_null(vips_complete(fix->vips, mesh));
	resource_drop(&mesh);
}

static void host_names_have_their_templates(void **state)
{
	static const struct {
		struct key key;
		const char *name;
	} CASES[] = {
		{ { KIND_MESH_SERVICE, "m", "west", "", "db" },
		  "db.svc.west.mesh.local" },
		{ { KIND_MESH_SERVICE, "m", "west", "demo", "db" },
		  "db.demo.svc.west.mesh.local" },
		{ { KIND_MESH_EXTERNAL_SERVICE, "m", "", "", "e" },
		  "e.extsvc.mesh.local" },
		{ { KIND_MESH_EXTERNAL_SERVICE, "m", "west", "", "e" },
		  "e.extsvc.west.mesh.local" },
		{ { KIND_MESH_MULTI_ZONE_SERVICE, "m", "", "", "a" },
		  "a.mzsvc.mesh.local" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct zl_buf name = { 0 };
		vips_host_name(&CASES[i].key, &name);
		assert_string_equal(zl_buf_text(&name), CASES[i].name);
		zl_buf_free(&name);
	}
}

static bool count_one(void *ctx, const struct store_item *item)
{
	size_t *count = ctx;

	(void)item;
	(*count)++;
	return true;
}

static bool count_retired(void *ctx, const struct store_item *item)
{
	const uint8_t *bytes = item->value;
	size_t *count = ctx;

	*count += zl_get_be64(bytes + 4) != 0;
	return true;
}

static size_t count_rows(struct fixture *fix, store_item_fn *fn)
{
	struct store_job *job = store_local_new(NULL);
	struct store_view *view;
	size_t count = 0;

	/* behind what vips_flush submitted */
	assert_int_equal(store_run(fix->store, &job, NULL, NULL), ZL_OK);
	assert_int_equal(store_view_open(fix->store, &view, NULL), ZL_OK);
	assert_int_equal(store_local_each(view, "vips", fn, &count, NULL), ZL_OK);
	store_view_close(&view);
	return count;
}

static size_t row_count(struct fixture *fix)
{
	return count_rows(fix, count_one);
}

/* In a range of six a colliding service shows what was stored of others. */
static void rows_survive(void **state)
{
	struct fixture *fix = *state;
	char before[6][1024];
	char name[8];

	fix->range = "10.0.0.0/28";
	open_again(fix);
	for (int i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		put(fix, service(name, 1), true);
		(void)snprintf(before[i], sizeof(before[i]), "%s", json_of(fix, name));
	}
	assert_int_equal(row_count(fix), 6);
	take_away(fix, "s0"); /* retired: its row stays */
	assert_int_equal(row_count(fix), 6);
	assert_int_equal(count_rows(fix, count_retired), 1);
	open_again(fix);
	put(fix, service("s0", 1), true); /* and comes back */
	assert_int_equal(count_rows(fix, count_retired), 0);
	for (int i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		put(fix, service(name, 1), true);
		assert_string_equal(json_of(fix, name), before[i]);
	}
}

static void a_lost_row_comes_from_its_object(void **state)
{
	struct fixture *fix = *state;
	struct store_job *job = store_local_new(NULL);
	const struct key key = { KIND_MESH_SERVICE, "default", "east", "", "db" };

	/* An address that the rule alone would not give. */
	struct resource *plain = service("db", 1);
	struct zl_arena *arena = zl_arena_new();
	struct tree *status = tree_map(arena);
	struct tree *list = tree_list(arena);
	struct tree *vip = tree_map(arena);
	tree_set(arena, vip, "ip", tree_text(arena, "241.1.2.3"));
	tree_push(arena, list, vip);
	tree_set(arena, status, "vips", list);
	put(fix, resource_with_status(plain, status), false);
	zl_arena_free(&arena);
	resource_drop(&plain);
	store_job_free(&job);

	open_again(fix);
	vips_flush(fix->vips);
	assert_int_equal(row_count(fix), 1);
	put(fix, service("db", 2), true);
	assert_non_null(strstr(set_get(fix->set, &key)->json, "\"241.1.2.3\""));
}

static void objects_of_an_older_store_get_one(void **state)
{
	struct fixture *fix = *state;
	size_t count;

	put(fix, service("db", 1), false);
	put(fix, service("ok", 1), true);
	assert_null(strstr(json_of(fix, "db"), "status"));
	assert_int_equal(vips_repair(fix->vips, fix->store, fix->set, &count, NULL),
			 ZL_OK);
	assert_int_equal(count, 1);
	assert_int_equal(row_count(fix), 2);

	struct store_view *view;
	struct store_item item;
	const struct key key = { KIND_MESH_SERVICE, "default", "east", "", "db" };
	struct zl_buf bytes = { 0 };
	key_bytes(&key, &bytes);
	assert_int_equal(store_view_open(fix->store, &view, NULL), ZL_OK);
	assert_int_equal(store_get(view, bytes.data, bytes.len, &item, NULL), ZL_OK);
	char *json = zl_strndup(item.value, item.value_len);
	assert_non_null(strstr(json, DB_STATUS));
	free(json);
	store_view_close(&view);
	zl_buf_free(&bytes);
}

static void a_full_range_leaves_objects_without(void **state)
{
	struct fixture *fix = *state;

	fix->range = "10.0.0.0/30";
	open_again(fix);
	put(fix, service("a", 1), true);
	put(fix, service("b", 1), true);
	put(fix, service("c", 1), true);
	assert_null(strstr(json_of(fix, "c"), "status"));
	take_away(fix, "a"); /* the range is full, so the retired makes room at once */
	put(fix, service("c", 2), true);
	assert_non_null(strstr(json_of(fix, "c"), "status"));
	assert_int_equal(row_count(fix), 2);
}

static void what_is_damaged_is_left_aside(void **state)
{
	struct fixture *fix = *state;
	struct store_job *job = store_local_new(NULL);

	store_local_put(job, "vips", "short", "abc", 3);
	store_local_put(job, "vips", "odd", "\0\0\0\1\0\0\0\0\0\0\0\0\377x", 14);
	assert_int_equal(store_run(fix->store, &job, NULL, NULL), ZL_OK);
	open_again(fix);
	put(fix, service("db", 1), true);
	assert_non_null(strstr(json_of(fix, "db"), DB_STATUS));
}

/* An end between the deletion and what is written of it. */
static void the_next_start_retires_what_was_missed(void **state)
{
	struct fixture *fix = *state;

	put(fix, service("db", 1), true);
	set_drop(&fix->set);
	fix->set = set_empty();
	open_again(fix);
	vips_sweep(fix->vips, fix->set);
	vips_flush(fix->vips);
	assert_int_equal(count_rows(fix, count_retired), 1);
	put(fix, service("db", 2), true);
	assert_non_null(strstr(json_of(fix, "db"), DB_STATUS));
	assert_int_equal(count_rows(fix, count_retired), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_object_shows_its_address_and_name),
		TEST(host_names_have_their_templates),
		TEST(rows_survive),
		TEST(a_lost_row_comes_from_its_object),
		TEST(objects_of_an_older_store_get_one),
		TEST(a_full_range_leaves_objects_without),
		TEST(what_is_damaged_is_left_aside),
		TEST(the_next_start_retires_what_was_missed),
	};
	return cmocka_run_group_tests_name("vips/vips", tests, NULL, NULL);
}
