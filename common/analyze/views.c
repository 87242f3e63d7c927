#include "analyze/analysis.h"

#include "model/nearest.h"

#include <string.h>

/* ---- whose eyes ---- */
static void add_view(struct analysis *at, const char *zone)
{
	for (size_t i = 0; i < at->view_count; i++)
		if (strcmp(at->views[i].zone, zone) == 0)
			return;
	at->views[at->view_count++] =
		(struct view){ .zone = zone,
			       .inventory = inventory_build(at->set, zone),
			       .index = policy_index_new(at->set, zone) };
}

static void add_views(struct analysis *at, enum kind kind)
{
	struct set_iter each = set_each(at->set, kind, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		if (res->key.zone[0] != '\0')
			add_view(at, res->key.zone);
}

void views_open(struct analysis *at, const char *zone)
{
	size_t room = 1 + set_count(at->set, KIND_DATAPLANE) +
		      set_count(at->set, KIND_MESH_TCP_ROUTE);

	at->views = zl_arena_alloc(at->arena, room, sizeof(*at->views));
	if (zone[0] != '\0') {
		add_view(at, zone);
		return;
	}
	add_views(at, KIND_DATAPLANE);
	add_views(at, KIND_MESH_TCP_ROUTE);
	if (at->view_count == 0)
		add_view(at, "");
}

void views_close(struct analysis *at)
{
	for (size_t i = 0; i < at->view_count; i++) {
		inventory_drop(&at->views[i].inventory);
		policy_index_drop(&at->views[i].index);
	}
}

/* ---- what they see ---- */
bool views_know(const struct analysis *at, const char *mesh, const char *service)
{
	for (size_t i = 0; i < at->view_count; i++)
		if (inventory_find(at->views[i].inventory, mesh, service) != NULL)
			return true;
	return false;
}

/* In a zone without a name its own instances may be of any zone. */
static bool local_has(const struct view *view, struct labels want,
		      const struct local *local)
{
	const char *zone = labels_get(want, TAG_ZONE);
	struct labels have = local->tags;

	for (size_t i = 0; i < want.count; i++) {
		const struct label *tag = &want.items[i];
		const char *value = labels_get(have, tag->key);

		if (tag->value == zone && view->zone[0] == '\0')
			continue;
		if (value == NULL ||
		    (strcmp(tag->value, "*") != 0 && strcmp(tag->value, value) != 0))
			return false;
	}
	return true;
}

static bool view_offers(const struct view *view, const struct service *service,
			struct labels tags)
{
	for (size_t i = 0; i < service->local_count; i++)
		if (local_has(view, tags, &service->locals[i]))
			return true;
	for (size_t i = 0; i < service->remote_count; i++)
		if (labels_match(tags, service->remotes[i].tags, true))
			return true;
	return false;
}

bool views_offer(const struct analysis *at, const char *mesh, const char *service,
		 struct labels tags)
{
	for (size_t i = 0; i < at->view_count; i++) {
		const struct view *view = &at->views[i];
		const struct service *found =
			inventory_find(view->inventory, mesh, service);

		if (found != NULL && view_offers(view, found, tags))
			return true;
	}
	return false;
}

struct reach view_reach(const struct view *view, const char *mesh, const char *service,
			struct labels tags)
{
	const struct service *found = inventory_find(view->inventory, mesh, service);
	struct reach reach = { 0 };

	for (size_t i = 0; found != NULL && i < found->local_count; i++)
		if (found->locals[i].ready && local_has(view, tags, &found->locals[i]))
			reach.local++;
	for (size_t i = 0; found != NULL && i < found->remote_count; i++)
		if (found->remotes[i].address[0] != '\0' &&
		    found->remotes[i].instances > 0 &&
		    labels_match(tags, found->remotes[i].tags, true))
			reach.remote++;
	return reach;
}

static bool ingress_lists(const struct resource *ingress, const char *mesh,
			  const char *service)
{
	const struct zone_ingress_spec *spec = ingress->ingress;

	for (size_t i = 0; i < spec->service_count; i++) {
		const char *name = labels_get(spec->services[i].tags, TAG_SERVICE);

		if (name != NULL && strcmp(name, service) == 0 &&
		    strcmp(spec->services[i].mesh, mesh) == 0)
			return true;
	}
	return false;
}

const char *views_disabled(const struct analysis *at, const char *mesh,
			   const char *service)
{
	struct set_iter each = set_each(at->set, KIND_ZONE_INGRESS, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL) {
		const char *zone = ingress_zone(res, "");

		if (!zone_is_enabled(at->set, zone) && ingress_lists(res, mesh, service))
			return zone;
	}
	return NULL;
}

const char *views_nearest(const struct analysis *at, const char *mesh,
			  const char *service)
{
	struct nearest nearest = nearest_to(service);

	for (size_t i = 0; i < at->view_count; i++) {
		const struct inventory *inventory = at->views[i].inventory;

		for (size_t j = 0; j < inventory_count(inventory); j++) {
			const struct service *known = inventory_at(inventory, j);

			if (strcmp(known->mesh, mesh) == 0)
				nearest_try(&nearest, known->name);
		}
	}
	return nearest.found == NULL ? NULL : zl_arena_strdup(at->arena, nearest.found);
}
