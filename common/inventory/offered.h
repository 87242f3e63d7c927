/* inventory/offered.h - the rows of a service object.
 *
 * Threads:  pure.
 * Lifetime: in the arena; what rows point to is the inventory's.
 */
#pragma once

#include "inventory/rows.h"

struct offered {
	const struct inventory *inventory;
	struct zl_arena *arena;
	struct local *locals;
	size_t local_count, local_room;
	struct remote *remotes;
	size_t remote_count, remote_room;
	const char **zones; /* of the MeshServices that are others' */
	size_t zone_count, zone_room;
};

/* Add the rows of a MeshService, for one of its ports or, with NULL, for all. */
void offered_add(struct offered *to, const struct resource *object,
		 const struct service_port *port);
/* When all is added: sort the rows, each once; of zones without any, their ingresses. */
void offered_end(struct offered *rows);
