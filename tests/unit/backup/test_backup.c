/* A store as a file and back: what went in comes out, in a new epoch; what was touched
 * on the way is refused, and nothing that was there is lost. */
#include "backup/backup.h"

#include "base/mem.h"
#include "store/read.h"
#include "store/store.h"
#include "store/write.h"

#include "support/test.h"
#include "support/tmp.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	struct tmp tmp;
	char *dir, *file, *work; /* owned */
	struct store *store;
	struct backup_facts made;
};

static struct store *must_open(const char *dir)
{
	struct zl_err err = { 0 };
	struct store *store;

	if (store_open(&store, dir, NULL, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return store;
}

static void put(struct store *store, const char *key, const char *value)
{
	struct store_job *job = store_commit_new(NULL, 1, "w", "m");
	struct store_job *local = store_local_new(NULL);

	store_commit_put(job, key, strlen(key), value, strlen(value), STORE_ANY, 0);
	store_local_put(local, "space", key, value, strlen(value));
	store_commit_also(job, &local);
	assert_int_equal(store_run(store, &job, NULL, NULL), ZL_OK);
}

static int setup(void **state)
{
	struct fixture *f = zl_alloc(1, sizeof(*f));
	struct zl_err err = { 0 };

	tmp_make(&f->tmp);
	f->dir = zl_strdup(tmp_path(&f->tmp, "store"));
	f->file = zl_strdup(tmp_path(&f->tmp, "file"));
	f->work = zl_strdup(tmp_path(&f->tmp, "work"));
	f->store = must_open(f->dir);
	put(f->store, "a", "1");
	put(f->store, "b", "2");
	put(f->store, "a", "3");
	if (backup_make(f->store, f->file, &f->made, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(&f->store);
	tmp_remove(&f->tmp);
	free(f->dir);
	free(f->file);
	free(f->work);
	free(f);
	return 0;
}

static void expect(struct store *store, const char *key, const char *want)
{
	struct store_view *view;
	struct store_item item;

	assert_int_equal(store_view_open(store, &view, NULL), ZL_OK);
	enum zl_code code = store_get(view, key, strlen(key), &item, NULL);
	assert_int_equal(code, want != NULL ? ZL_OK : ZL_ENOENT);
	if (want != NULL) {
		assert_int_equal(item.value_len, strlen(want));
		assert_memory_equal(item.value, want, item.value_len);
		assert_int_equal(store_local_get(view, "space", key, &item, NULL), ZL_OK);
		assert_memory_equal(item.value, want, item.value_len);
	}
	store_view_close(&view);
}

static struct position position_of(struct store *store)
{
	struct store_view *view;
	struct position position;

	assert_int_equal(store_view_open(store, &view, NULL), ZL_OK);
	store_position(view, &position, NULL);
	store_view_close(&view);
	return position;
}

static bool is_there(const char *path)
{
	struct stat file;

	return lstat(path, &file) == 0;
}

/* How many names of the test's folder begin so. */
static unsigned names(const struct fixture *f, const char *begin)
{
	DIR *dir = opendir(f->tmp.dir);
	const struct dirent *entry;
	unsigned count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += strncmp(entry->d_name, begin, strlen(begin)) == 0;
	(void)closedir(dir);
	return count;
}

static void header_says_what_is_in_it(void **state)
{
	struct fixture *f = *state;
	struct backup_facts facts;
	struct stat file;

	assert_int_equal(backup_read(f->file, &facts, NULL), ZL_OK);
	assert_memory_equal(&facts, &f->made, sizeof(facts));
	assert_int_equal(facts.position.rev, 3);
	assert_int_equal(facts.records, 2);
	assert_string_equal(facts.version, ZL_VERSION);
	struct position now = position_of(f->store);
	assert_true(position_equal(&facts.position, &now));
	assert_int_equal(stat(f->file, &file), 0);
	assert_int_equal(file.st_size, facts.file_bytes);
	assert_int_equal(file.st_mode & 0777, 0600);
	assert_int_equal(backup_verify(f->file, f->work, &facts, NULL), ZL_OK);
	assert_false(is_there(f->work));
	assert_int_equal(names(f, "file"), 1); /* no folder of the work is left */
}

static void restored_store_goes_on_in_a_new_epoch(void **state)
{
	struct fixture *f = *state;
	char *dir = zl_format("%s/other", f->tmp.dir);
	struct backup_facts facts;
	struct zl_err err = { 0 };
	char *aside;

	put(f->store, "a", "later");
	if (backup_restore(f->file, dir, false, &facts, &aside, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	assert_null(aside);
	struct store *store = must_open(dir);
	struct position position = position_of(store);
	assert_true(position_equal(&position, &facts.position));
	assert_int_equal(position.rev, 3);
	assert_memory_equal(position.chain, f->made.position.chain, POSITION_CHAIN);
	assert_memory_not_equal(position.epoch, f->made.position.epoch, POSITION_EPOCH);
	expect(store, "a", "3");
	expect(store, "b", "2");
	put(store, "c", "4");
	assert_int_equal(store_verify(store, &err), ZL_OK);
	assert_int_equal(position_of(store).rev, 4);
	store_close(&store);
	expect(f->store, "a", "later");
	free(dir);
}

static void store_that_is_there_is_moved_aside(void **state)
{
	struct fixture *f = *state;
	struct backup_facts facts;
	struct zl_err err = { 0 };
	char *aside;

	put(f->store, "a", "later");
	assert_int_equal(backup_restore(f->file, f->dir, true, &facts, &aside, &err),
			 ZL_ECONFLICT);
	assert_non_null(strstr(err.msg, "open in process"));
	store_close(&f->store);
	assert_int_equal(backup_restore(f->file, f->dir, false, &facts, &aside, &err),
			 ZL_ECONFLICT);
	assert_non_null(strstr(err.msg, "--force"));
	f->store = must_open(f->dir);
	expect(f->store, "a", "later");
	store_close(&f->store);

	for (unsigned i = 1; i <= 2; i++) { /* twice in a second, and both are kept */
		if (backup_restore(f->file, f->dir, true, &facts, &aside, &err) != ZL_OK)
			fail_msg("%s", err.msg);
		assert_non_null(aside);
		struct store *old = must_open(aside);
		expect(old, "a", i == 1 ? "later" : "3");
		store_close(&old);
		free(aside);
		assert_int_equal(names(f, "store.before-"), i);
	}
	f->store = must_open(f->dir);
	expect(f->store, "a", "3");
	assert_int_equal(names(f, "store.new-"), 0);
}

static void change_byte(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte = (char)(byte ^ 1);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	(void)close(fd);
}

static void refused(struct fixture *f, const char *what)
{
	struct backup_facts facts;
	struct zl_err err = { 0 };
	char *aside;

	if (backup_verify(f->file, f->work, &facts, &err) != ZL_ECORRUPT)
		fail_msg("verify: %s", what);
	assert_non_null(strstr(err.msg, f->file));
	if (backup_restore(f->file, f->dir, true, &facts, &aside, NULL) != ZL_ECORRUPT)
		fail_msg("restore: %s", what);
	assert_false(is_there(f->work));
	assert_int_equal(names(f, "store"), 1); /* nothing was moved or made */
}

static void each_changed_byte_is_noticed(void **state)
{
	struct fixture *f = *state;
	off_t size = (off_t)f->made.file_bytes;

	store_close(&f->store);
	for (off_t at = 0; at < size; at += at < 400 || at > size - 32 ? 1 : 509) {
		char *what = zl_format("byte %ld", (long)at);
		change_byte(f->file, at);
		refused(f, what);
		change_byte(f->file, at);
		free(what);
	}
	assert_int_equal(backup_verify(f->file, f->work, &f->made, NULL), ZL_OK);
}

static void part_of_a_file_is_noticed(void **state)
{
	struct fixture *f = *state;

	store_close(&f->store);
	for (off_t len = (off_t)f->made.file_bytes - 1; len >= 0; len -= 1021) {
		char *what = zl_format("length %ld", (long)len);
		assert_int_equal(truncate(f->file, len), 0);
		refused(f, what);
		free(what);
	}
	assert_int_equal(backup_read("/nowhere", &f->made, NULL), ZL_ENOENT);
}

static void damaged_store_is_no_backup(void **state)
{
	struct fixture *f = *state;
	char *data = zl_format("%s/data.mdb", f->dir);
	char *other = zl_format("%s/second", f->tmp.dir);
	struct zl_err err = { 0 };
	struct stat file;

	assert_int_equal(stat(data, &file), 0);
	int fd = open(data, O_RDWR | O_CLOEXEC);
	char *bytes = zl_alloc(1, (size_t)file.st_size);
	assert_int_equal(pread(fd, bytes, (size_t)file.st_size, 0), file.st_size);
	for (char *at = bytes; at < bytes + file.st_size - 1; at++)
		if (at[0] == 'b' && at[1] != '\0' && at > bytes + 8192)
			at[0] = 'x'; /* the map shows the file */
	assert_int_equal(pwrite(fd, bytes, (size_t)file.st_size, 0), file.st_size);
	(void)close(fd);
	assert_int_equal(backup_make(f->store, other, &f->made, &err), ZL_ECORRUPT);
	assert_int_equal(names(f, "second"), 0);
	free(bytes);
	free(other);
	free(data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(header_says_what_is_in_it),
		TEST(restored_store_goes_on_in_a_new_epoch),
		TEST(store_that_is_there_is_moved_aside),
		TEST(each_changed_byte_is_noticed),
		TEST(part_of_a_file_is_noticed),
		TEST(damaged_store_is_no_backup),
	};
	return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
