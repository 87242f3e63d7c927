/* policy/table.h - things by name, as they are met.
 *
 * Threads:  pure.
 * Lifetime: in the arena; names are borrowed; zeroed is empty.
 */
#pragma once

#include "base/mem.h"

struct table_item {
	const char *name; /* NULL: free */
	void *value;
};

struct table {
	struct table_item *items; /* room of them, by their hash */
	size_t count, room;       /* room: 0 or a power of 2 */
};

/* NULL: it was not put there. */
void *table_find(const struct table *table, const char *name);
/* What table_find does not find. */
void table_add(struct table *table, const char *name, void *value,
	       struct zl_arena *arena);
