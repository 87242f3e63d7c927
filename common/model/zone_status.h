/* model/zone_status.h - the status of a Zone in its document. Private to the room.
 *
 *     {"enabled":true,"name":"west","status":{"condition":"Stale","since":"2026-..."},...}
 *
 * Threads:  pure.
 */
#pragma once

#include "model/spec.h"
#include "model/tree.h"

/* Read what is understood of status, which may be NULL; the rest is Online. */
void zone_read_status(const struct tree *status, struct zl_arena *arena,
		      struct zone_spec *to);
