/* The log: reading on from a revision, cutting its old end, pins, history of a key. */
#include "fixture.h"

#include "model/position.h"

#include <stdio.h>

struct seen {
	uint64_t revs[64];
	uint8_t last_chain[POSITION_CHAIN];
	size_t count, limit;
};

static bool see(void *ctx, const struct store_log_item *item)
{
	struct seen *seen = ctx;
	uint8_t chain[POSITION_CHAIN];

	position_chain(chain, seen->last_chain, item->rev, item->entry, item->len);
	if (seen->count > 0)
		assert_memory_equal(chain, item->chain, POSITION_CHAIN);
	memcpy(seen->last_chain, item->chain, POSITION_CHAIN);
	seen->revs[seen->count++] = item->rev;
	return seen->count < seen->limit;
}

static void put_numbered(struct store *store, int from, int to)
{
	char value[16];

	for (int i = from; i <= to; i++) {
		(void)snprintf(value, sizeof(value), "v%d", i);
		put(store, i % 2 ? "odd" : "even", value);
	}
}

static void log_is_read_on_from_a_revision(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .limit = 3 };
	uint8_t chain[POSITION_CHAIN];

	put_numbered(f->store, 1, 10);
	struct store_view *view = view_of(f->store);
	assert_int_equal(store_floor(view), 1);
	assert_int_equal(store_log(view, 4, see, &seen, NULL), ZL_OK);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.revs[0], 4);
	assert_int_equal(seen.revs[2], 6);
	assert_int_equal(store_chain_at(view, 6, chain, NULL), ZL_OK);
	assert_memory_equal(chain, seen.last_chain, POSITION_CHAIN);

	seen = (struct seen){ .limit = 3 };
	assert_int_equal(store_log(view, 11, see, &seen, NULL), ZL_OK);
	assert_int_equal(seen.count, 0); /* nothing beyond the end */
	assert_int_equal(store_chain_at(view, 11, chain, NULL), ZL_ENOENT);
	assert_int_equal(store_chain_at(view, 0, chain, NULL), ZL_OK);
	static const uint8_t NONE[POSITION_CHAIN];
	assert_memory_equal(chain, NONE, sizeof(NONE));
	store_view_close(&view);
}

static void view_keeps_its_moment(void **state)
{
	struct fixture *f = *state;
	struct store_item item;
	struct position position;

	put(f->store, "a", "1");
	struct store_view *view = view_of(f->store);
	put(f->store, "a", "2");
	store_position(view, &position, NULL);
	assert_int_equal(position.rev, 1);
	assert_int_equal(store_get(view, "a", 1, &item, NULL), ZL_OK);
	assert_memory_equal(item.value, "1", 1);
	store_view_close(&view);
	expect(f->store, "a", "2");
}

static void log_is_cut_and_says_so(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .limit = 64 };
	struct store_status status;
	struct zl_err err = { 0 };
	uint8_t chain[POSITION_CHAIN];

	f->options.log_count = 10;
	reopen(f);
	put_numbered(f->store, 1, 300);
	store_status(f->store, &status);
	assert_in_range(status.log_entries, 10, 10 + 70);

	struct store_view *view = view_of(f->store);
	uint64_t floor = store_floor(view);
	assert_int_equal(floor, status.floor_rev);
	assert_int_equal(store_log(view, floor - 1, see, &seen, &err), ZL_ENOENT);
	assert_non_null(strstr(err.msg, "begins with revision"));
	seen.limit = 2;
	assert_int_equal(store_chain_at(view, floor - 1, seen.last_chain, NULL), ZL_OK);
	seen.count = 0;
	assert_int_equal(store_log(view, floor, see, &seen, NULL), ZL_OK);
	assert_int_equal(store_chain_at(view, floor - 2, chain, &err), ZL_ENOENT);
	store_view_close(&view);
	must_verify(f->store);
	reopen(f);
	must_verify(f->store);
}

static void log_is_cut_under_load(void **state)
{
	struct fixture *f = *state;
	struct store_status status;

	f->options.log_count = 10;
	reopen(f);
	for (int i = 0; i < 3000; i++) {
		char value[16];
		(void)snprintf(value, sizeof(value), "v%d", i);
		struct store_job *job = put_job("k", value, STORE_ANY, 0);
		assert_int_equal(store_submit(f->store, &job, NULL), ZL_OK);
	}
	put(f->store, "last", "1"); /* waits for all before it */
	store_status(f->store, &status);
	assert_in_range(status.log_entries, 10, 10 + 256 + 64);
	must_verify(f->store);
}

static void log_is_cut_by_bytes(void **state)
{
	struct fixture *f = *state;
	static char value[10000];
	struct store_status status;

	f->options.log_bytes = 100000;
	reopen(f);
	for (int i = 0; i < 100; i++) {
		value[0] = (char)i;
		struct store_job *job = store_commit_new(NULL, 0, NULL, NULL);
		store_commit_put(job, "k", 1, value, sizeof(value), STORE_ANY, 0);
		run_for(f->store, job, ZL_OK);
	}
	store_status(f->store, &status);
	assert_in_range(status.log_bytes, 50000, 125000);
	must_verify(f->store);
}

static void pinned_entries_stay(void **state)
{
	struct fixture *f = *state;
	struct store_status status;

	f->options.log_count = 10;
	reopen(f);
	put_numbered(f->store, 1, 5);
	uint64_t low = store_pin(f->store, 3);
	uint64_t high = store_pin(f->store, 150);
	put_numbered(f->store, 6, 300);
	store_status(f->store, &status);
	assert_int_equal(status.floor_rev, 3);
	store_unpin(f->store, low);
	put_numbered(f->store, 301, 310);
	store_status(f->store, &status);
	assert_int_equal(status.floor_rev, 150);
	store_unpin(f->store, high);
	store_unpin(f->store, 99); /* no such pin */
	put_numbered(f->store, 311, 320);
	store_status(f->store, &status);
	assert_true(status.floor_rev > 200);
}

struct pasts {
	struct {
		uint64_t rev;
		bool deleted;
		char value[8];
		char who[8];
	} items[16];
	size_t count;
};

static bool note(void *ctx, const struct store_past *past)
{
	struct pasts *pasts = ctx;
	size_t i = pasts->count++;

	pasts->items[i].rev = past->rev;
	pasts->items[i].deleted = past->deleted;
	memcpy(pasts->items[i].value, past->value, past->value_len);
	(void)snprintf(pasts->items[i].who, sizeof(pasts->items[i].who), "%s", past->who);
	return true;
}

static struct pasts history(struct store *store, const char *key, size_t limit)
{
	struct store_view *view = view_of(store);
	struct pasts pasts = { .count = 0 };
	struct zl_err err;

	if (store_history(view, key, strlen(key), limit, note, &pasts, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	store_view_close(&view);
	return pasts;
}

static void history_is_newest_first(void **state)
{
	struct fixture *f = *state;

	put(f->store, "k", "1"); /* 1 */
	put(f->store, "x", "1");
	put(f->store, "k", "2"); /* 3 */
	put(f->store, "x", "2");
	put(f->store, "k", "3"); /* 5 */

	struct pasts pasts = history(f->store, "k", 10);
	assert_int_equal(pasts.count, 3);
	assert_int_equal(pasts.items[0].rev, 5);
	assert_string_equal(pasts.items[0].value, "3");
	assert_string_equal(pasts.items[0].who, "alice");
	assert_int_equal(pasts.items[1].rev, 3);
	assert_int_equal(pasts.items[2].rev, 1);
	assert_int_equal(history(f->store, "k", 2).count, 2);
	assert_int_equal(history(f->store, "none", 10).count, 0);

	/* A deleted one still has a past, and one made anew has its own. */
	run_for(f->store, delete_job("k", STORE_ANY, 0), ZL_OK); /* 6 */
	pasts = history(f->store, "k", 10);
	assert_int_equal(pasts.count, 4);
	assert_int_equal(pasts.items[0].rev, 6);
	assert_true(pasts.items[0].deleted);
	put(f->store, "k", "4"); /* 7 */
	assert_int_equal(history(f->store, "k", 10).count, 1);
}

static void history_ends_where_the_log_does(void **state)
{
	struct fixture *f = *state;

	f->options.log_count = 10;
	reopen(f);
	put(f->store, "old", "1");
	put_numbered(f->store, 1, 300);
	assert_int_equal(history(f->store, "old", 10).count, 0);
	assert_in_range(history(f->store, "odd", 16).count, 5, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(log_is_read_on_from_a_revision),
		STORE_TEST(view_keeps_its_moment),
		STORE_TEST(log_is_cut_and_says_so),
		STORE_TEST(log_is_cut_under_load),
		STORE_TEST(log_is_cut_by_bytes),
		STORE_TEST(pinned_entries_stay),
		STORE_TEST(history_is_newest_first),
		STORE_TEST(history_ends_where_the_log_does),
	};
	return cmocka_run_group_tests_name("store/log", tests, NULL, NULL);
}
