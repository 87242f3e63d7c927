/* What happened to the folder while nobody looked: every damage is an error that says
 * what it is, never a wrong value and never a signal. */
#include "fixture.h"

#include "support/seeds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void expect_no_open(struct fixture *f, enum zl_code code, const char *text)
{
	struct zl_err err = { 0 };
	struct store *store;

	assert_int_equal(store_open(&store, f->tmp.dir, &f->options, &err), code);
	assert_null(store);
	if (strstr(err.msg, text) == NULL)
		fail_msg("\"%s\" is not in: %s", text, err.msg);
	assert_non_null(strstr(err.msg, f->tmp.dir));
}

static int data_file(struct fixture *f)
{
	int fd = open(tmp_path(&f->tmp, "data.mdb"), O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void fill(struct fixture *f)
{
	static char value[9000];
	char key[32];

	for (int i = 0; i < 150; i++) {
		(void)snprintf(key, sizeof(key), "key-%03d", i);
		memset(value, 'a' + i % 26, sizeof(value));
		struct store_job *job = store_commit_new(NULL, 0, "w", "m");
		store_commit_put(job, key, strlen(key), value,
				 i % 20 == 0 ? sizeof(value) : 50, STORE_ANY, 0);
		run_for(f->store, job, ZL_OK);
	}
}

static void garbage_is_refused(void **state)
{
	struct fixture *f = *state;

	store_close(&f->store);
	int fd = data_file(f);
	assert_int_equal(ftruncate(fd, 0), 0);
	for (int i = 0; i < 4000; i++)
		assert_int_equal(write(fd, "garbage ", 8), 8);
	(void)close(fd);
	expect_no_open(f, ZL_ECORRUPT, "data.mdb");
}

static void empty_or_lost_data_is_not_a_new_store(void **state)
{
	struct fixture *f = *state;

	put(f->store, "a", "1");
	store_close(&f->store);
	int fd = data_file(f);
	assert_int_equal(ftruncate(fd, 0), 0);
	(void)close(fd);
	expect_no_open(f, ZL_ECORRUPT, "lost or was emptied");
	assert_int_equal(unlink(tmp_path(&f->tmp, "data.mdb")), 0);
	expect_no_open(f, ZL_ECORRUPT, "lost or was emptied");
}

static void truncated_file_is_refused_at_any_length(void **state)
{
	struct fixture *f = *state;
	struct stat file;
	int refused = 0;

	fill(f);
	store_close(&f->store);
	int fd = data_file(f);
	assert_int_equal(fstat(fd, &file), 0);
	for (off_t len = file.st_size - 4096; len > 0; len -= 4096 + 100) {
		assert_int_equal(ftruncate(fd, len), 0);
		struct zl_err err = { 0 };
		struct store *store;
		enum zl_code code = store_open(&store, f->tmp.dir, &f->options, &err);
		if (code == ZL_OK) { /* only free pages were cut */
			must_verify(store);
			store_close(&store);
			continue;
		}
		assert_int_equal(code, ZL_ECORRUPT);
		refused++;
	}
	(void)close(fd);
	assert_in_range(refused, 20, 1000);
}

/* Change bytes of the file and see. False: nothing was noticed, and then all must be as
 * it was. */
static bool is_noticed(struct fixture *f, const struct digest *want)
{
	struct zl_err err = { 0 };
	struct store *store;
	struct digest digest;

	enum zl_code code = store_open(&store, f->tmp.dir, &f->options, &err);
	if (code != ZL_OK) {
		assert_int_equal(code, ZL_ECORRUPT);
		assert_true(strlen(err.msg) > 20);
		return true;
	}
	assert_int_equal(position_of(store, &digest).rev, 150);
	assert_true(digest_equal(&digest, want));
	bool noticed = store_verify(store, &err) != ZL_OK;
	if (!noticed)
		put(store, "the store", "still works");
	store_close(&store);
	return noticed;
}

static char *whole_file(int fd, size_t *len)
{
	struct stat file;

	assert_int_equal(fstat(fd, &file), 0);
	*len = (size_t)file.st_size;
	char *bytes = zl_alloc(*len, 1);
	assert_int_equal(pread(fd, bytes, *len, 0), *len);
	return bytes;
}

static void damaged_bytes_are_noticed_or_harmless(void **state)
{
	struct fixture *f = *state;
	struct dice dice = { 7 };
	struct digest want;
	size_t len;
	int noticed = 0;

	fill(f);
	(void)position_of(f->store, &want);
	store_close(&f->store);
	int fd = data_file(f);
	char *good = whole_file(fd, &len);
	char *page = zl_alloc(4096, 1);
	for (int i = 0; i < 600; i++) {
		size_t at = dice_below(&dice, len / 4096) * 4096;
		switch (dice_below(&dice, 4)) {
		case 0: { /* one bit */
			size_t byte = at + dice_below(&dice,
						      dice_chance(&dice, 50) ? 64 : 4096);
			unsigned char flipped = (unsigned char)good[byte];
			flipped ^= (unsigned char)(1U << dice_below(&dice, 8));
			assert_int_equal(pwrite(fd, &flipped, 1, (off_t)byte), 1);
			break;
		}
		case 1: /* a page of zeros */
			memset(page, 0, 4096);
			assert_int_equal(pwrite(fd, page, 4096, (off_t)at), 4096);
			break;
		case 2: /* a torn page */
			memset(page, 0xa5, 4096);
			assert_int_equal(pwrite(fd, page, 512, (off_t)at + 1024), 512);
			break;
		default: /* another page's bytes */
			memcpy(page, good + dice_below(&dice, len / 4096) * 4096, 4096);
			assert_int_equal(pwrite(fd, page, 4096, (off_t)at), 4096);
		}
		noticed += is_noticed(f, &want);
		assert_int_equal(ftruncate(fd, (off_t)len), 0);
		assert_int_equal(pwrite(fd, good, len, 0), len);
	}
	assert_in_range(noticed, 150, 600);
	assert_false(is_noticed(f, &want));
	free(good);
	free(page);
	(void)close(fd);
}

/* Where text stands in the file, from the end: the newest copy may be anywhere. */
static void flip_after(struct fixture *f, const char *text)
{
	int fd = data_file(f);
	size_t len;
	char *bytes = whole_file(fd, &len);
	char *at = bytes;

	while ((at = memmem(at, len - (size_t)(at - bytes), text, strlen(text))) !=
	       NULL) {
		at[strlen(text) - 1] ^= 1;
		at++;
	}
	assert_int_equal(pwrite(fd, bytes, len, 0), len);
	free(bytes);
	(void)close(fd);
}

static void damaged_record_is_named(void **state)
{
	struct fixture *f = *state;

	put(f->store, "some/key", "a value to be found");
	store_close(&f->store);
	flip_after(f, "a value to be found");
	expect_no_open(f, ZL_ECORRUPT, "damaged");
}

static void damage_of_a_running_store_is_named(void **state)
{
	struct fixture *f = *state;
	struct zl_err err = { 0 };
	struct store_item item;

	put(f->store, "some/key", "a value to be found");
	put(f->store, "other", "x");
	flip_after(f, "a value to be found"); /* the map shows the file */
	struct store_view *view = view_of(f->store);
	assert_int_equal(store_get(view, "some/key", 8, &item, &err), ZL_ECORRUPT);
	assert_non_null(strstr(err.msg, "\"some/key\""));
	assert_int_equal(store_get(view, "other", 5, &item, &err), ZL_OK);
	store_view_close(&view);
	assert_int_equal(store_verify(f->store, &err), ZL_ECORRUPT);
	/* To write over it is refused, to write beside it is not. */
	run_for(f->store, put_job("some/key", "new", STORE_ANY, 0), ZL_ECORRUPT);
	put(f->store, "other", "y");
}

static void second_opener_is_refused(void **state)
{
	struct fixture *f = *state;
	char text[64];

	(void)snprintf(text, sizeof(text), "open in process %ld", (long)getpid());
	expect_no_open(f, ZL_ECONFLICT, text);
	f->options.read_only = true; /* LMDB cannot have a file open twice in a process */
	expect_no_open(f, ZL_ECONFLICT, text);
	put(f->store, "a", "1"); /* the first one is unharmed */
	f->options.read_only = false;
	reopen(f);
	expect(f->store, "a", "1");
}

static void read_only_opens_what_is_there(void **state)
{
	struct fixture *f = *state;
	struct digest sums[DIGEST_BUCKETS];
	struct digest digest;
	struct position position;

	put(f->store, "a", "1");
	store_close(&f->store);
	f->options.read_only = true;
	open_store(f);
	expect(f->store, "a", "1");
	assert_int_equal(position_of(f->store, &digest).rev, 1);
	assert_int_equal(store_sums(f->store, sums, &position, NULL), ZL_OK);
	assert_true(digest_equal(&sums[digest_bucket("a", 1)], &digest));
	must_verify(f->store);
	store_close(&f->store);

	struct fixture empty = { .options = { .read_only = true } };
	tmp_make(&empty.tmp);
	expect_no_open(&empty, ZL_ENOENT, "data.mdb");
	tmp_remove(&empty.tmp);
	expect_no_open(&empty, ZL_ENOENT, "No such file");
}

static void set_dir(struct fixture *other, const struct fixture *f, const char *name)
{
	char *path = zl_format("%s/%s", f->tmp.dir, name);

	assert_true(strlen(path) < sizeof(other->tmp.dir));
	memcpy(other->tmp.dir, path, strlen(path) + 1);
	free(path);
}

static void folder_is_made_and_must_be_ours(void **state)
{
	struct fixture *f = *state;
	struct fixture other = { .store = NULL };
	struct stat file;

	set_dir(&other, f, "new");
	open_store(&other);
	assert_int_equal(stat(other.tmp.dir, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0700);
	store_close(&other.store);

	set_dir(&other, f, "store-id");
	expect_no_open(&other, ZL_EINVAL, "not a folder");
	set_dir(&other, f, "no/folder");
	expect_no_open(&other, ZL_ENOENT, "No such file");
	if (geteuid() ==
	    0) { /* as any other user /proc/1 is not ours either, but hidden */
		set_dir(&other, f, "new");
		assert_int_equal(chown(other.tmp.dir, 12345, 12345), 0);
		expect_no_open(&other, ZL_EACCES, "belongs to user 12345");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(garbage_is_refused),
		STORE_TEST(empty_or_lost_data_is_not_a_new_store),
		STORE_TEST(truncated_file_is_refused_at_any_length),
		STORE_TEST(damaged_bytes_are_noticed_or_harmless),
		STORE_TEST(damaged_record_is_named),
		STORE_TEST(damage_of_a_running_store_is_named),
		STORE_TEST(second_opener_is_refused),
		STORE_TEST(read_only_opens_what_is_there),
		STORE_TEST(folder_is_made_and_must_be_ours),
	};
	return cmocka_run_group_tests_name("store/damage", tests, NULL, NULL);
}
