/* Outbounds and inbounds that are routed by request. */
#include "sample.h"

#define WEB_01 "outbound:127.0.0.1:10001"

static const struct resource ROUTE = { .key = { KIND_MESH_HTTP_ROUTE, "default", "", "",
						"h" } };
static const struct contributor FROM = { &ROUTE, 0 };

/* clang-format off */
#define MATCH(type_, path_, method_, ...)                                             \
	(&(const struct http_match){ .path_type = HTTP_PATH_##type_, .path = path_,   \
				     .method = method_, __VA_ARGS__ })
#define RULE(match_, ...)                                                             \
	{ .match = match_, .from = &FROM,                                             \
	  .backends = (const struct backend[]){ __VA_ARGS__ },                        \
	  .backend_count = sizeof((const struct backend[]){ __VA_ARGS__ }) /          \
			   sizeof(struct backend) }
#define REST(...)                                                                     \
	{ .match = MATCH(PREFIX, "/", ""),                 \
	  .backends = (const struct backend[]){ __VA_ARGS__ },                        \
	  .backend_count = sizeof((const struct backend[]){ __VA_ARGS__ }) /          \
			   sizeof(struct backend) }
/* clang-format on */

static struct outbound_route http_to(uint32_t port, const struct request_route *rules,
				     size_t count)
{
	static const struct endpoint ENDPOINTS[] = {
		{ .zone = "", .address = "192.168.0.4", .port = 8004, .weight = 1 }
	};
	static const struct backend ITSELF = { .kind = REF_MESH_SERVICE,
					       .name = "backend",
					       .ns = "",
					       .weight = 1,
					       .resolved = true,
					       .reason = "",
					       .cluster = "backend",
					       .protocol = "http",
					       .endpoints = ENDPOINTS,
					       .endpoint_count = 1 };
	static const struct label TAGS[] = { { TAG_SERVICE, "backend" } };

	return (struct outbound_route){ .address = "127.0.0.1",
					.port = port,
					.destination = { .kind = REF_MESH_SERVICE,
							 .name = "backend",
							 .ns = "",
							 .protocol = "http" },
					.tags = { TAGS, 1 },
					.owner = count > 0 ? OWNER_HTTP_ROUTE
							   : OWNER_DEFAULT,
					.http = true,
					.rules = rules,
					.rule_count = count,
					.backends = count > 0 ? NULL : &ITSELF,
					.backend_count = count == 0 };
}

static void an_http_destination_without_a_route(void **state)
{
	const struct outbound_route outbound = http_to(10001, NULL, 0);

	(void)state;
	sample_golden(sample_config(&outbound, 1), "http-default");
}

static void every_match(void **state)
{
	static const struct http_field HEADERS[] = {
		{ "x-exact", "canary", HTTP_VALUE_EXACT },
		{ "x-prefix", "v", HTTP_VALUE_PREFIX },
		{ "x-any-prefix", "", HTTP_VALUE_PREFIX },
		{ "x-regex", "v[0-9]+", HTTP_VALUE_REGEX },
		{ "x-present", "", HTTP_VALUE_PRESENT },
		{ "x-absent", "", HTTP_VALUE_ABSENT },
	};
	static const struct http_field PARAMS[] = {
		{ "v", "2", HTTP_VALUE_EXACT },
		{ "r", "[a-z]*", HTTP_VALUE_REGEX },
	};
	const struct request_route rules[] = {
		RULE(MATCH(EXACT, "/exact", "GET"), TO("backend", BACKEND_EU, 1, EU)),
		RULE(MATCH(PREFIX, "/api", "", .headers = HEADERS,
			   .header_count = ARRAY_LEN(HEADERS)),
		     TO("backend", BACKEND_EU, 90, EU),
		     TO("backend", BACKEND_US, 10, US)),
		RULE(MATCH(REGEX, "/v[12]/.*", "", .params = PARAMS,
			   .param_count = ARRAY_LEN(PARAMS)),
		     TO("backend", BACKEND_EU, 9, EU), UNRESOLVED("gone", 1)),
		RULE(MATCH(NONE, "", "POST"), UNRESOLVED("gone", 1)),
		REST(TO("backend", "backend", 1, EU, US)),
	};
	const struct outbound_route outbound = http_to(10001, rules, ARRAY_LEN(rules));

	(void)state;
	sample_golden(sample_config(&outbound, 1), "http-matches");
}

static const char *version_of(const struct envoy_config *config, enum envoy_type type,
			      const char *name)
{
	const struct envoy_resource *found = envoy_config_find(config, type, name);

	assert_non_null(found);
	return found->version;
}

static void a_rule_touches_the_route_table_alone(void **state)
{
	const struct request_route first[] = {
		RULE(MATCH(PREFIX, "/a", ""), TO("backend", BACKEND_EU, 90, EU),
		     TO("backend", BACKEND_US, 10, US)),
		REST(TO("backend", "backend", 1, EU)),
	};
	const struct request_route second[] = {
		RULE(MATCH(EXACT, "/b", ""), TO("backend", BACKEND_EU, 10, EU),
		     TO("backend", BACKEND_US, 90, US)),
		REST(TO("backend", "backend", 1, EU)),
	};
	const struct outbound_route outbounds[] = {
		http_to(10001, first, ARRAY_LEN(first)),
		http_to(10001, second, ARRAY_LEN(second)),
		http_to(10001, NULL, 0),
	};
	struct envoy_config *configs[ARRAY_LEN(outbounds)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(outbounds); i++) {
		configs[i] = sample_config(&outbounds[i], 1);
		sample_whole(configs[i]);
		assert_string_equal(version_of(configs[i], ENVOY_LISTENER, WEB_01),
				    version_of(configs[0], ENVOY_LISTENER, WEB_01));
		if (i > 0)
			assert_string_not_equal(
				version_of(configs[i], ENVOY_ROUTES, WEB_01),
				version_of(configs[i - 1], ENVOY_ROUTES, WEB_01));
	}
	assert_string_equal(version_of(configs[0], ENVOY_CLUSTER, BACKEND_EU),
			    version_of(configs[1], ENVOY_CLUSTER, BACKEND_EU));
	for (size_t i = 0; i < ARRAY_LEN(outbounds); i++)
		envoy_config_drop(&configs[i]);
}

/* An object goes by its KRI, and so do its statistics and metadata. */
static void a_real_destination(void **state)
{
	static const struct resource DB = { .key = { KIND_MESH_SERVICE, "default", "east",
						     "", "db" } };
	struct outbound_route outbounds[] = {
		OUTBOUND(10001, "db", TO("db", "kri_msvc_default_east__db_sql", 1, EU)),
		OUTBOUND(10002, "db", TO("db", "kri_msvc_default_east__db_sql", 1, EU)),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(outbounds); i++) {
		outbounds[i].destination.object = &DB;
		outbounds[i].destination.section = "sql";
		outbounds[i].tags = (struct labels){ 0 };
		outbounds[i].http = i == 1;
	}
	sample_golden(sample_config(outbounds, ARRAY_LEN(outbounds)), "objects");
}

static void inbounds_by_protocol(void **state)
{
#define SPEAKS(protocol_) LABELS({ TAG_PROTOCOL, protocol_ }, { TAG_SERVICE, "web" })
	const struct inbound inbounds[] = {
		{ .address = "",
		  .port = 8080,
		  .service_address = "",
		  .service_port = 80,
		  .tags = SPEAKS("http") },
		{ .address = "",
		  .port = 8081,
		  .service_address = "",
		  .service_port = 81,
		  .tags = SPEAKS("HTTP2") },
		{ .address = "",
		  .port = 8082,
		  .service_address = "",
		  .service_port = 82,
		  .tags = SPEAKS("grpc") },
		{ .address = "",
		  .port = 8083,
		  .service_address = "",
		  .service_port = 83,
		  .tags = SPEAKS("kafka") },
		{ .address = "",
		  .port = 8084,
		  .service_address = "127.0.0.1",
		  .service_port = 80,
		  .tags = SPEAKS("http") },
		{ .address = "127.0.0.1",
		  .port = 8085,
		  .service_address = "",
		  .tags = SPEAKS("http") },
	};
	const struct dataplane_spec spec = { .address = "192.168.0.10",
					     .advertised = "",
					     .inbounds = inbounds,
					     .inbound_count = ARRAY_LEN(inbounds) };
	const struct routes routes = { .proxy = sample_proxy(&spec), .zone = "east" };

	(void)state;
	sample_golden(envoy_build_proxy(&routes, NULL), "inbounds-http");
}

static void another_application_leaves_the_listener(void **state)
{
	struct inbound inbound = { .address = "",
				   .port = 8080,
				   .service_address = "",
				   .service_port = 80,
				   .tags = SPEAKS("http") };
	const struct dataplane_spec spec = { .address = "192.168.0.10",
					     .advertised = "",
					     .inbounds = &inbound,
					     .inbound_count = 1 };
	const struct routes routes = { .proxy = sample_proxy(&spec), .zone = "east" };
	const char *name = "inbound:192.168.0.10:8080";
	struct envoy_config *before = envoy_build_proxy(&routes, NULL);
	struct envoy_config *after;

	(void)state;
	inbound.service_port = 81;
	after = envoy_build_proxy(&routes, NULL);
	assert_string_equal(version_of(before, ENVOY_LISTENER, name),
			    version_of(after, ENVOY_LISTENER, name));
	assert_string_not_equal(version_of(before, ENVOY_ROUTES, name),
				version_of(after, ENVOY_ROUTES, name));
	envoy_config_drop(&before);
	envoy_config_drop(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_http_destination_without_a_route),
		cmocka_unit_test(every_match),
		cmocka_unit_test(a_rule_touches_the_route_table_alone),
		cmocka_unit_test(a_real_destination),
		cmocka_unit_test(inbounds_by_protocol),
		cmocka_unit_test(another_application_leaves_the_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
