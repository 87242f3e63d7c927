#include "model/schemas.h"

static const char *const STATES[] = { "Ready", "NotReady", "Ignored", NULL };
static const char *const REF_KINDS[] = { "",
					 "Mesh",
					 "Dataplane",
					 "MeshSubset",
					 "MeshGateway",
					 "MeshService",
					 "MeshExternalService",
					 "MeshMultiZoneService",
					 "MeshServiceSubset",
					 "MeshHTTPRoute",
					 NULL };
static const char *const GATEWAY_TYPES[] = { "", "DELEGATED", "BUILTIN", NULL };

static const struct field ADMIN[] = {
	{ .name = "port",
	  .type = FIELD_INT,
	  STORED(dataplane_spec, admin_port),
	  .flags = F_PORT,
	  .min = 1,
	  .max = 65535,
	  .doc = "Port of Envoy's admin interface on 127.0.0.1.",
	  .example = "9901" },
};
static const struct schema ADMIN_SCHEMA = { .name = "Admin",
					    .size = sizeof(struct dataplane_spec),
					    FIELDS(ADMIN) };

static const struct field HEALTH[] = {
	{ .name = "ready",
	  .type = FIELD_BOOL,
	  .flags = F_UNSTORED | F_SHOWN_ONLY,
	  .fallback = "false",
	  .doc = "Old form of state: false is NotReady." },
};
static const struct schema HEALTH_SCHEMA = { .name = "Health", FIELDS(HEALTH) };

static const struct field INBOUND[] = {
	{ .name = "port",
	  .type = FIELD_INT,
	  STORED(inbound, port),
	  .flags = F_REQUIRED | F_PORT,
	  .min = 1,
	  .max = 65535,
	  .doc = "Port of the listener.",
	  .example = "8080" },
	{ .name = "address",
	  .type = FIELD_TEXT,
	  STORED(inbound, address),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "networking.address",
	  .doc = "IP address of the listener.",
	  .example = "192.168.0.1" },
	{ .name = "servicePort",
	  .type = FIELD_INT,
	  STORED(inbound, service_port),
	  .flags = F_PORT | F_SHOWN_ONLY,
	  .min = 1,
	  .max = 65535,
	  .fallback = "port",
	  .doc = "Port of the application.",
	  .example = "80" },
	{ .name = "serviceAddress",
	  .type = FIELD_TEXT,
	  STORED(inbound, service_address),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "address",
	  .doc = "IP address of the application." },
	{ .name = "tags",
	  .type = FIELD_LABELS,
	  STORED(inbound, tags),
	  .doc = "Tags of the instance, kuma.io/service among them.",
	  .example = "{kuma.io/service: web, kuma.io/protocol: tcp}" },
	{ .name = "name",
	  .type = FIELD_TEXT,
	  STORED(inbound, name),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "port",
	  .doc = "Name of the section; sectionName and targetPort may say it.",
	  .example = "main" },
	{ .name = "state",
	  .type = FIELD_ENUM,
	  STORED(inbound, state),
	  .values = STATES,
	  .fallback = "Ready",
	  .doc = "Ready: listener and endpoint; NotReady: no endpoint; Ignored: "
		 "neither." },
	{ .name = "health",
	  .type = FIELD_OBJECT,
	  .sub = &HEALTH_SCHEMA,
	  .doc = "Old form of state." },
	{ .name = "serviceProbe",
	  .type = FIELD_REFUSED,
	  .doc = "Refused: set state instead." },
};

static void finish_inbound(struct decode *dec, const struct tree *tree, void *made)
{
	struct inbound *inbound = made;
	const struct tree *health = tree_get(tree, "health");
	const struct tree *ready = tree_get(health, "ready");

	(void)dec;
	if (health != NULL && !(ready != NULL && ready->boolean) &&
	    inbound->state == INBOUND_READY)
		inbound->state = INBOUND_NOT_READY;
}

static const struct schema INBOUND_SCHEMA = { .name = "Inbound",
					      .size = sizeof(struct inbound),
					      FIELDS(INBOUND),
					      .finish = finish_inbound,
					      .check = check_inbound };

static const struct field OUTBOUND_REF[] = {
	{ .name = "kind",
	  .type = FIELD_ENUM,
	  STORED(target_ref, kind),
	  .flags = F_OWN_CHECK,
	  .values = REF_KINDS,
	  .doc = "MeshService, MeshMultiZoneService or MeshExternalService.",
	  .example = "MeshService" },
	{ .name = "name",
	  .type = FIELD_TEXT,
	  STORED(target_ref, name),
	  .doc = "Name of the object.",
	  .example = "db" },
	{ .name = "labels",
	  .type = FIELD_LABELS,
	  STORED(target_ref, labels),
	  .doc = "Labels of the object, instead of a name." },
	{ .name = "port",
	  .type = FIELD_INT,
	  STORED(target_ref, port),
	  .flags = F_OWN_CHECK,
	  .min = 1,
	  .max = 65535,
	  .doc = "Port of the object; not needed for a MeshExternalService.",
	  .example = "5432" },
};
static const struct schema OUTBOUND_REF_SCHEMA = { .name = "OutboundBackendRef",
						   .size = sizeof(struct target_ref),
						   FIELDS(OUTBOUND_REF),
						   .finish = finish_ref,
						   .check = check_outbound_ref };

static const struct field OUTBOUND[] = {
	{ .name = "address",
	  .type = FIELD_TEXT,
	  STORED(outbound, address),
	  .fallback = "127.0.0.1",
	  .doc = "IP address of the listener." },
	{ .name = "port",
	  .type = FIELD_INT,
	  STORED(outbound, port),
	  .flags = F_REQUIRED | F_PORT,
	  .min = 1,
	  .max = 65535,
	  .doc = "Port of the listener.",
	  .example = "10001" },
	{ .name = "tags",
	  .type = FIELD_LABELS,
	  STORED(outbound, tags),
	  .doc = "The destination by tags, kuma.io/service among them.",
	  .example = "{kuma.io/service: backend}" },
	{ .name = "backendRef",
	  .type = FIELD_OBJECT,
	  .sub = &OUTBOUND_REF_SCHEMA,
	  STORED(outbound, backend),
	  .doc = "The destination by object, instead of tags." },
};

static void finish_outbound(struct decode *dec, const struct tree *tree, void *made)
{
	struct outbound *outbound = made;

	(void)dec;
	outbound->has_backend = tree_get(tree, "backendRef") != NULL;
}

static const struct schema OUTBOUND_SCHEMA = { .name = "Outbound",
					       .size = sizeof(struct outbound),
					       FIELDS(OUTBOUND),
					       .finish = finish_outbound,
					       .check = check_outbound };

static const struct field GATEWAY[] = {
	{ .name = "type",
	  .type = FIELD_ENUM,
	  STORED(dataplane_spec, gateway),
	  .values = GATEWAY_TYPES,
	  .flags = F_SHOWN_ONLY,
	  .fallback = "DELEGATED",
	  .doc = "DELEGATED: a proxy with outbounds only; BUILTIN: listeners of a "
		 "MeshGateway." },
	{ .name = "tags",
	  .type = FIELD_LABELS,
	  STORED(dataplane_spec, gateway_tags),
	  .doc = "Tags of the gateway, kuma.io/service among them.",
	  .example = "{kuma.io/service: edge}" },
};

static void finish_gateway(struct decode *dec, const struct tree *tree, void *made)
{
	struct dataplane_spec *spec = made;

	(void)dec;
	if (tree != NULL && spec->gateway == GATEWAY_NONE)
		spec->gateway = GATEWAY_DELEGATED;
}

static const struct schema GATEWAY_SCHEMA = { .name = "Gateway",
					      .size = sizeof(struct dataplane_spec),
					      FIELDS(GATEWAY),
					      .finish = finish_gateway,
					      .check = check_gateway };

static const struct field NETWORKING[] = {
	{ .name = "address",
	  .type = FIELD_TEXT,
	  STORED(dataplane_spec, address),
	  .doc = "IP address or DNS name: Envoy binds it, others dial it.",
	  .example = "192.168.0.1" },
	{ .name = "advertisedAddress",
	  .type = FIELD_TEXT,
	  STORED(dataplane_spec, advertised),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "address",
	  .doc = "IP address or DNS name that others dial instead." },
	{ .name = "admin",
	  .type = FIELD_OBJECT,
	  .sub = &ADMIN_SCHEMA,
	  .doc = "Envoy's admin interface." },
	{ .name = "inbound",
	  .type = FIELD_LIST,
	  .sub = &INBOUND_SCHEMA,
	  STORED(dataplane_spec, inbounds),
	  .doc = "What the workload serves; none for a pure client." },
	{ .name = "outbound",
	  .type = FIELD_LIST,
	  .sub = &OUTBOUND_SCHEMA,
	  STORED(dataplane_spec, outbounds),
	  .doc = "What the workload consumes, each behind a local listener." },
	{ .name = "gateway",
	  .type = FIELD_OBJECT,
	  .sub = &GATEWAY_SCHEMA,
	  .doc = "Makes the proxy a gateway." },
	{ .name = "transparentProxying",
	  .type = FIELD_REFUSED,
	  .doc = "Refused: list outbounds instead." },
};
static const struct schema NETWORKING_SCHEMA = { .name = "Networking",
						 .size = sizeof(struct dataplane_spec),
						 FIELDS(NETWORKING),
						 .check = check_dataplane };

static const struct field DATAPLANE[] = {
	{ .name = "networking",
	  .type = FIELD_OBJECT,
	  .sub = &NETWORKING_SCHEMA,
	  .flags = F_REQUIRED,
	  .doc = "Addresses, inbounds and outbounds of the proxy." },
	{ .name = "probes", .type = FIELD_IGNORED, .doc = "No effect." },
	{ .name = "metrics", .type = FIELD_IGNORED, .doc = "No effect." },
};

const struct schema SCHEMA_DATAPLANE = { .name = "Dataplane",
					 .size = sizeof(struct dataplane_spec),
					 FIELDS(DATAPLANE) };
