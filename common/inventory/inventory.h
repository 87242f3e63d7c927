/* inventory/inventory.h - who offers which service, here and in other zones.
 *
 * Derived from a set, as one zone sees it: the inbounds of its own Dataplanes, and the
 * availableServices records of other zones' ZoneIngresses; where there are neither, the
 * ExternalServices. A Zone that is disabled has its records withdrawn, one that is Stale
 * or Offline keeps them, marked; a ZoneIngress without an advertised address makes its
 * services known but has no place to send to.
 * Routes play no part, so an inventory serves every set that has the same Dataplanes,
 * ZoneIngresses, ZoneEgresses, Zones, ExternalServices and service objects
 * (inventory_fits). One that is made of another (inventory_update) shares with it all
 * services that did not change.
 *
 * Threads:  holders may be on different threads (the count is atomic); content is
 *           immutable.
 * Lifetime: counted; holds the set it was made of, to which its texts belong. A service
 *           lives as long as one of the inventories that have it.
 */
#pragma once

#include "model/set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One inbound of a Dataplane of this zone. */
struct local {
	const struct resource *dataplane;
	const struct inbound *inbound;
	const char *address; /* what others dial */
	uint32_t port;
	struct labels tags; /* with kuma.io/zone */
	bool ready;         /* an endpoint; else it only makes its service known */
};

/* One record of a ZoneIngress of another zone. */
struct remote {
	const struct resource *ingress;
	const struct available_service *record; /* NULL: none tells of the object */
	const char *zone;
	const char *address; /* advertised; "": there is none, so no endpoint */
	uint32_t port;
	struct labels tags;            /* with kuma.io/zone */
	uint64_t instances;            /* 0: no endpoint */
	enum zone_condition condition; /* of the zone */
};

/* An ExternalService that nothing is sent to. */
enum left_out_why {
	LEFT_OUT_DATAPLANES, /* Dataplanes offer the service, here or elsewhere */
	LEFT_OUT_ZONE,       /* another zone's alone */
	LEFT_OUT_TLS         /* its TLS is not that of the first by name */
};
struct left_out {
	const struct resource *external;
	enum left_out_why why;
};

struct service {
	const char *mesh, *name;    /* name: the value of kuma.io/service */
	const struct local *locals; /* sorted by (address, port) */
	size_t local_count;
	const struct remote *remotes; /* sorted by (zone, address, port, ingress, tags) */
	size_t remote_count;
	/* The ExternalServices of this tag that count, all with one TLS; by name. */
	const struct resource *const *externals;
	size_t external_count;
	const struct left_out *left_out; /* those that do not; by name */
	size_t left_out_count;
	bool outdone;         /* all of them, as Dataplanes offer the service */
	const char *protocol; /* of all its endpoints in common (spec 4.1); "unknown" */
};

struct inventory;

/* The caller holds the result. zone is this zone's name; copied. */
struct inventory *inventory_build(const struct set *set, const char *zone);
/* As inventory_build(set, zone of before), at the cost of what differs: the services that
 * changed resources offer or offered. */
struct inventory *inventory_update(const struct inventory *before, const struct set *set);
struct inventory *inventory_hold(const struct inventory *inventory);
void inventory_drop(struct inventory **inventoryp); /* sets NULL; accepts NULL */

/* True if an inventory built of set would be equal: cheap, and never true when not. */
bool inventory_fits(const struct inventory *inventory, const struct set *set);

const char *inventory_zone(const struct inventory *inventory);

/* NULL: offered nowhere, in no state (D18). */
const struct service *inventory_find(const struct inventory *inventory, const char *mesh,
				     const char *name);

/* True if both are offered alike: both NULL, or made of the same resources, told by
 * identity, of zones in the same condition. Cheap; never true when they differ. Not for
 * what object_service made. */
bool service_same(const struct service *a, const struct service *b);

/* Services by mesh and name; index is below the count. */
size_t inventory_count(const struct inventory *inventory);
const struct service *inventory_at(const struct inventory *inventory, size_t index);

/* What this zone offers to others: Ready inbounds of its Dataplanes by mesh and tags,
 * counted; a service without a Ready one with 0. Sorted by mesh and tags. The array is in
 * arena, its texts are borrowed from the inventory. */
const struct available_service *inventory_offer(const struct inventory *inventory,
						struct zl_arena *arena, size_t *count);

/* The ZoneEgresses of this zone by address and port, *count of them; in arena. */
const struct resource *const *inventory_egresses(const struct inventory *inventory,
						 struct zl_arena *arena, size_t *count);
/* True if both have the very same ones: cheap, and never true when they have not. */
bool egresses_alike(const struct inventory *before, const struct inventory *after);

/* The greatest common protocol of two, as texts of any case; NULL is one that is not
 * known (spec 4.1). */
const char *protocol_common(const char *a, const char *b);

/* False if the set holds a Zone of this name that is disabled. */
bool zone_is_enabled(const struct set *set, const char *zone);
/* What the set's Zone of this name says of it; Online where there is none. */
enum zone_condition zone_condition_of(const struct set *set, const char *zone);
/* True if res, a Dataplane, belongs to zone. */
bool dataplane_is_local(const struct resource *res, const char *zone);
/* The zone that a ZoneIngress stands in; own is the zone that asks. */
const char *ingress_zone(const struct resource *res, const char *own);
/* The same of a ZoneEgress. */
const char *egress_zone(const struct resource *res, const char *own);
