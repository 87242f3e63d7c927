#include "inventory/objects.h"

#include "inventory/block.h"
#include "inventory/lookup.h"
#include "inventory/offered.h"

#include <string.h>

struct pair {
	const struct inventory *before, *after;
	struct zl_arena *arena;
};

/* True if both have the very same services that object may select rows of. */
static bool same_services(const struct pair *at, const struct resource *object)
{
	struct labels want = object->mesh_service->tags;
	size_t old_count;
	size_t new_count;
	const struct service **old = lookup_services(at->before, object->key.mesh, want,
						     at->arena, &old_count);
	const struct service **now =
		lookup_services(at->after, object->key.mesh, want, at->arena, &new_count);

	if (old_count != new_count)
		return false;
	for (size_t i = 0; i < old_count; i++)
		if (old[i] != now[i])
			return false;
	return true;
}

/* True if both know the same places of other zones, and the same of those zones. */
static bool same_zones(const struct pair *at)
{
	const struct set *old = inventory_set(at->before);
	const struct set *now = inventory_set(at->after);

	return set_same_kind(old, now, KIND_ZONE_INGRESS) &&
	       set_same_kind(old, now, KIND_ZONE);
}

/* Rows of records are told by identity, those without by what they say. */
static bool same_gate(const struct remote *a, const struct remote *b)
{
	if (a->record != b->record || a->condition != b->condition)
		return false;
	return a->record != NULL ||
	       (key_compare(&a->ingress->key, &b->ingress->key) == 0 &&
		strcmp(a->address, b->address) == 0 && a->port == b->port);
}

static bool same_rows(const struct pair *at, const struct resource *object)
{
	struct offered old = { .inventory = at->before, .arena = at->arena };
	struct offered now = { .inventory = at->after, .arena = at->arena };

	offered_add(&old, object, NULL);
	offered_add(&now, object, NULL);
	offered_end(&old);
	offered_end(&now);
	if (old.local_count != now.local_count || old.remote_count != now.remote_count)
		return false;
	for (size_t i = 0; i < old.local_count; i++)
		if (old.locals[i].inbound != now.locals[i].inbound)
			return false;
	for (size_t i = 0; i < old.remote_count; i++)
		if (!same_gate(&old.remotes[i], &now.remotes[i]))
			return false;
	return true;
}

static bool same_service(const struct pair *at, const struct resource *object)
{
	/* Mostly nothing has changed that its rows are made of. */
	if (object->mesh_service->tags.count > 0 && same_services(at, object) &&
	    (object_is_local(at->after, object) || same_zones(at)))
		return true;
	return same_rows(at, object);
}

static bool same_members(const struct pair *at, const struct resource *multi)
{
	size_t old_count;
	size_t new_count;
	const struct resource *const *old =
		object_members(at->before, multi, at->arena, &old_count);
	const struct resource *const *now =
		object_members(at->after, multi, at->arena, &new_count);

	if (old_count != new_count)
		return false;
	for (size_t i = 0; i < old_count; i++)
		if (old[i] != now[i] || !same_service(at, old[i]))
			return false;
	return true;
}

bool objects_alike(const struct inventory *before, const struct inventory *after)
{
	static const enum kind READ[] = { KIND_MESH_SERVICE, KIND_MESH_MULTI_ZONE_SERVICE,
					  KIND_MESH_EXTERNAL_SERVICE, KIND_ZONE };

	for (size_t i = 0; i < sizeof(READ) / sizeof(READ[0]); i++)
		if (!set_same_kind(inventory_set(before), inventory_set(after), READ[i]))
			return false;
	return true;
}

/* The next ZoneIngress of another zone; NULL: there is none. */
static const struct resource *next_gate(struct set_iter *each, const char *own)
{
	const struct resource *res;

	do
		res = set_next(each);
	while (res != NULL && strcmp(ingress_zone(res, own), own) == 0);
	return res;
}

bool gates_alike(const struct inventory *before, const struct inventory *after)
{
	const struct set *old_set = inventory_set(before);
	const struct set *new_set = inventory_set(after);
	const char *own = inventory_zone(after);
	const struct resource *old;

	if (set_count(new_set, KIND_MESH_SERVICE) == 0 ||
	    set_same_kind(old_set, new_set, KIND_ZONE_INGRESS))
		return true;
	struct set_iter olds = set_each(old_set, KIND_ZONE_INGRESS, NULL);
	struct set_iter news = set_each(new_set, KIND_ZONE_INGRESS, NULL);

	do {
		old = next_gate(&olds, own);
		if (old != next_gate(&news, own))
			return false;
	} while (old != NULL);
	return true;
}

bool object_same(const struct inventory *before, const struct inventory *after,
		 const struct key *object)
{
	const struct resource *old = object_get(before, object);
	const struct resource *now = object_get(after, object);

	if (old != now || old == NULL || object->kind == KIND_MESH_EXTERNAL_SERVICE)
		return old == now;
	struct pair at = { before, after, zl_arena_new() };
	bool same = object->kind == KIND_MESH_SERVICE ? same_service(&at, old)
						      : same_members(&at, old);
	zl_arena_free(&at.arena);
	return same;
}
