/* model/tree_grow.h - room for one more in the arrays of a tree (private to the room).
 *
 * The arrays of a tree have room for the next power of two of their count, so that
 * whoever adds to a tree, reader or builder, may go on where another stopped.
 *
 * Threads:  pure.
 * Lifetime: in the arena.
 */
#pragma once

#include "base/mem.h"

/* An array with room for item number count: items itself or a larger copy. */
void *tree_grow(struct zl_arena *arena, void *items, size_t count, size_t size);

/* Add at the end without looking for an equal key; key is not copied. */
struct tree;
struct tree_member;
struct tree_member *tree_append(struct zl_arena *arena, struct tree *map, const char *key,
				struct tree *value);
