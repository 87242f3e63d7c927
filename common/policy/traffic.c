#include "policy/traffic.h"

#include "policy/index.h"
#include "policy/refs.h"
#include "policy/select.h"

#include <string.h>

const char *traffic_service(const struct resource *route, size_t destination)
{
	const struct labels match = route->traffic_route->destinations[destination].match;
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

/* How well a route fits an outbound. */
struct fit {
	const struct resource *route; /* NULL: there is none yet */
	size_t source_tags, destination_tags;
};

/* The most tags of a source that proxy has, or of a destination that service is; false:
 * none matches. */
static bool best_source(const struct traffic_route_spec *spec,
			const struct resource *proxy, const char *zone, size_t *most)
{
	bool found = false;

	*most = 0;
	for (size_t i = 0; i < spec->source_count; i++) {
		struct labels match = spec->sources[i].match;
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

static bool best_destination(const struct traffic_route_spec *spec, const char *service,
			     size_t *most)
{
	const struct label tag = { TAG_SERVICE, service };
	const struct labels have = { &tag, 1 };
	bool found = false;

	*most = 0;
	for (size_t i = 0; i < spec->destination_count; i++) {
		struct labels match = spec->destinations[i].match;

		if (!labels_match(match, have, true))
			continue;
		found = true;
		if (count_tags(match) > *most)
			*most = count_tags(match);
	}
	return found;
}

/* What fits least is asked first: it tells most routes apart. */
static bool fits(struct fit *fit, const struct resource *proxy, const char *zone,
		 const char *service)
{
	const struct traffic_route_spec *spec = fit->route->traffic_route;

	/* Without a split, which only a store can hold, it says nothing. */
	return spec->split_count > 0 &&
	       best_destination(spec, service, &fit->destination_tags) &&
	       best_source(spec, proxy, zone, &fit->source_tags);
}

bool traffic_is_about(const struct resource *route, const struct resource *proxy,
		      const char *zone, const char *service)
{
	struct fit fit = { .route = route };

	return fits(&fit, proxy, zone, service);
}

static bool is_better(const struct fit *a, const struct fit *b)
{
	if (a->source_tags != b->source_tags)
		return a->source_tags > b->source_tags;
	if (a->destination_tags != b->destination_tags)
		return a->destination_tags > b->destination_tags;
	int order = strcmp(a->route->key.name, b->route->key.name);
	return order != 0 ? order < 0 : key_compare(&a->route->key, &b->route->key) < 0;
}

/* Take the best of the routes with a destination of that name, if it is better. */
static void take_better(const struct resolving *at, const char *name, const char *service,
			struct fit *best)
{
	size_t count;
	const struct entry *entries = index_entries(
		at->index, (struct entry_name){ at->mesh_name, REF_NONE, name }, &count);

	for (size_t i = 0; i < count; i++) {
		struct fit fit = { .route = entries[i].rank.route };

		if (fits(&fit, at->proxy, at->zone, service) &&
		    (best->route == NULL || is_better(&fit, best)))
			*best = fit;
	}
}

const struct resource *traffic_about(const struct resolving *at, const char *service)
{
	struct fit best = { 0 };

	take_better(at, service, service, &best);
	take_better(at, "*", service, &best);
	return best.route;
}

bool traffic_selects(const struct resource *route, const struct resource *proxy,
		     const char *zone, struct zl_arena *arena, const char **reason)
{
	const struct traffic_route_spec *spec = route->traffic_route;
	const char *why = "it has no sources";

	for (size_t i = 0; i < spec->source_count; i++) {
		struct labels match = spec->sources[i].match;
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
	*count = spec->split_count;
	return backends;
}
