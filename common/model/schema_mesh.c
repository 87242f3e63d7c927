#include "model/schemas.h"
#include "model/source.h"

#include "base/span.h"

#include <string.h>

static const char *const MODES[] = { "STRICT", "PERMISSIVE", NULL };
static const char *const PERMISSIONS[] = { "Deny", "Allow", NULL };
static const char *const UNRESOLVED[] = { "Blackhole", "Renormalise", NULL };
static const char *const SERVICE_MODES[] = { "Disabled", "Everywhere",
					     "ReachableBackends", "Exclusive", NULL };

static const struct field ROTATION[] = {
	{ .name = "expiration",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .fallback = "24h",
	  .doc = "How long a workload certificate lives; it is renewed when 4/5 have "
		 "passed.",
	  .example = "24h" },
};
static const struct schema ROTATION_SCHEMA = { .name = "Rotation", FIELDS(ROTATION) };

static const struct field DP_CERT[] = {
	{ .name = "rotation",
	  .type = FIELD_OBJECT,
	  .sub = &ROTATION_SCHEMA,
	  .doc = "When workload certificates are renewed." },
	{ .name = "requestTimeout",
	  .type = FIELD_IGNORED,
	  .doc = "No effect: no CA is remote." },
};
static const struct schema DP_CERT_SCHEMA = { .name = "DpCert", FIELDS(DP_CERT) };

static const struct field ROOT_CHAIN[] = {
	{ .name = "requestTimeout",
	  .type = FIELD_IGNORED,
	  .doc = "No effect: no CA is remote." },
};
static const struct schema ROOT_CHAIN_SCHEMA = { .name = "RootChain",
						 FIELDS(ROOT_CHAIN) };

static const struct field CA_CERT[] = {
	{ .name = "RSAbits",
	  .type = FIELD_INT,
	  .flags = F_UNSTORED | F_RANGE,
	  .min = 2048,
	  .max = 4096,
	  .doc = "Size of an RSA key; ECDSA P-256 when absent." },
	{ .name = "expiration",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .fallback = "10y",
	  .doc = "How long the root lives.",
	  .example = "10y" },
};
static const struct schema CA_CERT_SCHEMA = { .name = "CaCert", FIELDS(CA_CERT) };

static const struct field CONF[] = {
	{ .name = "caCert",
	  .type = FIELD_OBJECT,
	  .sub = &CA_CERT_SCHEMA,
	  .doc = "Key and life of a builtin root." },
	{ .name = "cert",
	  .type = FIELD_OBJECT,
	  STORED(ca_conf, cert),
	  .sub = &CA_SOURCE_SCHEMA,
	  .doc = "PEM chain of a provided CA; the first certificate signs." },
	{ .name = "key",
	  .type = FIELD_OBJECT,
	  STORED(ca_conf, key),
	  .sub = &CA_SOURCE_SCHEMA,
	  .doc = "PEM key of a provided CA." },
};
static const struct schema CONF_SCHEMA = { .name = "CaConf",
					   .size = sizeof(struct ca_conf),
					   FIELDS(CONF) };

static const struct field BACKEND[] = {
	{ .name = "name",
	  .type = FIELD_TEXT,
	  STORED(mesh_backend, name),
	  .flags = F_REQUIRED,
	  .doc = "Lower-case DNS name of the backend.",
	  .example = "ca-1" },
	{ .name = "type",
	  .type = FIELD_TEXT,
	  STORED(mesh_backend, type),
	  .flags = F_REQUIRED,
	  .doc = "builtin: Zonelink makes the CA; provided: the CA is given in conf.",
	  .example = "builtin" },
	{ .name = "mode",
	  .type = FIELD_TEXT,
	  STORED(mesh_backend, mode),
	  .values = MODES,
	  .fallback = "STRICT",
	  .doc = "STRICT: inbounds take mTLS only; PERMISSIVE: plain connections too." },
	{ .name = "dpCert",
	  .type = FIELD_OBJECT,
	  .sub = &DP_CERT_SCHEMA,
	  .doc = "Workload certificates." },
	{ .name = "rootChain",
	  .type = FIELD_OBJECT,
	  .sub = &ROOT_CHAIN_SCHEMA,
	  .doc = "No effect: no CA is remote." },
	{ .name = "conf",
	  .type = FIELD_OBJECT,
	  .sub = &CONF_SCHEMA,
	  STORED(mesh_backend, conf),
	  .doc = "The CA, by type." },
};

/* A length of time below object, or what holds where none is written. */
static uint64_t span_of(const struct tree *object, uint64_t fallback_ms)
{
	const struct tree *text = tree_get(object, "expiration");
	uint64_t ms;

	if (text == NULL || text->type != TREE_TEXT || !zl_span_ms(text->text, &ms))
		return fallback_ms;
	return ms > 0 ? ms : fallback_ms;
}

static void finish_backend(struct decode *dec, const struct tree *tree, void *made)
{
	enum { DAY_MS = 86400000 };
	struct mesh_backend *backend = made;
	const struct tree *ca = tree_get(tree_get(tree, "conf"), "caCert");
	const struct tree *bits = tree_get(ca, "RSAbits");

	(void)dec;
	backend->permissive = strcmp(backend->mode, "PERMISSIVE") == 0;
	backend->cert_ms =
		span_of(tree_get(tree_get(tree, "dpCert"), "rotation"), DAY_MS);
	backend->ca_ms = span_of(ca, UINT64_C(3650) * DAY_MS);
	if (bits != NULL && bits->type == TREE_INT && bits->integer > 0)
		backend->rsa_bits = (uint32_t)bits->integer;
}

static const struct schema BACKEND_SCHEMA = { .name = "MtlsBackend",
					      .size = sizeof(struct mesh_backend),
					      FIELDS(BACKEND),
					      .finish = finish_backend,
					      .check = check_mesh_backend };

static const struct field MTLS[] = {
	{ .name = "enabledBackend",
	  .type = FIELD_TEXT,
	  STORED(mesh_spec, mtls_backend),
	  .doc = "The backend that signs; mTLS is off without one.",
	  .example = "ca-1" },
	{ .name = "backends",
	  .type = FIELD_LIST,
	  .sub = &BACKEND_SCHEMA,
	  STORED(mesh_spec, backends),
	  .doc = "CAs of the mesh, at most two; all of them are trusted." },
	{ .name = "skipValidation",
	  .type = FIELD_BOOL,
	  STORED(mesh_spec, skip_validation),
	  .fallback = "false",
	  .doc = "True: conf is not loaded and checked on write." },
	{ .name = "defaultPermission",
	  .type = FIELD_ENUM,
	  .flags = F_UNSTORED,
	  .values = PERMISSIONS,
	  .fallback = "Deny",
	  .doc = "Who is let in where no MeshTrafficPermission selects the inbound: "
		 "Deny: "
		 "nobody, Allow: every client of the mesh." },
};

static void finish_mtls(struct decode *dec, const struct tree *tree, void *made)
{
	struct mesh_spec *mesh = made;
	const struct tree *permission = tree_get(tree, "defaultPermission");

	(void)dec;
	mesh->let_in = permission != NULL && permission->type == TREE_TEXT &&
		       strcmp(permission->text, "Allow") == 0;
}

static const struct schema MTLS_SCHEMA = {
	.name = "Mtls", FIELDS(MTLS), .finish = finish_mtls, .check = check_mesh_mtls
};

static const struct field ROUTING[] = {
	{ .name = "localityAwareLoadBalancing",
	  .type = FIELD_BOOL,
	  STORED(mesh_spec, locality_aware),
	  .fallback = "true",
	  .doc = "Endpoints of other zones are used only when those of the own zone "
		 "fail." },
	{ .name = "zoneEgress",
	  .type = FIELD_BOOL,
	  STORED(mesh_spec, zone_egress),
	  .fallback = "false",
	  .doc = "Cross-zone and external traffic leaves through the zone egress." },
	{ .name = "unresolvedBackends",
	  .type = FIELD_ENUM,
	  STORED(mesh_spec, unresolved),
	  .values = UNRESOLVED,
	  .fallback = "Blackhole",
	  .doc = "What happens to the share of a backend that is not found: closed, or "
		 "spread over the others." },
	{ .name = "defaultForbidMeshExternalServiceAccess",
	  .type = FIELD_REFUSED,
	  .doc = "Refused unless false." },
};
static const struct schema ROUTING_SCHEMA = { .name = "Routing", FIELDS(ROUTING) };

static const struct field MESH_SERVICES[] = {
	{ .name = "mode",
	  .type = FIELD_ENUM,
	  STORED(mesh_spec, services),
	  .values = SERVICE_MODES,
	  .fallback = "Disabled",
	  .doc = "Which MeshServices zones derive from their Dataplanes." },
};
static const struct schema MESH_SERVICES_SCHEMA = { .name = "MeshServices",
						    .size = sizeof(struct mesh_spec),
						    FIELDS(MESH_SERVICES) };

static const struct field OUTBOUND[] = {
	{ .name = "passthrough",
	  .type = FIELD_BOOL,
	  .flags = F_UNSTORED,
	  .fallback = "true",
	  .doc = "Stored; concerns transparent proxies only, which Zonelink has not." },
};
static const struct schema OUTBOUND_SCHEMA = { .name = "MeshOutbound", FIELDS(OUTBOUND) };

static const struct field NETWORKING[] = {
	{ .name = "outbound",
	  .type = FIELD_OBJECT,
	  .sub = &OUTBOUND_SCHEMA,
	  .doc = "Traffic to what is outside the mesh." },
};
static const struct schema NETWORKING_SCHEMA = { .name = "MeshNetworking",
						 FIELDS(NETWORKING) };

static const struct field LOG_CONF[] = {
	{ .name = "address",
	  .type = FIELD_TEXT,
	  STORED(mesh_log, address),
	  .doc = "HOST:PORT that gets the lines, of type tcp.",
	  .example = "logs:5000" },
	{ .name = "path",
	  .type = FIELD_TEXT,
	  STORED(mesh_log, path),
	  .doc = "Absolute path of a file on the machine of the Envoy, of type file.",
	  .example = "/var/log/mesh.log" },
};
static const struct schema LOG_CONF_SCHEMA = { .name = "LoggingConf",
					       .size = sizeof(struct mesh_log),
					       FIELDS(LOG_CONF) };

static const struct field LOG[] = {
	{ .name = "name",
	  .type = FIELD_TEXT,
	  STORED(mesh_log, name),
	  .doc = "What a TrafficLog calls it by.",
	  .example = "file" },
	{ .name = "type",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .doc = "file or tcp.",
	  .example = "file" },
	{ .name = "format",
	  .type = FIELD_TEXT,
	  STORED(mesh_log, format),
	  .doc = "The line; a default one when absent." },
	{ .name = "conf",
	  .type = FIELD_OBJECT,
	  .sub = &LOG_CONF_SCHEMA,
	  .doc = "Where the lines go." },
};

static void finish_log(struct decode *dec, const struct tree *tree, void *made)
{
	struct mesh_log *log = made;
	const struct tree *type = tree_get(tree, "type");

	(void)dec;
	log->tcp =
		type != NULL && type->type == TREE_TEXT && strcmp(type->text, "tcp") == 0;
}

static const struct schema LOG_SCHEMA = { .name = "LoggingBackend",
					  .size = sizeof(struct mesh_log),
					  FIELDS(LOG),
					  .finish = finish_log,
					  .check = check_mesh_log };

static const struct field LOGGING[] = {
	{ .name = "defaultBackend",
	  .type = FIELD_TEXT,
	  STORED(mesh_spec, log_backend),
	  .doc = "The backend of TrafficLogs that name none.",
	  .example = "file" },
	{ .name = "backends",
	  .type = FIELD_LIST,
	  .sub = &LOG_SCHEMA,
	  STORED(mesh_spec, logs),
	  .flags = F_AT_MOST,
	  .max = 128,
	  .doc = "Where TrafficLogs write to; MeshAccessLogs say it themselves." },
};
static const struct schema LOGGING_SCHEMA = { .name = "Logging",
					      .size = sizeof(struct mesh_spec),
					      FIELDS(LOGGING),
					      .check = check_mesh_logging };

static const struct field MESH[] = {
	{ .name = "mtls",
	  .type = FIELD_OBJECT,
	  .sub = &MTLS_SCHEMA,
	  .doc = "Mutual TLS between the proxies of the mesh." },
	{ .name = "routing",
	  .type = FIELD_OBJECT,
	  .sub = &ROUTING_SCHEMA,
	  .doc = "How traffic is spread in the mesh." },
	{ .name = "meshServices",
	  .type = FIELD_OBJECT,
	  .sub = &MESH_SERVICES_SCHEMA,
	  .doc = "Derived MeshServices." },
	{ .name = "networking",
	  .type = FIELD_OBJECT,
	  .sub = &NETWORKING_SCHEMA,
	  .doc = "Networking of all proxies." },
	{ .name = "skipCreatingInitialPolicies",
	  .type = FIELD_LIST,
	  .flags = F_UNSTORED,
	  .doc = "Stored; Zonelink makes no default policies." },
	{ .name = "constraints", .type = FIELD_REFUSED, .doc = "Refused unless empty." },
	{ .name = "tracing", .type = FIELD_REFUSED, .doc = "Refused unless empty." },
	{ .name = "logging",
	  .type = FIELD_OBJECT,
	  .sub = &LOGGING_SCHEMA,
	  .doc = "Access logs of TrafficLogs." },
	{ .name = "metrics", .type = FIELD_REFUSED, .doc = "Refused unless empty." },
};

const struct schema SCHEMA_MESH = { .name = "Mesh",
				    .size = sizeof(struct mesh_spec),
				    FIELDS(MESH),
				    .check = check_mesh };
