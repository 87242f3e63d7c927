/* policy/claims.h - which entries of routes have a say about an outbound, and who owns it
 * therefore.
 *
 * Threads:  pure.
 * Lifetime: in the arena of resolving.
 */
#pragma once

#include "policy/target.h"

/* By increasing precedence (spec 3.2); the last one is the strongest. */
struct claims {
	struct contributor *tcp; /* of MeshTCPRoutes */
	size_t tcp_count;
	struct contributor *http; /* of MeshHTTPRoutes */
	size_t http_count;
};

/* The entries about to->destination of the policies that select at->proxy. */
struct claims claims_about(struct resolving *at, const struct outbound_route *to);

/* True for a protocol whose connections MeshHTTPRoutes may split by request. */
bool protocol_is_http(const char *protocol);

/* Who makes the listener of an outbound of this protocol (spec 4.2). OWNER_DEFAULT: no
 * route; where it has one, a TrafficRoute (D10). */
enum route_owner claims_owner(const struct claims *claims, const char *protocol);
