/* wire/resolve.h - addresses of a name, without waiting for them on the loop.
 *
 * The C library may ask name servers for half a minute, so it does that on a thread of
 * its own; IP addresses need none.
 *
 * Threads:  the loop's.
 * Lifetime: resolve_free at any time: a thread that is still at work frees what is its.
 */
#pragma once

#include "base/addr.h"

#include <stdbool.h>
#include <sys/socket.h>

struct loop;
struct resolve;

enum { RESOLVE_MAX = 16 };

struct resolve_list {
	unsigned count; /* 0: there are none, and why says so */
	struct sockaddr_storage at[RESOLVE_MAX];
	socklen_t len[RESOLVE_MAX];
	char why[160];
};

/* True: addr is an IP address or a unix socket, and list has it. */
bool resolve_now(const struct zl_addr *addr, struct resolve_list *list);

/* Start to resolve addr; done is called once, later, with a list for the call. NULL: no
 * thread can be had. */
struct resolve *resolve_new(struct loop *loop, const struct zl_addr *addr,
			    void (*done)(void *arg, const struct resolve_list *list),
			    void *arg);
void resolve_free(struct resolve **resolvep);
