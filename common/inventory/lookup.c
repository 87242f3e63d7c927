#include "inventory/lookup.h"

#include "inventory/block.h"

#include <string.h>

/* True for a MeshService of this zone that does not say so. */
static bool is_unlabelled(const struct resource *object)
{
	const char *zone = labels_get(object->labels, LABEL_ZONE);
	const char *origin = labels_get(object->labels, LABEL_ORIGIN);

	return object->key.kind == KIND_MESH_SERVICE && (zone == NULL || *zone == '\0') &&
	       (origin == NULL || strcmp(origin, "zone") == 0);
}

const char *object_label(const struct resource *object, const char *zone, const char *key)
{
	const char *value = labels_get(object->labels, key);

	if (strcmp(key, LABEL_DISPLAY_NAME) == 0)
		return object->key.name;
	if (strcmp(key, LABEL_MESH) == 0)
		return object->key.mesh;
	if (strcmp(key, LABEL_ZONE) == 0 && is_unlabelled(object))
		return zone;
	return value;
}

static bool has_labels(const struct resource *object, const char *zone,
		       struct labels want)
{
	for (size_t i = 0; i < want.count; i++) {
		const char *value = object_label(object, zone, want.items[i].key);

		if (value == NULL || strcmp(value, want.items[i].value) != 0)
			return false;
	}
	return true;
}

const struct resource **lookup_objects(const struct inventory *inventory, enum kind kind,
				       const char *mesh, struct labels want,
				       struct zl_arena *arena, size_t *count)
{
	const struct set *set = inventory_set(inventory);
	const struct resource **found =
		zl_arena_alloc(arena, set_count(set, kind), sizeof(*found));
	struct set_iter each = set_each(set, kind, mesh);
	const struct resource *res;

	*count = 0;
	while ((res = set_next(&each)) != NULL)
		if (has_labels(res, inventory_zone(inventory), want))
			found[(*count)++] = res;
	return found;
}

const struct service **lookup_services(const struct inventory *inventory,
				       const char *mesh, struct labels want,
				       struct zl_arena *arena, size_t *count)
{
	const char *name = labels_get(want, TAG_SERVICE);
	const struct service **found = zl_arena_alloc(
		arena, name != NULL ? 1 : inventory_count(inventory), sizeof(*found));

	*count = 0;
	if (name != NULL) {
		found[0] = inventory_find(inventory, mesh, name);
		*count = found[0] != NULL;
		return found;
	}
	for (size_t i = 0; i < inventory_count(inventory); i++) {
		const struct service *service = inventory_at(inventory, i);

		if (strcmp(service->mesh, mesh) == 0)
			found[(*count)++] = service;
	}
	return found;
}
