/* policy/http.h - which request of an outbound goes where: the rules of several
 * MeshHTTPRoutes as one list, in the order in which they are tried (D35).
 *
 * Threads:  pure.
 * Lifetime: in the arena; matches and contributors are borrowed.
 */
#pragma once

#include "policy/target.h"

/* Route the requests of outbound as the entries of MeshHTTPRoutes, in increasing
 * precedence, say: sets http and rules of to. The last rule takes what is left to the
 * destination itself (K14), unless another takes all; without entries it is alone. */
void http_resolve(struct resolving *at, const struct outbound *outbound,
		  const struct contributor *entries, size_t count,
		  struct outbound_route *to);
