/* kill -9 of the process that writes a store, again and again: each write that it
 * acknowledged is there afterwards. ZL_SIZE S: 20 times, C: 200, L: 3,000; or ZL_RUNS.
 *
 * The writer is this program run again. It keeps several commits waiting, with a small
 * map that must grow and a short log that is cut, stages and swaps copies of the state in
 * between, and prints the number of each commit once its result came. */
#include "size.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/read.h"
#include "store/store.h"
#include "store/write.h"

#include "support/seeds.h"
#include "support/test.h"
#include "support/tmp.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 50, IN_FLIGHT = 20, TAGS = 2 * IN_FLIGHT };

static const struct store_options OPTIONS = { .map_size = 1 << 20, .log_count = 200 };

/* The writer: commit i puts "i" and some weight under key i % KEYS. */
static int ack_fd;
static unsigned acked; /* atomic */

static void acknowledge(void *ctx, struct store_result *results)
{
	(void)ctx;
	for (const struct store_result *r = results; r != NULL; r = r->next) {
		if (r->code != ZL_OK)
			_exit(3);
		if (r->kind == STORE_COMMIT &&
		    write(ack_fd, r->tag, sizeof(uint64_t)) != sizeof(uint64_t))
			_exit(4);
		__atomic_add_fetch(&acked, 1, __ATOMIC_SEQ_CST);
	}
	store_results_free(&results);
}

static struct store_job *numbered_job(uint64_t number)
{
	static uint64_t numbers[TAGS];
	static char value[3000];
	uint64_t *tag = &numbers[number % TAGS];
	struct store_job *job = store_commit_new(tag, number, "w", NULL);
	char key[16];

	*tag = number;
	(void)snprintf(key, sizeof(key), "key%llu", (unsigned long long)number % KEYS);
	memset(value, '.', sizeof(value));
	(void)snprintf(value, sizeof(value), "%llu", (unsigned long long)number);
	store_commit_put(job, key, strlen(key), value,
			 number % 10 == 0 ? sizeof(value) : 100, STORE_ANY, 0);
	return job;
}

static bool stage_item(void *ctx, const struct store_item *item)
{
	store_record_put(ctx, item->key, item->key_len, item->mod_rev, item->value,
			 item->value_len);
	return true;
}

/* Replace the state by a copy of itself, as a zone does with a snapshot. */
static void swap_all(struct store *store)
{
	struct store_job *job = store_stage_new(NULL, true);
	struct store_view *view;
	struct position position;
	struct digest digest;

	if (store_view_open(store, &view, NULL) != ZL_OK ||
	    store_each(view, NULL, 0, NULL, 0, stage_item, job, NULL) != ZL_OK)
		_exit(5);
	store_position(view, &position, &digest);
	store_view_close(&view);
	if (store_run(store, &job, NULL, NULL) != ZL_OK)
		_exit(6);
	job = store_swap_new(NULL, &position, &digest);
	if (store_run(store, &job, NULL, NULL) != ZL_OK)
		_exit(7);
}

static int be_writer(const char *dir, uint64_t number)
{
	struct store_options options = OPTIONS;
	struct zl_err err = { 0 };
	struct store *store;
	unsigned sent = 0;

	ack_fd = STDOUT_FILENO;
	options.done = acknowledge;
	if (store_open(&store, dir, &options, &err) != ZL_OK) {
		(void)fprintf(stderr, "%s\n", err.msg);
		return 2;
	}
	for (;; number++) {
		struct store_job *job = numbered_job(number);
		if (store_submit(store, &job, NULL) != ZL_OK)
			return 8;
		sent++;
		while (sent - __atomic_load_n(&acked, __ATOMIC_SEQ_CST) >= IN_FLIGHT)
			(void)usleep(50);
		if (number % 97 == 0) {
			while (sent != __atomic_load_n(&acked, __ATOMIC_SEQ_CST))
				(void)usleep(50);
			swap_all(store);
		}
	}
}

/* The judge. */
struct run {
	struct tmp tmp;
	struct dice dice;
	uint64_t newest[KEYS]; /* the last number acknowledged for each key */
	uint64_t last;         /* the last number acknowledged */
};

static pid_t start_writer(const struct run *run, int *out)
{
	char name[] = "crash-store";
	char *args[] = { name, zl_strdup(run->tmp.dir),
			 zl_format("%llu", (unsigned long long)run->last + 1000), NULL };
	posix_spawn_file_actions_t actions;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], 1), 0);
	assert_int_equal(posix_spawn_file_actions_addclose(&actions, ends[0]), 0);
	assert_int_equal(
		posix_spawn(&pid, "/proc/self/exe", &actions, NULL, args, environ), 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(ends[1]);
	free(args[1]);
	free(args[2]);
	*out = ends[0];
	return pid;
}

/* Read acknowledgements until the writer is gone; kill it at the given time. */
static void read_acks(struct run *run, pid_t pid, int out, uint64_t kill_at)
{
	bool killed = false;
	uint64_t number;

	for (;;) {
		struct pollfd wait = { .fd = out, .events = POLLIN };
		uint64_t now = zl_now_ms();
		if (now >= kill_at && !killed) {
			assert_int_equal(kill(pid, SIGKILL), 0);
			killed = true;
		}
		if (poll(&wait, 1, killed ? -1 : (int)(kill_at - now)) <= 0)
			continue;
		if (read(out, &number, sizeof(number)) != sizeof(number))
			break;
		run->newest[number % KEYS] = number;
		run->last = number;
	}
	(void)close(out);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail_msg("the writer ended by itself: %d", status);
}

static void check_store(struct run *run)
{
	struct zl_err err = { 0 };
	struct store *store;
	struct store_view *view = NULL;
	struct store_item item = { 0 };
	char key[16];

	if (store_open(&store, run->tmp.dir, &OPTIONS, &err) != ZL_OK ||
	    store_verify(store, &err) != ZL_OK ||
	    store_view_open(store, &view, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	for (unsigned i = 0; i < KEYS; i++) {
		(void)snprintf(key, sizeof(key), "key%u", i);
		if (run->newest[i] == 0)
			continue;
		if (store_get(view, key, strlen(key), &item, &err) != ZL_OK)
			fail_msg("%s, acknowledged as %llu, is gone", key,
				 (unsigned long long)run->newest[i]);
		uint64_t found = strtoull(item.value, NULL, 10);
		if (found < run->newest[i])
			fail_msg("%s: %llu was acknowledged, %llu is there", key,
				 (unsigned long long)run->newest[i],
				 (unsigned long long)found);
	}
	store_view_close(&view);
	store_close(&store);
}

static void no_acknowledged_write_is_lost(void **state)
{
	const char *runs = getenv("ZL_RUNS");
	const char *seed = getenv("ZL_SEED");
	struct run run = { .dice = { seed != NULL ? strtoull(seed, NULL, 10)
						  : zl_wall_us() } };

	(void)state;
	(void)printf("seed %llu\n", (unsigned long long)run.dice.state);
	tmp_make(&run.tmp);
	long count = runs != NULL ? strtol(runs, NULL, 10) : (long)by_size(20, 200, 3000);
	for (long i = count; i > 0; i--) {
		int out;
		pid_t pid = start_writer(&run, &out);
		read_acks(&run, pid, out, zl_now_ms() + 20 + dice_below(&run.dice, 400));
		check_store(&run);
	}
	(void)printf("%llu commits were acknowledged\n", (unsigned long long)run.last);
	assert_true(run.last > 0);
	tmp_remove(&run.tmp);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_acknowledged_write_is_lost),
	};

	if (argc == 3)
		return be_writer(argv[1], strtoull(argv[2], NULL, 10));
	return cmocka_run_group_tests_name("crash/store", tests, NULL, NULL);
}
