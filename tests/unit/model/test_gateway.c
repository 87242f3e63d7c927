/* MeshGateway: each row of kinds-spec 13 with its exact field and text. */
#include "doc.h"

#define DOC(fields) "{type: MeshGateway, name: edge, " fields "}"
#define EDGE "selectors: [{match: {kuma.io/service: edge}}]"
#define CONF(conf) DOC(EDGE ", conf: " conf)
#define LISTENERS(list) CONF("{listeners: [" list "]}")
#define TLS(tls) LISTENERS("{port: 443, protocol: TLS, tls: " tls "}")
#define AT "conf.listeners[0]"
#define CERT "{secret: a}"
#define UNUSED(protocol) \
	AT ".protocol: a listener with protocol " protocol " has no effect in Zonelink"
#define CONFLICT ": protocol conflicts with other listeners on this port"
#define TWICE ": multiple listeners for hostname on this port"

/* clang-format off */
static const struct doc_case VALID[] = {
	{ LISTENERS("{port: 9080, protocol: TCP, tags: {port: tcp}}"), NULL, NULL },
	{ LISTENERS("{port: 9080, protocol: TCP, hostname: '*', crossMesh: false, resources: {}}"), NULL, NULL },
	{ TLS("{mode: TERMINATE, certificates: [" CERT ", {inlineString: pem}], options: {}}"), NULL, NULL },
	{ TLS("{mode: PASSTHROUGH}"), NULL, NULL },
	{ LISTENERS("{port: 443, protocol: TLS, hostname: a.b, tls: {mode: PASSTHROUGH}}, {port: 443, protocol: TLS, hostname: '*.b', tls: {mode: PASSTHROUGH}}, {port: 443, protocol: TLS, tls: {mode: PASSTHROUGH}}"), NULL, NULL },
	{ LISTENERS("{port: 80, protocol: HTTP, hostname: a.b}"), NULL, UNUSED("HTTP") },
	{ LISTENERS("{port: 443, protocol: HTTPS, tls: {mode: TERMINATE, certificates: [" CERT "]}}"), NULL, UNUSED("HTTPS") },
	{ "{apiVersion: kuma.io/v1alpha1, kind: MeshGateway, mesh: default, metadata: {name: edge}, spec: {selectors: [{match: {kuma.io/service: edge}}], conf: {listeners: [{port: 9080, protocol: TCP}]}}}", NULL, NULL },
};

static const struct doc_case ROWS[] = {
	{ "{type: MeshGateway, name: edge}", "selectors: must have at least one element\nconf: cannot be empty", NULL },
	{ DOC("selectors: [{}], conf: {listeners: [{port: 1, protocol: TCP}]}"), "selectors[0].match: must have at least one tag\nselectors[0].match: mandatory tag \"kuma.io/service\" is missing", NULL },
	{ DOC(EDGE ", tags: {kuma.io/service: a, kuma.io/zone: b, kuma.io/protocol: tcp, kuma.io/external-service-name: c, x: y}, conf: {listeners: [{port: 1, protocol: TCP}]}"),
	  "tags[\"kuma.io/external-service-name\"]: tag name must not be \"kuma.io/external-service-name\"\n"
	  "tags[\"kuma.io/protocol\"]: tag name must not be \"kuma.io/protocol\"\n"
	  "tags[\"kuma.io/service\"]: tag name must not be \"kuma.io/service\"\n"
	  "tags[\"kuma.io/zone\"]: tag name must not be \"kuma.io/zone\"", NULL },
	{ LISTENERS("{port: 1, protocol: TCP, tags: {kuma.io/zone: b, e: ''}}"), AT ".tags[\"e\"]: tag value must be non-empty\n" AT ".tags[\"kuma.io/zone\"]: tag name must not be \"kuma.io/zone\"", NULL },
	{ CONF("{}"), "conf.listeners: cannot be empty", NULL },
	{ CONF("{listeners: []}"), "conf.listeners: cannot be empty", NULL },
	/* one listener */
	{ LISTENERS("{port: 1}"), AT ".protocol: cannot be empty", NULL },
	{ LISTENERS("{port: 1, protocol: UDP}"), AT ".protocol: value 'UDP' is not supported", NULL },
	{ LISTENERS("{protocol: TCP}"), AT ".port: must be defined", NULL },
	{ LISTENERS("{port: 0, protocol: TCP}"), AT ".port: port must be in the range [1, 65535]", NULL },
	{ LISTENERS("{port: 65536, protocol: TCP}"), AT ".port: port must be in the range [1, 65535]", NULL },
	{ LISTENERS("{port: 1, protocol: TCP, hostname: a.b}"), AT ".hostname: must not be set with protocol TCP", NULL },
	{ LISTENERS("{port: 1, protocol: TLS, hostname: A.b, tls: {mode: PASSTHROUGH}}"), AT ".hostname: invalid hostname", NULL },
	{ LISTENERS("{port: 1, protocol: TLS, hostname: '*.*.b', tls: {mode: PASSTHROUGH}}"), AT ".hostname: invalid wildcard domain", NULL },
	{ LISTENERS("{port: 1, protocol: TLS, hostname: 'a.*', tls: {mode: PASSTHROUGH}}"), AT ".hostname: invalid hostname", NULL },
	/* TLS */
	{ LISTENERS("{port: 1, protocol: TLS}"), AT ".tls: cannot be empty", NULL },
	{ LISTENERS("{port: 1, protocol: HTTPS}"), AT ".tls: cannot be empty", UNUSED("HTTPS") },
	{ LISTENERS("{port: 1, protocol: TCP, tls: {mode: PASSTHROUGH}}"), AT ".tls: must not be set with protocol TCP", NULL },
	{ LISTENERS("{port: 1, protocol: HTTP, tls: {}}"), AT ".tls: must not be set with protocol HTTP", UNUSED("HTTP") },
	{ LISTENERS("{port: 1, protocol: HTTPS, tls: {mode: PASSTHROUGH}}"), AT ".tls.mode: mode is not supported on HTTPS listeners", UNUSED("HTTPS") },
	{ TLS("{}"), AT ".tls.mode: cannot be empty", NULL },
	{ TLS("{mode: NONE}"), AT ".tls.mode: value 'NONE' is not supported", NULL },
	{ TLS("{mode: TERMINATE}"), AT ".tls.certificates: cannot be empty in TLS termination mode", NULL },
	{ TLS("{mode: TERMINATE, certificates: [" CERT ", " CERT ", " CERT "]}"), AT ".tls.certificates: cannot have more than 2 certificates", NULL },
	{ TLS("{mode: TERMINATE, certificates: [{}]}"), AT ".tls.certificates[0]: data source cannot be empty", NULL },
	{ TLS("{mode: TERMINATE, certificates: [{secret: a, inlineString: b}]}"), AT ".tls.certificates[0]: must have only one source", NULL },
	{ TLS("{mode: PASSTHROUGH, certificates: [" CERT "]}"), AT ".tls.certificates: must not be set with mode PASSTHROUGH", NULL },
	/* K1 */
	{ LISTENERS("{port: 1, protocol: TCP, crossMesh: true}"), AT ".crossMesh: crossMesh is not part of Zonelink", NULL },
	{ LISTENERS("{port: 1, protocol: TCP, resources: {connectionLimit: 5}}"), AT ".resources.connectionLimit: connectionLimit is not part of Zonelink", NULL },
	{ TLS("{mode: PASSTHROUGH, options: {a: b}}"), AT ".tls.options: options is not part of Zonelink", NULL },
	/* several on one port */
	{ LISTENERS("{port: 1, protocol: TCP}, {port: 2, protocol: TCP}, {port: 1, protocol: TLS, hostname: a.b, tls: {mode: PASSTHROUGH}}"), AT CONFLICT "\nconf.listeners[2]" CONFLICT, NULL },
	{ LISTENERS("{port: 1, protocol: TCP}, {port: 1, protocol: TCP, hostname: '*'}, {port: 2, protocol: TCP}"), AT TWICE "\nconf.listeners[1]" TWICE, NULL },
};
/* clang-format on */

static void valid_gateways_have_only_their_warnings(void **state)
{
	(void)state;
	doc_cases(VALID, ARRAY_LEN(VALID));
}

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(ROWS, ARRAY_LEN(ROWS));
}

static void long_hostnames_end_at_their_limit(void **state)
{
	char yaml[600];

	(void)state;
	(void)snprintf(yaml, sizeof(yaml),
		       LISTENERS("{port: 1, protocol: TLS, hostname: %0254d, tls: {mode: "
				 "PASSTHROUGH}}"),
		       0);
	/* quoted, or it would be a number */
	struct zl_buf text = { 0 };
	const char *zeros = strstr(yaml, "hostname: ") + strlen("hostname: ");
	zl_buf_format(&text, "%.*s'%.254s'%s", (int)(zeros - yaml), yaml, zeros,
		      zeros + 254);
	struct doc doc = doc_of(zl_buf_text(&text));
	assert_string_equal(doc_violations(&doc),
			    AT ".hostname: must be at most 253 characters");
	doc_free(&doc);
	zl_buf_free(&text);
}

static void spec_has_values_and_defaults(void **state)
{
	struct doc doc = doc_of(DOC(
		EDGE ", tags: {g: x}, conf: {listeners: [{port: 9080, protocol: TCP, "
		     "hostname: ''}, {port: 9443, protocol: TLS, hostname: a.b, tags: "
		     "{h: a}, tls: {mode: TERMINATE, certificates: [{secret: cert-a}, "
		     "{inlineString: pem}]}}, {port: 9444, protocol: TLS, tls: {mode: "
		     "PASSTHROUGH}}]}"));
	const struct mesh_gateway_spec *spec = doc.res->gateway;

	(void)state;
	assert_int_equal(spec->selector_count, 1);
	assert_string_equal(labels_get(spec->selectors[0].match, "kuma.io/service"),
			    "edge");
	assert_string_equal(labels_get(spec->tags, "g"), "x");
	assert_int_equal(spec->listener_count, 3);
	assert_string_equal(spec->listeners[0].hostname, "*");
	assert_int_equal(spec->listeners[0].protocol, GATEWAY_TCP);
	assert_int_equal(spec->listeners[0].tls, GATEWAY_TLS_NONE);
	const struct gateway_listener *tls = &spec->listeners[1];
	assert_int_equal(tls->port, 9443);
	assert_int_equal(tls->protocol, GATEWAY_TLS);
	assert_int_equal(tls->tls, GATEWAY_TLS_TERMINATE);
	assert_int_equal(tls->cert_count, 2);
	assert_string_equal(tls->certs[0].secret, "cert-a");
	assert_string_equal(tls->certs[1].text, "pem");
	assert_string_equal(labels_get(tls->tags, "h"), "a");
	assert_int_equal(spec->listeners[2].tls, GATEWAY_TLS_PASSTHROUGH);
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_gateways_have_only_their_warnings),
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(long_hostnames_end_at_their_limit),
		cmocka_unit_test(spec_has_values_and_defaults),
	};
	return cmocka_run_group_tests_name("model/gateway", tests, NULL, NULL);
}
