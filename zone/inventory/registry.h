/* zone/inventory/registry.h - all that a zone knows: what global said, what was written
 * to the zone's API, and what its watched folder holds, as one set.
 *
 * The three never mix: what global holds of this zone, or what has no part in it
 * (model/travel.h), is left out, and of a resource that folder and API both have the
 * folder's counts. A service that was written here has the status that global gave it,
 * which does not travel upward again. From the set the registry derives what the zone
 * offers: its own ZoneIngresses with availableServices filled in, and the zone-origin
 * policies that travel upward.
 *
 * Where a Dataplane or a ZoneIngress has a host name for an address, the union has its
 * address in the spec (places.h); what is offered says the name.
 *
 * Threads:  the loop's.
 * Lifetime: caller's memory between registry_init and registry_fini.
 */
#pragma once

#include "inventory/inventory.h"
#include "model/entry.h"
#include "model/set.h"

/* FOUND: Zones as they look from here, in place of those that global calls Offline.
 * STATES: state and identities of the zone's own MeshServices, whose specs have nothing
 * else: they count before what was written. */
enum registry_part {
	REGISTRY_GLOBAL,
	REGISTRY_LOCAL,
	REGISTRY_FOLDER,
	REGISTRY_FOUND,
	REGISTRY_STATES,
	REGISTRY_PARTS
};

/* A resource that should travel upward and does not. */
struct registry_kept {
	struct resource *res; /* held */
	const char *why;
};

struct registry {
	const char *zone;                  /* borrowed */
	struct set *parts[REGISTRY_PARTS]; /* held */
	struct set *all;                   /* held; the union */
	struct inventory *inventory;       /* held; of all */
	struct set *offer;          /* held; what was last given to registry_offer */
	struct registry_kept *kept; /* owned; what that call kept at home */
	size_t kept_count, kept_room;
	/* Of a zone that runs alone: a service with its status, held; NULL: as it is. */
	struct resource *(*complete)(void *owner, const struct resource *res);
	/* The address of a host name, NULL: it has none. Without it names stay. */
	const char *(*address)(void *owner, const char *name);
	void *owner;
	struct set *named; /* held; what counts and has host names, as it was written */
};

void registry_init(struct registry *registry, const char *zone);
void registry_fini(struct registry *registry);

/* What differs between two sets, for who must look at the changes. */
struct registry_change {
	struct resource *old, *now; /* held by the change; one may be NULL */
};
struct registry_changes {
	struct registry_change *items; /* owned */
	size_t count, room;
	bool inventory; /* the inventory is another one now */
	bool meshes;    /* a Mesh changed */
};

/* set is a part's new content. The changes of the union are added to changes. */
void registry_update(struct registry *registry, enum registry_part part,
		     const struct set *set, struct registry_changes *changes);
/* address says another thing of name now. */
void registry_renamed(struct registry *registry, const char *name,
		      struct registry_changes *changes);
/* True if something that counts has name for an address. */
bool registry_has_name(const struct registry *registry, const char *name);
/* Every resource as a change: for who comes late. */
void registry_all(const struct registry *registry, struct registry_changes *changes);
void registry_changes_free(struct registry_changes *changes);

/* The inventory as operations: all of it (full), or what changed since the last call.
 * What global would not take is left out, and is registry->kept until the next call. In
 * arena; *count of them. */
const struct op *registry_offer(struct registry *registry, bool full,
				struct zl_arena *arena, size_t *count);
