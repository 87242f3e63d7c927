/* wire/link_nng.h - what the two ends of the link on nng share. Only link_nng*.c see nng.
 *
 * Private to the room.
 *
 * Threads:  any.
 */
#pragma once

#include "base/err.h"

#include <nng/nng.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Record what nng said of what we were doing. */
enum zl_code link_fail(struct zl_err *err, const char *what, int rv);

/* A message with these bytes, the caller's; NULL: no memory. */
nng_msg *link_msg(const void *bytes, size_t len);

/* Call stop(arg), which closes sockets and stops what nng has under way, but wait for it
 * no longer than 3 s: nng 1.5.2 may never come back. False: it goes on, and what arg
 * names must stay for ever. */
bool link_stop(void (*stop)(void *arg), void *arg);

/* ms as nng takes it. */
nng_duration link_ms(uint64_t ms);

enum { LINK_HEADER_MAX = 64 }; /* what nng may put before a message counts as its size */

/* Make sure that folder is there and nobody else's. ZL_EINVAL: its path is too long for
 * sockets in it with names of LINK_NAME_MAX bytes. */
enum { LINK_NAME_MAX = 16 };
enum zl_code link_folder(const char *folder, struct zl_err *err);

/* Let only this process connect to what socket listens on; before it does. */
int link_guard(nng_socket socket);
/* Listen on the unix socket at path. */
int link_listen(nng_socket socket, const char *path, nng_listener *listener);
