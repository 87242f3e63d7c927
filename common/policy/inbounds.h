/* policy/inbounds.h - the inbounds of a proxy that are served, and who may connect to
 * each (policies-spec 3.2, 4).
 *
 * Threads:  pure.
 * Lifetime: in the arena; texts belong to the policies and the proxy.
 */
#pragma once

#include "policy/target.h"

/* Fill in the inbounds of routes. */
void inbounds_resolve(struct resolving *at, struct routes *routes);
