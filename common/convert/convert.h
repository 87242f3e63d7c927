/* convert/convert.h - the MeshTCPRoutes that take the place of TrafficRoutes (D10, D30).
 *
 * Of all TrafficRoutes about a service a proxy takes one, by how well it fits. So each
 * service gets one MeshTCPRoute for each source that may ask for it, with the source's
 * tags as a top-level MeshSubset; their names put them in the order of the fit. With them
 * in place of the TrafficRoutes every outbound has the same endpoints and weights.
 *
 * A service for which that does not hold keeps its TrafficRoutes, and a note says why:
 * nothing is dropped silently.
 *
 * Pure: the same set gives the same routes and notes, in the same order.
 *
 * Threads:  pure.
 * Lifetime: in the arena, and as long as the set.
 */
#pragma once

#include "model/set.h"

struct convert_note {
	const struct resource *route; /* a TrafficRoute */
	const char *service;          /* "*": all that it is about */
	const char *text;
	bool kept; /* not converted: the TrafficRoute must stay */
};

struct conversion {
	struct resource *const *routes; /* held; by mesh, service and precedence */
	size_t count;
	const struct convert_note *notes; /* by mesh and service */
	size_t note_count;
	size_t kept_count; /* of the notes */
};

struct conversion convert_traffic(const struct set *set, struct zl_arena *arena);
void conversion_drop(struct conversion *conversion);
