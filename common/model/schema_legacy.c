/* The legacy kinds of policies on routes: policies-spec 4. */
#include "model/schemas.h"

static const struct field SPEC[] = {
	{ .name = "sources",
	  .type = FIELD_LIST,
	  .sub = &TRAFFIC_SOURCE_SCHEMA,
	  STORED(legacy_spec, sources),
	  .flags = F_AT_MOST,
	  .max = 1024,
	  .doc = "The clients, any of these; 1 to 1024 entries." },
	{ .name = "destinations",
	  .type = FIELD_LIST,
	  .sub = &TRAFFIC_DESTINATION_SCHEMA,
	  STORED(legacy_spec, destinations),
	  .flags = F_AT_MOST,
	  .max = 1024,
	  .doc = "What they ask for, any of these; 1 to 1024 entries." },
	{ .name = "conf",
	  .type = FIELD_ANY,
	  .flags = F_UNSTORED,
	  .doc = "What holds for their connections." },
};

static void finish_legacy(struct decode *dec, const struct tree *tree, void *made)
{
	struct legacy_spec *spec = made;
	const struct tree *conf = tree_get(tree, "conf");

	if (conf != NULL && conf->type == TREE_MAP)
		spec->conf = tree_copy(conf, dec->arena);
}

#define LEGACY(title)                                                              \
	{                                                                          \
		.name = (title), .size = sizeof(struct legacy_spec), FIELDS(SPEC), \
		.finish = finish_legacy                                            \
	}
const struct schema SCHEMA_TIMEOUT = LEGACY("Timeout");
const struct schema SCHEMA_RETRY = LEGACY("Retry");
const struct schema SCHEMA_HEALTH_CHECK = LEGACY("HealthCheck");
const struct schema SCHEMA_CIRCUIT_BREAKER = LEGACY("CircuitBreaker");
const struct schema SCHEMA_TRAFFIC_LOG = LEGACY("TrafficLog");
const struct schema SCHEMA_TRAFFIC_PERMISSION = LEGACY("TrafficPermission");
