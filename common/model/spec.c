#include "model/spec.h"

#include <string.h>

const struct mesh_spec MESH_DEFAULTS = { .locality_aware = true,
					 .unresolved = UNRESOLVED_BLACKHOLE,
					 .mtls_backend = "",
					 .log_backend = "" };

const char *ref_kind_name(enum ref_kind kind)
{
	static const char *const NAMES[] = {
		[REF_NONE] = "",
		[REF_MESH] = "Mesh",
		[REF_DATAPLANE] = "Dataplane",
		[REF_MESH_SUBSET] = "MeshSubset",
		[REF_MESH_GATEWAY] = "MeshGateway",
		[REF_MESH_SERVICE] = "MeshService",
		[REF_MESH_EXTERNAL_SERVICE] = "MeshExternalService",
		[REF_MESH_MULTI_ZONE_SERVICE] = "MeshMultiZoneService",
		[REF_MESH_SERVICE_SUBSET] = "MeshServiceSubset",
		[REF_MESH_HTTP_ROUTE] = "MeshHTTPRoute",
	};

	return NAMES[kind];
}

const struct mesh_backend *mesh_signer(const struct mesh_spec *mesh)
{
	for (size_t i = 0; i < mesh->backend_count; i++)
		if (mesh->mtls_backend[0] != '\0' &&
		    strcmp(mesh->backends[i].name, mesh->mtls_backend) == 0)
			return &mesh->backends[i];
	return NULL;
}

const char *mesh_backend_secret(const char *mesh, const struct mesh_backend *backend,
				bool key, struct zl_arena *arena)
{
	if (strcmp(backend->type, "builtin") != 0)
		return key ? backend->conf.key.secret : backend->conf.cert.secret;
	return zl_arena_format(arena, "%s.ca-builtin-%s-%s", mesh, key ? "key" : "cert",
			       backend->name);
}
