#include "model/schemas.h"

const struct schema SCHEMA_MESH_HTTP_ROUTE = { .name = "MeshHTTPRoute",
					       .size = sizeof(struct http_route_spec) };
