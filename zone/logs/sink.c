#include "zone/logs/sink.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "wire/resolve.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	CONNECT_MS = 5000,
	REST_MIN_MS = 100,
	LOOK_MS = 100,       /* whether the receiver has what was written */
	VANISHED_MS = 20000, /* a receiver that takes nothing, nor says why */
	RUNS = 64,           /* lines in one write */
	BUFFER = 128 * 1024  /* of the kernel: what is in it may come twice */
};

enum stage { REST, RESOLVE, CONNECT, UP };

struct sink {
	struct sink_setup setup;
	char *target;        /* owned */
	struct zl_addr addr; /* owned by value */
	struct lines lines;
	enum stage stage;
	struct resolve *resolve;
	struct loop_watch *watch;
	unsigned events; /* that watch is for */
	bool deaf;       /* the receiver says nothing more, but may still read */
	int fd;          /* -1: none */
	struct loop_timer *timer;
	unsigned failures;
	uint64_t line_ms; /* when the last one came */
	char trouble[128];
};

static void flush(struct sink *sink);

/* ---- ending ---- */

static void clear(struct sink *sink)
{
	loop_watch_free(&sink->watch);
	loop_timer_clear(sink->timer);
	resolve_free(&sink->resolve);
	if (sink->fd >= 0)
		close(sink->fd);
	sink->fd = -1;
	sink->events = 0;
	sink->deaf = false;
	sink->stage = REST;
	lines_again(&sink->lines);
}

/* Half of the wait is certain, half of it dice. */
static void rest(struct sink *sink)
{
	uint64_t wait = REST_MIN_MS;
	uint32_t dice;

	for (unsigned i = 0; i < sink->failures && wait < sink->setup.rest_ms; i++)
		wait *= 2;
	if (wait > sink->setup.rest_ms)
		wait = sink->setup.rest_ms;
	zl_random(&dice, sizeof(dice));
	sink->failures++;
	loop_timer_set(sink->timer, wait / 2 + dice % (wait / 2 + 1));
}

/* Said once for each cause, not for each attempt. */
static void note(struct sink *sink, const char *why)
{
	if (strcmp(why, sink->trouble) == 0)
		return;
	(void)snprintf(sink->trouble, sizeof(sink->trouble), "%.127s", why);
	zl_log(ZL_WARN, "logs", "access logs cannot be delivered", "target=%q err=%q",
	       sink->target, why);
}

/* What the receiver has is not written again. */
static void look(struct sink *sink)
{
	uint64_t before = sink->lines.delivered;
	int left = 0;

	if (ioctl(sink->fd, SIOCOUTQ, &left) != 0 || left < 0)
		return;
	lines_left(&sink->lines, (size_t)left);
	if (sink->lines.delivered == before)
		return;
	sink->failures = 0;
	if (sink->trouble[0] != '\0')
		zl_log(ZL_INFO, "logs", "access logs are delivered again",
		       "target=%q dropped=%llu", sink->target,
		       (unsigned long long)sink->lines.dropped);
	sink->trouble[0] = '\0';
}

static void failed(struct sink *sink, const char *why)
{
	if (sink->stage == UP)
		look(sink);
	clear(sink);
	if (lines_empty(&sink->lines))
		return; /* it may hang up when there is nothing to say */
	note(sink, why);
	rest(sink);
}

/* ---- up ---- */

static void on_ready(void *arg, unsigned events);

static void watch_for(struct sink *sink, bool writes)
{
	unsigned events = (sink->deaf ? 0 : LOOP_READ) | (writes ? LOOP_WRITE : 0);
	struct zl_err err = { 0 };

	if (sink->events == events)
		return;
	loop_watch_free(&sink->watch);
	sink->events = events;
	if (events != 0 && loop_watch_new(&sink->watch, sink->setup.loop, sink->fd,
					  events, on_ready, sink, &err) != ZL_OK)
		failed(sink, err.msg);
}

/* What it says is of no interest. One that says no more may have closed one direction
 * alone; if both, what is written next is refused. False: it is gone. */
static bool listens(struct sink *sink)
{
	char bytes[4096];
	ssize_t got = recv(sink->fd, bytes, sizeof(bytes), 0);

	if (got < 0 && errno != EAGAIN && errno != EINTR) {
		failed(sink, strerror(errno));
		return false;
	}
	if (got == 0) {
		sink->deaf = true;
		watch_for(sink, (sink->events & LOOP_WRITE) != 0);
	}
	return sink->stage == UP;
}

static void on_ready(void *arg, unsigned events)
{
	struct sink *sink = arg;

	if ((events & LOOP_READ) != 0 && !listens(sink))
		return;
	if ((events & LOOP_WRITE) != 0)
		flush(sink);
}

static void look_later(struct sink *sink)
{
	loop_timer_set(sink->timer,
		       lines_empty(&sink->lines) ? sink->setup.idle_ms : LOOK_MS);
}

static void flush(struct sink *sink)
{
	struct iovec runs[RUNS];
	struct msghdr message = { .msg_iov = runs };

	while ((message.msg_iovlen = lines_peek(&sink->lines, runs, RUNS)) > 0) {
		ssize_t put = sendmsg(sink->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno != EAGAIN) {
			failed(sink, strerror(errno));
			return;
		}
		if (put < 0)
			break;
		lines_written(&sink->lines, (size_t)put);
	}
	look_later(sink);
	watch_for(sink, message.msg_iovlen > 0);
}

/* ---- connecting ---- */

static int error_of(const struct sink *sink)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(sink->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	return error;
}

static void on_connected(void *arg, unsigned events)
{
	struct sink *sink = arg;
	int error = error_of(sink);

	(void)events;
	if (error != 0) {
		failed(sink, strerror(error));
		return;
	}
	loop_watch_free(&sink->watch);
	sink->stage = UP;
	flush(sink);
}

static void tune(int fd)
{
	const int on = 1;
	const int buffer = BUFFER;
	const int vanished = VANISHED_MS;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &vanished, sizeof(vanished));
}

static void connect_to(struct sink *sink, const struct sockaddr_storage *to,
		       socklen_t len)
{
	struct zl_err err = { 0 };

	sink->stage = CONNECT;
	sink->fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sink->fd < 0) {
		failed(sink, strerror(errno));
		return;
	}
	tune(sink->fd);
	if (connect(sink->fd, (const struct sockaddr *)to, len) != 0 &&
	    errno != EINPROGRESS)
		failed(sink, strerror(errno));
	else if (loop_watch_new(&sink->watch, sink->setup.loop, sink->fd, LOOP_WRITE,
				on_connected, sink, &err) != ZL_OK)
		failed(sink, err.msg);
	else
		loop_timer_set(sink->timer, CONNECT_MS);
}

/* Of several addresses another one each time. */
static void on_resolved(void *arg, const struct resolve_list *list)
{
	struct sink *sink = arg;
	unsigned at = list->count > 0 ? sink->failures % list->count : 0;

	resolve_free(&sink->resolve);
	if (list->count == 0)
		failed(sink, list->why);
	else
		connect_to(sink, &list->at[at], list->len[at]);
}

static void dial(struct sink *sink)
{
	struct resolve_list list;

	sink->stage = RESOLVE;
	if (resolve_now(&sink->addr, &list)) {
		on_resolved(sink, &list);
		return;
	}
	sink->resolve = resolve_new(sink->setup.loop, &sink->addr, on_resolved, sink);
	if (sink->resolve == NULL)
		failed(sink, "no thread can be had to resolve its name");
}

/* Nothing else tells of a connection that nobody watches. */
static void look_around(struct sink *sink)
{
	uint64_t idle = zl_now_ms() - sink->line_ms;
	int error = error_of(sink);

	look(sink);
	if (error != 0)
		failed(sink, strerror(error));
	else if (lines_empty(&sink->lines) && idle >= sink->setup.idle_ms)
		clear(sink);
	else
		look_later(sink);
}

static void on_timer(void *arg)
{
	struct sink *sink = arg;

	if (sink->stage == REST)
		dial(sink);
	else if (sink->stage == CONNECT)
		failed(sink, "it does not answer");
	else if (sink->stage == UP)
		look_around(sink);
}

/* ---- for the room ---- */

void sink_add(struct sink *sink, const char *text, size_t len)
{
	sink->line_ms = zl_now_ms();
	lines_add(&sink->lines, text, len);
	if (sink->stage == UP && (sink->events & LOOP_WRITE) == 0)
		flush(sink);
	else if (sink->stage == REST && !loop_timer_is_set(sink->timer))
		dial(sink);
}

bool sink_is_idle(const struct sink *sink)
{
	return sink->stage == REST && lines_empty(&sink->lines);
}

bool sink_is_connected(const struct sink *sink)
{
	return sink->stage == UP;
}

const struct lines *sink_lines(const struct sink *sink)
{
	return &sink->lines;
}

struct sink *sink_open(const struct sink_setup *setup)
{
	struct sink *sink = zl_alloc(1, sizeof(*sink));

	sink->setup = *setup;
	sink->target = zl_strdup(setup->target);
	sink->addr = *setup->addr;
	sink->lines.max = setup->max_bytes;
	sink->fd = -1;
	sink->timer = loop_timer_new(setup->loop, on_timer, sink);
	return sink;
}

void sink_close(struct sink **sinkp)
{
	struct sink *sink = *sinkp;

	*sinkp = NULL;
	if (sink == NULL)
		return;
	if (sink->stage == UP)
		look(sink);
	uint64_t before = sink->lines.dropped;
	clear(sink);
	lines_drop(&sink->lines);
	if (sink->lines.dropped > before)
		zl_log(ZL_WARN, "logs", "lines of access logs are lost",
		       "target=%q lines=%llu", sink->target,
		       (unsigned long long)(sink->lines.dropped - before));
	loop_timer_free(&sink->timer);
	free(sink->target);
	free(sink);
}
