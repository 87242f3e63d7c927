/* What the legacy kinds say, in the words of those that replace them: policies-spec 4. */
#include "model/conf.h"

#include "model/schema_legacy.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static bool is_grpc(const char *protocol)
{
	return strcmp(protocol, "grpc") == 0;
}

static bool is_requests(const char *protocol)
{
	return strcmp(protocol, "http") == 0 || strcmp(protocol, "http2") == 0 ||
	       is_grpc(protocol);
}

/* Let new be in made what old is in conf, if it is there. True: it is. */
static bool carry(struct zl_arena *arena, struct tree *made, const char *new,
		  const struct tree *conf, const char *old)
{
	const struct tree *value = tree_get(conf, old);

	if (value == NULL)
		return false;
	tree_set(arena, made, new, tree_copy(value, arena));
	return true;
}

static void carry_all(struct zl_arena *arena, struct tree *made, const struct tree *conf,
		      const char *const *names)
{
	for (; *names != NULL; names++)
		(void)carry(arena, made, *names, conf, *names);
}

/* Let name be child in made, unless nothing is in it. */
static void put_filled(struct zl_arena *arena, struct tree *made, const char *name,
		       struct tree *child)
{
	if (child->count > 0)
		tree_set(arena, made, name, child);
}

/* ---- Timeout ---- */
static struct tree *timeout_of(const struct tree *conf, const char *protocol,
			       struct zl_arena *arena)
{
	static const char *const OF_STREAMS[] = { "streamIdleTimeout",
						  "maxStreamDuration" };
	const struct tree *http = tree_get(conf, "http");
	const struct tree *grpc = tree_get(conf, "grpc");
	struct tree *made = tree_map(arena);
	struct tree *requests = tree_map(arena);

	(void)carry(arena, made, "connectionTimeout", conf, "connectTimeout");
	if (!is_requests(protocol)) {
		(void)carry(arena, made, "idleTimeout", tree_get(conf, "tcp"),
			    "idleTimeout");
		return made;
	}
	(void)carry(arena, made, "idleTimeout", http, "idleTimeout");
	(void)carry(arena, requests, "requestTimeout", http, "requestTimeout");
	for (size_t i = 0; i < sizeof(OF_STREAMS) / sizeof(OF_STREAMS[0]); i++)
		if (!carry(arena, requests, OF_STREAMS[i], http, OF_STREAMS[i]) &&
		    is_grpc(protocol))
			(void)carry(arena, requests, OF_STREAMS[i], grpc, OF_STREAMS[i]);
	put_filled(arena, made, "http", requests);
	return made;
}

/* ---- Retry ---- */

/* A list that has something in it, or NULL: [] is as good as absent. */
static const struct tree *list_in(const struct tree *conf, const char *name)
{
	const struct tree *list = tree_get(conf, name);

	return list != NULL && list->type == TREE_LIST && list->count > 0 ? list : NULL;
}

/* Add to list the new words of those in words. */
static void add_words(struct tree *list, const struct tree *words,
		      const char *const *old_words, const char *const *new_words,
		      struct zl_arena *arena)
{
	for (size_t i = 0; words != NULL && i < words->count; i++)
		for (size_t w = 0; old_words[w] != NULL; w++)
			if (words->items[i]->type == TREE_TEXT &&
			    strcmp(words->items[i]->text, old_words[w]) == 0 &&
			    new_words[w][0] != '\0')
				tree_push(arena, list, tree_text(arena, new_words[w]));
}

/* Nothing is retried without a cause: an absent list stands for these, where the new list
 * is made for other words. */
static void add_causes(struct tree *list, const struct tree *http, struct zl_arena *arena)
{
	static const char *const CAUSES[] = { "GatewayError", "ConnectFailure",
					      "RefusedStream" };
	const struct tree *words = list_in(http, "retryOn");

	add_words(list, words, LEGACY_HTTP_RETRY_ON, NEW_HTTP_RETRY_ON, arena);
	for (size_t i = 0; words == NULL && i < sizeof(CAUSES) / sizeof(CAUSES[0]); i++)
		tree_push(arena, list, tree_text(arena, CAUSES[i]));
}

static struct tree *http_retry_on(const struct tree *http, struct zl_arena *arena)
{
	const struct tree *codes = list_in(http, "retriableStatusCodes");
	struct tree *list = tree_list(arena);

	add_causes(list, http, arena);
	for (size_t i = 0; codes != NULL && i < codes->count; i++)
		tree_push(arena, list,
			  tree_text(arena, zl_arena_format(arena, "%" PRId64,
							   codes->items[i]->integer)));
	add_words(list, list_in(http, "retriableMethods"), LEGACY_METHODS, NEW_METHODS,
		  arena);
	return list;
}

static struct tree *retry_of(const struct tree *conf, const char *protocol,
			     struct zl_arena *arena)
{
	static const char *const SHARED[] = { "numRetries", "perTryTimeout", "backOff",
					      NULL };
	bool grpc = is_grpc(protocol);
	const char *section = !is_requests(protocol) ? "tcp" : grpc ? "grpc" : "http";
	const struct tree *old = tree_get(conf, section);
	struct tree *made = tree_map(arena);
	struct tree *part = tree_map(arena);

	(void)carry(arena, part, "maxConnectAttempt", old, "maxConnectAttempts");
	carry_all(arena, part, old, SHARED);
	if (grpc && list_in(old, "retryOn") != NULL) {
		struct tree *list = tree_list(arena);
		add_words(list, list_in(old, "retryOn"), LEGACY_GRPC_RETRY_ON,
			  NEW_GRPC_RETRY_ON, arena);
		tree_set(arena, part, "retryOn", list);
	}
	if (!grpc && (list_in(old, "retryOn") != NULL ||
		      list_in(old, "retriableStatusCodes") != NULL ||
		      list_in(old, "retriableMethods") != NULL))
		tree_set(arena, part, "retryOn", http_retry_on(old, arena));
	put_filled(arena, made, section, part);
	return made;
}

/* ---- HealthCheck ---- */
static struct tree *headers_of(const struct tree *list, struct zl_arena *arena)
{
	struct tree *made = tree_map(arena);
	struct tree *lists[2] = { tree_list(arena), tree_list(arena) };

	for (size_t i = 0; list->type == TREE_LIST && i < list->count; i++) {
		const struct tree *header = tree_get(list->items[i], "header");
		const struct tree *append = tree_get(list->items[i], "append");
		bool add = append == NULL || append->boolean;
		struct tree *item = tree_map(arena);
		(void)carry(arena, item, "name", header, "key");
		(void)carry(arena, item, "value", header, "value");
		tree_push(arena, lists[add], item);
	}
	put_filled(arena, made, "set", lists[0]);
	put_filled(arena, made, "add", lists[1]);
	return made;
}

static struct tree *http_check_of(const struct tree *http, struct zl_arena *arena)
{
	static const char *const SAME[] = { "path", "expectedStatuses", NULL };
	const struct tree *headers = tree_get(http, "requestHeadersToAdd");
	struct tree *made = tree_map(arena);

	carry_all(arena, made, http, SAME);
	if (headers != NULL)
		put_filled(arena, made, "requestHeadersToAdd",
			   headers_of(headers, arena));
	return made;
}

/* A number of the new kinds has its fraction in a text. */
static struct tree *number_of(const struct tree *number, struct zl_arena *arena)
{
	return number->type == TREE_REAL ? tree_text(arena, number->text)
					 : tree_copy(number, arena);
}

static struct tree *health_of(const struct tree *conf, const char *protocol,
			      struct zl_arena *arena)
{
	static const char *const SAME[] = { "interval",
					    "timeout",
					    "unhealthyThreshold",
					    "healthyThreshold",
					    "initialJitter",
					    "intervalJitter",
					    "intervalJitterPercent",
					    "failTrafficOnPanic",
					    "eventLogPath",
					    "alwaysLogHealthCheckFailures",
					    "noTrafficInterval",
					    "reuseConnection",
					    NULL };
	const struct tree *panic = tree_get(conf, "healthyPanicThreshold");
	const struct tree *http = tree_get(conf, "http");
	struct tree *made = tree_map(arena);
	struct tree *off = tree_map(arena);

	carry_all(arena, made, conf, SAME);
	if (panic != NULL)
		tree_set(arena, made, "healthyPanicThreshold", number_of(panic, arena));
	if (http != NULL) {
		tree_set(arena, made, "http", http_check_of(http, arena));
		return made;
	}
	/* Connections are checked whatever they carry; the new kind does so only if its
	 * check by requests is switched off. */
	tree_set(arena, off, "disabled", tree_bool(arena, true));
	if (is_requests(protocol))
		tree_set(arena, made, is_grpc(protocol) ? "grpc" : "http", off);
	if (!carry(arena, made, "tcp", conf, "tcp"))
		tree_set(arena, made, "tcp", tree_map(arena));
	return made;
}

/* ---- CircuitBreaker ---- */

/* A detector that is {} stays so, which conf_read takes as one with Envoy's number. */
static struct tree *detectors_of(const struct tree *old, struct zl_arena *arena)
{
	static const char *const VOLUMES[] = { "requestVolume", "minimumHosts",
					       "threshold", NULL };
	const struct tree *deviation = tree_get(old, "standardDeviation");
	const struct tree *failure = tree_get(old, "failure");
	struct tree *made = tree_map(arena);

	(void)carry(arena, made, "totalFailures", old, "totalErrors");
	(void)carry(arena, made, "gatewayFailures", old, "gatewayErrors");
	(void)carry(arena, made, "localOriginFailures", old, "localErrors");
	if (deviation != NULL) {
		const struct tree *factor = tree_get(deviation, "factor");
		struct tree *rate = tree_map(arena);
		carry_all(arena, rate, deviation, VOLUMES);
		if (factor != NULL)
			tree_set(arena, rate, "standardDeviationFactor",
				 number_of(factor, arena));
		tree_set(arena, made, "successRate", rate);
	}
	if (failure != NULL) {
		struct tree *share = tree_map(arena);
		carry_all(arena, share, failure, VOLUMES);
		tree_set(arena, made, "failurePercentage", share);
	}
	return made;
}

static struct tree *breaker_of(const struct tree *conf, struct zl_arena *arena)
{
	static const char *const SAME[] = { "interval", "baseEjectionTime",
					    "maxEjectionPercent",
					    "splitExternalAndLocalErrors", NULL };
	struct tree *made = tree_map(arena);
	struct tree *detection = tree_map(arena);
	struct tree *detectors = detectors_of(tree_get(conf, "detectors"), arena);
	const struct tree *limits = tree_get(conf, "thresholds");

	if (limits != NULL)
		put_filled(arena, made, "connectionLimits", tree_copy(limits, arena));
	if (detectors->count > 0) {
		carry_all(arena, detection, conf, SAME);
		tree_set(arena, detection, "detectors", detectors);
		tree_set(arena, made, "outlierDetection", detection);
	}
	return made;
}

/* ---- TrafficLog ---- */
static const struct mesh_log *log_named(const struct mesh_spec *mesh, const char *name)
{
	for (size_t i = 0; i < mesh->log_count; i++)
		if (name[0] != '\0' && strcmp(mesh->logs[i].name, name) == 0)
			return &mesh->logs[i];
	return NULL;
}

static struct tree *log_of(const struct tree *conf, const struct mesh_spec *mesh,
			   struct zl_arena *arena)
{
	const struct tree *name = tree_get(conf, "backend");
	bool named = name != NULL && name->type == TREE_TEXT && name->text[0] != '\0';
	const struct mesh_log *log =
		log_named(mesh, named ? name->text : mesh->log_backend);
	struct tree *made = tree_map(arena);
	struct tree *list = tree_list(arena);
	struct tree *backend = tree_map(arena);
	struct tree *target = tree_map(arena);
	struct tree *format = tree_map(arena);

	if (log == NULL)
		return made;
	tree_set(arena, target, log->tcp ? "address" : "path",
		 tree_text(arena, log->tcp ? log->address : log->path));
	if (log->format[0] != '\0') {
		tree_set(arena, format, "type", tree_text(arena, "Plain"));
		tree_set(arena, format, "plain", tree_text(arena, log->format));
		tree_set(arena, target, "format", format);
	}
	tree_set(arena, backend, "type", tree_text(arena, log->tcp ? "Tcp" : "File"));
	tree_set(arena, backend, log->tcp ? "tcp" : "file", target);
	tree_push(arena, list, backend);
	tree_set(arena, made, "backends", list);
	return made;
}

const struct tree *conf_of_legacy(const struct resource *policy, const char *protocol,
				  const struct mesh_spec *mesh, struct zl_arena *arena)
{
	const struct tree *conf = policy->legacy->conf;
	struct tree *made = NULL;

	switch (policy->key.kind) {
	case KIND_TIMEOUT:
		made = timeout_of(conf, protocol, arena);
		break;
	case KIND_RETRY:
		made = retry_of(conf, protocol, arena);
		break;
	case KIND_HEALTH_CHECK:
		made = health_of(conf, protocol, arena);
		break;
	case KIND_CIRCUIT_BREAKER:
		made = breaker_of(conf, arena);
		break;
	case KIND_TRAFFIC_LOG:
		made = log_of(conf, mesh, arena);
		break;
	case KIND_TRAFFIC_PERMISSION:
		made = tree_map(arena);
		tree_set(arena, made, "action", tree_text(arena, "Allow"));
		break;
	default:
		break;
	}
	assert(made != NULL); /* kind_is_legacy */
	return made->count > 0 ? made : NULL;
}
