/* The legacy kinds of policies on routes: policies-spec 4. */
#include "model/schema_legacy.h"

#include "model/checks.h"
#include "model/duration.h"
#include "model/schemas.h"

static const char NO_ELEMENT[] = "must have at least one element";

/* ---- what confs share ---- */
static bool is_above_zero(const struct tree *value)
{
	int64_t ms;

	if (value->type == TREE_TEXT) /* what is no duration was told */
		return !duration_read(value->text, &ms) || ms > 0;
	return value->type == TREE_REAL ? value->real > 0 : value->integer > 0;
}

const char *legacy_fault_zero(const struct tree *value, struct zl_arena *arena)
{
	(void)arena;
	return is_above_zero(value) ? NULL : "has to be greater than 0";
}

const char *legacy_fault_zero_set(const struct tree *value, struct zl_arena *arena)
{
	(void)arena;
	return is_above_zero(value) ? NULL : "has to be greater than 0 when defined";
}

const char *legacy_fault_positive(const struct tree *value, struct zl_arena *arena)
{
	(void)arena;
	return is_above_zero(value) ? NULL : "must have a positive value";
}

bool legacy_is_number(const struct tree *value)
{
	return value->type == TREE_INT || value->type == TREE_REAL;
}

static double number_of(const struct tree *value)
{
	return value->type == TREE_INT ? (double)value->integer : value->real;
}

const char *legacy_fault_percent(const struct tree *value, struct zl_arena *arena)
{
	double number = number_of(value);

	(void)arena;
	return number < 0 || number > 100 ? "has to be in [0.0 - 100.0] range" : NULL;
}

void legacy_check_some(struct decode *dec, const struct tree *tree, const struct path *at,
		       const char *const *fields, const char *reason)
{
	for (; *fields != NULL; fields++)
		if (tree_get(tree, *fields) != NULL)
			return;
	decode_bad(dec, at, NULL, tree, "%s", reason);
}

/* ---- TrafficLog ---- */
static const struct field LOG[] = {
	{ .name = "backend",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .doc = "Name of one of logging.backends of the Mesh; its "
		 "logging.defaultBackend when absent.",
	  .example = "file" },
};
static const struct schema LEGACY_LOG_SCHEMA = { .name = "LogConf", FIELDS(LOG) };

/* ---- the kinds ---- */
static void finish_legacy(struct decode *dec, const struct tree *tree, void *made)
{
	struct legacy_spec *spec = made;
	const struct tree *conf = tree_get(tree, "conf");

	if (conf != NULL && conf->type == TREE_MAP)
		spec->conf = tree_copy(conf, dec->arena);
}

static void check_legacy(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	(void)made;
	check_filled(dec, tree, at, "sources", NO_ELEMENT);
	check_filled(dec, tree, at, "destinations", NO_ELEMENT);
	if (tree_get(tree, "conf") == NULL && dec->kind != KIND_TRAFFIC_PERMISSION)
		decode_bad(dec, at, "conf", tree, "has to be defined");
}

#define SOURCES(schema)                 \
	{ .name = "sources",            \
	  .type = FIELD_LIST,           \
	  .sub = &(schema),             \
	  STORED(legacy_spec, sources), \
	  .flags = F_AT_MOST,           \
	  .max = 1024,                  \
	  .doc = "The clients, any of these; 1 to 1024 entries." },
#define DESTINATIONS(schema)                 \
	{ .name = "destinations",            \
	  .type = FIELD_LIST,                \
	  .sub = &(schema),                  \
	  STORED(legacy_spec, destinations), \
	  .flags = F_AT_MOST,                \
	  .max = 1024,                       \
	  .doc = "What they ask for, any of these; 1 to 1024 entries." },

/* Define the schema of the kind that is called title, with this conf. */
#define LEGACY(symbol, title, right, text)                                              \
	static const struct field symbol##_FIELDS[] = {                                 \
		SOURCES(TRAFFIC_SOURCE_SCHEMA)                                          \
			DESTINATIONS(TRAFFIC_DESTINATION_SCHEMA){ .name = "conf",       \
								  .type = FIELD_OBJECT, \
								  .sub = &(right),      \
								  .flags = F_UNSTORED,  \
								  .doc = text },        \
	};                                                                              \
	const struct schema symbol = { .name = (title),                                 \
				       .size = sizeof(struct legacy_spec),              \
				       FIELDS(symbol##_FIELDS),                         \
				       .finish = finish_legacy,                         \
				       .check = check_legacy }

LEGACY(SCHEMA_TIMEOUT, "Timeout", LEGACY_TIMEOUT_SCHEMA,
       "How long connections and requests may take.");
LEGACY(SCHEMA_RETRY, "Retry", LEGACY_RETRY_SCHEMA, "What is tried again.");
LEGACY(SCHEMA_HEALTH_CHECK, "HealthCheck", LEGACY_HEALTH_SCHEMA,
       "How instances are asked whether they are well.");
LEGACY(SCHEMA_CIRCUIT_BREAKER, "CircuitBreaker", LEGACY_BREAKER_SCHEMA,
       "Limits, and when instances are left out.");
LEGACY(SCHEMA_TRAFFIC_LOG, "TrafficLog", LEGACY_LOG_SCHEMA,
       "Where connections are written down.");

/* ---- TrafficPermission: any tags of both ends ---- */
static void check_end(struct decode *dec, const struct tree *tree, const struct path *at,
		      const void *made)
{
	const struct tag_selector *end = made;

	check_selector(dec, tree, "match", end->match, at, SELECTOR_ANY);
}

static const struct field CLIENT[] = {
	{ .name = "match",
	  .type = FIELD_LABELS,
	  STORED(tag_selector, match),
	  .doc = "Tags of the client; the value * is any.",
	  .example = "{kuma.io/service: web}" },
};
static const struct schema CLIENT_SCHEMA = { .name = "PermittedSource",
					     .size = sizeof(struct tag_selector),
					     FIELDS(CLIENT),
					     .check = check_end };

static const struct field SERVER[] = {
	{ .name = "match",
	  .type = FIELD_LABELS,
	  STORED(tag_selector, match),
	  .doc = "Tags of the inbound; the value * is any.",
	  .example = "{kuma.io/service: backend}" },
};
static const struct schema SERVER_SCHEMA = { .name = "PermittedDestination",
					     .size = sizeof(struct tag_selector),
					     FIELDS(SERVER),
					     .check = check_end };

static const struct field PERMISSION[] = { SOURCES(CLIENT_SCHEMA)
						   DESTINATIONS(SERVER_SCHEMA) };
const struct schema SCHEMA_TRAFFIC_PERMISSION = { .name = "TrafficPermission",
						  .size = sizeof(struct legacy_spec),
						  FIELDS(PERMISSION),
						  .check = check_legacy };
