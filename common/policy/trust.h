/* policy/trust.h - what the mesh's mTLS asks of connections: who a proxy is, whom it asks
 * for and by which name (kinds-spec 1, spec 5.6, 6.4).
 *
 * Threads:  pure.
 * Lifetime: in the arena; texts belong to set and inventory.
 */
#pragma once

#include "policy/target.h"

/* Fill in routes->uris; none where mTLS is off. */
void trust_identify(const struct resolving *at, struct routes *routes);

/* By which server name clients ask for a tag service of mesh, or for a subset:
 * "backend{kuma.io/zone=west,mesh=default,version=v1}". tags are without kuma.io/service.
 * NULL: it would be too long. */
const char *trust_service_name(const char *mesh, const char *service, struct labels tags,
			       struct zl_arena *arena);

/* The same for a port of an object: "sni.msvc.default.east.backend.80". NULL: a part of
 * it is none of a server name. */
const char *trust_object_name(const struct resource *object, const char *section,
			      struct zl_arena *arena);

/* Who an egress is in a mesh: "spiffe://default/zone-egress". */
const char *trust_egress(const char *mesh, struct zl_arena *arena);

/* Fill in the server name and the names of a target inside the mesh, or of one outside by
 * way of an egress; one that is asked plainly loses its endpoints in other zones. False:
 * no server name can be made, so there is no way to it. service NULL: there is none. */
bool trust_secure(struct resolving *at, struct backend *backend,
		  const struct service *service);
