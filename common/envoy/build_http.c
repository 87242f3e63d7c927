#include "envoy/build_settings.h"

#include <string.h>

#define OWN_ROUTE "default"

static Envoy__HttpFilter *router(struct zl_arena *arena)
{
	Envoy__HttpFilter *filter = pb_new(arena, &envoy__http_filter__descriptor);
	const Envoy__Router *options = pb_new(arena, &envoy__router__descriptor);

	filter->name = zl_arena_strdup(arena, ROUTER_FILTER);
	filter->config_type_case = ENVOY__HTTP_FILTER__CONFIG_TYPE_TYPED_CONFIG;
	filter->typed_config = pb_any(arena, &options->base);
	return filter;
}

Envoy__HttpConnectionManager *build_http_manager(struct build *build,
						 const char *stat_name, const char *table,
						 const struct stream *stream)
{
	struct zl_arena *arena = build->arena;
	Envoy__HttpConnectionManager *manager =
		pb_new(arena, &envoy__http_connection_manager__descriptor);

	manager->stat_prefix = build_stat_prefix(build, stat_name);
	manager->normalize_path = pb_bool(arena, true);
	manager->route_specifier_case =
		ENVOY__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;
	manager->rds = pb_new(arena, &envoy__rds__descriptor);
	manager->rds->config_source = pb_ads(arena);
	manager->rds->route_config_name = zl_arena_strdup(arena, table);
	manager->http_filters = pb_list(arena, 1);
	manager->http_filters[manager->n_http_filters++] = router(arena);
	build_settle_manager(build, manager, stream);
	return manager;
}

Envoy__Filter *build_http_filter(struct build *build, const char *listener,
				 const Envoy__HttpConnectionManager *manager)
{
	const char *name = zl_arena_format(build->arena, "%s/http", listener);

	build_extension(build, name, &manager->base);
	return build_filter_by_name(build->arena, name, HTTP_MANAGER_URL);
}

/* ---- what matches ---- */

static Envoy__RegexMatcher *regex(struct zl_arena *arena, const char *text)
{
	Envoy__RegexMatcher *matcher = pb_new(arena, &envoy__regex_matcher__descriptor);

	matcher->regex = zl_arena_strdup(arena, text);
	return matcher;
}

static Envoy__StringMatcher *text_matcher(struct zl_arena *arena, enum http_value type,
					  const char *value)
{
	Envoy__StringMatcher *matcher = pb_new(arena, &envoy__string_matcher__descriptor);

	if (type == HTTP_VALUE_REGEX) {
		matcher->match_pattern_case =
			ENVOY__STRING_MATCHER__MATCH_PATTERN_SAFE_REGEX;
		matcher->safe_regex = regex(arena, value);
	} else if (type == HTTP_VALUE_PREFIX) {
		matcher->match_pattern_case = ENVOY__STRING_MATCHER__MATCH_PATTERN_PREFIX;
		matcher->prefix = zl_arena_strdup(arena, value);
	} else {
		matcher->match_pattern_case = ENVOY__STRING_MATCHER__MATCH_PATTERN_EXACT;
		matcher->exact = zl_arena_strdup(arena, value);
	}
	return matcher;
}

/* Of a header that has any value: an empty prefix, which Envoy refuses, says no more. */
static bool is_presence(const struct http_field *header)
{
	return header->type == HTTP_VALUE_PRESENT || header->type == HTTP_VALUE_ABSENT ||
	       (header->type == HTTP_VALUE_PREFIX && header->value[0] == '\0');
}

Envoy__HeaderMatcher *build_header_matcher(struct zl_arena *arena,
					   const struct http_field *header)
{
	Envoy__HeaderMatcher *matcher = pb_new(arena, &envoy__header_matcher__descriptor);

	matcher->name = zl_arena_strdup(arena, header->name);
	if (is_presence(header)) {
		matcher->header_match_specifier_case =
			ENVOY__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_PRESENT_MATCH;
		matcher->present_match = header->type != HTTP_VALUE_ABSENT;
	} else {
		matcher->header_match_specifier_case =
			ENVOY__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_STRING_MATCH;
		matcher->string_match = text_matcher(arena, header->type, header->value);
	}
	return matcher;
}

static void set_headers(struct zl_arena *arena, Envoy__RouteMatch *to,
			const struct http_match *match)
{
	const struct http_field method = { .name = ":method", .value = match->method };

	to->headers = pb_list(arena, match->header_count + 1);
	if (match->method[0] != '\0')
		to->headers[to->n_headers++] = build_header_matcher(arena, &method);
	for (size_t i = 0; i < match->header_count; i++)
		to->headers[to->n_headers++] =
			build_header_matcher(arena, &match->headers[i]);
}

static void set_params(struct zl_arena *arena, Envoy__RouteMatch *to,
		       const struct http_match *match)
{
	to->query_parameters = pb_list(arena, match->param_count);
	for (size_t i = 0; i < match->param_count; i++) {
		Envoy__QueryParameterMatcher *one =
			pb_new(arena, &envoy__query_parameter_matcher__descriptor);
		one->name = zl_arena_strdup(arena, match->params[i].name);
		one->query_parameter_match_specifier_case =
			ENVOY__QUERY_PARAMETER_MATCHER__QUERY_PARAMETER_MATCH_SPECIFIER_STRING_MATCH;
		one->string_match = text_matcher(arena, match->params[i].type,
						 match->params[i].value);
		to->query_parameters[to->n_query_parameters++] = one;
	}
}

static Envoy__RouteMatch *new_match(struct zl_arena *arena,
				    const struct http_match *match)
{
	Envoy__RouteMatch *made = pb_new(arena, &envoy__route_match__descriptor);

	set_headers(arena, made, match);
	set_params(arena, made, match);
	return made;
}

static void set_path(struct zl_arena *arena, Envoy__RouteMatch *to, const char *path)
{
	to->path_specifier_case = ENVOY__ROUTE_MATCH__PATH_SPECIFIER_PATH;
	to->path = zl_arena_strdup(arena, path);
}

static void set_prefix(Envoy__RouteMatch *to, char *prefix)
{
	to->path_specifier_case = ENVOY__ROUTE_MATCH__PATH_SPECIFIER_PREFIX;
	to->prefix = prefix;
}

/* ---- where it leads ---- */

static void add_route(struct zl_arena *arena, Envoy__VirtualHost *host, const char *name,
		      Envoy__RouteMatch *match, Envoy__RouteAction *action)
{
	Envoy__Route *route = pb_new(arena, &envoy__route__descriptor);

	route->name = zl_arena_strdup(arena, name);
	route->match = match;
	route->action_case = ENVOY__ROUTE__ACTION_ROUTE;
	route->route = action;
	host->routes[host->n_routes++] = route;
}

/* A path prefix ends at a slash: two routes, the path itself and what is below it. */
static void add_matched(struct zl_arena *arena, Envoy__VirtualHost *host,
			const char *name, const struct http_match *match,
			Envoy__RouteAction *action)
{
	Envoy__RouteMatch *first = new_match(arena, match);
	Envoy__RouteMatch *below = NULL;

	if (match->path_type == HTTP_PATH_EXACT) {
		set_path(arena, first, match->path);
	} else if (match->path_type == HTTP_PATH_REGEX) {
		first->path_specifier_case =
			ENVOY__ROUTE_MATCH__PATH_SPECIFIER_SAFE_REGEX;
		first->safe_regex = regex(arena, match->path);
	} else if (match->path_type == HTTP_PATH_NONE || strcmp(match->path, "/") == 0) {
		set_prefix(first, zl_arena_strdup(arena, "/"));
	} else {
		set_path(arena, first, match->path);
		below = new_match(arena, match);
		set_prefix(below, zl_arena_format(arena, "%s/", match->path));
	}
	add_route(arena, host, name, first, action);
	if (below != NULL)
		add_route(arena, host, name, below, action);
}

static Envoy__RouteAction *new_action(struct zl_arena *arena)
{
	Envoy__RouteAction *action = pb_new(arena, &envoy__route_action__descriptor);

	action->timeout = pb_new(arena, &envoy__duration__descriptor); /* 0: none */
	return action;
}

static void set_cluster(Envoy__RouteAction *action, char *cluster)
{
	action->cluster_specifier_case = ENVOY__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER;
	action->cluster = cluster;
}

static void set_split(struct build *build, Envoy__RouteAction *action,
		      const struct part *parts, size_t count)
{
	struct zl_arena *arena = build->arena;
	Envoy__WeightedCluster *split =
		pb_new(arena, &envoy__weighted_cluster__descriptor);

	split->clusters = pb_list(arena, count);
	for (size_t i = 0; i < count; i++) {
		Envoy__WeightedCluster__ClusterWeight *share = pb_new(
			arena, &envoy__weighted_cluster__cluster_weight__descriptor);
		share->name = build_part_cluster(build, &parts[i]);
		share->weight = pb_u32(arena, parts[i].weight < UINT32_MAX
						      ? (uint32_t)parts[i].weight
						      : UINT32_MAX);
		split->clusters[split->n_clusters++] = share;
	}
	action->cluster_specifier_case =
		ENVOY__ROUTE_ACTION__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS;
	action->weighted_clusters = split;
}

/* Outside the mesh a server goes by its own name. */
static bool is_outside(const struct part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (parts[i].backend != NULL &&
		    (parts[i].backend->outside != NULL || parts[i].backend->relayed))
			return true;
	return false;
}

static Envoy__RouteAction *action_to(struct build *build,
				     const struct outbound_route *outbound,
				     const struct settings *settings,
				     const struct backend *backends, size_t backend_count)
{
	Envoy__RouteAction *action = new_action(build->arena);
	size_t count;
	const struct part *parts = split_of(outbound->unresolved, backends, backend_count,
					    build->arena, &count);

	for (size_t i = 0; i < count; i++)
		build_use(build, &parts[i], USE_HTTP);
	if (count == 1)
		set_cluster(action, build_part_cluster(build, &parts[0]));
	else
		set_split(build, action, parts, count);
	if (is_outside(parts, count)) {
		action->host_rewrite_specifier_case =
			ENVOY__ROUTE_ACTION__HOST_REWRITE_SPECIFIER_AUTO_HOST_REWRITE;
		action->auto_host_rewrite = pb_bool(build->arena, true);
	}
	build_settle_route(build, action, settings, outbound->destination.protocol);
	return action;
}

/* ---- route tables ---- */

/* The table's one virtual host, which is added with it, by add_table. */
static Envoy__VirtualHost *new_host(struct zl_arena *arena, const char *called,
				    size_t routes)
{
	Envoy__VirtualHost *host = pb_new(arena, &envoy__virtual_host__descriptor);

	host->name = zl_arena_strdup(arena, called);
	host->domains = pb_list(arena, 1);
	host->domains[host->n_domains++] = zl_arena_strdup(arena, "*");
	host->routes = pb_list(arena, routes);
	return host;
}

static void add_table(struct build *build, const char *name, Envoy__VirtualHost *host)
{
	struct zl_arena *arena = build->arena;
	Envoy__RouteConfiguration *table =
		pb_new(arena, &envoy__route_configuration__descriptor);

	table->name = zl_arena_strdup(arena, name);
	table->virtual_hosts = pb_list(arena, 1);
	table->virtual_hosts[table->n_virtual_hosts++] = host;
	table->validate_clusters = pb_bool(arena, false);
	build_add(build, ENVOY_ROUTES, name, &table->base);
}

static const struct http_match ANY = { .path = "", .method = "" };

void build_http_routes(struct build *build, const char *name, const char *called,
		       const struct outbound_route *outbound)
{
	struct zl_arena *arena = build->arena;
	Envoy__VirtualHost *host = new_host(arena, called, 2 * outbound->rule_count + 1);

	for (size_t i = 0; i < outbound->rule_count; i++) {
		const struct request_route *rule = &outbound->rules[i];
		const char *route = OWN_ROUTE;
		if (rule->from != NULL)
			route = zl_arena_format(arena, "%s_%zu",
						rule->from->policy->key.name,
						rule->from->to);
		add_matched(arena, host, route, rule->match != NULL ? rule->match : &ANY,
			    action_to(build, outbound, rule->settings, rule->backends,
				      rule->backend_count));
	}
	if (outbound->rule_count == 0) /* nobody's rules */
		add_matched(arena, host, OWN_ROUTE, &ANY,
			    action_to(build, outbound, outbound->settings,
				      outbound->backends, outbound->backend_count));
	add_table(build, name, host);
}

void build_http_passage(struct build *build, const char *name, const char *called,
			const struct stream *stream, const char *cluster)
{
	struct zl_arena *arena = build->arena;
	Envoy__VirtualHost *host = new_host(arena, called, 1);
	Envoy__RouteAction *action = new_action(arena);

	set_cluster(action, zl_arena_strdup(arena, cluster));
	build_settle_route(build, action, stream->settings, "");
	add_matched(arena, host, OWN_ROUTE, &ANY, action);
	add_table(build, name, host);
}
