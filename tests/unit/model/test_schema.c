/* The table itself: every field is described, every path is found, names are suggested.
 */
#include "model/schema.h"

#include "support/test.h"

#include <string.h>

static void look_at(const struct schema *schema, int depth)
{
	assert_true(depth < 12);
	assert_non_null(schema->name);
	for (size_t i = 0; i < schema->count; i++) {
		const struct field *field = &schema->fields[i];
		assert_non_null(field->name);
		if (field->doc == NULL || field->doc[strlen(field->doc) - 1] != '.')
			fail_msg("%s.%s: no sentence", schema->name, field->name);
		if (field->type == FIELD_OBJECT)
			assert_non_null(field->sub);
		if (field->type == FIELD_ENUM)
			assert_non_null(field->values);
		if (field->sub != NULL)
			look_at(field->sub, depth + 1);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(field->name, schema->fields[j].name);
	}
}

static void every_field_is_described(void **state)
{
	(void)state;
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		assert_non_null(schema_of((enum kind)kind));
		look_at(schema_of((enum kind)kind), 0);
	}
	assert_null(schema_of(KIND_NONE));
}

static const struct field *found(const char *path)
{
	const struct schema *object;

	return schema_find(path, &object);
}

static void paths_lead_to_fields(void **state)
{
	const struct schema *object = NULL;
	static const char WEIGHT[] =
		"meshtcproute.spec.to.rules.default.backendRefs.weight";

	(void)state;
	assert_string_equal(schema_find(WEIGHT, &object)->fallback, "1");
	assert_string_equal(object->name, "BackendRef");
	assert_ptr_equal(found("mtcpr.to.rules.default.backendRefs.weight"),
			 found(WEIGHT));
	assert_ptr_equal(found("MeshTCPRoute.to.rules.default.backendRefs.weight"),
			 found(WEIGHT));
	assert_string_equal(found("dataplane.networking.inbound.port")->name, "port");
	assert_string_equal(found("mesh.routing")->name, "routing");

	assert_null(schema_find("mesh", &object));
	assert_ptr_equal(object, schema_of(KIND_MESH));
	assert_null(schema_find("mesh.spec", &object));
	assert_ptr_equal(object, schema_of(KIND_MESH));
	static const char *const NOWHERE[] = { "",
					       ".",
					       "nonsense",
					       "mesh.",
					       "mesh..x",
					       "mesh.nope",
					       "mesh.routing.zoneEgress.x" };
	for (size_t i = 0; i < ARRAY_LEN(NOWHERE); i++) {
		assert_null(schema_find(NOWHERE[i], &object));
		if (strcmp(NOWHERE[i], "mesh.") != 0)
			assert_null(object);
	}
}

static void close_names_are_suggested(void **state)
{
	const struct schema *route = schema_of(KIND_MESH_TCP_ROUTE);
	const struct schema *ref = found("mtcpr.to.targetRef")->sub;

	(void)state;
	assert_string_equal(schema_nearest(route, "targetref"), "targetRef");
	assert_string_equal(schema_nearest(route, "tragetRef"), "targetRef");
	assert_string_equal(schema_nearest(route, "too"), "to");
	assert_string_equal(schema_nearest(ref, "nmae"), "name");
	assert_string_equal(schema_nearest(ref, "sectionname"), "sectionName");
	assert_string_equal(schema_nearest(ref, "prot"), "port");
	assert_null(schema_nearest(ref, "colour"));
	assert_null(schema_nearest(ref, ""));
	assert_null(schema_nearest(route, "form")); /* from is no field of a route */
	char longer[200];
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_null(schema_nearest(ref, longer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_described),
		cmocka_unit_test(paths_lead_to_fields),
		cmocka_unit_test(close_names_are_suggested),
	};
	return cmocka_run_group_tests_name("model/schema", tests, NULL, NULL);
}
