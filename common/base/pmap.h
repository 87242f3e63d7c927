/* base/pmap.h - a sorted map whose versions share what they have in common.
 *
 * A balanced tree of counted nodes. Changing one of n items makes O(log n) new nodes and
 * leaves every other holder's version as it was; nodes that nobody else holds are changed
 * in place, so that filling a new map copies nothing.
 *
 * Threads:  holders of versions may be on different threads (counts are atomic).
 * Lifetime: counted; a version holds its items by the functions of its ops.
 */
#pragma once

#include <stddef.h>

struct pmap;

struct pmap_ops {
	int (*compare)(const void *a, const void *b); /* 0: b replaces a */
	void (*hold)(void *item);
	void (*drop)(void *item);
};

/* NULL is the empty map. */
struct pmap *pmap_hold(const struct pmap *map);
void pmap_drop(const struct pmap_ops *ops, struct pmap **mapp); /* sets NULL */

/* Change *mapp, which the caller holds, to a version with item or without what equals
 * like. pmap_put takes over the caller's hold of item. */
void pmap_put(const struct pmap_ops *ops, struct pmap **mapp, void *item);
void pmap_del(const struct pmap_ops *ops, struct pmap **mapp, const void *like);

size_t pmap_count(const struct pmap *map);
/* Borrowed; NULL: there is none. */
void *pmap_find(const struct pmap_ops *ops, const struct pmap *map, const void *like);
/* How many items come before like. */
size_t pmap_rank(const struct pmap_ops *ops, const struct pmap *map, const void *like);
/* The item that index others come before; index is below the count. */
void *pmap_at(const struct pmap *map, size_t index);
