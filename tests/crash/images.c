/* The power is cut: what the disk was told and not yet made to keep is there or not, in
 * any mixture. ZL_SIZE S: 200 images, C: 2,000, L: 50,000.
 *
 * A store works while each change of its file is recorded. Each image is the file as it
 * was when the power went at some moment of that: all that was synced, and of the rest
 * some sectors of 512 bytes. The real store opens it: each acknowledged commit is there,
 * and what is there is the state after one of the commits, digest and all. */
#include "recorder.h"
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
#include <unistd.h>

enum { STEPS = 60, GROUP = 8, KEYS = 60, PER_RUN = 100, SECTOR = 512, REVS = 4096 };
enum { FILE_MAX = 4 << 20 };

static const struct store_options OPTIONS = { .map_size = 1 << 20, .log_count = 60 };

/* The state after each revision, and how many of them have been told. */
struct told {
	struct {
		struct position position;
		struct digest digest;
	} at[REVS];
	uint64_t last;
	unsigned waiting; /* atomic */
};

static void take(void *ctx, struct store_result *results)
{
	struct told *told = ctx;

	for (const struct store_result *r = results; r != NULL; r = r->next) {
		uint64_t rev = r->position.rev;
		if (r->code != ZL_OK || rev >= REVS)
			abort();
		if (r->kind == STORE_COMMIT) {
			told->at[rev].position = r->position;
			told->at[rev].digest = r->digest;
			told->last = rev;
			recorder_ack(rev);
		}
		__atomic_sub_fetch(&told->waiting, 1, __ATOMIC_SEQ_CST);
	}
	store_results_free(&results);
}

/* One commit with a small record of its own, which must come and go with it. */
static struct store_job *some_commit(struct dice *dice, uint64_t number)
{
	static char value[9000];
	struct store_job *job = store_commit_new(NULL, number, "w", "m");
	struct store_job *local = store_local_new(NULL);
	size_t len = dice_chance(dice, 10) ? sizeof(value) : dice_below(dice, 300);
	char key[16];

	memset(value, (char)('a' + number % 26), sizeof(value));
	(void)snprintf(key, sizeof(key), "key%llu",
		       (unsigned long long)dice_below(dice, KEYS));
	(void)snprintf(value, sizeof(value), "%llu", (unsigned long long)number);
	value[strlen(value)] = '.';
	store_commit_put(job, key, strlen(key), value, len + 20, STORE_ANY, 0);
	store_local_put(local, "images", "number", &number, sizeof(number));
	store_commit_also(job, &local);
	return job;
}

static bool stage_item(void *ctx, const struct store_item *item)
{
	store_record_put(ctx, item->key, item->key_len, item->mod_rev, item->value,
			 item->value_len);
	return true;
}

static void run_job(struct store *store, struct store_job *job)
{
	struct zl_err err = { 0 };

	if (store_run(store, &job, NULL, &err) != ZL_OK)
		fail_msg("%s", err.msg);
}

/* Replace the state by a copy of itself, as a zone does with a snapshot. */
static void swap_all(struct store *store)
{
	struct store_job *job = store_stage_new(NULL, true);
	struct store_view *view;
	struct position position;
	struct digest digest;

	assert_int_equal(store_view_open(store, &view, NULL), ZL_OK);
	assert_int_equal(store_each(view, NULL, 0, NULL, 0, stage_item, job, NULL),
			 ZL_OK);
	store_position(view, &position, &digest);
	store_view_close(&view);
	run_job(store, job);
	run_job(store, store_swap_new(NULL, &position, &digest));
}

static struct store *open_at(const char *dir, struct told *told)
{
	struct store_options options = OPTIONS;
	struct zl_err err = { 0 };
	struct store *store;

	options.done = take;
	options.ctx = told;
	if (store_open(&store, dir, &options, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return store;
}

static size_t read_file(const char *path, uint8_t *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, to, FILE_MAX);

	assert_true(n > 0);
	(void)close(fd);
	return (size_t)n;
}

/* The file at one moment: what is durable in bytes, event next has not ended. */
struct disk {
	uint8_t *bytes, *image; /* owned; FILE_MAX */
	size_t len;
	size_t synced; /* all events before this one are in bytes */
	size_t next;
	uint64_t acked;
};

/* Let a store work and record it; disk gets the file as it was before. */
static void record(const char *dir, struct dice *dice, struct told *told,
		   struct disk *disk)
{
	char *data = zl_format("%s/data.mdb", dir);
	struct store *store = open_at(dir, told);
	struct zl_err err = { 0 };
	uint64_t number = 0;

	store_close(&store);
	disk->len = read_file(data, disk->bytes);
	recorder_begin(data);
	store = open_at(dir, told);
	for (unsigned step = 0; step < STEPS; step++) {
		uint64_t group = 1 + dice_below(dice, GROUP);
		for (uint64_t i = 0; i < group; i++) {
			struct store_job *job = some_commit(dice, ++number);
			__atomic_add_fetch(&told->waiting, 1, __ATOMIC_SEQ_CST);
			if (store_submit(store, &job, &err) != ZL_OK)
				fail_msg("%s", err.msg);
		}
		while (__atomic_load_n(&told->waiting, __ATOMIC_SEQ_CST) > 0)
			(void)usleep(50);
		if (step % 20 == 19)
			swap_all(store);
		if (step % 25 == 24) {
			store_close(&store);
			store = open_at(dir, told);
		}
	}
	store_close(&store);
	free(data);
}

static void put(uint8_t *bytes, size_t *len, uint64_t at, const uint8_t *data, size_t n)
{
	assert_true(at + n <= FILE_MAX);
	memcpy(bytes + at, data, n);
	if (at + n > *len)
		*len = (size_t)at + n;
}

static void apply(struct disk *disk, const struct event *event)
{
	if (event->kind == EVENT_WRITE) {
		put(disk->bytes, &disk->len, event->at, event->data, event->len);
	} else if (event->kind == EVENT_SIZE) {
		if (event->at < disk->len)
			memset(disk->bytes + event->at, 0, disk->len - event->at);
		disk->len = (size_t)event->at;
	}
}

/* Everything before event until has ended. lies: the disk only says that it synced. */
static void advance(struct disk *disk, const struct event *events, size_t until,
		    bool lies)
{
	for (; disk->next < until; disk->next++) {
		const struct event *event = &events[disk->next];
		if (event->kind == EVENT_ACK)
			disk->acked = event->number;
		if (event->kind == EVENT_WRITE && event->durable)
			apply(disk, event);
		if (event->kind != EVENT_SYNC || lies)
			continue;
		for (; disk->synced < disk->next; disk->synced++)
			if (!events[disk->synced].durable)
				apply(disk, &events[disk->synced]);
	}
}

enum lost { LOST_ALL, LOST_NONE, LOST_WRITES, LOST_SECTORS, LOST_ONE, KEPT_ONE, LOSTS };

/* Sectors of a write that was not synced. */
static void keep_sectors(struct dice *dice, uint8_t *image, size_t *len,
			 const struct event *event)
{
	for (size_t done = 0; done < event->len;) {
		size_t n = SECTOR - (size_t)(event->at + done) % SECTOR;
		n = n < event->len - done ? n : event->len - done;
		if (dice_chance(dice, 50))
			put(image, len, event->at + done, event->data + done, n);
		done += n;
	}
}

/* The file that is found after the power went while event disk->next was under way. */
static size_t cut(struct disk *disk, const struct event *events, size_t count,
		  struct dice *dice)
{
	enum lost how = (enum lost)dice_below(dice, LOSTS);
	size_t end = disk->next < count ? disk->next + 1 : count;
	size_t one = disk->synced + dice_below(dice, end - disk->synced + 1);
	size_t len = disk->len;

	memcpy(disk->image, disk->bytes, FILE_MAX);
	for (size_t i = disk->synced; i < end; i++) {
		const struct event *event = &events[i];
		bool done = event->durable && i < disk->next; /* is in bytes already */
		bool keep = how == LOST_NONE ||
			    (how == LOST_WRITES && dice_chance(dice, 50)) ||
			    (how == LOST_ONE && i != one) ||
			    (how == KEPT_ONE && i == one);
		if (event->kind == EVENT_SIZE && keep && event->at > len)
			len = (size_t)event->at;
		if (event->kind != EVENT_WRITE || done)
			continue;
		if (how == LOST_SECTORS)
			keep_sectors(dice, disk->image, &len, event);
		else if (keep)
			put(disk->image, &len, event->at, event->data, event->len);
	}
	return len;
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, 0), len);
	(void)close(fd);
}

/* What is wrong with what the store holds; NULL: nothing. */
static const char *judge(struct store *store, const struct told *told, uint64_t acked,
			 struct zl_err *err)
{
	struct store_view *view;
	struct store_item item;
	struct position position;
	struct digest digest;
	uint64_t number = 0;

	if (store_verify(store, err) != ZL_OK ||
	    store_view_open(store, &view, err) != ZL_OK)
		return err->msg;
	store_position(view, &position, &digest);
	if (store_local_get(view, "images", "number", &item, err) == ZL_OK)
		memcpy(&number, item.value, sizeof(number));
	store_view_close(&view);
	if (position.rev < acked)
		return "an acknowledged commit is gone";
	if (position.rev > told->last)
		return "a commit that nobody made";
	if (position.rev > 0 &&
	    (!position_equal(&position, &told->at[position.rev].position) ||
	     !digest_equal(&digest, &told->at[position.rev].digest)))
		return "not the state after that commit";
	return number == position.rev ? NULL : "a small record is not that of its commit";
}

static const char *look(const char *dir, const struct told *told, uint64_t acked,
			bool go_on, struct zl_err *err)
{
	struct dice dice = { 1 };
	struct store *store;

	if (store_open(&store, dir, &OPTIONS, err) != ZL_OK)
		return err->msg;
	const char *wrong = judge(store, told, acked, err);
	if (wrong == NULL && go_on) {
		struct store_job *job = some_commit(&dice, 1);
		if (store_run(store, &job, NULL, err) != ZL_OK ||
		    store_verify(store, err) != ZL_OK)
			wrong = err->msg;
	}
	store_close(&store);
	return wrong;
}

static int ascending(const void *a, const void *b)
{
	size_t x = *(const size_t *)a;
	size_t y = *(const size_t *)b;

	return (x > y) - (x < y);
}

/* Images of one recording; how many of them were wrong, and what the last one was. */
static unsigned cut_often(const char *dir, struct disk *disk, const struct told *told,
			  struct dice *dice, bool lies, struct zl_err *last)
{
	char *data = zl_format("%s/data.mdb", dir);
	size_t moments[PER_RUN];
	unsigned wrong = 0;
	size_t count;
	const struct event *events = recorder_end(&count);

	for (size_t i = 0; i < PER_RUN; i++)
		moments[i] = dice_below(dice, count + 1);
	qsort(moments, PER_RUN, sizeof(*moments), ascending);
	for (size_t i = 0; i < PER_RUN; i++) {
		struct zl_err err = { 0 };
		advance(disk, events, moments[i], lies);
		write_file(data, disk->image, cut(disk, events, count, dice));
		const char *why = look(dir, told, disk->acked, i % 4 == 0, &err);
		if (why == NULL)
			continue;
		wrong++;
		(void)zl_fail(last, ZL_ECORRUPT,
			      "event %zu of %zu, %llu acknowledged: %s", moments[i],
			      count, (unsigned long long)disk->acked, why);
	}
	free(data);
	return wrong;
}

/* A store that works, and then so many images of it; how many were wrong. */
static unsigned run(uint64_t seed, bool lies, struct zl_err *last)
{
	struct dice dice = { seed };
	struct told *told = zl_alloc(1, sizeof(*told));
	struct disk disk = { .bytes = zl_alloc(1, FILE_MAX),
			     .image = zl_alloc(1, FILE_MAX) };
	struct tmp work;
	struct tmp image;

	tmp_make(&work);
	tmp_make(&image);
	record(work.dir, &dice, told, &disk);
	recorder_no_sync(true);
	unsigned wrong = cut_often(image.dir, &disk, told, &dice, lies, last);
	recorder_no_sync(false);
	recorder_clear();
	tmp_remove(&work);
	tmp_remove(&image);
	free(disk.bytes);
	free(disk.image);
	free(told);
	return wrong;
}

static void no_power_cut_loses_an_acknowledged_commit(void **state)
{
	size_t runs = by_size(200, 2000, 50000) / PER_RUN;
	const char *seed = getenv("ZL_SEED");
	struct zl_err last = { 0 };

	(void)state;
	for (size_t i = 1; i <= (seed != NULL ? 1 : runs); i++) {
		uint64_t one = seed != NULL ? strtoull(seed, NULL, 10) : i;
		unsigned wrong = run(one, false, &last);
		if (wrong > 0)
			fail_msg("ZL_SEED=%llu: %u of %d images are wrong; %s",
				 (unsigned long long)one, wrong, PER_RUN, last.msg);
	}
	(void)printf("%zu images, none wrong\n", runs * PER_RUN);
}

/* That the images are of any use: a disk that says it synced and did not is found out. */
static void a_disk_that_lies_is_found_out(void **state)
{
	struct zl_err last = { 0 };

	(void)state;
	unsigned wrong = run(1, true, &last);
	(void)printf("a disk that lies: %u of %d images wrong\n", wrong, PER_RUN);
	assert_in_range(wrong, PER_RUN / 4, PER_RUN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_power_cut_loses_an_acknowledged_commit),
		cmocka_unit_test(a_disk_that_lies_is_found_out),
	};

	return cmocka_run_group_tests_name("crash/images", tests, NULL, NULL);
}
