#include "model/schema_attached.h"

static const struct schema DEFAULT_SCHEMA = { .name = "LogDefault" };

ATTACHED_ITEM(TO, "LogTo", LOGGED_REF_SCHEMA, DEFAULT_SCHEMA, "The destinations.");
ATTACHED_ITEM(FROM, "LogFrom", CLIENTS_REF_SCHEMA, DEFAULT_SCHEMA, "The clients.");
ATTACHED_RULE(RULE, "LogRule", DEFAULT_SCHEMA);

static const struct field SPEC[] = {
	ATTACHED_TARGET,
	ATTACHED_TO(TO),
	ATTACHED_FROM(FROM),
	ATTACHED_RULES(RULE),
};

const struct schema SCHEMA_MESH_ACCESS_LOG = { .name = "MeshAccessLog",
					       .size = sizeof(struct attached_spec),
					       FIELDS(SPEC),
					       .finish = finish_attached,
					       .check = check_attached };
