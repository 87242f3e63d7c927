#include "zone/inventory/registry.h"

#include "zone/inventory/places.h"

#include "model/travel.h"
#include "model/tree.h"

#include <stdlib.h>
#include <string.h>

void registry_init(struct registry *registry, const char *zone)
{
	*registry = (struct registry){ .zone = zone };
	for (size_t i = 0; i < REGISTRY_PARTS; i++)
		registry->parts[i] = set_empty();
	registry->all = set_empty();
	registry->named = set_empty();
	registry->offer = set_empty();
	registry->inventory = inventory_build(registry->all, zone);
}

static void drop_kept(struct registry *registry)
{
	for (size_t i = 0; i < registry->kept_count; i++)
		resource_drop(&registry->kept[i].res);
	registry->kept_count = 0;
}

void registry_fini(struct registry *registry)
{
	for (size_t i = 0; i < REGISTRY_PARTS; i++)
		set_drop(&registry->parts[i]);
	set_drop(&registry->all);
	set_drop(&registry->named);
	set_drop(&registry->offer);
	inventory_drop(&registry->inventory);
	drop_kept(registry);
	free(registry->kept);
}

static const struct resource *winner(const struct registry *registry,
				     const struct key *key)
{
	const struct resource *res = set_get(registry->parts[REGISTRY_FOLDER], key);

	if (res == NULL)
		res = set_get(registry->parts[REGISTRY_LOCAL], key);
	if (res != NULL)
		return res;
	res = set_get(registry->parts[REGISTRY_GLOBAL], key);
	if (res == NULL || !travel_comes_down(res, registry->zone))
		return NULL;
	if (key->kind == KIND_ZONE && res->zone->condition == ZONE_OFFLINE) {
		const struct resource *found =
			set_get(registry->parts[REGISTRY_FOUND], key);
		return found != NULL ? found : res;
	}
	return res;
}

/* The status of a service that was written here: global's word, or that of whom a zone
 * without one asks. Held; NULL: as it is. */
static struct resource *with_status(const struct registry *registry,
				    const struct resource *res)
{
	const struct resource *said =
		set_get(registry->parts[REGISTRY_GLOBAL], &res->key);

	if (registry->complete != NULL)
		return registry->complete(registry->owner, res);
	if (said == NULL)
		return NULL;
	struct zl_arena *arena = zl_arena_new();
	struct tree *doc = resource_tree(said, arena);
	struct resource *made = NULL;
	for (size_t i = 0; i < doc->count; i++)
		if (strcmp(doc->members[i].key, "status") == 0)
			made = resource_with_status(res, doc->members[i].value);
	zl_arena_free(&arena);
	return made;
}

/* A MeshService of the zone with what was worked out of it. Held; NULL: as it is. */
static struct resource *with_state(const struct registry *registry,
				   const struct resource *res)
{
	static const char *const FIELDS[] = { "state", "identities" };
	const struct resource *found =
		set_get(registry->parts[REGISTRY_STATES], &res->key);

	if (found == NULL)
		return NULL;
	struct zl_arena *arena = zl_arena_new();
	struct tree *doc = resource_tree(res, arena);
	const struct tree *old = tree_get(doc, "spec");
	const struct tree *said = tree_get(resource_tree(found, arena), "spec");
	struct tree *spec = tree_map(arena);
	struct zl_buf json = { 0 };
	struct resource *made = NULL;
	for (size_t i = 0; old != NULL && i < old->count; i++)
		tree_set(arena, spec, old->members[i].key, old->members[i].value);
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; said != NULL && j < said->count; j++)
			if (strcmp(said->members[j].key, FIELDS[i]) == 0)
				tree_set(arena, spec, FIELDS[i], said->members[j].value);
	tree_set(arena, doc, "spec", spec);
	tree_json(doc, &json);
	if (resource_from_json(json.data, json.len, &made, NULL) == ZL_OK) {
		made->mod_rev = res->mod_rev;
		made->create_rev = res->create_rev;
		made->mod_wall_us = res->mod_wall_us;
	}
	zl_buf_free(&json);
	zl_arena_free(&arena);
	return made;
}

/* What counts of key, held; NULL: nothing does. */
static struct resource *settled(const struct registry *registry, const struct key *key)
{
	const struct resource *res = winner(registry, key);

	if (res == NULL)
		return NULL;
	if (!kind_keeps_status(key->kind) || key->kind == KIND_ZONE ||
	    res == set_get(registry->parts[REGISTRY_GLOBAL], key))
		return resource_hold(res);
	struct resource *first = with_state(registry, res);
	struct resource *made = with_status(registry, first != NULL ? first : res);
	if (made == NULL)
		return first != NULL ? first : resource_hold(res);
	resource_drop(&first);
	return made;
}

static void note(struct registry_changes *changes, const struct resource *old,
		 const struct resource *now)
{
	if (changes->count == changes->room) {
		changes->room = changes->room ? changes->room * 2 : 16;
		changes->items = zl_realloc(changes->items, changes->room,
					    sizeof(*changes->items));
	}
	changes->items[changes->count++] =
		(struct registry_change){ old != NULL ? resource_hold(old) : NULL,
					  now != NULL ? resource_hold(now) : NULL };
}

/* True if both say the same, so that who looks at one need not look at the other. */
static bool is_same(const struct resource *a, const struct resource *b)
{
	return a == b ||
	       (a != NULL && b != NULL && a->mod_rev == b->mod_rev &&
		a->json_len == b->json_len &&
		memcmp(a->json, b->json, a->json_len) == 0 && places_same(a, b));
}

struct settling {
	const struct registry *registry;
	struct set_edit *edit;
	struct set_edit *named;
	struct registry_changes *changes;
};

/* Put addresses where *nowp has host names. */
static void place(const struct settling *at, const struct key *key,
		  struct resource **nowp)
{
	const struct registry *registry = at->registry;

	if (registry->address == NULL)
		return;
	struct resource *made =
		*nowp != NULL ? places_resolved(*nowp, registry->address, registry->owner)
			      : NULL;
	if (made == NULL) {
		(void)set_del(at->named, key);
		return;
	}
	set_put(at->named, *nowp);
	resource_drop(nowp);
	*nowp = made;
}

/* A part differs on a key: does what counts differ too? */
static void settle(void *ctx, const struct resource *before, const struct resource *after)
{
	const struct settling *at = ctx;
	const struct key *key = before != NULL ? &before->key : &after->key;
	const struct resource *old = set_get(at->registry->all, key);
	struct resource *now = settled(at->registry, key);

	place(at, key, &now);
	if (!is_same(old, now)) {
		if (now != NULL)
			set_put(at->edit, now);
		else
			(void)set_del(at->edit, key);
		note(at->changes, old, now);
		at->changes->meshes = at->changes->meshes || key->kind == KIND_MESH;
	}
	resource_drop(&now);
}

static struct settling begin(struct registry *registry, struct registry_changes *changes)
{
	return (struct settling){ registry, set_edit(registry->all),
				  set_edit(registry->named), changes };
}

static void end(struct registry *registry, struct settling *at)
{
	set_drop(&registry->all);
	set_drop(&registry->named);
	registry->all = set_done(&at->edit);
	registry->named = set_done(&at->named);
	if (inventory_fits(registry->inventory, registry->all))
		return;
	at->changes->inventory = true;
	struct inventory *before = registry->inventory;
	registry->inventory = inventory_update(before, registry->all);
	inventory_drop(&before);
}

void registry_update(struct registry *registry, enum registry_part part,
		     const struct set *set, struct registry_changes *changes)
{
	struct set *old = registry->parts[part];
	struct settling at = begin(registry, changes);

	registry->parts[part] = set_hold(set);
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++)
		set_diff(old, set, (enum kind)kind, settle, &at);
	set_drop(&old);
	end(registry, &at);
}

static const enum kind PLACED[] = { KIND_DATAPLANE, KIND_ZONE_INGRESS, KIND_ZONE_EGRESS };

void registry_renamed(struct registry *registry, const char *name,
		      struct registry_changes *changes)
{
	struct settling at = begin(registry, changes);

	for (size_t i = 0; i < sizeof(PLACED) / sizeof(PLACED[0]); i++) {
		struct set_iter each = set_each(registry->named, PLACED[i], NULL);
		const struct resource *res;

		while ((res = set_next(&each)) != NULL)
			if (places_name(res, name))
				settle(&at, res, res);
	}
	end(registry, &at);
}

bool registry_has_name(const struct registry *registry, const char *name)
{
	for (size_t i = 0; i < sizeof(PLACED) / sizeof(PLACED[0]); i++) {
		struct set_iter each = set_each(registry->named, PLACED[i], NULL);
		const struct resource *res;

		while ((res = set_next(&each)) != NULL)
			if (places_name(res, name))
				return true;
	}
	return false;
}

void registry_changes_free(struct registry_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		resource_drop(&changes->items[i].old);
		resource_drop(&changes->items[i].now);
	}
	free(changes->items);
	*changes = (struct registry_changes){ 0 };
}

/* ---- what the zone offers ---- */

static struct tree *services_tree(const struct available_service *services, size_t count,
				  struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < count; i++) {
		struct tree *one = tree_map(arena);
		struct tree *tags = tree_map(arena);
		for (size_t t = 0; t < services[i].tags.count; t++)
			tree_set(arena, tags, services[i].tags.items[t].key,
				 tree_text(arena, services[i].tags.items[t].value));
		tree_set(arena, one, "mesh", tree_text(arena, services[i].mesh));
		tree_set(arena, one, "instances",
			 tree_int(arena, (int64_t)services[i].instances));
		tree_set(arena, one, "tags", tags);
		tree_push(arena, list, one);
	}
	return list;
}

/* The ZoneIngress with the zone's records, held; NULL where that cannot be made. */
static struct resource *with_services(const struct registry *registry,
				      const struct resource *ingress)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_buf json = { 0 };
	struct resource *res = NULL;
	size_t count;
	const struct available_service *services =
		inventory_offer(registry->inventory, arena, &count);
	struct tree *doc = resource_tree(ingress, arena);
	const struct tree *spec = tree_get(doc, "spec");
	struct tree *fields = doc;

	for (size_t i = 0; spec != NULL && i < doc->count; i++)
		if (doc->members[i].value == spec)
			fields = doc->members[i].value;
	tree_set(arena, fields, "availableServices",
		 services_tree(services, count, arena));
	tree_json(doc, &json);
	if (resource_from_json(json.data, json.len, &res, NULL) != ZL_OK)
		res = NULL;
	zl_buf_free(&json);
	zl_arena_free(&arena);
	return res;
}

static void keep(struct registry *registry, const struct resource *res, const char *why)
{
	struct registry_kept kept = { resource_hold(res), why };

	if (registry->kept_count == registry->kept_room) {
		registry->kept_room =
			registry->kept_room == 0 ? 4 : 2 * registry->kept_room;
		registry->kept = zl_realloc(registry->kept, registry->kept_room,
					    sizeof(*registry->kept));
	}
	registry->kept[registry->kept_count++] = kept;
}

/* res joins the offer, as far as global takes so much. */
static void offer_one(struct registry *registry, struct set_edit *edit,
		      struct travel_load *load, const struct resource *res)
{
	struct resource *out =
		res->key.kind == KIND_ZONE_INGRESS ? with_services(registry, res)
		: kind_keeps_status(res->key.kind) ? resource_with_status(res, NULL)
						   : resource_hold(res);

	if (out == NULL) {
		keep(registry, res, "with the services of the zone it is over 1 MiB");
		return;
	}
	size_t size = travel_size(out);
	const char *why = travel_overload(load, size, 1);
	if (why != NULL) {
		keep(registry, res, why);
	} else {
		load->resources++;
		load->bytes += size;
		set_put(edit, out);
	}
	resource_drop(&out);
}

/* What stands first in the order of keys goes first: ingresses before policies. */
static struct set *offer_set(struct registry *registry)
{
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);
	struct travel_load load = { 0 };

	set_drop(&empty);
	drop_kept(registry);
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(registry->all, (enum kind)kind, NULL);
		const struct resource *res;
		while (kind_info((enum kind)kind)->to_global &&
		       (res = set_next(&each)) != NULL)
			if (travel_goes_up(res, registry->zone))
				offer_one(registry, edit, &load, res);
	}
	return set_done(&edit);
}

struct ops {
	struct op *items;
	size_t count;
	struct zl_arena *arena;
};

static void add_op(struct ops *ops, const struct resource *res, bool deleted)
{
	struct zl_buf key = { 0 };
	struct op *op = &ops->items[ops->count++];

	key_bytes(&res->key, &key);
	*op = (struct op){ .key = zl_arena_memdup(ops->arena, key.data, key.len),
			   .key_len = key.len,
			   .deleted = deleted };
	if (!deleted) {
		op->value = zl_arena_memdup(ops->arena, res->json, res->json_len);
		op->value_len = res->json_len;
	}
	zl_buf_free(&key);
}

static size_t count_all(const struct set *set)
{
	size_t count = 0;

	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++)
		count += set_count(set, (enum kind)kind);
	return count;
}

const struct op *registry_offer(struct registry *registry, bool full,
				struct zl_arena *arena, size_t *count)
{
	struct set *now = offer_set(registry);
	size_t room = count_all(now) + count_all(registry->offer);
	struct ops ops = { zl_arena_alloc(arena, room, sizeof(struct op)), 0, arena };

	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(now, (enum kind)kind, NULL);
		const struct resource *res;
		while ((res = set_next(&each)) != NULL) {
			const struct resource *old = set_get(registry->offer, &res->key);
			if (full || old == NULL || old->json_len != res->json_len ||
			    memcmp(old->json, res->json, res->json_len) != 0)
				add_op(&ops, res, false);
		}
		each = set_each(registry->offer, (enum kind)kind, NULL);
		while (!full && (res = set_next(&each)) != NULL)
			if (set_get(now, &res->key) == NULL)
				add_op(&ops, res, true);
	}
	set_drop(&registry->offer);
	registry->offer = now;
	*count = ops.count;
	return ops.items;
}

void registry_all(const struct registry *registry, struct registry_changes *changes)
{
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(registry->all, (enum kind)kind, NULL);
		const struct resource *res;
		while ((res = set_next(&each)) != NULL)
			note(changes, NULL, res);
	}
}
