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

/* The same for tags: those of one of its inbounds, of its gateway, or the labels of a
 * client without inbounds (D14). A * matches any value. */
bool select_by_tags(const struct resource *proxy, const char *zone, struct labels want,
		    struct zl_arena *arena, const char **reason);
