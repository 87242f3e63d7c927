/* zone/services/differ.h - which services are offered otherwise than the last time.
 * Private to the room.
 *
 * Threads:  pure.
 * Lifetime: in the arena; texts are of the two inventories.
 */
#pragma once

#include "zone/services/plan.h"

struct differ_name {
	const char *mesh, *name;
};

struct differ {
	struct differ_name *names; /* sorted */
	size_t count;
	bool all; /* there was no last time, or the Meshes are others */
};

struct differ differ_of(const struct services_view *view, struct zl_arena *arena);
/* The two parts of services_decide. */
struct set *states_of(const struct services_view *view, const struct differ *differ,
		      const struct set *before);
void plan_of(const struct services_view *view, const struct differ *differ,
	     struct services_plan *plan);

bool differ_has(const struct differ *differ, const char *mesh, const char *name);
