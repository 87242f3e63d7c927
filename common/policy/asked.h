/* policy/asked.h - the subsets of services that stored routes ask for, whoever they
 * select: what other zones' proxies may ask this zone for.
 *
 * Threads:  pure.
 * Lifetime: the array is in the arena; texts belong to the routes.
 */
#pragma once

#include "model/set.h"

struct asked {
	const char *service; /* "*": any */
	struct labels tags;  /* without kuma.io/service; at least one */
	const struct resource *route;
};

/* What the routes of mesh ask for, by service and tags, one of each. What has weight 0
 * asks for nothing. */
const struct asked *asked_by_routes(const struct set *set, const char *mesh,
				    struct zl_arena *arena, size_t *count);

/* Those of service, which stand together, in what asked_by_routes gave. */
const struct asked *asked_of(const struct asked *asked, size_t count, const char *service,
			     size_t *found);

/* True if a tag may have any value: no server name says that, as Envoy refuses a * there.
 */
bool asked_has_any(const struct asked *asked);
