#include "policy/entries.h"

#include "policy/refs.h"
#include "policy/select.h"
#include "policy/traffic.h"

#include "inventory/inventory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

static int compare_names(const struct entry_name *a, const struct entry_name *b)
{
	int order = strcmp(a->mesh, b->mesh);

	if (order == 0)
		order = (int)a->kind - (int)b->kind;
	return order != 0 ? order : strcmp(a->name, b->name);
}

static int compare_lists(const void *one, const void *other)
{
	const struct entry_list *a = one;
	const struct entry_list *b = other;

	return compare_names(&a->name, &b->name);
}

static void hold_list(void *item)
{
	struct entry_list *list = item;

	atomic_fetch_add_explicit(&list->holders, 1, memory_order_relaxed);
}

static void drop_list(void *item)
{
	struct entry_list *list = item;

	if (atomic_fetch_sub(&list->holders, 1) != 1)
		return;
	free(list->items);
	free(list);
}

const struct pmap_ops ENTRY_LISTS = { compare_lists, hold_list, drop_list };

/* ---- collecting ---- */

/* A TrafficRoute, or another that goes by tags. */
static bool is_traffic(const struct resource *policy)
{
	return policy->key.kind == KIND_TRAFFIC_ROUTE || kind_is_legacy(policy->key.kind);
}

static struct entry_name name_of(const struct entry *entry)
{
	const struct resource *route = entry->rank.route;

	if (is_traffic(route))
		return (struct entry_name){ route->key.mesh, REF_NONE,
					    traffic_service(route, entry->to) };
	if (entry->to == OF_INBOUNDS)
		return (struct entry_name){ route->key.mesh, REF_NONE,
					    kind_info(route->key.kind)->name };
	const struct target_ref *target = route_to(route, entry->to);
	return (struct entry_name){ route->key.mesh, target->kind, target->name };
}

static int compare_places(const struct entry *a, const struct entry *b)
{
	const struct entry_name one = name_of(a);
	const struct entry_name other = name_of(b);

	return compare_names(&one, &other);
}

static int compare_entries(const void *one, const void *other)
{
	const struct entry *a = one;
	const struct entry *b = other;
	int order = compare_places(a, b);

	if (order != 0)
		return order;
	if (!is_traffic(a->rank.route) && a->to != OF_INBOUNDS)
		return rank_compare_entries(&a->rank, a->to, &b->rank, b->to);
	order = rank_compare(&a->rank, &b->rank);
	return order != 0 ? order : (a->to > b->to) - (a->to < b->to);
}

/* list with room for one more. */
static void *grow(void *list, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return list;
	*room = *room == 0 ? 16 : 2 * *room;
	return zl_realloc(list, *room, size);
}

static void add(struct entry_changes *to, struct entry entry)
{
	to->added = grow(to->added, to->added_count, &to->added_room, sizeof(entry));
	to->added[to->added_count++] = entry;
}

static void remove_entry(struct entry_changes *to, struct entry entry)
{
	to->removed =
		grow(to->removed, to->removed_count, &to->removed_room, sizeof(entry));
	to->removed[to->removed_count++] = entry;
}

bool route_is_withdrawn(const struct set *set, const char *zone,
			const struct resource *route)
{
	return route->origin == ORIGIN_ZONE && route->key.zone[0] != '\0' &&
	       strcmp(route->key.zone, zone) != 0 &&
	       !zone_is_enabled(set, route->key.zone);
}

static void walk(struct entry_changes *to, const struct resource *route,
		 void (*note)(struct entry_changes *, struct entry))
{
	const struct rank rank = rank_of(route);

	if (route_is_withdrawn(to->after, to->zone, route))
		return;
	for (size_t i = 0; i < route_to_count(route); i++)
		note(to, (struct entry){ rank, i });
	if (kind_attaches(route->key.kind) &&
	    route->attached->from.count + route->attached->rules.count > 0)
		note(to, (struct entry){ rank, OF_INBOUNDS });
}

static void on_route(void *ctx, const struct resource *old, const struct resource *now)
{
	if (old != NULL)
		walk(ctx, old, remove_entry);
	if (now != NULL)
		walk(ctx, now, add);
}

static void walk_traffic(struct entry_changes *to, const struct resource *route,
			 void (*note)(struct entry_changes *, struct entry))
{
	const struct rank rank = rank_of(route);

	/* TrafficRoutes are older than the label. */
	if (kind_is_legacy(route->key.kind) && select_is_shadow(route))
		return;
	for (size_t i = 0; i < traffic_destination_count(route); i++)
		note(to, (struct entry){ rank, i });
}

static void on_traffic(void *ctx, const struct resource *old, const struct resource *now)
{
	if (old != NULL)
		walk_traffic(ctx, old, remove_entry);
	if (now != NULL)
		walk_traffic(ctx, now, add);
}

static void sort(struct entry *entries, size_t count)
{
	if (count > 1)
		qsort(entries, count, sizeof(*entries), compare_entries);
}

static void begin(struct entry_changes *changes, const struct set *after,
		  const char *zone)
{
	*changes = (struct entry_changes){ .after = after, .zone = zone };
	/* Never NULL, to which even 0 may not be added. */
	changes->added = grow(NULL, 0, &changes->added_room, sizeof(*changes->added));
	changes->removed =
		grow(NULL, 0, &changes->removed_room, sizeof(*changes->removed));
}

static void end(struct entry_changes *changes)
{
	sort(changes->added, changes->added_count);
	sort(changes->removed, changes->removed_count);
}

void entries_collect(struct entry_changes *changes, const struct set *before,
		     const struct set *after, const char *zone)
{
	begin(changes, after, zone);
	set_diff(before, after, KIND_MESH_TCP_ROUTE, on_route, changes);
	set_diff(before, after, KIND_MESH_HTTP_ROUTE, on_route, changes);
	set_diff(before, after, KIND_TRAFFIC_ROUTE, on_traffic, changes);
	end(changes);
}

void entries_collect_balancing(struct entry_changes *changes, const struct set *before,
			       const struct set *after, const char *zone)
{
	begin(changes, after, zone);
	set_diff(before, after, KIND_MESH_LOAD_BALANCING_STRATEGY, on_route, changes);
	end(changes);
}

void entries_collect_attached(struct entry_changes *changes, const struct set *before,
			      const struct set *after, const char *zone)
{
	begin(changes, after, zone);
	for (enum kind kind = KIND_NONE; kind < KIND_END; kind++)
		if (kind_attaches(kind))
			set_diff(before, after, kind, on_route, changes);
	end(changes);
}

void entries_collect_legacy(struct entry_changes *changes, const struct set *before,
			    const struct set *after, const char *zone)
{
	begin(changes, after, zone);
	for (enum kind kind = KIND_NONE; kind < KIND_END; kind++)
		if (kind_is_legacy(kind))
			set_diff(before, after, kind, on_traffic, changes);
	end(changes);
}

void entries_end(struct entry_changes *changes)
{
	free(changes->added);
	free(changes->removed);
}

/* ---- applying ---- */

/* Of one name. */
struct run {
	const struct entry *items;
	size_t count;
};

/* The first entries from at on, if they are about what first is. */
static struct run run_of(const struct entry *entries, size_t at, size_t count,
			 const struct entry *first)
{
	struct run run = { entries + at, 0 };

	while (at + run.count < count &&
	       compare_places(&entries[at + run.count], first) == 0)
		run.count++;
	return run;
}

/* Of one route object: a new one with its name is another. What one route says of one
 * name leaves together and is sorted alike, so there is no need to compare that. */
static bool is_same(const struct entry *a, const struct entry *b)
{
	return a->rank.route == b->rank.route;
}

/* All three runs are sorted, so each removed entry is met in its turn. NULL: none is
 * left. */
static struct entry_list *merge(struct run old, struct run removed, struct run added)
{
	struct entry_list *list = zl_alloc(1, sizeof(*list));
	size_t i = 0;
	size_t j = 0;
	size_t gone = 0;

	list->holders = 1;
	list->items = zl_alloc(old.count + added.count + 1, sizeof(*list->items));
	while (i < old.count || j < added.count) {
		if (i < old.count && gone < removed.count &&
		    is_same(&old.items[i], &removed.items[gone])) {
			i++;
			gone++;
		} else if (j == added.count ||
			   (i < old.count &&
			    compare_entries(&old.items[i], &added.items[j]) < 0)) {
			list->items[list->count++] = old.items[i++];
		} else {
			list->items[list->count++] = added.items[j++];
		}
	}
	if (list->count == 0) {
		drop_list(list);
		return NULL;
	}
	list->name = name_of(&list->items[0]);
	return list;
}

/* Make the list about what first is anew. */
static void apply_to(struct pmap **lists, const struct entry *first, struct run removed,
		     struct run added)
{
	const struct entry_list like = { .name = name_of(first) };
	const struct entry_list *old = pmap_find(&ENTRY_LISTS, *lists, &like);
	const struct run before = { old != NULL ? old->items : NULL,
				    old != NULL ? old->count : 0 };
	struct entry_list *list = merge(before, removed, added);

	if (list != NULL)
		pmap_put(&ENTRY_LISTS, lists, list);
	else
		pmap_del(&ENTRY_LISTS, lists, &like);
}

void entries_apply(const struct entry_changes *changes, struct pmap **lists)
{
	size_t i = 0;
	size_t j = 0;

	while (i < changes->removed_count || j < changes->added_count) {
		const struct entry *first = &changes->added[j];

		if (j == changes->added_count ||
		    (i < changes->removed_count &&
		     compare_places(&changes->removed[i], first) < 0))
			first = &changes->removed[i];
		struct run removed =
			run_of(changes->removed, i, changes->removed_count, first);
		struct run added = run_of(changes->added, j, changes->added_count, first);
		apply_to(lists, first, removed, added);
		i += removed.count;
		j += added.count;
	}
}

/* ---- reading ---- */

const struct entry *entries_next(struct entry_lists *from)
{
	size_t taken = ENTRY_LISTS_MAX;

	for (size_t i = 0; i < ENTRY_LISTS_MAX; i++) {
		const struct entry *entry = from->each[i].items;
		const struct entry *best =
			taken == ENTRY_LISTS_MAX ? NULL : from->each[taken].items;

		if (from->each[i].count == 0)
			continue;
		if (best == NULL || rank_compare_entries(&entry->rank, entry->to,
							 &best->rank, best->to) < 0)
			taken = i;
	}
	if (taken == ENTRY_LISTS_MAX)
		return NULL;
	from->each[taken].count--;
	return from->each[taken].items++;
}
