/* State and identities of the zone's MeshServices. */
#include "zone/services/differ.h"

#include "model/tree.h"

#include <stdlib.h>
#include <string.h>

struct matched {
	const char **services; /* values of kuma.io/service; in arena */
	size_t count, room;
	bool available;
};

static void add_service(struct matched *to, const char *service, struct zl_arena *arena)
{
	to->services = zl_arena_more(arena, to->services, to->count, &to->room,
				     sizeof(*to->services));
	to->services[to->count++] = service;
}

/* A proxy proves all services of its inbounds. */
static void add_dataplane(struct matched *to, const struct resource *res,
			  struct zl_arena *arena)
{
	const struct dataplane_spec *spec = res->dataplane;

	for (size_t i = 0; i < spec->inbound_count; i++) {
		const char *service = labels_get(spec->inbounds[i].tags, TAG_SERVICE);
		bool same = to->count > 0 && service != NULL &&
			    strcmp(to->services[to->count - 1], service) == 0;
		if (service != NULL && !same)
			add_service(to, service, arena);
	}
}

static int by_text(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

static struct matched match(const struct services_view *view,
			    const struct resource *object, struct zl_arena *arena)
{
	size_t ports = object_port_count(object);
	struct matched found = { .available = ports > 0 };

	for (size_t i = 0; i < ports; i++) {
		const struct object_port port = object_port_at(object, i, arena);
		const struct service *service =
			object_service(view->inventory, object, &port, arena);
		bool ready = false;
		for (size_t j = 0; j < service->local_count; j++) {
			const struct local *local = &service->locals[j];
			ready = ready || local->ready;
			add_dataplane(&found, local->dataplane, arena);
		}
		found.available = found.available && ready;
	}
	if (found.count > 0)
		qsort(found.services, found.count, sizeof(*found.services), by_text);
	return found;
}

static struct tree *spec_tree(const struct matched *found, struct zl_arena *arena)
{
	struct tree *spec = tree_map(arena);
	struct tree *identities = tree_list(arena);

	for (size_t i = 0; i < found->count; i++) {
		struct tree *one = tree_map(arena);
		if (i > 0 && strcmp(found->services[i - 1], found->services[i]) == 0)
			continue;
		tree_set(arena, one, "type", tree_text(arena, "ServiceTag"));
		tree_set(arena, one, "value", tree_text(arena, found->services[i]));
		tree_push(arena, identities, one);
	}
	tree_set(arena, spec, "state",
		 tree_text(arena, found->available ? "Available" : "Unavailable"));
	tree_set(arena, spec, "identities", identities);
	return spec;
}

/* NULL: where that cannot be made. */
static struct resource *state_of(const struct services_view *view,
				 const struct resource *object)
{
	struct zl_arena *arena = zl_arena_new();
	const struct matched found = match(view, object, arena);
	const struct tree *from = resource_tree(object, arena);
	struct tree *doc = tree_map(arena);
	struct resource *made = NULL;
	struct zl_buf json = { 0 };

	for (size_t i = 0; i < from->count; i++)
		if (strcmp(from->members[i].key, "status") != 0)
			tree_set(arena, doc, from->members[i].key,
				 from->members[i].value);
	tree_set(arena, doc, "spec", spec_tree(&found, arena));
	tree_json(doc, &json);
	if (resource_from_json(json.data, json.len, &made, NULL) != ZL_OK)
		made = NULL;
	zl_buf_free(&json);
	zl_arena_free(&arena);
	return made;
}

static bool is_same(const struct resource *a, const struct resource *b)
{
	return a->json_len == b->json_len && memcmp(a->json, b->json, a->json_len) == 0;
}

struct working {
	const struct services_view *view;
	const struct set *before;
	struct set_edit *edit;
};

static void work_out(const struct working *at, const struct resource *object)
{
	const struct resource *old = set_get(at->before, &object->key);

	if (!object_is_local(at->view->inventory, object))
		return;
	struct resource *now = state_of(at->view, object);
	if (now != NULL && (old == NULL || !is_same(old, now)))
		set_put(at->edit, now);
	resource_drop(&now);
}

static void object_differs(void *ctx, const struct resource *old,
			   const struct resource *now)
{
	const struct working *at = ctx;

	if (now != NULL)
		work_out(at, now);
	else
		(void)set_del(at->edit, &old->key);
}

/* True if its Dataplanes may be others: it stands and falls with the services that its
 * selector leads to. */
static bool may_differ(const struct services_view *view, const struct differ *differ,
		       const struct resource *object)
{
	const char *service = labels_get(object->mesh_service->tags, TAG_SERVICE);

	if (service != NULL)
		return differ_has(differ, object->key.mesh, service);
	return differ->all ||
	       !object_same(view->inventory_before, view->inventory, &object->key);
}

struct set *states_of(const struct services_view *view, const struct differ *differ,
		      const struct set *before)
{
	struct set *empty = set_empty();
	/* What is worked out anew begins with nothing. */
	const struct set *from = differ->all ? empty : before;
	struct working at = { view, from, set_edit(from) };
	struct set_iter each = set_each(view->all, KIND_MESH_SERVICE, NULL);
	const struct resource *object;

	if (!differ->all)
		set_diff(view->all_before, view->all, KIND_MESH_SERVICE, object_differs,
			 &at);
	while ((object = set_next(&each)) != NULL)
		if (may_differ(view, differ, object))
			work_out(&at, object);
	set_drop(&empty);
	return set_done(&at.edit);
}
