#include "zone/inventory/places.h"

#include "base/addr.h"
#include "model/tree.h"

#include <string.h>

/* The two addresses of a resource, "" for one that it has not. */
struct places {
	const char *bound, *dialled;
};

static struct places places_of(const struct resource *res)
{
	if (res->key.kind == KIND_DATAPLANE)
		return (struct places){ res->dataplane->address,
					res->dataplane->advertised };
	if (res->key.kind == KIND_ZONE_INGRESS)
		return (struct places){ res->ingress->address, res->ingress->advertised };
	if (res->key.kind == KIND_ZONE_EGRESS)
		return (struct places){ res->egress->address, "" };
	return (struct places){ "", "" };
}

static bool is_name(const char *address)
{
	return address[0] != '\0' && !zl_is_ip(address);
}

bool places_name(const struct resource *res, const char *name)
{
	struct places at = places_of(res);

	return strcmp(at.bound, name) == 0 || strcmp(at.dialled, name) == 0;
}

/* What is not ready has names where the other has addresses. */
bool places_same(const struct resource *a, const struct resource *b)
{
	struct places one = places_of(a);
	struct places other = places_of(b);

	return strcmp(one.bound, other.bound) == 0 &&
	       strcmp(one.dialled, other.dialled) == 0;
}

/* ---- the copy ---- */

/* The member of map that has a value, for who changes it. */
static struct tree *member(struct tree *map, const char *key)
{
	for (size_t i = 0; map != NULL && i < map->count; i++)
		if (strcmp(map->members[i].key, key) == 0)
			return map->members[i].value;
	return NULL;
}

static void set_not_ready(struct tree *networking, struct zl_arena *arena)
{
	struct tree *list = member(networking, "inbound");

	for (size_t i = 0; list != NULL && i < list->count; i++) {
		const struct tree *state = tree_get(list->items[i], "state");

		if (state == NULL || strcmp(state->text, "Ignored") != 0)
			tree_set(arena, list->items[i], "state",
				 tree_text(arena, "NotReady"));
	}
}

static void set_text(struct tree *map, const char *field, const char *text,
		     struct zl_arena *arena)
{
	static const struct tree NOTHING = { .type = TREE_NULL };
	struct tree *value = text != NULL
				     ? tree_text(arena, text)
				     : zl_arena_memdup(arena, &NOTHING, sizeof(NOTHING));

	tree_set(arena, map, field, value);
}

static struct resource *copy(const struct resource *res, const struct tree *doc)
{
	struct zl_buf json = { 0 };
	struct resource *made = NULL;

	tree_json(doc, &json);
	if (resource_from_json(json.data, json.len, &made, NULL) == ZL_OK) {
		made->json = zl_arena_strndup(made->arena, res->json, res->json_len);
		made->json_len = res->json_len;
		made->mod_rev = res->mod_rev;
		made->create_rev = res->create_rev;
		made->mod_wall_us = res->mod_wall_us;
	}
	zl_buf_free(&json);
	return made;
}

struct resource *places_resolved(const struct resource *res,
				 const char *(*address)(void *owner, const char *name),
				 void *owner)
{
	struct places at = places_of(res);

	if (!is_name(at.bound) && !is_name(at.dialled))
		return NULL;
	struct zl_arena *arena = zl_arena_new();
	struct tree *doc = resource_tree(res, arena);
	struct tree *spec = member(doc, "spec");
	struct tree *networking = member(spec != NULL ? spec : doc, "networking");
	const char *bound = is_name(at.bound) ? address(owner, at.bound) : NULL;
	const char *dialled = is_name(at.dialled) ? address(owner, at.dialled) : NULL;

	if (bound != NULL)
		set_text(networking, "address", bound, arena);
	if (dialled != NULL)
		set_text(networking, "advertisedAddress", dialled, arena);
	bool unknown = (is_name(at.bound) && bound == NULL) ||
		       (is_name(at.dialled) && dialled == NULL);
	if (unknown && res->key.kind == KIND_DATAPLANE)
		set_not_ready(networking, arena);
	if (is_name(at.dialled) && dialled == NULL &&
	    res->key.kind == KIND_ZONE_INGRESS) {
		set_text(networking, "advertisedAddress", NULL, arena);
		set_text(networking, "advertisedPort", NULL, arena);
	}
	struct resource *made = copy(res, doc);
	zl_arena_free(&arena);
	return made;
}
