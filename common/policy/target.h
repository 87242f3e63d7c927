/* policy/target.h - what one reference means in a zone: a service, or why none.
 *
 * Threads:  pure.
 * Lifetime: in the arena; texts belong to set and inventory.
 */
#pragma once

#include "inventory/inventory.h"
#include "policy/routes.h"

/* What resolving one proxy needs and collects. */
struct resolving {
	const struct inventory *inventory;
	const struct set *set; /* whose inventory it is */
	const char *zone, *mesh_name;
	const struct mesh_spec *mesh;
	struct zl_arena *arena;
	const char **warnings; /* in arena; unsorted */
	size_t warning_count, warning_room;
};

void resolving_warn(struct resolving *at, const char *text);

/* The backend that ref stands for, with this weight. */
struct backend target_of_ref(struct resolving *at, const struct target_ref *ref,
			     uint64_t weight);

/* A destination as its own backend: always resolved, weight 1 (D18, B5). */
struct backend target_of_service(struct resolving *at, const char *service,
				 struct labels tags);
