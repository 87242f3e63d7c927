/* Descriptors and timers of the loop. */
#include "loop/loop.h"

#include "base/mem.h"

#include <event2/event.h>
#include <stdlib.h>

struct loop_watch {
	struct event *event; /* owned */
	loop_watch_fn *fn;
	void *arg;
};

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	const struct loop_watch *watch = arg;
	unsigned events = 0;

	(void)fd;
	if (what & EV_READ)
		events |= LOOP_READ;
	if (what & EV_WRITE)
		events |= LOOP_WRITE;
	watch->fn(watch->arg, events);
}

enum zl_code loop_watch_new(struct loop_watch **out, struct loop *loop, int fd,
			    unsigned events, loop_watch_fn *fn, void *arg,
			    struct zl_err *err)
{
	struct loop_watch *watch = zl_alloc(1, sizeof(*watch));
	short what = EV_PERSIST;

	if (events & LOOP_READ)
		what |= EV_READ;
	if (events & LOOP_WRITE)
		what |= EV_WRITE;
	watch->fn = fn;
	watch->arg = arg;
	watch->event = event_new(loop_base(loop), fd, what, on_ready, watch);
	if (watch->event == NULL || event_add(watch->event, NULL) != 0) {
		loop_watch_free(&watch);
		*out = NULL;
		return zl_fail(err, ZL_EIO, "watch descriptor %d: %m", fd);
	}
	*out = watch;
	return ZL_OK;
}

void loop_watch_free(struct loop_watch **watchp)
{
	struct loop_watch *watch = *watchp;

	*watchp = NULL;
	if (watch == NULL)
		return;
	if (watch->event != NULL)
		event_free(watch->event);
	free(watch);
}

struct loop_timer {
	struct event *event; /* owned */
	void (*fn)(void *arg);
	void *arg;
};

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	const struct loop_timer *timer = arg;

	(void)fd, (void)what;
	timer->fn(timer->arg);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct loop_timer *timer = zl_alloc(1, sizeof(*timer));

	timer->fn = fn;
	timer->arg = arg;
	timer->event = evtimer_new(loop_base(loop), on_time, timer);
	if (timer->event == NULL)
		abort(); /* fails only without memory */
	return timer;
}

void loop_timer_set(struct loop_timer *timer, uint64_t ms)
{
	struct timeval after = { .tv_sec = (time_t)(ms / 1000),
				 .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	if (evtimer_add(timer->event, &after) != 0)
		abort();
}

void loop_timer_clear(struct loop_timer *timer)
{
	evtimer_del(timer->event);
}

bool loop_timer_is_set(const struct loop_timer *timer)
{
	return evtimer_pending(timer->event, NULL) != 0;
}

void loop_timer_free(struct loop_timer **timerp)
{
	struct loop_timer *timer = *timerp;

	*timerp = NULL;
	if (timer == NULL)
		return;
	event_free(timer->event);
	free(timer);
}
