#include "model/schema_attached.h"

static const struct schema DEFAULT_SCHEMA = { .name = "PermissionDefault" };

ATTACHED_ITEM(FROM, "PermissionFrom", PERMITTED_REF_SCHEMA, DEFAULT_SCHEMA,
	      "The clients.");
ATTACHED_RULE(RULE, "PermissionRule", DEFAULT_SCHEMA);

static const struct field SPEC[] = {
	ATTACHED_TARGET,
	ATTACHED_FROM(FROM),
	ATTACHED_RULES(RULE),
};

const struct schema SCHEMA_MESH_TRAFFIC_PERMISSION = { .name = "MeshTrafficPermission",
						       .size = sizeof(
							       struct attached_spec),
						       FIELDS(SPEC),
						       .finish = finish_attached,
						       .check = check_attached };
