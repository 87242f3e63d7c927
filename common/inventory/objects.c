#include "inventory/objects.h"

#include "inventory/block.h"
#include "inventory/lookup.h"
#include "inventory/marks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* True for what a disabled zone offered to others (kinds-spec 5). */
static bool is_withdrawn(const struct inventory *inventory, const struct resource *object)
{
	return object->key.kind == KIND_MESH_SERVICE && object->key.zone[0] != '\0' &&
	       strcmp(object->key.zone, inventory_zone(inventory)) != 0 &&
	       !zone_is_enabled(inventory_set(inventory), object->key.zone);
}

const struct resource *object_get(const struct inventory *inventory,
				  const struct key *key)
{
	const struct resource *object = set_get(inventory_set(inventory), key);

	return object != NULL && !is_withdrawn(inventory, object) ? object : NULL;
}

static bool is_zone_of(const char *zone, const struct inventory *inventory)
{
	return zone == NULL || *zone == '\0' ||
	       strcmp(zone, inventory_zone(inventory)) == 0;
}

bool object_is_local(const struct inventory *inventory, const struct resource *object)
{
	const char *origin = labels_get(object->labels, LABEL_ORIGIN);

	if (object->key.kind == KIND_EXTERNAL_SERVICE)
		return is_zone_of(labels_get(object->external->tags, TAG_ZONE),
				  inventory);
	if (object->key.kind == KIND_MESH_SERVICE && origin != NULL &&
	    strcmp(origin, "zone") != 0)
		return false;
	return is_zone_of(labels_get(object->labels, LABEL_ZONE), inventory);
}

/* True for what the own zone wrote: it comes before what others wrote. */
static bool is_own(const struct inventory *inventory, const struct resource *object)
{
	if (object->key.kind == KIND_MESH_SERVICE)
		return object_is_local(inventory, object);
	return strcmp(object->key.zone, inventory_zone(inventory)) == 0;
}

/* ---- finding ---- */

const struct resource *object_by_name(const struct inventory *inventory, enum kind kind,
				      const char *mesh, const char *ns, const char *name,
				      bool *several)
{
	const struct label label = { LABEL_DISPLAY_NAME, name };
	const struct pmap *marks = inventory_marks(inventory);
	const struct resource *found[2] = { NULL, NULL }; /* the own zone's, others' */
	size_t counts[2] = { 0, 0 };
	struct mark_range range = { 0 };

	if (set_count(inventory_set(inventory), kind) > 0)
		(void)marks_find(marks, kind, mesh, (struct labels){ &label, 1 }, &range);
	for (size_t i = range.first; i < range.end; i++) {
		const struct mark *mark = pmap_at(marks, i);
		const struct resource *object = mark->object;
		size_t rank = is_own(inventory, object) ? 0 : 1;

		if (is_withdrawn(inventory, object) ||
		    (*ns != '\0' && strcmp(ns, object->key.ns) != 0))
			continue;
		found[rank] = object;
		counts[rank]++;
	}
	size_t rank = counts[0] > 0 ? 0 : 1;
	*several = counts[rank] > 1;
	return *several ? NULL : found[rank];
}

struct candidate {
	const struct resource *object;
	const char *kri;
	bool own;
};

static int compare_candidates(const void *one, const void *other)
{
	const struct candidate *a = one;
	const struct candidate *b = other;

	if (a->own != b->own)
		return a->own ? -1 : 1;
	return strcmp(a->kri, b->kri);
}

const struct resource *const *objects_by_labels(const struct inventory *inventory,
						enum kind kind, const char *mesh,
						struct labels want,
						struct zl_arena *arena, size_t *count)
{
	size_t room;
	const struct resource **found =
		lookup_objects(inventory, kind, mesh, want, arena, &room);
	struct candidate *list = zl_arena_alloc(arena, room, sizeof(*list));

	*count = 0;
	for (size_t i = 0; i < room; i++)
		if (!is_withdrawn(inventory, found[i]))
			list[(*count)++] =
				(struct candidate){ found[i],
						    object_kri(found[i], "", arena),
						    is_own(inventory, found[i]) };
	qsort(list, *count, sizeof(*list), compare_candidates);
	for (size_t i = 0; i < *count; i++)
		found[i] = list[i].object;
	return found;
}

const char *object_kri(const struct resource *object, const char *section,
		       struct zl_arena *arena)
{
	struct zl_buf text = { 0 };

	key_kri(&object->key, section, &text);
	const char *kri = zl_arena_strndup(arena, zl_buf_text(&text), text.len);
	zl_buf_free(&text);
	return kri;
}

/* ---- ports ---- */

static const struct service_port *ports_of(const struct resource *object, size_t *count)
{
	if (object->key.kind == KIND_MESH_SERVICE) {
		*count = object->mesh_service->port_count;
		return object->mesh_service->ports;
	}
	assert(object->key.kind == KIND_MESH_MULTI_ZONE_SERVICE);
	*count = object->multi_zone->port_count;
	return object->multi_zone->ports;
}

size_t object_port_count(const struct resource *object)
{
	size_t count = 1;

	if (object->key.kind != KIND_MESH_EXTERNAL_SERVICE)
		(void)ports_of(object, &count);
	return count;
}

struct object_port object_port_at(const struct resource *object, size_t index,
				  struct zl_arena *arena)
{
	size_t count = 0;

	if (object->key.kind == KIND_MESH_EXTERNAL_SERVICE) {
		const struct mesh_external_spec *spec = object->mesh_external;
		return (struct object_port){ .port = spec->port,
					     .section = zl_arena_format(arena, "%u",
									spec->port),
					     .protocol = spec->protocol };
	}
	const struct service_port *port = &ports_of(object, &count)[index];
	assert(index < count);
	return (struct object_port){ .port = port->port,
				     .section = port->name[0] != '\0'
							? port->name
							: zl_arena_format(arena, "%u",
									  port->port),
				     .protocol = port->protocol,
				     .spec = port };
}

/* True if section is the number of port. */
static bool is_number(const char *section, uint32_t port, struct zl_arena *arena)
{
	return strcmp(section, zl_arena_format(arena, "%u", port)) == 0;
}

bool object_port_find(const struct resource *object, const char *section, uint32_t port,
		      struct zl_arena *arena, struct object_port *found)
{
	size_t count = object_port_count(object);
	bool by_number = false;

	if (count == 1 && (object->key.kind == KIND_MESH_EXTERNAL_SERVICE ||
			   (*section == '\0' && port == 0))) {
		*found = object_port_at(object, 0, arena);
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		struct object_port at = object_port_at(object, i, arena);

		if (*section != '\0' && strcmp(at.section, section) == 0) {
			*found = at;
			return true;
		}
		if (*section != '\0' ? is_number(section, at.port, arena)
				     : at.port == port) {
			*found = at;
			by_number = true;
		}
	}
	return by_number;
}
