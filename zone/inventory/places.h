/* zone/inventory/places.h - host names in the addresses of Dataplanes, ZoneIngresses and
 * ZoneEgresses (D24). Private to the room.
 *
 * Threads:  pure.
 */
#pragma once

#include "model/resource.h"

#include <stdbool.h>

/* A copy of res that has addresses for host names in its spec; its document says the
 * names. What has no address yet is not ready: the inbounds of a Dataplane, or what a
 * ZoneIngress advertises, which then is nothing; what Envoy binds keeps its name. The
 * caller holds it. NULL: there is no host name in it. */
struct resource *places_resolved(const struct resource *res,
				 const char *(*address)(void *owner, const char *name),
				 void *owner);
/* True if name is one of its addresses. */
bool places_name(const struct resource *res, const char *name);
/* True if two of one document have the same addresses. */
bool places_same(const struct resource *a, const struct resource *b);
