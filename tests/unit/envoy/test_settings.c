/* What policies that attach to routes make of listeners, routes and clusters. */
#include "sample_settings.h"

#include "proto/envoy.pb-c.h"

#include <string.h>

/* ---- every field ---- */

static void every_field_of_connections(void **state)
{
	struct outbound_route outbound =
		OUTBOUND(10001, "backend", TO("backend", "backend", 1, EU));
	struct backend backend = outbound.backends[0];

	(void)state;
	backend.settings = &EVERYTHING;
	outbound.backends = &backend;
	outbound.settings = &EVERYTHING;
	sample_golden(CONFIG(outbound), "settings-tcp");
}

static void every_field_of_requests(void **state)
{
	struct outbound_route outbounds[] = {
		OUTBOUND(10001, "backend", TO("backend", BACKEND_EU, 1, EU)),
		OUTBOUND(10002, "other-backend", TO("other", BACKEND_US, 1, US)),
	};
	struct backend backends[] = { outbounds[0].backends[0],
				      outbounds[1].backends[0] };
	const struct request_route rules[] = {
		{ .backends = &backends[0], .backend_count = 1, .settings = &EVERYTHING },
	};

	(void)state;
	backends[0].protocol = "http2";
	backends[1].protocol = "grpc";
	for (size_t i = 0; i < ARRAY_LEN(outbounds); i++) {
		backends[i].settings = &EVERYTHING;
		outbounds[i].settings = &EVERYTHING;
		outbounds[i].http = true;
		outbounds[i].destination.protocol = backends[i].protocol;
		outbounds[i].backends = &backends[i];
	}
	outbounds[0].rules = rules;
	outbounds[0].rule_count = 1;
	sample_golden(sample_config(outbounds, 2), "settings-http");
}

static void every_field_of_inbounds(void **state)
{
	const struct inbound inbounds[] = {
		{ .address = "",
		  .port = 8080,
		  .service_address = "",
		  .service_port = 80,
		  .tags = SERVICE("web") },
		{ .address = "",
		  .port = 8081,
		  .service_address = "",
		  .service_port = 81,
		  .tags = LABELS({ TAG_PROTOCOL, "http" }, { TAG_SERVICE, "api" }) },
	};
	const struct dataplane_spec spec = { .address = "192.168.0.1",
					     .advertised = "",
					     .inbounds = inbounds,
					     .inbound_count = 2 };
	const struct settings asked = { .timeout = &EVERY_TIMEOUT,
					.breaker = &EVERY_BREAKER,
					.log = &EVERY_LOG };
	const struct inbound_route served[] = {
		{ .inbound = &inbounds[0], .settings = &asked },
		{ .inbound = &inbounds[1], .settings = &asked },
	};
	const struct routes routes = { .proxy = sample_proxy(&spec),
				       .zone = "east",
				       .inbounds = served,
				       .inbound_count = 2 };

	(void)state;
	sample_golden(envoy_build_proxy(&routes, NULL), "settings-inbound");
}

/* ---- P5, P7 ---- */

static void listeners_know_nothing_of_settings(void **state)
{
	const struct settings none = { 0 };
	struct outbound_route outbound =
		OUTBOUND(10001, "backend", TO("backend", "backend", 1, EU));
	struct envoy_config *plain = CONFIG(outbound);
	struct backend backend = outbound.backends[0];
	size_t count;

	(void)state;
	outbound.settings = backend.settings = &none;
	outbound.backends = &backend;
	struct envoy_config *empty = CONFIG(outbound);
	outbound.settings = backend.settings = &EVERYTHING;
	struct envoy_config *full = CONFIG(outbound);
	for (int type = 0; type < ENVOY_TYPES; type++) {
		const struct envoy_resource *items =
			envoy_config_list(plain, (enum envoy_type)type, &count);
		for (size_t i = 0; i < count; i++) {
			const char *name = items[i].name;
			const struct envoy_resource *other =
				envoy_config_find(empty, items[i].type, name);
			assert_string_equal(items[i].version, other->version);
			other = envoy_config_find(full, items[i].type, name);
			if (type == ENVOY_LISTENER || type == ENVOY_ENDPOINTS)
				assert_string_equal(items[i].version, other->version);
			else
				assert_string_not_equal(items[i].version, other->version);
		}
	}
	envoy_config_drop(&plain);
	envoy_config_drop(&empty);
	envoy_config_drop(&full);
}

/* ---- single clusters ---- */

static Envoy__Cluster *cluster_in(struct envoy_config *config, const char *name)
{
	const struct envoy_resource *item =
		envoy_config_find(config, ENVOY_CLUSTER, name);

	assert_non_null(item);
	return envoy__cluster__unpack(NULL, item->len, item->bytes);
}

/* The cluster of a backend that speaks protocol, with these settings, by one outbound
 * over HTTP, one over TCP, or both. */
static Envoy__Cluster *cluster_of(const char *protocol, const struct settings *settings,
				  bool http, bool raw)
{
	struct outbound_route outbounds[] = {
		OUTBOUND(10001, "backend", TO("backend", "backend", 1, EU)),
		OUTBOUND(10002, "backend", TO("backend", "backend", 1, EU)),
	};
	struct backend backend = outbounds[0].backends[0];
	struct envoy_config *config;
	Envoy__Cluster *cluster;

	backend.protocol = protocol;
	backend.settings = settings;
	outbounds[0].backends = outbounds[1].backends = &backend;
	outbounds[0].http = true;
	config = http && raw ? sample_config(outbounds, 2)
			     : sample_config(&outbounds[http ? 0 : 1], 1);
	cluster = cluster_in(config, "backend");
	envoy_config_drop(&config);
	return cluster;
}

static unsigned checker(const char *protocol, const struct health_conf *conf, bool http,
			bool raw)
{
	const struct settings settings = { .health = conf };
	Envoy__Cluster *cluster = cluster_of(protocol, &settings, http, raw);
	unsigned found = cluster->n_health_checks > 0
				 ? cluster->health_checks[0]->health_checker_case
				 : 0;

	/* An endpoint that is withdrawn goes, however well it is. */
	assert_int_equal(cluster->ignore_health_on_host_removal, found != 0);
	envoy__cluster__free_unpacked(cluster, NULL);
	return found;
}

static void a_check_speaks_what_the_backend_speaks(void **state)
{
	const unsigned tcp = ENVOY__HEALTH_CHECK__HEALTH_CHECKER_TCP_HEALTH_CHECK;
	const unsigned http = ENVOY__HEALTH_CHECK__HEALTH_CHECKER_HTTP_HEALTH_CHECK;
	const unsigned grpc = ENVOY__HEALTH_CHECK__HEALTH_CHECKER_GRPC_HEALTH_CHECK;
	struct health_conf conf = EVERY_CHECK;

	(void)state;
	assert_int_equal(checker("http", &conf, true, false), http);
	assert_int_equal(checker("http2", &conf, true, false), http);
	assert_int_equal(checker("grpc", &conf, true, false), grpc);
	assert_int_equal(checker("kafka", &conf, false, true), tcp);
	assert_int_equal(checker("tcp", &conf, true, false), tcp);
	/* A TcpProxy hands on anything. */
	assert_int_equal(checker("http", &conf, false, true), tcp);
	assert_int_equal(checker("http", &conf, true, true), tcp);
	/* Its own that is disabled leaves it to tcp, one that is not there to nobody. */
	conf.http.disabled = conf.grpc.disabled = true;
	assert_int_equal(checker("http", &conf, true, false), tcp);
	assert_int_equal(checker("grpc", &conf, true, false), tcp);
	conf.tcp.disabled = true;
	assert_int_equal(checker("http", &conf, true, false), 0);
	assert_int_equal(checker("tcp", &conf, false, true), 0);
	conf = EVERY_CHECK;
	conf.http.set = conf.grpc.set = false;
	assert_int_equal(checker("http", &conf, true, false), 0);
	assert_int_equal(checker("grpc", &conf, true, false), 0);
	conf.tcp.set = false;
	assert_int_equal(checker("tcp", &conf, false, true), 0);
}

static void what_no_limit_is_written_for_has_none(void **state)
{
	const struct breaker_conf conf = { .has_limits = true, .connections = NUMBER(2) };
	const struct settings settings = { .breaker = &conf };
	Envoy__Cluster *cluster = cluster_of("tcp", &settings, false, true);
	const Envoy__CircuitBreakers__Thresholds *limits =
		cluster->circuit_breakers->thresholds[0];

	(void)state;
	assert_true(limits->track_remaining);
	assert_int_equal(limits->max_connections->value, 2);
	assert_int_equal(limits->max_pending_requests->value, UINT32_MAX);
	assert_int_equal(limits->max_requests->value, UINT32_MAX);
	assert_null(limits->max_retries);
	assert_null(limits->max_connection_pools);
	assert_null(cluster->outlier_detection);
	envoy__cluster__free_unpacked(cluster, NULL);
}

static void a_detector_that_nobody_named_is_not_enforced(void **state)
{
	struct breaker_conf conf = { .has_detection = true, .gateway = NUMBER(4) };
	const struct settings settings = { .breaker = &conf };
	Envoy__Cluster *cluster = cluster_of("tcp", &settings, false, true);
	const Envoy__OutlierDetection *found = cluster->outlier_detection;

	(void)state;
	assert_int_equal(found->consecutive_gateway_failure->value, 4);
	assert_int_equal(found->enforcing_consecutive_gateway_failure->value, 100);
	assert_int_equal(found->enforcing_consecutive_5xx->value, 0);
	assert_int_equal(found->enforcing_consecutive_local_origin_failure->value, 0);
	assert_int_equal(found->enforcing_success_rate->value, 0);
	assert_int_equal(found->enforcing_local_origin_success_rate->value, 0);
	assert_int_equal(found->enforcing_failure_percentage->value, 0);
	assert_int_equal(found->enforcing_failure_percentage_local_origin->value, 0);
	assert_null(found->interval);
	assert_null(found->max_ejection_percent);
	envoy__cluster__free_unpacked(cluster, NULL);

	/* A legacy one that is written as {}. */
	conf.has_total = true;
	cluster = cluster_of("tcp", &settings, false, true);
	assert_null(cluster->outlier_detection->consecutive_5xx);
	assert_int_equal(cluster->outlier_detection->enforcing_consecutive_5xx->value,
			 100);
	envoy__cluster__free_unpacked(cluster, NULL);
}

static void a_breaker_says_when_to_panic_before_a_check_does(void **state)
{
	struct breaker_conf breaker = { .has_detection = true, .panic = { true, 10 } };
	struct health_conf health = EVERY_CHECK;
	const struct settings settings = { .breaker = &breaker, .health = &health };
	Envoy__Cluster *cluster = cluster_of("tcp", &settings, false, true);

	(void)state;
	assert_float_equal(cluster->common_lb_config->healthy_panic_threshold->value, 10,
			   0);
	envoy__cluster__free_unpacked(cluster, NULL);
	breaker.panic.set = false;
	cluster = cluster_of("tcp", &settings, false, true);
	assert_float_equal(cluster->common_lb_config->healthy_panic_threshold->value,
			   62.9, 0);
	envoy__cluster__free_unpacked(cluster, NULL);
}

/* Envoy has one place for sharing by group and for closing in panic. */
static void groups_of_endpoints_close_by_another_word(void **state)
{
	const struct settings settings = { .health = &EVERY_CHECK };
	struct outbound_route outbound =
		OUTBOUND(10001, "backend", TO("backend", "backend", 1, EU));
	struct backend backend = outbound.backends[0];
	struct endpoint endpoint = backend.endpoints[0];
	struct envoy_config *config;
	Envoy__Cluster *cluster;

	(void)state;
	endpoint.group_weight = 1;
	backend.endpoints = &endpoint;
	backend.settings = &settings;
	backend.by_group = true;
	outbound.backends = &backend;
	config = CONFIG(outbound);
	cluster = cluster_in(config, "backend");
	assert_int_equal(
		cluster->common_lb_config->locality_config_specifier_case,
		ENVOY__CLUSTER__COMMON_LB_CONFIG__LOCALITY_CONFIG_SPECIFIER_LOCALITY_WEIGHTED_LB_CONFIG);
	assert_float_equal(cluster->common_lb_config->healthy_panic_threshold->value, 0,
			   0);
	envoy__cluster__free_unpacked(cluster, NULL);
	envoy_config_drop(&config);
}

static void http_timeouts_are_of_clusters_that_requests_reach(void **state)
{
	const struct settings settings = { .timeout = &EVERY_TIMEOUT };
	Envoy__Cluster *plain = cluster_of("tcp", NULL, false, true);
	Envoy__Cluster *raw = cluster_of("http", &settings, false, true);
	Envoy__Cluster *both = cluster_of("http", &settings, true, true);

	(void)state;
	assert_int_equal(raw->typed_extension_protocol_options[0]->value->value.len,
			 plain->typed_extension_protocol_options[0]->value->value.len);
	assert_true(both->typed_extension_protocol_options[0]->value->value.len >
		    raw->typed_extension_protocol_options[0]->value->value.len);
	assert_int_equal(raw->connect_timeout->nanos, 300000000);
	envoy__cluster__free_unpacked(plain, NULL);
	envoy__cluster__free_unpacked(raw, NULL);
	envoy__cluster__free_unpacked(both, NULL);
}

/* ---- what a mesh with mTLS has without them ---- */

static bool any_identity(void *owner, const struct envoy_holder *holder,
			 struct envoy_identity *out)
{
	(void)owner;
	(void)holder;
	zl_buf_str(&out->chain, "chain");
	zl_buf_str(&out->key, "key");
	zl_buf_str(&out->roots, "roots");
	return true;
}

/* A proxy of such a mesh, and an instance of backend in its own zone. */
static struct envoy_config *watched(const struct settings *settings)
{
	static const struct mesh_backend signer = { .name = "ca" };
	static const struct mesh_spec mesh = { .mtls_backend = "ca",
					       .backends = &signer,
					       .backend_count = 1 };
	static const struct dataplane_spec spec = { .address = "192.168.0.1",
						    .advertised = "" };
	const struct envoy_secrets secrets = { .identity = any_identity };
	const char *const uris[] = { "spiffe://default/web" };
	struct outbound_route outbound =
		OUTBOUND(10001, "backend", TO("backend", "backend", 1, EU));
	struct backend backend = outbound.backends[0];
	const struct routes routes = { .proxy = sample_proxy(&spec),
				       .zone = "east",
				       .mesh = &mesh,
				       .uris = uris,
				       .uri_count = 1,
				       .outbounds = &outbound,
				       .outbound_count = 1 };

	backend.settings = settings;
	backend.sni = "backend{mesh=default}";
	outbound.backends = &backend;
	return envoy_build_proxy(&routes, &secrets);
}

/* How many of the built-in are left, beside a check of whom the policy says. */
struct left {
	bool ejection, plain_check, asks_instances;
	size_t checks;
};

static struct left left_of(const struct settings *settings)
{
	struct envoy_config *config = watched(settings);
	Envoy__Cluster *cluster = cluster_in(config, "backend");
	const struct envoy_resource *item =
		envoy_config_find(config, ENVOY_ENDPOINTS, "backend");
	Envoy__ClusterLoadAssignment *assignment =
		envoy__cluster_load_assignment__unpack(NULL, item->len, item->bytes);
	const Envoy__Endpoint *endpoint =
		assignment->endpoints[0]->lb_endpoints[0]->endpoint;
	const struct left left = {
		.ejection = cluster->outlier_detection != NULL &&
			    cluster->outlier_detection->max_ejection_time != NULL,
		.plain_check =
			cluster->n_health_checks > 0 &&
			cluster->health_checks[0]->transport_socket_match_criteria !=
				NULL,
		.asks_instances = endpoint->health_check_config == NULL,
		.checks = cluster->n_health_checks,
	};

	assert_int_equal(cluster->n_transport_socket_matches, left.plain_check);
	envoy__cluster_load_assignment__free_unpacked(assignment, NULL);
	envoy__cluster__free_unpacked(cluster, NULL);
	envoy_config_drop(&config);
	return left;
}

static void expect_left(struct settings settings, struct left want)
{
	const struct left got = left_of(&settings);

	assert_int_equal(got.ejection, want.ejection);
	assert_int_equal(got.plain_check, want.plain_check);
	assert_int_equal(got.asks_instances, want.asks_instances);
	assert_int_equal(got.checks, want.checks);
}

static void a_policy_replaces_what_is_built_in(void **state)
{
	const struct breaker_conf limits = { .has_limits = true };
	const struct breaker_conf off = { .has_detection = true, .disabled = true };
	const struct breaker_conf other = { .has_detection = true, .total = NUMBER(3) };
	struct health_conf unasked = EVERY_CHECK;
	struct health_conf unsaid = EVERY_CHECK;

	(void)state;
	unasked.tcp.disabled = true;
	unsaid.tcp.set = false;
	expect_left((struct settings){ 0 }, (struct left){ true, true, false, 1 });
	expect_left((struct settings){ .timeout = &EVERY_TIMEOUT, .breaker = &limits },
		    (struct left){ true, true, false, 1 });
	expect_left((struct settings){ .breaker = &off },
		    (struct left){ false, true, false, 1 });
	expect_left((struct settings){ .breaker = &other },
		    (struct left){ false, true, false, 1 });
	expect_left((struct settings){ .health = &EVERY_CHECK },
		    (struct left){ true, false, true, 1 });
	expect_left((struct settings){ .health = &unasked },
		    (struct left){ true, false, true, 0 });
	expect_left((struct settings){ .health = &unsaid },
		    (struct left){ true, true, false, 1 });
}

static void every_field_of_secured_connections(void **state)
{
	struct envoy_config *config = watched(&EVERYTHING);

	(void)state;
	sample_golden(config, "settings-mtls");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_connections),
		cmocka_unit_test(every_field_of_requests),
		cmocka_unit_test(every_field_of_inbounds),
		cmocka_unit_test(listeners_know_nothing_of_settings),
		cmocka_unit_test(a_check_speaks_what_the_backend_speaks),
		cmocka_unit_test(what_no_limit_is_written_for_has_none),
		cmocka_unit_test(a_detector_that_nobody_named_is_not_enforced),
		cmocka_unit_test(a_breaker_says_when_to_panic_before_a_check_does),
		cmocka_unit_test(groups_of_endpoints_close_by_another_word),
		cmocka_unit_test(http_timeouts_are_of_clusters_that_requests_reach),
		cmocka_unit_test(a_policy_replaces_what_is_built_in),
		cmocka_unit_test(every_field_of_secured_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
