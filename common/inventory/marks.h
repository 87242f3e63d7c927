/* inventory/marks.h - an index of labels: which objects have a label, which services have
 * rows with a tag.
 *
 * Labels that nearly all have, or that are found otherwise, are not in it: who looks for
 * nothing else walks. Marks of one label stand together, in key order; labels stand in no
 * order, by a hash.
 *
 * Threads:  holders of a version may be on different threads (counts are atomic).
 * Lifetime: a mark of an object is held only by inventories whose set holds the object,
 *           and borrows of it; a mark of a service has its own texts.
 */
#pragma once

#include "base/pmap.h"
#include "model/set.h"

struct mark {
	_Atomic unsigned holders;
	uint64_t hash; /* of kind, mesh and label, which it stands by */
	struct key at; /* of the object; of a service: kind NONE, its mesh and name */
	struct label label;
	const struct resource *object; /* NULL: a service */
	int bound; /* of what is looked for: before (-1) or behind (1) all of its label */
	char text[];
};

extern const struct pmap_ops MARKS;

/* The tags of a service are now other ones; both are sorted. */
void marks_service(struct pmap **marks, const char *mesh, const char *service,
		   struct labels old, struct labels now);
/* Follow the service objects from one set to another, as zone sees them. */
void marks_objects(struct pmap **marks, const struct set *before, const struct set *after,
		   const char *zone);

/* True if key is in the index, for objects or for services. */
bool marks_know(enum kind kind, const char *key);

/* The marks of the item of want that has the fewest: false if none is in the index. */
struct mark_range {
	size_t first, end;
};
bool marks_find(const struct pmap *marks, enum kind kind, const char *mesh,
		struct labels want, struct mark_range *found);
