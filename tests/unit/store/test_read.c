/* Reading: ranges, the local records, copies, many threads at once. */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct keys {
	char text[128];
	size_t limit;
};

static bool join(void *ctx, const struct store_item *item)
{
	struct keys *keys = ctx;
	size_t len = strlen(keys->text);

	(void)snprintf(keys->text + len, sizeof(keys->text) - len, "%.*s=%.*s ",
		       (int)item->key_len, (const char *)item->key, (int)item->value_len,
		       (const char *)item->value);
	return --keys->limit > 0;
}

static void expect_range(struct store *store, const char *prefix, const char *after,
			 size_t limit, const char *want)
{
	struct store_view *view = view_of(store);
	struct keys keys = { .limit = limit };
	struct zl_err err;

	if (store_each(view, prefix, strlen(prefix), after,
		       after != NULL ? strlen(after) : 0, join, &keys, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	assert_string_equal(keys.text, want);
	store_view_close(&view);
}

static void ranges_are_in_order(void **state)
{
	struct fixture *f = *state;

	expect_range(f->store, "", NULL, 99, "");
	put(f->store, "b2", "2");
	put(f->store, "b1", "1");
	put(f->store, "a", "0");
	put(f->store, "c", "3");
	put(f->store, "b10", "4");
	expect_range(f->store, "", NULL, 99, "a=0 b1=1 b10=4 b2=2 c=3 ");
	expect_range(f->store, "b", NULL, 99, "b1=1 b10=4 b2=2 ");
	expect_range(f->store, "b", NULL, 2, "b1=1 b10=4 ");
	expect_range(f->store, "b", "b10", 99, "b2=2 ");
	expect_range(f->store, "b", "b0", 99, "b1=1 b10=4 b2=2 ");
	expect_range(f->store, "b", "a", 99, "b1=1 b10=4 b2=2 ");
	expect_range(f->store, "b", "c", 99, "");
	expect_range(f->store, "", "b1", 1, "b10=4 ");
	expect_range(f->store, "x", NULL, 99, "");
	expect_range(f->store, "", "c", 99, "");
}

static void absent_keys_of_any_length_are_absent(void **state)
{
	struct fixture *f = *state;
	struct store_view *view = view_of(f->store);
	struct store_item item;
	static char key[1000];

	assert_int_equal(store_get(view, "", 0, &item, NULL), ZL_ENOENT);
	assert_int_equal(store_get(view, key, sizeof(key), &item, NULL), ZL_ENOENT);
	assert_int_equal(store_get(view, key, ENTRY_KEY_MAX, &item, NULL), ZL_ENOENT);
	store_view_close(&view);
}

static void local_records_are_apart(void **state)
{
	struct fixture *f = *state;
	struct store_job *job = store_local_new(NULL);
	struct digest before;
	struct digest after;
	struct store_item item;
	struct keys keys = { .limit = 99 };

	struct position was = position_of(f->store, &before);
	store_local_put(job, "zone", "uuid", "u1", 2);
	store_local_put(job, "zone", "incarnation", "7", 1);
	store_local_put(job, "zones", "x", "1", 1);
	run_for(f->store, job, ZL_OK);
	struct position is = position_of(f->store, &after);
	assert_true(position_equal(&was, &is));
	assert_true(digest_equal(&before, &after));
	expect(f->store, "zone", NULL);

	reopen(f);
	struct store_view *view = view_of(f->store);
	assert_int_equal(store_local_get(view, "zone", "uuid", &item, NULL), ZL_OK);
	assert_int_equal(item.value_len, 2);
	assert_memory_equal(item.value, "u1", 2);
	assert_int_equal(store_local_get(view, "zone", "x", &item, NULL), ZL_ENOENT);
	assert_int_equal(store_local_each(view, "zone", join, &keys, NULL), ZL_OK);
	assert_string_equal(keys.text, "incarnation=7 uuid=u1 ");
	store_view_close(&view);

	job = store_local_new(NULL);
	store_local_put(job, "zone", "uuid", NULL, 0);
	store_local_put(job, "zone", "never", NULL, 0);
	run_for(f->store, job, ZL_OK);
	view = view_of(f->store);
	assert_int_equal(store_local_get(view, "zone", "uuid", &item, NULL), ZL_ENOENT);
	store_view_close(&view);
	must_verify(f->store);
}

static void copy_is_a_store(void **state)
{
	struct fixture *f = *state;
	struct fixture copy = { .store = NULL };
	struct digest a;
	struct digest b;
	struct zl_err err = { 0 };
	struct stat file;

	tmp_make(&copy.tmp);
	for (int i = 0; i < 100; i++)
		put(f->store, i % 2 ? "a" : "b", i % 3 ? "x" : "y");
	assert_int_equal(store_copy(f->store, tmp_path(&copy.tmp, "data.mdb"), &err),
			 ZL_OK);
	assert_int_not_equal(stat(tmp_path(&copy.tmp, "data.mdb.part"), &file), 0);
	put(f->store, "later", "1");
	open_store(&copy);
	must_verify(copy.store);
	expect(copy.store, "later", NULL);
	assert_int_equal(position_of(copy.store, &a).rev,
			 position_of(f->store, &b).rev - 1);
	put(copy.store, "goes", "on");
	store_close(&copy.store);
	tmp_remove(&copy.tmp);

	assert_int_equal(store_copy(f->store, "/nonexistent/x", &err), ZL_ENOENT);
	assert_non_null(strstr(err.msg, "/nonexistent/x"));
}

struct reader {
	struct store *store;
	bool stop; /* atomic */
	uint64_t reads;
	bool wrong;
};

static bool count_item(void *ctx, const struct store_item *item)
{
	*(uint64_t *)ctx += item->mod_rev;
	return true;
}

/* Each commit writes both keys: a view that shows two values would be half a commit. */
static void *read_on(void *arg)
{
	struct reader *r = arg;
	struct store_status status;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		struct store_view *view;
		struct store_item a;
		struct store_item b;
		uint64_t sum = 0;
		if (store_view_open(r->store, &view, NULL) != ZL_OK) {
			r->wrong = true;
			break;
		}
		enum zl_code x = store_get(view, "a", 1, &a, NULL);
		enum zl_code y = store_get(view, "b", 1, &b, NULL);
		r->wrong |= x != y || (x == ZL_OK && (a.mod_rev != b.mod_rev ||
						      a.value_len != b.value_len));
		r->wrong |= store_each(view, NULL, 0, NULL, 0, count_item, &sum, NULL) !=
			    ZL_OK;
		r->wrong |= x == ZL_OK && sum != 2 * a.mod_rev;
		store_view_close(&view);
		store_status(r->store, &status);
		r->reads++;
	}
	return NULL;
}

static void readers_see_whole_commits_while_the_map_grows(void **state)
{
	struct fixture *f = *state;
	struct reader readers[3] = { 0 };
	pthread_t threads[ARRAY_LEN(readers)];
	struct store_status before;
	struct store_status after;
	char *value = zl_alloc(1, 20000);

	store_close(&f->store);
	f->options.map_size = 1 << 20;
	open_store(f);
	store_status(f->store, &before);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		readers[i].store = f->store;
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]),
				 0);
	}
	for (size_t i = 1; i <= 200; i++) {
		struct store_job *job = store_commit_new(NULL, 0, NULL, NULL);
		store_commit_put(job, "a", 1, value, 100 * i, STORE_ANY, 0);
		store_commit_put(job, "b", 1, value, 100 * i, STORE_ANY, 0);
		run_for(f->store, job, ZL_OK);
	}
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		__atomic_store_n(&readers[i].stop, true, __ATOMIC_RELAXED);
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(readers[i].wrong);
		assert_true(readers[i].reads > 0);
	}
	store_status(f->store, &after);
	assert_true(after.map_bytes >
		    before.map_bytes); /* the log took more than 1 MiB */
	must_verify(f->store);
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(ranges_are_in_order),
		STORE_TEST(absent_keys_of_any_length_are_absent),
		STORE_TEST(local_records_are_apart),
		STORE_TEST(copy_is_a_store),
		STORE_TEST(readers_see_whole_commits_while_the_map_grows),
	};
	return cmocka_run_group_tests_name("store/read", tests, NULL, NULL);
}
