/* Timeout and Retry: policies-spec 4. */
#include "model/schema_legacy.h"

#include <string.h>

static const char NO_TIMEOUT[] = "at least one timeout in section has to be defined";
static const char EMPTY[] = "field cannot be empty";

#define SPAN(title, check, text)                                              \
	{                                                                     \
		.name = (title), .type = FIELD_DURATION, .flags = F_UNSTORED, \
		.fault = (check), .doc = text, .example = "5s"                \
	}
#define SECTION(title, schema, text)                                     \
	{                                                                \
		.name = (title), .type = FIELD_OBJECT, .sub = &(schema), \
		.flags = F_UNSTORED, .doc = text                         \
	}

/* ---- Timeout ---- */
static const struct field TCP_TIMES[] = {
	SPAN("idleTimeout", legacy_fault_zero, "How long a connection may be silent."),
};

static void check_tcp_times(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made)
{
	static const char *const FIELDS_OF[] = { "idleTimeout", NULL };

	(void)made;
	legacy_check_some(dec, tree, at, FIELDS_OF, NO_TIMEOUT);
}

static const struct schema TCP_TIMES_SCHEMA = { .name = "TcpTimeouts",
						FIELDS(TCP_TIMES),
						.check = check_tcp_times };

static const struct field HTTP_TIMES[] = {
	SPAN("requestTimeout", legacy_fault_zero_set, "How long a request may take."),
	SPAN("idleTimeout", legacy_fault_zero_set,
	     "How long a connection may be without a request."),
	SPAN("streamIdleTimeout", legacy_fault_zero_set,
	     "How long a request may be silent."),
	SPAN("maxStreamDuration", legacy_fault_zero_set, "How long a stream may last."),
};

static void check_http_times(struct decode *dec, const struct tree *tree,
			     const struct path *at, const void *made)
{
	static const char *const FIELDS_OF[] = { "requestTimeout", "idleTimeout",
						 "streamIdleTimeout", "maxStreamDuration",
						 NULL };

	(void)made;
	legacy_check_some(dec, tree, at, FIELDS_OF, NO_TIMEOUT);
}

static const struct schema HTTP_TIMES_SCHEMA = { .name = "HttpTimeouts",
						 FIELDS(HTTP_TIMES),
						 .check = check_http_times };

static const struct field GRPC_TIMES[] = {
	SPAN("streamIdleTimeout", legacy_fault_zero_set,
	     "How long a stream may be silent, if http does not say so."),
	SPAN("maxStreamDuration", legacy_fault_zero_set,
	     "How long a stream may last, if http does not say so."),
};

static void check_grpc_times(struct decode *dec, const struct tree *tree,
			     const struct path *at, const void *made)
{
	static const char *const FIELDS_OF[] = { "streamIdleTimeout", "maxStreamDuration",
						 NULL };

	(void)made;
	legacy_check_some(dec, tree, at, FIELDS_OF, NO_TIMEOUT);
}

static const struct schema GRPC_TIMES_SCHEMA = { .name = "GrpcTimeouts",
						 FIELDS(GRPC_TIMES),
						 .check = check_grpc_times };

static const struct field TIMES[] = {
	SPAN("connectTimeout", legacy_fault_zero_set,
	     "How long establishing a connection may take."),
	SECTION("tcp", TCP_TIMES_SCHEMA, "Connections of tcp destinations."),
	SECTION("http", HTTP_TIMES_SCHEMA, "Those of http, http2 and grpc destinations."),
	SECTION("grpc", GRPC_TIMES_SCHEMA, "Streams of grpc destinations."),
};

static void check_times(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	static const char *const FIELDS_OF[] = { "connectTimeout", "tcp", "http", "grpc",
						 NULL };

	(void)made;
	legacy_check_some(dec, tree, at, FIELDS_OF, NO_TIMEOUT);
}

const struct schema LEGACY_TIMEOUT_SCHEMA = { .name = "TimeoutConf",
					      FIELDS(TIMES),
					      .check = check_times };

/* ---- Retry ---- */
const char *const LEGACY_HTTP_RETRY_ON[] = { "all_5xx",
					     "gateway_error",
					     "reset",
					     "connect_failure",
					     "envoy_ratelimited",
					     "retriable_4xx",
					     "refused_stream",
					     "http3_post_connect_failure",
					     "retriable_status_codes",
					     "retriable_headers",
					     NULL };
/* retriable_status_codes: of a list that is written whole. No document has a list for
 * retriable_headers. */
const char *const NEW_HTTP_RETRY_ON[] = { "5xx",
					  "GatewayError",
					  "Reset",
					  "ConnectFailure",
					  "EnvoyRatelimited",
					  "Retriable4xx",
					  "RefusedStream",
					  "Http3PostConnectFailure",
					  "",
					  "",
					  NULL };
const char *const LEGACY_GRPC_RETRY_ON[] = { "cancelled",   "deadline_exceeded",
					     "internal",    "resource_exhausted",
					     "unavailable", NULL };
const char *const NEW_GRPC_RETRY_ON[] = { "Canceled",    "DeadlineExceeded",
					  "Internal",    "ResourceExhausted",
					  "Unavailable", NULL };
const char *const LEGACY_METHODS[] = { "CONNECT", "DELETE", "GET", "HEAD",  "OPTIONS",
				       "PATCH",   "POST",   "PUT", "TRACE", NULL };
const char *const NEW_METHODS[] = { "HttpMethodConnect", "HttpMethodDelete",
				    "HttpMethodGet",     "HttpMethodHead",
				    "HttpMethodOptions", "HttpMethodPatch",
				    "HttpMethodPost",    "HttpMethodPut",
				    "HttpMethodTrace",   NULL };

static const struct field TCP_TRIES[] = {
	{ .name = "maxConnectAttempts",
	  .type = FIELD_INT,
	  .flags = F_UNSTORED | F_RANGE,
	  .min = 0,
	  .max = UINT32_MAX,
	  .fault = legacy_fault_zero,
	  .doc = "How often a connection is tried." },
};

static void check_tcp_tries(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made)
{
	(void)made;
	if (tree_get(tree, "maxConnectAttempts") == NULL)
		decode_bad(dec, at, "maxConnectAttempts", tree,
			   "has to be greater than 0");
}

static const struct schema TCP_TRIES_SCHEMA = { .name = "TcpRetry",
						FIELDS(TCP_TRIES),
						.check = check_tcp_tries };

static const struct field BACK_OFF[] = {
	SPAN("baseInterval", legacy_fault_zero, "The first pause."),
	SPAN("maxInterval", legacy_fault_zero_set, "The longest; ten times the first."),
};

static void check_back_off(struct decode *dec, const struct tree *tree,
			   const struct path *at, const void *made)
{
	(void)made;
	if (tree_get(tree, "baseInterval") == NULL)
		decode_bad(dec, at, "baseInterval", tree, "has to be defined");
}

static const struct schema BACK_OFF_SCHEMA = { .name = "BackOff",
					       FIELDS(BACK_OFF),
					       .check = check_back_off };

#define TRIES                                                                            \
	{ .name = "numRetries",                                                          \
	  .type = FIELD_INT,                                                             \
	  .flags = F_UNSTORED | F_RANGE,                                                 \
	  .min = 0,                                                                      \
	  .max = UINT32_MAX,                                                             \
	  .fault = legacy_fault_zero_set,                                                \
	  .doc = "How often a request is tried again." },                                \
		SPAN("perTryTimeout", legacy_fault_zero_set, "How long each may take."), \
		SECTION("backOff", BACK_OFF_SCHEMA, "The pauses between them.")

static const struct field HTTP_TRIES[] = {
	TRIES,
	{ .name = "retriableStatusCodes",
	  .type = FIELD_INTS,
	  .flags = F_UNSTORED,
	  .min = 100,
	  .max = 599,
	  .doc = "Answers after which a request is tried again." },
	{ .name = "retriableMethods",
	  .type = FIELD_LIST,
	  .flags = F_UNSTORED,
	  .values = LEGACY_METHODS,
	  .doc = "Only requests with these methods are tried again." },
	{ .name = "retryOn",
	  .type = FIELD_LIST,
	  .flags = F_UNSTORED,
	  .values = LEGACY_HTTP_RETRY_ON,
	  .doc = "gateway_error, connect_failure and refused_stream when absent." },
};

static void check_http_tries(struct decode *dec, const struct tree *tree,
			     const struct path *at, const void *made)
{
	const struct tree *words = tree_get(tree, "retryOn");
	struct path list = { .up = at, .name = "retryOn" };

	(void)made;
	if (tree->count == 0)
		decode_bad(dec, at, NULL, tree, "%s", EMPTY);
	for (size_t i = 0; words != NULL && words->type == TREE_LIST && i < words->count;
	     i++) {
		const struct tree *word = words->items[i];
		struct path here = { .up = &list, .index = i };
		if (word->type != TREE_TEXT)
			continue;
		bool codes = strcmp(word->text, "retriable_status_codes") == 0 &&
			     tree_get(tree, "retriableStatusCodes") == NULL;
		if (codes || strcmp(word->text, "retriable_headers") == 0)
			decode_warn(dec, &here, NULL, word,
				    "%s has no effect: there is no list of them",
				    word->text);
	}
}

static const struct schema HTTP_TRIES_SCHEMA = { .name = "HttpRetry",
						 FIELDS(HTTP_TRIES),
						 .check = check_http_tries };

static const struct field GRPC_TRIES[] = {
	TRIES,
	{ .name = "retryOn",
	  .type = FIELD_LIST,
	  .flags = F_UNSTORED,
	  .values = LEGACY_GRPC_RETRY_ON,
	  .doc = "Statuses after which a call is tried again." },
};

static void check_grpc_tries(struct decode *dec, const struct tree *tree,
			     const struct path *at, const void *made)
{
	(void)made;
	if (tree->count == 0)
		decode_bad(dec, at, NULL, tree, "%s", EMPTY);
}

static const struct schema GRPC_TRIES_SCHEMA = { .name = "GrpcRetry",
						 FIELDS(GRPC_TRIES),
						 .check = check_grpc_tries };

static const struct field RETRY[] = {
	SECTION("tcp", TCP_TRIES_SCHEMA, "Connections of tcp destinations."),
	SECTION("http", HTTP_TRIES_SCHEMA, "Requests of http and http2 destinations."),
	SECTION("grpc", GRPC_TRIES_SCHEMA, "Calls of grpc destinations."),
};

static void check_retry(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	static const char *const FIELDS_OF[] = { "tcp", "http", "grpc", NULL };

	(void)made;
	legacy_check_some(dec, tree, at, FIELDS_OF,
			  "missing protocol [grpc|http|tcp] configuration");
}

const struct schema LEGACY_RETRY_SCHEMA = { .name = "RetryConf",
					    FIELDS(RETRY),
					    .check = check_retry };
