/* A store that follows another one: entries, snapshots, repair, epochs, sums. */
#include "fixture.h"

#include "model/position.h"

#include <stdio.h>

struct pair {
	struct fixture from, to; /* the one that makes revisions, the one that follows */
};

static int setup_pair(void **state)
{
	struct pair *p = zl_alloc(1, sizeof(*p));

	tmp_make(&p->from.tmp);
	tmp_make(&p->to.tmp);
	open_store(&p->from);
	open_store(&p->to);
	*state = p;
	return 0;
}

static int teardown_pair(void **state)
{
	struct pair *p = *state;

	store_close(&p->from.store);
	store_close(&p->to.store);
	tmp_remove(&p->from.tmp);
	tmp_remove(&p->to.tmp);
	free(p);
	return 0;
}

#define PAIR_TEST(test) cmocka_unit_test_setup_teardown(test, setup_pair, teardown_pair)

static bool add_entry(void *ctx, const struct store_log_item *item)
{
	store_follow_entry(ctx, item->rev, item->chain, item->entry, item->len);
	return true;
}

/* All that from has beyond what to has. */
static struct store_job *follow_job(struct pair *p)
{
	struct store_job *job = store_follow_new(NULL);
	struct store_view *view = view_of(p->from.store);
	uint64_t rev = position_of(p->to.store, NULL).rev;

	assert_int_equal(store_log(view, rev + 1, add_entry, job, NULL), ZL_OK);
	store_view_close(&view);
	return job;
}

static void must_be_equal(struct pair *p)
{
	struct digest a;
	struct digest b;
	struct position x = position_of(p->from.store, &a);
	struct position y = position_of(p->to.store, &b);

	assert_int_equal(x.rev, y.rev);
	assert_memory_equal(x.chain, y.chain, POSITION_CHAIN);
	assert_true(digest_equal(&a, &b));
	must_verify(p->to.store);
}

static void write_some(struct store *store)
{
	char key[16];

	for (int i = 0; i < 50; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i % 20);
		if (i % 7 == 6)
			run_for(store, delete_job(key, STORE_ANY, 0),
				i < 20 ? ZL_ENOENT : ZL_OK);
		else
			put(store, key, key + i % 2);
	}
}

static void follower_gets_the_same_state(void **state)
{
	struct pair *p = *state;

	put(p->from.store, "a", "1");
	put(p->from.store, "a", "2");
	run_for(p->from.store, delete_job("a", STORE_ANY, 0), ZL_OK);
	assert_int_equal(run_for(p->to.store, follow_job(p), ZL_OK), 3);
	must_be_equal(p);
	write_some(p->from.store);
	run_for(p->to.store, follow_job(p), ZL_OK);
	must_be_equal(p);
	reopen(&p->to);
	must_be_equal(p);
}

static void largest_commit_is_followed(void **state)
{
	struct pair *p = *state;
	struct store_job *job = store_commit_new(NULL, 0, NULL, NULL);
	char *value = zl_alloc(STORE_VALUE_MAX, 1);
	char key[8];

	for (int i = 0; i < 15; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		memset(value, i, STORE_VALUE_MAX);
		store_commit_put(job, key, strlen(key), value, STORE_VALUE_MAX, STORE_ANY,
				 0);
	}
	free(value);
	assert_int_equal(run_for(p->from.store, job, ZL_OK), 1);
	run_for(p->to.store, follow_job(p), ZL_OK);
	must_be_equal(p);
}

static void wrong_entries_change_nothing(void **state)
{
	struct pair *p = *state;
	struct digest digest;
	uint8_t chain[POSITION_CHAIN];

	put(p->from.store, "a", "1");
	run_for(p->to.store, follow_job(p), ZL_OK);
	put(p->from.store, "b", "1");
	put(p->from.store, "c", "1");

	struct store_view *view = view_of(p->from.store);
	struct store_job *job = store_follow_new(NULL); /* a gap */
	assert_int_equal(store_log(view, 3, add_entry, job, NULL), ZL_OK);
	run_for(p->to.store, job, ZL_ECONFLICT);
	job = store_follow_new(NULL); /* twice */
	assert_int_equal(store_log(view, 1, add_entry, job, NULL), ZL_OK);
	run_for(p->to.store, job, ZL_ECONFLICT);
	store_view_close(&view);

	/* The first fits, the second has a chain of another history. */
	job = follow_job(p);
	struct position at = position_of(p->from.store, NULL);
	memset(chain, 0x55, sizeof(chain));
	store_follow_entry(job, at.rev + 1, chain, "x", 1);
	struct store_result *result = run(p->to.store, job);
	assert_int_equal(result->code, ZL_ECONFLICT);
	assert_int_equal(result->op, 2);
	assert_non_null(strstr(result->err.msg, "another history"));
	store_results_free(&result);

	/* A right chain over bytes that are no entry. */
	job = follow_job(p);
	position_chain(chain, at.chain, at.rev + 1, "\xff\xff", 2);
	store_follow_entry(job, at.rev + 1, chain, "\xff\xff", 2);
	run_for(p->to.store, job, ZL_EINVAL);

	assert_int_equal(position_of(p->to.store, &digest).rev, 1);
	expect(p->to.store, "b", NULL);
	run_for(p->to.store, follow_job(p), ZL_OK);
	must_be_equal(p);
}

static bool stage_item(void *ctx, const struct store_item *item)
{
	store_record_put(ctx, item->key, item->key_len, item->mod_rev, item->value,
			 item->value_len);
	return true;
}

static void stage_all(struct pair *p, bool fresh)
{
	struct store_job *job = store_stage_new(NULL, fresh);
	struct store_view *view = view_of(p->from.store);

	assert_int_equal(store_each(view, NULL, 0, NULL, 0, stage_item, job, NULL),
			 ZL_OK);
	store_view_close(&view);
	run_for(p->to.store, job, ZL_OK);
}

static void snapshot_is_staged_and_swapped_in(void **state)
{
	struct pair *p = *state;
	struct digest digest;

	put(p->to.store, "own", "history"); /* of another epoch */
	put(p->to.store, "k1", "other");
	write_some(p->from.store);
	stage_all(p, true);
	expect(p->to.store, "own", "history"); /* staging is beside the present */

	/* Records written during the copy come by the log and lay over it; stage_all once
	 * more shows that old copies do not come back. */
	put(p->from.store, "k1", "new");
	struct store_job *job = store_stage_new(NULL, false);
	struct position at = position_of(p->from.store, &digest);
	store_record_put(job, "k1", 2, at.rev, "new", 3);
	store_record_put(job, "k1", 2, at.rev - 1, "old", 3);
	store_record_put(job, "gone", 4, 1, "x", 1);
	store_record_delete(job, "gone", 4, 2);
	run_for(p->to.store, job, ZL_OK);

	reopen(&p->to); /* a crash in between: the old state, the staged one still there
			 */
	expect(p->to.store, "own", "history");
	assert_int_equal(run_for(p->to.store, store_swap_new(NULL, &at, &digest), ZL_OK),
			 at.rev);
	expect(p->to.store, "own", NULL);
	expect(p->to.store, "k1", "new");
	must_be_equal(p);
	reopen(&p->to);
	must_be_equal(p);

	/* And it goes on from there. */
	put(p->from.store, "more", "1");
	run_for(p->to.store, follow_job(p), ZL_OK);
	must_be_equal(p);
	struct store_status status;
	store_status(p->to.store, &status);
	assert_int_equal(status.floor_rev, at.rev + 1);
}

static void wrong_snapshot_changes_nothing(void **state)
{
	struct pair *p = *state;
	struct digest digest;

	put(p->to.store, "own", "history");
	write_some(p->from.store);
	stage_all(p, true);
	struct position at = position_of(p->from.store, &digest);
	digest.lane[2]++;
	run_for(p->to.store, store_swap_new(NULL, &at, &digest), ZL_ECONFLICT);
	expect(p->to.store, "own", "history");
	digest.lane[2]--;
	run_for(p->to.store, store_swap_new(NULL, &at, &digest), ZL_OK);
	must_be_equal(p);

	/* A fresh staging forgets what was there. */
	stage_all(p, true);
	run_for(p->to.store, store_stage_new(NULL, true), ZL_OK);
	run_for(p->to.store, store_swap_new(NULL, &at, &digest), ZL_ECONFLICT);
	must_be_equal(p);
}

static void sums_find_a_difference_and_repair_mends_it(void **state)
{
	struct pair *p = *state;
	struct digest ours[DIGEST_BUCKETS];
	struct digest theirs[DIGEST_BUCKETS];
	struct position position;
	int differing = 0;

	put(p->from.store, "bad", "right");
	put(p->from.store, "lost", "1");
	write_some(p->from.store);
	run_for(p->to.store, follow_job(p), ZL_OK);

	/* Do by repair what a bug or a disk would do. */
	position = position_of(p->to.store, NULL);
	struct store_job *job = store_repair_new(NULL, &position);
	store_record_put(job, "bad", 3, 1, "wrong", 5);
	store_record_delete(job, "lost", 4, 2);
	store_record_put(job, "odd", 3, 2, "x", 1);
	run_for(p->to.store, job, ZL_OK);
	must_verify(p->to.store);

	assert_int_equal(store_sums(p->from.store, theirs, &position, NULL), ZL_OK);
	assert_int_equal(store_sums(p->to.store, ours, &position, NULL), ZL_OK);
	for (int i = 0; i < DIGEST_BUCKETS; i++)
		differing += !digest_equal(&ours[i], &theirs[i]);
	assert_in_range(differing, 1, 3);
	assert_false(digest_equal(&ours[digest_bucket("bad", 3)],
				  &theirs[digest_bucket("bad", 3)]));

	job = store_repair_new(NULL, &position);
	store_record_put(job, "bad", 3, 1, "right", 5);
	store_record_put(job, "lost", 4, 2, "1", 1);
	store_record_delete(job, "odd", 3, 2);
	run_for(p->to.store, job, ZL_OK);
	must_be_equal(p);
	reopen(&p->to);
	must_be_equal(p);

	position.rev--; /* a repair for another moment */
	run_for(p->to.store, store_repair_new(NULL, &position), ZL_ECONFLICT);
}

struct hashes {
	uint8_t bucket;
	struct digest sum;
	size_t count;
};

static bool sum_up(void *ctx, const struct store_item *item, const uint8_t hash[32])
{
	struct hashes *hashes = ctx;
	struct digest one;

	assert_int_equal(digest_bucket(item->key, item->key_len), hashes->bucket);
	digest_from_bytes(&one, hash);
	for (int i = 0; i < DIGEST_LANES; i++)
		hashes->sum.lane[i] += one.lane[i];
	hashes->count++;
	return true;
}

static void keys_of_a_bucket_make_its_sum(void **state)
{
	struct pair *p = *state;
	struct digest sums[DIGEST_BUCKETS];
	struct position position;
	bool wanted[DIGEST_BUCKETS] = { false };
	struct hashes hashes = { .bucket = digest_bucket("k3", 2) };

	write_some(p->from.store);
	assert_int_equal(store_sums(p->from.store, sums, &position, NULL), ZL_OK);
	wanted[hashes.bucket] = true;
	struct store_view *view = view_of(p->from.store);
	assert_int_equal(store_bucket_keys(view, wanted, sum_up, &hashes, NULL), ZL_OK);
	store_view_close(&view);
	assert_true(hashes.count >= 1);
	assert_true(digest_equal(&hashes.sum, &sums[hashes.bucket]));
}

static void epochs_can_be_made_and_taken(void **state)
{
	struct pair *p = *state;
	struct position first = position_of(p->from.store, NULL);
	struct position other = position_of(p->to.store, NULL);

	assert_memory_not_equal(first.epoch, other.epoch, POSITION_EPOCH);
	put(p->from.store, "a", "1");
	run_for(p->from.store, store_epoch_new(NULL, NULL), ZL_OK);
	struct position second = position_of(p->from.store, NULL);
	assert_memory_not_equal(first.epoch, second.epoch, POSITION_EPOCH);
	assert_int_equal(second.rev, 1);
	run_for(p->to.store, store_epoch_new(NULL, second.epoch), ZL_OK);
	reopen(&p->to);
	other = position_of(p->to.store, NULL);
	assert_memory_equal(other.epoch, second.epoch, POSITION_EPOCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(follower_gets_the_same_state),
		PAIR_TEST(largest_commit_is_followed),
		PAIR_TEST(wrong_entries_change_nothing),
		PAIR_TEST(snapshot_is_staged_and_swapped_in),
		PAIR_TEST(wrong_snapshot_changes_nothing),
		PAIR_TEST(sums_find_a_difference_and_repair_mends_it),
		PAIR_TEST(keys_of_a_bucket_make_its_sum),
		PAIR_TEST(epochs_can_be_made_and_taken),
	};
	return cmocka_run_group_tests_name("store/replica", tests, NULL, NULL);
}
