/* loop/notify.h - what a service manager wants to know (sd_notify's datagram).
 *
 * Threads:  one.  Lifetime: reads $NOTIFY_SOCKET and $WATCHDOG_USEC at each call.
 */
#pragma once

#include <stdint.h>

/* Send a state such as "READY=1" or "STATUS=rev 42, 3/3 zones". Does nothing where no
 * service manager listens; a datagram that cannot be sent is lost. */
void loop_notify(const char *state);

/* How often "WATCHDOG=1" is due, in ms: half of what the manager allows; 0: never. */
uint64_t loop_watchdog_ms(void);
