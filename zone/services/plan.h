/* zone/services/plan.h - what becomes of the MeshServices of a zone: decided, not done.
 *
 * Two things. Where a Mesh asks for it, one MeshService is derived of each service of the
 * zone's Dataplanes (inventory/objects.h) and kept in the zone's own store; when the last
 * Dataplane is gone it stays for a grace, marked by the label
 * kuma.io/deletion-grace-period-started-at (20261121T162500Z), and goes then. And of all
 * MeshServices of the zone, whoever wrote them, state and identities are worked out.
 *
 * Both look only at what differs from the last time.
 *
 * Threads:  pure.
 */
#pragma once

#include "inventory/objects.h"

#define LABEL_GRACE "kuma.io/deletion-grace-period-started-at"

struct services_view {
	const struct inventory *inventory; /* of all that the zone knows ... */
	const struct set *all;             /* ... which is this */
	/* The same of the last time; NULL: there was none. */
	const struct inventory *inventory_before;
	const struct set *all_before;
	const struct set *local; /* what the zone's own store holds */
	const char *zone;
	uint64_t now_s, grace_s;
	void (*warn)(void *ctx, const char *text); /* NULL: nobody listens */
	void *ctx;
};

struct services_change {
	struct key key;       /* of *now, or of what local has */
	struct resource *now; /* held; NULL: delete */
	uint64_t rev;         /* of what local has; 0: nothing */
};

enum { SERVICES_AT_ONCE = 500 }; /* changes of one plan */

struct services_plan {
	struct services_change items[SERVICES_AT_ONCE];
	size_t count;
	bool more;        /* there would be more: look again when these are done */
	uint64_t again_s; /* a grace ends in so many seconds; 0: none does */
};

/* What is worked out of the zone's MeshServices: for each a MeshService of its key whose
 * spec has state and identities alone. states is the result of the last time, which
 * belongs to view's; the caller holds the new one. *plan is filled with what is to be
 * written, and its resources are the caller's (services_plan_free); plan NULL: nothing
 * may be written now. */
struct set *services_decide(const struct services_view *view, const struct set *states,
			    struct services_plan *plan);
void services_plan_free(struct services_plan *plan);
