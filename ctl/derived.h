/* ctl/derived.h - the MeshServices that a zone would derive of the files' Dataplanes.
 *
 * Threads:  pure.
 * Lifetime: texts live in the arena.
 */
#pragma once

#include "model/set.h"

struct derived {
	struct zl_arena *arena; /* the caller's */
	const char **warnings;
	size_t count, room;
};

/* Add those of mesh to *setp. */
struct derived derived_add(struct set **setp, const char *zone, const char *mesh,
			   struct zl_arena *arena);
/* The warnings of derived and *count more; *count becomes how many that are. */
const char *const *derived_warnings(const struct derived *derived,
				    const char *const *more, size_t *count);
