/* The rows of kinds-spec 2 (Dataplane), and what its spec holds. */
#include "doc.h"

#define DP(fields) \
	"{type: Dataplane, name: d, networking: {address: 10.0.0.1, " fields "}}"
#define IN(fields) DP("inbound: [{port: 80, tags: {kuma.io/service: s}, " fields "}]")
#define OUT(fields) DP("outbound: [{port: 80, " fields "}]")
#define IN_AT "networking.inbound[0]"
#define OUT_AT "networking.outbound[0]"

/* clang-format off */
static const struct doc_case CASES[] = {
	{ DP("inbound: []"), NULL, NULL },
	{ IN("servicePort: 81, serviceAddress: 10.0.0.1"), NULL, NULL },
	{ "{type: Dataplane, name: d, networking: {address: web.example.org, advertisedAddress: '2001:db8::1'}}", NULL, NULL },
	{ DP("gateway: {tags: {kuma.io/service: e, kuma.io/protocol: tcp}}, outbound: [{port: 1, tags: {kuma.io/service: b}}]"), NULL, NULL },
	{ DP("gateway: {type: BUILTIN, tags: {kuma.io/service: e}}"), NULL, NULL },
	{ OUT("backendRef: {kind: MeshExternalService, name: e}"), NULL, NULL },
	{ "{type: Dataplane, name: d, probes: {port: 1}, networking: {address: a}}", NULL, "probes: probes has no effect in Zonelink" },
	/* addresses and ports */
	{ "{type: Dataplane, name: d}", "networking: must be defined", NULL },
	{ "{type: Dataplane, name: d, spec: {}}", "spec.networking: must be defined", NULL },
	{ "{type: Dataplane, name: d, networking: {}}", "networking.address: address can't be empty", NULL },
	{ "{type: Dataplane, name: d, networking: {address: 0.0.0.0, advertisedAddress: '::'}}", "networking.address: must not be 0.0.0.0 or ::\nnetworking.advertisedAddress: must not be 0.0.0.0 or ::", NULL },
	{ "{type: Dataplane, name: d, networking: {address: a_b}}", "networking.address: address has to be valid IP address or domain name", NULL },
	{ "{type: Dataplane, name: d, spec: {networking: {address: a, inbound: [{port: 1, tags: {kuma.io/service: s}}, {port: 70000, tags: {kuma.io/service: s}}]}}}", "spec.networking.inbound[1].port: port must be in the range [1, 65535]", NULL },
	{ IN("servicePort: 0"), IN_AT ".servicePort: port must be in the range [1, 65535]", NULL },
	{ IN("address: x.org, serviceAddress: y.org"), IN_AT ".address: address has to be valid IP address\n" IN_AT ".serviceAddress: serviceAddress has to be valid IP address", NULL },
	{ OUT("address: x.org, tags: {kuma.io/service: b}"), OUT_AT ".address: address has to be valid IP address", NULL },
	{ DP("inbound: [{port: 1, tags: {kuma.io/service: zone-egress}}]"), IN_AT ".tags[\"kuma.io/service\"]: zone-egress is who a ZoneEgress is; choose another name", NULL },
	{ DP("inbound: [{tags: {kuma.io/service: s}}]"), IN_AT ".port: must be defined", NULL },
	{ IN("serviceAddress: 10.0.0.1"), IN_AT ".serviceAddress: serviceAddress and servicePort has to differ from address and port", NULL },
	{ DP("admin: {port: 9901}, inbound: [{port: 9901, address: 127.0.0.1, tags: {kuma.io/service: s}}], outbound: [{port: 9901, address: 127.0.0.2, tags: {kuma.io/service: s}}]"), "networking.admin.port: must differ from inbound", NULL },
	{ DP("admin: {port: 9901}, outbound: [{port: 9901, tags: {kuma.io/service: s}}]"), "networking.admin.port: must differ from outbound", NULL },
	/* K16 */
	{ DP("outbound: [{port: 1, tags: {kuma.io/service: a}}, {port: 2, tags: {kuma.io/service: b}}, {address: 127.0.0.1, port: 1, tags: {kuma.io/service: b}}, {address: 127.0.0.2, port: 1, tags: {kuma.io/service: b}}]"),
	  "networking.outbound[2]: address and port are already used by networking.outbound[0]", NULL },
	{ DP("inbound: [{port: 1, tags: {kuma.io/service: a}}], outbound: [{address: 10.0.0.1, port: 1, tags: {kuma.io/service: a}}]"),
	  "networking.outbound[0]: address and port are already used by networking.inbound[0]", NULL },
	{ DP("inbound: [{port: 1, state: Ignored, tags: {kuma.io/service: a}}, {port: 1, tags: {kuma.io/service: a}}]"), NULL, NULL },
	/* tags */
	{ DP("inbound: [{port: 1}]"), IN_AT ".tags[\"kuma.io/service\"]: tag has to exist", NULL },
	{ DP("inbound: [{port: 1, tags: {kuma.io/service: '', 'a b': c, v: 'x/y', kuma.io/protocol: udp}}]"),
	  IN_AT ".tags[\"a b\"]: tag name must consist of alphanumeric characters, dots, dashes, slashes and underscores\n"
	  IN_AT ".tags[\"kuma.io/service\"]: tag value must be non-empty\n"
	  IN_AT ".tags[\"v\"]: tag value must consist of alphanumeric characters, dots, dashes and underscores\n"
	  IN_AT ".tags[\"kuma.io/protocol\"]: tag \"kuma.io/protocol\" has an invalid value \"udp\". Allowed values: grpc, http, http2, kafka, tcp", NULL },
	{ DP("inbound: [{port: 1, tags: {kuma.io/service: s, version: 1}}]"), IN_AT ".tags[\"version\"]: must be a string, not a number: quote it, \"1\"", NULL },
	{ IN("state: ready"), IN_AT ".state: value 'ready' is not supported", NULL },
	{ IN("state: 1"), IN_AT ".state: must be a string, not a number: quote it, \"1\"", NULL },
	{ IN("serviceProbe: {tcp: {}}"), IN_AT ".serviceProbe: serviceProbe is not part of Zonelink", NULL },
	{ DP("transparentProxying: {redirectPortInbound: 1}"), "networking.transparentProxying: transparentProxying is not part of Zonelink", NULL },
	/* outbounds */
	{ OUT("backendRef: {kind: Mesh, name: e, port: 1}"), OUT_AT ".backendRef.kind: invalid value. Available values are: MeshExternalService,MeshMultiZoneService,MeshService", NULL },
	{ OUT("backendRef: {kind: MeshService, port: 1}"), OUT_AT ".backendRef: either 'name' or 'labels' should be specified", NULL },
	{ OUT("backendRef: {kind: MeshService, name: a}"), OUT_AT ".backendRef.port: port must be in the range [1, 65535]", NULL },
	{ OUT("backendRef: {kind: MeshService, name: a, port: 65536}"), OUT_AT ".backendRef.port: port must be in the range [1, 65535]", NULL },
	{ OUT("tags: {kuma.io/service: b}, backendRef: {kind: MeshService, name: a, port: 1}"), OUT_AT ".backendRef: both backendRef and tags/service cannot be defined", NULL },
	{ DP("outbound: [{port: 1}]"), OUT_AT ".tags: mandatory tag \"kuma.io/service\" is missing", NULL },
	/* gateways */
	{ DP("gateway: {tags: {kuma.io/service: e}}, inbound: [{port: 1, tags: {kuma.io/service: s}}]"), "networking.inbound: inbound cannot be defined for delegated gateways", NULL },
	{ DP("gateway: {type: BUILTIN, tags: {kuma.io/service: e}}, inbound: [{port: 1, tags: {kuma.io/service: s}}], outbound: [{port: 2, tags: {kuma.io/service: s}}]"),
	  "networking.inbound: inbound cannot be defined for builtin gateways\nnetworking.outbound: outbound cannot be defined for builtin gateways", NULL },
	{ DP("gateway: {tags: {kuma.io/service: e, kuma.io/protocol: http}}"), "networking.gateway.tags[\"kuma.io/protocol\"]: other values than tcp are not allowed, provided value \"http\"", NULL },
	{ DP("gateway: {type: OTHER, tags: {kuma.io/service: e}}"), "networking.gateway.type: value 'OTHER' is not supported", NULL },
	{ DP("gateway: {}"), "networking.gateway.tags[\"kuma.io/service\"]: tag has to exist", NULL },
	{ DP("inbound: [null]"), IN_AT ": must be an object, not null", NULL },
};
/* clang-format on */

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(CASES, ARRAY_LEN(CASES));
}

static void a_zone_writes_its_own_zone_tag_only(void **state)
{
	struct resource_rules east = { .writer = WRITER_ZONE, .zone = "east" };
	static const char YAML[] = "{type: Dataplane, name: d, networking: {address: a, "
				   "inbound: [{port: 1, tags: {kuma.io/service: s, "
				   "kuma.io/zone: west}}]}}";
	struct doc doc = doc_by(YAML, east);

	(void)state;
	assert_string_equal(doc_violations(&doc),
			    "networking.inbound[0].tags[\"kuma.io/zone\"]: kuma.io/zone "
			    "tag should have east value");
	doc_free(&doc);
	doc = doc_of(YAML);
	assert_string_equal(doc_violations(&doc), "");
	doc_free(&doc);
}

static void spec_has_values_and_defaults(void **state)
{
	struct doc doc = doc_of(
		DP("advertisedAddress: b, admin: {port: 9901}, inbound: [{port: 80, "
		   "name: n, "
		   "tags: {kuma.io/service: s}}, {port: 81, servicePort: 82, state: "
		   "Ignored, "
		   "tags: {kuma.io/service: s}}, {port: 83, health: {}, tags: "
		   "{kuma.io/service: s}}, {port: 84, health: {ready: true}, tags: "
		   "{kuma.io/service: s}}], outbound: [{port: 1, backendRef: {kind: "
		   "MeshService, labels: {a: b}, port: 7}}, {port: 2, tags: "
		   "{kuma.io/service: t}}]"));
	const struct dataplane_spec *spec = doc.res->dataplane;

	(void)state;
	assert_string_equal(spec->address, "10.0.0.1");
	assert_string_equal(spec->advertised, "b");
	assert_int_equal(spec->admin_port, 9901);
	assert_int_equal(spec->inbound_count, 4);
	assert_string_equal(spec->inbounds[0].name, "n");
	assert_string_equal(spec->inbounds[0].address, "");
	assert_string_equal(spec->inbounds[0].service_address, "");
	assert_int_equal(spec->inbounds[0].service_port, 0);
	assert_int_equal(spec->inbounds[0].state, INBOUND_READY);
	assert_int_equal(spec->inbounds[1].state, INBOUND_IGNORED);
	assert_int_equal(spec->inbounds[1].service_port, 82);
	assert_int_equal(spec->inbounds[2].state, INBOUND_NOT_READY);
	assert_int_equal(spec->inbounds[3].state, INBOUND_READY);
	assert_int_equal(spec->outbound_count, 2);
	assert_string_equal(spec->outbounds[0].address, "127.0.0.1");
	assert_true(spec->outbounds[0].has_backend);
	assert_int_equal(spec->outbounds[0].backend.kind, REF_MESH_SERVICE);
	assert_int_equal(spec->outbounds[0].backend.port, 7);
	assert_true(spec->outbounds[0].backend.has_labels);
	assert_false(spec->outbounds[1].has_backend);
	assert_string_equal(labels_get(spec->outbounds[1].tags, TAG_SERVICE), "t");
	assert_int_equal(spec->gateway, GATEWAY_NONE);
	doc_free(&doc);

	doc = doc_of(DP("gateway: {tags: {kuma.io/service: e}}"));
	assert_int_equal(doc.res->dataplane->gateway, GATEWAY_DELEGATED);
	assert_string_equal(labels_get(doc.res->dataplane->gateway_tags, TAG_SERVICE),
			    "e");
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(a_zone_writes_its_own_zone_tag_only),
		cmocka_unit_test(spec_has_values_and_defaults),
	};
	return cmocka_run_group_tests_name("model/dataplane", tests, NULL, NULL);
}
