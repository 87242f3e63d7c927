/* The rows of kinds-spec 8 (MeshExternalService) and 9 (ExternalService), certificates
 * and keys in documents (0.3), and what their specs hold. */
#include "doc.h"

#define EXT(spec) "{type: MeshExternalService, name: ext, spec: " spec "}"
#define AT "endpoints: [{address: db.example.com, port: 443}]"
#define MATCH(fields) EXT("{match: {" fields "}, " AT "}")
#define ENDS(list) EXT("{match: {port: 1}, endpoints: " list "}")
#define TLS(fields) EXT("{match: {port: 1}, " AT ", tls: {enabled: true, " fields "}}")
#define VERIFY(fields) TLS("verification: {" fields "}")
#define VERSION(fields) TLS("version: {" fields "}")
#define V "spec.tls.verification"
#define OLD(fields) "{type: ExternalService, name: old, " fields "}"
#define TAGGED "tags: {kuma.io/service: old, kuma.io/protocol: tcp}, "
#define HOST(address) OLD(TAGGED "networking: {address: " address "}")
#define OLD_TLS(fields) \
	OLD(TAGGED "networking: {address: 'a.b:1', tls: {enabled: true, " fields "}}")
#define ONE_OF(field)                                                                \
	"\"" field "\" must be one of [\"TLSAuto\", \"TLS10\", \"TLS11\", \"TLS12\"" \
	", \"TLS13\"]"
#define KEY_WARNING                                                             \
	"clientKey: a key in the document can be read by all who may read the " \
	"document: name a Secret instead"
#define ANYBODY " takes the certificate of anybody: what answers may be something else"

/* clang-format off */
static const struct doc_case OBJECTS[] = {
	{ MATCH("type: HostnameGenerator, port: 9090, protocol: grpc"), NULL, NULL },
	{ MATCH("port: 65535"), NULL, NULL },
	{ ENDS("[{address: 10.0.0.1, port: 1}, {address: '::1', port: 2}, {address: a, port: 3}]"), NULL, NULL },
	{ EXT("{match: {port: 1}}"), NULL, "spec.endpoints: without endpoints every connection will be closed" },
	{ ENDS("[]"), NULL, "spec.endpoints: without endpoints every connection will be closed" },
	{ VERSION("min: TLS12, max: TLS12"), NULL, NULL },
	{ VERIFY("serverName: db.example.com, subjectAltNames: [{value: x}, {type: Prefix, value: 'spiffe://'}], caCert: {secret: ca}, clientCert: {secret: c}, clientKey: {secret: k}"), NULL, NULL },
	{ EXT("{match: {port: 1}, " AT ", extension: {}}"), NULL, NULL },
	{ "{apiVersion: kuma.io/v1alpha1, kind: MeshExternalService, metadata: {name: ext, namespace: kuma-system}, spec: {match: {port: 1}, " AT "}}", NULL, NULL },
	{ EXT("{}"), "spec.match: must be defined", "spec.endpoints: without endpoints every connection will be closed" },
	{ MATCH("type: Hostname, port: 1"), "spec.match.type: unrecognized type 'Hostname' - only 'HostnameGenerator' is supported", NULL },
	{ MATCH("protocol: tcp"), "spec.match.port: must be defined", NULL },
	{ MATCH("port: 0"), "spec.match.port: port must be a valid (1-65535)", NULL },
	{ MATCH("port: 65536"), "spec.match.port: port must be a valid (1-65535)", NULL },
	{ MATCH("port: 1, protocol: tls"), "spec.match.protocol: \"protocol\" must be one of [\"tcp\", \"grpc\", \"http\", \"http2\"]", NULL },
	{ ENDS("[{address: 'a b', port: 0}, {}]"),
	  "spec.endpoints[0].address: address has to be a valid IP or hostname\nspec.endpoints[0].port: port must be a valid (1-65535)\n"
	  "spec.endpoints[1].address: must be defined\nspec.endpoints[1].port: must be defined", NULL },
	{ ENDS("[{address: '', port: 1}]"), "spec.endpoints[0].address: address has to be a valid IP or hostname", NULL },
	{ VERIFY("mode: Skip"), V ".mode: \"mode\" must be one of [\"SkipSAN\", \"SkipCA\", \"SkipAll\", \"Secured\"]", NULL },
	{ VERIFY("mode: SkipCA"), NULL, V ".mode: SkipCA" ANYBODY },
	{ VERIFY("mode: SkipAll"), NULL, V ".mode: SkipAll" ANYBODY },
	{ VERIFY("subjectAltNames: [{type: Suffix, value: x}, {}]"), V ".subjectAltNames[0].type: \"type\" must be one of [\"Prefix\", \"Exact\"]\n" V ".subjectAltNames[1].value: must be defined", NULL },
	{ VERIFY("subjectAltNames: [{type: Prefix, value: ''}]"), V ".subjectAltNames[0].value: must not be empty", NULL },
	{ VERIFY("serverName: 'A b'"), V ".serverName: must be a valid DNS name", NULL },
	{ VERIFY("serverName: ''"), V ".serverName: must be a valid DNS name", NULL },
	{ VERIFY("clientCert: {secret: c}"), V ".clientKey: must be defined when clientCert is defined", NULL },
	{ VERIFY("clientKey: {secret: c}"), V ".clientCert: must be defined when clientKey is defined", NULL },
	{ VERSION("min: TLS9"), "spec.tls.version.min: " ONE_OF("min"), NULL },
	{ VERSION("min: TLS13, max: 'TLS1.2'"), "spec.tls.version.max: " ONE_OF("max"), NULL },
	{ VERSION("min: TLS13, max: TLS12"), "spec.tls.version.min: min version must be lower than max", NULL },
	{ VERSION("max: TLS11"), "spec.tls.version.min: min version must be lower than max", NULL },
	{ EXT("{match: {port: 1}, " AT ", extension: {type: x}}"), "spec.extension: extension is not part of Zonelink", NULL },
	/* certificates and keys */
	{ VERIFY("caCert: {inlineString: PEM}"), NULL, NULL },
	{ VERIFY("caCert: {inline: aGk=}"), NULL, NULL },
	{ VERIFY("caCert: {}"), V ".caCert: data source cannot be empty", NULL },
	{ VERIFY("caCert: {secret: ''}"), V ".caCert: data source cannot be empty", NULL },
	{ VERIFY("caCert: {secret: a, inlineString: b}"), V ".caCert: must have only one source", NULL },
	{ VERIFY("caCert: {file: /x}"), V ".caCert.file: file is not part of Zonelink", NULL },
	{ VERIFY("caCert: {inline: '%'}"), V ".caCert.inline: must be a text in base64", NULL },
	{ VERIFY("caCert: {inline: AAAA}"), V ".caCert.inline: must be a text in base64", NULL },
	{ VERIFY("clientCert: {secret: c}, clientKey: {inlineString: k}"), NULL, V "." KEY_WARNING },
};

static const struct doc_case LEGACY[] = {
	{ HOST("'api.example.com:443'"), NULL, NULL },
	{ HOST("'10.9.0.2:1'"), NULL, NULL },
	{ HOST("'[fd00::1]:65535'"), NULL, NULL },
	{ OLD(TAGGED "networking: {address: 'a:1', disableHostDNSEntry: true}"), NULL, "networking.disableHostDNSEntry: disableHostDNSEntry has no effect in Zonelink" },
	{ OLD_TLS("caCert: {secret: ca}, clientCert: {secret: c}, clientKey: {secret: k}, serverName: x, skipHostnameVerification: true, allowRenegotiation: true"), NULL, NULL },
	{ "{apiVersion: kuma.io/v1alpha1, kind: ExternalService, mesh: default, metadata: {name: e}, spec: {tags: {kuma.io/service: e}, networking: {address: 'a:0'}}}",
	  "spec.networking.address: port must be in the range [1, 65535]", NULL },
	{ OLD("tags: {kuma.io/service: a}"), "networking: should have networking", NULL },
	{ OLD(TAGGED "networking: {}"), "networking.address: address can't be empty", NULL },
	{ HOST("''"), "networking.address: address can't be empty", NULL },
	{ HOST("example.com"), "networking.address: unable to parse address", NULL },
	{ HOST("'::1:80'"), "networking.address: unable to parse address", NULL },
	{ HOST("'[::1'"), "networking.address: unable to parse address", NULL },
	{ HOST("'[::1]80'"), "networking.address: unable to parse address", NULL },
	{ HOST("':80'"), "networking.address: address has to be a valid IP address or a domain name", NULL },
	{ HOST("'a_b:80'"), "networking.address: address has to be a valid IP address or a domain name", NULL },
	{ HOST("'a:http'"), "networking.address: unable to parse port in address", NULL },
	{ HOST("'a:'"), "networking.address: unable to parse port in address", NULL },
	{ HOST("'a:65536'"), "networking.address: port must be in the range [1, 65535]", NULL },
	{ HOST("'a:99999999999999999999'"), "networking.address: port must be in the range [1, 65535]", NULL },
	{ HOST("80"), "networking.address: must be a string, not a number: quote it, \"80\"", NULL },
	{ OLD_TLS("serverName: ''"), "networking.tls.serverName: cannot be empty", NULL },
	{ OLD_TLS("caCert: {}"), "networking.tls.caCert: data source cannot be empty", NULL },
	{ OLD_TLS("clientCert: {secret: c}"), "networking.tls.clientKey: must be defined when clientCert is defined", NULL },
	{ OLD("networking: {address: 'a:1'}"), "tags: mandatory tag \"kuma.io/service\" is missing", NULL },
	{ OLD("tags: {kuma.io/service: s, kuma.io/protocol: x, v: ''}, networking: {address: 'a:1'}"),
	  "tags[\"v\"]: tag value must be non-empty\ntags[\"kuma.io/protocol\"]: tag \"kuma.io/protocol\" has an invalid value \"x\". Allowed values: grpc, http, http2, kafka, tcp", NULL },
	{ OLD("tags: {kuma.io/service: 'a:1'}, networking: {address: 'a:1'}"), "tags[\"kuma.io/service\"]: cannot be the same as networking.address", NULL },
};
/* clang-format on */

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(OBJECTS, ARRAY_LEN(OBJECTS));
	doc_cases(LEGACY, ARRAY_LEN(LEGACY));
}

static void object_has_values_and_defaults(void **state)
{
	struct doc doc = doc_of(MATCH("port: 9090"));
	const struct mesh_external_spec *spec = doc.res->mesh_external;

	(void)state;
	assert_int_equal(spec->port, 9090);
	assert_string_equal(spec->protocol, "tcp");
	assert_int_equal(spec->endpoint_count, 1);
	assert_string_equal(spec->endpoints[0].address, "db.example.com");
	assert_int_equal(spec->endpoints[0].port, 443);
	assert_false(spec->tls.enabled);
	assert_int_equal(spec->tls.min, TLS_AUTO);
	assert_int_equal(spec->tls.verify, VERIFY_SECURED);
	assert_string_equal(spec->tls.server_name, "");
	assert_string_equal(spec->tls.ca.secret, "");
	assert_string_equal(spec->tls.ca.text, "");
	doc_free(&doc);

	doc = doc_of(
		TLS("allowRenegotiation: true, version: {min: TLS11, max: TLS13}, "
		    "verification: {mode: SkipSAN, serverName: s, subjectAltNames: "
		    "[{value: a}, {type: Prefix, value: b}], caCert: {inline: aGk=}, "
		    "clientCert: {inlineString: c}, clientKey: {secret: k}}"));
	const struct external_tls *tls = &doc.res->mesh_external->tls;
	assert_true(tls->enabled);
	assert_true(tls->renegotiation);
	assert_int_equal(tls->min, TLS_11);
	assert_int_equal(tls->max, TLS_13);
	assert_int_equal(tls->verify, VERIFY_SKIP_SAN);
	assert_string_equal(tls->server_name, "s");
	assert_int_equal(tls->name_count, 2);
	assert_false(tls->names[0].prefix);
	assert_true(tls->names[1].prefix);
	assert_string_equal(tls->names[1].value, "b");
	assert_string_equal(tls->ca.text, "hi");
	assert_string_equal(tls->cert.text, "c");
	assert_string_equal(tls->key.secret, "k");
	assert_string_equal(tls->key.text, "");
	doc_free(&doc);
}

static void legacy_has_values_and_defaults(void **state)
{
	struct doc doc = doc_of(HOST("'[fd00::1]:443'"));
	const struct external_spec *spec = doc.res->external;

	(void)state;
	assert_string_equal(spec->endpoint.address, "fd00::1");
	assert_int_equal(spec->endpoint.port, 443);
	assert_string_equal(labels_get(spec->tags, TAG_SERVICE), "old");
	assert_false(spec->tls.enabled);
	assert_int_equal(spec->tls.verify, VERIFY_SECURED);
	doc_free(&doc);
	doc = doc_of(OLD_TLS("skipHostnameVerification: true, serverName: s"));
	assert_string_equal(doc.res->external->endpoint.address, "a.b");
	assert_true(doc.res->external->tls.enabled);
	assert_int_equal(doc.res->external->tls.verify, VERIFY_SKIP_SAN);
	assert_string_equal(doc.res->external->tls.server_name, "s");
	doc_free(&doc);
}

/* A zone's is reached by its zone; global's may name one by a label. */
static void whose_it_is(void **state)
{
	static const struct resource_rules EAST = { .writer = WRITER_ZONE,
						    .zone = "east" };
	static const struct resource_rules GLOBAL = { .writer = WRITER_GLOBAL,
						      .zone = "" };
	struct doc doc = doc_by(MATCH("port: 1"), EAST);

	(void)state;
	assert_string_equal(doc.res->key.zone, "east");
	doc_free(&doc);
	doc = doc_by("{type: MeshExternalService, name: e, labels: {kuma.io/zone: east}, "
		     "spec: {match: {port: 1}, " AT "}}",
		     GLOBAL);
	assert_string_equal(doc.res->key.zone, "");
	assert_string_equal(labels_get(doc.res->labels, LABEL_ZONE), "east");
	doc_free(&doc);
	doc = doc_by(HOST("'a:1'"), EAST);
	assert_string_equal(doc_violations(&doc),
			    "type: kind ExternalService is written at global");
	doc_free(&doc);
}

/* A name that Envoy does not take would cost the cluster. */
static void names_of_servers_end_at_their_limit(void **state)
{
	static const char *const TEXTS[] = {
		"", "networking.tls.serverName: must not be longer than 255 bytes"
	};
	char text[600];

	(void)state;
	for (int more = 0; more < (int)ARRAY_LEN(TEXTS); more++) {
		(void)snprintf(text, sizeof(text), OLD_TLS("serverName: n%0*d"),
			       254 + more, 0);
		struct doc doc = doc_of(text);
		assert_string_equal(doc_violations(&doc), TEXTS[more]);
		doc_free(&doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(object_has_values_and_defaults),
		cmocka_unit_test(legacy_has_values_and_defaults),
		cmocka_unit_test(whose_it_is),
		cmocka_unit_test(names_of_servers_end_at_their_limit),
	};
	return cmocka_run_group_tests_name("model/external", tests, NULL, NULL);
}
