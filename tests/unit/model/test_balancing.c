/* MeshLoadBalancingStrategy: each row of kinds-spec 15 with its exact field and text. */
#include "doc.h"

#define SPEC(spec) "{type: MeshLoadBalancingStrategy, name: r, spec: " spec "}"
#define TO_B "to: [{targetRef: {kind: MeshService, name: b}, default: {}}]"
#define TOP(ref) SPEC("{targetRef: " ref ", " TO_B "}")
#define TO(ref) SPEC("{to: [{targetRef: " ref ", default: {}}]}")
#define DEFAULT(value) \
	SPEC("{to: [{targetRef: {kind: MeshService, name: b}, default: " value "}]}")
#define LOCALITY(value) DEFAULT("{localityAwareness: " value "}")
#define TAGS(list) LOCALITY("{localZone: {affinityTags: " list "}}")
#define FAILOVER(list) LOCALITY("{crossZone: {failover: " list "}}")
#define PERCENT(value) \
	LOCALITY("{crossZone: {failoverThreshold: {percentage: " value "}}}")
#define CROSS(ref)                                  \
	SPEC("{to: [{targetRef: " ref ", default: " \
	     "{localityAwareness: {crossZone: {}}}}]}")

#define LOCALITY_AT "spec.to[0].default.localityAwareness"
#define TAGS_AT LOCALITY_AT ".localZone.affinityTags"
#define FAILOVER_AT LOCALITY_AT ".crossZone.failover[0]"
#define PERCENT_AT LOCALITY_AT ".crossZone.failoverThreshold.percentage: "
#define TEN                                                                            \
	"{key: a}, {key: b}, {key: c}, {key: d}, {key: e}, {key: f}, {key: g}, {key: " \
	"h}, "                                                                         \
	"{key: i}, {key: j}"

/* clang-format off */
static const struct doc_case VALID[] = {
	{ SPEC("{" TO_B "}"), NULL, NULL },
	{ LOCALITY("{}"), NULL, NULL },
	{ LOCALITY("{disabled: true, localZone: {}, crossZone: {failover: []}}"), NULL, NULL },
	{ DEFAULT("{loadBalancer: {}, hashPolicies: []}"), NULL, NULL },
	{ TO("{kind: Mesh}"), NULL, NULL },
	{ TO("{kind: MeshMultiZoneService, name: b, sectionName: http}"), NULL, NULL },
	{ TO("{kind: MeshService, labels: {a: b}, sectionName: http}"), NULL, NULL },
	{ CROSS("{kind: MeshService, name: b}"), NULL, NULL },
	{ CROSS("{kind: MeshService, name: b, labels: {}, sectionName: ''}"), NULL, NULL },
	{ CROSS("{kind: MeshMultiZoneService, labels: {a: b}, sectionName: x}"), NULL, NULL },
	{ CROSS("{kind: Mesh}"), NULL, NULL },
	{ TAGS("[{key: a, weight: 1}, {key: a, weight: 4294967293}]"), NULL, NULL },
	{ FAILOVER("[{to: {type: Any}}, {to: {type: None, zones: []}}, {from: {zones: [a, b]}, to: {type: Only, zones: [c]}}, {to: {type: AnyExcept, zones: [c, d]}}]"), NULL, NULL },
	{ PERCENT("1"), NULL, NULL },
	{ PERCENT("100"), NULL, NULL },
	{ PERCENT("'0.01'"), NULL, NULL },
	{ PERCENT("'100.0'"), NULL, NULL },
	{ TOP("{kind: Dataplane, labels: {a: b}}"), NULL, NULL },
	{ TOP("{kind: MeshSubset, tags: {a: b}}"), NULL,
	  "spec.targetRef.kind: MeshSubset value for 'targetRef.kind' is deprecated, use Dataplane with labels instead" },
	{ "{apiVersion: kuma.io/v1alpha1, kind: MeshLoadBalancingStrategy, metadata: {name: near, namespace: kuma-system}, spec: {to: [{targetRef: {kind: Mesh}, default: {localityAwareness: {disabled: true}}}]}}", NULL, NULL },
};

static const struct doc_case ROWS[] = {
	/* references */
	{ TOP("{kind: MeshGateway, name: g}"), "spec.targetRef.kind: value 'MeshGateway' is not supported", NULL },
	{ TOP("{kind: MeshExternalService, name: g}"), "spec.targetRef.kind: value 'MeshExternalService' is not supported", NULL },
	{ TO("{kind: MeshExternalService, name: b}"), "spec.to[0].targetRef.kind: value 'MeshExternalService' is not supported", NULL },
	{ TO("{kind: MeshServiceSubset, name: b}"), "spec.to[0].targetRef.kind: value 'MeshServiceSubset' is not supported", NULL },
	{ TO("{kind: MeshHTTPRoute, name: b}"), "spec.to[0].targetRef.kind: value 'MeshHTTPRoute' is not supported", NULL },
	{ TO("{}"), "spec.to[0].targetRef.kind: must be defined", NULL },
	{ TO("{kind: Mesh, name: b}"), "spec.to[0].targetRef.name: using name with kind Mesh is not yet supported", NULL },
	{ TO("{kind: MeshService}"), "spec.to[0].targetRef: name or labels must be set when kind is MeshService", NULL },
	/* to and default */
	{ SPEC("{}"), "spec.to: needs at least one item", NULL },
	{ SPEC("{to: []}"), "spec.to: needs at least one item", NULL },
	{ SPEC("{to: {}}"), "spec.to: must be a list, not an object", NULL },
	{ SPEC("{to: [{default: {}}]}"), "spec.to[0].targetRef: must be defined", NULL },
	{ SPEC("{to: [{targetRef: {kind: Mesh}}]}"), "spec.to[0].default: must be defined", NULL },
	{ SPEC("{to: [{targetRef: {kind: Mesh}, rules: [], default: {}}]}"), "spec.to[0].rules: unknown field", NULL },
	{ DEFAULT("{loadBalancer: {type: Maglev}}"), "spec.to[0].default.loadBalancer: loadBalancer is not part of Zonelink", NULL },
	{ DEFAULT("{hashPolicies: [{type: Connection}]}"), "spec.to[0].default.hashPolicies: hashPolicies is not part of Zonelink", NULL },
	{ LOCALITY("{disabled: 'yes'}"), LOCALITY_AT ".disabled: must be a boolean (true or false), without quotes", NULL },
	/* localZone */
	{ TAGS("[{}]"), TAGS_AT "[0].key: must not be empty", NULL },
	{ TAGS("[{key: ''}]"), TAGS_AT "[0].key: must not be empty", NULL },
	{ TAGS("[{key: a, weight: 0}]"), TAGS_AT "[0].weight: must be greater than 0", NULL },
	{ TAGS("[{key: a, weight: 1}, {key: b, weight: -1}]"), TAGS_AT "[1].weight: must be greater than 0", NULL },
	{ TAGS("[{key: a, weight: -99999999999999999999}]"), TAGS_AT "[0].weight: must be greater than 0", NULL },
	{ TAGS("[{key: a, weight: 1.5}]"), TAGS_AT "[0].weight: must be a whole number", NULL },
	{ TAGS("[{key: a, weight: 9}, {key: b}]"), TAGS_AT ": all or none affinity tags should have weight", NULL },
	{ TAGS("[{key: a, weight: 1}, {key: b, weight: 4294967294}]"), TAGS_AT ": sum of weights must be in inclusive range [0, 4294967294]", NULL },
	{ TAGS("[{key: a, weight: 99999999999999999999}]"), TAGS_AT ": sum of weights must be in inclusive range [0, 4294967294]", NULL },
	{ TAGS("[" TEN "]"), TAGS_AT ": sum of weights must be in inclusive range [0, 4294967294]", NULL },
	/* crossZone */
	{ FAILOVER("[{from: {}, to: {type: Any}}]"), FAILOVER_AT ".from.zones: must not be empty", NULL },
	{ FAILOVER("[{from: {zones: []}, to: {type: Any}}]"), FAILOVER_AT ".from.zones: must not be empty", NULL },
	{ FAILOVER("[{from: {zones: ['', a, '']}, to: {type: Any}}]"), FAILOVER_AT ".from.zones[0]: must not be empty\n" FAILOVER_AT ".from.zones[2]: must not be empty", NULL },
	{ FAILOVER("[{}]"), FAILOVER_AT ".to: must be defined", NULL },
	{ FAILOVER("[{to: {}}]"), FAILOVER_AT ".to.type: must be defined", NULL },
	{ FAILOVER("[{to: {type: any}}]"), FAILOVER_AT ".to.type: unrecognized type", NULL },
	{ FAILOVER("[{to: {type: '', zones: [a]}}]"), FAILOVER_AT ".to.type: unrecognized type", NULL },
	{ FAILOVER("[{to: {type: Any, zones: [a]}}]"), FAILOVER_AT ".to.zones: must be empty when type is Any", NULL },
	{ FAILOVER("[{to: {type: None, zones: [a]}}]"), FAILOVER_AT ".to.zones: must be empty when type is None", NULL },
	{ FAILOVER("[{to: {type: Only}}]"), FAILOVER_AT ".to.zones: must not be empty when type is Only", NULL },
	{ FAILOVER("[{to: {type: AnyExcept, zones: []}}]"), FAILOVER_AT ".to.zones: must not be empty when type is AnyExcept", NULL },
	{ FAILOVER("[{to: {type: Only, zones: a}}]"), FAILOVER_AT ".to.zones: must be a list, not a text", NULL },
	{ PERCENT("0"), PERCENT_AT "must be greater than 0", NULL },
	{ PERCENT("'0.0'"), PERCENT_AT "must be greater than 0", NULL },
	{ PERCENT("-1"), PERCENT_AT "must be in inclusive range [0.0, 100.0]", NULL },
	{ PERCENT("101"), PERCENT_AT "must be in inclusive range [0.0, 100.0]", NULL },
	{ PERCENT("'100.1'"), PERCENT_AT "must be in inclusive range [0.0, 100.0]", NULL },
	{ PERCENT("'70%'"), PERCENT_AT "string must be a valid number", NULL },
	{ PERCENT("''"), PERCENT_AT "string must be a valid number", NULL },
	{ PERCENT("'true'"), PERCENT_AT "string must be a valid number", NULL },
	{ PERCENT("'0x10'"), PERCENT_AT "string must be a valid number", NULL },
	{ PERCENT("'1e999'"), PERCENT_AT "string must be a valid number", NULL },
	{ PERCENT("70.5"), PERCENT_AT "must be a whole number or a string, not a number: quote it, \"70.5\"", NULL },
	{ PERCENT("[]"), PERCENT_AT "must be a whole number or a string, not a list", NULL },
	{ CROSS("{kind: MeshService, labels: {a: b}}"), LOCALITY_AT ".crossZone: must not be set: MeshService traffic is local", NULL },
	{ CROSS("{kind: MeshService, name: b, sectionName: http}"), LOCALITY_AT ".crossZone: must not be set: MeshService traffic is local", NULL },
};
/* clang-format on */

static void valid_policies_have_only_their_warnings(void **state)
{
	(void)state;
	doc_cases(VALID, ARRAY_LEN(VALID));
}

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(ROWS, ARRAY_LEN(ROWS));
}

static void what_is_not_written_is_known(void **state)
{
	struct doc doc = doc_of(DEFAULT("{}"));
	const struct locality *locality = &doc.res->balancing->to[0].locality;

	(void)state;
	assert_int_equal(doc.res->balancing->target.kind, REF_MESH);
	assert_string_equal(doc.res->balancing->to[0].target.name, "b");
	assert_false(locality->has_disabled || locality->disabled);
	assert_false(locality->has_local || locality->has_cross ||
		     locality->has_failover);
	assert_int_equal(locality->tag_count, 0);
	assert_int_equal(locality->failover_count, 0);
	assert_true(locality->threshold == 0);
	doc_free(&doc);
	doc = doc_of(LOCALITY("{disabled: false, localZone: {}, crossZone: {}}"));
	locality = &doc.res->balancing->to[0].locality;
	assert_true(locality->has_disabled && !locality->disabled);
	assert_true(locality->has_local && locality->has_cross);
	assert_false(locality->has_failover);
	doc_free(&doc);
	doc = doc_of(FAILOVER("[]"));
	locality = &doc.res->balancing->to[0].locality;
	assert_true(locality->has_failover);
	assert_int_equal(locality->failover_count, 0);
	doc_free(&doc);
}

static void spec_has_values_and_default_weights(void **state)
{
	static const char WHOLE[] =
		LOCALITY("{disabled: true, localZone: {affinityTags: [{key: host}, "
			 "{key: rack}, {key: row}]}, crossZone: {failover: [{from: "
			 "{zones: [east, north]}, to: {type: Only, zones: [west]}}, {to: "
			 "{type: AnyExcept, zones: [south]}}], failoverThreshold: "
			 "{percentage: '70.5'}}}");
	struct doc doc = doc_of(WHOLE);
	struct resource *stored = NULL;

	(void)state;
	assert_int_equal(
		resource_from_json(doc.res->json, doc.res->json_len, &stored, NULL),
		ZL_OK);
	const struct locality *locality = &stored->balancing->to[0].locality;
	assert_true(locality->disabled);
	assert_int_equal(locality->tag_count, 3);
	assert_string_equal(locality->tags[0].key, "host");
	assert_int_equal(locality->tags[0].weight, 900);
	assert_int_equal(locality->tags[1].weight, 90);
	assert_int_equal(locality->tags[2].weight, 9);
	assert_int_equal(locality->failover_count, 2);
	assert_int_equal(locality->failovers[0].from.count, 2);
	assert_string_equal(locality->failovers[0].from.items[1], "north");
	assert_int_equal(locality->failovers[0].type, FAILOVER_ONLY);
	assert_string_equal(locality->failovers[0].zones.items[0], "west");
	assert_int_equal(locality->failovers[1].from.count, 0);
	assert_int_equal(locality->failovers[1].type, FAILOVER_ANY_EXCEPT);
	assert_true(locality->threshold == 70.5);
	resource_drop(&stored);
	doc_free(&doc);
	doc = doc_of(TAGS("[{key: a, weight: 7}, {key: b, weight: 3}]"));
	locality = &doc.res->balancing->to[0].locality;
	assert_int_equal(locality->tags[0].weight, 7);
	assert_int_equal(locality->tags[1].weight, 3);
	doc_free(&doc);
	doc = doc_of(PERCENT("30"));
	assert_true(doc.res->balancing->to[0].locality.threshold == 30);
	doc_free(&doc);
}

static void roles_are_those_of_a_route(void **state)
{
	static const struct {
		const char *to, *role;
	} ROLES[] = {
		{ "{kind: MeshService, name: b}", "producer" },
		{ "{kind: MeshService, name: b, namespace: other}", "consumer" },
		{ "{kind: MeshMultiZoneService, name: b}", "consumer" },
		{ "{kind: Mesh}", "consumer" },
	};
	struct resource_rules east = { .writer = WRITER_ZONE, .zone = "east" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROLES); i++) {
		char yaml[512];
		(void)snprintf(
			yaml, sizeof(yaml),
			"{apiVersion: kuma.io/v1alpha1, kind: "
			"MeshLoadBalancingStrategy, metadata: {name: n, namespace: "
			"demo, labels: {kuma.io/origin: zone}}, spec: {to: "
			"[{targetRef: %s, default: {}}]}}",
			ROLES[i].to);
		struct doc doc = doc_by(yaml, east);
		assert_string_equal(doc_violations(&doc), "");
		assert_string_equal(labels_get(doc.res->labels, LABEL_ROLE),
				    ROLES[i].role);
		doc_free(&doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_policies_have_only_their_warnings),
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(what_is_not_written_is_known),
		cmocka_unit_test(spec_has_values_and_default_weights),
		cmocka_unit_test(roles_are_those_of_a_route),
	};
	return cmocka_run_group_tests_name("model/balancing", tests, NULL, NULL);
}
