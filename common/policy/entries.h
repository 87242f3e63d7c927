/* policy/entries.h - the entries of MeshTCPRoutes and MeshHTTPRoutes by what their
 * targetRef names, and the destinations of TrafficRoutes, as an index has them and as a
 * change of routes touches them. Those of other policies are kept alike, in lists of
 * their own: MeshLoadBalancingStrategies, policies that attach to routes, their legacy
 * forms.
 *
 * Threads:  holders of a list may be on different threads (the count is atomic); lists
 *           are immutable.
 * Lifetime: a list is counted; its routes are held by the sets of the indexes that have
 *           it.
 */
#pragma once

#include "policy/order.h"

#include "base/pmap.h"
#include "model/set.h"

/* What the targetRef of an entry names: nothing where it goes by labels or is the mesh.
 */
struct entry_name {
	const char *mesh;
	enum ref_kind kind;
	const char *name; /* "" */
};

/* An entry of a route's `to`. */
struct entry {
	struct rank rank; /* of its route */
	size_t to;        /* or OF_INBOUNDS */
};

/* The entry of a policy that has `from` or `rules`: all of them. It stands under the name
 * of its kind, as REF_NONE. */
#define OF_INBOUNDS SIZE_MAX

/* All of one name, which need not mean the same: it may be a tag service or, with
 * namespace, port and section, objects. */
struct entry_list {
	_Atomic unsigned holders;
	struct entry_name name;
	struct entry *items; /* owned; by increasing precedence */
	size_t count;
};

/* Lists by name. */
extern const struct pmap_ops ENTRY_LISTS;

/* How routes differ between two sets. */
struct entry_changes {
	const struct set *after;
	const char *zone;
	struct entry *added; /* owned, as the others */
	size_t added_count, added_room;
	struct entry *removed;
	size_t removed_count, removed_room;
};

/* Zones are alike in both, so that what was withdrawn still is. */
void entries_collect(struct entry_changes *changes, const struct set *before,
		     const struct set *after, const char *zone);
/* Those of MeshLoadBalancingStrategies. */
void entries_collect_balancing(struct entry_changes *changes, const struct set *before,
			       const struct set *after, const char *zone);
/* Those of kind_attaches. */
void entries_collect_attached(struct entry_changes *changes, const struct set *before,
			      const struct set *after, const char *zone);
/* Those of kind_is_legacy. */
void entries_collect_legacy(struct entry_changes *changes, const struct set *before,
			    const struct set *after, const char *zone);
void entries_apply(const struct entry_changes *changes, struct pmap **lists);
void entries_end(struct entry_changes *changes);

/* True for what another zone wrote, which is disabled in set: it goes with that zone. */
bool route_is_withdrawn(const struct set *set, const char *zone,
			const struct resource *route);

/* Lists that are read as one, in their order. */
enum { ENTRY_LISTS_MAX = 3 };
struct entry_lists {
	struct {
		const struct entry *items;
		size_t count;
	} each[ENTRY_LISTS_MAX];
};
/* The weakest that is left, which is taken out; NULL: none. */
const struct entry *entries_next(struct entry_lists *from);
