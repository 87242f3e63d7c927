#include "policy/permit.h"

#include <stdlib.h>
#include <string.h>

void permit_say(struct zl_arena *arena, struct permit_sayings *to, struct client_set who,
		enum permission_action action, const struct resource *legacy)
{
	to->items =
		zl_arena_more(arena, to->items, to->count, &to->room, sizeof(*to->items));
	to->items[to->count++] = (struct permit_saying){ who, action, legacy };
}

struct client_set permit_clients(const struct resolving *at, struct labels tags)
{
	struct expected_name *names =
		zl_arena_alloc(at->arena, tags.count, sizeof(*names));
	struct client_set set = { names, 0 };

	for (size_t i = 0; i < tags.count; i++) {
		const struct label *tag = &tags.items[i];

		if (strcmp(tag->value, "*") == 0)
			continue;
		names[set.name_count++].value =
			strcmp(tag->key, TAG_SERVICE) == 0
				? zl_arena_format(at->arena, "spiffe://%s/%s",
						  at->mesh_name, tag->value)
				: zl_arena_format(at->arena, "kuma://%s/%s", tag->key,
						  tag->value);
	}
	return set;
}

/* ---- order ---- */

static int compare_names(const struct expected_name *a, const struct expected_name *b)
{
	int order = strcmp(a->value, b->value);

	return order != 0 ? order : a->prefix - b->prefix;
}

static int compare_sets(const void *one, const void *other)
{
	const struct client_set *a = one;
	const struct client_set *b = other;

	for (size_t i = 0; i < a->name_count && i < b->name_count; i++) {
		int order = compare_names(&a->names[i], &b->names[i]);

		if (order != 0)
			return order;
	}
	return (a->name_count > b->name_count) - (a->name_count < b->name_count);
}

size_t permit_sort(struct client_set *sets, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(sets, count, sizeof(*sets), compare_sets);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || compare_sets(&sets[kept - 1], &sets[i]) != 0)
			sets[kept++] = sets[i];
	return kept;
}

/* All grants of an inbound are of legacy policies, or none is. */
static int compare_owners(const struct resource *a, const struct resource *b)
{
	return a == NULL ? 0 : key_compare(&a->key, &b->key);
}

static int compare_grants(const void *one, const void *other)
{
	const struct grant *a = one;
	const struct grant *b = other;
	size_t both =
		a->except_count < b->except_count ? a->except_count : b->except_count;
	int order = compare_owners(a->legacy, b->legacy);

	if (order == 0)
		order = compare_sets(&a->who, &b->who);
	for (size_t i = 0; order == 0 && i < both; i++)
		order = compare_sets(&a->except[i], &b->except[i]);
	return order != 0 ? order
			  : (a->except_count > b->except_count) -
				    (a->except_count < b->except_count);
}

static size_t sort_grants(struct grant *grants, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(grants, count, sizeof(*grants), compare_grants);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || compare_grants(&grants[kept - 1], &grants[i]) != 0)
			grants[kept++] = grants[i];
	return kept;
}

/* ---- sets ---- */

/* True if who has the name one has the name other too. */
static bool implies(const struct expected_name *one, const struct expected_name *other)
{
	if (other->prefix)
		return strncmp(one->value, other->value, strlen(other->value)) == 0;
	return !one->prefix && strcmp(one->value, other->value) == 0;
}

/* True if all clients of set are surely in other. */
static bool is_within(const struct client_set *set, const struct client_set *other)
{
	for (size_t i = 0; i < other->name_count; i++) {
		size_t k = 0;

		while (k < set->name_count && !implies(&set->names[k], &other->names[i]))
			k++;
		if (k == set->name_count)
			return false;
	}
	return true;
}

static bool is_within_any(const struct client_set *set, const struct client_set *others,
			  size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_within(set, &others[i]))
			return true;
	return false;
}

/* ---- deciding ---- */

/* What later sayings take away from those before them. */
struct later {
	struct client_set *items;
	size_t count;
	const struct client_set *sorted; /* of them; NULL: not since one came */
	size_t sorted_count;
};

static void sort_later(struct zl_arena *arena, struct later *later)
{
	if (later->sorted != NULL || later->count == 0)
		return;
	struct client_set *sorted = zl_arena_memdup(arena, later->items,
						    later->count * sizeof(*later->items));

	later->sorted_count = permit_sort(sorted, later->count);
	later->sorted = sorted;
}

/* shadow: whom the other decision, which is only counted, denies. */
static const struct grant *decide(struct zl_arena *arena,
				  const struct permit_sayings *sayings, bool shadow,
				  size_t *count)
{
	struct grant *grants = zl_arena_alloc(arena, sayings->count, sizeof(*grants));
	struct later later = { 0 };

	later.items = zl_arena_alloc(arena, sayings->count, sizeof(*later.items));
	*count = 0;
	for (size_t i = sayings->count; i-- > 0;) {
		const struct permit_saying *saying = &sayings->items[i];
		enum permission_action action = saying->action;

		if (action == ACTION_DENY || (shadow && action == ACTION_ALLOW)) {
			later.items[later.count++] = saying->who;
			later.sorted = NULL;
			continue;
		}
		if (is_within_any(&saying->who, later.items, later.count))
			continue;
		sort_later(arena, &later);
		grants[(*count)++] = (struct grant){ .who = saying->who,
						     .except = later.sorted,
						     .except_count = later.sorted_count,
						     .legacy = saying->legacy };
	}
	*count = sort_grants(grants, *count);
	return grants;
}

/* True if sayings have an action. */
static bool has_action(const struct permit_sayings *sayings,
		       enum permission_action action)
{
	for (size_t i = 0; i < sayings->count; i++)
		if (sayings->items[i].action == action)
			return true;
	return false;
}

void permit_decide(struct zl_arena *arena, const struct permit_sayings *sayings,
		   struct permission *to)
{
	to->allow = decide(arena, sayings, false, &to->allow_count);
	if (has_action(sayings, ACTION_SHADOW_DENY))
		to->shadow = decide(arena, sayings, true, &to->shadow_count);
}
