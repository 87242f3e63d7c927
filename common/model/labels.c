#include "model/labels.h"

#include <string.h>

/* The index of the first item whose key is not below key. */
static size_t lower_bound(struct labels labels, const char *key)
{
	size_t low = 0;
	size_t high = labels.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(labels.items[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool stands_at(struct labels labels, size_t index, const char *key)
{
	return index < labels.count && strcmp(labels.items[index].key, key) == 0;
}

const char *labels_get(struct labels labels, const char *key)
{
	size_t at = lower_bound(labels, key);

	return stands_at(labels, at, key) ? labels.items[at].value : NULL;
}

bool labels_match(struct labels want, struct labels have, bool star)
{
	if (want.count > have.count)
		return false;
	for (size_t i = 0; i < want.count; i++) {
		const char *value = labels_get(have, want.items[i].key);
		if (value == NULL)
			return false;
		if (strcmp(value, want.items[i].value) != 0 &&
		    !(star && strcmp(want.items[i].value, "*") == 0))
			return false;
	}
	return true;
}

int labels_compare(struct labels a, struct labels b)
{
	for (size_t i = 0; i < a.count && i < b.count; i++) {
		int order = strcmp(a.items[i].key, b.items[i].key);
		if (order == 0)
			order = strcmp(a.items[i].value, b.items[i].value);
		if (order != 0)
			return order;
	}
	return (a.count > b.count) - (a.count < b.count);
}

/* Copy count items of from to to, their texts into arena: from may die earlier. */
static void copy_items(struct zl_arena *arena, struct label *to, const struct label *from,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = (struct label){ zl_arena_strdup(arena, from[i].key),
					zl_arena_strdup(arena, from[i].value) };
}

struct labels labels_with(struct zl_arena *arena, struct labels labels, const char *key,
			  const char *value)
{
	size_t at = lower_bound(labels, key);
	size_t after = at + stands_at(labels, at, key);
	size_t rest = labels.count - after;
	const struct label one = { key, value };
	struct label *items = zl_arena_alloc(arena, at + 1 + rest, sizeof(*items));

	copy_items(arena, items, labels.items, at);
	copy_items(arena, items + at, &one, 1);
	if (rest > 0)
		copy_items(arena, items + at + 1, labels.items + after, rest);
	return (struct labels){ items, at + 1 + rest };
}

struct labels labels_without(struct zl_arena *arena, struct labels labels,
			     const char *key)
{
	size_t at = lower_bound(labels, key);
	size_t after = at + stands_at(labels, at, key);
	size_t rest = labels.count - after;
	struct label *items = zl_arena_alloc(arena, at + rest, sizeof(*items));

	copy_items(arena, items, labels.items, at);
	if (rest > 0)
		copy_items(arena, items + at, labels.items + after, rest);
	return (struct labels){ items, at + rest };
}
