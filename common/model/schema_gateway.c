#include "model/schemas.h"
#include "model/source.h"

static const char *const PROTOCOLS[] = { "TCP", "TLS", "HTTP", "HTTPS", NULL };
static const char *const TLS_MODES[] = { "", "TERMINATE", "PASSTHROUGH", NULL };

static const struct field SELECTOR[] = {
	{ .name = "match",
	  .type = FIELD_LABELS,
	  STORED(tag_selector, match),
	  .doc = "gateway.tags of BUILTIN Dataplanes, kuma.io/service among them.",
	  .example = "{kuma.io/service: edge}" },
};
static const struct schema SELECTOR_SCHEMA = { .name = "GatewaySelector",
					       .size = sizeof(struct tag_selector),
					       FIELDS(SELECTOR),
					       .check = check_gateway_selector };

/* tls decodes into its listener. */
static const struct field TLS[] = {
	{ .name = "mode",
	  .type = FIELD_ENUM,
	  STORED(gateway_listener, tls),
	  .flags = F_OWN_CHECK,
	  .values = TLS_MODES,
	  .doc = "TERMINATE: TLS ends here, with the certificates; PASSTHROUGH: bytes go "
		 "on encrypted, with protocol TLS only.",
	  .example = "TERMINATE" },
	{ .name = "certificates",
	  .type = FIELD_LIST,
	  .sub = &SOURCE_SCHEMA,
	  STORED(gateway_listener, certs),
	  .doc = "PEM chain and key, 1 or 2 with TERMINATE: one RSA, one ECDSA.",
	  .example = "[{secret: cert-a}]" },
	{ .name = "options", .type = FIELD_REFUSED, .doc = "Refused unless empty." },
};
static const struct schema TLS_SCHEMA = { .name = "GatewayTls",
					  .size = sizeof(struct gateway_listener),
					  FIELDS(TLS) };

static const struct field RESOURCES[] = {
	{ .name = "connectionLimit", .type = FIELD_REFUSED, .doc = "Refused." },
};
static const struct schema RESOURCES_SCHEMA = { .name = "GatewayResources",
						FIELDS(RESOURCES) };

static const struct field LISTENER[] = {
	{ .name = "hostname",
	  .type = FIELD_TEXT,
	  STORED(gateway_listener, hostname),
	  .fallback = "*",
	  .doc = "Name that clients ask for: a.b, *.b or *; with protocol TCP only *.",
	  .example = "a.example.org" },
	{ .name = "port",
	  .type = FIELD_INT,
	  STORED(gateway_listener, port),
	  .flags = F_REQUIRED | F_PORT,
	  .min = 1,
	  .max = 65535,
	  .doc = "Port of the listener.",
	  .example = "9080" },
	{ .name = "protocol",
	  .type = FIELD_ENUM,
	  STORED(gateway_listener, protocol),
	  .values = PROTOCOLS,
	  .doc = "TCP or TLS. HTTP and HTTPS are taken, and get no listener.",
	  .example = "TCP" },
	{ .name = "tls",
	  .type = FIELD_OBJECT,
	  .sub = &TLS_SCHEMA,
	  .doc = "With protocol TLS and HTTPS: who ends TLS." },
	{ .name = "tags",
	  .type = FIELD_LABELS,
	  STORED(gateway_listener, tags),
	  .doc = "What a route's targetRef.tags names.",
	  .example = "{port: tcp}" },
	{ .name = "crossMesh", .type = FIELD_REFUSED, .doc = "Refused unless false." },
	{ .name = "resources",
	  .type = FIELD_OBJECT,
	  .sub = &RESOURCES_SCHEMA,
	  .doc = "Limits; Zonelink has none." },
};

static void finish_listener(struct decode *dec, const struct tree *tree, void *made)
{
	struct gateway_listener *listener = made;

	(void)dec;
	(void)tree;
	if (listener->hostname[0] == '\0') /* Kuma's way to say any */
		listener->hostname = "*";
}

static const struct schema LISTENER_SCHEMA = { .name = "GatewayListener",
					       .size = sizeof(struct gateway_listener),
					       FIELDS(LISTENER),
					       .finish = finish_listener,
					       .check = check_gateway_listener };

/* conf decodes into the gateway. */
static const struct field CONF[] = {
	{ .name = "listeners",
	  .type = FIELD_LIST,
	  .sub = &LISTENER_SCHEMA,
	  STORED(mesh_gateway_spec, listeners),
	  .flags = F_AT_MOST,
	  .max = 256,
	  .doc = "What the gateway listens on; 1 to 256 entries." },
};
static const struct schema CONF_SCHEMA = { .name = "GatewayConf",
					   .size = sizeof(struct mesh_gateway_spec),
					   FIELDS(CONF),
					   .check = check_gateway_conf };

static const struct field GATEWAY[] = {
	{ .name = "selectors",
	  .type = FIELD_LIST,
	  .sub = &SELECTOR_SCHEMA,
	  STORED(mesh_gateway_spec, selectors),
	  .flags = F_AT_MOST,
	  .max = 256,
	  .doc = "The proxies that are this gateway, any of these; 1 to 256 entries." },
	{ .name = "tags",
	  .type = FIELD_LABELS,
	  STORED(mesh_gateway_spec, tags),
	  .doc = "Added to the tags of every listener.",
	  .example = "{gateway: edge}" },
	{ .name = "conf",
	  .type = FIELD_OBJECT,
	  .sub = &CONF_SCHEMA,
	  .doc = "The listeners." },
};

const struct schema SCHEMA_MESH_GATEWAY = { .name = "MeshGateway",
					    .size = sizeof(struct mesh_gateway_spec),
					    FIELDS(GATEWAY),
					    .check = check_mesh_gateway };
