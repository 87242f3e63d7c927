/* The rows of kinds-spec 3 (ZoneIngress), and what its spec holds. */
#include "doc.h"

#define ZI(fields) "{type: ZoneIngress, name: i, " fields "}"
#define NET(fields) ZI("networking: {address: 10.0.0.1, port: 10001, " fields "}")
#define AVAILABLE(list) ZI("networking: {address: a, port: 1}, availableServices: " list)
#define SERVICE_AT "availableServices[0]"

/* clang-format off */
static const struct doc_case CASES[] = {
	{ NET("admin: {port: 9901}"), NULL, NULL },
	{ NET("advertisedAddress: in.example.org, advertisedPort: 65535"), NULL, NULL },
	{ AVAILABLE("[{tags: {kuma.io/service: s}, externalService: false}]"), NULL, NULL },
	{ ZI("zone: west"), "networking: must be defined", NULL },
	{ ZI("networking: {}"), "networking.port: must be defined\nnetworking.address: address can't be empty", NULL },
	{ ZI("networking: {address: '::', port: 0}"), "networking.port: port must be in the range [1, 65535]\nnetworking.address: must not be 0.0.0.0 or ::", NULL },
	{ ZI("networking: {address: 'a b', port: 65536}"), "networking.port: port must be in the range [1, 65535]\nnetworking.address: address has to be valid IP address or domain name", NULL },
	{ NET("advertisedAddress: a"), "networking.advertisedPort: has to be defined with advertisedAddress", NULL },
	{ NET("advertisedPort: 1"), "networking.advertisedAddress: has to be defined with advertisedPort", NULL },
	{ NET("advertisedAddress: 0.0.0.0, advertisedPort: 0"), "networking.advertisedAddress: must not be 0.0.0.0 or ::\nnetworking.advertisedPort: port must be in the range [1, 65535]", NULL },
	{ NET("admin: {port: 10001}"), "networking.admin.port: must differ from port", NULL },
	{ ZI("zone: west, labels: {kuma.io/zone: east}, networking: {address: a, port: 1}"), "zone: must not differ from the label kuma.io/zone", NULL },
	{ ZI("zone: West, networking: {address: a, port: 1}"),
	  "zone: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character", NULL },
	{ AVAILABLE("[{}]"), SERVICE_AT ".tags: mandatory tag \"kuma.io/service\" is missing", NULL },
	{ AVAILABLE("[{tags: {kuma.io/service: s}}, {tags: {version: ''}}]"),
	  "availableServices[1].tags: mandatory tag \"kuma.io/service\" is missing\navailableServices[1].tags[\"version\"]: tag value must be non-empty", NULL },
	{ AVAILABLE("[{tags: {kuma.io/service: s, kuma.io/protocol: x}, instances: -1}]"),
	  SERVICE_AT ".instances: must be in inclusive range [0, 4294967295]\n"
	  SERVICE_AT ".tags[\"kuma.io/protocol\"]: tag \"kuma.io/protocol\" has an invalid value \"x\". Allowed values: grpc, http, http2, kafka, tcp", NULL },
	{ AVAILABLE("[{tags: {kuma.io/service: s}, externalService: true}]"), SERVICE_AT ".externalService: externalService is not part of Zonelink", NULL },
	{ AVAILABLE("[{mesh: M, tags: {kuma.io/service: s}}]"), SERVICE_AT ".mesh: invalid characters. Valid characters are numbers, lowercase latin letters and '-', '_', '.' symbols.", NULL },
	{ AVAILABLE("{}"), "availableServices: must be a list, not an object", NULL },
};
/* clang-format on */

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(CASES, ARRAY_LEN(CASES));
}

static void zone_comes_from_field_label_or_writer(void **state)
{
	struct resource_rules east = { .writer = WRITER_ZONE, .zone = "east" };
	struct doc doc = doc_of(ZI("zone: west, networking: {address: a, port: 1}"));

	(void)state;
	assert_string_equal(doc.res->key.zone, "west");
	assert_string_equal(doc.res->ingress->zone, "west");
	doc_free(&doc);
	doc = doc_of(ZI("labels: {kuma.io/zone: north}, networking: {address: a, port: "
			"1}"));
	assert_string_equal(doc.res->key.zone, "north");
	assert_string_equal(doc.res->ingress->zone, "");
	doc_free(&doc);
	doc = doc_by(ZI("networking: {address: a, port: 1}"), east);
	assert_string_equal(doc.res->key.zone, "east");
	doc_free(&doc);
	doc = doc_by(ZI("zone: west, networking: {address: a, port: 1}"), east);
	assert_string_equal(doc_violations(&doc),
			    "zone: must not differ from the label kuma.io/zone");
	doc_free(&doc);
}

static void spec_has_values_and_defaults(void **state)
{
	struct doc doc = doc_of(
		AVAILABLE("[{tags: {kuma.io/service: s, a: b}, instances: 4294967295}, "
			  "{mesh: m, tags: {kuma.io/service: t}}]"));
	const struct zone_ingress_spec *spec = doc.res->ingress;

	(void)state;
	assert_int_equal(spec->port, 1);
	assert_string_equal(spec->advertised, "");
	assert_int_equal(spec->service_count, 2);
	assert_string_equal(spec->services[0].mesh, "default");
	assert_true(spec->services[0].instances == UINT32_MAX);
	assert_string_equal(spec->services[0].tags.items[0].key, "a");
	assert_string_equal(spec->services[1].mesh, "m");
	assert_true(spec->services[1].instances == 0);
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(zone_comes_from_field_label_or_writer),
		cmocka_unit_test(spec_has_values_and_defaults),
	};
	return cmocka_run_group_tests_name("model/ingress", tests, NULL, NULL);
}
