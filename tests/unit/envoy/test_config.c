#include "envoy/config.h"
#include "support/test.h"

#include <string.h>

static const struct envoy_resource ITEMS[] = {
	{ .type = ENVOY_LISTENER, .name = "b", .bytes = "22", .len = 2 },
	{ .type = ENVOY_CLUSTER, .name = "z", .bytes = "1", .len = 1 },
	{ .type = ENVOY_LISTENER, .name = "a", .bytes = "22", .len = 2 },
	{ .type = ENVOY_LISTENER, .name = "ab", .bytes = "333", .len = 3 },
	{ .type = ENVOY_EXTENSION, .name = "b", .bytes = "", .len = 0 },
};

static void resources_are_sorted_and_found(void **state)
{
	struct envoy_config *config = envoy_config_new(ITEMS, ARRAY_LEN(ITEMS));
	const struct envoy_resource *list;
	size_t count;

	(void)state;
	list = envoy_config_list(config, ENVOY_LISTENER, &count);
	assert_int_equal(count, 3);
	assert_string_equal(list[0].name, "a");
	assert_string_equal(list[1].name, "ab");
	assert_string_equal(list[2].name, "b");
	assert_ptr_equal(envoy_config_find(config, ENVOY_LISTENER, "ab"), &list[1]);
	assert_non_null(envoy_config_find(config, ENVOY_EXTENSION, "b"));
	assert_null(envoy_config_find(config, ENVOY_CLUSTER, "b"));
	assert_null(envoy_config_find(config, ENVOY_ENDPOINTS, "b"));
	assert_null(envoy_config_find(config, ENVOY_LISTENER, ""));
	(void)envoy_config_list(config, ENVOY_ROUTES, &count);
	assert_int_equal(count, 0);
	envoy_config_drop(&config);
	assert_null(config);
	envoy_config_drop(&config);
}

static void a_version_is_of_the_bytes(void **state)
{
	struct envoy_config *config = envoy_config_new(ITEMS, ARRAY_LEN(ITEMS));
	const struct envoy_resource *a = envoy_config_find(config, ENVOY_LISTENER, "a");
	const struct envoy_resource *b = envoy_config_find(config, ENVOY_LISTENER, "b");
	const struct envoy_resource *ab = envoy_config_find(config, ENVOY_LISTENER, "ab");

	(void)state;
	assert_string_equal(a->version, b->version);
	assert_string_not_equal(a->version, ab->version);
	assert_int_equal(strlen(a->version), 16);
	envoy_config_drop(&config);
}

static void a_held_config_lives_on(void **state)
{
	struct envoy_config *config = envoy_config_new(ITEMS, ARRAY_LEN(ITEMS));
	struct envoy_config *held = envoy_config_hold(config);

	(void)state;
	envoy_config_drop(&config);
	assert_non_null(envoy_config_find(held, ENVOY_CLUSTER, "z"));
	envoy_config_drop(&held);
}

static void types_have_urls(void **state)
{
	(void)state;
	for (int type = 0; type < ENVOY_TYPES; type++)
		assert_int_equal(envoy_type_of(envoy_type_url((enum envoy_type)type)),
				 type);
	assert_int_equal(envoy_type_of("type.googleapis.com/other"), ENVOY_TYPES);
	assert_int_equal(envoy_type_of(""), ENVOY_TYPES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resources_are_sorted_and_found),
		cmocka_unit_test(a_version_is_of_the_bytes),
		cmocka_unit_test(a_held_config_lives_on),
		cmocka_unit_test(types_have_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
