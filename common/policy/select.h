/* policy/select.h - whether the top-level ref of a policy selects a proxy.
 *
 * Threads:  pure.
 * Lifetime: reasons live in the arena.
 */
#pragma once

#include "model/resource.h"

/* A policy and a proxy of one mesh, in zone. *reason, in arena, says why; arena NULL: no
 * reason is made. */
bool select_proxy(const struct resource *route, const struct resource *proxy,
		  const char *zone, struct zl_arena *arena, const char **reason);
