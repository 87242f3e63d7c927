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

/* The same for one of the proxy's inbounds: from and rules are about those alone. */
bool select_inbound(const struct resource *route, const struct resource *proxy,
		    const char *zone, const struct inbound *inbound);

/* The same for a listener of a builtin gateway, which has these tags: what attaches is
 * about listeners. Of a ref to a MeshGateway only the kind is looked at. reason may be
 * NULL. */
bool select_listener(const struct resource *policy, const struct resource *proxy,
		     const char *zone, struct labels tags, struct zl_arena *arena,
		     const char **reason);

/* True if it says of itself that it is not in effect. */
bool select_is_shadow(const struct resource *route);

/* True if a tag set has all of want; a * matches any value. */
bool select_tags(struct labels want, struct labels have, const char *zone);

/* True if it is for all of its mesh, so also for what is no proxy of one: the egress. */
bool select_mesh(const struct resource *route, const char *zone);

/* The same as select_proxy for tags: those of one of its inbounds, of its gateway, or the
 * labels of a client without inbounds (D14). A * matches any value. */
bool select_by_tags(const struct resource *proxy, const char *zone, struct labels want,
		    struct zl_arena *arena, const char **reason);
