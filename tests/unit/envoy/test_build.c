/* What must hold for every config, whatever the routes. */
#include "sample.h"

#include "base/mem.h"
#include "support/seeds.h"

#include "proto/envoy.pb-c.h"

#include <string.h>

static const char *version_of(const struct envoy_config *config, enum envoy_type type,
			      const char *name)
{
	const struct envoy_resource *found = envoy_config_find(config, type, name);

	assert_non_null(found);
	return found->version;
}

static void a_change_of_weights_touches_the_extension_alone(void **state)
{
	const char *name = "outbound:127.0.0.1:10001";
	struct envoy_config *before =
		CONFIG(OUTBOUND(10001, "backend", TO("backend", BACKEND_EU, 90, EU),
				TO("backend", BACKEND_US, 10, US)));
	struct envoy_config *after =
		CONFIG(OUTBOUND(10001, "backend", TO("backend", BACKEND_EU, 80, EU),
				TO("backend", BACKEND_US, 20, US)));
	size_t count;
	const struct envoy_resource *items;

	(void)state;
	assert_string_not_equal(version_of(before, ENVOY_EXTENSION, name),
				version_of(after, ENVOY_EXTENSION, name));
	items = envoy_config_list(before, ENVOY_CLUSTER, &count);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(items[i].version,
				    version_of(after, ENVOY_CLUSTER, items[i].name));
	items = envoy_config_list(before, ENVOY_ENDPOINTS, &count);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(items[i].version,
				    version_of(after, ENVOY_ENDPOINTS, items[i].name));
	envoy_config_drop(&before);
	envoy_config_drop(&after);
}

static void a_listener_knows_nothing_of_its_policy(void **state)
{
	const char *name = "outbound:127.0.0.1:10001";
	struct envoy_config *configs[] = {
		CONFIG(OUTBOUND(10001, "backend", TO("backend", "backend", 1, EU, US))),
		CONFIG(OUTBOUND(10001, "backend", TO("backend", BACKEND_EU, 1, EU),
				TO("backend", BACKEND_US, 1, US))),
		CONFIG(OUTBOUND(10001, "backend", UNRESOLVED("gone", 1))),
		CONFIG(OUTBOUND(10001, "backend",
				TO("tcp-backend", "tcp-backend", 1, TCP)),
		       OUTBOUND(10002, "tcp-backend", TO_NOBODY("nobody", 1))),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(configs); i++)
		assert_string_equal(version_of(configs[i], ENVOY_LISTENER, name),
				    version_of(configs[0], ENVOY_LISTENER, name));
	for (size_t i = 0; i < ARRAY_LEN(configs); i++)
		envoy_config_drop(&configs[i]);
}

static void an_inbound_listener_knows_its_place_alone(void **state)
{
	struct inbound inbound = { .address = "",
				   .port = 8080,
				   .service_address = "",
				   .service_port = 80,
				   .tags = SERVICE("web") };
	const struct dataplane_spec spec = { .address = "192.168.0.1",
					     .advertised = "",
					     .inbounds = &inbound,
					     .inbound_count = 1 };
	struct routes routes = { .proxy = sample_proxy(&spec), .zone = "east" };
	struct envoy_config *before = envoy_build_proxy(&routes, NULL);
	struct envoy_config *after;
	const char *name = "inbound:192.168.0.1:8080";

	(void)state;
	inbound.tags = SERVICE("other");
	inbound.service_port = 81;
	inbound.state = INBOUND_NOT_READY;
	after = envoy_build_proxy(&routes, NULL);
	assert_string_equal(version_of(before, ENVOY_LISTENER, name),
			    version_of(after, ENVOY_LISTENER, name));
	assert_string_not_equal(version_of(before, ENVOY_EXTENSION, name),
				version_of(after, ENVOY_EXTENSION, name));
	envoy_config_drop(&before);
	envoy_config_drop(&after);
}

static void endpoints_change_without_their_cluster(void **state)
{
	struct envoy_config *none =
		CONFIG(OUTBOUND(10001, "backend", TO_NOBODY("backend", 1)));
	struct envoy_config *two =
		CONFIG(OUTBOUND(10001, "backend", TO("backend", "backend", 1, EU, US)));

	(void)state;
	assert_string_equal(version_of(none, ENVOY_CLUSTER, "backend"),
			    version_of(two, ENVOY_CLUSTER, "backend"));
	assert_string_not_equal(version_of(none, ENVOY_ENDPOINTS, "backend"),
				version_of(two, ENVOY_ENDPOINTS, "backend"));
	sample_whole(none);
	envoy_config_drop(&none);
	envoy_config_drop(&two);
}

static void services_may_be_called_like_our_own_clusters(void **state)
{
	const struct inbound inbound = { .address = "",
					 .port = 8080,
					 .service_address = "",
					 .service_port = 80,
					 .tags = SERVICE("web") };
	const struct dataplane_spec spec = { .address = "192.168.0.1",
					     .advertised = "",
					     .inbounds = &inbound,
					     .inbound_count = 1 };
	const struct outbound_route outbounds[] = {
		OUTBOUND(10001, "blackhole", TO("blackhole", "blackhole", 1, EU)),
		OUTBOUND(10002, "localhost:80", TO_NOBODY("localhost:80", 1)),
		OUTBOUND(10003, "gone", UNRESOLVED("gone", 1)),
	};
	struct routes routes = { .proxy = sample_proxy(&spec),
				 .zone = "east",
				 .outbounds = outbounds,
				 .outbound_count = ARRAY_LEN(outbounds) };

	(void)state;
	sample_golden(envoy_build_proxy(&routes, NULL), "names");
}

static Envoy__ClusterLoadAssignment *assignment_of(const struct envoy_config *config,
						   const char *name)
{
	const struct envoy_resource *found =
		envoy_config_find(config, ENVOY_ENDPOINTS, name);

	assert_non_null(found);
	return envoy__cluster_load_assignment__unpack(NULL, found->len, found->bytes);
}

static void host_names_are_no_endpoints(void **state)
{
	struct envoy_config *config = CONFIG(
		OUTBOUND(10001, "backend",
			 TO("backend", "backend", 1,
			    AT("east", "db.example.org", 1, 1, 0, SERVICE("backend")),
			    AT("west", "10.0.0.1", 2, 7, 1, SERVICE("backend")))));
	Envoy__ClusterLoadAssignment *assignment = assignment_of(config, "backend");

	(void)state;
	sample_whole(config);
	assert_int_equal(assignment->n_endpoints, 1);
	assert_int_equal(assignment->endpoints[0]->priority, 0);
	assert_int_equal(assignment->endpoints[0]->n_lb_endpoints, 1);
	assert_null(assignment->endpoints[0]->lb_endpoints[0]->metadata);
	envoy__cluster_load_assignment__free_unpacked(assignment, NULL);
	envoy_config_drop(&config);
}

static void one_listener_of_a_name(void **state)
{
	struct envoy_config *config = CONFIG(OUTBOUND(10001, "a", TO("a", "a", 1, EU)),
					     OUTBOUND(10001, "b", TO("b", "b", 1, EU)));
	size_t count;

	(void)state;
	sample_whole(config);
	(void)envoy_config_list(config, ENVOY_LISTENER, &count);
	assert_int_equal(count, 1);
	envoy_config_drop(&config);
}

/* ---- any routes ---- */

enum { SERVICES = 6, OUTBOUNDS = 8, BACKENDS = 5 };

static struct backend dice_backend(struct dice *dice)
{
	static const char *const NAMES[SERVICES] = { "a",          "b", "blackhole",
						     "blackhole_", "e", "f" };
	static const struct endpoint ENDPOINTS[SERVICES] = {
		{ .zone = "east", .address = "10.0.0.1", .port = 1, .weight = 1 },
		{ .zone = "east", .address = "10.0.0.2", .port = 2, .weight = 1 },
		{ .zone = "west",
		  .address = "10.0.0.3",
		  .port = 3,
		  .weight = 3,
		  .priority = 1 },
		{ .zone = "west",
		  .address = "no-ip",
		  .port = 4,
		  .weight = 3,
		  .priority = 2 },
		{ .zone = "", .address = "::1", .port = 5, .weight = 1, .priority = 3 },
		{ .zone = "z",
		  .address = "10.0.0.6",
		  .port = 6,
		  .weight = UINT32_MAX,
		  .priority = 4 },
	};
	size_t service = dice_below(dice, SERVICES);

	if (dice_chance(dice, 30))
		return UNRESOLVED("gone", dice_below(dice, 3));
	struct backend backend =
		TO_NOBODY(NAMES[service], 1 + dice_below(dice, UINT32_MAX));
	backend.endpoints = ENDPOINTS; /* a function of the cluster, as from policy */
	backend.endpoint_count = service;
	return backend;
}

static const char *any_routes(uint64_t seed)
{
	struct dice dice = { seed };
	struct backend backends[OUTBOUNDS][BACKENDS];
	const struct outbound_route any = OUTBOUND(0, "any", UNRESOLVED("gone", 1));
	struct outbound_route outbounds[OUTBOUNDS];
	struct envoy_config *first;
	struct envoy_config *second;
	size_t count;
	size_t others;

	for (unsigned i = 0; i < OUTBOUNDS; i++) {
		outbounds[i] = any;
		outbounds[i].port = 10000 + i;
		outbounds[i].unresolved = dice_chance(&dice, 50) ? UNRESOLVED_RENORMALISE
								 : UNRESOLVED_BLACKHOLE;
		outbounds[i].backends = backends[i];
		outbounds[i].backend_count = 1 + dice_below(&dice, BACKENDS);
		for (size_t k = 0; k < outbounds[i].backend_count; k++)
			backends[i][k] = dice_backend(&dice);
	}
	first = sample_config(outbounds, OUTBOUNDS);
	second = sample_config(outbounds, OUTBOUNDS);
	sample_whole(first);
	for (int type = 0; type < ENVOY_TYPES; type++) {
		const struct envoy_resource *a =
			envoy_config_list(first, (enum envoy_type)type, &count);
		const struct envoy_resource *b =
			envoy_config_list(second, (enum envoy_type)type, &others);
		assert_int_equal(count, others);
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(a[i].len, b[i].len);
			assert_memory_equal(a[i].bytes, b[i].bytes, a[i].len);
		}
	}
	envoy_config_drop(&first);
	envoy_config_drop(&second);
	return NULL;
}

static void any_routes_give_a_whole_config(void **state)
{
	(void)state;
	seeds_run(500, any_routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_of_weights_touches_the_extension_alone),
		cmocka_unit_test(a_listener_knows_nothing_of_its_policy),
		cmocka_unit_test(an_inbound_listener_knows_its_place_alone),
		cmocka_unit_test(endpoints_change_without_their_cluster),
		cmocka_unit_test(services_may_be_called_like_our_own_clusters),
		cmocka_unit_test(host_names_are_no_endpoints),
		cmocka_unit_test(one_listener_of_a_name),
		cmocka_unit_test(any_routes_give_a_whole_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
