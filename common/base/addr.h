/* base/addr.h - addresses as people write them.
 *
 * "HOST:PORT", "[V6]:PORT" or "unix:PATH". HOST is an IP address or, where a name is
 * allowed, a DNS name.
 *
 * Threads:  any.  Lifetime: the caller's memory.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct zl_addr {
	bool is_unix;
	char host[256]; /* or the path; no brackets */
	uint16_t port;
};

/* ZL_EINVAL with a message that names text and the three forms. */
ZL_MUST_USE enum zl_code zl_addr_parse(const char *text, struct zl_addr *addr,
				       struct zl_err *err);

/* As it was written, brackets round IPv6. */
enum { ZL_ADDR_TEXT = 280 };
void zl_addr_text(const struct zl_addr *addr, char text[ZL_ADDR_TEXT]);

/* True for a unix socket, 127.0.0.0/8, ::1 and "localhost". */
bool zl_addr_is_local(const struct zl_addr *addr);

/* True if text is an IPv4 or IPv6 address. */
bool zl_is_ip(const char *text);

/* Bind and listen, close-on-exec and non-blocking. A port 0 is replaced by the kernel's
 * choice; the folder of a unix socket is made if it is not there, and a stale socket is
 * removed first (one that answers is not). *fd is the
 * caller's. ZL_EINVAL a host that is no IP address, ZL_EACCES, ZL_EIO with the address
 * in the message. */
ZL_MUST_USE enum zl_code zl_addr_listen(struct zl_addr *addr, int *fd,
					struct zl_err *err);
