#include "inventory/lookup.h"

#include "inventory/block.h"
#include "inventory/marks.h"
#include "inventory/objects.h"

#include <string.h>

const char *object_label(const struct resource *object, const char *zone, const char *key)
{
	const char *value = labels_get(object->labels, key);
	const char *origin = labels_get(object->labels, LABEL_ORIGIN);
	bool of_zone = origin != NULL ? strcmp(origin, "zone") == 0
				      : object->key.kind == KIND_MESH_SERVICE;

	if (strcmp(key, LABEL_DISPLAY_NAME) == 0)
		return object->key.name;
	if (strcmp(key, LABEL_MESH) == 0)
		return object->key.mesh;
	if (strcmp(key, LABEL_ORIGIN) == 0)
		return of_zone ? "zone" : "global";
	if (strcmp(key, LABEL_ZONE) == 0 && (value == NULL || *value == '\0'))
		return of_zone ? zone : NULL;
	return value;
}

bool object_matches(const struct inventory *inventory, const struct resource *object,
		    struct labels want)
{
	const char *zone = inventory_zone(inventory);

	for (size_t i = 0; i < want.count; i++) {
		const char *value = object_label(object, zone, want.items[i].key);

		if (value == NULL || strcmp(value, want.items[i].value) != 0)
			return false;
	}
	return true;
}

/* Those of kind that have all labels, none of which is in the index. */
static const struct resource **walk_objects(const struct inventory *inventory,
					    enum kind kind, const char *mesh,
					    struct labels want, struct zl_arena *arena,
					    size_t *count)
{
	const struct set *set = inventory_set(inventory);
	const struct resource **found =
		zl_arena_alloc(arena, set_count(set, kind), sizeof(*found));
	struct set_iter each = set_each(set, kind, mesh);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		if (object_matches(inventory, res, want))
			found[(*count)++] = res;
	return found;
}

const struct resource **lookup_objects(const struct inventory *inventory, enum kind kind,
				       const char *mesh, struct labels want,
				       struct zl_arena *arena, size_t *count)
{
	const struct pmap *marks = inventory_marks(inventory);
	struct mark_range range;

	*count = 0;
	if (!marks_find(marks, kind, mesh, want, &range))
		return walk_objects(inventory, kind, mesh, want, arena, count);
	const struct resource **found =
		zl_arena_alloc(arena, range.end - range.first, sizeof(*found));
	for (size_t i = range.first; i < range.end; i++) {
		const struct mark *mark = pmap_at(marks, i);

		if (object_matches(inventory, mark->object, want))
			found[(*count)++] = mark->object;
	}
	return found;
}

/* All of mesh. */
static const struct service **walk_services(const struct inventory *inventory,
					    const char *mesh, struct zl_arena *arena,
					    size_t *count)
{
	const struct service **found =
		zl_arena_alloc(arena, inventory_count(inventory), sizeof(*found));

	for (size_t i = 0; i < inventory_count(inventory); i++) {
		const struct service *service = inventory_at(inventory, i);

		if (strcmp(service->mesh, mesh) == 0)
			found[(*count)++] = service;
	}
	return found;
}

const struct service **lookup_services(const struct inventory *inventory,
				       const char *mesh, struct labels want,
				       struct zl_arena *arena, size_t *count)
{
	const char *name = labels_get(want, TAG_SERVICE);
	const struct pmap *marks = inventory_marks(inventory);
	struct mark_range range = { 0, 1 };

	*count = 0;
	if (name == NULL && !marks_find(marks, KIND_NONE, mesh, want, &range))
		return walk_services(inventory, mesh, arena, count);
	const struct service **found =
		zl_arena_alloc(arena, range.end - range.first, sizeof(*found));
	for (size_t i = range.first; i < range.end; i++) {
		const struct mark *mark = name == NULL ? pmap_at(marks, i) : NULL;
		const struct service *service = inventory_find(
			inventory, mesh, name == NULL ? mark->at.name : name);

		if (service != NULL)
			found[(*count)++] = service;
	}
	return found;
}
