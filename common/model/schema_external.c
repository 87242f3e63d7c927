#include "model/schemas.h"

const struct schema SCHEMA_MESH_EXTERNAL_SERVICE = {
	.name = "MeshExternalService", .size = sizeof(struct mesh_external_spec)
};

const struct schema SCHEMA_EXTERNAL_SERVICE = { .name = "ExternalService",
						.size = sizeof(struct external_spec) };
