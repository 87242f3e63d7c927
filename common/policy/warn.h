/* policy/warn.h - what people are told about a backend: what will fail, and why.
 *
 * Threads:  pure.
 * Lifetime: in the arena of resolving.
 */
#pragma once

#include "policy/endpoints.h"
#include "policy/target.h"

/* service is what serves a backend that is resolved: NULL where nobody offers it, and for
 * a MeshExternalService. */
void warn_of_backend(struct resolving *at, const struct backend *backend,
		     const struct service *service, const struct endpoints *found);
