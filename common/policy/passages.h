/* policy/passages.h - the server names of a zone proxy, as they are found.
 *
 * Threads:  pure.
 * Lifetime: zeroed is empty; passages_end ends it.
 */
#pragma once

#include "policy/target.h"

#include "inventory/objects.h"

/* What is left out first when there are too many. */
enum { RANK_SERVICE, RANK_PART };

struct passages {
	struct ranked {
		struct passage passage;
		size_t rank; /* RANK_PART and more: by the number of tags */
	} * items;           /* owned */
	size_t count, room;
};

/* What the server name of a service of mesh, or of its subset, leads to; its endpoints
 * are the caller's to find. */
struct backend *passage_to_service(const char *mesh, const struct service *service,
				   struct labels tags, struct zl_arena *arena);

/* The same of a port of an object. */
struct backend *passage_to_object(const struct resource *object,
				  const struct object_port *port, struct zl_arena *arena);

void passages_add(struct passages *to, const struct passage *passage, size_t rank);

/* Fill in the passages of routes, sorted and different as Envoy compares names, and the
 * warnings of at. */
void passages_end(struct passages *to, struct resolving *at, struct zone_routes *routes);
