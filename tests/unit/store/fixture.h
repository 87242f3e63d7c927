/* fixture.h - a store in a folder of its own, and short words for what tests do with it.
 *
 * Threads:  the test's, but for the results, which the store's writer collects.
 * Lifetime: setup to teardown.
 */
#pragma once

#include "base/bytes.h"
#include "base/mem.h"
#include "model/entry.h"
#include "store/read.h"
#include "store/store.h"
#include "store/write.h"

#include "support/test.h"
#include "support/tmp.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
	struct tmp tmp;
	struct store_options options;
	struct store *store;
};

static inline void open_store(struct fixture *f)
{
	struct zl_err err = { 0 };

	if (store_open(&f->store, f->tmp.dir, &f->options, &err) != ZL_OK)
		fail_msg("%s", err.msg);
}

static inline void reopen(struct fixture *f)
{
	store_close(&f->store);
	open_store(f);
}

static inline int setup(void **state)
{
	struct fixture *f = zl_alloc(1, sizeof(*f));

	tmp_make(&f->tmp);
	open_store(f);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(&f->store);
	tmp_remove(&f->tmp);
	free(f);
	return 0;
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* A commit of one put. */
static inline struct store_job *put_job(const char *key, const char *value,
					enum store_expect expect, uint64_t rev)
{
	struct store_job *job = store_commit_new(NULL, 1000, "alice", "a test");

	store_commit_put(job, key, strlen(key), value, strlen(value), expect, rev);
	return job;
}

static inline struct store_job *delete_job(const char *key, enum store_expect expect,
					   uint64_t rev)
{
	struct store_job *job = store_commit_new(NULL, 1000, "alice", "a test");

	store_commit_delete(job, key, strlen(key), expect, rev);
	return job;
}

/* Run job; the result is the caller's. */
static inline struct store_result *run(struct store *store, struct store_job *job)
{
	struct store_result *result = NULL;

	enum zl_code code = store_run(store, &job, &result, NULL);
	assert_non_null(result);
	assert_int_equal(code, result->code);
	return result;
}

/* Run job, expect code, give the revision then. */
static inline uint64_t run_for(struct store *store, struct store_job *job,
			       enum zl_code code)
{
	struct store_result *result = run(store, job);
	uint64_t rev = result->position.rev;

	if (result->code != code)
		fail_msg("%s instead of %s: %s", zl_code_text(result->code),
			 zl_code_text(code), result->err.msg);
	store_results_free(&result);
	return rev;
}

static inline uint64_t put(struct store *store, const char *key, const char *value)
{
	return run_for(store, put_job(key, value, STORE_ANY, 0), ZL_OK);
}

static inline struct store_view *view_of(struct store *store)
{
	struct zl_err err = { 0 };
	struct store_view *view;

	if (store_view_open(store, &view, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return view;
}

/* What the store has under key now; NULL: nothing. */
static inline void expect(struct store *store, const char *key, const char *want)
{
	struct store_view *view = view_of(store);
	struct zl_err err = { 0 };
	struct store_item item;

	enum zl_code code = store_get(view, key, strlen(key), &item, &err);
	if (want == NULL) {
		assert_int_equal(code, ZL_ENOENT);
	} else {
		if (code != ZL_OK)
			fail_msg("%s: %s", key, err.msg);
		assert_int_equal(item.value_len, strlen(want));
		assert_memory_equal(item.value, want, strlen(want));
	}
	store_view_close(&view);
}

static inline struct position position_of(struct store *store, struct digest *digest)
{
	struct store_view *view = view_of(store);
	struct position position;

	store_position(view, &position, digest);
	store_view_close(&view);
	return position;
}

static inline void must_verify(struct store *store)
{
	struct zl_err err = { 0 };

	if (store_verify(store, &err) != ZL_OK)
		fail_msg("%s", err.msg);
}
