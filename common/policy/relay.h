/* policy/relay.h - the egresses of the zone, which stand for all that is not in it where
 * the mesh asks for it (kinds-spec 4).
 *
 * Threads:  pure.
 * Lifetime: in the arena; texts belong to the inventory.
 */
#pragma once

#include "policy/endpoints.h"
#include "policy/target.h"

/* In a mesh with routing.zoneEgress: put the egresses of at's zone in the place of what
 * is in other zones or outside, behind the zone's own endpoints. While none serves,
 * nothing stands there. */
void relay_apply(struct resolving *at, struct endpoints *found);
