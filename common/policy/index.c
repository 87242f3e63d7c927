#include "policy/index.h"

#include "policy/refs.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct policy_index {
	_Atomic unsigned holders;
	struct policy_index *self; /* for holders of a const one */
	struct set *set;           /* held */
	struct zl_arena *arena;    /* owned; all below lives in it */
	const char *zone;
	struct mesh_routes *meshes; /* sorted by name */
	size_t mesh_count;
};

static int by_precedence(const void *one, const void *other)
{
	const struct indexed_route *a = one;
	const struct indexed_route *b = other;

	return rank_compare(&a->rank, &b->rank);
}

static int by_service(const void *one, const void *other)
{
	const struct entry *a = one;
	const struct entry *b = other;
	int order = strcmp(a->service, b->service);

	return order != 0 ? order : rank_compare_entries(a->rank, a->to, b->rank, b->to);
}

static int by_text(const void *one, const void *other)
{
	const char *const *a = one;
	const char *const *b = other;

	return strcmp(*a, *b);
}

size_t texts_sort(const char **texts, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(texts, count, sizeof(*texts), by_text);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || strcmp(texts[kept - 1], texts[i]) != 0)
			texts[kept++] = texts[i];
	return kept;
}

static const char *no_effect(const struct mesh_routes *mesh, const struct rank *rank,
			     size_t to, struct zl_arena *arena)
{
	const struct target_ref *target = &rank->route->tcp_route->to[to].target;

	return zl_arena_format(
		arena, "MeshTCPRoute \"%s\": spec.to[%zu] has no effect: %s",
		rank->route->key.name, to, ref_missing(target, mesh->mesh, arena));
}

/* Part the entries of the routes in those about a service and those about nothing. */
static void index_to(struct mesh_routes *mesh, struct zl_arena *arena)
{
	size_t room = 0;

	for (size_t i = 0; i < mesh->route_count; i++)
		room += mesh->routes[i].rank.route->tcp_route->to_count;
	struct entry *entries = zl_arena_alloc(arena, room, sizeof(*entries));
	const char **warnings = zl_arena_alloc(arena, room, sizeof(*warnings));

	for (size_t i = 0; i < mesh->route_count; i++) {
		const struct rank *rank = &mesh->routes[i].rank;
		const struct tcp_route_spec *spec = rank->route->tcp_route;

		for (size_t j = 0; !mesh->routes[i].withdrawn && j < spec->to_count;
		     j++) {
			const struct target_ref *target = &spec->to[j].target;

			if (ref_is_by_name(target))
				entries[mesh->entry_count++] =
					(struct entry){ target->name, rank, j };
			else
				warnings[mesh->warning_count++] =
					no_effect(mesh, rank, j, arena);
		}
	}
	if (mesh->entry_count > 1)
		qsort(entries, mesh->entry_count, sizeof(*entries), by_service);
	mesh->entries = entries;
	mesh->warning_count = texts_sort(warnings, mesh->warning_count);
	mesh->warnings = warnings;
}

/* What another zone wrote goes with that zone. */
static bool is_withdrawn(const struct policy_index *index, const struct resource *route)
{
	return route->origin == ORIGIN_ZONE && route->key.zone[0] != '\0' &&
	       strcmp(route->key.zone, index->zone) != 0 &&
	       !zone_is_enabled(index->set, route->key.zone);
}

/* Routes come sorted by mesh. */
static struct mesh_routes *mesh_of(struct policy_index *index, const char *name,
				   struct indexed_route *next)
{
	struct mesh_routes *mesh = &index->meshes[index->mesh_count];

	if (index->mesh_count > 0 && strcmp(mesh[-1].mesh, name) == 0)
		return &mesh[-1];
	index->mesh_count++;
	mesh->mesh = name;
	mesh->routes = next;
	return mesh;
}

static void index_routes(struct policy_index *index)
{
	size_t count = set_count(index->set, KIND_MESH_TCP_ROUTE);
	struct indexed_route *next = zl_arena_alloc(index->arena, count, sizeof(*next));
	struct set_iter each = set_each(index->set, KIND_MESH_TCP_ROUTE, NULL);
	const struct resource *route;

	index->meshes = zl_arena_alloc(index->arena, count, sizeof(*index->meshes));
	while ((route = set_next(&each)) != NULL) {
		mesh_of(index, route->key.mesh, next)->route_count++;
		*next++ = (struct indexed_route){ rank_of(route),
						  is_withdrawn(index, route) };
	}
	for (size_t i = 0; i < index->mesh_count; i++)
		index_to(&index->meshes[i], index->arena);
}

struct policy_index *policy_index_new(const struct set *set, const char *zone)
{
	struct policy_index *index = zl_alloc(1, sizeof(*index));

	index->holders = 1;
	index->self = index;
	index->set = set_hold(set);
	index->arena = zl_arena_new();
	index->zone = zl_arena_strdup(index->arena, zone);
	index_routes(index);
	return index;
}

struct policy_index *policy_index_hold(const struct policy_index *index)
{
	atomic_fetch_add_explicit(&index->self->holders, 1, memory_order_relaxed);
	return index->self;
}

void policy_index_drop(struct policy_index **indexp)
{
	struct policy_index *index = *indexp;

	*indexp = NULL;
	if (index == NULL || atomic_fetch_sub(&index->holders, 1) != 1)
		return;
	set_drop(&index->set);
	zl_arena_free(&index->arena);
	free(index);
}

bool policy_index_fits(const struct policy_index *index, const struct set *set)
{
	static const enum kind READ[] = { KIND_MESH, KIND_ZONE, KIND_MESH_TCP_ROUTE };

	for (size_t i = 0; i < sizeof(READ) / sizeof(READ[0]); i++)
		if (!set_same_kind(index->set, set, READ[i]))
			return false;
	return true;
}

const struct mesh_routes *index_mesh(const struct policy_index *index, const char *mesh)
{
	size_t low = 0;
	size_t high = index->mesh_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(mesh, index->meshes[middle].mesh);

		if (order == 0)
			return &index->meshes[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct set *index_set(const struct policy_index *index)
{
	return index->set;
}

const struct indexed_route *index_sorted(const struct mesh_routes *routes,
					 struct zl_arena *arena)
{
	size_t size = sizeof(*routes->routes);
	struct indexed_route *sorted =
		zl_arena_memdup(arena, routes->routes, routes->route_count * size);

	qsort(sorted, routes->route_count, size, by_precedence);
	return sorted;
}

/* The first entry whose service is not less than (after: is greater than) service. */
static size_t bound(const struct mesh_routes *routes, const char *service, bool after)
{
	size_t low = 0;
	size_t high = routes->entry_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(routes->entries[middle].service, service);

		if (order < 0 || (order == 0 && after))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct entry *index_entries(const struct mesh_routes *routes, const char *service,
				  size_t *count)
{
	*count = 0;
	if (routes == NULL)
		return NULL;

	size_t from = bound(routes, service, false);
	*count = bound(routes, service, true) - from;
	return routes->entries + from;
}

const char *const *policy_index_warnings(const struct policy_index *index,
					 const char *mesh, size_t *count)
{
	const struct mesh_routes *routes = index_mesh(index, mesh);

	*count = routes == NULL ? 0 : routes->warning_count;
	return routes == NULL ? NULL : routes->warnings;
}
