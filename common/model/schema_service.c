/* MeshService and MeshMultiZoneService: kinds-spec 6 and 7. */
#include "model/schemas.h"

#include <string.h>

static const char *const STATES[] = { "Unavailable", "Available", NULL };
static const char *const IDENTITIES[] = { "ServiceTag", "SpiffeID", NULL };

/* ---- ports ---- */
#define PORT_FIELD                                                             \
	{                                                                      \
		.name = "port", .type = FIELD_INT, STORED(service_port, port), \
		.flags = F_REQUIRED | F_RANGE, .min = 1, .max = 65535,         \
		.doc = "Port that clients name.", .example = "5432"            \
	}

#define PORT_REST                                                                     \
	{ .name = "name",                                                             \
	  .type = FIELD_TEXT,                                                         \
	  STORED(service_port, name),                                                 \
	  .flags = F_SHOWN_ONLY,                                                      \
	  .fallback = "port",                                                         \
	  .doc = "Name of the section, which sectionName may say.",                   \
	  .example = "sql" },                                                         \
	{                                                                             \
		.name = "appProtocol", .type = FIELD_TEXT,                            \
		STORED(service_port, protocol), .fallback = "tcp",                    \
		.doc = "What is spoken: grpc, http, http2, kafka, mysql, tcp or tls." \
	}

static const struct field SERVICE_PORT[] = {
	PORT_FIELD,
	{ .name = "targetPort",
	  .type = FIELD_MIXED,
	  .flags = F_UNSTORED | F_SHOWN_ONLY,
	  .fallback = "port",
	  .doc = "Port of the inbounds, by number or by name.",
	  .example = "main" },
	PORT_REST,
};

/* K7: without targetPort it is port. */
static void finish_port(struct decode *dec, const struct tree *tree, void *made)
{
	struct service_port *port = made;
	const struct tree *target = tree_get(tree, "targetPort");

	port->target_name = "";
	port->target = port->port;
	if (target != NULL && target->type == TREE_INT) {
		bool fits = target->integer > 0 && target->integer <= UINT16_MAX;
		port->target = fits ? (uint32_t)target->integer : 0;
	}
	if (target != NULL && target->type == TREE_TEXT) {
		port->target_name = zl_arena_strdup(dec->arena, target->text);
		port->target = 0;
	}
}

static const struct schema SERVICE_PORT_SCHEMA = { .name = "ServicePort",
						   .size = sizeof(struct service_port),
						   FIELDS(SERVICE_PORT),
						   .finish = finish_port,
						   .check = check_service_port };

static const struct field MULTI_PORT[] = {
	PORT_FIELD,
	PORT_REST,
};
static const struct schema MULTI_PORT_SCHEMA = { .name = "MultiZonePort",
						 .size = sizeof(struct service_port),
						 FIELDS(MULTI_PORT),
						 .finish = finish_port,
						 .check = check_service_port };

/* ---- MeshService ---- */
static const struct field DATAPLANE_REF[] = {
	{ .name = "name",
	  .type = FIELD_TEXT,
	  STORED(mesh_service_spec, dataplane),
	  .flags = F_REQUIRED,
	  .doc = "Name of the Dataplane.",
	  .example = "web-01" },
};
static const struct schema DATAPLANE_REF_SCHEMA = {
	.name = "DataplaneRef",
	.size = sizeof(struct mesh_service_spec),
	FIELDS(DATAPLANE_REF),
};

static const struct field SELECTOR[] = {
	{ .name = "dataplaneTags",
	  .type = FIELD_LABELS,
	  STORED(mesh_service_spec, tags),
	  .doc = "The inbounds whose tags contain these.",
	  .example = "{kuma.io/service: db}" },
	{ .name = "dataplaneRef",
	  .type = FIELD_OBJECT,
	  .sub = &DATAPLANE_REF_SCHEMA,
	  .doc = "Every inbound of one Dataplane of the same mesh and zone." },
};

static void finish_selector(struct decode *dec, const struct tree *tree, void *made)
{
	struct mesh_service_spec *spec = made;

	(void)dec;
	spec->by_tags = tree_get(tree, "dataplaneTags") != NULL;
}

static const struct schema SELECTOR_SCHEMA = { .name = "ServiceSelector",
					       .size = sizeof(struct mesh_service_spec),
					       FIELDS(SELECTOR),
					       .finish = finish_selector,
					       .check = check_service_selector };

static const struct field IDENTITY[] = {
	{ .name = "type",
	  .type = FIELD_ENUM,
	  .flags = F_UNSTORED | F_REQUIRED,
	  .values = IDENTITIES,
	  .doc = "ServiceTag: a value of kuma.io/service; SpiffeID: a whole SPIFFE ID.",
	  .example = "ServiceTag" },
	{ .name = "value",
	  .type = FIELD_TEXT,
	  STORED(service_identity, value),
	  .flags = F_REQUIRED,
	  .doc = "The identity.",
	  .example = "db" },
};

static bool is_text(const struct tree *map, const char *field, const char *want)
{
	const struct tree *text = tree_get(map, field);

	return text != NULL && text->type == TREE_TEXT && strcmp(text->text, want) == 0;
}

static void finish_identity(struct decode *dec, const struct tree *tree, void *made)
{
	struct service_identity *identity = made;

	(void)dec;
	identity->spiffe = is_text(tree, "type", "SpiffeID");
}

static const struct schema IDENTITY_SCHEMA = { .name = "ServiceIdentity",
					       .size = sizeof(struct service_identity),
					       FIELDS(IDENTITY),
					       .finish = finish_identity };

static const struct field SERVICE[] = {
	{ .name = "selector",
	  .type = FIELD_OBJECT,
	  .sub = &SELECTOR_SCHEMA,
	  .doc = "Which inbounds serve it: by tags or by Dataplane." },
	{ .name = "ports",
	  .type = FIELD_LIST,
	  .sub = &SERVICE_PORT_SCHEMA,
	  STORED(mesh_service_spec, ports),
	  .doc = "What clients may name; numbers and names are unique." },
	{ .name = "state",
	  .type = FIELD_ENUM,
	  .flags = F_UNSTORED,
	  .values = STATES,
	  .fallback = "Unavailable",
	  .doc = "Available while each port has a ready inbound; its zone works it "
		 "out." },
	{ .name = "identities",
	  .type = FIELD_LIST,
	  .sub = &IDENTITY_SCHEMA,
	  STORED(mesh_service_spec, identities),
	  .doc = "Whom clients expect; its zone works them out." },
};

static void finish_service(struct decode *dec, const struct tree *tree, void *made)
{
	struct mesh_service_spec *spec = made;

	(void)dec;
	spec->available = is_text(tree, "state", "Available");
}

const struct schema SCHEMA_MESH_SERVICE = { .name = "MeshService",
					    .size = sizeof(struct mesh_service_spec),
					    FIELDS(SERVICE),
					    .finish = finish_service,
					    .check = check_service };

/* ---- MeshMultiZoneService ---- */
static const struct field MEMBERS[] = {
	{ .name = "matchLabels",
	  .type = FIELD_LABELS,
	  STORED(multi_zone_spec, match),
	  .flags = F_OWN_CHECK,
	  .doc = "Labels that a member has; at least one.",
	  .example = "{app: db}" },
};
static const struct schema MEMBERS_SCHEMA = { .name = "MeshServiceSelector",
					      .size = sizeof(struct multi_zone_spec),
					      FIELDS(MEMBERS) };

static const struct field MULTI_SELECTOR[] = {
	{ .name = "meshService",
	  .type = FIELD_OBJECT,
	  .sub = &MEMBERS_SCHEMA,
	  .doc = "MeshServices of the same mesh, of all zones." },
};
static const struct schema MULTI_SELECTOR_SCHEMA = {
	.name = "MultiZoneSelector",
	.size = sizeof(struct multi_zone_spec),
	FIELDS(MULTI_SELECTOR),
};

static const struct field MULTI[] = {
	{ .name = "selector",
	  .type = FIELD_OBJECT,
	  .sub = &MULTI_SELECTOR_SCHEMA,
	  .doc = "The members." },
	{ .name = "ports",
	  .type = FIELD_LIST,
	  .sub = &MULTI_PORT_SCHEMA,
	  STORED(multi_zone_spec, ports),
	  .doc = "What clients may name, at least one; a member's port has the same "
		 "name, "
		 "else the same number." },
};

const struct schema SCHEMA_MESH_MULTI_ZONE_SERVICE = { .name = "MeshMultiZoneService",
						       .size = sizeof(
							       struct multi_zone_spec),
						       FIELDS(MULTI),
						       .check = check_multi_zone };
