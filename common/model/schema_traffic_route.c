#include "model/schemas.h"

const struct schema SCHEMA_TRAFFIC_ROUTE = { .name = "TrafficRoute",
					     .size = sizeof(struct traffic_route_spec) };
