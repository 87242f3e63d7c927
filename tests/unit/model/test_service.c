/* The rows of kinds-spec 6 (MeshService) and 7 (MeshMultiZoneService), and what their
 * specs hold. */
#include "doc.h"

#define MS(spec) "{type: MeshService, name: db, spec: " spec "}"
#define BY "selector: {dataplaneTags: {kuma.io/service: db}}, "
#define PORTS(list) MS("{" BY "ports: " list "}")
#define MULTI(spec) "{type: MeshMultiZoneService, name: all, spec: " spec "}"
#define MATCH "selector: {meshService: {matchLabels: {app: db}}}, "
#define MULTI_PORTS(list) MULTI("{" MATCH "ports: " list "}")
#define MATCH_AT "spec.selector.meshService.matchLabels"
#define DNS_1035                                                                        \
	"name: a DNS-1035 label must consist of lower case alphanumeric characters or " \
	"'-', start with an alphabetic character, and end with an alphanumeric "        \
	"character"
#define NO_SELECTOR \
	"spec.selector: without dataplaneTags or dataplaneRef no inbound serves it"
#define NO_PORTS "spec.ports: without ports there is nothing that a client can name"
#define PROTOCOLS "appProtocol must be one of: grpc, http, http2, kafka, mysql, tcp, tls"

/* clang-format off */
static const struct doc_case SERVICES[] = {
	{ PORTS("[{port: 5432, targetPort: main, name: sql, appProtocol: tcp}]"), NULL, NULL },
	{ PORTS("[{port: 80, targetPort: 8080}, {port: 81, appProtocol: mysql}, {port: 65535, appProtocol: tls}]"), NULL, NULL },
	{ MS("{selector: {dataplaneRef: {name: web-01}}, ports: [{port: 1}], state: Available, identities: [{type: ServiceTag, value: db}, {type: SpiffeID, value: 'spiffe://m/x'}]}"), NULL, NULL },
	{ MS("{selector: {dataplaneTags: {}}, ports: [{port: 1}]}"), NULL, NULL },
	{ MS("{}"), NULL, NO_SELECTOR "\n" NO_PORTS },
	{ MS("{selector: {}, ports: []}"), NULL, NO_SELECTOR "\n" NO_PORTS },
	{ "{type: MeshService, name: db}", "spec: must be defined", NO_SELECTOR "\n" NO_PORTS },
	{ "{apiVersion: kuma.io/v1alpha1, kind: MeshService, metadata: {name: db, namespace: demo, labels: {kuma.io/mesh: default}}, spec: {" BY "ports: [{port: 5432}]}, status: {vips: [{ip: 241.0.0.1}]}}", NULL, NULL },
	{ "{type: MeshService, name: db, spec: {" BY "ports: [{port: 1}]}, status: {vips: [{ip: 241.0.0.1}], tls: {status: Ready}}}", NULL, NULL },
	{ PORTS("[{}]"), "spec.ports[0].port: must be defined", NULL },
	{ PORTS("[{port: 0}]"), "spec.ports[0].port: must be in inclusive range [1, 65535]", NULL },
	{ PORTS("[{port: 65536}]"), "spec.ports[0].port: must be in inclusive range [1, 65535]", NULL },
	{ PORTS("[{port: '80'}]"), "spec.ports[0].port: must be a number, not a text: write it in digits, without quotes", NULL },
	{ PORTS("[{port: 80}, {port: 80}]"), "spec.ports[1].port: already used by spec.ports[0]", NULL },
	{ PORTS("[{port: 80, name: a}, {port: 81, name: b}, {port: 82, name: a}]"), "spec.ports[2].name: already used by spec.ports[0]", NULL },
	{ PORTS("[{port: 80, name: a}, {port: 80, name: a}]"), "spec.ports[1].port: already used by spec.ports[0]\nspec.ports[1].name: already used by spec.ports[0]", NULL },
	{ PORTS("[{port: 80}, {port: 81, name: '80'}]"), "spec.ports[1].name: already used by spec.ports[0]", NULL },
	{ PORTS("[{port: 81, name: '80'}, {port: 80}]"), "spec.ports[1].name: already used by spec.ports[0]", NULL },
	{ PORTS("[{port: 80, name: ''}]"), "spec.ports[0].name: must not be empty", NULL },
	{ PORTS("[{port: 80, targetPort: 0}]"), "spec.ports[0].targetPort: must be in inclusive range [1, 65535]", NULL },
	{ PORTS("[{port: 80, targetPort: 65536}]"), "spec.ports[0].targetPort: must be in inclusive range [1, 65535]", NULL },
	{ PORTS("[{port: 80, targetPort: ''}]"), "spec.ports[0].targetPort: must not be empty", NULL },
	{ PORTS("[{port: 80, targetPort: true}]"), "spec.ports[0].targetPort: must be a whole number or a string, not a boolean", NULL },
	{ PORTS("[{port: 80, targetPort: 1.5}]"), "spec.ports[0].targetPort: must be a whole number or a string, not a number: quote it, \"1.5\"", NULL },
	{ PORTS("[{port: 80, appProtocol: HTTP}]"), "spec.ports[0].appProtocol: " PROTOCOLS, NULL },
	{ PORTS("[{port: 80, protocol: tcp}]"), "spec.ports[0].protocol: unknown field", NULL },
	{ MS("{selector: {dataplaneTags: {a: b}, dataplaneRef: {name: x}}, ports: [{port: 1}]}"), "spec.selector: selector must have only one type defined: dataplaneTags, dataplaneRef", NULL },
	{ MS("{selector: {dataplaneRef: {}}, ports: [{port: 1}]}"), "spec.selector.dataplaneRef.name: must be defined", NULL },
	{ MS("{selector: {dataplaneRef: {name: ''}}, ports: [{port: 1}]}"), "spec.selector.dataplaneRef.name: must not be empty", NULL },
	{ MS("{" BY "ports: [{port: 1}], state: available}"), "spec.state: value 'available' is not supported", NULL },
	{ MS("{" BY "ports: [{port: 1}], identities: [{type: Tag, value: x}, {type: SpiffeID}]}"),
	  "spec.identities[0].type: value 'Tag' is not supported\nspec.identities[1].value: must be defined", NULL },
	{ "{type: MeshService, name: db.demo, spec: {" BY "ports: [{port: 1}]}}", DNS_1035, NULL },
	{ "{type: MeshService, name: 1db, spec: {" BY "ports: [{port: 1}]}}", DNS_1035, NULL },
	{ "{type: MeshService, name: d123456789012345678901234567890123456789012345678901234567890123, spec: {" BY "ports: [{port: 1}]}}", "name: must not be longer than 63 characters", NULL },
	{ "{type: MeshService, name: '', spec: {" BY "ports: [{port: 1}]}}", "name: cannot be empty", NULL },
	/* of a replica the display name counts */
	{ "{type: MeshService, name: db.demo, labels: {kuma.io/origin: zone, kuma.io/zone: west, kuma.io/display-name: db}, spec: {" BY "ports: [{port: 1}]}}", NULL, NULL },
	{ "{type: MeshService, name: db, labels: {kuma.io/origin: zone, kuma.io/zone: west, kuma.io/display-name: db.demo}, spec: {" BY "ports: [{port: 1}]}}", DNS_1035, NULL },
};

static const struct doc_case MULTIS[] = {
	{ MULTI_PORTS("[{port: 5432, name: sql, appProtocol: tcp}]"), NULL, NULL },
	{ "{apiVersion: kuma.io/v1alpha1, kind: MeshMultiZoneService, metadata: {name: all, namespace: kuma-system}, spec: {" MATCH "ports: [{port: 1}]}}", NULL, NULL },
	{ MULTI("{}"), MATCH_AT ": cannot be empty\nspec.ports: cannot be empty", NULL },
	{ MULTI("{selector: {meshService: {matchLabels: {}}}, ports: []}"), MATCH_AT ": cannot be empty\nspec.ports: cannot be empty", NULL },
	{ MULTI("{selector: {meshService: {}}, ports: [{port: 1}]}"), MATCH_AT ": cannot be empty", NULL },
	{ MULTI("{selector: {meshService: [a]}, ports: 1}"), "spec.selector.meshService: must be an object, not a list\nspec.ports: must be a list, not a number", NULL },
	{ MULTI_PORTS("[{port: 0}, {}]"), "spec.ports[0].port: must be in inclusive range [1, 65535]\nspec.ports[1].port: must be defined", NULL },
	{ MULTI_PORTS("[{port: 80, name: ''}]"), "spec.ports[0].name: must not be empty", NULL },
	{ MULTI_PORTS("[{port: 80, appProtocol: udp}]"), "spec.ports[0].appProtocol: " PROTOCOLS, NULL },
	{ MULTI_PORTS("[{port: 80}, {port: 80, name: a}]"), "spec.ports[1].port: already used by spec.ports[0]", NULL },
	{ MULTI_PORTS("[{port: 80, targetPort: 81}]"), "spec.ports[0].targetPort: unknown field", NULL },
	{ "{type: MeshMultiZoneService, name: a.b, spec: {" MATCH "ports: [{port: 1}]}}", DNS_1035, NULL },
};
/* clang-format on */

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(SERVICES, ARRAY_LEN(SERVICES));
	doc_cases(MULTIS, ARRAY_LEN(MULTIS));
}

static void service_has_values_and_defaults(void **state)
{
	struct doc doc = doc_of(MS("{}"));
	const struct mesh_service_spec *spec = doc.res->mesh_service;

	(void)state;
	assert_false(spec->by_tags);
	assert_string_equal(spec->dataplane, "");
	assert_int_equal(spec->port_count, 0);
	assert_false(spec->available);
	assert_int_equal(spec->identity_count, 0);
	doc_free(&doc);

	doc = doc_of(
		MS("{selector: {dataplaneTags: {a: b}}, state: Available, identities: "
		   "[{type: ServiceTag, value: db}, {type: SpiffeID, value: s}], "
		   "ports: [{port: 80}, {port: 81, targetPort: 8081, name: x, "
		   "appProtocol: http}, {port: 82, targetPort: '9'}]}"));
	spec = doc.res->mesh_service;
	assert_true(spec->by_tags);
	assert_string_equal(labels_get(spec->tags, "a"), "b");
	assert_true(spec->available);
	assert_int_equal(spec->identity_count, 2);
	assert_false(spec->identities[0].spiffe);
	assert_true(spec->identities[1].spiffe);
	assert_string_equal(spec->identities[1].value, "s");
	assert_int_equal(spec->port_count, 3);
	assert_int_equal(spec->ports[0].target, 80); /* K7 */
	assert_string_equal(spec->ports[0].target_name, "");
	assert_string_equal(spec->ports[0].name, "");
	assert_string_equal(spec->ports[0].protocol, "tcp");
	assert_int_equal(spec->ports[1].target, 8081);
	assert_string_equal(spec->ports[1].name, "x");
	assert_string_equal(spec->ports[1].protocol, "http");
	assert_int_equal(spec->ports[2].target, 0);
	assert_string_equal(spec->ports[2].target_name, "9");
	doc_free(&doc);

	doc = doc_of(MS("{selector: {dataplaneRef: {name: web}}}"));
	assert_false(doc.res->mesh_service->by_tags);
	assert_string_equal(doc.res->mesh_service->dataplane, "web");
	doc_free(&doc);
}

static void multi_zone_has_values_and_defaults(void **state)
{
	struct doc doc = doc_of(MULTI_PORTS("[{port: 5432}]"));
	const struct multi_zone_spec *spec = doc.res->multi_zone;

	(void)state;
	assert_string_equal(labels_get(spec->match, "app"), "db");
	assert_int_equal(spec->port_count, 1);
	assert_int_equal(spec->ports[0].port, 5432);
	assert_string_equal(spec->ports[0].protocol, "tcp");
	assert_string_equal(spec->ports[0].name, "");
	assert_string_equal(doc.res->key.zone, "");
	doc_free(&doc);
}

/* Who may write what, and whose it then is (kinds-spec 0.1). */
static void places_and_origins(void **state)
{
	static const struct resource_rules EAST = { .writer = WRITER_ZONE,
						    .zone = "east" };
	static const struct resource_rules ALONE = { .writer = WRITER_ZONE,
						     .zone = "east",
						     .alone = true };
	static const struct resource_rules GLOBAL = { .writer = WRITER_GLOBAL,
						      .zone = "" };
	struct doc doc = doc_by(PORTS("[{port: 1}]"), EAST);

	(void)state;
	assert_non_null(doc.res);
	assert_string_equal(doc.res->key.zone, "east");
	assert_int_equal(doc.res->origin, ORIGIN_ZONE);
	assert_string_equal(
		doc.res->json,
		"{\"labels\":{\"kuma.io/display-name\":\"db\",\"kuma.io/"
		"origin\":\"zone\",\"kuma.io/zone\":\"east\"},\"mesh\":"
		"\"default\",\"name\":\"db\",\"spec\":{\"ports\":[{\"port\":1}"
		"],\"selector\":{\"dataplaneTags\":{\"kuma.io/service\":"
		"\"db\"}}},\"type\":\"MeshService\"}");
	doc_free(&doc);
	doc = doc_by(PORTS("[{port: 1}]"), GLOBAL);
	assert_string_equal(doc_violations(&doc),
			    "type: kind MeshService is written in a zone");
	doc_free(&doc);
	doc = doc_by(MULTI_PORTS("[{port: 1}]"), EAST);
	assert_string_equal(doc_violations(&doc),
			    "type: kind MeshMultiZoneService is written at global");
	doc_free(&doc);
	doc = doc_by(MULTI_PORTS("[{port: 1}]"), ALONE);
	assert_non_null(doc.res);
	assert_string_equal(doc.res->key.zone, "");
	doc_free(&doc);
	doc = doc_by(MULTI_PORTS("[{port: 1}]"), GLOBAL);
	assert_non_null(doc.res);
	assert_int_equal(doc.res->origin, ORIGIN_GLOBAL);
	doc_free(&doc);
	doc = doc_by("{type: MeshService, name: db.demo, labels: {kuma.io/display-name: "
		     "db}, spec: {" BY "ports: [{port: 1}]}}",
		     EAST);
	assert_string_equal(doc_violations(&doc), DNS_1035);
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(service_has_values_and_defaults),
		cmocka_unit_test(multi_zone_has_values_and_defaults),
		cmocka_unit_test(places_and_origins),
	};
	return cmocka_run_group_tests_name("model/service", tests, NULL, NULL);
}
