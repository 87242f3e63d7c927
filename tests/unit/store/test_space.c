/* No space, no disk: what the operating system refuses. RLIMIT_FSIZE stands for a full
 * disk; commits that fail are made by the linker's --wrap. */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int commit_fails_with; /* 0: it does not */

struct MDB_txn;
int __real_mdb_txn_commit(struct MDB_txn *txn);
int __wrap_mdb_txn_commit(struct MDB_txn *txn);
void mdb_txn_abort(struct MDB_txn *txn);

int __wrap_mdb_txn_commit(struct MDB_txn *txn)
{
	int rc = __atomic_load_n(&commit_fails_with, __ATOMIC_SEQ_CST);

	if (rc == 0)
		return __real_mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static struct store_job *big_job(int n)
{
	static char value[300000];
	struct store_job *job = store_commit_new(NULL, 0, NULL, NULL);
	char key[16];

	(void)snprintf(key, sizeof(key), "big%d", n);
	memset(value, 'a' + n % 26, sizeof(value));
	store_commit_put(job, key, strlen(key), value, sizeof(value), STORE_ANY, 0);
	return job;
}

static void full_map_grows(void **state)
{
	struct fixture *f = *state;
	struct store_status status;

	store_close(&f->store);
	f->options.map_size = 1 << 20;
	open_store(f);
	for (int i = 0; i < 40; i++)
		assert_int_equal(run_for(f->store, big_job(i), ZL_OK), i + 1);
	store_status(f->store, &status);
	assert_true(status.map_bytes >= status.file_bytes);
	assert_true(status.file_bytes > 12 << 20);
	reopen(f); /* a file larger than the first map */
	assert_int_equal(run_for(f->store, big_job(99), ZL_OK), 41);
	must_verify(f->store);
}

static void set_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void full_disk_refuses_and_recovers(void **state)
{
	struct fixture *f = *state;
	struct store_status status;
	struct stat file;
	uint64_t rev = 0;
	int n = 0;

	put(f->store, "first", "1");
	assert_int_equal(stat(tmp_path(&f->tmp, "data.mdb"), &file), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	set_limit((rlim_t)file.st_size + 2000000);
	for (;; n++) {
		struct store_result *result = run(f->store, big_job(n));
		enum zl_code code = result->code;
		rev = result->position.rev;
		store_results_free(&result);
		if (code != ZL_OK) {
			assert_int_equal(code, ZL_ENOSPC);
			break;
		}
		assert_in_range(n, 0, 20);
	}
	assert_true(n > 0);
	run_for(f->store, big_job(n), ZL_ENOSPC);
	assert_int_equal(position_of(f->store, NULL).rev, rev);
	store_status(f->store, &status);
	assert_false(status.failed);
	expect(f->store, "first", "1"); /* it reads on */
	must_verify(f->store);

	set_limit(RLIM_INFINITY);
	assert_int_equal(run_for(f->store, big_job(n), ZL_OK), rev + 1);
	must_verify(f->store);
	reopen(f);
	must_verify(f->store);
	assert_int_equal(position_of(f->store, NULL).rev, rev + 1);
}

static void commit_without_space_loses_nothing(void **state)
{
	struct fixture *f = *state;

	put(f->store, "a", "1");
	__atomic_store_n(&commit_fails_with, ENOSPC, __ATOMIC_SEQ_CST);
	run_for(f->store, put_job("a", "2", STORE_ANY, 0), ZL_ENOSPC);
	expect(f->store, "a", "1");
	__atomic_store_n(&commit_fails_with, 0, __ATOMIC_SEQ_CST);
	assert_int_equal(put(f->store, "a", "2"), 2);
	must_verify(f->store);
}

static void broken_disk_ends_all_writing(void **state)
{
	struct fixture *f = *state;
	struct store_status status;

	put(f->store, "a", "1");
	__atomic_store_n(&commit_fails_with, EIO, __ATOMIC_SEQ_CST);
	run_for(f->store, put_job("a", "2", STORE_ANY, 0), ZL_EIO);
	__atomic_store_n(&commit_fails_with, 0, __ATOMIC_SEQ_CST);
	run_for(f->store, put_job("a", "3", STORE_ANY, 0), ZL_EIO); /* for good */
	store_status(f->store, &status);
	assert_true(status.failed);
	assert_non_null(strstr(status.failure.msg, "check the disk"));
	expect(f->store, "a", "1");
	reopen(f); /* after a restart with a whole disk */
	assert_int_equal(put(f->store, "a", "4"), 2);
	must_verify(f->store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(full_map_grows),
		STORE_TEST(full_disk_refuses_and_recovers),
		STORE_TEST(commit_without_space_loses_nothing),
		STORE_TEST(broken_disk_ends_all_writing),
	};
	return cmocka_run_group_tests_name("store/space", tests, NULL, NULL);
}
