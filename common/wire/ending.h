/* wire/ending.h - how a connection to nng's unix socket ends without harm.
 *
 * nng 1.5.2 moves a message in steps: it reads its length, then its body; it writes what
 * fits, then the rest. Whoever closes its end of the connection between two steps of one
 * message, in either direction, leaves that message neither done nor failed: nng's only
 * reaper waits for it for ever, and with it every close in this process. nng closes its
 * end when we hang up, when a write fails, and when its socket is closed. So we end like
 * this:
 *
 *   1. We say nothing more, and wait until nng has read all, which the kernel tells.
 *      Nothing is half read now.
 *   2. We shut our reading side. From here on nng cannot write, so what it begins fails
 *      as a whole; what came before is still there to be read.
 *   3. If that ends between two messages, nothing is half written, and we may close. If
 *      not, nng is in the middle of one: its next step fails, it hangs up, for nothing
 *      else is under way, and then we may close.
 *
 * Threads:  any one.
 * Lifetime: side is the owner's, and must outlive it.  Private to the room.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;

struct ending {
	struct bufferevent *side;
	size_t max;      /* of a message from nng */
	size_t greeting; /* bytes that nng says before its first message, still to come */
	bool deaf;       /* step 2 is done */
};

/* Go on as far as it goes now. True: side may be closed. */
bool ending_step(struct ending *ending);

/* Go on until side may be closed, or until_ms on the clock: without the loop, but what
 * is to be written on side is. */
void ending_wait(struct ending *ending, uint64_t until_ms);
