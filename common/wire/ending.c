#include "wire/ending.h"

#include "base/clock.h"
#include "wire/frame.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { PAUSE_MS = 1 };

static struct evbuffer *in(const struct ending *ending)
{
	return bufferevent_get_input(ending->side);
}

static struct evbuffer *out(const struct ending *ending)
{
	return bufferevent_get_output(ending->side);
}

/* Drop the greeting and whole messages: nobody waits for them. */
static void drop(struct ending *ending)
{
	uint8_t head[FRAME_HEAD];

	if (evbuffer_get_length(in(ending)) < ending->greeting)
		return;
	evbuffer_drain(in(ending), ending->greeting);
	ending->greeting = 0;
	while (evbuffer_copyout(in(ending), head, FRAME_HEAD) == FRAME_HEAD) {
		size_t size = frame_size(head, ending->max);
		if (size == 0 || evbuffer_get_length(in(ending)) < size)
			return;
		evbuffer_drain(in(ending), size);
	}
}

/* Of a unix socket the kernel counts what the other side has not read. */
static bool all_is_read(int fd)
{
	int unread = 0;

	return ioctl(fd, SIOCOUTQ, &unread) != 0 || unread == 0;
}

static bool has_hung_up(int fd)
{
	struct pollfd look = { .fd = fd };

	return poll(&look, 1, 0) == 1;
}

/* 0: nng has hung up; -1: there is nothing now. */
static int read_some(const struct ending *ending)
{
	evbuffer_unfreeze(in(ending), 0);
	int got = evbuffer_read(in(ending), bufferevent_getfd(ending->side), -1);
	evbuffer_freeze(in(ending), 0);
	return got;
}

static void go_deaf(struct ending *ending)
{
	bufferevent_disable(ending->side, EV_READ);
	(void)shutdown(bufferevent_getfd(ending->side), SHUT_RD);
	while (read_some(ending) > 0)
		drop(ending);
	ending->deaf = true;
}

bool ending_step(struct ending *ending)
{
	int fd = bufferevent_getfd(ending->side);

	if (!ending->deaf) {
		drop(ending);
		if (ending->greeting > 0 || evbuffer_get_length(out(ending)) > 0 ||
		    !all_is_read(fd))
			return false;
		go_deaf(ending);
	}
	return evbuffer_get_length(in(ending)) == 0 || has_hung_up(fd);
}

/* What the loop would have done. False: nng has hung up. */
static bool move(const struct ending *ending)
{
	int fd = bufferevent_getfd(ending->side);
	int got, sent = 0;

	if (evbuffer_get_length(out(ending)) > 0) {
		evbuffer_unfreeze(out(ending), 1);
		sent = evbuffer_write(out(ending), fd);
		evbuffer_freeze(out(ending), 1);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return false;
	}
	if (ending->deaf)
		return true;
	got = read_some(ending);
	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

void ending_wait(struct ending *ending, uint64_t until_ms)
{
	bufferevent_disable(ending->side, EV_READ | EV_WRITE);
	while (!ending_step(ending) && zl_now_ms() < until_ms) {
		struct pollfd wait = { .fd = bufferevent_getfd(ending->side) };

		if (!move(ending))
			return;
		if (!ending->deaf)
			wait.events = POLLIN;
		if (evbuffer_get_length(out(ending)) > 0)
			wait.events |= POLLOUT;
		(void)poll(&wait, 1, PAUSE_MS);
	}
}
