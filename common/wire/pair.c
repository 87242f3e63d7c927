#include "wire/pair.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "wire/ending.h"
#include "wire/frame.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	GREETING_MS = 15000, /* nng gives a greeting up by itself after 10 s */
	STALL_MS = 20000,
	PART_MS = 30000, /* nng reads no request while all that may wait do, 20 s */
	LOOK_MS = 1,     /* whether nng can bear the end; then twice as long and so on */
	LOOK_MAX_MS = 64,
	BACKLOG_MAX = 1 << 20,
	READ_SMALL = 4096,
	READ_ON = 64 << 10,
	READ_ON_MAX = 256 << 10,
	WRITE_MAX = 256 << 10
};

enum stage {
	GREET,  /* the headers cross inner; outer is not read */
	FLOW,   /* messages cross */
	PARTED, /* the peer has gone: inner ends as soon as nng can bear it */
	LAST    /* inner has ended: the peer gets what is left for it */
};

struct pair {
	struct pair_setup setup;   /* its texts are not kept */
	struct bufferevent *outer; /* owned; NULL: the peer has gone */
	struct bufferevent *inner; /* owned; NULL: nng has hung up, or was not reached */
	struct loop_timer *deadline;
	enum stage stage;
	struct ending ending; /* of inner, when PARTED */
	uint64_t look_ms, until_ms;
	const char *why; /* it ends; NULL: a side hung up */
	uint8_t header[FRAME_HEADER];
};

static struct evbuffer *in(struct bufferevent *side)
{
	return bufferevent_get_input(side);
}

static struct evbuffer *out(struct bufferevent *side)
{
	return bufferevent_get_output(side);
}

static void side_free(struct bufferevent **side)
{
	if (*side != NULL)
		bufferevent_free(*side);
	*side = NULL;
}

void pair_free(struct pair **pairp)
{
	struct pair *pair = *pairp;

	*pairp = NULL;
	if (pair == NULL)
		return;
	side_free(&pair->outer);
	side_free(&pair->inner);
	loop_timer_free(&pair->deadline);
	free(pair);
}

/* The owner frees pair in it. */
static void end(struct pair *pair, const char *why)
{
	pair->setup.ended(pair->setup.arg, why != NULL ? why : pair->why);
}

static size_t max_from(const struct pair *pair, const struct bufferevent *side)
{
	return side == pair->outer ? pair->setup.inward_max : pair->setup.outward_max;
}

/* A whole message must fit, for none is handed on before it is whole. */
static size_t input_max(const struct pair *pair, const struct bufferevent *side)
{
	size_t most = max_from(pair, side) + FRAME_HEAD;

	return most > BACKLOG_MAX ? most : BACKLOG_MAX;
}

/* Of the message at the beginning of what came from the peer: nng would hang up on one
 * without an id, maybe while it is in the middle of an answer. */
static bool is_sound(const struct pair *pair, const struct bufferevent *from, size_t size)
{
	uint8_t ids[FRAME_HEAD + FRAME_IDS];

	if (from == pair->inner || !pair->setup.has_ids)
		return true;
	ssize_t len = evbuffer_copyout(in(pair->outer), ids,
				       size < sizeof(ids) ? size : sizeof(ids));
	return len > FRAME_HEAD &&
	       frame_has_id(ids + FRAME_HEAD, (size_t)len - FRAME_HEAD);
}

/* Hand whole messages on from one side to the other; all if all says so, or until that
 * has enough to do: then nothing is read until it has done it. False: what comes is no
 * message. */
static bool hand_on(const struct pair *pair, struct bufferevent *from,
		    struct bufferevent *to, bool all)
{
	uint8_t head[FRAME_HEAD];

	while (all || evbuffer_get_length(out(to)) <= BACKLOG_MAX) {
		if (evbuffer_copyout(in(from), head, FRAME_HEAD) < FRAME_HEAD)
			return true;
		size_t size = frame_size(head, max_from(pair, from));
		if (size == 0)
			return false;
		if (evbuffer_get_length(in(from)) < size)
			return true;
		if (!is_sound(pair, from, size))
			return false;
		evbuffer_remove_buffer(in(from), out(to), size);
	}
	bufferevent_disable(from, EV_READ);
	return true;
}

static void end_if_borne(struct pair *pair)
{
	if (ending_step(&pair->ending))
		end(pair, NULL);
}

/* There is no event for what it waits for. */
static void look_again(struct pair *pair)
{
	loop_timer_set(pair->deadline, pair->look_ms);
	if (pair->look_ms < LOOK_MAX_MS)
		pair->look_ms *= 2;
}

static void on_deadline(void *arg)
{
	struct pair *pair = arg;

	if (pair->stage == GREET)
		end(pair, pair->inner != NULL ? "nng does not answer"
					      : "nng cannot be reached");
	else if (ending_step(&pair->ending) || zl_now_ms() >= pair->until_ms)
		end(pair, NULL);
	else
		look_again(pair);
}

/* Inner has greeted, and has to end. */
static void start_ending(struct pair *pair)
{
	pair->stage = PARTED;
	pair->ending =
		(struct ending){ .side = pair->inner, .max = pair->setup.outward_max };
	pair->look_ms = LOOK_MS;
	pair->until_ms = zl_now_ms() + PART_MS;
	look_again(pair);
}

void pair_part(struct pair *pair)
{
	if (pair->stage == LAST) {
		end(pair, NULL);
		return;
	}
	if (pair->outer == NULL)
		return;
	if (pair->stage == FLOW)
		(void)hand_on(pair, pair->outer, pair->inner, true);
	side_free(&pair->outer);
	if (pair->setup.parted != NULL)
		pair->setup.parted(pair->setup.arg);
	if (pair->stage == GREET) /* on_greeting goes on */
		return;
	bufferevent_enable(pair->inner, EV_READ);
	start_ending(pair);
	end_if_borne(pair);
}

void pair_quit(struct pair *pair, uint64_t until_ms)
{
	side_free(&pair->outer);
	if (pair->inner == NULL)
		return;
	if (pair->stage != PARTED) {
		pair->ending = (struct ending){
			.side = pair->inner,
			.max = pair->setup.outward_max,
			.greeting = pair->stage == GREET ? FRAME_HEADER : 0,
		};
	}
	ending_wait(&pair->ending, until_ms);
}

/* nng has hung up. */
static void on_inner_end(struct pair *pair)
{
	if (pair->stage != FLOW) {
		end(pair, pair->stage == GREET ? "nng hangs up" : NULL);
		return;
	}
	(void)hand_on(pair, pair->inner, pair->outer, true);
	side_free(&pair->inner);
	pair->stage = LAST;
	bufferevent_disable(pair->outer, EV_READ);
	if (evbuffer_get_length(out(pair->outer)) == 0)
		end(pair, NULL);
}

static void on_event(struct bufferevent *side, short what, void *arg)
{
	struct pair *pair = arg;

	(void)what;
	if (side == pair->inner)
		on_inner_end(pair);
	else
		pair_part(pair);
}

static struct bufferevent *other(const struct pair *pair, const struct bufferevent *side)
{
	return side == pair->outer ? pair->inner : pair->outer;
}

/* libevent reads 4 KiB at a time from a socket: for what is greater, read on. */
static void read_on(const struct pair *pair, struct bufferevent *side)
{
	int fd = bufferevent_getfd(side);
	struct evbuffer_iovec space;

	if (bufferevent_openssl_get_ssl(side) != NULL)
		return;
	evbuffer_unfreeze(in(side), 0);
	for (size_t total = 0;
	     total < READ_ON_MAX && evbuffer_get_length(in(side)) < input_max(pair, side);
	     total += space.iov_len) {
		if (evbuffer_reserve_space(in(side), READ_ON, &space, 1) != 1)
			break;
		ssize_t got = recv(fd, space.iov_base, space.iov_len, MSG_DONTWAIT);
		if (got <= 0) /* an end is libevent's to find */
			break;
		space.iov_len = (size_t)got;
		evbuffer_commit_space(in(side), &space, 1);
	}
	evbuffer_freeze(in(side), 0);
}

static void on_read(struct bufferevent *side, void *arg)
{
	struct pair *pair = arg;

	if (evbuffer_get_length(in(side)) >= READ_SMALL)
		read_on(pair, side);
	if (pair->stage == PARTED) {
		end_if_borne(pair);
	} else if (!hand_on(pair, side, other(pair, side), false)) {
		pair->why = "no message, or one that is too great";
		pair_part(pair);
	}
}

/* All that was to be written on side is. */
static void on_drained(struct bufferevent *side, void *arg)
{
	struct pair *pair = arg;

	if (pair->stage == LAST) {
		end(pair, NULL);
	} else if (pair->stage == PARTED) {
		end_if_borne(pair);
	} else {
		bufferevent_enable(other(pair, side), EV_READ);
		on_read(other(pair, side), pair);
	}
}

static void watch_side(struct pair *pair, struct bufferevent *side)
{
	bufferevent_setcb(side, on_read, on_drained, on_event, pair);
	bufferevent_setwatermark(side, EV_READ, 0, input_max(pair, side));
	bufferevent_set_max_single_write(side, WRITE_MAX);
	bufferevent_enable(side, EV_READ | EV_WRITE);
}

/* Both headers have crossed the inner connection. That nng has sent its own and has ours
 * does not say that it has read it, and of a unix socket that was closed it would not:
 * the ending sees to that. */
static void start_flow(struct pair *pair)
{
	const uint64_t stall_ms = pair->setup.stall_ms;
	const struct timeval stall = { .tv_sec = (time_t)(stall_ms / 1000),
				       .tv_usec = (suseconds_t)(stall_ms % 1000 * 1000) };
	uint8_t header[FRAME_HEADER];

	loop_timer_clear(pair->deadline);
	bufferevent_read(pair->inner, header, FRAME_HEADER);
	if (pair->outer == NULL) {
		watch_side(pair, pair->inner);
		start_ending(pair);
		return;
	}
	pair->stage = FLOW;
	if (pair->setup.answer)
		bufferevent_write(pair->outer, header, FRAME_HEADER);
	bufferevent_set_timeouts(pair->outer, NULL, &stall);
	watch_side(pair, pair->inner);
	watch_side(pair, pair->outer);
	pair->setup.greeted(pair->setup.arg);
	on_read(pair->inner, pair);
}

static void on_greeting(struct bufferevent *side, void *arg)
{
	struct pair *pair = arg;

	if (evbuffer_get_length(in(side)) >= FRAME_HEADER &&
	    evbuffer_get_length(out(side)) == 0)
		start_flow(pair);
}

/* A unix socket connects at once or not at all. */
static bool connect_inner(struct pair *pair, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	memcpy(sun.sun_path, path, strnlen(path, sizeof(sun.sun_path) - 1));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		pair->inner = bufferevent_socket_new(loop_base(pair->setup.loop), fd,
						     BEV_OPT_CLOSE_ON_FREE);
	if (pair->inner == NULL) {
		close(fd);
		return false;
	}
	bufferevent_setcb(pair->inner, on_greeting, on_greeting, on_event, pair);
	bufferevent_enable(pair->inner, EV_READ | EV_WRITE);
	bufferevent_write(pair->inner, pair->header, FRAME_HEADER);
	return true;
}

struct pair *pair_new(const struct pair_setup *setup)
{
	struct pair *pair = zl_alloc(1, sizeof(*pair));

	pair->setup = *setup;
	if (pair->setup.stall_ms == 0)
		pair->setup.stall_ms = STALL_MS;
	pair->outer = setup->outer;
	memcpy(pair->header, setup->header, FRAME_HEADER);
	pair->deadline = loop_timer_new(setup->loop, on_deadline, pair);
	/* If it fails at once, that is told as if it came later. */
	loop_timer_set(pair->deadline,
		       connect_inner(pair, setup->inner) ? GREETING_MS : 0);
	return pair;
}
