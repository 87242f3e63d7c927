#include "model/checks.h"
#include "model/faults.h"
#include "model/schema_attached.h"

#include <string.h>

static const char *const FORMATS[] = { "Seconds", "UnixTimestamp", NULL };
/* The values of enum host_predicate. */
static const char *const PREDICATES[] = { "OmitPreviousHosts", "OmitHostsWithTags",
					  "OmitPreviousPriorities", NULL };

/* ---- tcp ---- */
static const struct field TCP[] = {
	{ .name = "maxConnectAttempt",
	  .type = FIELD_INT,
	  STORED(retry_conf, connect_attempts),
	  .flags = F_SET | F_RANGE | F_SHOWN_ONLY,
	  .max = UINT32_MAX,
	  .fallback = "1",
	  .fault = fault_zero,
	  .doc = "How often a connection is tried, the first attempt included; no effect "
		 "where a route has several backends.",
	  .example = "3" },
};

static void check_tcp(struct decode *dec, const struct tree *tree, const struct path *at,
		      const void *made)
{
	(void)made;
	if (tree_get(tree, "maxConnectAttempt") == NULL)
		decode_bad(dec, at, NULL, tree, "must not be empty");
}

static const struct schema TCP_SCHEMA = { .name = "RetryTcp",
					  .size = sizeof(struct retry_conf),
					  FIELDS(TCP),
					  .check = check_tcp };

/* ---- what http and grpc share ---- */
static const struct field BACK_OFF[] = {
	{ .name = "baseInterval",
	  .type = FIELD_DURATION,
	  STORED(request_retry, base),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "25ms",
	  .fault = fault_not_above_zero,
	  .doc = "The wait before the first retry, about; it doubles with each.",
	  .example = "25ms" },
	{ .name = "maxInterval",
	  .type = FIELD_DURATION,
	  STORED(request_retry, max),
	  .fault = fault_not_above_zero,
	  .doc = "The longest wait; ten times baseInterval when absent.",
	  .example = "250ms" },
};

static void check_back_off(struct decode *dec, const struct tree *tree,
			   const struct path *at, const void *made)
{
	(void)made;
	if (tree_get(tree, "baseInterval") == NULL &&
	    tree_get(tree, "maxInterval") == NULL)
		decode_bad(dec, at, NULL, tree, "must not be empty");
}

static const struct schema BACK_OFF_SCHEMA = { .name = "BackOff",
					       .size = sizeof(struct request_retry),
					       FIELDS(BACK_OFF),
					       .check = check_back_off };

static const struct field RESET_HEADER[] = {
	{ .name = "name",
	  .type = FIELD_TEXT,
	  STORED(reset_header, name),
	  .flags = F_REQUIRED,
	  .fault = fault_header_name,
	  .doc = "Name of the header of the response, in lower case.",
	  .example = "retry-after" },
	{ .name = "format",
	  .type = FIELD_ENUM,
	  STORED(reset_header, unix_time),
	  .flags = F_REQUIRED | F_UNSTORED,
	  .values = FORMATS,
	  .doc = "Seconds to wait, or the UnixTimestamp of when the wait is over.",
	  .example = "Seconds" },
};

static void finish_reset_header(struct decode *dec, const struct tree *tree, void *made)
{
	struct reset_header *header = made;
	const struct tree *format = tree_get(tree, "format");

	(void)dec;
	header->unix_time = format != NULL && format->type == TREE_TEXT &&
			    strcmp(format->text, FORMATS[1]) == 0;
}

static const struct schema RESET_HEADER_SCHEMA = { .name = "ResetHeader",
						   .size = sizeof(struct reset_header),
						   FIELDS(RESET_HEADER),
						   .finish = finish_reset_header };

static const struct field RATE_LIMITED[] = {
	{ .name = "resetHeaders",
	  .type = FIELD_LIST,
	  .sub = &RESET_HEADER_SCHEMA,
	  STORED(request_retry, resets),
	  .flags = F_AT_MOST,
	  .max = 16,
	  .doc = "Headers that say how long to wait, the first that is there; 1 to 16." },
	{ .name = "maxInterval",
	  .type = FIELD_DURATION,
	  STORED(request_retry, reset_max),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "5m",
	  .fault = fault_undefined_or_zero,
	  .doc = "A longer wait than this is not honoured.",
	  .example = "1m" },
};

static void check_rate_limited(struct decode *dec, const struct tree *tree,
			       const struct path *at, const void *made)
{
	(void)made;
	check_filled(dec, tree, at, "resetHeaders", "must be defined");
}

static const struct schema RATE_LIMITED_SCHEMA = { .name = "RateLimitedBackOff",
						   .size = sizeof(struct request_retry),
						   FIELDS(RATE_LIMITED),
						   .check = check_rate_limited };

/* An empty section says nothing. */
static void check_section(struct decode *dec, const struct tree *tree,
			  const struct path *at, const void *made)
{
	bool some = false;

	(void)made;
	for (size_t i = 0; i < tree->count; i++)
		some = some || tree->members[i].value->type != TREE_NULL;
	if (!some)
		decode_bad(dec, at, NULL, tree, "must not be empty");
}

static void finish_section(struct decode *dec, const struct tree *tree, void *made)
{
	struct request_retry *retry = made;

	(void)dec;
	retry->set = tree != NULL;
	retry->has_retry_on = tree_get(tree, "retryOn") != NULL;
}

#define SECTION_FIELDS                                                                \
	{ .name = "numRetries",                                                       \
	  .type = FIELD_INT,                                                          \
	  STORED(request_retry, retries),                                             \
	  .flags = F_SET | F_RANGE | F_SHOWN_ONLY,                                    \
	  .max = UINT32_MAX,                                                          \
	  .fallback = "1",                                                            \
	  .doc = "How often a request is tried again; 0: never.",                     \
	  .example = "3" },                                                           \
		{ .name = "perTryTimeout",                                            \
		  .type = FIELD_DURATION,                                             \
		  STORED(request_retry, per_try),                                     \
		  .fault = fault_negative,                                            \
		  .doc = "How long each attempt may take; that of the whole request " \
			 "when "                                                      \
			 "absent, 0s: no limit.",                                     \
		  .example = "2s" },                                                  \
		{ .name = "backOff",                                                  \
		  .type = FIELD_OBJECT,                                               \
		  .sub = &BACK_OFF_SCHEMA,                                            \
		  .doc = "The waits between attempts." },                             \
	{                                                                             \
		.name = "rateLimitedBackOff", .type = FIELD_OBJECT,                   \
		.sub = &RATE_LIMITED_SCHEMA,                                          \
		.doc = "The waits that the server asks for."                          \
	}

/* ---- http ---- */
static const char *fault_retry_on(const struct tree *value, struct zl_arena *arena)
{
	return retry_on_is_known(value->text)
		       ? NULL
		       : zl_arena_format(arena, "unknown item '%s'", value->text);
}

static const char *fault_predicate(const struct tree *value, struct zl_arena *arena)
{
	for (size_t i = 0; PREDICATES[i] != NULL; i++)
		if (strcmp(PREDICATES[i], value->text) == 0)
			return NULL;
	return zl_arena_format(arena, "unknown predicate type '%s'", value->text);
}

static const struct field SELECTION[] = {
	{ .name = "predicate",
	  .type = FIELD_ENUM,
	  STORED(host_selection, predicate),
	  .flags = F_REQUIRED | F_OWN_CHECK,
	  .values = PREDICATES,
	  .fault = fault_predicate,
	  .doc = "OmitPreviousHosts, OmitHostsWithTags or OmitPreviousPriorities.",
	  .example = "OmitPreviousHosts" },
	{ .name = "tags",
	  .type = FIELD_LABELS,
	  STORED(host_selection, tags),
	  .doc = "Of OmitHostsWithTags: instances with all of these are not tried.",
	  .example = "{version: v1}" },
	{ .name = "updateFrequency",
	  .type = FIELD_INT,
	  STORED(host_selection, frequency),
	  .flags = F_RANGE,
	  .min = 1,
	  .max = INT32_MAX,
	  .fallback = "2",
	  .fault = fault_undefined_or_zero,
	  .doc = "Of OmitPreviousPriorities: after how many attempts the priorities that "
		 "were tried are looked up again." },
};

static void check_selection(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made)
{
	const struct tree *predicate = tree_get(tree, "predicate");
	const struct tree *tags = tree_get(tree, "tags");

	(void)made;
	if (predicate != NULL && predicate->type == TREE_TEXT &&
	    strcmp(predicate->text, "OmitHostsWithTags") == 0 &&
	    (tags == NULL || (tags->type == TREE_MAP && tags->count == 0)))
		decode_bad(dec, at, "tags", tags != NULL ? tags : tree,
			   "must be defined");
}

static const struct schema SELECTION_SCHEMA = { .name = "HostSelection",
						.size = sizeof(struct host_selection),
						FIELDS(SELECTION),
						.check = check_selection };

static const struct field HTTP[] = {
	SECTION_FIELDS,
	{ .name = "retryOn",
	  .type = FIELD_LIST,
	  STORED(request_retry, retry_on),
	  .fault = fault_retry_on,
	  .doc = "What is tried again: 5xx, GatewayError, Reset, Retriable4xx, "
		 "ConnectFailure, EnvoyRatelimited, RefusedStream, "
		 "Http3PostConnectFailure, a status such as 503; and of which methods: "
		 "HttpMethodGet, and so on. When absent: GatewayError, ConnectFailure, "
		 "RefusedStream.",
	  .example = "[5xx, HttpMethodGet]" },
	{ .name = "retriableResponseHeaders",
	  .type = FIELD_LIST,
	  .sub = &HTTP_HEADER_SCHEMA,
	  STORED(request_retry, response_headers),
	  .flags = F_AT_MOST,
	  .max = 16,
	  .doc = "A response with one of these is tried again; at most 16." },
	{ .name = "retriableRequestHeaders",
	  .type = FIELD_LIST,
	  .sub = &HTTP_HEADER_SCHEMA,
	  STORED(request_retry, request_headers),
	  .flags = F_AT_MOST,
	  .max = 16,
	  .doc = "Only a request with one of these is tried again; at most 16." },
	{ .name = "hostSelection",
	  .type = FIELD_LIST,
	  .sub = &SELECTION_SCHEMA,
	  STORED(request_retry, selections),
	  .flags = F_AT_MOST,
	  .max = 16,
	  .doc = "Which instances an attempt leaves out; at most 16." },
	{ .name = "hostSelectionMaxAttempts",
	  .type = FIELD_INT,
	  STORED(request_retry, selection_attempts),
	  .flags = F_WIDE | F_SHOWN_ONLY,
	  .fallback = "1",
	  .fault = fault_not_above_zero,
	  .doc = "How often another instance is looked for before hostSelection is given "
		 "up.",
	  .example = "3" },
};

static void check_http(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made)
{
	const struct tree *list = tree_get(tree, "hostSelection");
	struct path list_at = { .up = at, .name = "hostSelection" };
	size_t seen = 0;

	check_section(dec, tree, at, made);
	for (size_t i = 0; list != NULL && list->type == TREE_LIST && i < list->count;
	     i++) {
		const struct tree *predicate = tree_get(list->items[i], "predicate");
		struct path here = { .up = &list_at, .index = i };
		if (predicate == NULL || predicate->type != TREE_TEXT ||
		    strcmp(predicate->text, "OmitPreviousPriorities") != 0)
			continue;
		if (++seen > 1)
			decode_bad(dec, &here, "predicate", predicate,
				   "OmitPreviousPriorities must only be specified once");
	}
}

static const struct schema HTTP_SCHEMA = { .name = "RetryHttp",
					   .size = sizeof(struct request_retry),
					   FIELDS(HTTP),
					   .finish = finish_section,
					   .check = check_http };

/* ---- grpc ---- */
static const char *fault_grpc_retry_on(const struct tree *value, struct zl_arena *arena)
{
	static const char *const KNOWN[] = { "Canceled", "DeadlineExceeded", "Internal",
					     "ResourceExhausted", "Unavailable" };

	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
		if (strcmp(KNOWN[i], value->text) == 0)
			return NULL;
	return zl_arena_format(arena, "unknown item '%s'", value->text);
}

static const struct field GRPC[] = {
	SECTION_FIELDS,
	{ .name = "retryOn",
	  .type = FIELD_LIST,
	  STORED(request_retry, retry_on),
	  .fault = fault_grpc_retry_on,
	  .doc = "What is tried again: Canceled, DeadlineExceeded, Internal, "
		 "ResourceExhausted, Unavailable. When absent: all but "
		 "DeadlineExceeded and Internal, and failures of the connection.",
	  .example = "[Unavailable]" },
};

static const struct schema GRPC_SCHEMA = { .name = "RetryGrpc",
					   .size = sizeof(struct request_retry),
					   FIELDS(GRPC),
					   .finish = finish_section,
					   .check = check_section };

/* ---- all of it ---- */
static const struct field DEFAULT[] = {
	{ .name = "tcp",
	  .type = FIELD_OBJECT,
	  .sub = &TCP_SCHEMA,
	  .doc = "Connections of what is routed as tcp." },
	{ .name = "http",
	  .type = FIELD_OBJECT,
	  .sub = &HTTP_SCHEMA,
	  STORED(retry_conf, http),
	  .doc = "Requests to destinations of protocol http and http2." },
	{ .name = "grpc",
	  .type = FIELD_OBJECT,
	  .sub = &GRPC_SCHEMA,
	  STORED(retry_conf, grpc),
	  .doc = "Requests to destinations of protocol grpc." },
};

static void check_default(struct decode *dec, const struct tree *tree,
			  const struct path *at, const void *made)
{
	(void)made;
	if (tree_get(tree, "tcp") == NULL && tree_get(tree, "http") == NULL &&
	    tree_get(tree, "grpc") == NULL)
		decode_bad(dec, at, NULL, tree,
			   "at least one of the 'tcp', 'http', 'grpc' must be specified");
}

const struct schema RETRY_DEFAULT_SCHEMA = { .name = "RetryDefault",
					     .size = sizeof(struct retry_conf),
					     FIELDS(DEFAULT),
					     .check = check_default };

ATTACHED_ITEM(TO, "RetryTo", ROUTED_REF_SCHEMA, RETRY_DEFAULT_SCHEMA,
	      "The destination, or the MeshHTTPRoute whose requests are meant.");

static const struct field SPEC[] = {
	ATTACHED_TARGET,
	ATTACHED_TO(TO),
};

const struct schema SCHEMA_MESH_RETRY = { .name = "MeshRetry",
					  .size = sizeof(struct attached_spec),
					  FIELDS(SPEC),
					  .finish = finish_attached,
					  .check = check_attached };
