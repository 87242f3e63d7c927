#include "policy/subsets.h"

#include "base/hash.h"

#include <stdint.h>
#include <string.h>

/* Of so many tags, kuma.io/zone among them, each subset may be asked for; of more there
 * would be too many. */
enum { ALL_PARTS_OF = 6 };

static uint64_t hash_of(struct labels tags)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < tags.count; i++) {
		const struct label *tag = &tags.items[i];

		hash = 31 * hash + zl_xxh3(tag->key, strlen(tag->key));
		hash = 31 * hash + zl_xxh3(tag->value, strlen(tag->value));
	}
	return hash ^ hash >> 32;
}

/* Where tags stand, or the free place where they would. */
static size_t *place(const struct subsets *subsets, struct labels tags)
{
	size_t mask = 2 * subsets->room - 1;

	for (size_t at = hash_of(tags);; at++) {
		size_t *found = &subsets->places[at & mask];

		if (*found == 0 ||
		    labels_compare(subsets->items[*found - 1].tags, tags) == 0)
			return found;
	}
}

static void grow(struct subsets *subsets)
{
	const struct subset *items = subsets->items;

	subsets->room = subsets->room == 0 ? 8 : 2 * subsets->room;
	subsets->items =
		zl_arena_alloc(subsets->arena, subsets->room, sizeof(*subsets->items));
	subsets->places = zl_arena_alloc(subsets->arena, 2 * subsets->room,
					 sizeof(*subsets->places));
	for (size_t i = 0; i < subsets->count; i++) {
		subsets->items[i] = items[i];
		*place(subsets, items[i].tags) = i + 1;
	}
}

bool subsets_add(struct subsets *subsets, const struct subset *subset)
{
	if (subsets->count == subsets->room)
		grow(subsets);
	size_t *at = place(subsets, subset->tags);

	if (*at != 0) {
		struct subset *known = &subsets->items[*at - 1];
		known->plain |= subset->plain;
		known->zoned |= subset->zoned;
		known->asked |= subset->asked;
		return false;
	}
	if (subsets->count == subsets->most) {
		subsets->full = true;
		return false;
	}
	struct subset *added = &subsets->items[subsets->count++];
	*added = *subset;
	added->tags.items = zl_arena_memdup(subsets->arena, subset->tags.items,
					    subset->tags.count * sizeof(struct label));
	*at = subsets->count;
	return true;
}

static void add_items(struct subsets *subsets, const struct label *items, size_t count,
		      bool plain)
{
	const struct subset subset = { .tags = { items, count },
				       .plain = plain,
				       .zoned = true };

	(void)subsets_add(subsets, &subset);
}

static void add_all_parts(struct subsets *subsets, struct labels tags)
{
	for (unsigned parts = 0; parts < 1U << tags.count; parts++) {
		struct label items[ALL_PARTS_OF];
		size_t count = 0;

		for (size_t i = 0; i < tags.count; i++)
			if ((parts >> i & 1) != 0)
				items[count++] = tags.items[i];
		add_items(subsets, items, count, true);
	}
}

static void add_pairs(struct subsets *subsets, struct labels tags)
{
	add_items(subsets, tags.items, 0, true);
	for (size_t i = 0; i < tags.count; i++)
		add_items(subsets, &tags.items[i], 1, true);
	for (size_t i = 0; i < tags.count; i++)
		for (size_t k = i + 1; k < tags.count; k++)
			add_items(subsets,
				  (struct label[]){ tags.items[i], tags.items[k] }, 2,
				  true);
	add_items(subsets, tags.items, tags.count, false);
}

void subsets_add_parts(struct subsets *subsets, struct labels tags)
{
	if (tags.count + 1 <= ALL_PARTS_OF)
		add_all_parts(subsets, tags);
	else
		add_pairs(subsets, tags);
}

/* Tags of an instance that may be asked for, but kuma.io/zone; items has room. */
static struct labels asked_tags(struct labels tags, struct label *items)
{
	static const char *const OTHERS[] = { TAG_SERVICE, TAG_PROTOCOL, TAG_ZONE };
	size_t count = 0;

	for (size_t i = 0; i < tags.count; i++) {
		bool other = false;

		for (size_t k = 0; k < sizeof(OTHERS) / sizeof(OTHERS[0]); k++)
			other = other || strcmp(tags.items[i].key, OTHERS[k]) == 0;
		if (!other)
			items[count++] = tags.items[i];
	}
	return (struct labels){ items, count };
}

void subsets_add_used(struct subsets *subsets, const struct labels *rows, size_t count)
{
	struct subsets used = { .arena = subsets->arena, .most = SIZE_MAX };
	size_t most = 0;

	for (size_t i = 0; i < count; i++)
		most = rows[i].count > most ? rows[i].count : most;
	struct label *items = zl_arena_alloc(subsets->arena, most, sizeof(*items));
	for (size_t i = 0; i < count; i++) {
		const struct subset subset = { .tags = asked_tags(rows[i], items) };
		if (subsets_add(&used, &subset))
			subsets_add_parts(subsets, subset.tags);
	}
}
