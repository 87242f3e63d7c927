/* The Universal document of a head: the canonical form before it is printed. */
#include "model/document.h"

#include <string.h>

/* A copy of map with room for its own members; they are shared. */
static struct tree *copy_map(const struct tree *map, struct zl_arena *arena)
{
	struct tree *copy = tree_map(arena);

	copy->count = map->count;
	copy->members =
		zl_arena_memdup(arena, map->members, map->count * sizeof(*map->members));
	return copy;
}

/* True if a reference with the deprecated _port is somewhere below. Deeper than a route
 * goes there are none. */
static bool has_alias(const struct tree *tree, int depth)
{
	if (tree == NULL || depth == 0)
		return false;
	for (size_t i = 0; tree->type == TREE_LIST && i < tree->count; i++)
		if (has_alias(tree->items[i], depth - 1))
			return true;
	for (size_t i = 0; tree->type == TREE_MAP && i < tree->count; i++)
		if (strcmp(tree->members[i].key, "_port") == 0 ||
		    has_alias(tree->members[i].value, depth - 1))
			return true;
	return false;
}

enum { ROUTE_DEPTH = 10 };

/* A copy of map in which _port has become port; port wins when both are there. */
static struct tree *rename_port(const struct tree *map, struct zl_arena *arena)
{
	struct tree *copy = copy_map(map, arena);
	bool has_port = tree_get(map, "port") != NULL;
	size_t kept = 0;

	for (size_t i = 0; i < copy->count; i++) {
		struct tree_member member = copy->members[i];
		bool alias = strcmp(member.key, "_port") == 0;
		if (alias ? has_port || member.value->type == TREE_NULL
			  : strcmp(member.key, "port") == 0 && !has_port)
			continue;
		member.key = alias ? "port" : member.key;
		copy->members[kept++] = member;
	}
	copy->count = kept;
	return copy;
}

/* A copy of tree without aliases. Labels and tags are never entered: a label may be
 * called _port. */
static struct tree *without_alias(struct tree *tree, struct zl_arena *arena, int depth)
{
	if (!has_alias(tree, depth))
		return tree;
	if (tree->type == TREE_LIST) {
		struct tree *copy = tree_list(arena);
		for (size_t i = 0; i < tree->count; i++)
			tree_push(arena, copy,
				  without_alias(tree->items[i], arena, depth - 1));
		return copy;
	}
	struct tree *copy = rename_port(tree, arena);
	for (size_t i = 0; i < copy->count; i++) {
		struct tree_member *member = &copy->members[i];
		if (strcmp(member->key, "labels") != 0 &&
		    strcmp(member->key, "tags") != 0)
			member->value = without_alias(member->value, arena, depth - 1);
	}
	return copy;
}

static struct tree *labels_tree(struct labels labels, struct zl_arena *arena)
{
	struct tree *map = tree_map(arena);

	for (size_t i = 0; i < labels.count; i++)
		tree_set(arena, map, labels.items[i].key,
			 tree_text(arena, labels.items[i].value));
	return map;
}

/* spec under its own name, or the fields of a flat kind. */
static void add_spec(const struct head *head, struct tree *doc, struct zl_arena *arena)
{
	struct tree *spec =
		head->spec != NULL ? copy_map(head->spec, arena) : tree_map(arena);

	if (head->info->policy)
		spec = without_alias(spec, arena, ROUTE_DEPTH);
	if (!head->info->flat) {
		tree_set(arena, doc, "spec", spec);
		return;
	}
	for (size_t i = 0; i < spec->count; i++)
		tree_set(arena, doc, spec->members[i].key, spec->members[i].value);
}

struct tree *head_document(const struct head *head, struct zl_arena *arena)
{
	struct tree *doc = tree_map(arena);

	tree_set(arena, doc, "type", tree_text(arena, head->info->name));
	if (head->info->scope == SCOPE_MESH)
		tree_set(arena, doc, "mesh", tree_text(arena, head->mesh));
	tree_set(arena, doc, "name", tree_text(arena, head->name));
	if (head->labels.count > 0)
		tree_set(arena, doc, "labels", labels_tree(head->labels, arena));
	add_spec(head, doc, arena);
	if (head->status != NULL)
		tree_set(arena, doc, "status", copy_map(head->status, arena));
	return doc;
}
