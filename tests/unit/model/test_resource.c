/* Documents of either form, labels, identity, canonical form, and the way back. */
#include "doc.h"

#include <stdlib.h>

static const struct resource_rules AT_HOME = { .writer = WRITER_GLOBAL, .zone = "" };
static const struct resource_rules IN_EAST = { .writer = WRITER_ZONE, .zone = "east" };

static void assert_found(const char *yaml, struct resource_rules rules, const char *want)
{
	struct doc doc = doc_by(yaml, rules);

	if (strcmp(doc_violations(&doc), want) != 0)
		fail_msg("%s\ngave:\n%s\nnot:\n%s", yaml, doc_violations(&doc), want);
	doc_free(&doc);
}

static void assert_json(const char *yaml, struct resource_rules rules, const char *want)
{
	struct doc doc = doc_by(yaml, rules);

	if (doc.res == NULL)
		fail_msg("%s\ngave:\n%s", yaml, doc_violations(&doc));
	assert_string_equal(doc.res->json, want);
	assert_int_equal(doc.res->json_len, strlen(want));
	doc_free(&doc);
}

static void both_forms_have_one_canonical_form(void **state)
{
	static const char WANT[] =
		"{\"labels\":{\"app\":\"x\",\"k8s.kuma.io/namespace\":\"kuma-system\","
		"\"kuma.io/mesh\":\"m\",\"kuma.io/policy-role\":\"system\"},"
		"\"mesh\":\"m\",\"name\":\"r\",\"spec\":{\"to\":[{\"targetRef\":{"
		"\"kind\":"
		"\"MeshService\",\"name\":\"b\",\"port\":80}}]},\"type\":"
		"\"MeshTCPRoute\"}";

	(void)state;
	assert_json("{apiVersion: kuma.io/v1alpha1, kind: MeshTCPRoute, status: {a: 1}, "
		    "metadata: {name: r, namespace: kuma-system, uid: u, generation: 3, "
		    "annotations: {a: b}, labels: {kuma.io/mesh: m, app: x}}, spec: {to: "
		    "[{targetRef: {_port: 80, name: b, kind: MeshService, labels: null}}]"
		    ", targetRef: null}}",
		    (struct resource_rules){ .zone = "" }, WANT);
	assert_json("{type: MeshTCPRoute, name: r, mesh: m, revision: 7, kri: k, "
		    "modificationTime: now, creationRevision: 1, labels: {kuma.io/mesh: "
		    "m, app: x, k8s.kuma.io/namespace: kuma-system}, spec: {to: "
		    "[{targetRef: {kind: MeshService, port: 80, name: b}}]}}",
		    (struct resource_rules){ .zone = "" }, WANT);
	assert_json("{type: Zone, name: west, spec: {enabled: false}}",
		    (struct resource_rules){ .zone = "" },
		    "{\"enabled\":false,\"name\":\"west\",\"type\":\"Zone\"}");
	assert_json("{apiVersion: kuma.io/v1alpha1, kind: Zone, metadata: {name: west, "
		    "namespace: ns}, spec: {enabled: false}}",
		    (struct resource_rules){ .zone = "" },
		    "{\"enabled\":false,\"name\":\"west\",\"type\":\"Zone\"}");
}

static void an_alias_in_labels_and_tags_is_left_alone(void **state)
{
	(void)state;
	assert_json(
		"{type: MeshTCPRoute, name: r, spec: {targetRef: {kind: Dataplane, "
		"labels: {_port: x}}, to: [{targetRef: {kind: MeshService, name: b, "
		"_port: 1, port: 2}}]}}",
		(struct resource_rules){ .zone = "" },
		"{\"mesh\":\"default\",\"name\":\"r\",\"spec\":{\"targetRef\":{"
		"\"kind\":\"Dataplane\",\"labels\":{\"_port\":\"x\"}},\"to\":[{"
		"\"targetRef\":{\"kind\":\"MeshService\",\"name\":\"b\",\"port\":2}}]}"
		",\"type\":\"MeshTCPRoute\"}");
}

static void heads_are_checked(void **state)
{
	/* clang-format off */
	static const struct doc_case CASES[] = {
		{ "[]", ": a resource must be an object", NULL },
		{ "{name: x}", "type: must be defined", NULL },
		{ "{type: 3, name: x}", "type: must be a string, not a number: quote it, \"3\"", NULL },
		{ "{type: MeshOPA, name: x, foo: bar}", "type: kind MeshOPA is not part of Zonelink", NULL },
		{ "{apiVersion: kuma.io/v1alpha1, kind: MeshOPA, metadata: {name: x}}", "kind: kind MeshOPA is not part of Zonelink", NULL },
		{ "{type: meshtcproute, name: x}", "type: unknown kind \"meshtcproute\", did you mean \"MeshTCPRoute\"?", NULL },
		{ "{type: Nonsense, name: x}", "type: unknown kind \"Nonsense\"", NULL },
		{ "{apiVersion: v1, kind: Mesh, metadata: {name: x}}", "apiVersion: must be kuma.io/v1alpha1", NULL },
		{ "{type: Zone}", "name: cannot be empty", NULL },
		{ "{type: Zone, name: 7}", "name: must be a string, not a number: quote it, \"7\"", NULL },
		{ "{type: Zone, name: x, mesh: default}", "mesh: unknown field", NULL },
		{ "{type: Zone, name: x, lables: {}}", "lables: unknown field, did you mean \"labels\"?", NULL },
		{ "{type: Zone, name: x, enabled: true, spec: {enabled: true}, other: 1}",
		  "enabled: fields stand beside name or under spec, not in both places\nother: unknown field", NULL },
		{ "{type: Zone, name: x, spec: {enabeld: true}}", "spec.enabeld: unknown field, did you mean \"enabled\"?", NULL },
		{ "{type: Zone, name: x, spec: [], labels: 1}", "labels: must be an object, not a number\nspec: must be an object, not a list", NULL },
		{ "{type: MeshTCPRoute, name: x, mesh: Up, spec: {}}", "mesh: invalid characters. Valid characters are numbers, lowercase latin letters and '-', '_', '.' symbols.", NULL },
		{ "{type: MeshTCPRoute, name: x, mesh: m, labels: {kuma.io/mesh: n}, spec: {}}", "labels[\"kuma.io/mesh\"]: kuma.io/mesh label must not differ from mesh set on resource", NULL },
		{ "{apiVersion: kuma.io/v1alpha1, kind: MeshTCPRoute, mesh: m, metadata: {name: x}, spec: {}}", "mesh: unknown field, did you mean the label \"kuma.io/mesh\"?", NULL },
		{ "{apiVersion: kuma.io/v1alpha1, kind: Dataplane, mesh: m, metadata: {name: x, labels: {kuma.io/mesh: n}}, spec: {networking: {address: a}}}",
		  "mesh: must not differ from the label kuma.io/mesh", NULL },
		{ "{apiVersion: kuma.io/v1alpha1, kind: Zone, metadata: {name: x, nmae: y}, extra: 1, spec: {}}",
		  "extra: unknown field\nmetadata.nmae: unknown field, did you mean \"name\"?", NULL },
		{ "{apiVersion: kuma.io/v1alpha1, kind: Zone, metadata: []}", "metadata: must be an object, not a list\nname: cannot be empty", NULL },
		{ "{apiVersion: kuma.io/v1alpha1, kind: MeshTCPRoute, metadata: {name: x, namespace: Up}, spec: {}}",
		  "metadata.namespace: a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character\n"
		  "labels[\"k8s.kuma.io/namespace\"]", NULL },
	};
	/* clang-format on */

	(void)state;
	doc_cases(CASES, ARRAY_LEN(CASES) - 1);
	struct doc doc = doc_of(CASES[ARRAY_LEN(CASES) - 1].yaml);
	assert_string_equal(doc.found.violations[0].field, "metadata.namespace");
	doc_free(&doc);
}

#define ROUTE(labels) "{type: MeshTCPRoute, name: r, labels: " labels ", spec: {}}"

static void labels_have_rules(void **state)
{
	struct resource_rules any = { .zone = "" };

	(void)state;
	assert_found(ROUTE("{kuma.io/origin: mars}"), any,
		     "labels[\"kuma.io/origin\"]: unknown resource origin \"mars\"");
	assert_found(ROUTE("{kuma.io/origin: zone}"), any, "");
	assert_found(ROUTE("{kuma.io/origin: zone}"), AT_HOME,
		     "labels[\"kuma.io/origin\"]: the origin label must be set to "
		     "'global'");
	assert_found(
		ROUTE("{}"), IN_EAST,
		"labels[\"kuma.io/origin\"]: the origin label must be set to 'zone'");
	assert_found(ROUTE("{kuma.io/origin: zone, kuma.io/zone: west}"), IN_EAST,
		     "labels[\"kuma.io/zone\"]: kuma.io/zone label should have east "
		     "value");
	assert_found(ROUTE("{kuma.io/policy-role: producer}"), any,
		     "labels[\"kuma.io/policy-role\"]: kuma.io/policy-role label should "
		     "have system value, got producer");
	assert_found(
		ROUTE("{'a b': 'c d', x: y-}"), any,
		"labels[\"a b\"]: name part must consist of alphanumeric characters, "
		"'-', '_' or '.', and must start and end with an alphanumeric "
		"character\n"
		"labels[\"a b\"]: a valid label must be an empty string or consist "
		"of alphanumeric characters, '-', '_' or '.', and must start and end "
		"with an alphanumeric character\n"
		"labels[\"x\"]: a valid label must be an empty string or consist of "
		"alphanumeric characters, '-', '_' or '.', and must start and end "
		"with an alphanumeric character");
}

static void the_writer_sets_labels_and_identity(void **state)
{
	struct doc doc = doc_by(ROUTE("{kuma.io/display-name: other}"), AT_HOME);

	(void)state;
	assert_int_equal(doc.res->labels.count, 2);
	assert_string_equal(labels_get(doc.res->labels, LABEL_DISPLAY_NAME), "r");
	assert_string_equal(labels_get(doc.res->labels, LABEL_ORIGIN), "global");
	assert_int_equal(doc.res->origin, ORIGIN_GLOBAL);
	assert_string_equal(doc.res->key.zone, "");
	assert_string_equal(doc.res->key.mesh, "default");
	doc_free(&doc);

	doc = doc_by(ROUTE("{kuma.io/origin: zone}"), IN_EAST);
	assert_string_equal(labels_get(doc.res->labels, LABEL_ZONE), "east");
	assert_int_equal(doc.res->origin, ORIGIN_ZONE);
	assert_string_equal(doc.res->key.zone, "east");
	doc_free(&doc);

	doc = doc_by("{type: Dataplane, name: d, networking: {address: a}}", IN_EAST);
	assert_string_equal(doc.res->key.zone, "east");
	assert_int_equal(doc.res->origin, ORIGIN_ZONE);
	doc_free(&doc);

	doc = doc_of(ROUTE("{kuma.io/zone: east}"));
	assert_string_equal(doc.res->key.zone, "");
	doc_free(&doc);
}

static void kinds_have_their_places(void **state)
{
	struct resource_rules alone = { .writer = WRITER_ZONE,
					.zone = "east",
					.alone = 1 };
	static const char MESH[] = "{type: Mesh, name: m}";

	(void)state;
	assert_found("{type: Dataplane, name: d, networking: {address: a}}", AT_HOME,
		     "type: kind Dataplane is written in a zone");
	assert_found(MESH, IN_EAST, "type: kind Mesh is written at global");
	assert_found(MESH, alone, "");
	assert_found(ROUTE("{}"), alone, "");
	struct doc doc = doc_by(MESH, alone);
	assert_string_equal(doc.res->key.zone, "");
	doc_free(&doc);
}

static void body_and_url_agree(void **state)
{
	struct resource_rules rules = { .writer = WRITER_GLOBAL,
					.zone = "",
					.want_kind = KIND_MESH_TCP_ROUTE,
					.want_mesh = "m",
					.want_name = "n" };

	(void)state;
	assert_found("{type: MeshTCPRoute, name: n, mesh: m, spec: {}}", rules, "");
	assert_found("{type: MeshTCPRoute, name: n, spec: {}}", rules, "");
	assert_found("{type: MeshTCPRoute, name: r, mesh: k, spec: {}}", rules,
		     "name: name from the URL has to be the same as in body\n"
		     "mesh: mesh from the URL has to be the same as in body");
	assert_found("{type: Mesh, name: n}", rules,
		     "type: type from the URL has to be the same as in body");
}

#define K8S(ns, labels, to)                                                       \
	"{apiVersion: kuma.io/v1alpha1, kind: MeshTCPRoute, metadata: {name: r, " \
	"namespace: " ns ", labels: " labels "}, spec: {to: " to "}}"
#define OWN "{targetRef: {kind: MeshService, name: b}}"
#define OTHER "{targetRef: {kind: MeshService, name: b, namespace: other}}"

static const char *role_in(struct doc *doc)
{
	assert_non_null(doc->res);
	return labels_get(doc->res->labels, LABEL_ROLE);
}

static void roles_follow_the_namespace(void **state)
{
	static const struct {
		const char *yaml, *role;
	} CASES[] = {
		{ K8S("zonelink-system", "{}", "[" OTHER "]"), "system" },
		{ K8S("app", "{}", "[" OWN "]"), "producer" },
		{ K8S("app", "{}", "[" OTHER ", " OTHER "]"), "consumer" },
		{ K8S("app", "{kuma.io/policy-role: consumer}",
		      "[{targetRef: {kind: MeshExternalService, name: b}}]"),
		  "consumer" },
		{ K8S("app", "{}",
		      "[{targetRef: {kind: MeshService, labels: "
		      "{kuma.io/display-name: b, k8s.kuma.io/namespace: app}}}]"),
		  "producer" },
		{ K8S("app", "{}",
		      "[{targetRef: {kind: MeshService, labels: "
		      "{kuma.io/display-name: b, kuma.io/zone: z}}}]"),
		  "consumer" },
		{ K8S("app", "{}", "null"), "workload-owner" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct doc doc = doc_of(CASES[i].yaml);
		assert_string_equal(role_in(&doc), CASES[i].role);
		assert_string_equal(doc.res->key.name, "r");
		doc_free(&doc);
	}
	struct resource_rules any = { .zone = "" };
	assert_found(
		K8S("app", "{}", "[" OWN ", " OTHER "]"), any,
		"spec.to: it's not allowed to mix producer and consumer items in the "
		"same policy");
	assert_found(K8S("app", "{kuma.io/policy-role: system}", "[" OWN "]"), any,
		     "labels[\"kuma.io/policy-role\"]: kuma.io/policy-role label should "
		     "have producer value, got system");
	assert_found(K8S("app", "{}", "[" OWN "]"), AT_HOME,
		     "metadata.namespace: on Global CP the policy can be created only in "
		     "the system namespace:kuma-system");
	assert_found(
		"{apiVersion: kuma.io/v1alpha1, kind: MeshTCPRoute, metadata: {name: "
		"r, namespace: app}, spec: {targetRef: {kind: MeshGateway, name: "
		"e}}}",
		any, "spec.targetRef.kind: value 'MeshGateway' is not supported");
}

/* ---- there and back ---- */
static void assert_same_again(const struct resource *res)
{
	struct resource *again = NULL;
	struct zl_err err = { 0 };

	assert_non_null(res);
	if (res == NULL)
		return; /* for the analyser, to which cmocka's asserts return */
	if (resource_from_json(res->json, res->json_len, &again, &err) != ZL_OK)
		fail_msg("%s: %s", err.msg, res->json);
	assert_string_equal(again->json, res->json);
	assert_int_equal(key_compare(&again->key, &res->key), 0);
	assert_int_equal(labels_compare(again->labels, res->labels), 0);
	assert_int_equal(again->origin, res->origin);

	struct zl_arena *arena = zl_arena_new();
	struct zl_buf json = { 0 };
	tree_json(resource_tree(again, arena), &json);
	assert_string_equal(zl_buf_text(&json), res->json);
	zl_buf_free(&json);
	zl_arena_free(&arena);
	resource_drop(&again);
}

static void check_example(const char *name)
{
	char path[512];
	static char bytes[1 << 16];
	struct zl_arena *arena = zl_arena_new();
	struct docs docs;
	struct zl_err err = { 0 };
	struct resource_rules rules = { .zone = "" };

	(void)snprintf(path, sizeof(path), "%s/tests/unit/model/examples/%s",
		       getenv("ZL_SOURCE_DIR"), name);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	assert_int_equal(read_yaml(bytes, len, arena, &docs, &err), ZL_OK);
	assert_true(docs.count > 0);
	for (size_t i = 0; i < docs.count; i++) {
		struct findings found = findings_in(arena);
		struct resource *res = resource_from_doc(docs.items[i], &rules, &found);
		if (res == NULL)
			fail_msg("%s: %s: %s", name, found.violations[0].field,
				 found.violations[0].reason);
		assert_same_again(res);
		resource_drop(&res);
	}
	zl_arena_free(&arena);
}

static void examples_of_the_documentation_are_valid(void **state)
{
	static const char *const NAMES[] = {
		"2.5-redirect-kubernetes.yaml",
		"2.5-redirect-universal.yaml",
		"2.5-same-destination-universal.yaml",
		"2.5-split-kubernetes.yaml",
		"2.5-split-universal.yaml",
		"2.9-redirect-kubernetes.yaml",
		"2.9-same-destination-kubernetes.yaml",
		"2.9-split-kubernetes.yaml",
		"2.10-labels-universal.yaml",
		"kinds.yaml",
		"routes.yaml",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++)
		check_example(NAMES[i]);
}

static void relabel_makes_a_copy(void **state)
{
	struct doc doc = doc_of("{type: Dataplane, name: d, labels: {a: b}, networking: "
				"{address: a}}");
	static const struct label SET[] = { { LABEL_ORIGIN, "zone" },
					    { LABEL_ZONE, "west" },
					    { "a", NULL } };

	(void)state;
	doc.res->mod_rev = 7;
	struct resource *copy = resource_relabel(doc.res, SET, ARRAY_LEN(SET));
	assert_string_equal(
		copy->json,
		"{\"labels\":{\"kuma.io/origin\":\"zone\",\"kuma.io/zone\":"
		"\"west\"},\"mesh\":\"default\",\"name\":\"d\",\"networking\":"
		"{\"address\":\"a\"},\"type\":\"Dataplane\"}");
	assert_string_equal(copy->key.zone, "west");
	assert_string_equal(copy->dataplane->address, "a");
	assert_int_equal(copy->origin, ORIGIN_ZONE);
	assert_true(copy->mod_rev == 7);
	assert_string_equal(labels_get(doc.res->labels, "a"), "b");
	resource_drop(&copy);
	doc_free(&doc);
}

static void stored_json_is_read_leniently_but_safely(void **state)
{
	static const char *const BAD[] = {
		"",
		"[]",
		"{}",
		"{\"type\":\"Nope\",\"name\":\"x\"}",
		"{\"type\":\"Zone\",\"name\":3}",
		"{\"type\":\"Zone\",\"name\":\"x\",\"enabled\":\"yes\"}",
		"{\"type\":\"MeshTCPRoute\",\"name\":\"x\",\"spec\":[]}",
		"{\"type\":\"MeshTCPRoute\",\"name\":\"x\",\"spec\":{\"to\":[3]}}",
		("{\"type\":\"MeshTCPRoute\",\"name\":\"x\",\"spec\":{\"targetRef\":{"
		 "\"kind\":\"Nope\"}}}"),
	};
	static const char NEWER[] =
		"{\"future\":{\"a\":1},\"name\":\"x\",\"type\":\"Zone\"}";
	struct resource *res = NULL;
	struct zl_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		assert_int_equal(resource_from_json(BAD[i], strlen(BAD[i]), &res, &err),
				 ZL_EINVAL);
		assert_null(res);
	}
	assert_int_equal(resource_from_json(NEWER, strlen(NEWER), &res, &err), ZL_OK);
	assert_string_equal(res->json, NEWER);
	assert_true(res->zone->enabled);
	resource_drop(&res);
}

static void findings_carry_where_they_are(void **state)
{
	struct doc doc = doc_of("{type: Zone, name: west}");
	struct zl_err err = { 0 };
	struct docs docs;
	static const char YAML[] = "type: Zone\nname: east\nenabled: 'no'\n";

	(void)state;
	doc.found.at.document = 4;
	doc.found.at.file = "f.yaml";
	assert_int_equal(read_yaml(YAML, strlen(YAML), doc.arena, &docs, &err), ZL_OK);
	struct resource_rules rules = { .zone = "" };
	assert_null(resource_from_doc(docs.items[0], &rules, &doc.found));
	const struct finding *finding = &doc.found.violations[0];
	assert_int_equal(finding->document, 4);
	assert_string_equal(finding->file, "f.yaml");
	assert_string_equal(finding->kind, "Zone");
	assert_string_equal(finding->name, "east");
	assert_int_equal(finding->line, 3);
	assert_int_equal(finding->column, 10);
	assert_string_equal(doc.found.at.kind, "");
	/* violations of one document do not refuse the next */
	assert_int_equal(read_yaml("{type: Zone, name: x}", 21, doc.arena, &docs, &err),
			 ZL_OK);
	struct resource *res = resource_from_doc(docs.items[0], &rules, &doc.found);
	assert_non_null(res);
	resource_drop(&res);
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_have_one_canonical_form),
		cmocka_unit_test(an_alias_in_labels_and_tags_is_left_alone),
		cmocka_unit_test(heads_are_checked),
		cmocka_unit_test(labels_have_rules),
		cmocka_unit_test(the_writer_sets_labels_and_identity),
		cmocka_unit_test(kinds_have_their_places),
		cmocka_unit_test(body_and_url_agree),
		cmocka_unit_test(roles_follow_the_namespace),
		cmocka_unit_test(examples_of_the_documentation_are_valid),
		cmocka_unit_test(relabel_makes_a_copy),
		cmocka_unit_test(stored_json_is_read_leniently_but_safely),
		cmocka_unit_test(findings_carry_where_they_are),
	};
	return cmocka_run_group_tests_name("model/resource", tests, NULL, NULL);
}
