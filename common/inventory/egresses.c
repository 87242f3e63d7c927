#include "inventory/inventory.h"

#include "inventory/block.h"

#include <stdlib.h>
#include <string.h>

const char *egress_zone(const struct resource *res, const char *own)
{
	const char *label = labels_get(res->labels, LABEL_ZONE);

	if (res->egress->zone[0] != '\0')
		return res->egress->zone;
	return label != NULL && label[0] != '\0' ? label : own;
}

static int by_place(const void *one, const void *other)
{
	const struct resource *const *a = one;
	const struct resource *const *b = other;
	const struct zone_egress_spec *x = (*a)->egress;
	const struct zone_egress_spec *y = (*b)->egress;
	int order = strcmp(x->address, y->address);

	if (order == 0)
		order = (x->port > y->port) - (x->port < y->port);
	return order != 0 ? order : key_compare(&(*a)->key, &(*b)->key);
}

const struct resource *const *inventory_egresses(const struct inventory *inventory,
						 struct zl_arena *arena, size_t *count)
{
	const struct set *set = inventory_set(inventory);
	const char *own = inventory_zone(inventory);
	struct set_iter each = set_each(set, KIND_ZONE_EGRESS, NULL);
	const struct resource **list = zl_arena_alloc(
		arena, set_count(set, KIND_ZONE_EGRESS), sizeof(const struct resource *));
	const struct resource *res;

	*count = 0;
	while ((res = set_next(&each)) != NULL)
		if (strcmp(egress_zone(res, own), own) == 0)
			list[(*count)++] = res;
	if (*count > 1)
		qsort(list, *count, sizeof(const struct resource *), by_place);
	return list;
}

bool egresses_alike(const struct inventory *before, const struct inventory *after)
{
	return set_same_kind(inventory_set(before), inventory_set(after),
			     KIND_ZONE_EGRESS);
}
