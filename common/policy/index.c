#include "policy/index.h"

#include "policy/refs.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct policy_index {
	_Atomic unsigned holders;
	struct policy_index *self; /* for holders of a const one */
	struct set *set;           /* held */
	char *zone;                /* owned */
	struct pmap *lists;        /* held; entry_list */
	struct pmap *warnings;     /* held; struct warnings */
};

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

/* ---- routes of several kinds ---- */

/* Those with entries come first. */
static const enum kind ROUTES[] = { KIND_MESH_TCP_ROUTE, KIND_MESH_HTTP_ROUTE,
				    KIND_TRAFFIC_ROUTE };
enum { WITH_ENTRIES = 2, ALL_ROUTES = 3 };

struct route_iter {
	const struct set *set;
	const char *mesh;
	size_t at, kinds;
	struct set_iter each;
};

/* Of the first kinds of them. */
static struct route_iter routes_each(const struct set *set, const char *mesh,
				     size_t kinds)
{
	return (struct route_iter){ set, mesh, 0, kinds, set_each(set, ROUTES[0], mesh) };
}

static const struct resource *routes_next(struct route_iter *iter)
{
	const struct resource *next = set_next(&iter->each);

	while (next == NULL && ++iter->at < iter->kinds) {
		iter->each = set_each(iter->set, ROUTES[iter->at], iter->mesh);
		next = set_next(&iter->each);
	}
	return next;
}

/* ---- warnings ---- */

/* Of one mesh. */
struct warnings {
	_Atomic unsigned holders;
	struct zl_arena *arena; /* owned; all below lives in it */
	const char *mesh;
	const char **texts;
	size_t count;
};

static int compare_warnings(const void *one, const void *other)
{
	const struct warnings *a = one;
	const struct warnings *b = other;

	return strcmp(a->mesh, b->mesh);
}

static void hold_warnings(void *item)
{
	struct warnings *warnings = item;

	atomic_fetch_add_explicit(&warnings->holders, 1, memory_order_relaxed);
}

static void drop_warnings(void *item)
{
	struct warnings *warnings = item;

	if (atomic_fetch_sub(&warnings->holders, 1) != 1)
		return;
	zl_arena_free(&warnings->arena);
	free(warnings);
}

static const struct pmap_ops WARNINGS = { compare_warnings, hold_warnings,
					  drop_warnings };

static void warn_of_route(struct warnings *to, const struct resource *route)
{
	for (size_t i = 0; i < route_to_count(route); i++)
		if (!ref_is_by_name(route_to(route, i)) &&
		    route_to(route, i)->kind != REF_MESH)
			to->texts[to->count++] = zl_arena_format(
				to->arena, "%s \"%s\": spec.to[%zu] has no effect: %s",
				kind_info(route->key.kind)->name, route->key.name, i,
				ref_missing(route_to(route, i), to->mesh, to->arena));
}

/* The only thing that is made anew for a whole mesh, and only by a change of a route that
 * has such entries, before or after. */
static void set_warnings(struct policy_index *index, const char *mesh)
{
	struct warnings *to = zl_alloc(1, sizeof(*to));
	struct route_iter each = routes_each(index->set, mesh, WITH_ENTRIES);
	const struct resource *route;
	size_t room = 0;

	to->holders = 1;
	to->arena = zl_arena_new();
	to->mesh = zl_arena_strdup(to->arena, mesh);
	while ((route = routes_next(&each)) != NULL)
		room += route_to_count(route);
	to->texts = zl_arena_alloc(to->arena, room, sizeof(*to->texts));
	each = routes_each(index->set, mesh, WITH_ENTRIES);
	while ((route = routes_next(&each)) != NULL)
		if (!route_is_withdrawn(index->set, index->zone, route))
			warn_of_route(to, route);
	to->count = texts_sort(to->texts, to->count);
	if (to->count > 0) {
		pmap_put(&WARNINGS, &index->warnings, to);
		return;
	}
	pmap_del(&WARNINGS, &index->warnings, to);
	drop_warnings(to);
}

/* ---- making ---- */

/* What index says of before, changed to what is in set. */
static struct policy_index *follow(const struct set *before, struct pmap *lists,
				   struct pmap *warnings, const struct set *set,
				   const char *zone)
{
	struct policy_index *index = zl_alloc(1, sizeof(*index));
	struct entry_changes changes;

	index->holders = 1;
	index->self = index;
	index->set = set_hold(set);
	index->zone = zl_strdup(zone);
	index->lists = pmap_hold(lists);
	index->warnings = pmap_hold(warnings);

	entries_collect(&changes, before, set, index->zone);
	entries_apply(&changes, &index->lists);
	for (size_t i = 0; i < changes.idle_count; i++)
		set_warnings(index, changes.idle[i]);
	entries_end(&changes);
	return index;
}

struct policy_index *policy_index_new(const struct set *set, const char *zone)
{
	struct set *empty = set_empty();
	struct policy_index *index = follow(empty, NULL, NULL, set, zone);

	set_drop(&empty);
	return index;
}

struct policy_index *policy_index_update(const struct policy_index *before,
					 const struct set *set)
{
	if (policy_index_fits(before, set))
		return policy_index_hold(before);
	/* A zone that is enabled or disabled brings or takes any of the routes. */
	if (!set_same_kind(before->set, set, KIND_ZONE))
		return policy_index_new(set, before->zone);
	return follow(before->set, before->lists, before->warnings, set, before->zone);
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
	pmap_drop(&ENTRY_LISTS, &index->lists);
	pmap_drop(&WARNINGS, &index->warnings);
	set_drop(&index->set);
	free(index->zone);
	free(index);
}

bool policy_index_fits(const struct policy_index *index, const struct set *set)
{
	static const enum kind READ[] = { KIND_MESH,           KIND_ZONE,
					  KIND_MESH_TCP_ROUTE, KIND_MESH_HTTP_ROUTE,
					  KIND_TRAFFIC_ROUTE,  KIND_MESH_GATEWAY };

	for (size_t i = 0; i < sizeof(READ) / sizeof(READ[0]); i++)
		if (!set_same_kind(index->set, set, READ[i]))
			return false;
	return true;
}

/* ---- asking ---- */

const struct set *index_set(const struct policy_index *index)
{
	return index->set;
}

const struct entry *index_entries(const struct policy_index *index,
				  struct entry_name name, size_t *count)
{
	const struct entry_list like = { .name = name };
	const struct entry_list *list = pmap_find(&ENTRY_LISTS, index->lists, &like);

	*count = list == NULL ? 0 : list->count;
	return list == NULL ? NULL : list->items;
}

static int by_precedence(const void *one, const void *other)
{
	const struct indexed_route *a = one;
	const struct indexed_route *b = other;

	return rank_compare(&a->rank, &b->rank);
}

const struct indexed_route *index_sorted(const struct policy_index *index,
					 const char *mesh, struct zl_arena *arena,
					 size_t *count)
{
	struct route_iter each = routes_each(index->set, mesh, ALL_ROUTES);
	const struct resource *route;
	size_t room = 0;

	while (routes_next(&each) != NULL)
		room++;
	struct indexed_route *sorted = zl_arena_alloc(arena, room, sizeof(*sorted));
	*count = 0;
	each = routes_each(index->set, mesh, ALL_ROUTES);
	while ((route = routes_next(&each)) != NULL)
		sorted[(*count)++] = (struct indexed_route){
			rank_of(route),
			route_is_withdrawn(index->set, index->zone, route),
		};
	qsort(sorted, room, sizeof(*sorted), by_precedence);
	return sorted;
}

const char *const *policy_index_warnings(const struct policy_index *index,
					 const char *mesh, size_t *count)
{
	const struct warnings like = { .mesh = mesh };
	const struct warnings *found = pmap_find(&WARNINGS, index->warnings, &like);

	*count = found == NULL ? 0 : found->count;
	return found == NULL ? NULL : found->texts;
}
