/* The rows of policies-spec 4: Timeout, Retry, HealthCheck, CircuitBreaker, TrafficLog,
 * TrafficPermission. */
#include "doc.h"

#define ENDS                                                                  \
	"sources: [{match: {kuma.io/service: web}}], destinations: [{match: " \
	"{kuma.io/service: backend}}]"
#define OF(type, conf) \
	"{type: " type ", name: p, mesh: default, " ENDS ", conf: {" conf "}}"
#define TIMEOUT(conf) OF("Timeout", conf)
#define RETRY(conf) OF("Retry", conf)
#define HTTP_RETRY(conf) RETRY("http: {" conf "}")
#define NEEDED "interval: 10s, timeout: 2s, unhealthyThreshold: 3, healthyThreshold: 1"
#define CHECK(conf) OF("HealthCheck", NEEDED conf)
#define BREAKER(conf) OF("CircuitBreaker", conf)
#define PERMISSION(source, destination)                                               \
	"{type: TrafficPermission, name: p, mesh: default, sources: [{match: " source \
	"}], destinations: [{match: " destination "}]}"
#define NO_TIMEOUT ": at least one timeout in section has to be defined"
#define ABOVE ": has to be greater than 0"
#define ABOVE_SET ABOVE " when defined"
#define POSITIVE ": must have a positive value"
#define NO_DURATION ": must be a duration such as 5s, 500ms or 1h30m"
#define PERCENT ": has to be in [0.0 - 100.0] range"

/* clang-format off */
static const struct doc_case CASES[] = {
	/* both ends */
	{ "{type: Timeout, name: p, mesh: default}", "sources: must have at least one element\ndestinations: must have at least one element\nconf: has to be defined", NULL },
	{ "{type: TrafficLog, name: p, mesh: default, " ENDS "}", "conf: has to be defined", NULL },
	{ "{type: Retry, name: p, mesh: default, sources: [], destinations: [], conf: {tcp: {maxConnectAttempts: 1}}}", "sources: must have at least one element\ndestinations: must have at least one element", NULL },
	{ "{type: Timeout, name: p, mesh: default, sources: [{match: {app: web}}], destinations: [{match: {kuma.io/service: b, version: v1}}], conf: {connectTimeout: 1s}}", "sources[0].match: mandatory tag \"kuma.io/service\" is missing\ndestinations[0].match: must consist of exactly one tag \"kuma.io/service\"\ndestinations[0].match[\"version\"]: tag \"version\" is not allowed", NULL },
	{ "{type: Timeout, name: p, mesh: default, sources: [{match: {kuma.io/service: '*', version: v1}}], destinations: [{match: {kuma.io/service: '*'}}], conf: {connectTimeout: 1s}}", NULL, NULL },
	{ "{apiVersion: kuma.io/v1alpha1, kind: Timeout, mesh: default, metadata: {name: p}, spec: {" ENDS ", conf: {}}}", "spec.conf" NO_TIMEOUT, NULL },
	{ "{type: Timeout, name: p, mesh: default, " ENDS ", conf: [1]}", "conf: must be an object, not a list", NULL },

	/* Timeout */
	{ TIMEOUT("connectTimeout: 0.5s, tcp: {idleTimeout: 1h}, http: {requestTimeout: 5s, idleTimeout: 1h30m, streamIdleTimeout: 5s, maxStreamDuration: 5s}, grpc: {streamIdleTimeout: 5s, maxStreamDuration: 5s}"), NULL, NULL },
	{ TIMEOUT(""), "conf" NO_TIMEOUT, NULL },
	{ TIMEOUT("tcp: {}, http: {}, grpc: {}"), "conf.tcp" NO_TIMEOUT "\nconf.http" NO_TIMEOUT "\nconf.grpc" NO_TIMEOUT, NULL },
	{ TIMEOUT("connectTimeout: 0s"), "conf.connectTimeout" ABOVE_SET, NULL },
	{ TIMEOUT("tcp: {idleTimeout: 0s}"), "conf.tcp.idleTimeout" ABOVE, NULL },
	{ TIMEOUT("http: {requestTimeout: 0s, idleTimeout: -1s}"), "conf.http.requestTimeout" ABOVE_SET "\nconf.http.idleTimeout" ABOVE_SET, NULL },
	{ TIMEOUT("grpc: {streamIdleTimeout: 0s, maxStreamDuration: 0s}"), "conf.grpc.streamIdleTimeout" ABOVE_SET "\nconf.grpc.maxStreamDuration" ABOVE_SET, NULL },
	{ TIMEOUT("connectTimeout: 5"), "conf.connectTimeout" NO_DURATION, NULL },
	{ TIMEOUT("connectTimeout: 5x"), "conf.connectTimeout" NO_DURATION, NULL },
	{ TIMEOUT("connectTimeout: 87601h"), "conf.connectTimeout: must be at most 87600h", NULL },
	{ TIMEOUT("conectTimeout: 5s"), "conf.conectTimeout: unknown field, did you mean \"connectTimeout\"?\nconf" NO_TIMEOUT, NULL },

	/* Retry */
	{ RETRY("tcp: {maxConnectAttempts: 3}, grpc: {numRetries: 2, retryOn: [cancelled, deadline_exceeded, internal, resource_exhausted, unavailable]}"), NULL, NULL },
	{ HTTP_RETRY("numRetries: 3, perTryTimeout: 200ms, backOff: {baseInterval: 20ms, maxInterval: 1s}, retriableStatusCodes: [500, 504], retriableMethods: [GET, DELETE], retryOn: [all_5xx, gateway_error, reset, connect_failure, envoy_ratelimited, retriable_4xx, refused_stream, retriable_status_codes, http3_post_connect_failure]"), NULL, NULL },
	{ RETRY(""), "conf: missing protocol [grpc|http|tcp] configuration", NULL },
	{ RETRY("tcp: {}"), "conf.tcp.maxConnectAttempts" ABOVE, NULL },
	{ RETRY("tcp: {maxConnectAttempts: 0}"), "conf.tcp.maxConnectAttempts" ABOVE, NULL },
	{ RETRY("tcp: {maxConnectAttempts: 4294967296}"), "conf.tcp.maxConnectAttempts: must be in inclusive range [0, 4294967295]", NULL },
	{ RETRY("http: {}, grpc: {}"), "conf.http: field cannot be empty\nconf.grpc: field cannot be empty", NULL },
	{ HTTP_RETRY("numRetries: 0, perTryTimeout: 0s"), "conf.http.numRetries" ABOVE_SET "\nconf.http.perTryTimeout" ABOVE_SET, NULL },
	{ HTTP_RETRY("backOff: {}"), "conf.http.backOff.baseInterval: has to be defined", NULL },
	{ HTTP_RETRY("backOff: {baseInterval: 0s, maxInterval: 0s}"), "conf.http.backOff.baseInterval" ABOVE "\nconf.http.backOff.maxInterval" ABOVE_SET, NULL },
	{ HTTP_RETRY("retriableStatusCodes: [99, a]"), "conf.http.retriableStatusCodes[0]: must be in inclusive range [100, 599]\nconf.http.retriableStatusCodes[1]: must be a number, not a text: write it in digits, without quotes", NULL },
	{ HTTP_RETRY("retriableMethods: [get]"), "conf.http.retriableMethods[0]: value 'get' is not supported", NULL },
	{ HTTP_RETRY("retryOn: [5xx]"), "conf.http.retryOn[0]: value '5xx' is not supported", NULL },
	{ HTTP_RETRY("retryOn: [retriable_headers, retriable_status_codes]"), NULL, "conf.http.retryOn[0]: retriable_headers has no effect: there is no list of them\nconf.http.retryOn[1]: retriable_status_codes has no effect: there is no list of them" },
	{ RETRY("grpc: {retryOn: [canceled]}"), "conf.grpc.retryOn[0]: value 'canceled' is not supported", NULL },

	/* HealthCheck */
	{ CHECK(""), NULL, NULL },
	{ CHECK(", initialJitter: 1s, intervalJitter: 1s, intervalJitterPercent: 10, healthyPanicThreshold: 50.5, failTrafficOnPanic: true, eventLogPath: /var/log/h.log, alwaysLogHealthCheckFailures: true, noTrafficInterval: 10s, reuseConnection: false, tcp: {send: Zm9v, receive: [YmFy]}"), NULL, NULL },
	{ CHECK(", http: {path: /health, requestHeadersToAdd: [{append: false, header: {key: a, value: b}}, {header: {key: c}}], expectedStatuses: [200, 201]}"), NULL, NULL },
	{ OF("HealthCheck", ""), "conf.interval" POSITIVE "\nconf.timeout" POSITIVE "\nconf.unhealthyThreshold" POSITIVE "\nconf.healthyThreshold" POSITIVE, NULL },
	{ OF("HealthCheck", "interval: 0s, timeout: 0s, unhealthyThreshold: 0, healthyThreshold: 0, noTrafficInterval: 0s"), "conf.interval" POSITIVE "\nconf.timeout" POSITIVE "\nconf.unhealthyThreshold" POSITIVE "\nconf.healthyThreshold" POSITIVE "\nconf.noTrafficInterval" POSITIVE, NULL },
	{ CHECK(", tcp: {}, http: {path: /}"), "conf: http and tcp cannot be defined at the same time", NULL },
	{ CHECK(", healthyPanicThreshold: 101"), "conf.healthyPanicThreshold" PERCENT, NULL },
	{ CHECK(", healthyPanicThreshold: '50'"), "conf.healthyPanicThreshold: must be a number, not a text: write it in digits, without quotes", NULL },
	{ CHECK(", intervalJitterPercent: 101"), "conf.intervalJitterPercent" PERCENT, NULL },
	{ CHECK(", tcp: {send: '%'}"), "conf.tcp.send: must be Base64", NULL },
	{ CHECK(", eventLogPath: h"), "conf.eventLogPath: must be a valid path when defined", NULL },
	{ CHECK(", http: {}"), "conf.http.path: has to be defined and cannot be empty", NULL },
	{ CHECK(", http: {path: /, requestHeadersToAdd: [{}, {header: {}}]}"), "conf.http.requestHeadersToAdd[0].header: must be defined\nconf.http.requestHeadersToAdd[1].header.key: cannot be empty", NULL },
	{ CHECK(", http: {path: /, expectedStatuses: [600]}"), "conf.http.expectedStatuses[0]: must be in inclusive range [100, 599]", NULL },

	/* CircuitBreaker */
	{ BREAKER("interval: 1s, baseEjectionTime: 30s, maxEjectionPercent: 20, splitExternalAndLocalErrors: false, detectors: {totalErrors: {consecutive: 20}, gatewayErrors: {}, localErrors: {}, standardDeviation: {requestVolume: 10, minimumHosts: 5, factor: 1.9}, failure: {requestVolume: 10, minimumHosts: 5, threshold: 85}}, thresholds: {maxConnections: 2, maxPendingRequests: 3, maxRetries: 5, maxRequests: 4}"), NULL, NULL },
	{ BREAKER(""), "conf: must have at least one of the detector or threshold configured", NULL },
	{ BREAKER("detectors: {}"), "conf: must have at least one of the detector or threshold configured", NULL },
	{ BREAKER("interval: 1s, thresholds: {maxConnections: 2}"), NULL, "conf.interval: interval has no effect without detectors" },
	{ BREAKER("maxEjectionPercent: 101, detectors: {failure: {threshold: 101}}"), "conf.maxEjectionPercent" PERCENT "\nconf.detectors.failure.threshold" PERCENT, NULL },
	{ BREAKER("interval: 0s, detectors: {totalErrors: {}}"), "conf.interval" ABOVE_SET, NULL },
	{ BREAKER("detectors: {standardDeviation: {factor: 0}}"), "conf.detectors.standardDeviation.factor" ABOVE_SET, NULL },
	{ BREAKER("detectors: {totalError: {}}"), "conf.detectors.totalError: unknown field, did you mean \"totalErrors\"?", NULL },

	/* TrafficLog */
	{ OF("TrafficLog", ""), NULL, NULL },
	{ OF("TrafficLog", "backend: file"), NULL, NULL },
	{ OF("TrafficLog", "backend: 1"), "conf.backend: must be a string, not a number: quote it, \"1\"", NULL },

	/* TrafficPermission */
	{ PERMISSION("{kuma.io/service: web}", "{kuma.io/service: backend, version: v1}"), NULL, NULL },
	{ PERMISSION("{app: '*'}", "{zone/x: east}"), NULL, NULL },
	{ PERMISSION("{}", "{}"), "sources[0].match: must have at least one tag\ndestinations[0].match: must have at least one tag", NULL },
	{ OF("TrafficPermission", ""), "conf: unknown field", NULL },
};
/* clang-format on */

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(CASES, ARRAY_LEN(CASES));
}

static void a_policy_has_its_ends_and_its_conf(void **state)
{
	struct doc doc = doc_of(TIMEOUT("connectTimeout: 1s, tcp: null"));
	const struct legacy_spec *spec = doc.res->legacy;

	(void)state;
	assert_int_equal(spec->source_count, 1);
	assert_string_equal(labels_get(spec->sources[0].match, TAG_SERVICE), "web");
	assert_string_equal(labels_get(spec->destinations[0].match, TAG_SERVICE),
			    "backend");
	assert_string_equal(tree_get(spec->conf, "connectTimeout")->text, "1s");
	assert_int_equal(spec->conf->count, 1);
	doc_free(&doc);
	doc = doc_of(PERMISSION("{app: web}", "{app: backend}"));
	assert_null(doc.res->legacy->conf);
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(a_policy_has_its_ends_and_its_conf),
	};
	return cmocka_run_group_tests_name("model/legacy", tests, NULL, NULL);
}
