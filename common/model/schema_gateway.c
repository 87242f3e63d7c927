#include "model/schemas.h"

const struct schema SCHEMA_MESH_GATEWAY = { .name = "MeshGateway",
					    .size = sizeof(struct mesh_gateway_spec) };
