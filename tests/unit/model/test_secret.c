/* The rows of kinds-spec 14 (Secret), in both forms. */
#include "doc.h"

#include <stdlib.h>

#define SECRET(fields) "{type: Secret, name: s, " fields "}"
#define K8S(rest) "{apiVersion: v1, kind: Secret, " rest "}"
#define K8S_META "metadata: {name: s, namespace: kuma-system, labels: {kuma.io/mesh: m}}"
#define K8S_TYPE "type: system.kuma.io/secret"

/* clang-format off */
static const struct doc_case CASES[] = {
	{ SECRET("data: aGVsbG8="), NULL, NULL },
	{ SECRET("data: ''"), NULL, NULL },
	{ SECRET("spec: {data: aGVsbG8=}"), NULL, NULL },
	{ "{type: Secret, name: s}", "data: must be defined", NULL },
	{ SECRET("spec: {}"), "spec.data: must be defined", NULL },
	{ SECRET("data: null"), "data: must be defined", NULL },
	{ SECRET("data: hello"), "data: must be base64", NULL },
	{ SECRET("data: aGVsbG8"), "data: must be base64", NULL },
	{ SECRET("data: aGVs-G8="), "data: must be base64", NULL },
	{ SECRET("data: a==="), "data: must be base64", NULL },
	{ SECRET("data: 'aGVs bG8='"), "data: must be base64", NULL },
	{ SECRET("data: 17"), "data: must be a string, not a number: quote it, \"17\"", NULL },
	{ SECRET("data: aGk=, value: aGk="), "value: unknown field", NULL },
	{ K8S(K8S_TYPE ", " K8S_META ", data: {value: aGk=}"), NULL, NULL },
	{ K8S(K8S_TYPE ", " K8S_META ", data: {value: hi}"), "data.value: must be base64", NULL },
	{ K8S(K8S_TYPE ", " K8S_META), "data.value: must be defined", NULL },
	{ K8S(K8S_TYPE ", " K8S_META ", data: {value: 1}"), "data.value: must be a string, not a number: quote it, \"1\"", NULL },
	{ K8S(K8S_TYPE ", " K8S_META ", data: {value: aGk=, more: aGk=}"), "data.more: unknown field", NULL },
	{ K8S("type: Opaque, " K8S_META ", data: {value: aGk=}"), "type: value 'Opaque' is not supported", NULL },
	{ K8S(K8S_META ", data: {value: aGk=}"), "type: must be system.kuma.io/secret", NULL },
	{ "{apiVersion: kuma.io/v1alpha1, kind: Secret, metadata: {name: s}}", "apiVersion: must be v1", NULL },
	{ "{type: GlobalSecret, name: s, data: aGk=}", "type: kind GlobalSecret is not part of Zonelink", NULL },
};
/* clang-format on */

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(CASES, ARRAY_LEN(CASES));
}

/* A Secret whose content has so many bytes. */
static struct doc secret_of(size_t bytes)
{
	size_t digits = (bytes + 2) / 3 * 4;
	char *data = malloc(digits + 1);

	assert_non_null(data);
	memset(data, 'A', digits);
	memset(data + digits - (3 - bytes % 3) % 3, '=', (3 - bytes % 3) % 3);
	data[digits] = '\0';
	char *yaml = zl_format(SECRET("data: %s"), data);
	struct doc doc = doc_of(yaml);
	free(yaml);
	free(data);
	return doc;
}

static void at_most_64_kib(void **state)
{
	struct doc most = secret_of(65536);
	struct doc more = secret_of(65537);

	(void)state;
	assert_non_null(most.res);
	assert_string_equal(doc_violations(&more),
			    "data: must not be larger than 65536 bytes");
	doc_free(&most);
	doc_free(&more);
}

static void both_forms_are_one(void **state)
{
	struct doc one = doc_of("{type: Secret, mesh: m, name: s, data: aGk=}");
	struct doc other = doc_of(
		K8S(K8S_TYPE ", metadata: {name: s, namespace: x, labels: "
			     "{kuma.io/mesh: m}}, immutable: true, data: {value: aGk=}"));

	(void)state;
	assert_string_equal(one.res->secret->data, "aGk=");
	assert_string_equal(other.res->secret->data, "aGk=");
	assert_int_equal(key_compare(&one.res->key, &other.res->key), 0);
	assert_string_equal(other.res->key.mesh, "m");
	doc_free(&one);
	doc_free(&other);
}

static void what_is_stored_has_a_version(void **state)
{
	static const char JSON[] =
		"{\"mesh\":\"m\",\"name\":\"s\",\"type\":\"Secret\",\"version\":\"7f\"}";
	struct resource *res;
	struct zl_err err = { 0 };

	(void)state;
	assert_int_equal(resource_from_json(JSON, strlen(JSON), &res, &err), ZL_OK);
	assert_string_equal(res->secret->version, "7f");
	assert_string_equal(res->secret->data, "");
	resource_drop(&res);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(at_most_64_kib),
		cmocka_unit_test(both_forms_are_one),
		cmocka_unit_test(what_is_stored_has_a_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
