/* What legacy policies say in the words of the kinds that replace them, and what is read
 * of those words. */
#include "doc.h"

#include "model/conf.h"

#include <stdlib.h>

#define ENDS                                                                  \
	"sources: [{match: {kuma.io/service: web}}], destinations: [{match: " \
	"{kuma.io/service: backend}}]"
#define OF(type, conf) \
	"{type: " type ", name: p, mesh: default, " ENDS ", conf: {" conf "}}"
#define TIMES                                                                          \
	OF("Timeout", "connectTimeout: 1s, tcp: {idleTimeout: 2s}, http: "             \
		      "{requestTimeout: 3s, idleTimeout: 4s, maxStreamDuration: 5s}, " \
		      "grpc: {streamIdleTimeout: 6s, maxStreamDuration: 7s}")
#define TRIES(http)                                                                 \
	OF("Retry", "tcp: {maxConnectAttempts: 3}, grpc: {numRetries: 2, retryOn: " \
		    "[cancelled, unavailable]}, http: {" http "}")
#define CHECK(conf)                                                             \
	OF("HealthCheck", "interval: 10s, timeout: 2s, unhealthyThreshold: 3, " \
			  "healthyThreshold: 1" conf)
#define CHECKED "\"healthyThreshold\":1,\"interval\":\"10s\","
#define CHECKED_AFTER ",\"timeout\":\"2s\",\"unhealthyThreshold\":3}"

/* clang-format off */
static const struct word_case {
	const char *yaml, *protocol;
	const char *json; /* of what it says; NULL: nothing */
} CASES[] = {
	{ TIMES, "tcp", "{\"connectionTimeout\":\"1s\",\"idleTimeout\":\"2s\"}" },
	{ TIMES, "kafka", "{\"connectionTimeout\":\"1s\",\"idleTimeout\":\"2s\"}" },
	{ TIMES, "http2", "{\"connectionTimeout\":\"1s\",\"http\":{\"maxStreamDuration\":\"5s\",\"requestTimeout\":\"3s\"},\"idleTimeout\":\"4s\"}" },
	{ TIMES, "grpc", "{\"connectionTimeout\":\"1s\",\"http\":{\"maxStreamDuration\":\"5s\",\"requestTimeout\":\"3s\",\"streamIdleTimeout\":\"6s\"},\"idleTimeout\":\"4s\"}" },
	{ OF("Timeout", "http: {requestTimeout: 3s}"), "tcp", NULL },
	{ OF("Timeout", "grpc: {streamIdleTimeout: 3s}"), "http", NULL },

	{ TRIES("numRetries: 3"), "tcp", "{\"tcp\":{\"maxConnectAttempt\":3}}" },
	{ TRIES("numRetries: 3"), "grpc", "{\"grpc\":{\"numRetries\":2,\"retryOn\":[\"Canceled\",\"Unavailable\"]}}" },
	{ TRIES("numRetries: 3, perTryTimeout: 200ms, backOff: {baseInterval: 20ms}"), "http", "{\"http\":{\"backOff\":{\"baseInterval\":\"20ms\"},\"numRetries\":3,\"perTryTimeout\":\"200ms\"}}" },
	{ TRIES("retryOn: []"), "http", NULL },
	{ TRIES("retriableStatusCodes: [503], retriableMethods: [GET]"), "http", "{\"http\":{\"retryOn\":[\"GatewayError\",\"ConnectFailure\",\"RefusedStream\",\"503\",\"HttpMethodGet\"]}}" },
	{ TRIES("retriableStatusCodes: [503], retryOn: [all_5xx, retriable_status_codes, retriable_4xx]"), "http2", "{\"http\":{\"retryOn\":[\"5xx\",\"Retriable4xx\",\"503\"]}}" },
	{ OF("Retry", "tcp: {maxConnectAttempts: 3}"), "http", NULL },

	{ CHECK(""), "tcp", "{" CHECKED "\"tcp\":{}" CHECKED_AFTER },
	{ CHECK(", tcp: {send: Zm9v}"), "tcp", "{" CHECKED "\"tcp\":{\"send\":\"Zm9v\"}" CHECKED_AFTER },
	{ CHECK(", tcp: {send: Zm9v}"), "http", "{\"healthyThreshold\":1,\"http\":{\"disabled\":true},\"interval\":\"10s\",\"tcp\":{\"send\":\"Zm9v\"}" CHECKED_AFTER },
	{ CHECK(""), "grpc", "{\"grpc\":{\"disabled\":true},\"healthyThreshold\":1,\"interval\":\"10s\",\"tcp\":{}" CHECKED_AFTER },
	{ CHECK(", healthyPanicThreshold: 12.5"), "tcp", "{\"healthyPanicThreshold\":\"12.5\"," CHECKED "\"tcp\":{}" CHECKED_AFTER },
	{ CHECK(", healthyPanicThreshold: 12"), "tcp", "{\"healthyPanicThreshold\":12," CHECKED "\"tcp\":{}" CHECKED_AFTER },
	{ CHECK(", http: {path: /h, expectedStatuses: [201], requestHeadersToAdd: [{append: false, header: {key: a, value: b}}, {header: {key: c, value: d}}]}"), "http",
	  "{\"healthyThreshold\":1,\"http\":{\"expectedStatuses\":[201],\"path\":\"/h\",\"requestHeadersToAdd\":{\"add\":[{\"name\":\"c\",\"value\":\"d\"}],\"set\":[{\"name\":\"a\",\"value\":\"b\"}]}},\"interval\":\"10s\"" CHECKED_AFTER },

	{ OF("CircuitBreaker", "interval: 1s, maxEjectionPercent: 20, detectors: {totalErrors: {}, gatewayErrors: {consecutive: 7}, localErrors: {}, standardDeviation: {factor: 1.5, requestVolume: 9}, failure: {threshold: 80, minimumHosts: 2}}, thresholds: {maxConnections: 2}"), "tcp",
	  "{\"connectionLimits\":{\"maxConnections\":2},\"outlierDetection\":{\"detectors\":{\"failurePercentage\":{\"minimumHosts\":2,\"threshold\":80},\"gatewayFailures\":{\"consecutive\":7},\"localOriginFailures\":{},\"successRate\":{\"requestVolume\":9,\"standardDeviationFactor\":\"1.5\"},\"totalFailures\":{}},\"interval\":\"1s\",\"maxEjectionPercent\":20}}" },
	{ OF("CircuitBreaker", "interval: 1s, thresholds: {maxRequests: 2}"), "http", "{\"connectionLimits\":{\"maxRequests\":2}}" },

	{ OF("TrafficLog", "backend: t"), "tcp", "{\"backends\":[{\"tcp\":{\"address\":\"logs:5000\",\"format\":{\"plain\":\"%DURATION%\",\"type\":\"Plain\"}},\"type\":\"Tcp\"}]}" },
	{ OF("TrafficLog", ""), "http", "{\"backends\":[{\"file\":{\"path\":\"/l\"},\"type\":\"File\"}]}" },
	{ OF("TrafficLog", "backend: x"), "tcp", NULL },

	{ "{type: TrafficPermission, name: p, mesh: default, " ENDS "}", "tcp", "{\"action\":\"Allow\"}" },
};
/* clang-format on */

#define MESH                                                                          \
	"{type: Mesh, name: default, logging: {defaultBackend: f, backends: [{name: " \
	"t, type: tcp, format: '%DURATION%', conf: {address: 'logs:5000'}}, {name: "  \
	"f, type: file, conf: {path: /l}}]}}"

static void legacy_policies_say_it_in_new_words(void **state)
{
	struct doc mesh = doc_of(MESH);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct doc doc = doc_of(CASES[i].yaml);
		struct zl_buf text = { 0 };
		assert_non_null(doc.res);
		const struct tree *words = conf_of_legacy(doc.res, CASES[i].protocol,
							  mesh.res->mesh, doc.arena);
		if (words != NULL)
			tree_json(words, &text);
		if (strcmp(zl_buf_text(&text),
			   CASES[i].json != NULL ? CASES[i].json : "") != 0)
			fail_msg("%s for %s gave:\n%s\nnot:\n%s", CASES[i].yaml,
				 CASES[i].protocol, zl_buf_text(&text), CASES[i].json);
		if (words != NULL)
			assert_non_null(conf_read(kind_replaces(doc.res->key.kind), words,
						  doc.arena));
		zl_buf_free(&text);
		doc_free(&doc);
	}
	doc_free(&mesh);
}

static void without_a_mesh_no_log_is_known(void **state)
{
	struct doc doc = doc_of(OF("TrafficLog", ""));

	(void)state;
	assert_null(conf_of_legacy(doc.res, "tcp", &MESH_DEFAULTS, doc.arena));
	doc_free(&doc);
}

static void an_empty_detector_is_there_without_its_number(void **state)
{
	struct doc doc =
		doc_of(OF("CircuitBreaker", "detectors: {totalErrors: {}, localErrors: "
					    "{consecutive: 7}}"));
	const struct breaker_conf *conf = conf_read(
		KIND_MESH_CIRCUIT_BREAKER,
		conf_of_legacy(doc.res, "tcp", &MESH_DEFAULTS, doc.arena), doc.arena);

	(void)state;
	assert_true(conf->has_detection && conf->has_total && conf->has_local_origin);
	assert_false(conf->total.set || conf->has_gateway || conf->has_success_rate);
	assert_true(conf->local_origin.set);
	assert_int_equal(conf->local_origin.value, 7);
	doc_free(&doc);
}

/* The default of the first rule of a MeshAccessLog. */
static const struct log_conf *logs_of(struct doc *doc)
{
	return conf_read(KIND_MESH_ACCESS_LOG, doc->res->attached->rules.items[0].conf,
			 doc->arena);
}

#define LOGS(backends)                                                            \
	"{type: MeshAccessLog, name: a, mesh: default, spec: {rules: [{default: " \
	"{backends: " backends "}}]}}"

static void logs_are_read_by_their_type(void **state)
{
	struct doc doc = doc_of(LOGS(
		"[{type: File, file: {path: /l, format: {type: Json, omitEmptyValues: "
		"true, json: [{key: a, value: b}]}}}, {type: Tcp, tcp: {address: "
		"'logs:1', format: {type: Plain, plain: '%DURATION%'}}}, {type: "
		"OpenTelemetry, openTelemetry: {endpoint: otel, attributes: [{key: k, "
		"value: v}], body: {stringValue: x}}}]"));
	const struct log_conf *conf = logs_of(&doc);

	(void)state;
	assert_true(conf->set);
	assert_int_equal(conf->count, 3);
	assert_int_equal(conf->backends[0].type, LOG_FILE);
	assert_string_equal(conf->backends[0].path, "/l");
	assert_true(conf->backends[0].json && conf->backends[0].omit_empty);
	assert_int_equal(conf->backends[0].pair_count, 1);
	assert_string_equal(conf->backends[0].pairs[0].value, "b");
	assert_int_equal(conf->backends[1].type, LOG_TCP);
	assert_string_equal(conf->backends[1].address, "logs:1");
	assert_string_equal(conf->backends[1].plain, "%DURATION%");
	assert_false(conf->backends[1].json || conf->backends[1].omit_empty);
	assert_int_equal(conf->backends[2].type, LOG_OPEN_TELEMETRY);
	assert_string_equal(conf->backends[2].address, "otel:4317");
	assert_string_equal(conf->backends[2].pairs[0].key, "k");
	assert_string_equal(tree_get(conf->backends[2].body, "stringValue")->text, "x");
	doc_free(&doc);
}

static void endpoints_have_a_port(void **state)
{
	static const char *const CASES_OF[][2] = { { "otel:1", "otel:1" },
						   { "10.0.0.1", "10.0.0.1:4317" },
						   { "fd00::1", "[fd00::1]:4317" },
						   { "[fd00::1]", "[fd00::1]:4317" },
						   { "[fd00::1]:2", "[fd00::1]:2" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES_OF); i++) {
		char *yaml = zl_format(LOGS("[{type: OpenTelemetry, openTelemetry: "
					    "{endpoint: '%s'}}]"),
				       CASES_OF[i][0]);
		struct doc doc = doc_of(yaml);
		assert_non_null(doc.res);
		assert_string_equal(logs_of(&doc)->backends[0].address, CASES_OF[i][1]);
		doc_free(&doc);
		free(yaml);
	}
	struct doc none = doc_of(LOGS("[]"));
	assert_true(logs_of(&none)->set);
	assert_int_equal(logs_of(&none)->count, 0);
	doc_free(&none);
}

static void permissions_are_actions_or_lists(void **state)
{
	struct doc doc = doc_of("{type: MeshTrafficPermission, name: p, mesh: default, "
				"spec: {rules: [{default: {allow: [{spiffeID: {type: "
				"Exact, value: 'spiffe://d/a'}}], allowWithShadowDeny: "
				"[{spiffeID: {type: Prefix, value: 'spiffe://d/'}}], "
				"deny: [{spiffeID: {type: Exact, value: "
				"'spiffe://d/b'}}]}}]}}");
	const struct permission_conf *conf =
		conf_read(KIND_MESH_TRAFFIC_PERMISSION,
			  doc.res->attached->rules.items[0].conf, doc.arena);

	(void)state;
	assert_int_equal(conf->allow_count, 1);
	assert_false(conf->allow[0].prefix);
	assert_string_equal(conf->allow[0].value, "spiffe://d/a");
	assert_int_equal(conf->shadow_count, 1);
	assert_true(conf->shadow[0].prefix);
	assert_int_equal(conf->deny_count, 1);
	assert_string_equal(conf->deny[0].value, "spiffe://d/b");
	assert_int_equal(conf->action, ACTION_DENY); /* none was written */
	doc_free(&doc);

	static const char *const ACTIONS[] = { [ACTION_ALLOW] = "Allow",
					       [ACTION_DENY] = "Deny",
					       [ACTION_SHADOW_DENY] =
						       "AllowWithShadowDeny" };
	struct zl_arena *arena = zl_arena_new();
	for (unsigned i = 0; i < ARRAY_LEN(ACTIONS); i++) {
		struct tree *right = tree_map(arena);
		tree_set(arena, right, "action", tree_text(arena, ACTIONS[i]));
		conf = conf_read(KIND_MESH_TRAFFIC_PERMISSION, right, arena);
		assert_int_equal(conf->action, i);
		tree_set(arena, right, "action", tree_text(arena, "Perhaps"));
		conf = conf_read(KIND_MESH_TRAFFIC_PERMISSION, right, arena);
		assert_int_equal(conf->action, ACTION_DENY);
	}
	zl_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legacy_policies_say_it_in_new_words),
		cmocka_unit_test(without_a_mesh_no_log_is_known),
		cmocka_unit_test(an_empty_detector_is_there_without_its_number),
		cmocka_unit_test(logs_are_read_by_their_type),
		cmocka_unit_test(endpoints_have_a_port),
		cmocka_unit_test(permissions_are_actions_or_lists),
	};
	return cmocka_run_group_tests_name("model/conf_legacy", tests, NULL, NULL);
}
