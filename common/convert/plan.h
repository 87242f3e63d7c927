/* convert/plan.h - one mesh on its way from TrafficRoutes to MeshTCPRoutes. Private.
 *
 * Threads:  one.
 * Lifetime: in the arena.
 */
#pragma once

#include "convert/convert.h"

/* A TrafficRoute about a service, by one of its sources. */
struct fit {
	const struct resource *route;
	struct labels source;
	size_t source_tags, destination_tags; /* without those whose value is * */
};

struct plan {
	const struct set *set;
	struct zl_arena *arena;
	const char *mesh;
	struct {
		const char **items; /* sorted, all different */
		size_t count, room;
	} services;
	struct {
		struct resource **items;
		size_t count, room;
	} routes;
	struct {
		struct convert_note *items;
		size_t count, room;
	} notes;
	size_t kept_count;
};

/* One more at the end of a list of plan. */
#define PLAN_PUSH(plan, list)                                                    \
	((list).items = zl_arena_more((plan)->arena, (list).items, (list).count, \
				      &(list).room, sizeof(*(list).items)),      \
	 &(list).items[(list).count++])

/* Fill services: those that TrafficRoutes of the mesh may be about. Only where one of
 * them has the destination * that is more than they name. */
void plan_services(struct plan *plan);
/* All fits for a service, the best first (D30). */
const struct fit *plan_fits(const struct plan *plan, const char *service, size_t *count);
/* Why routes to service stay TrafficRoutes; NULL: nothing is known. */
const char *plan_refusal(const struct plan *plan, const char *service);

/* True if spec.to[to] of a MeshTCPRoute is about the tag service. */
bool plan_is_about(const struct resource *route, size_t to, const char *service);
/* True if route has the connections of every proxy. */
bool plan_has_all(const struct resource *route);

/* "{a: b}" */
const char *plan_text(const struct plan *plan, struct labels labels);
