#include "model/faults.h"
#include "model/schema_attached.h"

#include <string.h>

/* ---- tcp ---- */
static const struct field TCP[] = {
	{ .name = "disabled",
	  .type = FIELD_BOOL,
	  STORED(health_conf, tcp.disabled),
	  .fallback = "false",
	  .doc = "true: instances are not checked so, whatever another policy says." },
	{ .name = "send",
	  .type = FIELD_TEXT,
	  STORED(health_conf, tcp.send),
	  .fault = fault_base64,
	  .doc = "Bytes to send, in Base64; when absent the connection alone is tried.",
	  .example = "UElORwo=" },
	{ .name = "receive",
	  .type = FIELD_LIST,
	  STORED(health_conf, tcp.receive),
	  .fault = fault_base64,
	  .doc = "Bytes that the answer must hold, in Base64, in this order.",
	  .example = "[UE9ORw==]" },
};

static void finish_tcp(struct decode *dec, const struct tree *tree, void *made)
{
	struct health_conf *conf = made;

	(void)dec;
	conf->tcp.set = tree != NULL;
}

static const struct schema TCP_SCHEMA = { .name = "HealthTcp",
					  .size = sizeof(struct health_conf),
					  FIELDS(TCP),
					  .finish = finish_tcp };

/* ---- http ---- */
static const char *fault_checked_name(const struct tree *value, struct zl_arena *arena)
{
	if (strcmp(value->text, "host") == 0)
		return "must not be host: it is that of the instance";
	return fault_header_name(value, arena);
}

/* In Envoy % begins the name of something that is put in its place. */
static const char *fault_checked_value(const struct tree *value, struct zl_arena *arena)
{
	for (const char *at = value->text; (at = strchr(at, '%')) != NULL; at += 2)
		if (at[1] != '%')
			return "'%' must be written %%";
	return fault_request_text(value, arena);
}

static const struct field HEADER[] = {
	{ .name = "name",
	  .type = FIELD_TEXT,
	  STORED(checked_header, name),
	  .flags = F_REQUIRED,
	  .fault = fault_checked_name,
	  .doc = "Name of the header, in lower case.",
	  .example = "x-check" },
	{ .name = "value",
	  .type = FIELD_TEXT,
	  STORED(checked_header, value),
	  .flags = F_REQUIRED,
	  .fault = fault_checked_value,
	  .doc = "Its value; %% stands for %.",
	  .example = "mesh" },
};
static const struct schema HEADER_SCHEMA = { .name = "CheckedHeader",
					     .size = sizeof(struct checked_header),
					     FIELDS(HEADER) };

static const struct field HEADERS[] = {
	{ .name = "set",
	  .type = FIELD_LIST,
	  .sub = &HEADER_SCHEMA,
	  .flags = F_UNSTORED | F_AT_MOST,
	  .max = 16,
	  .doc = "In place of a header of the same name; at most 16." },
	{ .name = "add",
	  .type = FIELD_LIST,
	  .sub = &HEADER_SCHEMA,
	  .flags = F_UNSTORED | F_AT_MOST,
	  .max = 16,
	  .doc = "Beside a header of the same name; at most 16." },
};
static const struct schema HEADERS_SCHEMA = { .name = "CheckedHeaders",
					      .size = sizeof(struct health_conf),
					      FIELDS(HEADERS) };

static const struct field HTTP[] = {
	{ .name = "disabled",
	  .type = FIELD_BOOL,
	  STORED(health_conf, http.disabled),
	  .fallback = "false",
	  .doc = "true: instances are checked as tcp says, if it is there." },
	{ .name = "path",
	  .type = FIELD_TEXT,
	  STORED(health_conf, http.path),
	  .fallback = "/",
	  .fault = fault_request_path,
	  .doc = "The path that is asked for.",
	  .example = "/healthz" },
	{ .name = "requestHeadersToAdd",
	  .type = FIELD_OBJECT,
	  .sub = &HEADERS_SCHEMA,
	  .doc = "Headers of the request." },
	{ .name = "expectedStatuses",
	  .type = FIELD_INTS,
	  STORED(health_conf, http.statuses),
	  .min = 100,
	  .max = 599,
	  .doc = "Statuses of a healthy instance; 200 when absent.",
	  .example = "[200, 204]" },
};

static size_t add_headers(const struct tree *list, bool add,
			  struct checked_header *headers, struct zl_arena *arena)
{
	struct decode quiet = { .arena = arena }; /* what is wrong was told */
	size_t count = 0;

	for (size_t i = 0; list != NULL && list->type == TREE_LIST && i < list->count;
	     i++) {
		if (list->items[i]->type != TREE_MAP)
			continue;
		decode_object(&quiet, &HEADER_SCHEMA, list->items[i], NULL,
			      &headers[count]);
		headers[count++].add = add;
	}
	return count;
}

static void finish_http(struct decode *dec, const struct tree *tree, void *made)
{
	struct health_conf *conf = made;
	const struct tree *headers = tree_get(tree, "requestHeadersToAdd");
	const struct tree *set = tree_get(headers, "set");
	const struct tree *add = tree_get(headers, "add");

	conf->http.set = tree != NULL;
	if (set == NULL && add == NULL)
		return;
	size_t most = (set != NULL ? set->count : 0) + (add != NULL ? add->count : 0);
	struct checked_header *items = zl_arena_alloc(dec->arena, most, sizeof(*items));
	size_t count = add_headers(set, false, items, dec->arena);
	count += add_headers(add, true, items + count, dec->arena);
	conf->http.headers = items;
	conf->http.header_count = count;
}

static const struct schema HTTP_SCHEMA = { .name = "HealthHttp",
					   .size = sizeof(struct health_conf),
					   FIELDS(HTTP),
					   .finish = finish_http };

/* ---- grpc ---- */
static const struct field GRPC[] = {
	{ .name = "disabled",
	  .type = FIELD_BOOL,
	  STORED(health_conf, grpc.disabled),
	  .fallback = "false",
	  .doc = "true: instances are checked as tcp says, if it is there." },
	{ .name = "serviceName",
	  .type = FIELD_TEXT,
	  STORED(health_conf, grpc.service),
	  .fault = fault_request_text,
	  .doc = "The service that grpc.health.v1.Health is asked about; the whole "
		 "server when absent.",
	  .example = "shop.Cart" },
	{ .name = "authority",
	  .type = FIELD_TEXT,
	  STORED(health_conf, grpc.authority),
	  .fault = fault_request_text,
	  .doc = "The :authority of the request; the name of the cluster when absent.",
	  .example = "shop.internal" },
};

static void finish_grpc(struct decode *dec, const struct tree *tree, void *made)
{
	struct health_conf *conf = made;

	(void)dec;
	conf->grpc.set = tree != NULL;
}

static const struct schema GRPC_SCHEMA = { .name = "HealthGrpc",
					   .size = sizeof(struct health_conf),
					   FIELDS(GRPC),
					   .finish = finish_grpc };

/* ---- all of it ---- */
static const struct field DEFAULT[] = {
	{ .name = "interval",
	  .type = FIELD_DURATION,
	  STORED(health_conf, interval),
	  .fallback = "1m",
	  .fault = fault_not_above_zero,
	  .doc = "From one check of an instance to the next; above 0.",
	  .example = "10s" },
	{ .name = "timeout",
	  .type = FIELD_DURATION,
	  STORED(health_conf, timeout),
	  .fallback = "15s",
	  .fault = fault_not_above_zero,
	  .doc = "How long a check may take. A cluster that is new or has changed waits "
		 "for its first checks: write at most 5s.",
	  .example = "2s" },
	{ .name = "unhealthyThreshold",
	  .type = FIELD_INT,
	  STORED(health_conf, unhealthy),
	  .flags = F_RANGE,
	  .min = 1,
	  .max = INT32_MAX,
	  .fallback = "5",
	  .fault = fault_not_above_zero,
	  .doc = "So many failed checks in a row make an instance unhealthy.",
	  .example = "3" },
	{ .name = "healthyThreshold",
	  .type = FIELD_INT,
	  STORED(health_conf, healthy),
	  .flags = F_RANGE,
	  .min = 1,
	  .max = INT32_MAX,
	  .fallback = "1",
	  .fault = fault_not_above_zero,
	  .doc = "So many good checks in a row make an instance healthy again.",
	  .example = "1" },
	{ .name = "initialJitter",
	  .type = FIELD_DURATION,
	  STORED(health_conf, initial_jitter),
	  .fault = fault_not_above_zero,
	  .doc = "The first check of an instance waits for up to this long." },
	{ .name = "intervalJitter",
	  .type = FIELD_DURATION,
	  STORED(health_conf, interval_jitter),
	  .fault = fault_not_above_zero,
	  .doc = "Each interval is longer by up to this." },
	{ .name = "intervalJitterPercent",
	  .type = FIELD_INT,
	  STORED(health_conf, jitter_percent),
	  .flags = F_SET | F_RANGE,
	  .min = 0,
	  .max = 100,
	  .doc = "Each interval is longer by up to this share of it, in percent.",
	  .example = "10" },
	{ .name = "healthyPanicThreshold",
	  .type = FIELD_MIXED,
	  STORED(health_conf, panic),
	  .flags = F_SET | F_SHOWN_ONLY,
	  .fallback = "50",
	  .fault = fault_percentage,
	  .doc = "Deprecated: it belongs to MeshCircuitBreaker, which wins. With fewer "
		 "healthy instances than this, in percent, all of them are used; 0: "
		 "never.",
	  .example = "0" },
	{ .name = "failTrafficOnPanic",
	  .type = FIELD_BOOL,
	  STORED(health_conf, fail_on_panic),
	  .fallback = "false",
	  .doc = "true: below healthyPanicThreshold connections are closed." },
	{ .name = "noTrafficInterval",
	  .type = FIELD_DURATION,
	  STORED(health_conf, no_traffic),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "1m",
	  .fault = fault_not_above_zero,
	  .doc = "The interval while nothing connects to the service.",
	  .example = "10s" },
	{ .name = "eventLogPath",
	  .type = FIELD_TEXT,
	  STORED(health_conf, event_log),
	  .fault = fault_path,
	  .doc = "File that Envoy writes a line to when the health of an instance "
		 "changes; it must be able to open it.",
	  .example = "/var/log/health.log" },
	{ .name = "alwaysLogHealthCheckFailures",
	  .type = FIELD_BOOL,
	  STORED(health_conf, always_log),
	  .fallback = "false",
	  .doc = "true: a line of eventLogPath for each failed check." },
	{ .name = "reuseConnection",
	  .type = FIELD_BOOL,
	  STORED(health_conf, keep_open),
	  .fallback = "true",
	  .doc = "false: a connection for each check." },
	{ .name = "http",
	  .type = FIELD_OBJECT,
	  .sub = &HTTP_SCHEMA,
	  .doc = "How instances of protocol http and http2 are checked." },
	{ .name = "tcp",
	  .type = FIELD_OBJECT,
	  .sub = &TCP_SCHEMA,
	  .doc = "How all other instances are checked, and those for which http or grpc "
		 "is disabled." },
	{ .name = "grpc",
	  .type = FIELD_OBJECT,
	  .sub = &GRPC_SCHEMA,
	  .doc = "How instances of protocol grpc are checked." },
};

enum { WARM_MS = 5000 }; /* what a change may be held back by */

static void check_default(struct decode *dec, const struct tree *tree,
			  const struct path *at, const void *made)
{
	const struct health_conf *conf = made;
	const struct tree *timeout = tree_get(tree, "timeout");
	const struct tree *panic = tree_get(tree, "healthyPanicThreshold");

	if (tree_get(tree, "http") == NULL && tree_get(tree, "tcp") == NULL &&
	    tree_get(tree, "grpc") == NULL)
		decode_bad(dec, at, NULL, tree,
			   "must have at least one defined: http, tcp, grpc");
	if (timeout != NULL && timeout->type == TREE_TEXT && conf->timeout.ms > WARM_MS)
		decode_warn(dec, at, "timeout", timeout,
			    "an instance that does not answer holds back a change of its "
			    "cluster for %s: write at most 5s",
			    timeout->text);
	if (panic != NULL)
		decode_warn(dec, at, "healthyPanicThreshold", panic,
			    "healthyPanicThreshold is deprecated here, use "
			    "MeshCircuitBreaker");
}

const struct schema HEALTH_DEFAULT_SCHEMA = { .name = "HealthDefault",
					      .size = sizeof(struct health_conf),
					      FIELDS(DEFAULT),
					      .check = check_default };

ATTACHED_ITEM(TO, "HealthTo", BALANCED_REF_SCHEMA, HEALTH_DEFAULT_SCHEMA,
	      "The services whose instances are checked.");

static const struct field SPEC[] = {
	ATTACHED_TARGET,
	ATTACHED_TO(TO),
};

const struct schema SCHEMA_MESH_HEALTH_CHECK = { .name = "MeshHealthCheck",
						 .size = sizeof(struct attached_spec),
						 FIELDS(SPEC),
						 .finish = finish_attached,
						 .check = check_attached };
