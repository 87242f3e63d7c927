#include "model/schema_attached.h"

static const struct schema DEFAULT_SCHEMA = { .name = "BreakerDefault" };

ATTACHED_ITEM(TO, "BreakerTo", BALANCED_REF_SCHEMA, DEFAULT_SCHEMA, "The destinations.");
ATTACHED_ITEM(FROM, "BreakerFrom", CLIENTS_REF_SCHEMA, DEFAULT_SCHEMA, "The clients.");
ATTACHED_RULE(RULE, "BreakerRule", DEFAULT_SCHEMA);

static const struct field SPEC[] = {
	ATTACHED_TARGET,
	ATTACHED_TO(TO),
	ATTACHED_FROM(FROM),
	ATTACHED_RULES(RULE),
};

const struct schema SCHEMA_MESH_CIRCUIT_BREAKER = { .name = "MeshCircuitBreaker",
						    .size = sizeof(struct attached_spec),
						    FIELDS(SPEC),
						    .finish = finish_attached,
						    .check = check_attached };
