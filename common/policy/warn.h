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

/* True if source is a Secret that the mesh has not (K18). */
bool warn_lacks_secret(const struct resolving *at, const struct data_source *source);
