/* How long a durable commit takes, alone and with many waiting.
 *
 *   bench-store [folder] [seconds]     figures are for 512-byte values over 10,000 keys
 */
#include "base/clock.h"
#include "base/mem.h"
#include "store/read.h"
#include "store/store.h"
#include "store/write.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYS = 10000, VALUE = 512, SAMPLES = 2000000, IN_FLIGHT = 1024 };

struct bench {
	struct store *store;
	pthread_mutex_t lock;
	pthread_cond_t less;
	unsigned in_flight;
	uint64_t *taken; /* owned: microseconds of each commit */
	size_t count;
	uint64_t started[IN_FLIGHT];
	uint64_t sent;
	uint64_t number; /* dice for the keys */
};

static void done(void *ctx, struct store_result *results)
{
	struct bench *b = ctx;
	uint64_t now = zl_now_us();

	(void)pthread_mutex_lock(&b->lock);
	for (const struct store_result *r = results; r != NULL; r = r->next) {
		if (r->code != ZL_OK) {
			(void)fprintf(stderr, "%s\n", r->err.msg);
			exit(1);
		}
		if (b->count < SAMPLES)
			b->taken[b->count++] = now - *(const uint64_t *)r->tag;
		b->in_flight--;
	}
	(void)pthread_cond_signal(&b->less);
	(void)pthread_mutex_unlock(&b->lock);
	store_results_free(&results);
}

static void submit_one(struct bench *b)
{
	char key[32];
	char value[VALUE];
	uint64_t *started = &b->started[b->sent++ % IN_FLIGHT];
	struct store_job *job = store_commit_new(started, 0, "bench", NULL);

	*started = zl_now_us();
	b->number = b->number * 6364136223846793005ULL + 1442695040888963407ULL;
	(void)snprintf(key, sizeof(key), "route/default/%05llu",
		       (unsigned long long)(b->number >> 33) % KEYS);
	memset(value, 'v', sizeof(value));
	memcpy(value, &b->number, sizeof(b->number));
	store_commit_put(job, key, strlen(key), value, sizeof(value), STORE_ANY, 0);
	if (store_submit(b->store, &job, NULL) != ZL_OK)
		exit(1);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return (*x > *y) - (*x < *y);
}

static void measure(struct bench *b, unsigned clients, unsigned seconds)
{
	uint64_t start = zl_now_us();
	uint64_t end = start + seconds * 1000000ULL;

	b->count = 0;
	while (zl_now_us() < end) {
		(void)pthread_mutex_lock(&b->lock);
		while (b->in_flight >= clients)
			(void)pthread_cond_wait(&b->less, &b->lock);
		b->in_flight++;
		(void)pthread_mutex_unlock(&b->lock);
		submit_one(b);
	}
	(void)pthread_mutex_lock(&b->lock);
	while (b->in_flight > 0)
		(void)pthread_cond_wait(&b->less, &b->lock);
	(void)pthread_mutex_unlock(&b->lock);
	double took = (double)(zl_now_us() - start) / 1e6;
	qsort(b->taken, b->count, sizeof(*b->taken), by_size);
	(void)printf("%3u clients: %8.0f commits/s   p50 %6llu us   p99 %6llu us\n",
		     clients, (double)b->count / took,
		     (unsigned long long)b->taken[b->count / 2],
		     (unsigned long long)b->taken[b->count * 99 / 100]);
}

static void measure_open(const char *dir, const struct store_options *options)
{
	struct zl_err err;
	struct store *store;
	struct store_status status;
	uint64_t start = zl_now_us();

	if (store_open(&store, dir, options, &err) != ZL_OK) {
		(void)fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
	store_status(store, &status);
	(void)printf("open and check %llu records, %llu log entries: %llu us\n",
		     (unsigned long long)status.records,
		     (unsigned long long)status.log_entries,
		     (unsigned long long)(zl_now_us() - start));
	store_close(&store);
}

int main(int argc, char **argv)
{
	char folder[] = P_tmpdir "/zonelink-bench.XXXXXX";
	const char *dir = argc > 1 ? argv[1] : mkdtemp(folder);
	unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 3;
	struct bench b = { .lock = PTHREAD_MUTEX_INITIALIZER,
			   .less = PTHREAD_COND_INITIALIZER,
			   .taken = zl_alloc(SAMPLES, sizeof(uint64_t)),
			   .number = 1 };
	const struct store_options options = { .done = done, .ctx = &b };
	const unsigned CLIENTS[] = { 64, 1, 8, 64 }; /* the first fills the store */
	struct zl_err err;

	if (dir == NULL || store_open(&b.store, dir, &options, &err) != ZL_OK) {
		(void)fprintf(stderr, "%s\n", dir == NULL ? "no folder" : err.msg);
		return 1;
	}
	for (size_t i = 0; i < sizeof(CLIENTS) / sizeof(CLIENTS[0]); i++)
		measure(&b, CLIENTS[i], seconds);
	store_close(&b.store);
	measure_open(dir, &options);
	free(b.taken);
	return 0;
}
