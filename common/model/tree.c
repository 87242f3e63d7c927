#include "model/tree.h"

#include "model/tree_grow.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static struct tree_member *find(const struct tree *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->members[i].key, key) == 0)
			return &map->members[i];
	return NULL;
}

const struct tree *tree_get(const struct tree *map, const char *key)
{
	if (map == NULL || map->type != TREE_MAP)
		return NULL;
	const struct tree_member *member = find(map, key);
	if (member == NULL || member->value->type == TREE_NULL)
		return NULL;
	return member->value;
}

const char *tree_type_text(enum tree_type type)
{
	static const char *const TEXTS[] = {
		[TREE_NULL] = "null",   [TREE_BOOL] = "boolean", [TREE_INT] = "number",
		[TREE_REAL] = "number", [TREE_TEXT] = "text",    [TREE_LIST] = "list",
		[TREE_MAP] = "object",
	};

	return TEXTS[type];
}

void *tree_grow(struct zl_arena *arena, void *items, size_t count, size_t size)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return items;
	void *larger = zl_arena_alloc(arena, count != 0 ? 2 * count : 1, size);
	if (count != 0)
		memcpy(larger, items, count * size);
	return larger;
}

static struct tree *node(struct zl_arena *arena, enum tree_type type)
{
	struct tree *tree = zl_arena_alloc(arena, 1, sizeof(*tree));

	tree->type = type;
	return tree;
}

struct tree *tree_map(struct zl_arena *arena)
{
	return node(arena, TREE_MAP);
}

struct tree *tree_list(struct zl_arena *arena)
{
	return node(arena, TREE_LIST);
}

struct tree *tree_text(struct zl_arena *arena, const char *text)
{
	struct tree *tree = node(arena, TREE_TEXT);

	tree->text = zl_arena_strdup(arena, text);
	return tree;
}

struct tree *tree_int(struct zl_arena *arena, int64_t value)
{
	struct tree *tree = node(arena, TREE_INT);

	tree->integer = value;
	tree->text = zl_arena_format(arena, "%" PRId64, value);
	return tree;
}

struct tree *tree_bool(struct zl_arena *arena, bool value)
{
	struct tree *tree = node(arena, TREE_BOOL);

	tree->boolean = value;
	return tree;
}

struct tree_member *tree_append(struct zl_arena *arena, struct tree *map, const char *key,
				struct tree *value)
{
	map->members = tree_grow(arena, map->members, map->count, sizeof(*map->members));
	struct tree_member *member = &map->members[map->count++];
	*member = (struct tree_member){ .key = key, .value = value };
	return member;
}

void tree_set(struct zl_arena *arena, struct tree *map, const char *key,
	      struct tree *value)
{
	assert(map->type == TREE_MAP);
	struct tree_member *old = find(map, key);
	if (old != NULL)
		old->value = value;
	else
		tree_append(arena, map, zl_arena_strdup(arena, key), value);
}

void tree_push(struct zl_arena *arena, struct tree *list, struct tree *value)
{
	assert(list->type == TREE_LIST);
	list->items = tree_grow(arena, list->items, list->count, sizeof(struct tree *));
	list->items[list->count++] = value;
}

struct tree *tree_copy(const struct tree *tree, struct zl_arena *arena)
{
	struct tree *copy = zl_arena_memdup(arena, tree, sizeof(*tree));

	if (tree->text != NULL)
		copy->text = zl_arena_strdup(arena, tree->text);
	copy->items = NULL;
	copy->members = NULL;
	copy->count = 0;
	for (size_t i = 0; tree->type == TREE_LIST && i < tree->count; i++)
		tree_push(arena, copy, tree_copy(tree->items[i], arena));
	for (size_t i = 0; tree->type == TREE_MAP && i < tree->count; i++) {
		const struct tree_member *member = &tree->members[i];
		if (member->value->type != TREE_NULL)
			tree_append(arena, copy, zl_arena_strdup(arena, member->key),
				    tree_copy(member->value, arena));
	}
	return copy;
}
