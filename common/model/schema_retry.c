#include "model/schema_attached.h"

static const struct schema DEFAULT_SCHEMA = { .name = "RetryDefault" };

ATTACHED_ITEM(TO, "RetryTo", ROUTED_REF_SCHEMA, DEFAULT_SCHEMA, "The destinations.");

static const struct field SPEC[] = {
	ATTACHED_TARGET,
	ATTACHED_TO(TO),
};

const struct schema SCHEMA_MESH_RETRY = { .name = "MeshRetry",
					  .size = sizeof(struct attached_spec),
					  FIELDS(SPEC),
					  .finish = finish_attached,
					  .check = check_attached };
