/* HealthCheck and CircuitBreaker: policies-spec 4. */
#include "model/schema_legacy.h"

#include "model/checks.h"
#include "model/faults.h"

#define SPAN(title, check, text)                                              \
	{                                                                     \
		.name = (title), .type = FIELD_DURATION, .flags = F_UNSTORED, \
		.fault = (check), .doc = text, .example = "10s"               \
	}
#define COUNT(title, check, text)                                                  \
	{                                                                          \
		.name = (title), .type = FIELD_INT, .flags = F_UNSTORED | F_RANGE, \
		.min = 0, .max = UINT32_MAX, .fault = (check), .doc = text         \
	}
#define FLAG(title, text)                                                             \
	{                                                                             \
		.name = (title), .type = FIELD_BOOL, .flags = F_UNSTORED, .doc = text \
	}
#define SECTION(title, schema, text)                                     \
	{                                                                \
		.name = (title), .type = FIELD_OBJECT, .sub = &(schema), \
		.flags = F_UNSTORED, .doc = text                         \
	}

/* Tell reason unless field is a number that fault finds nothing wrong with. */
static void check_number(struct decode *dec, const struct tree *tree,
			 const struct path *at, const char *field,
			 const char *(*fault)(const struct tree *value,
					      struct zl_arena *arena))
{
	const struct tree *value = tree_get(tree, field);

	if (value == NULL)
		return;
	if (!legacy_is_number(value))
		decode_wrong_type(dec, &(struct path){ .up = at, .name = field }, value,
				  FIELD_INT);
	else if (fault(value, dec->arena) != NULL)
		decode_bad(dec, at, field, value, "%s", fault(value, dec->arena));
}

/* ---- HealthCheck ---- */
static const struct field TCP_CHECK[] = {
	{ .name = "send",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .fault = fault_base64,
	  .doc = "What is sent, in Base64; only a connection is made when absent.",
	  .example = "Zm9v" },
	{ .name = "receive",
	  .type = FIELD_LIST,
	  .flags = F_UNSTORED,
	  .fault = fault_base64,
	  .doc = "What must come back, each in Base64." },
};
static const struct schema TCP_CHECK_SCHEMA = { .name = "TcpCheck", FIELDS(TCP_CHECK) };

static const struct field HEADER[] = {
	{ .name = "key",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .fault = fault_request_text,
	  .doc = "Name of the header." },
	{ .name = "value",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .fault = fault_request_text,
	  .doc = "Its value." },
};

static void check_header(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	const struct tree *key = tree_get(tree, "key");

	(void)made;
	if (key == NULL || (key->type == TREE_TEXT && key->text[0] == '\0'))
		decode_bad(dec, at, "key", key != NULL ? key : tree, "cannot be empty");
}

static const struct schema HEADER_SCHEMA = { .name = "CheckHeader",
					     FIELDS(HEADER),
					     .check = check_header };

static const struct field HEADER_TO_ADD[] = {
	{ .name = "header",
	  .type = FIELD_OBJECT,
	  .sub = &HEADER_SCHEMA,
	  .flags = F_UNSTORED | F_REQUIRED,
	  .doc = "The header." },
	{ .name = "append",
	  .type = FIELD_BOOL,
	  .flags = F_UNSTORED,
	  .fallback = "true",
	  .doc = "False: it replaces one that is there." },
};
static const struct schema HEADER_TO_ADD_SCHEMA = { .name = "CheckHeaderToAdd",
						    FIELDS(HEADER_TO_ADD) };

static const struct field HTTP_CHECK[] = {
	{ .name = "path",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .fault = fault_request_text,
	  .doc = "What is asked for.",
	  .example = "/health" },
	{ .name = "requestHeadersToAdd",
	  .type = FIELD_LIST,
	  .sub = &HEADER_TO_ADD_SCHEMA,
	  .flags = F_UNSTORED | F_AT_MOST,
	  .max = 16,
	  .doc = "Headers of the request." },
	{ .name = "expectedStatuses",
	  .type = FIELD_INTS,
	  .flags = F_UNSTORED,
	  .min = 100,
	  .max = 599,
	  .doc = "Answers that are well; 200 when absent." },
};

static void check_http_check(struct decode *dec, const struct tree *tree,
			     const struct path *at, const void *made)
{
	const struct tree *path = tree_get(tree, "path");

	(void)made;
	if (path == NULL || (path->type == TREE_TEXT && path->text[0] == '\0'))
		decode_bad(dec, at, "path", path != NULL ? path : tree,
			   "has to be defined and cannot be empty");
}

static const struct schema HTTP_CHECK_SCHEMA = { .name = "HttpCheck",
						 FIELDS(HTTP_CHECK),
						 .check = check_http_check };

static const struct field HEALTH[] = {
	SPAN("interval", legacy_fault_positive, "How often each instance is asked."),
	SPAN("timeout", legacy_fault_positive, "How long an answer may take."),
	COUNT("unhealthyThreshold", legacy_fault_positive,
	      "So many failures make an instance unhealthy."),
	COUNT("healthyThreshold", legacy_fault_positive,
	      "So many successes make it healthy."),
	SPAN("initialJitter", legacy_fault_positive,
	     "Most random pause before the first."),
	SPAN("intervalJitter", legacy_fault_positive, "Most random pause between two."),
	COUNT("intervalJitterPercent", legacy_fault_percent,
	      "The same in percent of interval."),
	{ .name = "healthyPanicThreshold",
	  .type = FIELD_ANY,
	  .flags = F_UNSTORED,
	  .doc = "Fewer healthy instances than this, in percent: all are used. A number; "
		 "50 when absent." },
	FLAG("failTrafficOnPanic", "True: then none is used."),
	{ .name = "eventLogPath",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .fault = fault_path,
	  .doc = "Absolute path of a file that Envoy writes changes to.",
	  .example = "/var/log/health-check.log" },
	FLAG("alwaysLogHealthCheckFailures", "True: every failure is written there."),
	SPAN("noTrafficInterval", legacy_fault_positive,
	     "How often instances are asked that get no traffic."),
	FLAG("reuseConnection", "False: each check makes a connection."),
	SECTION("tcp", TCP_CHECK_SCHEMA, "A connection, and perhaps what is said on it."),
	SECTION("http", HTTP_CHECK_SCHEMA, "A request."),
};

static void check_health(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	static const char *const NEEDED[] = { "interval", "timeout", "unhealthyThreshold",
					      "healthyThreshold" };

	(void)made;
	for (size_t i = 0; i < sizeof(NEEDED) / sizeof(NEEDED[0]); i++)
		if (tree_get(tree, NEEDED[i]) == NULL)
			decode_bad(dec, at, NEEDED[i], tree,
				   "must have a positive value");
	check_number(dec, tree, at, "healthyPanicThreshold", legacy_fault_percent);
	if (tree_get(tree, "tcp") != NULL && tree_get(tree, "http") != NULL)
		decode_bad(dec, at, NULL, tree,
			   "http and tcp cannot be defined at the same time");
}

const struct schema LEGACY_HEALTH_SCHEMA = { .name = "HealthCheckConf",
					     FIELDS(HEALTH),
					     .check = check_health };

/* ---- CircuitBreaker ---- */
static const struct field CONSECUTIVE[] = {
	COUNT("consecutive", NULL, "So many in a row; Envoy's 5 when absent."),
};
static const struct schema CONSECUTIVE_SCHEMA = { .name = "ConsecutiveErrors",
						  FIELDS(CONSECUTIVE) };

static const struct field DEVIATION[] = {
	COUNT("requestVolume", NULL, "Fewest requests of an interval; Envoy's 100."),
	COUNT("minimumHosts", NULL, "Fewest instances with that many; Envoy's 5."),
	{ .name = "factor",
	  .type = FIELD_ANY,
	  .flags = F_UNSTORED,
	  .doc = "So many standard deviations below the mean; a number, Envoy's 1.9." },
};

static void check_deviation(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made)
{
	(void)made;
	check_number(dec, tree, at, "factor", legacy_fault_zero_set);
}

static const struct schema DEVIATION_SCHEMA = { .name = "StandardDeviation",
						FIELDS(DEVIATION),
						.check = check_deviation };

static const struct field FAILURE[] = {
	COUNT("requestVolume", NULL, "Fewest requests of an interval; Envoy's 50."),
	COUNT("minimumHosts", NULL, "Fewest instances with that many; Envoy's 5."),
	COUNT("threshold", legacy_fault_percent,
	      "So many failures, in percent; Envoy's 85."),
};
static const struct schema FAILURE_SCHEMA = { .name = "FailureShare", FIELDS(FAILURE) };

static const struct field DETECTORS[] = {
	SECTION("totalErrors", CONSECUTIVE_SCHEMA, "Errors of any sort."),
	SECTION("gatewayErrors", CONSECUTIVE_SCHEMA, "Answers 502, 503 and 504."),
	SECTION("localErrors", CONSECUTIVE_SCHEMA,
		"What Envoy sees itself; with splitExternalAndLocalErrors only."),
	SECTION("standardDeviation", DEVIATION_SCHEMA,
		"Instances that succeed less than the others."),
	SECTION("failure", FAILURE_SCHEMA, "Instances that fail too often."),
};
static const struct schema DETECTORS_SCHEMA = { .name = "Detectors", FIELDS(DETECTORS) };

static const struct field THRESHOLDS[] = {
	COUNT("maxConnections", NULL, "Most connections of an Envoy."),
	COUNT("maxPendingRequests", NULL, "Most that are being established."),
	COUNT("maxRetries", NULL, "Most retries at a time."),
	COUNT("maxRequests", NULL, "Most requests at a time."),
};
static const struct schema THRESHOLDS_SCHEMA = { .name = "Thresholds",
						 FIELDS(THRESHOLDS) };

static const struct field BREAKER[] = {
	SPAN("interval", legacy_fault_zero_set, "How often detectors look; Envoy's 10s."),
	SPAN("baseEjectionTime", legacy_fault_zero_set,
	     "How long an instance is left out the first time; Envoy's 30s."),
	COUNT("maxEjectionPercent", legacy_fault_percent,
	      "Most instances that are left out, in percent; Envoy's 10."),
	FLAG("splitExternalAndLocalErrors",
	     "True: what Envoy sees itself is counted apart."),
	SECTION("detectors", DETECTORS_SCHEMA,
		"What leaves an instance out; one that is {} has Envoy's numbers."),
	SECTION("thresholds", THRESHOLDS_SCHEMA, "Limits of each Envoy."),
};

static bool is_filled(const struct tree *tree, const char *field)
{
	const struct tree *value = tree_get(tree, field);

	return value != NULL && (value->type != TREE_MAP || value->count > 0);
}

static void check_breaker(struct decode *dec, const struct tree *tree,
			  const struct path *at, const void *made)
{
	static const char *const OF_DETECTORS[] = { "interval", "baseEjectionTime",
						    "maxEjectionPercent",
						    "splitExternalAndLocalErrors" };
	bool detects = is_filled(tree, "detectors");

	(void)made;
	if (!detects && !is_filled(tree, "thresholds"))
		decode_bad(dec, at, NULL, tree,
			   "must have at least one of the detector or threshold "
			   "configured");
	for (size_t i = 0; !detects && i < sizeof(OF_DETECTORS) / sizeof(*OF_DETECTORS);
	     i++)
		if (tree_get(tree, OF_DETECTORS[i]) != NULL)
			decode_warn(
				dec, at, OF_DETECTORS[i], tree_get(tree, OF_DETECTORS[i]),
				"%s has no effect without detectors", OF_DETECTORS[i]);
}

const struct schema LEGACY_BREAKER_SCHEMA = { .name = "CircuitBreakerConf",
					      FIELDS(BREAKER),
					      .check = check_breaker };
