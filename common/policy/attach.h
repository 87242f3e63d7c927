/* policy/attach.h - policies that attach to routes: what holds for each listener, route,
 * cluster and inbound of a proxy (policies-spec 1.4).
 *
 * Threads:  pure.
 * Lifetime: in the arena of resolving.
 */
#pragma once

#include "policy/target.h"

/* Fill in the settings of routes, all of whose targets are known: of its outbounds (which
 * outbounds is), its listeners, and the backends that were noted by resolving_made. */
void attach_all(struct resolving *at, struct outbound_route *outbounds,
		struct routes *routes);

/* What holds for an inbound of at->proxy, which carries that protocol; NULL: nothing. */
const struct settings *attach_inbound(struct resolving *at, const struct inbound *inbound,
				      const char *protocol);
