/* kill -9 of a process that writes a store, before and after each of its system calls,
 * one run for each of these moments: from when it makes the store to when it closes it.
 * Each commit that was acknowledged is there afterwards, and each is there whole or not
 * at all. ZL_SIZE S: 100 moments, C: all, L: all, three times.
 *
 * The writer is this program run again, traced. Its commits put one number under several
 * keys; in between a copy is staged and takes the state's place.
 *
 * With ZL_MOMENT it is no test: it runs the program ZL_PROGRAM of its own folder with
 * its own arguments, kills it at that moment (0: never), and leaves the number of moments
 * that there were in the file ZL_MOMENTS. For tests/multizone/scenarios_faults.py. */
#include "size.h"

#include "base/mem.h"
#include "store/read.h"
#include "store/store.h"
#include "store/write.h"

#include "support/seeds.h"
#include "support/test.h"
#include "support/tmp.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMITS = 12, KEYS = 3, WEIGHT = 3000, OPTIONS_LOG = 6 };

static const struct store_options OPTIONS = { .map_size = 1 << 18,
					      .log_count = OPTIONS_LOG };

/* ---- the writer ---- */

static void must(enum zl_code code, const struct zl_err *err)
{
	if (code == ZL_OK)
		return;
	(void)fprintf(stderr, "%s\n", err->msg);
	_exit(3);
}

static void commit(struct store *store, unsigned number)
{
	static char value[WEIGHT];
	struct store_job *job = store_commit_new(NULL, number, "w", NULL);
	struct zl_err err = { 0 };

	memset(value, '.', sizeof(value));
	(void)snprintf(value, sizeof(value), "%u", number);
	for (unsigned i = 0; i < KEYS; i++) {
		const char key[] = { 'k', (char)('0' + i), 0 };
		store_commit_put(job, key, 2, value, sizeof(value), STORE_ANY, 0);
	}
	must(store_run(store, &job, NULL, &err), &err);
	if (write(STDOUT_FILENO, &number, sizeof(number)) != sizeof(number))
		_exit(4);
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
	struct zl_err err = { 0 };
	struct store_view *view;
	struct position position;
	struct digest digest;

	must(store_view_open(store, &view, &err), &err);
	must(store_each(view, NULL, 0, NULL, 0, stage_item, job, &err), &err);
	store_position(view, &position, &digest);
	store_view_close(&view);
	must(store_run(store, &job, NULL, &err), &err);
	job = store_swap_new(NULL, &position, &digest);
	must(store_run(store, &job, NULL, &err), &err);
}

static int be_writer(const char *dir)
{
	struct zl_err err = { 0 };
	struct store *store;

	(void)getppid(); /* from here on the judge counts */
	must(store_open(&store, dir, &OPTIONS, &err), &err);
	for (unsigned i = 1; i <= COMMITS; i++) {
		commit(store, i);
		if (i == COMMITS / 2)
			swap_all(store);
	}
	store_close(&store);
	return 0;
}

/* ---- the judge ---- */

struct traced {
	pid_t pid;
	int acks;
	bool counts;
	unsigned stops;
};

static void start(struct traced *traced, const char *dir)
{
	char *args[] = { zl_strdup("crash-syscalls"), zl_strdup(dir), NULL };
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	*traced = (struct traced){ .pid = fork(), .acks = ends[0] };
	if (traced->pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)close(ends[0]);
		(void)close(ends[1]);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(2);
		(void)execv("/proc/self/exe", args);
		_exit(2);
	}
	assert_true(traced->pid > 0);
	(void)close(ends[1]);
	free(args[0]);
	free(args[1]);
}

static bool is_beginning(pid_t tid)
{
	struct __ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_getppid;
}

/* Let a thread that stopped go on; false: this is the moment. */
static bool go_on(struct traced *traced, pid_t tid, int status, unsigned moment)
{
	int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80)) {
		traced->counts = traced->counts || is_beginning(tid);
		traced->stops += traced->counts;
		if (traced->counts && traced->stops == moment)
			return false;
	}
	/* A new program or thread of it, and what is to be seen of the calls. */
	bool ours = sig == (SIGTRAP | 0x80) || sig == SIGTRAP || sig == SIGSTOP;
	(void)ptrace(PTRACE_SYSCALL, tid, NULL, ours ? 0 : sig);
	return true;
}

/* Until its end, which is at that stop; 0: its own. False: it cannot be traced. */
static bool trace(struct traced *traced, unsigned moment)
{
	int status;

	if (waitpid(traced->pid, &status, 0) != traced->pid || !WIFSTOPPED(status))
		return false;
	(void)ptrace(PTRACE_SETOPTIONS, traced->pid, NULL,
		     PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
	(void)ptrace(PTRACE_SYSCALL, traced->pid, NULL, 0);
	for (;;) {
		pid_t tid = waitpid(-1, &status, __WALL);
		if (tid < 0 && errno == EINTR)
			continue;
		assert_true(tid > 0);
		if (!WIFSTOPPED(status)) {
			if (tid != traced->pid)
				continue; /* one of its threads */
			if (moment == 0 &&
			    !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
				fail_msg("the writer failed: %d", status);
			return true;
		}
		if (!go_on(traced, tid, status, moment))
			assert_int_equal(kill(traced->pid, SIGKILL), 0);
	}
}

static unsigned last_ack(const struct traced *traced)
{
	unsigned number, last = 0;

	while (read(traced->acks, &number, sizeof(number)) == sizeof(number))
		last = number;
	(void)close(traced->acks);
	return last;
}

static void check(const char *dir, unsigned acked, unsigned moment)
{
	struct zl_err err = { 0 };
	struct store *store;
	struct store_view *view = NULL;
	unsigned long found[KEYS];

	if (store_open(&store, dir, &OPTIONS, &err) != ZL_OK ||
	    store_verify(store, &err) != ZL_OK ||
	    store_view_open(store, &view, &err) != ZL_OK)
		fail_msg("moment %u: %s", moment, err.msg);
	for (unsigned i = 0; i < KEYS; i++) {
		const char key[] = { 'k', (char)('0' + i), 0 };
		struct store_item item = { 0 };
		enum zl_code code = store_get(view, key, 2, &item, &err);
		if (code != ZL_OK && code != ZL_ENOENT)
			fail_msg("moment %u: %s", moment, err.msg);
		found[i] = code == ZL_OK ? strtoul(item.value, NULL, 10) : 0;
		if (found[i] != found[0])
			fail_msg("moment %u: a commit is there in part", moment);
	}
	if (found[0] < acked || found[0] > acked + 1)
		fail_msg("moment %u: %u was acknowledged, %lu is there", moment, acked,
			 found[0]);
	store_view_close(&view);
	store_close(&store);
}

/* How many moments there were. */
static unsigned run(unsigned moment)
{
	struct traced traced;
	struct tmp tmp;

	tmp_make(&tmp);
	char *dir = zl_format("%s/store", tmp.dir);
	start(&traced, dir);
	if (!trace(&traced, moment)) {
		print_message("this machine does not let programs be traced\n");
		skip();
	}
	check(dir, last_ack(&traced), moment);
	free(dir);
	tmp_remove(&tmp);
	return traced.stops;
}

static void killed_at_every_call_it_loses_nothing(void **state)
{
	unsigned all = run(0);
	unsigned count = (unsigned)by_size(100, all, (size_t)3 * all);

	(void)state;
	assert_true(all > 100);
	/* The threads' calls mix another way each time: spread evenly is spread enough.
	 */
	for (unsigned i = 0; all > 0 && i < count; i++)
		(void)run(1 + (count < all ? i * all / count : i % all));
	print_message("%u moments of %u\n", count, all);
}

/* ---- another program in the writer's place ---- */

static struct traced other;

static void hand_on(int sig)
{
	(void)kill(other.pid, sig);
}

static char *beside_us(const char *name)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len <= 0)
		_exit(2);
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	return zl_format("%s/%s", path, name);
}

static int run_other(char **args, unsigned moment)
{
	char *program = beside_us(getenv("ZL_PROGRAM"));

	other = (struct traced){ .pid = fork(), .counts = true };
	if (other.pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			(void)execv(program, args);
		_exit(2);
	}
	(void)signal(SIGTERM, hand_on);
	(void)trace(&other, moment); /* if it cannot be traced there are no moments */
	FILE *file = fopen(getenv("ZL_MOMENTS"), "we");
	if (file == NULL || fprintf(file, "%u", other.stops) < 0 || fclose(file) != 0)
		return 2;
	free(program);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_every_call_it_loses_nothing),
	};

	const char *moment = getenv("ZL_MOMENT");

	if (moment != NULL)
		return run_other(argv, (unsigned)strtoul(moment, NULL, 10));
	if (argc == 2)
		return be_writer(argv[1]);
	return cmocka_run_group_tests_name("crash/syscalls", tests, NULL, NULL);
}
