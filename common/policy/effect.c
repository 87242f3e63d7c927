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

	return leaf != NULL && leaf->value->boolean;
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

	if (leaf == NULL || retry->max.ms >= base)
		return;
	retry->max.ms = base;
	effect_warn(at, leaf, field,
		    "is less than baseInterval, which is taken for both");
}

/* ---- settings ---- */

/* What was made of what is said of a kind for one use. */
struct reading {
	struct reading *next;
	unsigned places;
	bool one_way, outdone, grpc, checked_as_http;
	const void *conf; /* NULL: nothing is set */
	struct leaf **shown;
	size_t shown_count;
};

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

static void set_conf(struct settings *settings, enum kind kind, const void *conf)
{
	switch (kind) {
	case KIND_MESH_TIMEOUT:
		settings->timeout = conf;
		break;
	case KIND_MESH_RETRY:
		settings->retry = conf;
		break;
	case KIND_MESH_HEALTH_CHECK:
		settings->health = conf;
		break;
	case KIND_MESH_CIRCUIT_BREAKER:
		settings->breaker = conf;
		break;
	default:
		settings->log = conf;
		break;
	}
}

/* The breaker's has the last word about panic. */
static bool is_outdone(const struct setting *to)
{
	return to->settings->breaker != NULL && to->settings->breaker->panic.set;
}

/* All that effect_of asks of a use, and what is_outdone says. */
static struct reading key_of(const struct setting *to)
{
	const struct use *use = to->use;

	return (struct reading){ .places = places_of(use),
				 .one_way = use->one_way,
				 .outdone = is_outdone(to),
				 .grpc = strcmp(use->protocol, "grpc") == 0,
				 .checked_as_http = own_checker(use) == &CHECKERS[1] };
}

static bool is_alike(const struct reading *a, const struct reading *b)
{
	return a->places == b->places && a->one_way == b->one_way &&
	       a->outdone == b->outdone && a->grpc == b->grpc &&
	       a->checked_as_http == b->checked_as_http;
}

static const void *read_conf(struct resolving *at, enum kind kind,
			     const struct merged *merged, const struct tree *tree)
{
	if (kind == KIND_MESH_RETRY)
		return read_retry(at, merged, tree);
	return conf_read(kind, tree, at->arena);
}

static void fill_in(const struct setting *to, enum kind kind, const struct merged *merged,
		    struct reading *reading)
{
	struct zl_arena *arena = to->at->arena;
	struct leaf **leaves =
		zl_arena_alloc(arena, merged->count, sizeof(struct leaf *));
	size_t count = 0;

	if (kind == KIND_MESH_CIRCUIT_BREAKER && may_have(kind, DETECTION, to->use))
		warn_of_detectors(to->at, merged);
	reading->shown = zl_arena_alloc(arena, merged->count, sizeof(struct leaf *));
	for (size_t i = 0; i < merged->count; i++) {
		struct leaf *leaf = &merged->leaves[i];
		enum effect effect = effect_of(kind, leaf->field, merged, to->use);

		if (effect == EFFECT_NONE ||
		    (reading->outdone && kind == KIND_MESH_HEALTH_CHECK &&
		     strcmp(leaf->field, "healthyPanicThreshold") == 0))
			continue;
		leaf->used = true;
		leaves[count++] = leaf;
		if (effect == EFFECT_SHOWN)
			reading->shown[reading->shown_count++] = leaf;
	}
	if (count > 0)
		reading->conf = read_conf(to->at, kind, merged,
					  merged_tree(leaves, count, arena));
}

static const struct reading *read_kind(const struct setting *to, enum kind kind,
				       const struct merged *merged)
{
	const struct reading like = key_of(to);
	struct reading *reading = *merged->readings;

	while (reading != NULL && !is_alike(reading, &like))
		reading = reading->next;
	if (reading != NULL)
		return reading;
	reading = zl_arena_memdup(to->at->arena, &like, sizeof(like));
	fill_in(to, kind, merged, reading);
	reading->next = *merged->readings;
	*merged->readings = reading;
	return reading;
}

static void set_kind(struct setting *to, enum kind kind, const struct said *said)
{
	const struct reading *reading = read_kind(to, kind, said->merged);

	for (size_t i = 0; i < reading->shown_count; i++) {
		const struct leaf *leaf = reading->shown[i];

		to->applied[to->settings->applied_count++] =
			(struct applied){ .kind = kind,
					  .field = leaf->field,
					  .value = leaf->value,
					  .policy = leaf->from,
					  .list = leaf->list,
					  .source = said->source,
					  .from = said->from };
	}
	to->any = to->any || reading->conf != NULL;
	if (reading->conf != NULL)
		set_conf(to->settings, kind, reading->conf);
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
