#include "policy/merge.h"

#include <stdlib.h>
#include <string.h>

bool field_is_in(const char *field, const char *section)
{
	size_t len = strlen(section);

	return strncmp(field, section, len) == 0 &&
	       (field[len] == '\0' || field[len] == '.');
}

static bool is_object(const struct tree *value)
{
	return value->type == TREE_MAP;
}

struct merging {
	struct zl_arena *arena;
	struct leaf *leaves;
	size_t count, room;
};

/* Take out what is in field, or what field is in: only one of them can stay. */
static void clear(struct merging *at, const char *field)
{
	size_t kept = 0;

	for (size_t i = 0; i < at->count; i++)
		if (!field_is_in(at->leaves[i].field, field) &&
		    !field_is_in(field, at->leaves[i].field))
			at->leaves[kept++] = at->leaves[i];
	at->count = kept;
}

/* True if there is something in field. */
static bool has_members(const struct merging *at, const char *field)
{
	for (size_t i = 0; i < at->count; i++)
		if (field_is_in(at->leaves[i].field, field) &&
		    strcmp(at->leaves[i].field, field) != 0)
			return true;
	return false;
}

static void put(struct merging *at, const struct leaf *leaf)
{
	/* An empty object takes nothing away from another. */
	if (is_object(leaf->value) && has_members(at, leaf->field))
		return;
	clear(at, leaf->field);
	at->leaves = zl_arena_more(at->arena, at->leaves, at->count, &at->room,
				   sizeof(*at->leaves));
	at->leaves[at->count++] = *leaf;
}

/* The members of what saying has at field, or field itself. */
static void put_all(struct merging *at, const struct saying *saying,
		    const struct tree *value, const char *field)
{
	bool empty = true;

	for (size_t i = 0; is_object(value) && i < value->count; i++) {
		const struct tree_member *member = &value->members[i];

		if (member->value->type == TREE_NULL) /* absent (D39) */
			continue;
		empty = false;
		put_all(at, saying, member->value,
			field[0] == '\0' ? member->key
					 : zl_arena_format(at->arena, "%s.%s", field,
							   member->key));
	}
	if (field[0] != '\0' && empty)
		put(at,
		    &(struct leaf){ field, value, saying->from, saying->list, false });
}

static int by_field(const void *one, const void *other)
{
	const struct leaf *a = one;
	const struct leaf *b = other;

	return strcmp(a->field, b->field);
}

static struct merged done(const struct merging *at)
{
	if (at->count > 1)
		qsort(at->leaves, at->count, sizeof(*at->leaves), by_field);
	return (struct merged){ at->leaves, at->count,
				zl_arena_alloc(at->arena, 1, sizeof(struct reading *)) };
}

struct merged merge_sayings(const struct merged *base, const struct saying *sayings,
			    size_t count, struct zl_arena *arena)
{
	struct merging at = { .arena = arena };

	for (size_t i = 0; base != NULL && i < base->count; i++)
		put(&at, &base->leaves[i]);
	for (size_t i = 0; i < count; i++)
		put_all(&at, &sayings[i], sayings[i].conf, "");
	return done(&at);
}

struct merged merge_two(const struct merged *weak, const struct merged *strong,
			struct zl_arena *arena)
{
	struct merging at = { .arena = arena };

	for (size_t i = 0; i < weak->count; i++)
		put(&at, &weak->leaves[i]);
	for (size_t i = 0; i < strong->count; i++)
		put(&at, &strong->leaves[i]);
	return done(&at);
}

struct leaf *merged_leaf(const struct merged *merged, const char *field)
{
	for (size_t i = 0; i < merged->count; i++)
		if (strcmp(merged->leaves[i].field, field) == 0)
			return &merged->leaves[i];
	return NULL;
}

/* The object at key of map, made if it is not there. */
static struct tree *object_at(struct zl_arena *arena, struct tree *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->members[i].key, key) == 0)
			return map->members[i].value;
	struct tree *object = tree_map(arena);
	tree_set(arena, map, key, object);
	return object;
}

const struct tree *merged_tree(struct leaf *const *leaves, size_t count,
			       struct zl_arena *arena)
{
	struct tree *tree = tree_map(arena);

	for (size_t i = 0; i < count; i++) {
		struct tree *map = tree;
		char *rest = zl_arena_strdup(arena, leaves[i]->field);
		char *dot;

		for (; (dot = strchr(rest, '.')) != NULL; rest = dot + 1) {
			*dot = '\0';
			map = object_at(arena, map, rest);
		}
		tree_set(arena, map, rest,
			 zl_arena_memdup(arena, leaves[i]->value,
					 sizeof(*leaves[i]->value)));
	}
	return tree;
}
