/* inventory/lookup.h - what has a label or a tag, found without looking at all.
 *
 * Threads:  pure.
 * Lifetime: results live in the arena; what they point to is the inventory's.
 */
#pragma once

#include "inventory/inventory.h"

/* What a service object has for a label, be it written or part of its identity; NULL:
 * nothing. What names no zone and no origin has those that storing it would give. */
const char *object_label(const struct resource *object, const char *zone,
			 const char *key);

/* The objects of kind and mesh that have all labels of want, in key order. */
const struct resource **lookup_objects(const struct inventory *inventory, enum kind kind,
				       const char *mesh, struct labels want,
				       struct zl_arena *arena, size_t *count);

/* The services of mesh that may have rows with all tags of want, by name: at least those
 * that do. */
const struct service **lookup_services(const struct inventory *inventory,
				       const char *mesh, struct labels want,
				       struct zl_arena *arena, size_t *count);
