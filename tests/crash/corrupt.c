/* What happens to the file while nobody has it open: bits, pages, ends. Each damage is an
 * error with a message, or it harmed nothing that is read: never a wrong value, never a
 * signal. ZL_SIZE S: 200 damages, C: 3,000, L: 30,000. ZL_SEED: only this one.
 *
 * What the store should hold is what was put: each value says its key and its number. */
#include "size.h"

#include "base/err.h"
#include "base/mem.h"
#include "store/read.h"
#include "store/store.h"
#include "store/write.h"

#include "support/seeds.h"
#include "support/test.h"
#include "support/tmp.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYS = 400, PUTS = 1500, PAGE = 4096, VALUE_MAX = 12000 };

static const struct store_options OPTIONS = { .map_size = 1 << 20, .log_count = 500 };

/* The number that each key was put with last; 0: it is not there. */
struct truth {
	uint64_t number[KEYS];
	struct position position;
};

static size_t make_value(char *value, unsigned key, uint64_t number)
{
	size_t len = number % 23 == 0 ? VALUE_MAX - number % 1000 : 30 + number % 200;

	memset(value, (char)('a' + number % 26), len);
	int n = snprintf(value, VALUE_MAX, "key%u=%llu;", key,
			 (unsigned long long)number);
	value[n] = '.';
	return len;
}

static void put_some(struct store *store, struct truth *truth, struct dice *dice,
		     uint64_t *number)
{
	static char value[VALUE_MAX];
	struct store_job *job = store_commit_new(NULL, *number, "w", "m");
	unsigned first = (unsigned)dice_below(dice, KEYS);
	struct zl_err err = { 0 };
	char name[16];

	for (unsigned i = 0; i < 3; i++) {
		unsigned key = (first + i) % KEYS;
		(void)snprintf(name, sizeof(name), "key%u", key);
		if (truth->number[key] != 0 && dice_chance(dice, 15)) {
			truth->number[key] = 0;
			store_commit_delete(job, name, strlen(name), STORE_ANY, 0);
			continue;
		}
		truth->number[key] = ++*number;
		size_t len = make_value(value, key, *number);
		store_commit_put(job, name, strlen(name), value, len, STORE_ANY, 0);
	}
	if (store_run(store, &job, NULL, &err) != ZL_OK)
		fail_msg("%s", err.msg);
}

static void fill(const char *dir, struct truth *truth)
{
	struct dice dice = { 3 };
	struct zl_err err = { 0 };
	struct store *store;
	struct store_view *view;
	uint64_t number = 0;

	if (store_open(&store, dir, &OPTIONS, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	while (number < PUTS)
		put_some(store, truth, &dice, &number);
	assert_int_equal(store_view_open(store, &view, &err), ZL_OK);
	store_position(view, &truth->position, NULL);
	store_view_close(&view);
	store_close(&store);
}

struct file {
	int fd;
	uint8_t *good; /* owned */
	size_t len;
};

enum damage {
	BIT,
	HEADER_BIT, /* in the first bytes of a page */
	META,
	ZEROED,
	TORN,
	SWAPPED,
	OLDER, /* a page lies where another one was */
	GARBAGE,
	TRUNCATED,
	LONGER,
	DAMAGES
};

static const char *const NAMES[DAMAGES] = { "bit",       "header bit", "meta",  "zeroed",
					    "torn",      "swapped",    "older", "garbage",
					    "truncated", "longer" };

static void write_at(const struct file *file, size_t at, const void *data, size_t len)
{
	assert_int_equal(pwrite(file->fd, data, len, (off_t)at), len);
}

static void flip(const struct file *file, struct dice *dice, size_t byte)
{
	uint8_t one = (uint8_t)(file->good[byte] ^ 1U << dice_below(dice, 8));

	write_at(file, byte, &one, 1);
}

static void noise(struct dice *dice, uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)dice_roll(dice);
}

static void damage(const struct file *file, struct dice *dice, enum damage how)
{
	size_t pages = file->len / PAGE;
	size_t at = dice_below(dice, pages) * PAGE;
	size_t other = dice_below(dice, pages) * PAGE;
	uint8_t bytes[4 * PAGE] = { 0 };
	size_t len = (1 + dice_below(dice, 4)) * PAGE;

	switch (how) {
	case BIT:
		flip(file, dice, at + dice_below(dice, PAGE));
		break;
	case HEADER_BIT:
		flip(file, dice, at + dice_below(dice, 64));
		break;
	case META:
		flip(file, dice, dice_below(dice, 2) * PAGE + dice_below(dice, 160));
		break;
	case ZEROED:
		write_at(file, at, bytes, PAGE);
		break;
	case TORN:
		write_at(file, at + 512 * dice_below(dice, 8), file->good + other, 512);
		break;
	case SWAPPED:
		write_at(file, at, file->good + other, PAGE);
		write_at(file, other, file->good + at, PAGE);
		break;
	case OLDER:
		write_at(file, at, file->good + other, PAGE);
		break;
	case GARBAGE:
		noise(dice, bytes, len);
		write_at(file, at, bytes, len < file->len - at ? len : file->len - at);
		break;
	case TRUNCATED:
		assert_int_equal(ftruncate(file->fd, (off_t)dice_below(dice, file->len)),
				 0);
		break;
	case LONGER:
		noise(dice, bytes, sizeof(bytes));
		write_at(file, file->len, bytes, len);
		break;
	case DAMAGES:
		break;
	}
}

static void heal(const struct file *file)
{
	assert_int_equal(ftruncate(file->fd, (off_t)file->len), 0);
	write_at(file, 0, file->good, file->len);
}

/* Read each key: its value, that it is not there, or an error. False: something else. */
static bool reads_true(struct store *store, const struct truth *truth, bool *noticed)
{
	static char want[VALUE_MAX];
	struct store_view *view;
	struct position position;
	bool ok = true;
	char name[16];

	if (store_view_open(store, &view, NULL) != ZL_OK) {
		*noticed = true;
		return true;
	}
	store_position(view, &position, NULL);
	ok = position_equal(&position, &truth->position);
	for (unsigned key = 0; key < KEYS && ok; key++) {
		struct store_item item;
		struct zl_err err = { 0 };
		(void)snprintf(name, sizeof(name), "key%u", key);
		enum zl_code code = store_get(view, name, strlen(name), &item, &err);
		size_t len = make_value(want, key, truth->number[key]);
		if (code == ZL_OK)
			ok = truth->number[key] != 0 && item.value_len == len &&
			     memcmp(item.value, want, len) == 0;
		else if (code == ZL_ENOENT)
			ok = truth->number[key] == 0;
		else
			*noticed = true;
	}
	store_view_close(&view);
	return ok;
}

static bool ignore(void *ctx, const struct store_log_item *item)
{
	(void)ctx, (void)item;
	return true;
}

/* Open the damaged store and read all of it. *noticed: an error said so. */
static bool look(const char *dir, const struct truth *truth, bool *noticed)
{
	struct zl_err err = { 0 };
	struct store *store;

	*noticed = false;
	if (store_open(&store, dir, &OPTIONS, &err) != ZL_OK) {
		*noticed = true;
		return err.code == ZL_ECORRUPT && strlen(err.msg) > 20;
	}
	bool ok = reads_true(store, truth, noticed);
	struct store_view *view;
	if (store_view_open(store, &view, &err) == ZL_OK) {
		if (store_log(view, store_floor(view), ignore, NULL, &err) != ZL_OK)
			*noticed = true;
		store_view_close(&view);
	}
	if (store_verify(store, &err) != ZL_OK)
		*noticed = true;
	store_close(&store);
	return ok;
}

static void no_damage_gives_a_wrong_value(void **state)
{
	const char *seed = getenv("ZL_SEED");
	uint64_t first = seed != NULL ? strtoull(seed, NULL, 10) : 1;
	uint64_t last = seed != NULL ? first : by_size(200, 3000, 30000);
	struct truth *truth = zl_alloc(1, sizeof(*truth));
	unsigned noticed[DAMAGES] = { 0 };
	unsigned harmless[DAMAGES] = { 0 };
	struct stat info;
	struct tmp tmp;

	(void)state;
	tmp_make(&tmp);
	fill(tmp.dir, truth);
	struct file file = { .fd = open(tmp_path(&tmp, "data.mdb"), O_RDWR | O_CLOEXEC) };
	assert_int_equal(fstat(file.fd, &info), 0);
	file.len = (size_t)info.st_size;
	file.good = zl_alloc(1, file.len);
	assert_int_equal(pread(file.fd, file.good, file.len, 0), file.len);
	for (uint64_t i = first; i <= last; i++) {
		struct dice dice = { i };
		/* The remainder is for the analyser, which does not know dice. */
		enum damage how = (enum damage)(dice_below(&dice, DAMAGES) % DAMAGES);
		bool said;
		damage(&file, &dice, how);
		if (!look(tmp.dir, truth, &said))
			fail_msg("ZL_SEED=%llu: %s was not noticed, or not named",
				 (unsigned long long)i, NAMES[how]);
		*(said ? &noticed[how] : &harmless[how]) += 1;
		heal(&file);
	}
	for (int how = 0; how < DAMAGES; how++)
		(void)printf("%-10s %6u noticed, %6u harmed nothing\n", NAMES[how],
			     noticed[how], harmless[how]);
	bool said;
	assert_true(look(tmp.dir, truth, &said) && !said);
	(void)close(file.fd);
	tmp_remove(&tmp);
	free(file.good);
	free(truth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_damage_gives_a_wrong_value),
	};

	return cmocka_run_group_tests_name("crash/corrupt", tests, NULL, NULL);
}
