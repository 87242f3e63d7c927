#include "store/inside.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

enum {
	GROUP_JOBS = 256,
	GROUP_OPS = 1000,       /* LMDB spills pages of larger transactions */
	GROUP_BYTES = 32 << 20, /* with which a group takes no more jobs */
	ROUND_SECONDS = 30,     /* between looks for dead readers */
	MAP_WARN = 70           /* percent of the map in use */
};

/* The jobs of one transaction. */
struct group {
	struct store_job *jobs[GROUP_JOBS];
	size_t count;
	size_t bytes;
};

typedef int apply_fn(struct work *work, struct store_job *job,
		     struct store_result *result);

static int epoch_apply(struct work *work, struct store_job *job,
		       struct store_result *result)
{
	(void)result;
	memcpy(work->state.position.epoch, job->position.epoch, POSITION_EPOCH);
	work->dirty = true;
	return 0;
}

static apply_fn *const APPLY[] = {
	[STORE_COMMIT] = commit_apply, [STORE_FOLLOW] = follow_apply,
	[STORE_STAGE] = stage_apply,   [STORE_SWAP] = swap_apply,
	[STORE_REPAIR] = repair_apply, [STORE_EPOCH] = epoch_apply,
	[STORE_LOCAL] = local_apply,
};

static struct store_result *result_new(const struct store_job *job,
				       const struct work *work)
{
	struct store_result *result = zl_alloc(1, sizeof(*result));

	result->tag = job->tag;
	result->kind = job->kind;
	memcpy(result->chain_before, work->state.position.chain, POSITION_CHAIN);
	return result;
}

static void result_stamp(struct store_result *result, const struct state *state)
{
	result->position = state->position;
	result->digest = state->digest;
	result->code = result->err.code;
}

/* Hand results[i] of group's jobs to who waits for them, and free the jobs. */
static void deliver(struct store *store, struct group *group,
		    struct store_result *results[])
{
	struct store_result *list = NULL;
	struct store_result **end = &list;

	(void)pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < group->count; i++) {
		struct store_job *job = group->jobs[i];
		if (job->waited) {
			job->result = results[i]; /* its waiter frees the job */
			continue;
		}
		*end = results[i];
		end = &results[i]->next;
		store_job_free(&job);
	}
	(void)pthread_cond_broadcast(&store->woken);
	(void)pthread_mutex_unlock(&store->lock);

	if (store->options.done != NULL && list != NULL)
		store->options.done(store->options.ctx, list);
	else
		store_results_free(&list);
}

/* Apply all jobs in one transaction and commit it. On failure nothing has happened. */
static int group_try(struct store *store, struct group *group, struct work *work,
		     struct store_result *results[])
{
	int rc = env_write_begin(&store->env, &work->txn);

	if (rc != 0)
		return rc;
	work->state = store->state; /* only this thread changes it */
	memcpy(work->sums, store->sums, sizeof(work->sums));
	work->dirty = false;
	for (size_t i = 0; i < group->count && rc == 0; i++) {
		results[i] = result_new(group->jobs[i], work);
		rc = APPLY[group->jobs[i]->kind](work, group->jobs[i], results[i]);
		result_stamp(results[i], &work->state);
	}
	if (rc == 0 && work->dirty)
		rc = work_trim(work);
	if (rc == 0 && work->dirty)
		rc = env_put_state(&store->env, work->txn, &work->state);
	if (rc != 0 || !work->dirty) {
		mdb_txn_abort(work->txn);
		return rc;
	}
	return mdb_txn_commit(work->txn); /* ends it in either case */
}

static void publish(struct store *store, const struct work *work)
{
	if (!work->dirty)
		return;
	(void)pthread_mutex_lock(&store->lock);
	store->state = work->state;
	memcpy(store->sums, work->sums, sizeof(store->sums));
	store->commits++;
	(void)pthread_mutex_unlock(&store->lock);
}

/* LMDB reports a short write as EIO: is it a full disk, or the limit on file sizes? */
static bool is_full(struct store *store, uint64_t need)
{
	struct statvfs disk;
	struct rlimit limit;
	struct stat file;
	int fd;

	need += 1 << 20;
	if (mdb_env_get_fd(store->env.mdb, &fd) != 0 || fstat(fd, &file) != 0 ||
	    fstatvfs(fd, &disk) != 0)
		return false;
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    (uint64_t)file.st_size + need > limit.rlim_cur)
		return true;
	return disk.f_bavail * disk.f_frsize < need;
}

static bool is_fatal(int rc)
{
	return rc == EIO || rc == MDB_PANIC || rc == EROFS || rc == EBADF;
}

/* After an error of the disk nobody knows what it holds: write no more, say so. */
static void fail_store(struct store *store, int rc)
{
	(void)pthread_mutex_lock(&store->lock);
	store->failed = true;
	zl_fail(&store->failure, ZL_EIO,
		"store %s: %s; nothing is written any more: check the disk, then restart",
		store->dir, mdb_strerror(rc));
	(void)pthread_mutex_unlock(&store->lock);
	zl_log(ZL_ERROR, "store", "write failed", "error=%q", store->failure.msg);
}

static void results_drop(struct store_result *results[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		store_results_free(&results[i]);
}

static void refuse(struct store *store, struct group *group, int rc,
		   struct store_result *results[])
{
	for (size_t i = 0; i < group->count; i++) {
		struct zl_err why = { 0 };
		struct work none = { .state = store->state };
		if (results[i] != NULL)
			why = results[i]->err;
		store_results_free(&results[i]);
		results[i] = result_new(group->jobs[i], &none);
		if (store->failed)
			results[i]->err = store->failure;
		else if (why.code != ZL_OK)
			results[i]->err = why;
		else
			env_fail(&results[i]->err, rc, "write the store");
		result_stamp(results[i], &store->state);
	}
}

static void group_run(struct store *store, struct group *group, struct work *work);

/* One job's trouble is not the others': do each in a transaction of its own. */
static void group_split(struct store *store, const struct group *group, struct work *work)
{
	for (size_t i = 0; i < group->count; i++) {
		struct group one = { .jobs = { group->jobs[i] },
				     .count = 1,
				     .bytes = group->jobs[i]->bytes };
		group_run(store, &one, work);
	}
}

static void group_run(struct store *store, struct group *group, struct work *work)
{
	struct store_result *results[GROUP_JOBS] = { 0 };
	int rc = store->failed ? EIO : group_try(store, group, work, results);

	while (rc == MDB_MAP_FULL && !store->failed) {
		results_drop(results, group->count);
		if ((rc = env_grow(&store->env, group->bytes)) == 0)
			rc = group_try(store, group, work, results);
	}
	if (rc == EIO && !store->failed && is_full(store, 2 * group->bytes))
		rc = ENOSPC;
	if (is_fatal(rc) && !store->failed)
		fail_store(store, rc);
	if (rc == 0) {
		publish(store, work);
	} else if (group->count > 1 && !store->failed) {
		results_drop(results, group->count);
		group_split(store, group, work);
		return;
	} else {
		refuse(store, group, rc, results);
	}
	deliver(store, group, results);
}

/* Move what waits, as much as fits, into group; lock is held. */
static void group_take(struct store *store, struct group *group)
{
	size_t ops = 0;

	group->count = 0;
	group->bytes = 0;
	while (store->first != NULL && group->count < GROUP_JOBS) {
		struct store_job *job = store->first;
		if (group->count > 0 && (ops + job->op_count > GROUP_OPS ||
					 group->bytes + job->bytes > GROUP_BYTES))
			break;
		ops += job->op_count;
		group->bytes += job->bytes;
		group->jobs[group->count++] = job;
		store->first = job->next;
		store->waiting--;
	}
	if (store->first == NULL)
		store->last = NULL;
}

/* What is done from time to time: free slots of dead readers, look at the map. */
static void go_round(struct store *store)
{
	struct store_status status;

	env_clear_readers(&store->env);
	store_status(store, &status);
	if (status.file_bytes > status.map_bytes / 100 * MAP_WARN)
		zl_log(ZL_WARN, "store", "the map is filling; it will grow",
		       "used=%lu size=%lu", (unsigned long)status.file_bytes,
		       (unsigned long)status.map_bytes);
	if (status.reader_lag > 1000)
		zl_log(ZL_WARN, "store",
		       "an old reader keeps pages from being used again", "lag=%lu",
		       (unsigned long)status.reader_lag);
}

static bool is_past(const struct timespec *time)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > time->tv_sec ||
	       (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

static void *writer_main(void *arg)
{
	struct store *store = arg;
	struct group *group = zl_alloc(1, sizeof(*group));
	struct work *work = zl_alloc(1, sizeof(*work));
	struct timespec next;
	bool more = true;

	work->store = store;
	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	next.tv_sec += ROUND_SECONDS;
	while (more) {
		int rc = 0;
		(void)pthread_mutex_lock(&store->lock);
		while (store->first == NULL && !store->closing && rc != ETIMEDOUT)
			rc = pthread_cond_timedwait(&store->wake, &store->lock, &next);
		group_take(store, group);
		more = store->first != NULL || !store->closing || group->count > 0;
		(void)pthread_mutex_unlock(&store->lock);
		if (group->count > 0)
			group_run(store, group, work);
		if (is_past(&next)) {
			go_round(store);
			next.tv_sec += ROUND_SECONDS;
		}
	}
	free(work);
	free(group);
	return NULL;
}

enum zl_code writer_start(struct store *store, struct zl_err *err)
{
	sigset_t all;
	sigset_t before;

	(void)sigfillset(&all); /* signals are the loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&store->writer, NULL, writer_main, store);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		return env_fail(err, rc, "writer thread");
	store->has_writer = true;
	return ZL_OK;
}

void writer_stop(struct store *store)
{
	if (!store->has_writer)
		return;
	(void)pthread_mutex_lock(&store->lock);
	store->closing = true;
	(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->lock);
	(void)pthread_join(store->writer, NULL);
	store->has_writer = false;
}

static enum zl_code enqueue(struct store *store, struct store_job *job,
			    struct zl_err *err)
{
	assert(!store->options.read_only);
	(void)pthread_mutex_lock(&store->lock);
	bool full = store->waiting >= STORE_QUEUE_MAX;
	if (!full) {
		if (store->last != NULL)
			store->last->next = job;
		else
			store->first = job;
		store->last = job;
		store->waiting++;
		(void)pthread_cond_signal(&store->wake);
	}
	(void)pthread_mutex_unlock(&store->lock);
	return full ? zl_fail(err, ZL_ELIMIT, "%d writes wait already: try again",
			      STORE_QUEUE_MAX)
		    : ZL_OK;
}

enum zl_code store_submit(struct store *store, struct store_job **jobp,
			  struct zl_err *err)
{
	enum zl_code code = enqueue(store, *jobp, err);

	if (code == ZL_OK)
		*jobp = NULL;
	return code;
}

enum zl_code store_run(struct store *store, struct store_job **jobp,
		       struct store_result **out, struct zl_err *err)
{
	struct store_job *job = *jobp;

	job->waited = true;
	enum zl_code code = enqueue(store, job, err);
	if (code != ZL_OK)
		return code;
	(void)pthread_mutex_lock(&store->lock);
	while (job->result == NULL)
		(void)pthread_cond_wait(&store->woken, &store->lock);
	struct store_result *result = job->result;
	(void)pthread_mutex_unlock(&store->lock);

	store_job_free(jobp);
	code = result->code;
	if (code != ZL_OK && err != NULL)
		*err = result->err;
	if (out != NULL)
		*out = result;
	else
		store_results_free(&result);
	return code;
}
