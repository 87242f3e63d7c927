#include "analyze/analysis.h"

#include "model/nearest.h"

#include <string.h>

/* ---- whose eyes ---- */
static void add_view(struct analysis *at, const char *zone)
{
	for (size_t i = 0; i < at->view_count; i++)
		if (strcmp(at->views[i].zone, zone) == 0)
			return;
	at->views[at->view_count++] = (struct view){ .zone = zone };
}

static void add_views(struct analysis *at, enum kind kind)
{
	struct set_iter each = set_each(at->set, kind, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		if (res->key.zone[0] != '\0')
			add_view(at, res->key.zone);
}

/* What each zone makes of its Dataplanes (meshServices.mode). */
static void derive_all(struct analysis *at)
{
	struct set_iter each = set_each(at->set, KIND_MESH, NULL);
	struct set_edit *edit = set_edit(at->set);
	const struct resource *mesh;
	size_t made = 0;

	while ((mesh = set_next(&each)) != NULL) {
		if (mesh->mesh->services == MESH_SERVICES_DISABLED)
			continue;
		for (size_t i = 0; i < at->view_count; i++) {
			size_t count;
			struct resource **all =
				objects_derive(at->set, at->views[i].zone, mesh->key.name,
					       at->arena, &count, NULL, NULL);
			made += count;
			for (size_t j = 0; j < count; j++) {
				set_put(edit, all[j]);
				resource_drop(&all[j]);
			}
		}
	}
	if (made == 0) {
		set_discard(&edit);
		return;
	}
	at->derived = set_done(&edit);
	at->set = at->derived;
}

/* What zones write themselves. */
static bool is_written(enum kind kind)
{
	return kind == KIND_DATAPLANE || kind == KIND_MESH_SERVICE ||
	       kind == KIND_MESH_GATEWAY || kind_info(kind)->policy;
}

static void find_views(struct analysis *at, const char *zone)
{
	size_t room = 1;

	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++)
		room += is_written(kind) ? set_count(at->set, kind) : 0;
	at->views = zl_arena_alloc(at->arena, room, sizeof(*at->views));
	if (zone[0] != '\0') {
		add_view(at, zone);
		return;
	}
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++)
		if (is_written(kind))
			add_views(at, kind);
	if (at->view_count == 0)
		add_view(at, "");
}

void views_open(struct analysis *at, const char *zone)
{
	find_views(at, zone);
	derive_all(at);
	for (size_t i = 0; i < at->view_count; i++) {
		struct view *view = &at->views[i];

		view->inventory = inventory_build(at->set, view->zone);
		view->index = policy_index_new(at->set, view->zone);
	}
}

void views_close(struct analysis *at)
{
	for (size_t i = 0; i < at->view_count; i++) {
		inventory_drop(&at->views[i].inventory);
		policy_index_drop(&at->views[i].index);
	}
	set_drop(&at->derived);
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

/* ---- objects ---- */
enum kind object_kind_of(enum ref_kind kind)
{
	switch (kind) {
	case REF_MESH_SERVICE:
		return KIND_MESH_SERVICE;
	case REF_MESH_MULTI_ZONE_SERVICE:
		return KIND_MESH_MULTI_ZONE_SERVICE;
	case REF_MESH_EXTERNAL_SERVICE:
		return KIND_MESH_EXTERNAL_SERVICE;
	default:
		return KIND_NONE;
	}
}

static struct meant view_object(const struct analysis *at, const struct view *view,
				const char *mesh, const char *ns,
				const struct target_ref *ref)
{
	enum kind kind = object_kind_of(ref->kind);
	struct meant meant = { 0 };
	bool several;

	if (ref->labels.count > 0) {
		const struct resource *const *all =
			objects_by_labels(view->inventory, kind, mesh, ref->labels,
					  at->arena, &meant.candidates);
		meant.object = meant.candidates > 0 ? all[0] : NULL;
	} else {
		meant.object = object_by_name(view->inventory, kind, mesh,
					      ref->ns[0] != '\0' ? ref->ns : ns,
					      ref->name, &several);
	}
	meant.has_port = meant.object != NULL &&
			 object_port_find(meant.object, ref->section, ref->port,
					  at->arena, &meant.port);
	return meant;
}

struct meant views_object(const struct analysis *at, const char *mesh, const char *ns,
			  const struct target_ref *ref)
{
	struct meant best = { 0 };

	if (object_kind_of(ref->kind) == KIND_NONE)
		return best;
	for (size_t i = 0; i < at->view_count && !best.has_port; i++) {
		struct meant meant = view_object(at, &at->views[i], mesh, ns, ref);
		if (meant.object != NULL)
			best = meant;
	}
	return best;
}

struct reach view_object_reach(const struct analysis *at, const struct view *view,
			       const struct meant *meant)
{
	const struct service *found =
		object_service(view->inventory, meant->object, &meant->port, at->arena);
	struct reach reach = { 0 };

	for (size_t i = 0; i < found->local_count; i++)
		reach.local += found->locals[i].ready;
	for (size_t i = 0; i < found->remote_count; i++)
		reach.remote += found->remotes[i].address[0] != '\0' &&
				found->remotes[i].instances > 0;
	return reach;
}

/* ---- disabled zones ---- */
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
