/* inventory/objects.h - service objects of a set, as one zone sees them: MeshService,
 * MeshMultiZoneService, MeshExternalService.
 *
 * Nothing is kept: what an object offers is worked out when it is asked for, from the
 * inventory's services and Dataplanes. MeshServices of a disabled zone are not there.
 *
 * Threads:  pure.
 * Lifetime: results live in the arena; resources and texts are the inventory's.
 */
#pragma once

#include "inventory/inventory.h"

/* NULL: there is none. */
const struct resource *object_get(const struct inventory *inventory,
				  const struct key *key);

/* By name (D5): the own zone's first, then the only one of the mesh; cheap, as every ref
 * by name asks. ns "": any namespace of that rank, else only there. NULL: none, or
 * several and *several is set, so that none is taken. */
const struct resource *object_by_name(const struct inventory *inventory, enum kind kind,
				      const char *mesh, const char *ns, const char *name,
				      bool *several);

/* All of a kind and mesh whose labels contain want (with the labels that follow from its
 * identity): the own zone's first, then by KRI (D8). */
const struct resource *const *objects_by_labels(const struct inventory *inventory,
						enum kind kind, const char *mesh,
						struct labels want,
						struct zl_arena *arena, size_t *count);

/* True if the labels of object contain want, as for objects_by_labels. */
bool object_matches(const struct inventory *inventory, const struct resource *object,
		    struct labels want);

/* True for a MeshService whose Dataplanes are this zone's, and for an external service
 * that this zone may dial. */
bool object_is_local(const struct inventory *inventory, const struct resource *object);

/* The KRI; section may be "". In arena. */
const char *object_kri(const struct resource *object, const char *section,
		       struct zl_arena *arena);

/* One port of an object, whatever its kind. */
struct object_port {
	uint32_t port;
	const char *section;  /* its name, else its number: the canonical section */
	const char *protocol; /* in lower case, "tcp" by default */
	const struct service_port *spec; /* NULL: of a MeshExternalService */
};
size_t object_port_count(const struct resource *object);
struct object_port object_port_at(const struct resource *object, size_t index,
				  struct zl_arena *arena);
/* The port that a ref names: by section (a name, else a number), else by number, else the
 * only one. A MeshExternalService has one, which is found without either (spec 5.4). */
bool object_port_find(const struct resource *object, const char *section, uint32_t port,
		      struct zl_arena *arena, struct object_port *found);

/* Who serves a port of a MeshService or MeshMultiZoneService, as a service whose name is
 * the object's: local inbounds of local objects (K8), records of the zones of others. A
 * zone without a record for any of them has one instance behind its ingresses: rows
 * without a record (D27). The protocol is the port's. Never NULL. */
const struct service *object_service(const struct inventory *inventory,
				     const struct resource *object,
				     const struct object_port *port,
				     struct zl_arena *arena);

/* The MeshServices that a MeshMultiZoneService selects: the own zone's first, then by
 * KRI. */
const struct resource *const *object_members(const struct inventory *inventory,
					     const struct resource *multi,
					     struct zl_arena *arena, size_t *count);

/* True if both have the very same objects, so that each lookup above finds the same in
 * both: cheap, and never true when it does not. */
bool objects_alike(const struct inventory *before, const struct inventory *after);
/* True if the ingresses of other zones are the same in both, where objects are equal: a
 * MeshService of a zone that tells nothing of its instances is behind all of them (D27),
 * also those that offer no service. */
bool gates_alike(const struct inventory *before, const struct inventory *after);

/* True if object, which either inventory may lack, offers the same in both on all ports:
 * told by identity, cheap, never true when it does not. */
bool object_same(const struct inventory *before, const struct inventory *after,
		 const struct key *object);

/* ---- derived (K9) ---- */

/* The MeshService that a zone derives of a service of its inventory: NULL if it has no
 * Dataplane, if its mesh does not ask for it (meshServices.mode), if people wrote one of
 * its name, or if the name is none for an object. The caller holds it; what is derived of
 * the same Dataplanes has the same JSON. Warnings, in arena, go to warn unless it is
 * NULL. Objects that were derived earlier do not count as written. */
struct resource *object_derive(const struct inventory *inventory,
			       const struct service *service, struct zl_arena *arena,
			       void (*warn)(void *ctx, const char *text), void *ctx);
/* True for a MeshService that a zone made so. */
bool object_is_derived(const struct resource *object);
/* All that a zone derives in a mesh, by name. The array is in arena. */
struct resource **objects_derive(const struct set *set, const char *zone,
				 const char *mesh, struct zl_arena *arena, size_t *count,
				 void (*warn)(void *ctx, const char *text), void *ctx);
