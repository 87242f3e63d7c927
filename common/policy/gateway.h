/* policy/gateway.h - what a builtin gateway listens for, and where that goes (D9, D31).
 *
 * Threads:  pure.
 * Lifetime: in the arena.
 */
#pragma once

#include "policy/index.h"
#include "policy/target.h"

/* True if gateway, a MeshGateway of the proxy's mesh, is for proxy, a builtin one. */
bool gateway_matches(const struct resource *gateway, const struct resource *proxy,
		     const char *zone);

/* Fill in the listeners of at->proxy, a builtin gateway. */
void gateway_resolve(struct resolving *at, struct routes *routes);

/* True if policy, which attaches, is about that listener. */
bool gateway_is_meant(const struct routes *routes, const struct listener_route *route,
		      const struct resource *policy, struct zl_arena *arena);
/* The same for any listener of the proxy of routes. */
bool gateway_means_any(const struct routes *routes, const struct resource *policy,
		       struct zl_arena *arena);
/* And why, *reason, in arena: for people. */
bool gateway_attaches(const struct routes *routes, const struct resource *policy,
		      struct zl_arena *arena, const char **reason);

/* `MeshGateway "edge", listener 80 TCP for "*"`, in arena. */
const char *gateway_listener_text(const struct listener_route *route,
				  struct zl_arena *arena);

/* True if policy, which selects the proxy of routes by its kind, has a say on one of its
 * listeners. *reason, in arena, says why: for people. */
bool gateway_selects(const struct routes *routes, const struct resource *policy,
		     struct zl_arena *arena, const char **reason);
