/* model/log_format.h - lines of access logs, and where they go. Private to the room.
 *
 * Envoy refuses a whole listener's filter for an operator that it does not know, weights
 * included, so that formats are checked before they are stored (P15).
 *
 * Threads:  pure.
 */
#pragma once

#include "model/decode.h"

/* Tell what is wrong with the format text, which is field (NULL: none) of at. */
void log_format_check(struct decode *dec, const struct path *at, const char *field,
		      const struct tree *text);

/* True for absolute, without a part "..". */
bool log_path_is_valid(const char *path);
/* True for HOST:PORT, where HOST is a name or an IP address, an IPv6 one in brackets. */
bool log_address_is_valid(const char *address);
/* endpoint with its port, in arena: HOST[:PORT], by default port. NULL: no such thing. */
const char *log_endpoint(const char *endpoint, unsigned port, struct zl_arena *arena);
