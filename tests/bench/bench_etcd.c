/* bench-etcd: a value is put, and each watcher is told of it; how long until all know?
 *
 *   bench-etcd ROUNDS CHANGES GAP ETCD GLOBAL ZONE...
 *
 * The two systems take turns, CHANGES values at a time; as many etcd watchers as zones.
 * One thread sends and receives for both; a value follows GAP milliseconds after all know
 * the one before.
 * Prints one JSON object. tests/bench/etcd starts what it talks to.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "side.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000, WARM_UP = 50 };

int dial(const char *address)
{
	struct zl_addr addr;
	struct zl_err err = { 0 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	if (zl_addr_parse(address, &addr, &err) != ZL_OK)
		errx(1, "%s", err.msg);
	sin.sin_port = htons(addr.port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&sin, sizeof(sin)) != 0)
		errx(1, "%s: %s", address, strerror(errno));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

void send_all(int fd, const void *bytes, size_t len)
{
	if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		errx(1, "send: %s", strerror(errno));
}

size_t value_make(char *out, size_t size, uint64_t count)
{
	int len = snprintf(
		out, size,
		"{\"type\":\"MeshTCPRoute\",\"mesh\":\"default\",\"name\":\"bench\","
		"\"spec\":{\"targetRef\":{\"kind\":\"Mesh\"},\"to\":[{\"targetRef\":"
		"{\"kind\":\"MeshService\",\"name\":\"backend\"},\"rules\":[{\"default\":"
		"{\"backendRefs\":[{\"kind\":\"MeshServiceSubset\",\"name\":\"backend\","
		"\"tags\":{\"version\":\"v0\"},\"weight\":%010llu},"
		"{\"kind\":\"MeshServiceSubset\",\"name\":\"backend\",\"tags\":"
		"{\"version\":\"v1\"},\"weight\":100}]}}]}]}}",
		1000000000ULL + (unsigned long long)count % 1000000000ULL);

	return (size_t)len;
}

/* ---- what was seen ---- */

struct times {
	uint32_t *items; /* microseconds; owned */
	size_t count, room;
};

static void times_add(struct times *times, uint64_t us)
{
	if (times->count == times->room) {
		times->room = times->room > 0 ? 2 * times->room : 4096;
		times->items = zl_realloc(times->items, times->room, sizeof(uint32_t));
	}
	times->items[times->count++] = (uint32_t)us;
}

static int by_size(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static void times_print(struct times *times, const char *name)
{
	qsort(times->items, times->count, sizeof(uint32_t), by_size);
	size_t last = times->count - 1;
	(void)printf("\"%s\":{\"p50\":%u,\"p90\":%u,\"p99\":%u,\"worst\":%u}", name,
		     times->items[last / 2], times->items[last * 9 / 10],
		     times->items[last * 99 / 100], times->items[last]);
	free(times->items);
}

struct run {
	struct side *side;
	int epoll;
	uint64_t count; /* of values put */
	/* until the answer to what needs no disk; until the putter has its answer; each
	 * watcher, and the last one, its news */
	struct times looked, answered, told, told_all;
	uint64_t lost;
};

/* ---- one value ---- */

struct turn {
	uint64_t began, rev; /* rev 0: no answer yet */
	uint64_t seen_rev[WATCHERS_MAX + 1], seen_us[WATCHERS_MAX + 1];
};

static size_t told(const struct run *run, const struct turn *turn)
{
	size_t count = 0;

	for (size_t i = 1; turn->rev > 0 && i <= run->side->watchers; i++)
		count += turn->seen_rev[i] >= turn->rev;
	return count;
}

static void look(struct run *run, struct turn *turn, size_t link)
{
	uint64_t rev = run->side->take(run->side, link);
	uint64_t now = zl_now_us() - turn->began;

	if (rev == 0)
		return;
	if (link == 0) {
		turn->rev = rev;
		times_add(&run->answered, now);
	} else {
		turn->seen_rev[link] = rev;
		turn->seen_us[link] = now;
	}
	/* Somebody was told of another's value, and may have to ask again. */
	for (size_t i = 1; turn->rev > 0 && i <= run->side->watchers; i++)
		if (turn->seen_rev[i] > 0 && turn->seen_rev[i] < turn->rev)
			run->side->rest(run->side);
}

/* Take what comes until all know it; false: somebody was never told. */
static bool until_all_know(struct run *run, struct turn *turn)
{
	struct epoll_event events[64];

	while (turn->rev == 0 || told(run, turn) < run->side->watchers) {
		int ready = epoll_wait(run->epoll, events, 64, PATIENCE_MS);
		if (ready == 0)
			return false;
		for (int i = 0; i < ready; i++)
			look(run, turn, (size_t)events[i].data.u64);
	}
	return true;
}

static void one_value(struct run *run)
{
	struct turn turn = { .began = zl_now_us() };
	uint64_t last = 0;

	run->side->put(run->side, ++run->count);
	if (!until_all_know(run, &turn))
		run->lost += run->side->watchers - told(run, &turn);
	for (size_t i = 1; i <= run->side->watchers; i++) {
		if (turn.seen_rev[i] < turn.rev)
			continue;
		times_add(&run->told, turn.seen_us[i]);
		last = turn.seen_us[i] > last ? turn.seen_us[i] : last;
	}
	times_add(&run->told_all, last);
	run->side->rest(run->side);
}

/* What the same costs without the disk. */
static void one_look(struct run *run)
{
	struct epoll_event events[64];
	uint64_t began = zl_now_us();
	bool done = false;

	run->side->look(run->side, run->count + 1);
	while (!done) {
		int ready = epoll_wait(run->epoll, events, 64, PATIENCE_MS);
		if (ready == 0)
			errx(1, "%s does not answer", run->side->name);
		for (int i = 0; i < ready; i++)
			done = run->side->take(run->side, (size_t)events[i].data.u64) >
				       0 &&
			       events[i].data.u64 == 0;
	}
	times_add(&run->looked, zl_now_us() - began);
}

static void begin(struct run *run, struct side *side)
{
	*run = (struct run){ .side = side, .epoll = epoll_create1(EPOLL_CLOEXEC) };
	for (size_t i = 0; i <= side->watchers; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u64 = i };
		if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, side->fds[i], &event) != 0)
			errx(1, "epoll: %s", strerror(errno));
	}
	side->rest(side);
	for (int i = 0; i < WARM_UP; i++)
		one_value(run);
	if (run->lost > 0)
		errx(1, "%s: not all watchers are there", side->name);
	run->answered.count = run->told.count = run->told_all.count = 0;
}

static void print(struct run *run)
{
	(void)printf("\"%s\":{\"puts\":%zu,\"lost\":%llu,", run->side->name,
		     run->told_all.count, (unsigned long long)run->lost);
	times_print(&run->looked, "looked");
	(void)putchar(',');
	times_print(&run->answered, "answered");
	(void)putchar(',');
	times_print(&run->told, "told");
	(void)putchar(',');
	times_print(&run->told_all, "told_all");
	(void)putchar('}');
}

int main(int argc, char **argv)
{
	struct run runs[2];

	if (argc < 7 || argc - 6 > WATCHERS_MAX)
		errx(1, "usage: bench-etcd ROUNDS CHANGES GAP ETCD GLOBAL ZONE...");
	long rounds = strtol(argv[1], NULL, 10), changes = strtol(argv[2], NULL, 10);
	long gap = strtol(argv[3], NULL, 10);
	size_t count = (size_t)argc - 5;
	const char **addresses = zl_alloc(count, sizeof(*addresses));
	for (size_t i = 0; i < count; i++)
		addresses[i] = argv[5 + i];
	begin(&runs[0], side_zonelink(addresses, count));
	begin(&runs[1], side_etcd(argv[4], count - 1));
	for (long round = 0; round < rounds; round++)
		for (int i = 0; i < 2; i++)
			for (long change = 0; change < changes; change++) {
				one_look(&runs[i]);
				one_value(&runs[i]);
				(void)usleep((useconds_t)gap * 1000);
			}
	(void)putchar('{');
	print(&runs[0]);
	(void)putchar(',');
	print(&runs[1]);
	(void)puts("}");
	return 0;
}
