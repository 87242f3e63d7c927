#include "model/schemas.h"

static const struct field ZONE[] = {
	{ .name = "enabled",
	  .type = FIELD_BOOL,
	  STORED(zone_spec, enabled),
	  .fallback = "true",
	  .doc = "False: what the zone offers is withdrawn everywhere at once." },
};

const struct schema SCHEMA_ZONE = { .name = "Zone",
				    .size = sizeof(struct zone_spec),
				    FIELDS(ZONE) };
