#include "loop/loop.h"

#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct deferred {
	void (*fn)(void *arg);
	void *arg;
};

struct loop {
	struct event_base *base; /* owned */
	bool stopped;
	struct deferred *deferred; /* owned */
	size_t count, capacity;
	struct event *on_term, *on_int, *on_hup; /* owned, NULL before loop_signals */
	struct loop_signals signals;
	bool told_to_stop;
};

/* What libevent has to say, in our log. */
static void on_libevent_log(int severity, const char *msg)
{
	enum zl_level level = severity == EVENT_LOG_DEBUG  ? ZL_DEBUG
			      : severity == EVENT_LOG_MSG  ? ZL_INFO
			      : severity == EVENT_LOG_WARN ? ZL_WARN
							   : ZL_ERROR;

	zl_log(level, "libevent", msg, NULL);
}

enum zl_code loop_open(struct loop **out, struct zl_err *err)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	*out = NULL;
	/* Timers to the millisecond: without this flag they are as coarse as the kernel's
	 * cheapest clock, 4 ms. */
	if (config != NULL &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER |
						  EVENT_BASE_FLAG_NOLOCK) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	if (base == NULL)
		return zl_fail(err, errno != 0 ? zl_code_from_errno(errno) : ZL_EIO,
			       "open event loop: %m");

	event_set_log_callback(on_libevent_log);
	signal(SIGPIPE, SIG_IGN);
	*out = zl_alloc(1, sizeof(**out));
	(*out)->base = base;
	return ZL_OK;
}

static void event_drop(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void loop_close(struct loop **loopp)
{
	struct loop *loop = *loopp;

	*loopp = NULL;
	if (loop == NULL)
		return;
	event_drop(loop->on_term);
	event_drop(loop->on_int);
	event_drop(loop->on_hup);
	event_base_free(loop->base);
	free(loop->deferred);
	free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

void loop_defer(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	if (loop->count == loop->capacity) {
		loop->capacity = loop->capacity > 0 ? 2 * loop->capacity : 16;
		loop->deferred = zl_realloc(loop->deferred, loop->capacity,
					    sizeof(*loop->deferred));
	}
	loop->deferred[loop->count++] = (struct deferred){ fn, arg };
}

static void run_deferred(struct loop *loop)
{
	for (size_t i = 0; i < loop->count; i++) { /* count may grow, the array move */
		struct deferred one = loop->deferred[i];
		one.fn(one.arg);
	}
	loop->count = 0;
}

void loop_run(struct loop *loop)
{
	loop->stopped = false;
	run_deferred(loop); /* of what was done before the first turn */
	while (!loop->stopped) {
		if (event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY) <
		    0)
			abort(); /* the kernel refuses to wait: nothing can go on */
		run_deferred(loop);
	}
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

static void on_stop_signal(evutil_socket_t number, short what, void *arg)
{
	struct loop *loop = arg;

	(void)number, (void)what;
	if (loop->told_to_stop)
		_exit(1);
	loop->told_to_stop = true;
	loop->signals.stop(loop->signals.arg);
}

static void on_hup_signal(evutil_socket_t number, short what, void *arg)
{
	struct loop *loop = arg;

	(void)number, (void)what;
	if (loop->signals.reload != NULL)
		loop->signals.reload(loop->signals.arg);
}

enum zl_code loop_signals(struct loop *loop, const struct loop_signals *signals,
			  struct zl_err *err)
{
	assert(loop->on_term == NULL);
	loop->signals = *signals;
	loop->on_term = evsignal_new(loop->base, SIGTERM, on_stop_signal, loop);
	loop->on_int = evsignal_new(loop->base, SIGINT, on_stop_signal, loop);
	loop->on_hup = evsignal_new(loop->base, SIGHUP, on_hup_signal, loop);
	if (loop->on_term == NULL || event_add(loop->on_term, NULL) != 0 ||
	    loop->on_int == NULL || event_add(loop->on_int, NULL) != 0 ||
	    loop->on_hup == NULL || event_add(loop->on_hup, NULL) != 0)
		return zl_fail(err, ZL_EIO, "watch signals: %m");
	return ZL_OK;
}

static void on_deadline(int number)
{
	static const char WORDS[] = "shutdown took too long: ended by force\n";

	(void)number;
	ssize_t wrote = write(STDERR_FILENO, WORDS, sizeof(WORDS) - 1);
	(void)wrote;
	_exit(1);
}

void loop_deadline(unsigned seconds)
{
	struct sigaction action = { .sa_handler = on_deadline };

	/* A signal, not a timer of the loop: it comes even if the loop is stuck. */
	sigaction(SIGALRM, &action, NULL);
	alarm(seconds);
}
