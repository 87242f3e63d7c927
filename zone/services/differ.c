#include "zone/services/differ.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
	const struct differ_name *left = a;
	const struct differ_name *right = b;
	int order = strcmp(left->mesh, right->mesh);

	return order != 0 ? order : strcmp(left->name, right->name);
}

static struct differ_name name_at(const struct inventory *inventory, size_t index)
{
	const struct service *service = inventory_at(inventory, index);

	return (struct differ_name){ service->mesh, service->name };
}

static int compare_at(const struct inventory *a, size_t i, const struct inventory *b,
		      size_t j)
{
	const struct differ_name left = name_at(a, i);
	const struct differ_name right = name_at(b, j);

	return by_name(&left, &right);
}

static void add(struct differ *to, struct differ_name name, size_t *room,
		struct zl_arena *arena)
{
	to->names = zl_arena_more(arena, to->names, to->count, room, sizeof(*to->names));
	to->names[to->count++] = name;
}

struct differ differ_of(const struct services_view *view, struct zl_arena *arena)
{
	const struct inventory *old = view->inventory_before;
	const struct inventory *now = view->inventory;
	struct differ differ = { .all = old == NULL ||
					!set_same_kind(view->all_before, view->all,
						       KIND_MESH) };
	size_t old_count = old != NULL ? inventory_count(old) : 0;
	size_t now_count = inventory_count(now);
	size_t room = 0;

	/* Both are in order of their names. */
	for (size_t i = 0, j = 0; !differ.all && (i < old_count || j < now_count);) {
		bool both = i < old_count && j < now_count;
		if (both && inventory_at(old, i) == inventory_at(now, j)) {
			i++;
			j++;
			continue;
		}
		int order = both ? compare_at(old, i, now, j) : i < old_count ? -1 : 1;
		add(&differ, order <= 0 ? name_at(old, i) : name_at(now, j), &room,
		    arena);
		i += order <= 0;
		j += order >= 0;
	}
	return differ;
}

bool differ_has(const struct differ *differ, const char *mesh, const char *name)
{
	const struct differ_name like = { mesh, name };

	return differ->all ||
	       (differ->count > 0 && bsearch(&like, differ->names, differ->count,
					     sizeof(*differ->names), by_name) != NULL);
}
