/* inventory/offered.h - what decides who offers an object.
 *
 * Threads:  pure.
 * Lifetime: results are the inventory's.
 */
#pragma once

#include "inventory/inventory.h"

/* The Dataplane that a MeshService of this zone selects by name: the one that says that
 * it is this zone's, or the one that does not say. NULL: none. */
const struct resource *offered_dataplane(const struct inventory *inventory,
					 const struct resource *object, bool labelled);

/* True if a MeshService that a MeshMultiZoneService selects adds to it. */
bool offered_counts(const struct inventory *inventory, const struct resource *member);
