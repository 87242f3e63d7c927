#include "model/faults.h"
#include "model/schema_attached.h"

/* ---- limits ---- */
#define LIMIT(title, member, text)                                                \
	{                                                                         \
		.name = (title), .type = FIELD_INT, STORED(breaker_conf, member), \
		.flags = F_SET | F_RANGE, .max = UINT32_MAX, .fault = fault_zero, \
		.doc = (text), .example = "1024"                                  \
	}
static const struct field LIMITS[] = {
	LIMIT("maxConnections", connections,
	      "Connections to the service at one time; one more is closed at once. No "
	      "limit when absent."),
	LIMIT("maxConnectionPools", pools,
	      "Sets of connections at one time; no effect on tcp."),
	LIMIT("maxPendingRequests", pending,
	      "Connections that are being established at one time, and requests that "
	      "wait "
	      "for one: a burst above it is closed. No limit when absent."),
	LIMIT("maxRetries", retries,
	      "Retries at one time, 3 when absent; no effect on tcp."),
	LIMIT("maxRequests", requests,
	      "Requests at one time, no limit when absent; no effect on tcp."),
};

enum { PENDING_FEW = 16 };

static void check_limits(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	const struct breaker_conf *conf = made;
	const struct number *pending = &conf->pending;

	if (pending->set && pending->value > 0 && pending->value < PENDING_FEW)
		decode_warn(dec, at, "maxPendingRequests",
			    tree_get(tree, "maxPendingRequests"),
			    "closes what comes while %u connection%s being "
			    "established: write at least %d",
			    pending->value, pending->value == 1 ? " is" : "s are",
			    PENDING_FEW);
}

static void finish_limits(struct decode *dec, const struct tree *tree, void *made)
{
	struct breaker_conf *conf = made;

	(void)dec;
	conf->has_limits = tree != NULL;
}

static const struct schema LIMITS_SCHEMA = { .name = "ConnectionLimits",
					     .size = sizeof(struct breaker_conf),
					     FIELDS(LIMITS),
					     .finish = finish_limits,
					     .check = check_limits };

/* ---- detectors ---- */
#define NUMBER(title, member, standard, text)                                     \
	{                                                                         \
		.name = (title), .type = FIELD_INT, STORED(breaker_conf, member), \
		.flags = F_SET | F_RANGE | F_SHOWN_ONLY, .max = UINT32_MAX,       \
		.fallback = (standard), .fault = fault_zero, .doc = (text)        \
	}
#define CONSECUTIVE(list, member)                                                        \
	static const struct field list[] = {                                             \
		NUMBER("consecutive", member, "5",                                       \
		       "So many failures in a row take an instance out."),               \
	};                                                                               \
	static const struct schema list##_SCHEMA = {                                     \
		.name = "Consecutive", .size = sizeof(struct breaker_conf), FIELDS(list) \
	}
CONSECUTIVE(TOTAL, total);
CONSECUTIVE(GATEWAY, gateway);
CONSECUTIVE(LOCAL_ORIGIN, local_origin);

static const struct field SUCCESS_RATE[] = {
	NUMBER("minimumHosts", success_hosts, "5",
	       "With fewer instances that have requestVolume nothing is compared."),
	NUMBER("requestVolume", success_volume, "100",
	       "Connections or requests of an interval that are enough to count."),
	{ .name = "standardDeviationFactor",
	  .type = FIELD_MIXED,
	  STORED(breaker_conf, success_factor),
	  .flags = F_SET | F_SHOWN_ONLY,
	  .fallback = "1.9",
	  .fault = fault_factor,
	  .doc = "An instance is taken out whose share of successes is below the mean by "
		 "so many standard deviations. A number or a decimal as text; above 0.",
	  .example = "1.9" },
};
static const struct schema SUCCESS_RATE_SCHEMA = { .name = "SuccessRate",
						   .size = sizeof(struct breaker_conf),
						   FIELDS(SUCCESS_RATE) };

static const struct field FAILURE_PERCENTAGE[] = {
	NUMBER("minimumHosts", failure_hosts, "5",
	       "With fewer instances that have requestVolume nothing is compared."),
	NUMBER("requestVolume", failure_volume, "50",
	       "Connections or requests of an interval that are enough to count."),
	{ .name = "threshold",
	  .type = FIELD_INT,
	  STORED(breaker_conf, failure_threshold),
	  .flags = F_SET | F_RANGE | F_SHOWN_ONLY,
	  .min = 0,
	  .max = 100,
	  .fallback = "85",
	  .doc = "An instance is taken out with this share of failures, in percent.",
	  .example = "85" },
};
static const struct schema FAILURE_PERCENTAGE_SCHEMA = { .name = "FailurePercentage",
							 .size = sizeof(
								 struct breaker_conf),
							 FIELDS(FAILURE_PERCENTAGE) };

static const struct field DETECTORS[] = {
	{ .name = "totalFailures",
	  .type = FIELD_OBJECT,
	  .sub = &TOTAL_SCHEMA,
	  .doc = "Answers with 5xx and failed connections; with "
		 "splitExternalAndLocalErrors no connections." },
	{ .name = "gatewayFailures",
	  .type = FIELD_OBJECT,
	  .sub = &GATEWAY_SCHEMA,
	  .doc = "Answers with 502, 503 and 504, and failed connections." },
	{ .name = "localOriginFailures",
	  .type = FIELD_OBJECT,
	  .sub = &LOCAL_ORIGIN_SCHEMA,
	  .doc = "Failed connections; only with splitExternalAndLocalErrors." },
	{ .name = "successRate",
	  .type = FIELD_OBJECT,
	  .sub = &SUCCESS_RATE_SCHEMA,
	  .doc = "Instances that fail more than the others; of tcp too." },
	{ .name = "failurePercentage",
	  .type = FIELD_OBJECT,
	  .sub = &FAILURE_PERCENTAGE_SCHEMA,
	  .doc = "Instances that fail more than a given share; of tcp too." },
};

static void finish_detectors(struct decode *dec, const struct tree *tree, void *made)
{
	struct breaker_conf *conf = made;

	(void)dec;
	conf->has_total = tree_get(tree, "totalFailures") != NULL;
	conf->has_gateway = tree_get(tree, "gatewayFailures") != NULL;
	conf->has_local_origin = tree_get(tree, "localOriginFailures") != NULL;
	conf->has_success_rate = tree_get(tree, "successRate") != NULL;
	conf->has_failure_percentage = tree_get(tree, "failurePercentage") != NULL;
}

static void check_detectors(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made)
{
	const struct breaker_conf *conf = made;

	if (!conf->has_total && !conf->has_gateway && !conf->has_local_origin &&
	    !conf->has_success_rate && !conf->has_failure_percentage)
		decode_bad(
			dec, at, NULL, tree,
			"must have at least one defined: totalFailures, gatewayFailures, "
			"localOriginFailures, successRate, failurePercentage");
}

static const struct schema DETECTORS_SCHEMA = { .name = "Detectors",
						.size = sizeof(struct breaker_conf),
						FIELDS(DETECTORS),
						.finish = finish_detectors,
						.check = check_detectors };

/* ---- outlierDetection ---- */
static const struct field DETECTION[] = {
	{ .name = "disabled",
	  .type = FIELD_BOOL,
	  STORED(breaker_conf, disabled),
	  .fallback = "false",
	  .doc = "true: no instance is taken out, whatever another policy says." },
	{ .name = "interval",
	  .type = FIELD_DURATION,
	  STORED(breaker_conf, interval),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "10s",
	  .fault = fault_not_above_zero,
	  .doc = "How often shares are compared and instances let in again; above 0.",
	  .example = "5s" },
	{ .name = "baseEjectionTime",
	  .type = FIELD_DURATION,
	  STORED(breaker_conf, ejection),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "30s",
	  .fault = fault_not_above_zero,
	  .doc = "How long an instance stays out, times how often it was; above 0.",
	  .example = "30s" },
	{ .name = "maxEjectionPercent",
	  .type = FIELD_INT,
	  STORED(breaker_conf, max_percent),
	  .flags = F_SET | F_RANGE | F_SHOWN_ONLY,
	  .min = 0,
	  .max = 100,
	  .fallback = "10",
	  .doc = "At most this share of the instances is out, in percent; one always may "
		 "be, unless 0.",
	  .example = "50" },
	{ .name = "splitExternalAndLocalErrors",
	  .type = FIELD_BOOL,
	  STORED(breaker_conf, split_errors),
	  .fallback = "false",
	  .doc = "true: failed connections count for localOriginFailures alone." },
	{ .name = "healthyPanicThreshold",
	  .type = FIELD_MIXED,
	  STORED(breaker_conf, panic),
	  .flags = F_SET | F_SHOWN_ONLY,
	  .fallback = "50",
	  .fault = fault_percentage,
	  .doc = "With fewer healthy instances than this, in percent, all of them are "
		 "used, bad ones included; 0: never. A number or a decimal as text.",
	  .example = "0" },
	{ .name = "detectors",
	  .type = FIELD_OBJECT,
	  .sub = &DETECTORS_SCHEMA,
	  .flags = F_REQUIRED,
	  .doc = "What takes an instance out, at least one." },
};

static void finish_detection(struct decode *dec, const struct tree *tree, void *made)
{
	struct breaker_conf *conf = made;

	(void)dec;
	conf->has_detection = tree != NULL;
}

static const struct schema DETECTION_SCHEMA = { .name = "OutlierDetection",
						.size = sizeof(struct breaker_conf),
						FIELDS(DETECTION),
						.finish = finish_detection };

/* ---- all of it ---- */
static const struct field DEFAULT[] = {
	{ .name = "connectionLimits",
	  .type = FIELD_OBJECT,
	  .sub = &LIMITS_SCHEMA,
	  .doc = "How much at one time, for each client's proxy." },
	{ .name = "outlierDetection",
	  .type = FIELD_OBJECT,
	  .sub = &DETECTION_SCHEMA,
	  .doc = "When an instance is left out for a while." },
};

static void check_default(struct decode *dec, const struct tree *tree,
			  const struct path *at, const void *made)
{
	(void)made;
	if (tree_get(tree, "connectionLimits") == NULL &&
	    tree_get(tree, "outlierDetection") == NULL)
		decode_bad(dec, at, NULL, tree,
			   "at least one of: 'connectionLimits' or 'outlierDetection' "
			   "should be configured");
}

const struct schema BREAKER_DEFAULT_SCHEMA = { .name = "BreakerDefault",
					       .size = sizeof(struct breaker_conf),
					       FIELDS(DEFAULT),
					       .check = check_default };

ATTACHED_ITEM(TO, "BreakerTo", BALANCED_REF_SCHEMA, BREAKER_DEFAULT_SCHEMA,
	      "The services that are protected.");
ATTACHED_ITEM(FROM, "BreakerFrom", CLIENTS_REF_SCHEMA, BREAKER_DEFAULT_SCHEMA,
	      "The clients.");
ATTACHED_RULE(RULE, "BreakerRule", BREAKER_DEFAULT_SCHEMA);

static const struct field SPEC[] = {
	ATTACHED_TARGET,
	ATTACHED_TO(TO),
	ATTACHED_FROM(FROM),
	ATTACHED_RULES(RULE),
};

const struct schema SCHEMA_MESH_CIRCUIT_BREAKER = { .name = "MeshCircuitBreaker",
						    .size = sizeof(struct attached_spec),
						    FIELDS(SPEC),
						    .finish = finish_attached,
						    .check = check_attached };
