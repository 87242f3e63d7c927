/* The rows of kinds-spec 4 (ZoneEgress), and what its spec holds. */
#include "doc.h"

#include "model/travel.h"

#define ZE(fields) "{type: ZoneEgress, name: e, " fields "}"
#define NET(fields) ZE("networking: {address: 10.10.0.9, port: 10002, " fields "}")

/* clang-format off */
static const struct doc_case CASES[] = {
	{ ZE("zone: east, networking: {address: 10.10.0.9, port: 10002}"), NULL, NULL },
	{ ZE("networking: {address: egress.example.org, port: 65535}"), NULL, NULL },
	{ ZE("spec: {networking: {address: 'fd00::1', port: 1, admin: {port: 2}}}"), NULL, NULL },
	{ ZE("zone: east"), "networking: must be defined", NULL },
	{ ZE("networking: {}"), "networking.port: must be defined\nnetworking.address: address can't be empty", NULL },
	{ ZE("networking: {address: 0.0.0.0, port: 0}"), "networking.port: port must be in the range [1, 65535]\nnetworking.address: must not be 0.0.0.0 or ::", NULL },
	{ ZE("networking: {address: 'a b', port: 65536}"), "networking.port: port must be in the range [1, 65535]\nnetworking.address: address has to be valid IP address or domain name", NULL },
	{ NET("admin: {port: 10002}"), "networking.admin.port: must differ from port", NULL },
	{ NET("admin: {port: 0}"), "networking.admin.port: port must be in the range [1, 65535]", NULL },
	{ NET("advertisedPort: 1"), "networking.advertisedPort: unknown field", NULL },
	{ ZE("availableServices: [], networking: {address: a, port: 1}"), "availableServices: unknown field", NULL },
	{ ZE("mesh: default, networking: {address: a, port: 1}"), "mesh: unknown field", NULL },
	{ ZE("zone: east, labels: {kuma.io/zone: west}, networking: {address: a, port: 1}"), "zone: must not differ from the label kuma.io/zone", NULL },
	{ ZE("zone: 'no zone', networking: {address: a, port: 1}"),
	  "zone: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character", NULL },
};
/* clang-format on */

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(CASES, ARRAY_LEN(CASES));
}

static void a_zone_writes_it_for_itself_and_global(void **state)
{
	struct resource_rules east = { .writer = WRITER_ZONE, .zone = "east" };
	struct resource_rules global = { .writer = WRITER_GLOBAL, .zone = "" };
	struct doc doc = doc_by(NET("admin: {port: 9901}"), east);

	(void)state;
	assert_string_equal(doc.res->key.zone, "east");
	assert_string_equal(doc.res->key.mesh, "");
	assert_string_equal(doc.res->egress->zone, "");
	assert_string_equal(doc.res->egress->address, "10.10.0.9");
	assert_int_equal(doc.res->egress->port, 10002);
	assert_true(travel_goes_up(doc.res, "east"));
	assert_false(travel_goes_up(doc.res, "west"));
	assert_false(travel_comes_down(doc.res, "west"));
	assert_false(travel_comes_down(doc.res, "east"));
	doc_free(&doc);
	doc = doc_by(ZE("zone: west, networking: {address: a, port: 1}"), east);
	assert_string_equal(doc_violations(&doc),
			    "zone: must not differ from the label kuma.io/zone");
	doc_free(&doc);
	doc = doc_by(ZE("zone: west, networking: {address: a, port: 1}"), global);
	assert_string_equal(doc_violations(&doc),
			    "type: kind ZoneEgress is written in a zone");
	doc_free(&doc);
}

static void both_forms_are_one_resource(void **state)
{
	struct doc doc = doc_of("{apiVersion: kuma.io/v1alpha1, kind: ZoneEgress, "
				"metadata: {name: egress-east, namespace: kuma-system}, "
				"spec: {zone: east, networking: {address: 10.10.0.9, "
				"port: 10002}}}");

	(void)state;
	assert_string_equal(doc.res->json,
			    "{\"labels\":{\"k8s.kuma.io/namespace\":\"kuma-system\"},"
			    "\"name\":\"egress-east\",\"networking\":{\"address\":"
			    "\"10.10.0.9\",\"port\":10002},\"type\":\"ZoneEgress\","
			    "\"zone\":\"east\"}");
	assert_string_equal(doc.res->key.zone, "east");
	assert_string_equal(doc.res->key.ns, "kuma-system");
	struct resource *again = NULL;
	assert_int_equal(
		resource_from_json(doc.res->json, doc.res->json_len, &again, NULL),
		ZL_OK);
	assert_int_equal(key_compare(&again->key, &doc.res->key), 0);
	assert_int_equal(again->egress->port, 10002);
	assert_string_equal(again->egress->zone, "east");
	resource_drop(&again);
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(a_zone_writes_it_for_itself_and_global),
		cmocka_unit_test(both_forms_are_one_resource),
	};
	return cmocka_run_group_tests_name("model/egress", tests, NULL, NULL);
}
