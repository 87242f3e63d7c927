#include "policy/table.h"

#include "base/hash.h"

#include <string.h>

/* The place of name, or the free one where it would stand. */
static struct table_item *place(const struct table *table, const char *name)
{
	size_t at = (size_t)zl_xxh3(name, strlen(name));

	for (;; at++) {
		struct table_item *item = &table->items[at & (table->room - 1)];

		if (item->name == NULL || strcmp(item->name, name) == 0)
			return item;
	}
}

void *table_find(const struct table *table, const char *name)
{
	return table->count == 0 ? NULL : place(table, name)->value;
}

static void grow(struct table *table, struct zl_arena *arena)
{
	struct table wider = { .room = table->room == 0 ? 16 : 2 * table->room,
			       .count = table->count };

	wider.items = zl_arena_alloc(arena, wider.room, sizeof(*wider.items));
	for (size_t i = 0; i < table->room; i++)
		if (table->items[i].name != NULL)
			*place(&wider, table->items[i].name) = table->items[i];
	*table = wider;
}

void table_add(struct table *table, const char *name, void *value, struct zl_arena *arena)
{
	/* Always a free place, and mostly no other before it. */
	if (2 * table->count >= table->room)
		grow(table, arena);
	*place(table, name) = (struct table_item){ name, value };
	table->count++;
}
