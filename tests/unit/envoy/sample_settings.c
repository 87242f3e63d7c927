#include "sample_settings.h"

#include "model/tree.h"

const struct timeout_conf EVERY_TIMEOUT = {
	.connect = SPAN(300),
	.idle = SPAN(30000),
	.request = SPAN(15000),
	.stream_idle = SPAN(120000),
	.max_stream = SPAN(3600000),
	.max_connection = SPAN(7200000),
	.request_headers = SPAN(250),
};

static const struct reset_header RESETS[] = {
	{ "retry-after", false },
	{ "x-reset", true },
};
static const char *const HTTP_ON[] = { "5XX",           "GatewayError",
				       "Reset",         "Retriable4xx",
				       "503",           "ConnectFailure",
				       "429",           "EnvoyRatelimited",
				       "RefusedStream", "Http3PostConnectFailure",
				       "HttpMethodGet", "HttpMethodHead" };
static const char *const GRPC_ON[] = { "Canceled", "DeadlineExceeded", "Internal",
				       "ResourceExhausted", "Unavailable" };
static const struct http_field REQUEST_HEADERS[] = {
	{ "x-retry", "yes", HTTP_VALUE_EXACT },
	{ "x-any", "", HTTP_VALUE_PRESENT },
};
static const struct http_field RESPONSE_HEADERS[] = {
	{ "x-again", "[0-9]+", HTTP_VALUE_REGEX },
};
static const struct label AVOIDED[] = { { "kuma.io/zone", "west" } };
static const struct host_selection SELECTIONS[] = {
	{ .predicate = OMIT_PREVIOUS_HOSTS },
	{ .predicate = OMIT_HOSTS_WITH_TAGS, .tags = { AVOIDED, 1 } },
	{ .predicate = OMIT_PREVIOUS_PRIORITIES, .frequency = 3 },
};

const struct retry_conf EVERY_RETRY = {
	.connect_attempts = NUMBER(3),
	.http = { .set = true,
		  .retries = NUMBER(4),
		  .per_try = SPAN(200),
		  .base = SPAN(10),
		  .max = SPAN(1500),
		  .resets = RESETS,
		  .reset_count = ARRAY_LEN(RESETS),
		  .reset_max = SPAN(60000),
		  .has_retry_on = true,
		  .retry_on = { HTTP_ON, ARRAY_LEN(HTTP_ON) },
		  .request_headers = REQUEST_HEADERS,
		  .request_header_count = ARRAY_LEN(REQUEST_HEADERS),
		  .response_headers = RESPONSE_HEADERS,
		  .response_header_count = ARRAY_LEN(RESPONSE_HEADERS),
		  .selections = SELECTIONS,
		  .selection_count = ARRAY_LEN(SELECTIONS),
		  .selection_attempts = 5 },
	.grpc = { .set = true,
		  .retries = NUMBER(0),
		  .per_try = SPAN(0),
		  .max = SPAN(10),
		  .has_retry_on = true,
		  .retry_on = { GRPC_ON, ARRAY_LEN(GRPC_ON) } },
};

static const struct checked_header HEADERS[] = {
	{ "x-check", "set", false },
	{ "x-check", "added", true },
};
static const uint32_t STATUSES[] = { 200, 204 };
static const char *const ANSWERS[] = { "UE9ORw==", "T0s=" };

const struct health_conf EVERY_CHECK = {
	.interval = SPAN(10000),
	.timeout = SPAN(2000),
	.unhealthy = 3,
	.healthy = 2,
	.initial_jitter = SPAN(100),
	.interval_jitter = SPAN(200),
	.no_traffic = SPAN(20000),
	.jitter_percent = NUMBER(5),
	.panic = { true, 62.9 },
	.fail_on_panic = true,
	.always_log = true,
	.event_log = "/dev/null",
	.tcp = { .set = true,
		 .send = "UElORw==",
		 .receive = { ANSWERS, ARRAY_LEN(ANSWERS) } },
	.http = { .set = true,
		  .path = "/alive",
		  .headers = HEADERS,
		  .header_count = ARRAY_LEN(HEADERS),
		  .statuses = STATUSES,
		  .status_count = ARRAY_LEN(STATUSES) },
	.grpc = { .set = true, .service = "grpc.health", .authority = "backend.mesh" },
};

const struct breaker_conf EVERY_BREAKER = {
	.has_limits = true,
	.connections = NUMBER(20),
	.pools = NUMBER(21),
	.pending = NUMBER(22),
	.retries = NUMBER(23),
	.requests = NUMBER(24),
	.has_detection = true,
	.split_errors = true,
	.interval = SPAN(5000),
	.ejection = SPAN(20000),
	.max_percent = NUMBER(0),
	.panic = { true, 25 },
	.total = NUMBER(10),
	.gateway = NUMBER(11),
	.local_origin = NUMBER(12),
	.has_success_rate = true,
	.has_failure_percentage = true,
	.success_hosts = NUMBER(5),
	.success_volume = NUMBER(6),
	.success_factor = { true, 1.9 },
	.failure_hosts = NUMBER(7),
	.failure_volume = NUMBER(8),
	.failure_threshold = NUMBER(85),
};

static const struct log_pair PAIRS[] = {
	{ "mesh", "%KUMA_MESH%" },
	{ "start", "%START_TIME(%Y-%m-%dT%H:%M:%S)%" },
	{ "direction", "%KUMA_TRAFFIC_DIRECTION%" },
	{ "from", "%KUMA_SOURCE_ADDRESS%" },
	{ "cut", "%REQ(X-LONG):3%%KUMA_MESH%" },
};
static struct tree KEY = { .type = TREE_TEXT, .text = "bytes" };
static struct tree COUNT = { .type = TREE_INT, .integer = 7, .text = "7" };
static struct tree_member COUNT_MEMBER[] = { { .key = "intValue", .value = &COUNT } };
static struct tree COUNT_VALUE = { .type = TREE_MAP,
				   .members = COUNT_MEMBER,
				   .count = 1 };
static struct tree_member PAIR_MEMBERS[] = { { .key = "key", .value = &KEY },
					     { .key = "value", .value = &COUNT_VALUE } };
static struct tree PAIR = { .type = TREE_MAP, .members = PAIR_MEMBERS, .count = 2 };
static struct tree *VALUES[] = { &PAIR };
static struct tree VALUE_LIST = { .type = TREE_LIST, .items = VALUES, .count = 1 };
static struct tree_member LIST_MEMBER[] = { { .key = "values", .value = &VALUE_LIST } };
static struct tree LIST_VALUE = { .type = TREE_MAP, .members = LIST_MEMBER, .count = 1 };
static struct tree_member BODY_MEMBER[] = { { .key = "kvlistValue",
					      .value = &LIST_VALUE } };
static const struct tree BODY = { .type = TREE_MAP, .members = BODY_MEMBER, .count = 1 };

static const struct log_backend LOGS[] = {
	{ .type = LOG_FILE, .path = "/dev/null" },
	{ .type = LOG_FILE,
	  .path = "/dev/null",
	  .plain = "%KUMA_SOURCE_SERVICE% 100%% %%KUMA_MESH%% %BYTES_SENT%\n",
	  .omit_empty = true },
	{ .type = LOG_FILE,
	  .path = "/dev/null",
	  .json = true,
	  .pairs = PAIRS,
	  .pair_count = ARRAY_LEN(PAIRS) },
	{ .type = LOG_TCP,
	  .address = "logs:5000",
	  .plain = "%KUMA_DESTINATION_SERVICE%" },
	{ .type = LOG_TCP,
	  .address = "10.0.0.1:5000",
	  .json = true,
	  .pairs = PAIRS,
	  .pair_count = ARRAY_LEN(PAIRS) },
	{ .type = LOG_OPEN_TELEMETRY, .address = "otel.internal:4317" },
	{ .type = LOG_OPEN_TELEMETRY,
	  .address = "10.0.0.2:4317",
	  .body = &BODY,
	  .pairs = PAIRS,
	  .pair_count = 1 },
};
const struct log_conf EVERY_LOG = { .set = true,
				    .backends = LOGS,
				    .count = ARRAY_LEN(LOGS) };

const struct settings EVERYTHING = { .timeout = &EVERY_TIMEOUT,
				     .retry = &EVERY_RETRY,
				     .health = &EVERY_CHECK,
				     .breaker = &EVERY_BREAKER,
				     .log = &EVERY_LOG };
