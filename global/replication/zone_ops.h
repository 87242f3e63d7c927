/* global/replication/zone_ops.h - what a zone may write at global. Private to the room.
 *
 * A zone owns the resources whose zone is its name, of the kinds that travel upward.
 * Whatever it says of zone and origin is overwritten by the name of its session.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "model/entry.h"
#include "model/set.h"
#include "store/write.h"

/* Add to job what makes the zone's resources what ops say; full: and nothing else of the
 * zone stays. Ops that the zone may not make are logged and left out. Returns how many
 * changes job has. */
size_t zone_ops_job(struct store_job *job, const char *zone, const struct op *ops,
		    size_t count, bool full, const struct set *set);
