/* MeshHealthCheck and MeshCircuitBreaker: each row of policies-spec 2.3 and 2.4 with its
 * exact field and text, and what conf_read makes of a merged default. */
#include "doc.h"

#include "model/conf.h"

#define DEFAULT_OF(kind, value)                                                        \
	"{type: " kind ", name: r, spec: {to: [{targetRef: {kind: MeshService, name: " \
	"b}, default: " value "}]}}"
#define CHECK(value) DEFAULT_OF("MeshHealthCheck", value)
#define WITH(field) CHECK("{tcp: {}, " field "}")
#define TCP(value) CHECK("{tcp: " value "}")
#define HTTP(value) CHECK("{http: " value "}")
#define HEADERS(value) HTTP("{requestHeadersToAdd: " value "}")
#define BREAKER(value) DEFAULT_OF("MeshCircuitBreaker", value)
#define LIMITS(value) BREAKER("{connectionLimits: " value "}")
#define OUTLIER(value) BREAKER("{outlierDetection: " value "}")
#define TOTAL "detectors: {totalFailures: {consecutive: 5}}"
#define DETECT(value) OUTLIER("{detectors: " value "}")
#define RULE(value) \
	"{type: MeshCircuitBreaker, name: r, spec: {rules: [{default: " value "}]}}"

#define AT "spec.to[0].default"
#define OUT AT ".outlierDetection"
#define NO_DURATION ": must be a duration such as 5s, 500ms or 1h30m"
#define NOT_ABOVE ": must be greater than zero when defined"
#define ZERO ": must be greater than 0"
#define PERCENT ": must be in inclusive range [0, 100]"
#define DECIMAL ": must be in inclusive range [0.0, 100.0]"
#define NO_NUMBER ": string must be a valid number"
#define CEILING ": must be in inclusive range [0, 4294967295]"
#define UNDEFINED ": must be defined"
#define DETECTORS_TEXT                                                       \
	": must have at least one defined: totalFailures, gatewayFailures, " \
	"localOriginFailures, successRate, failurePercentage"
#define W13                                                                         \
	AT ".healthyPanicThreshold: healthyPanicThreshold is deprecated here, use " \
	   "MeshCircuitBreaker"
#define SLOW(time)                                                                  \
	AT ".timeout: an instance that does not answer holds back a change of its " \
	   "cluster for " time ": write at most 5s"
#define HEADER "{name: a, value: b}"
#define FOUR HEADER ", " HEADER ", " HEADER ", " HEADER
#define SEVENTEEN FOUR ", " FOUR ", " FOUR ", " FOUR ", " HEADER

/* clang-format off */
static const struct doc_case CHECKS[] = {
	{ TCP("{}"), NULL, NULL },
	{ HTTP("{}"), NULL, NULL },
	{ CHECK("{grpc: {disabled: true}}"), NULL, NULL },
	{ WITH("interval: 10s, timeout: 5s, unhealthyThreshold: 1, healthyThreshold: 1, initialJitter: 1ms, intervalJitter: 1ms, intervalJitterPercent: 100, noTrafficInterval: 1s, "
	       "eventLogPath: /var/log/a.log, alwaysLogHealthCheckFailures: true, reuseConnection: false, failTrafficOnPanic: true"), NULL, NULL },
	{ CHECK("{tcp: {disabled: false, send: UElORwo=, receive: [UE9ORw==, UE9ORw==]}, http: {path: /a, expectedStatuses: [100, 599], requestHeadersToAdd: {set: [{name: a, value: '100 %%'}], add: [{name: a, value: ''}]}}, grpc: {serviceName: a.B, authority: b}}"), NULL, NULL },
	{ CHECK("{}"), AT ": must have at least one defined: http, tcp, grpc", NULL },
	{ CHECK("{interval: 1s, tcp: null}"), AT ": must have at least one defined: http, tcp, grpc", NULL },
	{ WITH("interval: 0s, timeout: 0s, unhealthyThreshold: 0, healthyThreshold: -1, initialJitter: 0s, intervalJitter: 0s, noTrafficInterval: 0s"),
	  AT ".interval" NOT_ABOVE "\n" AT ".timeout" NOT_ABOVE "\n" AT ".unhealthyThreshold" NOT_ABOVE "\n" AT ".healthyThreshold" NOT_ABOVE "\n"
	  AT ".initialJitter" NOT_ABOVE "\n" AT ".intervalJitter" NOT_ABOVE "\n" AT ".noTrafficInterval" NOT_ABOVE, NULL },
	{ WITH("timeout: 5001ms"), NULL, SLOW("5001ms") },
	{ WITH("timeout: 1h"), NULL, SLOW("1h") },
	{ WITH("unhealthyThreshold: 2147483648"), AT ".unhealthyThreshold: must be in inclusive range [1, 2147483647]", NULL },
	{ WITH("intervalJitterPercent: -1"), AT ".intervalJitterPercent" PERCENT, NULL },
	{ WITH("intervalJitterPercent: 101"), AT ".intervalJitterPercent" PERCENT, NULL },
	{ WITH("healthyPanicThreshold: 0"), NULL, W13 },
	{ WITH("healthyPanicThreshold: '62.9'"), NULL, W13 },
	{ WITH("healthyPanicThreshold: 101"), AT ".healthyPanicThreshold" DECIMAL, W13 },
	{ WITH("healthyPanicThreshold: '-0.1'"), AT ".healthyPanicThreshold" DECIMAL, W13 },
	{ WITH("healthyPanicThreshold: half"), AT ".healthyPanicThreshold" NO_NUMBER, W13 },
	{ WITH("healthyPanicThreshold: 62.9"), AT ".healthyPanicThreshold: must be a whole number or a string, not a number: quote it, \"62.9\"", W13 },
	{ WITH("failTrafficOnPanic: 'yes'"), AT ".failTrafficOnPanic: must be a boolean (true or false), without quotes", NULL },
	{ WITH("eventLogPath: ''"), AT ".eventLogPath: must be a valid path when defined", NULL },
	{ WITH("eventLogPath: a.log"), AT ".eventLogPath: must be a valid path when defined", NULL },
	{ WITH("eventLogPath: /tmp/../etc/a"), AT ".eventLogPath: must be a valid path when defined", NULL },
	/* tcp */
	{ TCP("{send: PING!}"), AT ".tcp.send: must be Base64", NULL },
	{ TCP("{send: ''}"), AT ".tcp.send: must not be empty", NULL },
	{ TCP("{receive: [UE9ORw==, UE9ORw, '']}"), AT ".tcp.receive[1]: must be Base64\n" AT ".tcp.receive[2]: must not be empty", NULL },
	{ TCP("{recieve: []}"), AT ".tcp.recieve: unknown field, did you mean \"receive\"?", NULL },
	/* http */
	{ HTTP("{path: ''}"), AT ".http.path" UNDEFINED, NULL },
	{ HTTP("{path: \"/a\\nb\"}"), AT ".http.path: must not have line breaks", NULL },
	{ HTTP("{expectedStatuses: [200, 99, 600, -1]}"),
	  AT ".http.expectedStatuses[1]: must be in inclusive range [100, 599]\n" AT ".http.expectedStatuses[2]: must be in inclusive range [100, 599]\n"
	  AT ".http.expectedStatuses[3]: must be in inclusive range [100, 599]", NULL },
	{ HTTP("{expectedStatuses: ['200', 200.5]}"), AT ".http.expectedStatuses[0]: must be a number, not a text: write it in digits, without quotes\n" AT ".http.expectedStatuses[1]: must be a whole number", NULL },
	{ HTTP("{expectedStatuses: 200}"), AT ".http.expectedStatuses: must be a list, not a number", NULL },
	{ HEADERS("{set: [{}], add: [{name: A, value: b}]}"),
	  AT ".http.requestHeadersToAdd.set[0].name" UNDEFINED "\n" AT ".http.requestHeadersToAdd.set[0].value" UNDEFINED "\n"
	  AT ".http.requestHeadersToAdd.add[0].name: must be a lower case HTTP header name", NULL },
	{ HEADERS("{set: [{name: host, value: b}]}"), AT ".http.requestHeadersToAdd.set[0].name: must not be host: it is that of the instance", NULL },
	{ HEADERS("{set: [{name: a, value: '%REQ(b)%'}]}"), AT ".http.requestHeadersToAdd.set[0].value: '%' must be written %%", NULL },
	{ HEADERS("{set: [{name: a, value: '%%%'}]}"), AT ".http.requestHeadersToAdd.set[0].value: '%' must be written %%", NULL },
	{ HEADERS("{set: [" SEVENTEEN "]}"), AT ".http.requestHeadersToAdd.set: must have at most 16 elements", NULL },
	{ HEADERS("{remove: [a]}"), AT ".http.requestHeadersToAdd.remove: unknown field", NULL },
	/* grpc */
	{ CHECK("{grpc: {serviceName: \"a\\rb\", authority: 5}}"), AT ".grpc.serviceName: must not have line breaks\n" AT ".grpc.authority: must be a string, not a number: quote it, \"5\"", NULL },
};

static const struct doc_case BREAKERS[] = {
	{ LIMITS("{maxConnections: 1, maxConnectionPools: 1, maxPendingRequests: 16, maxRetries: 1, maxRequests: 4294967295}"), NULL, NULL },
	{ LIMITS("{}"), NULL, NULL },
	{ OUTLIER("{disabled: true, interval: 1s, baseEjectionTime: 1s, maxEjectionPercent: 0, splitExternalAndLocalErrors: true, healthyPanicThreshold: '0', " TOTAL "}"), NULL, NULL },
	{ DETECT("{totalFailures: {}, gatewayFailures: {consecutive: 1}, localOriginFailures: {consecutive: 1}, successRate: {minimumHosts: 1, requestVolume: 1, standardDeviationFactor: '1.9'}, "
		 "failurePercentage: {minimumHosts: 1, requestVolume: 1, threshold: 0}}"), NULL, NULL },
	{ DETECT("{successRate: {standardDeviationFactor: 2}}"), NULL, NULL },
	{ BREAKER("{}"), AT ": at least one of: 'connectionLimits' or 'outlierDetection' should be configured", NULL },
	{ LIMITS("{maxConnections: 0, maxConnectionPools: 0, maxPendingRequests: 0, maxRetries: 0, maxRequests: 0}"),
	  AT ".connectionLimits.maxConnections" ZERO "\n" AT ".connectionLimits.maxConnectionPools" ZERO "\n" AT ".connectionLimits.maxPendingRequests" ZERO "\n"
	  AT ".connectionLimits.maxRetries" ZERO "\n" AT ".connectionLimits.maxRequests" ZERO, NULL },
	{ LIMITS("{maxConnections: 4294967296}"), AT ".connectionLimits.maxConnections" CEILING, NULL },
	{ LIMITS("{maxPendingRequests: 15}"), NULL,
	  AT ".connectionLimits.maxPendingRequests: closes what comes while 15 connections are being established: write at least 16" },
	{ LIMITS("{maxPendingRequests: 1}"), NULL,
	  AT ".connectionLimits.maxPendingRequests: closes what comes while 1 connection is being established: write at least 16" },
	/* outlierDetection */
	{ OUTLIER("{interval: 0s, baseEjectionTime: -1s, maxEjectionPercent: 101, healthyPanicThreshold: 100.1, " TOTAL "}"),
	  OUT ".interval" NOT_ABOVE "\n" OUT ".baseEjectionTime" NOT_ABOVE "\n" OUT ".maxEjectionPercent" PERCENT "\n"
	  OUT ".healthyPanicThreshold: must be a whole number or a string, not a number: quote it, \"100.1\"", NULL },
	{ OUTLIER("{healthyPanicThreshold: '100.1', " TOTAL "}"), OUT ".healthyPanicThreshold" DECIMAL, NULL },
	{ OUTLIER("{healthyPanicThreshold: '', " TOTAL "}"), OUT ".healthyPanicThreshold" NO_NUMBER, NULL },
	{ OUTLIER("{maxEjectionPercent: -1, " TOTAL "}"), OUT ".maxEjectionPercent" PERCENT, NULL },
	{ OUTLIER("{}"), OUT ".detectors" UNDEFINED, NULL },
	{ OUTLIER("{disabled: true}"), OUT ".detectors" UNDEFINED, NULL },
	{ DETECT("{}"), OUT ".detectors" DETECTORS_TEXT, NULL },
	{ DETECT("{totalErrors: {}}"), OUT ".detectors.totalErrors: unknown field\n" OUT ".detectors" DETECTORS_TEXT, NULL },
	{ DETECT("{totalFailures: {consecutive: 0}, gatewayFailures: {consecutive: 0}, localOriginFailures: {consecutive: 0}}"),
	  OUT ".detectors.totalFailures.consecutive" ZERO "\n" OUT ".detectors.gatewayFailures.consecutive" ZERO "\n" OUT ".detectors.localOriginFailures.consecutive" ZERO, NULL },
	{ DETECT("{successRate: {minimumHosts: 0, requestVolume: 0, standardDeviationFactor: 0}}"),
	  OUT ".detectors.successRate.minimumHosts" ZERO "\n" OUT ".detectors.successRate.requestVolume" ZERO "\n" OUT ".detectors.successRate.standardDeviationFactor" ZERO, NULL },
	{ DETECT("{successRate: {standardDeviationFactor: '-1.9'}}"), OUT ".detectors.successRate.standardDeviationFactor" ZERO, NULL },
	{ DETECT("{successRate: {standardDeviationFactor: much}}"), OUT ".detectors.successRate.standardDeviationFactor: invalid number", NULL },
	{ DETECT("{successRate: {standardDeviationFactor: 4294968}}"), OUT ".detectors.successRate.standardDeviationFactor: must be at most 4294967", NULL },
	{ DETECT("{failurePercentage: {minimumHosts: 0, requestVolume: 0, threshold: 101}}"),
	  OUT ".detectors.failurePercentage.minimumHosts" ZERO "\n" OUT ".detectors.failurePercentage.requestVolume" ZERO "\n" OUT ".detectors.failurePercentage.threshold" PERCENT, NULL },
	/* under the list it stands in */
	{ RULE("{connectionLimits: {maxConnections: 0}}"), "spec.rules[0].default.connectionLimits.maxConnections" ZERO, NULL },
};
/* clang-format on */

static void each_row_of_health_checks(void **state)
{
	(void)state;
	doc_cases(CHECKS, ARRAY_LEN(CHECKS));
}

static void each_row_of_circuit_breakers(void **state)
{
	(void)state;
	doc_cases(BREAKERS, ARRAY_LEN(BREAKERS));
}

static const void *conf_of(const struct doc *doc)
{
	assert_non_null(doc->res);
	return conf_read(doc->res->key.kind, doc->res->attached->to.items[0].conf,
			 doc->arena);
}

static void health_checks_have_defaults(void **state)
{
	struct doc doc = doc_of(TCP("{}"));
	const struct health_conf *conf = conf_of(&doc);

	(void)state;
	assert_true(conf->interval.set && conf->interval.ms == 60000);
	assert_true(conf->timeout.set && conf->timeout.ms == 15000);
	assert_int_equal(conf->unhealthy, 5);
	assert_int_equal(conf->healthy, 1);
	assert_false(conf->initial_jitter.set || conf->interval_jitter.set ||
		     conf->no_traffic.set || conf->jitter_percent.set || conf->panic.set);
	assert_true(conf->keep_open && !conf->fail_on_panic && !conf->always_log);
	assert_string_equal(conf->event_log, "");
	assert_true(conf->tcp.set && !conf->http.set && !conf->grpc.set);
	assert_string_equal(conf->tcp.send, "");
	assert_int_equal(conf->tcp.receive.count, 0);
	assert_string_equal(conf->http.path, "/");
	assert_int_equal(conf->http.status_count, 0);
	doc_free(&doc);
}

static void health_checks_are_read(void **state)
{
	struct doc doc = doc_of(CHECK(
		"{interval: 2s, timeout: 1s, unhealthyThreshold: 3, healthyThreshold: 2, "
		"intervalJitterPercent: 0, healthyPanicThreshold: '12.5', "
		"reuseConnection: false, eventLogPath: /a, tcp: {disabled: true, send: "
		"YQ==, "
		"receive: [Yg==, Yw==]}, http: {path: /h, expectedStatuses: [200, 204], "
		"requestHeadersToAdd: {add: [{name: x, value: y}], set: [{name: v, "
		"value: "
		"w}]}}, grpc: {serviceName: s, authority: t}}"));
	const struct health_conf *conf = conf_of(&doc);

	(void)state;
	assert_true(conf->interval.ms == 2000 && conf->timeout.ms == 1000);
	assert_true(conf->unhealthy == 3 && conf->healthy == 2);
	assert_true(conf->jitter_percent.set && conf->jitter_percent.value == 0);
	assert_true(conf->panic.set && conf->panic.value == 12.5);
	assert_false(conf->keep_open);
	assert_string_equal(conf->event_log, "/a");
	assert_true(conf->tcp.disabled && !conf->http.disabled && !conf->grpc.disabled);
	assert_string_equal(conf->tcp.send, "YQ==");
	assert_string_equal(conf->tcp.receive.items[1], "Yw==");
	assert_string_equal(conf->http.path, "/h");
	assert_int_equal(conf->http.status_count, 2);
	assert_int_equal(conf->http.statuses[1], 204);
	assert_int_equal(conf->http.header_count, 2);
	assert_string_equal(conf->http.headers[0].name, "v"); /* set first */
	assert_true(!conf->http.headers[0].add && conf->http.headers[1].add);
	assert_string_equal(conf->http.headers[1].value, "y");
	assert_string_equal(conf->grpc.service, "s");
	assert_string_equal(conf->grpc.authority, "t");
	doc_free(&doc);
}

static void circuit_breakers_are_read(void **state)
{
	struct doc doc = doc_of(BREAKER(
		"{connectionLimits: {maxConnections: 1, maxConnectionPools: 2, "
		"maxPendingRequests: 30, maxRetries: 4, maxRequests: 5}, "
		"outlierDetection: "
		"{interval: 1s, baseEjectionTime: 2s, maxEjectionPercent: 3, "
		"splitExternalAndLocalErrors: true, healthyPanicThreshold: 0, detectors: "
		"{totalFailures: {consecutive: 6}, gatewayFailures: {consecutive: 7}, "
		"localOriginFailures: {consecutive: 8}, successRate: {minimumHosts: 9, "
		"requestVolume: 10, standardDeviationFactor: '1.5'}, failurePercentage: "
		"{minimumHosts: 11, requestVolume: 12, threshold: 13}}}}"));
	const struct breaker_conf *conf = conf_of(&doc);

	(void)state;
	assert_true(conf->has_limits && conf->has_detection && !conf->disabled);
	assert_true(conf->connections.value == 1 && conf->pools.value == 2 &&
		    conf->pending.value == 30 && conf->retries.value == 4 &&
		    conf->requests.value == 5);
	assert_true(conf->interval.ms == 1000 && conf->ejection.ms == 2000);
	assert_true(conf->max_percent.set && conf->max_percent.value == 3);
	assert_true(conf->split_errors && conf->panic.set && conf->panic.value == 0);
	assert_true(conf->total.value == 6 && conf->gateway.value == 7 &&
		    conf->local_origin.value == 8);
	assert_true(conf->has_total && conf->has_gateway && conf->has_local_origin &&
		    conf->has_success_rate && conf->has_failure_percentage);
	assert_true(conf->success_hosts.value == 9 && conf->success_volume.value == 10 &&
		    conf->success_factor.value == 1.5);
	assert_true(conf->failure_hosts.value == 11 && conf->failure_volume.value == 12 &&
		    conf->failure_threshold.value == 13);
	doc_free(&doc);

	doc = doc_of(DETECT("{successRate: {}}"));
	conf = conf_of(&doc);
	assert_true(conf->has_detection && conf->has_success_rate);
	assert_false(conf->has_limits || conf->has_total || conf->has_gateway ||
		     conf->has_local_origin || conf->has_failure_percentage);
	assert_false(conf->interval.set || conf->ejection.set || conf->max_percent.set ||
		     conf->panic.set || conf->success_hosts.set ||
		     conf->success_factor.set || conf->total.set);
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_of_health_checks),
		cmocka_unit_test(each_row_of_circuit_breakers),
		cmocka_unit_test(health_checks_have_defaults),
		cmocka_unit_test(health_checks_are_read),
		cmocka_unit_test(circuit_breakers_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
