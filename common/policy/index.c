#include "policy/index.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct policy_index {
	_Atomic unsigned holders;
	struct policy_index *self; /* for holders of a const one */
	struct set *set;           /* held */
	char *zone;                /* owned */
	struct pmap *lists;        /* held; entry_list */
	struct pmap *balancing;    /* the same of MeshLoadBalancingStrategies */
	struct pmap *attached;     /* of policies that attach to routes */
	struct pmap *legacy;       /* of their legacy forms */
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

/* ---- making ---- */

/* What index says, changed to what is in set. */
static struct policy_index *follow(const struct policy_index *from, const struct set *set)
{
	struct policy_index *index = zl_alloc(1, sizeof(*index));
	struct entry_changes changes;

	index->holders = 1;
	index->self = index;
	index->set = set_hold(set);
	index->zone = zl_strdup(from->zone);
	index->lists = pmap_hold(from->lists);
	index->balancing = pmap_hold(from->balancing);
	index->attached = pmap_hold(from->attached);
	index->legacy = pmap_hold(from->legacy);
	const struct {
		void (*collect)(struct entry_changes *changes, const struct set *before,
				const struct set *after, const char *zone);
		struct pmap **lists;
	} parts[] = { { entries_collect, &index->lists },
		      { entries_collect_balancing, &index->balancing },
		      { entries_collect_attached, &index->attached },
		      { entries_collect_legacy, &index->legacy } };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		parts[i].collect(&changes, from->set, set, index->zone);
		entries_apply(&changes, parts[i].lists);
		entries_end(&changes);
	}
	return index;
}

struct policy_index *policy_index_new(const struct set *set, const char *zone)
{
	char *name = zl_strdup(zone);
	struct policy_index nothing = { .set = set_empty(), .zone = name };
	struct policy_index *index = follow(&nothing, set);

	set_drop(&nothing.set);
	free(name);
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
	return follow(before, set);
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
	pmap_drop(&ENTRY_LISTS, &index->balancing);
	pmap_drop(&ENTRY_LISTS, &index->attached);
	pmap_drop(&ENTRY_LISTS, &index->legacy);
	set_drop(&index->set);
	free(index->zone);
	free(index);
}

/* A policy whose entries the index has. */
static bool is_indexed(enum kind kind)
{
	return kind == KIND_MESH_TCP_ROUTE || kind == KIND_MESH_HTTP_ROUTE ||
	       kind == KIND_TRAFFIC_ROUTE || kind == KIND_MESH_LOAD_BALANCING_STRATEGY ||
	       kind_attaches(kind) || kind_is_legacy(kind);
}

bool policy_index_fits(const struct policy_index *index, const struct set *set)
{
	/* Secrets: whether there is one is told of the set that the index holds. */
	static const enum kind READ[] = { KIND_MESH, KIND_ZONE, KIND_MESH_GATEWAY,
					  KIND_SECRET };

	for (size_t i = 0; i < sizeof(READ) / sizeof(READ[0]); i++)
		if (!set_same_kind(index->set, set, READ[i]))
			return false;
	for (enum kind kind = KIND_NONE; kind < KIND_END; kind++)
		if (is_indexed(kind) && !set_same_kind(index->set, set, kind))
			return false;
	return true;
}

/* ---- asking ---- */

const struct set *index_set(const struct policy_index *index)
{
	return index->set;
}

static const struct entry *find(const struct pmap *lists, struct entry_name name,
				size_t *count)
{
	const struct entry_list like = { .name = name };
	const struct entry_list *list = pmap_find(&ENTRY_LISTS, lists, &like);

	*count = list == NULL ? 0 : list->count;
	return list == NULL ? NULL : list->items;
}

const struct entry *index_entries(const struct policy_index *index,
				  struct entry_name name, size_t *count)
{
	return find(index->lists, name, count);
}

bool index_balances(const struct policy_index *index)
{
	return index->balancing != NULL;
}

const struct entry *index_balancing(const struct policy_index *index,
				    struct entry_name name, size_t *count)
{
	return find(index->balancing, name, count);
}

bool index_attaches(const struct policy_index *index)
{
	return index->attached != NULL || index->legacy != NULL;
}

const struct entry *index_attached(const struct policy_index *index,
				   struct entry_name name, size_t *count)
{
	return find(index->attached, name, count);
}

const struct entry *index_inbound(const struct policy_index *index, const char *mesh,
				  enum kind kind, size_t *count)
{
	const struct entry_name name = { mesh, REF_NONE, kind_info(kind)->name };

	return find(index->attached, name, count);
}

const struct entry *index_legacy(const struct policy_index *index, const char *mesh,
				 const char *service, size_t *count)
{
	return find(index->legacy, (struct entry_name){ mesh, REF_NONE, service }, count);
}

static int by_precedence(const void *one, const void *other)
{
	const struct indexed_route *a = one;
	const struct indexed_route *b = other;

	return rank_compare(&a->rank, &b->rank);
}

/* Add the routes of one kind behind the first count of sorted, unless that is NULL.
 * Returns how many there are then. */
static size_t add_routes(const struct policy_index *index, const char *mesh,
			 enum kind kind, struct indexed_route *sorted, size_t count)
{
	struct set_iter each = set_each(index->set, kind, mesh);
	const struct resource *route;

	for (; (route = set_next(&each)) != NULL; count++)
		if (sorted != NULL)
			sorted[count] = (struct indexed_route){
				rank_of(route),
				route_is_withdrawn(index->set, index->zone, route),
			};
	return count;
}

const struct indexed_route *index_sorted(const struct policy_index *index,
					 const char *mesh, struct zl_arena *arena,
					 size_t *count)
{
	size_t room = 0;

	for (enum kind kind = KIND_NONE; kind < KIND_END; kind++)
		if (is_indexed(kind))
			room = add_routes(index, mesh, kind, NULL, room);
	struct indexed_route *sorted = zl_arena_alloc(arena, room, sizeof(*sorted));
	*count = 0;
	for (enum kind kind = KIND_NONE; kind < KIND_END; kind++)
		if (is_indexed(kind))
			*count = add_routes(index, mesh, kind, sorted, *count);
	qsort(sorted, room, sizeof(*sorted), by_precedence);
	return sorted;
}
