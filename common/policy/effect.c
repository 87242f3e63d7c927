#include "policy/effect.h"

#include "policy/claims.h"

#include "model/conf.h"

#include <string.h>

enum kind attached_kind(size_t index)
{
	return (enum kind)(KIND_MESH_TIMEOUT + index);
}

/* ---- tables ---- */

enum {
	ON_LISTENER = 1,      /* of connections */
	ON_HTTP_LISTENER = 2, /* its routes too */
	ON_ROUTE = 4,
	ON_CLUSTER = 8,
	ON_HTTP_CLUSTER = 16,
	ON_INBOUND = 32,
	ON_HTTP_INBOUND = 64,
	LISTENERS = ON_LISTENER | ON_HTTP_LISTENER,
	CLUSTERS = ON_CLUSTER | ON_HTTP_CLUSTER,
	INBOUNDS = ON_INBOUND | ON_HTTP_INBOUND,
	ROUTES = ON_HTTP_LISTENER | ON_ROUTE,
};

/* Where a field, or all that is in it, has an effect. */
static const struct {
	enum kind kind;
	const char *field;
	unsigned places;
} FIELDS[] = {
	{ KIND_MESH_TIMEOUT, "connectionTimeout", CLUSTERS | INBOUNDS },
	{ KIND_MESH_TIMEOUT, "idleTimeout", LISTENERS | ON_HTTP_CLUSTER | INBOUNDS },
	{ KIND_MESH_TIMEOUT, "http.requestTimeout", ROUTES | ON_HTTP_INBOUND },
	{ KIND_MESH_TIMEOUT, "http.streamIdleTimeout", ROUTES | ON_HTTP_INBOUND },
	{ KIND_MESH_TIMEOUT, "http.requestHeadersTimeout",
	  ON_HTTP_LISTENER | ON_HTTP_INBOUND },
	{ KIND_MESH_TIMEOUT, "http.maxStreamDuration",
	  ON_HTTP_CLUSTER | ON_HTTP_INBOUND },
	{ KIND_MESH_TIMEOUT, "http.maxConnectionDuration",
	  ON_HTTP_CLUSTER | ON_HTTP_INBOUND },
	{ KIND_MESH_RETRY, "tcp.maxConnectAttempt", ON_LISTENER },
	{ KIND_MESH_RETRY, "http", ROUTES },
	{ KIND_MESH_RETRY, "grpc", ROUTES },
	{ KIND_MESH_HEALTH_CHECK, "", CLUSTERS },
	{ KIND_MESH_CIRCUIT_BREAKER, "connectionLimits.maxConnections",
	  CLUSTERS | INBOUNDS },
	{ KIND_MESH_CIRCUIT_BREAKER, "connectionLimits.maxPendingRequests",
	  CLUSTERS | INBOUNDS },
	{ KIND_MESH_CIRCUIT_BREAKER, "connectionLimits",
	  ON_HTTP_CLUSTER | ON_HTTP_INBOUND },
	{ KIND_MESH_CIRCUIT_BREAKER, "outlierDetection", CLUSTERS | INBOUNDS },
	{ KIND_MESH_ACCESS_LOG, "", LISTENERS | INBOUNDS },
};

static unsigned places_of(const struct use *use)
{
	static const unsigned PLACES[][2] = {
		[PLACE_LISTENER] = { ON_LISTENER, ON_HTTP_LISTENER },
		[PLACE_ROUTE] = { 0, ON_ROUTE },
		[PLACE_CLUSTER] = { ON_CLUSTER, ON_HTTP_CLUSTER },
		[PLACE_INBOUND] = { ON_INBOUND, ON_HTTP_INBOUND },
	};

	return (use->tcp ? PLACES[use->place][0] : 0) |
	       (use->http ? PLACES[use->place][1] : 0);
}

static bool may_have(enum kind kind, const char *field, const struct use *use)
{
	for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++)
		if (FIELDS[i].kind == kind &&
		    (FIELDS[i].field[0] == '\0' || field_is_in(field, FIELDS[i].field)))
			return (FIELDS[i].places & places_of(use)) != 0;
	return false;
}

/* ---- what depends on the rest of the conf ---- */

static bool is_on(const struct merged *merged, const char *field)
{
	const struct leaf *leaf = merged_leaf(merged, field);

	return leaf != NULL && leaf->value->type == TREE_BOOL && leaf->value->boolean;
}

static bool has_section(const struct merged *merged, const char *section)
{
	for (size_t i = 0; i < merged->count; i++)
		if (field_is_in(merged->leaves[i].field, section))
			return true;
	return false;
}

/* The checkers that there may be. */
static const struct checker {
	const char *section, *disabled;
} CHECKERS[] = { { "tcp", "tcp.disabled" },
		 { "http", "http.disabled" },
		 { "grpc", "grpc.disabled" } };

static const struct checker *own_checker(const struct use *use)
{
	if (use->tcp || !protocol_is_http(use->protocol))
		return &CHECKERS[0];
	return strcmp(use->protocol, "grpc") == 0 ? &CHECKERS[2] : &CHECKERS[1];
}

/* The one that is used, or NULL: there is none. */
static const struct checker *checker_of(const struct merged *merged,
					const struct use *use)
{
	const struct checker *checker = own_checker(use);

	if (has_section(merged, checker->section) && is_on(merged, checker->disabled))
		checker = &CHECKERS[0];
	return has_section(merged, checker->section) && !is_on(merged, checker->disabled)
		       ? checker
		       : NULL;
}

static enum effect checks(const char *field, const struct merged *merged,
			  const struct use *use)
{
	const struct checker *checker = checker_of(merged, use);

	/* Of what is healthy, whoever tells. */
	if (strcmp(field, "healthyPanicThreshold") == 0)
		return EFFECT_SHOWN;
	for (size_t i = 0; i < sizeof(CHECKERS) / sizeof(CHECKERS[0]); i++) {
		if (!field_is_in(field, CHECKERS[i].section) || checker == &CHECKERS[i])
			continue;
		/* It says why another takes its place, or none. */
		return (i == 0 || own_checker(use) == &CHECKERS[i]) &&
				       strcmp(field, CHECKERS[i].disabled) == 0 &&
				       is_on(merged, field)
			       ? EFFECT_QUIET
			       : EFFECT_NONE;
	}
	return checker != NULL ? EFFECT_SHOWN : EFFECT_NONE;
}

#define DETECTION "outlierDetection"
#define SPLIT DETECTION ".splitExternalAndLocalErrors"
#define LOCAL_ORIGIN DETECTION ".detectors.localOriginFailures"
#define TOTAL DETECTION ".detectors.totalFailures"

static bool breaks(const char *field, const struct merged *merged)
{
	if (!field_is_in(field, DETECTION))
		return true;
	if (is_on(merged, DETECTION ".disabled"))
		return strcmp(field, DETECTION ".disabled") == 0;
	return !field_is_in(field, LOCAL_ORIGIN) || is_on(merged, SPLIT);
}

static bool retries(const char *field, const struct use *use)
{
	if (field_is_in(field, "tcp"))
		return use->one_way;
	return field_is_in(field, "grpc") == (strcmp(use->protocol, "grpc") == 0);
}

enum effect effect_of(enum kind kind, const char *field, const struct merged *merged,
		      const struct use *use)
{
	if (!may_have(kind, field, use))
		return EFFECT_NONE;
	switch (kind) {
	case KIND_MESH_TIMEOUT:
		/* Who listens only leaves it to the cluster. */
		return use->place == PLACE_LISTENER && use->http &&
				       strcmp(field, "idleTimeout") == 0
			       ? EFFECT_QUIET
			       : EFFECT_SHOWN;
	case KIND_MESH_RETRY:
		return retries(field, use) ? EFFECT_SHOWN : EFFECT_NONE;
	case KIND_MESH_HEALTH_CHECK:
		return checks(field, merged, use);
	case KIND_MESH_CIRCUIT_BREAKER:
		return breaks(field, merged) ? EFFECT_SHOWN : EFFECT_NONE;
	default:
		return EFFECT_SHOWN;
	}
}

/* ---- warnings ---- */

void effect_warn(struct resolving *at, const struct leaf *leaf, const char *field,
		 const char *reason)
{
	const struct resource *policy = leaf->from.policy;
	const char *place = "conf"; /* where fields have other names */

	if (leaf->list != LIST_LEGACY)
		place = zl_arena_format(at->arena, "spec.%s[%zu].default.%s",
					attached_list_name(leaf->list), leaf->from.to,
					field);
	resolving_warn(at,
		       zl_arena_format(at->arena, "mesh \"%s\": %s \"%s\": %s: %s",
				       at->mesh_name, kind_info(policy->key.kind)->name,
				       policy->key.name, place, reason));
}

/* What detectors do not see (W4). */
static void warn_of_detectors(struct resolving *at, const struct merged *merged)
{
	bool split = is_on(merged, SPLIT);

	if (is_on(merged, DETECTION ".disabled"))
		return;
	for (size_t i = 0; i < merged->count; i++) {
		const struct leaf *leaf = &merged->leaves[i];

		if (!split && field_is_in(leaf->field, LOCAL_ORIGIN))
			effect_warn(at, leaf, LOCAL_ORIGIN,
				    "localOriginFailures has no effect without "
				    "splitExternalAndLocalErrors");
		if (split && field_is_in(leaf->field, TOTAL))
			effect_warn(at, leaf, TOTAL,
				    "totalFailures counts no connection failure with "
				    "splitExternalAndLocalErrors");
	}
}

/* Envoy refuses a longest pause that is shorter than the first one. */
static void repair(struct resolving *at, const struct merged *merged, const char *section,
		   struct request_retry *retry)
{
	enum { BASE_MS = 25 };
	uint64_t base = retry->base.set ? retry->base.ms : BASE_MS;
	const char *field = zl_arena_format(at->arena, "%s.backOff.maxInterval", section);
	const struct leaf *leaf = merged_leaf(merged, field);

	if (leaf == NULL || !retry->max.set || retry->max.ms >= base)
		return;
	retry->max.ms = base;
	effect_warn(at, leaf, field,
		    "is less than baseInterval, which is taken for both");
}

/* ---- settings ---- */

struct setting {
	struct resolving *at;
	const struct use *use;
	struct settings *settings;
	struct applied *applied;
	bool any; /* something is set */
};

static const struct retry_conf *
read_retry(struct resolving *at, const struct merged *merged, const struct tree *tree)
{
	const struct retry_conf *read = conf_read(KIND_MESH_RETRY, tree, at->arena);
	struct retry_conf *conf = zl_arena_memdup(at->arena, read, sizeof(*conf));

	repair(at, merged, "http", &conf->http);
	repair(at, merged, "grpc", &conf->grpc);
	return conf;
}

static void set_conf(const struct setting *to, enum kind kind,
		     const struct merged *merged, const struct tree *tree)
{
	struct settings *settings = to->settings;

	switch (kind) {
	case KIND_MESH_TIMEOUT:
		settings->timeout = conf_read(kind, tree, to->at->arena);
		break;
	case KIND_MESH_RETRY:
		settings->retry = read_retry(to->at, merged, tree);
		break;
	case KIND_MESH_HEALTH_CHECK:
		settings->health = conf_read(kind, tree, to->at->arena);
		break;
	case KIND_MESH_CIRCUIT_BREAKER:
		settings->breaker = conf_read(kind, tree, to->at->arena);
		break;
	default:
		settings->log = conf_read(kind, tree, to->at->arena);
		break;
	}
}

/* The breaker's has the last word about panic. */
static bool is_outdone(const struct setting *to, enum kind kind, const char *field)
{
	return kind == KIND_MESH_HEALTH_CHECK &&
	       strcmp(field, "healthyPanicThreshold") == 0 &&
	       to->settings->breaker != NULL && to->settings->breaker->panic.set;
}

static void set_kind(struct setting *to, enum kind kind, const struct said *said)
{
	const struct merged *merged = said->merged;
	struct leaf **leaves =
		zl_arena_alloc(to->at->arena, merged->count, sizeof(struct leaf *));
	size_t count = 0;

	for (size_t i = 0; i < merged->count; i++) {
		struct leaf *leaf = &merged->leaves[i];
		enum effect effect = effect_of(kind, leaf->field, merged, to->use);

		if (effect == EFFECT_NONE || is_outdone(to, kind, leaf->field))
			continue;
		leaf->used = true;
		leaves[count++] = leaf;
		if (effect == EFFECT_QUIET)
			continue;
		to->applied[to->settings->applied_count++] =
			(struct applied){ .kind = kind,
					  .field = leaf->field,
					  .value = leaf->value,
					  .policy = leaf->from,
					  .list = leaf->list,
					  .source = said->source,
					  .from = said->from };
	}
	to->any = to->any || count > 0;
	if (count > 0)
		set_conf(to, kind, merged, merged_tree(leaves, count, to->at->arena));
	if (kind == KIND_MESH_CIRCUIT_BREAKER && count > 0)
		warn_of_detectors(to->at, merged);
}

const struct settings *effect_settings(struct resolving *at,
				       const struct said said[ATTACHED_KINDS],
				       const struct use *use)
{
	struct setting to = { .at = at, .use = use };
	size_t room = 0;

	for (size_t i = 0; i < ATTACHED_KINDS; i++)
		room += said[i].merged == NULL ? 0 : said[i].merged->count;
	if (room == 0)
		return NULL;
	to.settings = zl_arena_alloc(at->arena, 1, sizeof(*to.settings));
	to.applied = zl_arena_alloc(at->arena, room, sizeof(*to.applied));
	/* By their names, which is the other way round; and breakers before checks. */
	for (size_t i = ATTACHED_KINDS; i-- > 0;)
		if (said[i].merged != NULL && said[i].merged->count > 0)
			set_kind(&to, attached_kind(i), &said[i]);
	to.settings->applied = to.applied;
	return to.any ? to.settings : NULL;
}
