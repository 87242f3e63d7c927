/* TrafficRoute: each row of kinds-spec 12 with its exact field and text. */
#include "doc.h"

#define ALL "{kuma.io/service: '*'}"
#define DOC(fields) "{type: TrafficRoute, name: r, " fields "}"
#define SOURCE(match)                                                           \
	DOC("sources: [{match: " match "}], destinations: [{match: " ALL "}], " \
	    "conf: {destination: " ALL "}")
#define DESTINATION(match)                                                      \
	DOC("sources: [{match: " ALL "}], destinations: [{match: " match "}], " \
	    "conf: {destination: " ALL "}")
#define CONF(conf)                                                            \
	DOC("sources: [{match: " ALL "}], destinations: [{match: " ALL "}], " \
	    "conf: " conf)
#define TAG_TEXT                                                                    \
	"tag value must consist of alphanumeric characters, dots, dashes, slashes " \
	"and underscores or be \"*\""
#define MISSING "mandatory tag \"kuma.io/service\" is missing"
#define ONLY "must consist of exactly one tag \"kuma.io/service\""

/* clang-format off */
static const struct doc_case VALID[] = {
	{ CONF("{destination: {kuma.io/service: db, version: '*'}}"), NULL, NULL },
	{ CONF("{split: [{weight: 90, destination: {kuma.io/service: b, version: v1}}, {weight: 0, destination: {kuma.io/service: '*', path: a/b}}], loadBalancer: {roundRobin: {}}, http: []}"), NULL, NULL },
	{ "{apiVersion: kuma.io/v1alpha1, kind: TrafficRoute, mesh: default, metadata: {name: old}, spec: {sources: [{match: {kuma.io/service: web}}], destinations: [{match: {kuma.io/service: db}}], conf: {destination: {kuma.io/service: db}}}}", NULL, NULL },
};

static const struct doc_case ROWS[] = {
	{ "{type: TrafficRoute, name: r}", "sources: must have at least one element\ndestinations: must have at least one element\nconf: cannot be empty", NULL },
	{ DOC("sources: [], destinations: [], conf: {destination: " ALL "}"), "sources: must have at least one element\ndestinations: must have at least one element", NULL },
	/* sources */
	{ SOURCE("{}"), "sources[0].match: must have at least one tag\nsources[0].match: " MISSING, NULL },
	{ SOURCE("{version: v1}"), "sources[0].match: " MISSING, NULL },
	{ SOURCE("{kuma.io/service: web, region: ''}"), "sources[0].match[\"region\"]: tag value must be non-empty", NULL },
	{ SOURCE("{kuma.io/service: web, 'a b': x, '': y, z: 'x y'}"),
	  "sources[0].match: tag name must be non-empty\n"
	  "sources[0].match[\"a b\"]: tag name must consist of alphanumeric characters, dots, dashes, slashes and underscores\n"
	  "sources[0].match[\"z\"]: " TAG_TEXT, NULL },
	{ SOURCE("[]"), "sources[0].match: must be an object, not a list", NULL },
	/* destinations */
	{ DESTINATION("{}"), "destinations[0].match: " ONLY "\ndestinations[0].match: " MISSING, NULL },
	{ DESTINATION("{kuma.io/service: b, region: ''}"),
	  "destinations[0].match: " ONLY "\ndestinations[0].match[\"region\"]: tag \"region\" is not allowed\n"
	  "destinations[0].match[\"region\"]: tag value must be non-empty", NULL },
	{ DESTINATION("{region: x}"),
	  "destinations[0].match: " ONLY "\ndestinations[0].match[\"region\"]: tag \"region\" is not allowed\ndestinations[0].match: " MISSING, NULL },
	/* conf */
	{ CONF("{}"), "conf: requires either \"destination\" or \"split\"", NULL },
	{ CONF("{destination: " ALL ", split: [{weight: 1, destination: " ALL "}]}"), "conf: \"split\" cannot be defined at the same time as \"destination\"", NULL },
	{ CONF("{split: []}"), "conf.split: must have at least one element", NULL },
	{ CONF("{split: [{weight: 0, destination: " ALL "}]}"), "conf.split: there must be at least one split entry with weight above 0", NULL },
	{ CONF("{split: [{destination: " ALL "}]}"), "conf.split[0].weight: needs to be defined", NULL },
	{ CONF("{split: [{weight: 4294967296, destination: " ALL "}]}"), "conf.split[0].weight: must be in inclusive range [0, 4294967295]", NULL },
	{ CONF("{split: [{weight: 4294967295, destination: " ALL "}, {weight: 1, destination: " ALL "}]}"), "conf.split: sum of weights must be in inclusive range [0, 4294967295]", NULL },
	{ CONF("{split: [{weight: 1}]}"), "conf.split[0].destination: must have at least one tag\nconf.split[0].destination: " MISSING, NULL },
	{ CONF("{destination: {version: v1}}"), "conf.destination: " MISSING, NULL },
	{ CONF("{destination: {kuma.io/service: 7}}"), "conf.destination[\"kuma.io/service\"]: must be a string, not a number: quote it, \"7\"\nconf.destination: must have at least one tag", NULL },
	/* K1 */
	{ CONF("{destination: " ALL ", http: [{match: {}}]}"), "conf.http: http is not part of Zonelink", NULL },
	{ CONF("{destination: " ALL ", loadBalancer: {leastRequest: {choiceCount: 8}}}"), "conf.loadBalancer.leastRequest: leastRequest is not part of Zonelink", NULL },
	{ CONF("{destination: " ALL ", loadBalancer: {random: {}}}"), "conf.loadBalancer.random: random is not part of Zonelink", NULL },
	{ CONF("{destination: " ALL ", loadBalancer: {ringHash: {}, maglev: {}}}"), "conf.loadBalancer.ringHash: ringHash is not part of Zonelink\nconf.loadBalancer.maglev: maglev is not part of Zonelink", NULL },
	{ CONF("{destination: " ALL ", colour: x}"), "conf.colour: unknown field", NULL },
};
/* clang-format on */

static void valid_routes_are_taken(void **state)
{
	(void)state;
	doc_cases(VALID, ARRAY_LEN(VALID));
}

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(ROWS, ARRAY_LEN(ROWS));
}

static void a_destination_is_a_split_of_one(void **state)
{
	struct doc doc = doc_of(CONF("{destination: {kuma.io/service: db, v: v1}}"));
	const struct traffic_route_spec *route = doc.res->traffic_route;

	(void)state;
	assert_int_equal(route->source_count, 1);
	assert_int_equal(route->destination_count, 1);
	assert_string_equal(labels_get(route->sources[0].match, "kuma.io/service"), "*");
	assert_int_equal(route->split_count, 1);
	assert_true(route->split[0].weight == 1);
	assert_string_equal(labels_get(route->split[0].destination, "v"), "v1");

	/* and the same once it was stored */
	struct resource *stored = NULL;
	struct zl_err err;
	assert_int_equal(
		resource_from_json(doc.res->json, doc.res->json_len, &stored, &err),
		ZL_OK);
	assert_int_equal(stored->traffic_route->split_count, 1);
	resource_drop(&stored);
	doc_free(&doc);

	doc = doc_of(CONF("{split: [{weight: 9, destination: {kuma.io/service: a}}, "
			  "{weight: 0, destination: {kuma.io/service: b}}]}"));
	assert_int_equal(doc.res->traffic_route->split_count, 2);
	assert_true(doc.res->traffic_route->split[0].weight == 9);
	doc_free(&doc);
}

static void it_is_written_at_global(void **state)
{
	struct resource_rules east = { .writer = WRITER_ZONE, .zone = "east" };
	struct doc doc = doc_by(CONF("{destination: " ALL "}"), east);

	(void)state;
	assert_string_equal(doc_violations(&doc),
			    "type: kind TrafficRoute is written at global");
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_routes_are_taken),
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(a_destination_is_a_split_of_one),
		cmocka_unit_test(it_is_written_at_global),
	};
	return cmocka_run_group_tests_name("model/traffic_route", tests, NULL, NULL);
}
