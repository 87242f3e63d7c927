#include "model/schemas.h"

static const struct field ADMIN[] = {
	{ .name = "port",
	  .type = FIELD_INT,
	  .flags = F_UNSTORED | F_PORT,
	  .min = 1,
	  .max = 65535,
	  .doc = "Port of Envoy's admin interface on 127.0.0.1.",
	  .example = "9901" },
};
static const struct schema ADMIN_SCHEMA = { .name = "Admin", FIELDS(ADMIN) };

/* ---- ZoneIngress ---- */
static const struct field NETWORKING[] = {
	{ .name = "address",
	  .type = FIELD_TEXT,
	  STORED(zone_ingress_spec, address),
	  .flags = F_OWN_CHECK,
	  .doc = "IP address or DNS name that Envoy binds.",
	  .example = "10.0.0.1" },
	{ .name = "port",
	  .type = FIELD_INT,
	  STORED(zone_ingress_spec, port),
	  .flags = F_OWN_CHECK,
	  .min = 1,
	  .max = 65535,
	  .doc = "Port that Envoy binds.",
	  .example = "10001" },
	{ .name = "advertisedAddress",
	  .type = FIELD_TEXT,
	  STORED(zone_ingress_spec, advertised),
	  .flags = F_OWN_CHECK,
	  .doc = "IP address or DNS name that other zones dial; without it they skip "
		 "this "
		 "ingress.",
	  .example = "10.20.0.1" },
	{ .name = "advertisedPort",
	  .type = FIELD_INT,
	  STORED(zone_ingress_spec, advertised_port),
	  .flags = F_OWN_CHECK,
	  .min = 1,
	  .max = 65535,
	  .doc = "Port that other zones dial.",
	  .example = "10001" },
	{ .name = "admin",
	  .type = FIELD_OBJECT,
	  .sub = &ADMIN_SCHEMA,
	  .doc = "Envoy's admin interface." },
};
static const struct schema NETWORKING_SCHEMA = { .name = "ZoneIngressNetworking",
						 .size = sizeof(struct zone_ingress_spec),
						 FIELDS(NETWORKING),
						 .check = check_ingress_networking };

static const struct field AVAILABLE[] = {
	{ .name = "mesh",
	  .type = FIELD_TEXT,
	  STORED(available_service, mesh),
	  .fallback = "default",
	  .doc = "Mesh of the service." },
	{ .name = "tags",
	  .type = FIELD_LABELS,
	  STORED(available_service, tags),
	  .doc = "Tags of the instances, kuma.io/service among them.",
	  .example = "{kuma.io/service: backend}" },
	{ .name = "instances",
	  .type = FIELD_INT,
	  STORED(available_service, instances),
	  .flags = F_WIDE | F_RANGE,
	  .min = 0,
	  .max = UINT32_MAX,
	  .fallback = "0",
	  .doc = "Healthy instances; 0 offers nothing but makes the service known." },
	{ .name = "externalService",
	  .type = FIELD_REFUSED,
	  .doc = "Refused unless false." },
};
static const struct schema AVAILABLE_SCHEMA = { .name = "AvailableService",
						.size = sizeof(struct available_service),
						FIELDS(AVAILABLE),
						.check = check_available };

static const struct field INGRESS[] = {
	{ .name = "zone",
	  .type = FIELD_TEXT,
	  STORED(zone_ingress_spec, zone),
	  .doc = "Zone of the ingress; label kuma.io/zone, else the writer's zone when "
		 "absent.",
	  .example = "west" },
	{ .name = "networking",
	  .type = FIELD_OBJECT,
	  .sub = &NETWORKING_SCHEMA,
	  .flags = F_REQUIRED,
	  .doc = "Where the ingress listens and how others reach it." },
	{ .name = "availableServices",
	  .type = FIELD_LIST,
	  .sub = &AVAILABLE_SCHEMA,
	  STORED(zone_ingress_spec, services),
	  .doc = "What the zone offers; the zone overwrites the list of its own "
		 "ingresses." },
};

const struct schema SCHEMA_ZONE_INGRESS = { .name = "ZoneIngress",
					    .size = sizeof(struct zone_ingress_spec),
					    FIELDS(INGRESS),
					    .check = check_ingress };

/* ---- ZoneEgress ---- */
static const struct field EGRESS_NETWORKING[] = {
	{ .name = "address",
	  .type = FIELD_TEXT,
	  STORED(zone_egress_spec, address),
	  .flags = F_OWN_CHECK,
	  .doc = "IP address or DNS name that Envoy binds and the zone's proxies dial.",
	  .example = "10.10.0.9" },
	{ .name = "port",
	  .type = FIELD_INT,
	  STORED(zone_egress_spec, port),
	  .flags = F_OWN_CHECK,
	  .min = 1,
	  .max = 65535,
	  .doc = "Port that Envoy binds.",
	  .example = "10002" },
	{ .name = "admin",
	  .type = FIELD_OBJECT,
	  .sub = &ADMIN_SCHEMA,
	  .doc = "Envoy's admin interface." },
};
static const struct schema EGRESS_NETWORKING_SCHEMA = {
	.name = "ZoneEgressNetworking",
	.size = sizeof(struct zone_egress_spec),
	FIELDS(EGRESS_NETWORKING),
	.check = check_egress_networking
};

static const struct field EGRESS[] = {
	{ .name = "zone",
	  .type = FIELD_TEXT,
	  STORED(zone_egress_spec, zone),
	  .doc = "Zone of the egress; label kuma.io/zone, else the writer's zone when "
		 "absent.",
	  .example = "east" },
	{ .name = "networking",
	  .type = FIELD_OBJECT,
	  .sub = &EGRESS_NETWORKING_SCHEMA,
	  .flags = F_REQUIRED,
	  .doc = "Where the egress listens." },
};

const struct schema SCHEMA_ZONE_EGRESS = { .name = "ZoneEgress",
					   .size = sizeof(struct zone_egress_spec),
					   FIELDS(EGRESS),
					   .check = check_egress };
