/* policy/outside.h - endpoints outside the mesh, which the proxy dials itself (K10).
 *
 * Threads:  pure.
 * Lifetime: in the arena; texts belong to the resources.
 */
#pragma once

#include "policy/endpoints.h"

/* How what is outside the mesh is dialled, if all of service is there; NULL: it is not.
 * service may be NULL. */
const struct external_tls *outside_of(const struct service *service);

/* Of a MeshExternalService. */
struct endpoints outside_of_object(const struct resource *object, struct zl_arena *arena);

/* Of those ExternalServices of service that count and have tags, which may hold "*". */
struct endpoints outside_of_service(const struct service *service, struct labels tags,
				    struct zl_arena *arena);
