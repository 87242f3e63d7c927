#include "policy/traffic.h"

#include "policy/index.h"
#include "policy/refs.h"
#include "policy/select.h"

#include <string.h>

/* Selectors of a policy. */
struct selectors {
	const struct tag_selector *items;
	size_t count;
};

static struct selectors sources_of(const struct resource *policy)
{
	if (policy->key.kind == KIND_TRAFFIC_ROUTE)
		return (struct selectors){ policy->traffic_route->sources,
					   policy->traffic_route->source_count };
	return (struct selectors){ policy->legacy->sources,
				   policy->legacy->source_count };
}

static struct selectors destinations_of(const struct resource *policy)
{
	if (policy->key.kind == KIND_TRAFFIC_ROUTE)
		return (struct selectors){ policy->traffic_route->destinations,
					   policy->traffic_route->destination_count };
	return (struct selectors){ policy->legacy->destinations,
				   policy->legacy->destination_count };
}

size_t traffic_destination_count(const struct resource *policy)
{
	return destinations_of(policy).count;
}

const char *traffic_service(const struct resource *policy, size_t destination)
{
	const struct labels match = destinations_of(policy).items[destination].match;
	const char *service = labels_get(match, TAG_SERVICE);

	return service == NULL ? "" : service;
}

static bool is_any(const struct label *tag)
{
	return strcmp(tag->value, "*") == 0;
}

static size_t count_tags(struct labels match)
{
	size_t count = 0;

	for (size_t i = 0; i < match.count; i++)
		count += !is_any(&match.items[i]);
	return count;
}

/* The most tags of a source that proxy has; false: it has those of none. */
static bool best_source(struct selectors sources, const struct resource *proxy,
			const char *zone, size_t *most)
{
	bool found = false;

	*most = 0;
	for (size_t i = 0; i < sources.count; i++) {
		struct labels match = sources.items[i].match;
		size_t tags = count_tags(match);

		if (found && tags <= *most)
			continue;
		if (!select_by_tags(proxy, zone, match, NULL, NULL))
			continue;
		found = true;
		*most = tags;
	}
	return found;
}

/* True if route can send connections of proxy anywhere; *tags is how well it knows it.
 * Without a split, which only a store can hold, it says nothing. */
static bool concerns(const struct resource *route, const struct resource *proxy,
		     const char *zone, size_t *tags)
{
	if (route->key.kind == KIND_TRAFFIC_ROUTE &&
	    route->traffic_route->split_count == 0)
		return false;
	return best_source(sources_of(route), proxy, zone, tags);
}

static bool has_destination(const struct resource *route, const char *service)
{
	for (size_t i = 0; i < traffic_destination_count(route); i++) {
		const char *name = traffic_service(route, i);

		if (strcmp(name, service) == 0 || strcmp(name, "*") == 0)
			return true;
	}
	return false;
}

bool traffic_is_about(const struct resource *route, const struct resource *proxy,
		      const char *zone, const char *service)
{
	size_t tags;

	return has_destination(route, service) && concerns(route, proxy, zone, &tags);
}

/* How well a route fits an outbound. */
struct traffic_fit {
	const struct resource *route; /* NULL: there is none */
	size_t source_tags;
	bool named; /* a destination names the service */
};

static bool is_better(const struct traffic_fit *a, const struct traffic_fit *b)
{
	if (b->route == NULL || a->source_tags != b->source_tags)
		return b->route == NULL || a->source_tags > b->source_tags;
	if (a->named != b->named)
		return a->named;
	int order = strcmp(a->route->key.name, b->route->key.name);
	return order != 0 ? order < 0 : key_compare(&a->route->key, &b->route->key) < 0;
}

static const struct entry *entries_of(const struct resolving *at, enum kind kind,
				      const char *name, size_t *count)
{
	const struct entry_name key = { at->mesh_name, REF_NONE, name };

	return kind == KIND_TRAFFIC_ROUTE
		       ? index_entries(at->index, key, count)
		       : index_legacy(at->index, at->mesh_name, name, count);
}

/* Take the best of the policies of kind with a destination of that name, if it is better.
 */
static void take_better(const struct resolving *at, enum kind kind, const char *name,
			struct traffic_fit *best)
{
	size_t count;
	const struct entry *entries = entries_of(at, kind, name, &count);

	for (size_t i = 0; i < count; i++) {
		struct traffic_fit fit = { .route = entries[i].rank.route,
					   .named = strcmp(name, "*") != 0 };

		if (fit.route->key.kind == kind &&
		    concerns(fit.route, at->proxy, at->zone, &fit.source_tags) &&
		    is_better(&fit, best))
			*best = fit;
	}
}

/* The best of kind for service. */
static struct traffic_fit best_fit(struct resolving *at, enum kind kind,
				   const char *service)
{
	struct traffic_fit **any = &at->any_traffic[kind];

	/* The best for any service is the same for all outbounds. */
	if (*any == NULL) {
		*any = zl_arena_alloc(at->arena, 1, sizeof(**any));
		take_better(at, kind, "*", *any);
	}
	struct traffic_fit best = **any;
	take_better(at, kind, service, &best);
	return best;
}

const struct resource *traffic_about(struct resolving *at, const char *service)
{
	return best_fit(at, KIND_TRAFFIC_ROUTE, service).route;
}

const struct resource *traffic_legacy(struct resolving *at, enum kind kind,
				      const char *service, bool *named)
{
	const struct traffic_fit best = best_fit(at, kind, service);

	*named = best.named;
	return best.route;
}

bool traffic_selects(const struct resource *route, const struct resource *proxy,
		     const char *zone, struct zl_arena *arena, const char **reason)
{
	const struct selectors sources = sources_of(route);
	const char *why = "it has no sources";

	if (kind_is_legacy(route->key.kind) && select_is_shadow(route)) {
		*reason = "it is a shadow policy";
		return false;
	}
	for (size_t i = 0; i < sources.count; i++) {
		struct labels match = sources.items[i].match;
		bool found = select_by_tags(proxy, zone, match, arena, &why);

		why = zl_arena_format(arena, "source %s: %s", labels_text(match, arena),
				      why);
		*reason = why;
		if (found)
			return true;
	}
	*reason = why;
	return false;
}

/* destination without *, and with those of tags that it lacks. */
static struct labels filled_in(struct zl_arena *arena, struct labels destination,
			       struct labels tags)
{
	struct labels all = labels_without(arena, tags, LABEL_MESH);

	for (size_t i = 0; i < destination.count; i++) {
		const struct label *tag = &destination.items[i];

		if (!is_any(tag))
			all = labels_with(arena, all, tag->key, tag->value);
	}
	return all;
}

const struct backend *traffic_backends(struct resolving *at, const struct resource *route,
				       struct labels tags, size_t *count)
{
	const struct traffic_route_spec *spec = route->traffic_route;
	struct backend *backends =
		zl_arena_alloc(at->arena, spec->split_count, sizeof(*backends));

	for (size_t i = 0; i < spec->split_count; i++) {
		struct labels all =
			filled_in(at->arena, spec->split[i].destination, tags);
		struct labels more = labels_without(at->arena, all, TAG_SERVICE);
		const struct target_ref ref = {
			.kind = more.count > 0 ? REF_MESH_SERVICE_SUBSET
					       : REF_MESH_SERVICE,
			.name = labels_get(all, TAG_SERVICE),
			.ns = "",
			.section = "",
			.tags = more,
		};
		backends[i] = target_of_ref(at, route, &ref, spec->split[i].weight);
	}
	resolving_made(at, backends, spec->split_count);
	*count = spec->split_count;
	return backends;
}
