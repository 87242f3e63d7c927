/* loop/notify.h - what a service manager wants to know (sd_notify's datagrams), from
 * $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID. Does nothing where none listens; a
 * datagram that cannot be sent is lost.
 *
 * Threads:  the loop's.
 * Lifetime: between loop_open and loop_close.
 */
#pragma once

#include "loop/loop.h"

struct loop_manager;

/* Say READY=1, and from now on WATCHDOG=1 twice in the time that the manager allows, from
 * the loop itself: of a loop that is stuck it hears no more. */
struct loop_manager *loop_manager_new(struct loop *loop);
/* Say STOPPING=1; the watchdog is fed on. */
void loop_manager_stopping(void);
void loop_manager_free(struct loop_manager **managerp);
