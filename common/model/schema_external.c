/* MeshExternalService and the legacy ExternalService: kinds-spec 8 and 9. */
#include "model/schemas.h"
#include "model/source.h"

#include <string.h>

static const char *const MATCH_TYPES[] = { "HostnameGenerator", NULL };
static const char *const PROTOCOLS[] = { "tcp", "grpc", "http", "http2", NULL };
static const char *const VERSIONS[] = { "TLSAuto", "TLS10", "TLS11",
					"TLS12",   "TLS13", NULL };
static const char *const MODES[] = { "Secured", "SkipSAN", "SkipCA", "SkipAll", NULL };
static const char *const NAME_TYPES[] = { "Exact", "Prefix", NULL };

/* ---- MeshExternalService ---- */
static const struct field MATCH[] = {
	{ .name = "type",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED | F_OWN_CHECK,
	  .values = MATCH_TYPES,
	  .fallback = "HostnameGenerator",
	  .doc = "Only HostnameGenerator." },
	{ .name = "port",
	  .type = FIELD_INT,
	  STORED(mesh_external_spec, port),
	  .flags = F_REQUIRED | F_OWN_CHECK,
	  .min = 1,
	  .max = 65535,
	  .doc = "Port that clients name.",
	  .example = "9090" },
	{ .name = "protocol",
	  .type = FIELD_TEXT,
	  STORED(mesh_external_spec, protocol),
	  .flags = F_OWN_CHECK,
	  .values = PROTOCOLS,
	  .fallback = "tcp",
	  .doc = "What is spoken: tcp, grpc, http or http2." },
};
static const struct schema MATCH_SCHEMA = { .name = "ExternalMatch",
					    .size = sizeof(struct mesh_external_spec),
					    FIELDS(MATCH),
					    .check = check_external_match };

static const struct field ENDPOINT[] = {
	{ .name = "address",
	  .type = FIELD_TEXT,
	  STORED(external_address, address),
	  .flags = F_REQUIRED,
	  .doc = "IP address or DNS name.",
	  .example = "db.example.com" },
	{ .name = "port",
	  .type = FIELD_INT,
	  STORED(external_address, port),
	  .flags = F_REQUIRED | F_OWN_CHECK,
	  .min = 1,
	  .max = 65535,
	  .doc = "Port there.",
	  .example = "443" },
};
static const struct schema ENDPOINT_SCHEMA = { .name = "ExternalEndpoint",
					       .size = sizeof(struct external_address),
					       FIELDS(ENDPOINT),
					       .check = check_external_endpoint };

static const struct field VERSION[] = {
	{ .name = "min",
	  .type = FIELD_ENUM,
	  STORED(external_tls, min),
	  .flags = F_OWN_CHECK,
	  .values = VERSIONS,
	  .fallback = "TLSAuto",
	  .doc = "Lowest version: TLSAuto (1.2), TLS10, TLS11, TLS12 or TLS13." },
	{ .name = "max",
	  .type = FIELD_ENUM,
	  STORED(external_tls, max),
	  .flags = F_OWN_CHECK,
	  .values = VERSIONS,
	  .fallback = "TLSAuto",
	  .doc = "Highest version: TLSAuto (1.3), TLS10, TLS11, TLS12 or TLS13." },
};
static const struct schema VERSION_SCHEMA = { .name = "TlsVersion",
					      .size = sizeof(struct external_tls),
					      FIELDS(VERSION),
					      .check = check_tls_version };

static const struct field SAN[] = {
	{ .name = "type",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED | F_OWN_CHECK,
	  .values = NAME_TYPES,
	  .fallback = "Exact",
	  .doc = "Exact or Prefix." },
	{ .name = "value",
	  .type = FIELD_TEXT,
	  STORED(expected_name, value),
	  .flags = F_REQUIRED,
	  .doc = "The name, or its beginning.",
	  .example = "db.example.com" },
};

static void finish_name(struct decode *dec, const struct tree *tree, void *made)
{
	struct expected_name *name = made;
	const struct tree *type = tree_get(tree, "type");

	(void)dec;
	name->prefix = type != NULL && type->type == TREE_TEXT &&
		       strcmp(type->text, "Prefix") == 0;
}

static const struct schema SAN_SCHEMA = { .name = "SubjectAltName",
					  .size = sizeof(struct expected_name),
					  FIELDS(SAN),
					  .finish = finish_name,
					  .check = check_tls_name };

static const struct field VERIFICATION[] = {
	{ .name = "mode",
	  .type = FIELD_ENUM,
	  STORED(external_tls, verify),
	  .flags = F_OWN_CHECK,
	  .values = MODES,
	  .fallback = "Secured",
	  .doc = "Secured; SkipSAN: any name; SkipCA: any chain; SkipAll: neither is "
		 "checked." },
	{ .name = "serverName",
	  .type = FIELD_TEXT,
	  STORED(external_tls, server_name),
	  .doc = "SNI, and a name to expect; the first endpoint's name when absent.",
	  .example = "db.example.com" },
	{ .name = "subjectAltNames",
	  .type = FIELD_LIST,
	  .sub = &SAN_SCHEMA,
	  STORED(external_tls, names),
	  .doc = "Further names; any of them is enough." },
	{ .name = "caCert",
	  .type = FIELD_OBJECT,
	  .sub = &SOURCE_SCHEMA,
	  STORED(external_tls, ca),
	  .doc = "Whom to trust; the roots of the system when absent." },
	{ .name = "clientCert",
	  .type = FIELD_OBJECT,
	  .sub = &SOURCE_SCHEMA,
	  STORED(external_tls, cert),
	  .doc = "Certificate to show; with clientKey." },
	{ .name = "clientKey",
	  .type = FIELD_OBJECT,
	  .sub = &SOURCE_SCHEMA,
	  STORED(external_tls, key),
	  .doc = "Key of it." },
};
static const struct schema VERIFICATION_SCHEMA = { .name = "TlsVerification",
						   .size = sizeof(struct external_tls),
						   FIELDS(VERIFICATION),
						   .check = check_tls_verification };

static const struct field TLS[] = {
	{ .name = "enabled",
	  .type = FIELD_BOOL,
	  STORED(external_tls, enabled),
	  .fallback = "false",
	  .doc = "True: the proxy, or the egress, starts TLS." },
	{ .name = "version",
	  .type = FIELD_OBJECT,
	  .sub = &VERSION_SCHEMA,
	  .doc = "Versions of TLS." },
	{ .name = "allowRenegotiation",
	  .type = FIELD_BOOL,
	  STORED(external_tls, renegotiation),
	  .fallback = "false",
	  .doc = "True: the server may renegotiate." },
	{ .name = "verification",
	  .type = FIELD_OBJECT,
	  .sub = &VERIFICATION_SCHEMA,
	  .doc = "What is checked of the server, and shown to it." },
};
static const struct schema TLS_SCHEMA = { .name = "ExternalTls",
					  .size = sizeof(struct external_tls),
					  FIELDS(TLS) };

static const struct field MESH_EXTERNAL[] = {
	{ .name = "match",
	  .type = FIELD_OBJECT,
	  .sub = &MATCH_SCHEMA,
	  .flags = F_REQUIRED,
	  .doc = "What clients say." },
	{ .name = "endpoints",
	  .type = FIELD_LIST,
	  .sub = &ENDPOINT_SCHEMA,
	  STORED(mesh_external_spec, endpoints),
	  .doc = "Where it is." },
	{ .name = "tls",
	  .type = FIELD_OBJECT,
	  .sub = &TLS_SCHEMA,
	  STORED(mesh_external_spec, tls),
	  .doc = "TLS towards the endpoints." },
	{ .name = "extension", .type = FIELD_REFUSED, .doc = "Refused unless empty." },
};

const struct schema SCHEMA_MESH_EXTERNAL_SERVICE = { .name = "MeshExternalService",
						     .size = sizeof(
							     struct mesh_external_spec),
						     FIELDS(MESH_EXTERNAL),
						     .check = check_mesh_external };

/* ---- ExternalService ---- */
static const struct field OLD_TLS[] = {
	{ .name = "enabled",
	  .type = FIELD_BOOL,
	  STORED(external_tls, enabled),
	  .fallback = "false",
	  .doc = "True: the proxy, or the egress, starts TLS." },
	{ .name = "caCert",
	  .type = FIELD_OBJECT,
	  .sub = &SOURCE_SCHEMA,
	  STORED(external_tls, ca),
	  .doc = "Whom to trust; the roots of the system when absent." },
	{ .name = "clientCert",
	  .type = FIELD_OBJECT,
	  .sub = &SOURCE_SCHEMA,
	  STORED(external_tls, cert),
	  .doc = "Certificate to show; with clientKey." },
	{ .name = "clientKey",
	  .type = FIELD_OBJECT,
	  .sub = &SOURCE_SCHEMA,
	  STORED(external_tls, key),
	  .doc = "Key of it." },
	{ .name = "serverName",
	  .type = FIELD_TEXT,
	  STORED(external_tls, server_name),
	  .doc = "SNI, and the name to expect; the host, if a DNS name, when absent.",
	  .example = "api.example.com" },
	{ .name = "skipHostnameVerification",
	  .type = FIELD_BOOL,
	  .flags = F_UNSTORED,
	  .fallback = "false",
	  .doc = "True: any name will do, of a certificate that caCert signed." },
	{ .name = "allowRenegotiation",
	  .type = FIELD_BOOL,
	  STORED(external_tls, renegotiation),
	  .fallback = "false",
	  .doc = "True: the server may renegotiate." },
};

static void finish_old_tls(struct decode *dec, const struct tree *tree, void *made)
{
	struct external_tls *tls = made;
	const struct tree *skip = tree_get(tree, "skipHostnameVerification");

	(void)dec;
	if (skip != NULL && skip->type == TREE_BOOL && skip->boolean)
		tls->verify = VERIFY_SKIP_SAN;
}

static const struct schema OLD_TLS_SCHEMA = { .name = "OldExternalTls",
					      .size = sizeof(struct external_tls),
					      FIELDS(OLD_TLS),
					      .finish = finish_old_tls,
					      .check = check_external_tls };

static const struct field NETWORKING[] = {
	{ .name = "address",
	  .type = FIELD_TEXT,
	  STORED(external_spec, endpoint.address),
	  .flags = F_OWN_CHECK,
	  .doc = "HOST:PORT, where the host is an IP address ([v6]) or a DNS name.",
	  .example = "api.example.com:443" },
	{ .name = "tls",
	  .type = FIELD_OBJECT,
	  .sub = &OLD_TLS_SCHEMA,
	  STORED(external_spec, tls),
	  .doc = "TLS towards the address." },
	{ .name = "disableHostDNSEntry", .type = FIELD_IGNORED, .doc = "No effect." },
};

/* HOST:PORT in two. What is wrong with it is told by the check, of the document. */
static void finish_networking(struct decode *dec, const struct tree *tree, void *made)
{
	struct external_spec *spec = made;
	struct external_host host;

	(void)tree;
	if (external_host_read(spec->endpoint.address, &host) != NULL)
		return;
	spec->endpoint.address = zl_arena_strndup(dec->arena, host.name, host.name_len);
	spec->endpoint.port = host.port;
}

static const struct schema NETWORKING_SCHEMA = { .name = "ExternalNetworking",
						 .size = sizeof(struct external_spec),
						 FIELDS(NETWORKING),
						 .finish = finish_networking,
						 .check = check_external_networking };

static const struct field EXTERNAL[] = {
	{ .name = "tags",
	  .type = FIELD_LABELS,
	  STORED(external_spec, tags),
	  .doc = "Tags of the service; kuma.io/service is the destination's name.",
	  .example = "{kuma.io/service: api, kuma.io/protocol: tcp}" },
	{ .name = "networking",
	  .type = FIELD_OBJECT,
	  .sub = &NETWORKING_SCHEMA,
	  .flags = F_OWN_CHECK,
	  .doc = "Where it is." },
};

const struct schema SCHEMA_EXTERNAL_SERVICE = { .name = "ExternalService",
						.size = sizeof(struct external_spec),
						FIELDS(EXTERNAL),
						.check = check_external };
