#include "model/schemas.h"

const struct schema SCHEMA_MESH_SERVICE = { .name = "MeshService",
					    .size = sizeof(struct mesh_service_spec) };

const struct schema SCHEMA_MESH_MULTI_ZONE_SERVICE = {
	.name = "MeshMultiZoneService", .size = sizeof(struct multi_zone_spec)
};
