/* The store and other processes: this program runs itself again as one of them. */
#include "fixture.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static bool dies_at_commit;

struct MDB_txn;
int __real_mdb_txn_commit(struct MDB_txn *txn);
int __wrap_mdb_txn_commit(struct MDB_txn *txn);

int __wrap_mdb_txn_commit(struct MDB_txn *txn)
{
	if (dies_at_commit)
		_exit(42);
	return __real_mdb_txn_commit(txn);
}

struct child {
	pid_t pid;
	int out;
};

static struct child start(const char *mode, const char *dir)
{
	char name[] = "test_process";
	char *args[] = { name, zl_strdup(mode), zl_strdup(dir), NULL };
	posix_spawn_file_actions_t actions;
	struct child child;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], 1), 0);
	assert_int_equal(posix_spawn_file_actions_addclose(&actions, ends[0]), 0);
	assert_int_equal(
		posix_spawn(&child.pid, "/proc/self/exe", &actions, NULL, args, environ),
		0);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(ends[1]);
	child.out = ends[0];
	free(args[1]);
	free(args[2]);
	return child;
}

/* What the child printed until it closed its output, or one line of it. */
static void hear(const struct child *child, char *text, size_t size, bool line)
{
	size_t len = 0;

	while (len + 1 < size && read(child->out, text + len, 1) == 1) {
		len++;
		if (line && text[len - 1] == '\n')
			break;
	}
	text[len] = '\0';
}

static int end(const struct child *child)
{
	int status;

	(void)close(child->out);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	return status;
}

static void second_process_is_refused(void **state)
{
	struct fixture *f = *state;
	char text[1024];
	char want[64];

	struct child child = start("write", f->tmp.dir);
	hear(&child, text, sizeof(text), false);
	assert_int_equal(WEXITSTATUS(end(&child)), 1);
	(void)snprintf(want, sizeof(want), "open in process %ld", (long)getpid());
	assert_non_null(strstr(text, want));
}

static void reader_in_another_process_follows(void **state)
{
	struct fixture *f = *state;
	char text[64];

	put(f->store, "a", "shown");
	struct child child = start("read", f->tmp.dir);
	hear(&child, text, sizeof(text), true);
	assert_string_equal(text, "shown\n");
	assert_int_equal(kill(child.pid, SIGKILL), 0);
	(void)end(&child);
}

static void slot_of_a_killed_reader_is_freed(void **state)
{
	struct fixture *f = *state;
	struct store_status status;
	char text[64];

	put(f->store, "a", "shown");
	struct child child = start("read", f->tmp.dir);
	hear(&child, text, sizeof(text), true);
	assert_int_equal(kill(child.pid, SIGKILL), 0);
	(void)end(&child);
	for (int i = 0; i < 20; i++)
		put(f->store, "a", i % 2 ? "x" : "y");
	store_status(f->store, &status);
	assert_in_range(status.reader_lag, 20, 30);

	child = start("look", f->tmp.dir); /* each opener frees dead slots */
	assert_int_equal(end(&child), 0);
	store_status(f->store, &status);
	assert_int_equal(status.reader_lag, 0);
}

static void reader_follows_a_map_that_grows(void **state)
{
	struct fixture *f = *state;
	static char value[STORE_VALUE_MAX];
	char text[64];

	store_close(&f->store);
	f->options.map_size = 1 << 20;
	open_store(f);
	put(f->store, "a", "small");
	struct child child = start("await", f->tmp.dir);
	hear(&child, text, sizeof(text), true);
	assert_string_equal(text, "waits\n");
	for (int i = 0; i < 5; i++) {
		struct store_job *job = store_commit_new(NULL, 0, NULL, NULL);
		value[0] = (char)i;
		store_commit_put(job, "big", 3, value, sizeof(value), STORE_ANY, 0);
		run_for(f->store, job, ZL_OK);
	}
	put(f->store, "a", "grown");
	hear(&child, text, sizeof(text), true);
	assert_string_equal(text, "grown\n");
	assert_int_equal(end(&child), 0);
}

static void death_at_commit_leaves_the_old_state(void **state)
{
	struct fixture *f = *state;

	put(f->store, "a", "old");
	store_close(&f->store);
	struct child child = start("die", f->tmp.dir);
	int status = end(&child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	open_store(f);
	expect(f->store, "a", "old");
	assert_int_equal(put(f->store, "a", "new"), 2);
	must_verify(f->store);
}

/* Look until "a" has the value. */
static void await(struct store *store, const char *value)
{
	struct store_view *view;
	struct store_item item;
	bool is_there = false;

	while (!is_there) {
		if (store_view_open(store, &view, NULL) != ZL_OK)
			_exit(4);
		is_there = store_get(view, "a", 1, &item, NULL) == ZL_OK &&
			   item.value_len == strlen(value) &&
			   memcmp(item.value, value, item.value_len) == 0;
		store_view_close(&view);
		(void)usleep(1000);
	}
}

/* The other process. */
static int be_child(const char *mode, const char *dir)
{
	const struct store_options options = { .read_only = strcmp(mode, "die") != 0 &&
							    strcmp(mode, "write") != 0,
					       .map_size = 1 << 20 };
	struct zl_err err = { 0 };
	struct store *store;
	struct store_view *view;
	struct store_item item;

	if (store_open(&store, dir, &options, &err) != ZL_OK) {
		(void)puts(err.msg);
		return 1;
	}
	if (strcmp(mode, "die") == 0) {
		dies_at_commit = true;
		struct store_job *job = put_job("a", "never", STORE_ANY, 0);
		(void)!store_run(store, &job, NULL, NULL);
		return 2;
	}
	if (strcmp(mode, "read") == 0) {
		if (store_view_open(store, &view, &err) != ZL_OK ||
		    store_get(view, "a", 1, &item, &err) != ZL_OK)
			return 3;
		(void)printf("%.*s\n", (int)item.value_len, (const char *)item.value);
		(void)fflush(stdout);
		(void)pause(); /* with the view open, until it is killed */
	}
	if (strcmp(mode, "await") == 0) {
		(void)puts("waits");
		(void)fflush(stdout);
		await(store, "grown");
		(void)puts("grown");
	}
	store_close(&store);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(second_process_is_refused),
		STORE_TEST(reader_in_another_process_follows),
		STORE_TEST(slot_of_a_killed_reader_is_freed),
		STORE_TEST(reader_follows_a_map_that_grows),
		STORE_TEST(death_at_commit_leaves_the_old_state),
	};

	if (argc == 3)
		return be_child(argv[1], argv[2]);
	return cmocka_run_group_tests_name("store/process", tests, NULL, NULL);
}
