#include "model/conf.h"

#include "model/schema_attached.h"

#include <assert.h>

static const struct schema *schema_of_conf(enum kind kind, const struct tree *merged)
{
	switch (kind) {
	case KIND_MESH_TIMEOUT:
		return &TIMEOUT_DEFAULT_SCHEMA;
	case KIND_MESH_RETRY:
		return &RETRY_DEFAULT_SCHEMA;
	case KIND_MESH_HEALTH_CHECK:
		return &HEALTH_DEFAULT_SCHEMA;
	case KIND_MESH_CIRCUIT_BREAKER:
		return &BREAKER_DEFAULT_SCHEMA;
	case KIND_MESH_ACCESS_LOG:
		return &LOG_DEFAULT_SCHEMA;
	case KIND_MESH_TRAFFIC_PERMISSION:
		/* What is of from, not of rules. */
		return tree_get(merged, "action") != NULL ? &ACTION_DEFAULT_SCHEMA
							  : &PERMISSION_DEFAULT_SCHEMA;
	default:
		return NULL;
	}
}

const void *conf_read(enum kind kind, const struct tree *merged, struct zl_arena *arena)
{
	struct decode dec = { .arena = arena,
			      .kind = kind,
			      .name = "",
			      .role = "",
			      .zone = "",
			      .zone_label = "" };

	const struct schema *schema = schema_of_conf(kind, merged);
	assert(schema != NULL); /* kind_attaches */
	void *conf = zl_arena_alloc(arena, 1, schema->size);
	decode_object(&dec, schema, merged, NULL, conf);
	return conf;
}

enum kind kind_replaces(enum kind legacy)
{
	assert(kind_is_legacy(legacy));
	return (enum kind)(legacy - KIND_TIMEOUT + KIND_MESH_TIMEOUT);
}
