/* Commits: conditions, what is unchanged, many ops in one, order and grouping. */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>

static void each_commit_moves_the_revision_by_one(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(position_of(f->store, NULL).rev, 0);
	assert_int_equal(put(f->store, "a", "1"), 1);
	assert_int_equal(put(f->store, "b", "1"), 2);
	expect(f->store, "a", "1");
	expect(f->store, "c", NULL);
	assert_int_equal(run_for(f->store, delete_job("a", STORE_ANY, 0), ZL_OK), 3);
	expect(f->store, "a", NULL);
	must_verify(f->store);
}

static void expectations_decide(void **state)
{
	struct fixture *f = *state;
	static const struct {
		enum store_expect expect;
		uint64_t rev;
		bool absent, del;
		enum zl_code code;
	} CASES[] = {
		/* clang-format off */
		{ STORE_ANY,    0, false, false, ZL_OK },
		{ STORE_ANY,    0, true,  false, ZL_OK },
		{ STORE_ABSENT, 0, true,  false, ZL_OK },
		{ STORE_ABSENT, 0, false, false, ZL_ECONFLICT },
		{ STORE_EXISTS, 0, false, false, ZL_OK },
		{ STORE_EXISTS, 0, true,  false, ZL_ECONFLICT },
		{ STORE_AT_REV, 1, false, false, ZL_OK },
		{ STORE_AT_REV, 7, false, false, ZL_ECONFLICT },
		{ STORE_AT_REV, 7, true,  false, ZL_ECONFLICT },
		{ STORE_AT_REV, 0, true,  false, ZL_OK },
		{ STORE_ANY,    0, true,  true,  ZL_ENOENT },
		{ STORE_EXISTS, 0, true,  true,  ZL_ENOENT },
		{ STORE_AT_REV, 7, false, true,  ZL_ECONFLICT },
		{ STORE_AT_REV, 1, false, true,  ZL_OK },
		/* clang-format on */
	};

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct fixture own = { .store = NULL };
		tmp_make(&own.tmp);
		open_store(&own);
		put(own.store, "there", "old");
		const char *key = CASES[i].absent ? "absent" : "there";
		struct store_job *job =
			CASES[i].del ? delete_job(key, CASES[i].expect, CASES[i].rev)
				     : put_job(key, "new", CASES[i].expect, CASES[i].rev);
		struct store_result *result = run(own.store, job);
		if (result->code != CASES[i].code)
			fail_msg("case %zu: %s", i, zl_code_text(result->code));
		bool ok = result->code == ZL_OK;
		assert_int_equal(result->position.rev, ok ? 2 : 1);
		if (!ok) {
			assert_int_equal(result->op_rev, CASES[i].absent ? 0 : 1);
			expect(own.store, "there", "old");
			expect(own.store, "absent", NULL);
		}
		store_results_free(&result);
		store_close(&own.store);
		tmp_remove(&own.tmp);
	}
	(void)f;
}

static void equal_value_is_no_change(void **state)
{
	struct fixture *f = *state;

	put(f->store, "a", "1");
	struct store_result *result = run(f->store, put_job("a", "1", STORE_AT_REV, 1));
	assert_int_equal(result->code, ZL_OK);
	assert_int_equal(result->position.rev, 1);
	assert_null(result->entry);
	assert_int_equal(result->changes[0].kind, STORE_UNCHANGED);
	assert_int_equal(result->changes[0].mod_rev, 1);
	store_results_free(&result);

	/* Of several ops only those that change something are in the entry. */
	struct store_job *job = store_commit_new(NULL, 5, "bob", "two");
	store_commit_put(job, "a", 1, "1", 1, STORE_ANY, 0);
	store_commit_put(job, "b", 1, "", 0, STORE_ANY, 0);
	result = run(f->store, job);
	assert_int_equal(result->code, ZL_OK);
	assert_int_equal(result->change_count, 2);
	assert_int_equal(result->changes[0].kind, STORE_UNCHANGED);
	assert_int_equal(result->changes[1].kind, STORE_CREATED);
	assert_int_equal(result->changes[1].mod_rev, 2);
	struct zl_arena *arena = zl_arena_new();
	struct entry entry;
	assert_int_equal(
		entry_unpack(result->entry, result->entry_len, arena, &entry, NULL),
		ZL_OK);
	assert_int_equal(entry.op_count, 1);
	assert_memory_equal(entry.ops[0].key, "b", 1);
	assert_string_equal(entry.who, "bob");
	assert_string_equal(entry.message, "two");
	assert_int_equal(entry.wall_us, 5);
	zl_arena_free(&arena);
	store_results_free(&result);
	expect(f->store, "b", "");
}

static void records_keep_their_revisions(void **state)
{
	struct fixture *f = *state;
	struct store_item item;

	put(f->store, "a", "1");
	put(f->store, "b", "1");
	put(f->store, "a", "2");
	struct store_view *view = view_of(f->store);
	assert_int_equal(store_get(view, "a", 1, &item, NULL), ZL_OK);
	assert_int_equal(item.create_rev, 1);
	assert_int_equal(item.mod_rev, 3);
	assert_int_equal(item.wall_us, 1000);
	store_view_close(&view);
}

static void a_commit_is_whole_or_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_job *job = store_commit_new(NULL, 0, NULL, NULL);

	put(f->store, "there", "old");
	store_commit_put(job, "x", 1, "1", 1, STORE_ANY, 0);
	store_commit_put(job, "there", 5, "new", 3, STORE_ABSENT, 0);
	store_commit_put(job, "y", 1, "1", 1, STORE_ANY, 0);
	struct store_result *result = run(f->store, job);
	assert_int_equal(result->code, ZL_ECONFLICT);
	assert_int_equal(result->op, 1);
	assert_int_equal(result->op_rev, 1);
	store_results_free(&result);
	expect(f->store, "x", NULL);
	expect(f->store, "y", NULL);
	expect(f->store, "there", "old");
	assert_int_equal(position_of(f->store, NULL).rev, 1);
	must_verify(f->store);
}

static void unsound_commits_are_refused(void **state)
{
	struct fixture *f = *state;
	static char long_key[ENTRY_KEY_MAX + 1];
	static char long_value[STORE_VALUE_MAX + 1];

	memset(long_key, 'k', sizeof(long_key));
	struct store_job *job = store_commit_new(NULL, 0, NULL, NULL);
	store_commit_put(job, "a", 1, "1", 1, STORE_ANY, 0);
	store_commit_put(job, "b", 1, "1", 1, STORE_ANY, 0);
	store_commit_delete(job, "a", 1, STORE_ANY, 0);
	run_for(f->store, job, ZL_EINVAL);

	job = store_commit_new(NULL, 0, NULL, NULL);
	store_commit_put(job, long_key, sizeof(long_key), "1", 1, STORE_ANY, 0);
	run_for(f->store, job, ZL_EINVAL);
	job = store_commit_new(NULL, 0, NULL, NULL);
	store_commit_put(job, "", 0, "1", 1, STORE_ANY, 0);
	run_for(f->store, job, ZL_EINVAL);
	job = store_commit_new(NULL, 0, NULL, NULL);
	store_commit_put(job, "a", 1, long_value, sizeof(long_value), STORE_ANY, 0);
	run_for(f->store, job, ZL_ELIMIT);
	job = store_commit_new(NULL, 0, NULL, NULL);
	for (int i = 0; i < 17; i++) {
		char key[8];
		(void)snprintf(key, sizeof(key), "%d", i);
		store_commit_put(job, key, strlen(key), long_value, STORE_VALUE_MAX,
				 STORE_ANY, 0);
	}
	run_for(f->store, job, ZL_ELIMIT);
	assert_int_equal(position_of(f->store, NULL).rev, 0);

	/* The longest key and value are fine. */
	job = store_commit_new(NULL, 0, NULL, NULL);
	store_commit_put(job, long_key, ENTRY_KEY_MAX, long_value, STORE_VALUE_MAX,
			 STORE_ANY, 0);
	assert_int_equal(run_for(f->store, job, ZL_OK), 1);
	must_verify(f->store);
}

static void many_ops_make_one_revision(void **state)
{
	struct fixture *f = *state;
	struct store_job *job = store_commit_new(NULL, 0, "bulk", NULL);
	char key[16];

	for (int i = 0; i < 10000; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		store_commit_put(job, key, strlen(key), key, strlen(key), STORE_ABSENT,
				 0);
	}
	assert_int_equal(run_for(f->store, job, ZL_OK), 1);
	expect(f->store, "k9999", "k9999");
	reopen(f);
	expect(f->store, "k0", "k0");
	must_verify(f->store);
}

/* Collects what done gives, in order. */
struct collected {
	pthread_mutex_t lock;
	pthread_cond_t grown;
	struct store_result *results[600];
	size_t count;
	size_t calls;
};

static void collect(void *ctx, struct store_result *results)
{
	struct collected *c = ctx;

	(void)pthread_mutex_lock(&c->lock);
	c->calls++;
	while (results != NULL) {
		struct store_result *next = results->next;
		results->next = NULL;
		assert_true(c->count < ARRAY_LEN(c->results));
		c->results[c->count++] = results;
		results = next;
	}
	(void)pthread_cond_signal(&c->grown);
	(void)pthread_mutex_unlock(&c->lock);
}

static void await(struct collected *c, size_t count)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 20;
	(void)pthread_mutex_lock(&c->lock);
	while (c->count < count)
		if (pthread_cond_timedwait(&c->grown, &c->lock, &end) != 0)
			break;
	(void)pthread_mutex_unlock(&c->lock);
	assert_int_equal(c->count, count);
}

static void groups_commit_in_order_and_fail_alone(void **state)
{
	struct fixture *f = *state;
	struct collected c = { .lock = PTHREAD_MUTEX_INITIALIZER,
			       .grown = PTHREAD_COND_INITIALIZER };
	struct store_status status;
	struct zl_err err;
	char key[16];

	f->options.done = collect;
	f->options.ctx = &c;
	reopen(f);
	for (size_t i = 0; i < ARRAY_LEN(c.results); i++) {
		struct store_job *job = store_commit_new(&c.results[i], i, "w", NULL);
		(void)snprintf(key, sizeof(key), "k%zu", i);
		/* every third wants what cannot be */
		store_commit_put(job, key, strlen(key), "v", 1,
				 i % 3 == 2 ? STORE_EXISTS : STORE_ABSENT, 0);
		assert_int_equal(store_submit(f->store, &job, &err), ZL_OK);
		assert_null(job);
	}
	await(&c, ARRAY_LEN(c.results));
	uint64_t rev = 0;
	uint8_t chain[POSITION_CHAIN] = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(c.results); i++) {
		const struct store_result *result = c.results[i];
		assert_ptr_equal(result->tag, &c.results[i]);
		assert_int_equal(result->code, i % 3 == 2 ? ZL_ECONFLICT : ZL_OK);
		rev += i % 3 != 2;
		assert_int_equal(result->position.rev, rev);
		assert_memory_equal(result->chain_before, chain, sizeof(chain));
		memcpy(chain, result->position.chain, sizeof(chain));
		store_results_free(&c.results[i]);
	}
	store_status(f->store, &status);
	assert_true(status.commits < rev); /* several to a transaction */
	assert_int_equal(status.records, rev);
	must_verify(f->store);
}

static void closing_commits_what_waits(void **state)
{
	struct fixture *f = *state;
	struct collected c = { .lock = PTHREAD_MUTEX_INITIALIZER,
			       .grown = PTHREAD_COND_INITIALIZER };
	char key[16];

	f->options.done = collect;
	f->options.ctx = &c;
	reopen(f);
	for (int i = 0; i < 300; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		struct store_job *job = put_job(key, "v", STORE_ANY, 0);
		assert_int_equal(store_submit(f->store, &job, NULL), ZL_OK);
	}
	store_close(&f->store);
	assert_int_equal(c.count, 300);
	for (size_t i = 0; i < c.count; i++) {
		assert_int_equal(c.results[i]->code, ZL_OK);
		store_results_free(&c.results[i]);
	}
	open_store(f);
	assert_int_equal(position_of(f->store, NULL).rev, 300);
}

/* A commit that carries the small record own/name. */
static uint64_t commit_with(struct store *store, enum store_expect expected,
			    const char *own, enum zl_code code)
{
	struct store_job *job = put_job("k", "v", expected, 0);
	struct store_job *also = store_local_new(NULL);

	store_local_put(also, "own", "name", own, own != NULL ? strlen(own) : 0);
	store_commit_also(job, &also);
	assert_null(also);
	return run_for(store, job, code);
}

static void own_is(struct store *store, const char *want)
{
	struct store_view *view = view_of(store);
	struct store_item item;

	assert_int_equal(store_local_get(view, "own", "name", &item, NULL),
			 want != NULL ? ZL_OK : ZL_ENOENT);
	if (want != NULL)
		assert_memory_equal(item.value, want, strlen(want));
	store_view_close(&view);
}

static void small_records_belong_to_their_commit(void **state)
{
	struct fixture *f = *state;

	commit_with(f->store, STORE_EXISTS, "never", ZL_ECONFLICT);
	own_is(f->store, NULL);
	commit_with(f->store, STORE_ABSENT, "one", ZL_OK);
	own_is(f->store, "one");
	commit_with(f->store, STORE_ABSENT, "not", ZL_ECONFLICT);
	own_is(f->store, "one");
	/* The record k is as it was: no new revision, but the small one changes. */
	uint64_t rev = position_of(f->store, NULL).rev;
	commit_with(f->store, STORE_EXISTS, "two", ZL_OK);
	assert_int_equal(position_of(f->store, NULL).rev, rev);
	reopen(f);
	own_is(f->store, "two");
	commit_with(f->store, STORE_EXISTS, NULL, ZL_OK);
	own_is(f->store, NULL);
	must_verify(f->store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(each_commit_moves_the_revision_by_one),
		STORE_TEST(expectations_decide),
		STORE_TEST(equal_value_is_no_change),
		STORE_TEST(records_keep_their_revisions),
		STORE_TEST(a_commit_is_whole_or_nothing),
		STORE_TEST(unsound_commits_are_refused),
		STORE_TEST(many_ops_make_one_revision),
		STORE_TEST(groups_commit_in_order_and_fail_alone),
		STORE_TEST(closing_commits_what_waits),
		STORE_TEST(small_records_belong_to_their_commit),
	};
	return cmocka_run_group_tests_name("store/commit", tests, NULL, NULL);
}
