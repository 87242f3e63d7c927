/* model/set.h - an immutable set of resources: what a process knows at one moment.
 *
 * Readers hold a set; a writer edits a copy that shares all it does not touch, and swaps.
 * Changing one of n resources costs O(log n + n / chunk), never O(n) allocations. Kinds
 * are kept apart, so "has anything of kind K changed" is one pointer compare.
 *
 * Threads:  holders may be on different threads (counts are atomic); one set_edit is
 *           used by one thread.
 * Lifetime: counted. Resources are held by the sets they are in.
 */
#pragma once

#include "model/position.h"
#include "model/resource.h"

struct set;
struct set_edit;

struct set *set_empty(void);
struct set *set_hold(const struct set *set);
void set_drop(struct set **setp); /* sets *setp to NULL; accepts NULL */

/* Start from base (borrowed). */
struct set_edit *set_edit(const struct set *base);
/* Holds res. Replaces an equal key. */
void set_put(struct set_edit *edit, const struct resource *res);
bool set_del(struct set_edit *edit, const struct key *key); /* false: was not there */
/* End the edit; the caller holds the result. Sets *editp to NULL. */
struct set *set_done(struct set_edit **editp);
void set_discard(struct set_edit **editp);

/* Borrowed; NULL: not there. */
const struct resource *set_get(const struct set *set, const struct key *key);
size_t set_count(const struct set *set, enum kind kind);
/* True if both hold the same resources of this kind, told by identity of their parts:
 * cheap, and never true for different content. */
bool set_same_kind(const struct set *a, const struct set *b, enum kind kind);

/* In key order. mesh NULL: all meshes. */
struct set_iter {
	const struct set *set;
	enum kind kind;
	const char *mesh;
	size_t chunk, index;
};
struct set_iter set_each(const struct set *set, enum kind kind, const char *mesh);
/* The next one, borrowed; NULL at the end. */
const struct resource *set_next(struct set_iter *iter);

/* Call differ for each key of kind on which a and b differ, in key order: old is what a
 * holds, now what b holds, one of them may be NULL. Parts that both share are passed
 * over as a whole. */
typedef void set_differ(void *ctx, const struct resource *old,
			const struct resource *now);
void set_diff(const struct set *a, const struct set *b, enum kind kind,
	      set_differ *differ, void *ctx);

/* The spec of a mesh, MESH_DEFAULTS if the set has no such Mesh. */
const struct mesh_spec *set_mesh(const struct set *set, const char *mesh);
