/* policy/traffic.h - TrafficRoute, the legacy kind: which one an outbound takes, and
 * where its connections go then (D10, D30, spec 4.3). And which one of other legacy
 * kinds, which go by sources and destinations too.
 *
 * Threads:  pure.
 * Lifetime: backends live in the arena; tags belong to the proxy and the policies.
 */
#pragma once

#include "policy/routes.h"
#include "policy/target.h"

/* Of a TrafficRoute or one of kind_is_legacy: its destinations, and the service that one
 * is about, which may be *; "": it does not say. */
size_t traffic_destination_count(const struct resource *policy);
const char *traffic_service(const struct resource *policy, size_t destination);

/* True if route (any of these kinds) may be about the connections of proxy to service. */
bool traffic_is_about(const struct resource *route, const struct resource *proxy,
		      const char *zone, const char *service);

/* The route that the proxy takes for its connections to service: with the most tags in a
 * source, then in a destination, then the smaller name; a tag whose value is * does not
 * count. NULL: none is about it. */
const struct resource *traffic_about(struct resolving *at, const char *service);

/* The same for a legacy kind; *named: a destination names the service. */
const struct resource *traffic_legacy(struct resolving *at, enum kind kind,
				      const char *service, bool *named);

/* Why route can have a say for proxy or not, in arena: for people. */
bool traffic_selects(const struct resource *route, const struct resource *proxy,
		     const char *zone, struct zl_arena *arena, const char **reason);

/* Where route sends the connections of an outbound with these tags: its split, in which
 * a * falls away and the outbound's tags stand for those that are not there. */
const struct backend *traffic_backends(struct resolving *at, const struct resource *route,
				       struct labels tags, size_t *count);
