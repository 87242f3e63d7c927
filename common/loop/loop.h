/* loop/loop.h - the one event loop of a process: descriptors, timers, signals.
 *
 * Every callback runs on the thread that called loop_run, one at a time, and owns the
 * process's state while it runs. A turn is: wait, then all callbacks that are due, then
 * what was deferred.
 *
 * Threads:  one, from loop_open to loop_close. Others post to a mailbox.
 * Lifetime: watches and timers are freed before loop_close; each may be freed from its
 *           own callback.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop;
struct loop_watch;
struct loop_timer;

/* Opens the loop and ignores SIGPIPE. *out is the caller's, NULL on failure: ZL_ELIMIT,
 * ZL_EIO. */
ZL_MUST_USE enum zl_code loop_open(struct loop **out, struct zl_err *err);
void loop_close(struct loop **loopp);

/* Turn until loop_stop; may be called again. */
void loop_run(struct loop *loop);
/* Let loop_run return at the end of this turn. */
void loop_stop(struct loop *loop);

/* For rooms that hand their own descriptors to libevent. Borrowed. */
struct event_base *loop_base(struct loop *loop);

/* What a signal does. stop: TERM and INT, once; a second one ends the process at once
 * with status 1. reload: HUP; NULL ignores it. */
struct loop_signals {
	void (*stop)(void *arg);
	void (*reload)(void *arg);
	void *arg;
};
/* To be called once. */
ZL_MUST_USE enum zl_code
loop_signals(struct loop *loop, const struct loop_signals *signals, struct zl_err *err);

/* End the process with status 1 if it has not ended by itself in so many seconds, be the
 * loop stuck or not: for a shutdown that something holds up. */
void loop_deadline(unsigned seconds);

/* Call fn in each turn in which fd is ready for what events names. fd stays the
 * caller's and is closed after loop_watch_free. ZL_EIO: fd cannot be watched. */
enum { LOOP_READ = 1, LOOP_WRITE = 2 };
typedef void loop_watch_fn(void *arg, unsigned events);
ZL_MUST_USE enum zl_code loop_watch_new(struct loop_watch **out, struct loop *loop,
					int fd, unsigned events, loop_watch_fn *fn,
					void *arg, struct zl_err *err);
void loop_watch_free(struct loop_watch **watchp);

/* A timer that is not running. */
struct loop_timer *loop_timer_new(struct loop *loop, void (*fn)(void *arg), void *arg);
/* Call fn once, ms from now; if it runs already, this replaces the old time. */
void loop_timer_set(struct loop_timer *timer, uint64_t ms);
void loop_timer_clear(struct loop_timer *timer);
bool loop_timer_is_set(const struct loop_timer *timer);
void loop_timer_free(struct loop_timer **timerp);

/* Call fn once when the callbacks of this turn are through: for work that several of
 * them ask for but that is done once, and for freeing what they may still hold. What
 * such an fn defers itself comes at the end of the same turn. */
void loop_defer(struct loop *loop, void (*fn)(void *arg), void *arg);
