/* MeshTimeout and MeshRetry: each row of policies-spec 2.1 and 2.2 with its exact field
 * and text, and what conf_read makes of a merged default. */
#include "doc.h"

#include "model/conf.h"

#define DEFAULT_OF(kind, value)                                                        \
	"{type: " kind ", name: r, spec: {to: [{targetRef: {kind: MeshService, name: " \
	"b}, default: " value "}]}}"
#define TIMEOUT(value) DEFAULT_OF("MeshTimeout", value)
#define HTTP_TIMEOUT(value) TIMEOUT("{http: " value "}")
#define RETRY(value) DEFAULT_OF("MeshRetry", value)
#define HTTP(value) RETRY("{http: " value "}")
#define GRPC(value) RETRY("{grpc: " value "}")
#define LIMITED(value) HTTP("{rateLimitedBackOff: " value "}")
#define SELECT(value) HTTP("{hostSelection: " value "}")

#define AT "spec.to[0].default"
#define NO_DURATION ": must be a duration such as 5s, 500ms or 1h30m"
#define NEGATIVE ": must not be negative when defined"
#define NOT_ABOVE ": must be greater than zero when defined"
#define EMPTY ": must not be empty"
#define CEILING ": must be in inclusive range [0, 4294967295]"

/* clang-format off */
static const struct doc_case TIMEOUTS[] = {
	{ TIMEOUT("{connectionTimeout: 1ms, idleTimeout: 0s, http: {requestTimeout: 0s, streamIdleTimeout: 0s, maxStreamDuration: 0s, maxConnectionDuration: 0s, requestHeadersTimeout: 0s}}"), NULL, NULL },
	{ TIMEOUT("{idleTimeout: 87600h}"), NULL, NULL },
	{ TIMEOUT("{idleTimeout: '0'}"), NULL, NULL },
	{ TIMEOUT("{idleTimeout: 1.5h30m10s5ms1us}"), NULL, NULL },
	{ TIMEOUT("{}"), AT ": at least one timeout should be configured", NULL },
	{ TIMEOUT("{connectionTimeout: null}"), AT ": at least one timeout should be configured", NULL },
	{ HTTP_TIMEOUT("{}"), AT ".http: at least one timeout in this section should be configured", NULL },
	{ HTTP_TIMEOUT("{requestHeadersTimeout: 1s}"), AT ".http: at least one timeout in this section should be configured", NULL },
	{ TIMEOUT("{connectionTimeout: 0s}"), AT ".connectionTimeout" NOT_ABOVE, NULL },
	{ TIMEOUT("{connectionTimeout: -1s}"), AT ".connectionTimeout" NOT_ABOVE, NULL },
	{ TIMEOUT("{idleTimeout: -1ms}"), AT ".idleTimeout" NEGATIVE, NULL },
	{ HTTP_TIMEOUT("{requestTimeout: -1s, streamIdleTimeout: -1s, maxStreamDuration: -1s, maxConnectionDuration: -1s, requestHeadersTimeout: -1s}"),
	  AT ".http.requestTimeout" NEGATIVE "\n" AT ".http.streamIdleTimeout" NEGATIVE "\n" AT ".http.maxStreamDuration" NEGATIVE "\n"
	  AT ".http.maxConnectionDuration" NEGATIVE "\n" AT ".http.requestHeadersTimeout" NEGATIVE, NULL },
	/* in the order of the fields */
	{ TIMEOUT("{http: {}, idleTimeout: x, connectionTimeout: 0s}"),
	  AT ".connectionTimeout" NOT_ABOVE "\n" AT ".idleTimeout" NO_DURATION "\n" AT ".http: at least one timeout in this section should be configured", NULL },
	/* durations */
	{ TIMEOUT("{idleTimeout: 5}"), AT ".idleTimeout" NO_DURATION, NULL },
	{ TIMEOUT("{idleTimeout: true}"), AT ".idleTimeout" NO_DURATION, NULL },
	{ TIMEOUT("{idleTimeout: '5'}"), AT ".idleTimeout" NO_DURATION, NULL },
	{ TIMEOUT("{idleTimeout: ''}"), AT ".idleTimeout" NO_DURATION, NULL },
	{ TIMEOUT("{idleTimeout: s}"), AT ".idleTimeout" NO_DURATION, NULL },
	{ TIMEOUT("{idleTimeout: .s}"), AT ".idleTimeout" NO_DURATION, NULL },
	{ TIMEOUT("{idleTimeout: 5 s}"), AT ".idleTimeout" NO_DURATION, NULL },
	{ TIMEOUT("{idleTimeout: 5d}"), AT ".idleTimeout" NO_DURATION, NULL },
	{ TIMEOUT("{idleTimeout: 1h30}"), AT ".idleTimeout" NO_DURATION, NULL },
	{ TIMEOUT("{idleTimeout: --5s}"), AT ".idleTimeout" NO_DURATION, NULL },
	{ TIMEOUT("{idleTimeout: []}"), AT ".idleTimeout" NO_DURATION ", not a list", NULL },
	{ TIMEOUT("{idleTimeout: {seconds: 5}}"), AT ".idleTimeout" NO_DURATION ", not an object", NULL },
	{ TIMEOUT("{idleTimeout: 87600h1ms}"), AT ".idleTimeout: must be at most 87600h", NULL },
	{ TIMEOUT("{idleTimeout: 99999999999999999999999999999h}"), AT ".idleTimeout: must be at most 87600h", NULL },
	{ TIMEOUT("{idleTimeout: -99999999999999999999999999999h}"), AT ".idleTimeout" NEGATIVE, NULL },
	{ TIMEOUT("{idleTimout: 5s}"), AT ".idleTimout: unknown field, did you mean \"idleTimeout\"?\n" AT ": at least one timeout should be configured", NULL },
};

static const struct doc_case RETRIES[] = {
	{ RETRY("{tcp: {maxConnectAttempt: 1}, http: {numRetries: 0, perTryTimeout: 0s}, grpc: {backOff: {maxInterval: 1s}}}"), NULL, NULL },
	{ HTTP("{retryOn: [5xx, 5XX, GatewayError, Reset, Retriable4xx, ConnectFailure, EnvoyRatelimited, RefusedStream, Http3PostConnectFailure, HttpMethodConnect, "
	       "HttpMethodDelete, HttpMethodGet, HttpMethodHead, HttpMethodOptions, HttpMethodPatch, HttpMethodPost, HttpMethodPut, HttpMethodTrace, '429', '503', '511']}"), NULL, NULL },
	{ GRPC("{retryOn: [Canceled, DeadlineExceeded, Internal, ResourceExhausted, Unavailable]}"), NULL, NULL },
	{ HTTP("{retryOn: []}"), NULL, NULL },
	{ LIMITED("{resetHeaders: [{name: retry-after, format: Seconds}, {name: x-reset, format: UnixTimestamp}], maxInterval: 1s}"), NULL, NULL },
	{ HTTP("{retriableRequestHeaders: [{name: a, value: b}, {type: Present, name: b}], retriableResponseHeaders: [{type: Prefix, name: a, value: b}]}"), NULL, NULL },
	{ SELECT("[{predicate: OmitPreviousHosts}, {predicate: OmitHostsWithTags, tags: {version: v1}}, {predicate: OmitPreviousPriorities, updateFrequency: 1}]"), NULL, NULL },
	{ HTTP("{hostSelectionMaxAttempts: 9223372036854775807}"), NULL, NULL },
	{ RETRY("{}"), AT ": at least one of the 'tcp', 'http', 'grpc' must be specified", NULL },
	/* tcp */
	{ RETRY("{tcp: {}}"), AT ".tcp" EMPTY, NULL },
	{ RETRY("{tcp: {maxConnectAttempt: 0}}"), AT ".tcp.maxConnectAttempt: must be greater than 0", NULL },
	{ RETRY("{tcp: {maxConnectAttempt: -1}}"), AT ".tcp.maxConnectAttempt: must be greater than 0", NULL },
	{ RETRY("{tcp: {maxConnectAttempt: 4294967296}}"), AT ".tcp.maxConnectAttempt" CEILING, NULL },
	{ RETRY("{tcp: {maxConnectAttempt: 99999999999999999999}}"), AT ".tcp.maxConnectAttempt" CEILING, NULL },
	{ RETRY("{tcp: {maxConnectAttempt: 1.5}}"), AT ".tcp.maxConnectAttempt: must be a whole number", NULL },
	{ RETRY("{tcp: {maxConnectAttempts: 2}}"), AT ".tcp.maxConnectAttempts: unknown field, did you mean \"maxConnectAttempt\"?\n" AT ".tcp" EMPTY, NULL },
	/* http and grpc */
	{ HTTP("{}"), AT ".http" EMPTY, NULL },
	{ GRPC("{}"), AT ".grpc" EMPTY, NULL },
	{ GRPC("{numRetries: null}"), AT ".grpc" EMPTY, NULL },
	{ HTTP("{numRetries: -1}"), AT ".http.numRetries" CEILING, NULL },
	{ HTTP("{perTryTimeout: -1s}"), AT ".http.perTryTimeout" NEGATIVE, NULL },
	{ HTTP("{backOff: {}}"), AT ".http.backOff" EMPTY, NULL },
	{ GRPC("{backOff: {baseInterval: 0s, maxInterval: 0s}}"), AT ".grpc.backOff.baseInterval" NOT_ABOVE "\n" AT ".grpc.backOff.maxInterval" NOT_ABOVE, NULL },
	{ LIMITED("{}"), AT ".http.rateLimitedBackOff.resetHeaders: must be defined", NULL },
	{ LIMITED("{resetHeaders: []}"), AT ".http.rateLimitedBackOff.resetHeaders: must be defined", NULL },
	{ LIMITED("{resetHeaders: [{}]}"), AT ".http.rateLimitedBackOff.resetHeaders[0].name: must be defined\n" AT ".http.rateLimitedBackOff.resetHeaders[0].format: must be defined", NULL },
	{ LIMITED("{resetHeaders: [{name: '', format: Hours}]}"), AT ".http.rateLimitedBackOff.resetHeaders[0].name: must be defined\n" AT ".http.rateLimitedBackOff.resetHeaders[0].format: value 'Hours' is not supported", NULL },
	{ LIMITED("{resetHeaders: [{name: Retry After, format: Seconds}]}"), AT ".http.rateLimitedBackOff.resetHeaders[0].name: must be a lower case HTTP header name", NULL },
	{ LIMITED("{resetHeaders: [{name: a, format: Seconds}], maxInterval: 0s}"), AT ".http.rateLimitedBackOff.maxInterval: must be defined and greater than zero", NULL },
	{ HTTP("{retryOn: [5xx, Never, '600', '99', '1000', '306', '']}"),
	  AT ".http.retryOn[1]: unknown item 'Never'\n" AT ".http.retryOn[2]: unknown item '600'\n" AT ".http.retryOn[3]: unknown item '99'\n"
	  AT ".http.retryOn[4]: unknown item '1000'\n" AT ".http.retryOn[5]: unknown item '306'\n" AT ".http.retryOn[6]: unknown item ''", NULL },
	{ HTTP("{retryOn: [503]}"), AT ".http.retryOn[0]: must be a string, not a number: quote it, \"503\"", NULL },
	{ GRPC("{retryOn: [5xx]}"), AT ".grpc.retryOn[0]: unknown item '5xx'", NULL },
	{ GRPC("{numRetries: 1, hostSelection: []}"), AT ".grpc.hostSelection: unknown field", NULL },
	{ HTTP("{retriableRequestHeaders: [{type: Other, name: A}]}"),
	  AT ".http.retriableRequestHeaders[0].type: value 'Other' is not supported\n" AT ".http.retriableRequestHeaders[0].name: must be a lower case HTTP header name", NULL },
	{ HTTP("{retriableResponseHeaders: [{value: a}]}"), AT ".http.retriableResponseHeaders[0].name: must be defined", NULL },
	/* hostSelection */
	{ SELECT("[{}]"), AT ".http.hostSelection[0].predicate: must be defined", NULL },
	{ SELECT("[{predicate: Omit}]"), AT ".http.hostSelection[0].predicate: unknown predicate type 'Omit'", NULL },
	{ SELECT("[{predicate: OmitHostsWithTags}]"), AT ".http.hostSelection[0].tags: must be defined", NULL },
	{ SELECT("[{predicate: OmitHostsWithTags, tags: {}}]"), AT ".http.hostSelection[0].tags: must be defined", NULL },
	{ SELECT("[{predicate: OmitPreviousPriorities}, {predicate: OmitPreviousPriorities, updateFrequency: 0}]"),
	  AT ".http.hostSelection[1].updateFrequency: must be defined and greater than zero\n" AT ".http.hostSelection[1].predicate: OmitPreviousPriorities must only be specified once", NULL },
	{ HTTP("{hostSelectionMaxAttempts: 0}"), AT ".http.hostSelectionMaxAttempts" NOT_ABOVE, NULL },
};
/* clang-format on */

static void each_row_of_timeouts(void **state)
{
	(void)state;
	doc_cases(TIMEOUTS, ARRAY_LEN(TIMEOUTS));
}

static void each_row_of_retries(void **state)
{
	(void)state;
	doc_cases(RETRIES, ARRAY_LEN(RETRIES));
}

/* What conf_read makes of the default of a document with exactly one. */
static const void *conf_of(const struct doc *doc)
{
	assert_non_null(doc->res);
	return conf_read(doc->res->key.kind, doc->res->attached->to.items[0].conf,
			 doc->arena);
}

static void timeouts_are_read(void **state)
{
	struct doc doc =
		doc_of(TIMEOUT("{connectionTimeout: 1500us, idleTimeout: 0s, http: "
			       "{requestTimeout: 1h30m, maxStreamDuration: .5s}}"));
	const struct timeout_conf *conf = conf_of(&doc);

	(void)state;
	assert_true(conf->connect.set && conf->connect.ms == 2); /* rounded up */
	assert_true(conf->idle.set && conf->idle.ms == 0);
	assert_true(conf->request.set && conf->request.ms == 5400000);
	assert_true(conf->max_stream.set && conf->max_stream.ms == 500);
	assert_false(conf->stream_idle.set || conf->max_connection.set ||
		     conf->request_headers.set);
	doc_free(&doc);

	doc = doc_of(TIMEOUT("{idleTimeout: 87600h}"));
	conf = conf_of(&doc);
	assert_true(conf->idle.ms == INT64_C(87600) * 3600000);
	assert_false(conf->connect.set); /* its default is Envoy's */
	doc_free(&doc);
}

static void retries_are_read(void **state)
{
	struct doc doc = doc_of(RETRY(
		"{tcp: {maxConnectAttempt: 3}, http: {numRetries: 0, perTryTimeout: 1s, "
		"backOff: {baseInterval: 1s, maxInterval: 2s}, rateLimitedBackOff: "
		"{resetHeaders: [{name: a, format: Seconds}, {name: b, format: "
		"UnixTimestamp}], maxInterval: 9s}, retryOn: ['503', 5XX], "
		"retriableRequestHeaders: [{name: x, value: y}], "
		"retriableResponseHeaders: [{type: Present, name: z}, {name: w}], "
		"hostSelection: [{predicate: OmitHostsWithTags, tags: {a: b}}, "
		"{predicate: "
		"OmitPreviousPriorities, updateFrequency: 7}], hostSelectionMaxAttempts: "
		"4}}"));
	const struct retry_conf *conf = conf_of(&doc);
	const struct request_retry *http = &conf->http;

	(void)state;
	assert_true(conf->connect_attempts.set && conf->connect_attempts.value == 3);
	assert_true(http->set && !conf->grpc.set);
	assert_true(http->retries.set && http->retries.value == 0);
	assert_true(http->per_try.ms == 1000 && http->base.ms == 1000);
	assert_true(http->max.ms == 2000 && http->reset_max.ms == 9000);
	assert_int_equal(http->reset_count, 2);
	assert_string_equal(http->resets[1].name, "b");
	assert_true(!http->resets[0].unix_time && http->resets[1].unix_time);
	assert_true(http->has_retry_on && http->retry_on.count == 2);
	assert_string_equal(http->retry_on.items[0], "503");
	assert_int_equal(http->request_header_count, 1);
	assert_string_equal(http->request_headers[0].name, "x");
	assert_int_equal(http->response_header_count, 2);
	assert_int_equal(http->response_headers[0].type, HTTP_VALUE_PRESENT);
	assert_int_equal(http->selection_count, 2);
	assert_int_equal(http->selections[0].predicate, OMIT_HOSTS_WITH_TAGS);
	assert_string_equal(http->selections[0].tags.items[0].value, "b");
	assert_int_equal(http->selections[0].frequency, 2);
	assert_int_equal(http->selections[1].frequency, 7);
	assert_int_equal(http->selection_attempts, 4);
	doc_free(&doc);

	doc = doc_of(GRPC("{retryOn: []}"));
	conf = conf_of(&doc);
	assert_false(conf->connect_attempts.set || conf->http.set);
	assert_true(conf->grpc.set && conf->grpc.has_retry_on);
	assert_false(conf->grpc.retries.set || conf->grpc.per_try.set ||
		     conf->grpc.base.set || conf->grpc.max.set ||
		     conf->grpc.reset_max.set);
	assert_int_equal(conf->grpc.selection_attempts, 0);
	doc_free(&doc);
}

/* A merged tree of what no single policy may say, or of a later version. */
static void what_is_not_understood_is_not_written(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *odd = tree_map(arena);

	(void)state;
	tree_set(arena, odd, "connectionTimeout", tree_text(arena, "soon"));
	tree_set(arena, odd, "idleTimeout", tree_int(arena, 5));
	tree_set(arena, odd, "http", tree_list(arena));
	tree_set(arena, odd, "new", tree_map(arena));
	const struct timeout_conf *conf = conf_read(KIND_MESH_TIMEOUT, odd, arena);
	assert_false(conf->connect.set || conf->idle.set || conf->request.set);
	zl_arena_free(&arena);
}

static void legacy_kinds_have_successors(void **state)
{
	(void)state;
	assert_int_equal(kind_replaces(KIND_TIMEOUT), KIND_MESH_TIMEOUT);
	assert_int_equal(kind_replaces(KIND_RETRY), KIND_MESH_RETRY);
	assert_int_equal(kind_replaces(KIND_HEALTH_CHECK), KIND_MESH_HEALTH_CHECK);
	assert_int_equal(kind_replaces(KIND_CIRCUIT_BREAKER), KIND_MESH_CIRCUIT_BREAKER);
	assert_int_equal(kind_replaces(KIND_TRAFFIC_LOG), KIND_MESH_ACCESS_LOG);
	assert_int_equal(kind_replaces(KIND_TRAFFIC_PERMISSION),
			 KIND_MESH_TRAFFIC_PERMISSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_of_timeouts),
		cmocka_unit_test(each_row_of_retries),
		cmocka_unit_test(timeouts_are_read),
		cmocka_unit_test(retries_are_read),
		cmocka_unit_test(what_is_not_understood_is_not_written),
		cmocka_unit_test(legacy_kinds_have_successors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
