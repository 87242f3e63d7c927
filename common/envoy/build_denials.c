#include "envoy/build_log.h"

#define CEL_FILTER "envoy.access_loggers.extension_filters.cel"
#define RBAC_FILTER "envoy.filters.network.rbac"
#define SHADOW_RESULT "shadow_engine_result"

/* By RBAC, or in the handshake. */
#define DENIED                                                                \
	"connection.termination_details.startsWith('rbac_access_denied') || " \
	"connection.transport_failure_reason != ''"

static Envoy__AccessLogFilter *where_cel(struct zl_arena *arena, const char *expression)
{
	Envoy__AccessLogFilter *filter =
		pb_new(arena, &envoy__access_log_filter__descriptor);
	Envoy__ExpressionFilter *cel =
		pb_new(arena, &envoy__expression_filter__descriptor);

	cel->expression = zl_arena_strdup(arena, expression);
	filter->filter_specifier_case =
		ENVOY__ACCESS_LOG_FILTER__FILTER_SPECIFIER_EXTENSION_FILTER;
	filter->extension_filter = pb_new(arena, &envoy__extension_filter__descriptor);
	filter->extension_filter->name = zl_arena_strdup(arena, CEL_FILTER);
	filter->extension_filter->config_type_case =
		ENVOY__EXTENSION_FILTER__CONFIG_TYPE_TYPED_CONFIG;
	filter->extension_filter->typed_config = pb_any(arena, &cel->base);
	return filter;
}

/* Where the RBAC filter would have denied. */
static Envoy__MetadataMatcher *shadow_denied(struct zl_arena *arena)
{
	Envoy__MetadataMatcher *matcher =
		pb_new(arena, &envoy__metadata_matcher__descriptor);
	Envoy__MetadataMatcher__PathSegment *segment =
		pb_new(arena, &envoy__metadata_matcher__path_segment__descriptor);
	Envoy__StringMatcher *text = pb_new(arena, &envoy__string_matcher__descriptor);

	segment->segment_case = ENVOY__METADATA_MATCHER__PATH_SEGMENT__SEGMENT_KEY;
	segment->key = zl_arena_strdup(arena, SHADOW_RESULT);
	text->match_pattern_case = ENVOY__STRING_MATCHER__MATCH_PATTERN_EXACT;
	text->exact = zl_arena_strdup(arena, "denied");
	matcher->filter = zl_arena_strdup(arena, RBAC_FILTER);
	matcher->path = pb_list(arena, 1);
	matcher->path[matcher->n_path++] = segment;
	matcher->value = pb_new(arena, &envoy__value_matcher__descriptor);
	matcher->value->match_pattern_case =
		ENVOY__VALUE_MATCHER__MATCH_PATTERN_STRING_MATCH;
	matcher->value->string_match = text;
	return matcher;
}

static Envoy__AccessLogFilter *where_shadow(struct zl_arena *arena)
{
	Envoy__AccessLogFilter *filter =
		pb_new(arena, &envoy__access_log_filter__descriptor);

	filter->filter_specifier_case =
		ENVOY__ACCESS_LOG_FILTER__FILTER_SPECIFIER_METADATA_FILTER;
	filter->metadata_filter = pb_new(arena, &envoy__metadata_filter__descriptor);
	filter->metadata_filter->matcher = shadow_denied(arena);
	filter->metadata_filter->match_if_key_not_found = pb_bool(arena, false);
	return filter;
}

static Envoy__AccessLog *log_of_denials(struct zl_arena *arena, const char *inbound)
{
	static const char *const FIELDS[][2] = {
		{ "client", "%DOWNSTREAM_PEER_URI_SAN%" },
		{ "termination", "%CONNECTION_TERMINATION_DETAILS%" },
		{ "failure", "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%" },
		{ "shadow", "%DYNAMIC_METADATA(" RBAC_FILTER ":" SHADOW_RESULT ")%" },
	};
	enum { COUNT = sizeof(FIELDS) / sizeof(FIELDS[0]) };
	Envoy__OpenTelemetryAccessLogConfig *config =
		log_to_zone(arena, ENVOY_LOG_DENIAL);
	Envoy__KeyValueList *body = log_list_new(arena, COUNT + 1);
	Envoy__OrFilter *either = pb_new(arena, &envoy__or_filter__descriptor);
	Envoy__AccessLog *log;

	for (size_t i = 0; i < COUNT; i++)
		log_pair(arena, body, FIELDS[i][0], log_text(arena, FIELDS[i][1]));
	log_pair(arena, body, "inbound", log_text(arena, inbound));
	config->body = log_list(arena, body);
	config->attributes = log_list_new(arena, 1);
	log_pair(arena, config->attributes, ENVOY_LOG_DENIAL, log_text(arena, inbound));
	either->filters = pb_list(arena, 2);
	either->filters[either->n_filters++] = where_cel(arena, DENIED);
	either->filters[either->n_filters++] = where_shadow(arena);
	log = log_otlp(arena, config);
	log->filter = pb_new(arena, &envoy__access_log_filter__descriptor);
	log->filter->filter_specifier_case =
		ENVOY__ACCESS_LOG_FILTER__FILTER_SPECIFIER_OR_FILTER;
	log->filter->or_filter = either;
	return log;
}

/* In the listener, since of a connection that was closed before a request came the HTTP
 * connection manager tells nothing. It is the same whatever policies say. */
void build_tell_denials(struct build *build, Envoy__Listener *listener)
{
	listener->access_log = pb_list(build->arena, 1);
	listener->access_log[listener->n_access_log++] =
		log_of_denials(build->arena, listener->name);
}
