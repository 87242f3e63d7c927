#include "zone/services/differ.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct deriving {
	const struct services_view *view;
	struct services_plan *plan;
	const struct differ *differ;
	struct zl_arena *arena; /* of one service */
};

static void add(const struct deriving *at, const struct key *key, struct resource *now,
		const struct resource *old)
{
	struct services_plan *plan = at->plan;
	const struct key *of = now != NULL ? &now->key : key;

	for (size_t i = 0; i < plan->count; i++)
		if (key_compare(&plan->items[i].key, of) == 0) {
			resource_drop(&now); /* decided already, and alike */
			return;
		}
	if (plan->count == SERVICES_AT_ONCE) {
		plan->more = true;
		resource_drop(&now);
		return;
	}
	plan->items[plan->count++] = (struct services_change){
		.key = *of, .now = now, .rev = old != NULL ? old->mod_rev : 0
	};
}

static bool is_asked_for(const struct services_view *view, const char *mesh)
{
	return set_mesh(view->all, mesh)->services != MESH_SERVICES_DISABLED;
}

/* What the zone's store has for a service. */
static const struct resource *stored(const struct services_view *view, const char *mesh,
				     const char *name)
{
	const struct key key = { KIND_MESH_SERVICE, mesh, view->zone, "", name };

	return set_get(view->local, &key);
}

/* ---- what there should be ---- */
static void consider(const struct deriving *at, const struct service *service)
{
	const struct services_view *view = at->view;
	const struct resource *old = stored(view, service->mesh, service->name);

	if (service->local_count == 0)
		return; /* see look_at_stored */
	struct resource *want =
		object_derive(view->inventory, service, at->arena, view->warn, view->ctx);
	if (want == NULL) {
		/* Not asked for, or there is one that people wrote. */
		if (old != NULL && object_is_derived(old))
			add(at, &old->key, NULL, old);
	} else if (old == NULL || (object_is_derived(old) &&
				   (old->json_len != want->json_len ||
				    memcmp(old->json, want->json, old->json_len) != 0))) {
		add(at, NULL, want, old);
		want = NULL;
	}
	resource_drop(&want);
	zl_arena_reset(at->arena);
}

/* ---- what there should not be any more ---- */
static void grace_text(uint64_t at_s, char text[32])
{
	time_t at = (time_t)at_s;
	struct tm parts;

	(void)gmtime_r(&at, &parts);
	(void)strftime(text, 32, "%Y%m%dT%H%M%SZ", &parts);
}

/* False: res has no such label, or nobody can read it. */
static bool grace_began(const struct resource *res, uint64_t *at_s)
{
	const char *text = labels_get(res->labels, LABEL_GRACE);
	struct tm parts = { 0 };
	const char *end = text != NULL ? strptime(text, "%Y%m%dT%H%M%SZ", &parts) : NULL;
	time_t at = end != NULL && *end == '\0' ? timegm(&parts) : -1;

	*at_s = at > 0 ? (uint64_t)at : 0;
	return at > 0;
}

/* The Dataplanes of a derived object are gone. */
static void let_go(const struct deriving *at, const struct resource *old)
{
	const struct services_view *view = at->view;
	uint64_t began_s;
	char text[32];

	if (view->grace_s == 0) {
		add(at, &old->key, NULL, old);
		return;
	}
	/* A clock that was put back begins it anew. */
	if (!grace_began(old, &began_s) || began_s > view->now_s) {
		grace_text(view->now_s, text);
		const struct label label = { LABEL_GRACE, text };
		add(at, NULL, resource_relabel(old, &label, 1), old);
		began_s = view->now_s;
	} else if (view->now_s - began_s >= view->grace_s) {
		add(at, &old->key, NULL, old);
		return;
	}
	uint64_t left = view->grace_s - (view->now_s - began_s);
	if (at->plan->again_s == 0 || left < at->plan->again_s)
		at->plan->again_s = left;
}

static void look_at_stored(const struct deriving *at, const struct resource *old)
{
	const struct services_view *view = at->view;
	const struct service *service =
		inventory_find(view->inventory, old->key.mesh, old->key.name);
	const struct resource *shown = set_get(view->all, &old->key);
	bool by_hand = shown != NULL && !object_is_derived(shown);

	if (service != NULL && service->local_count > 0)
		return; /* consider has seen it */
	if (by_hand || !is_asked_for(view, old->key.mesh))
		add(at, &old->key, NULL, old);
	else
		let_go(at, old);
}

/* An object of the zone differs, so the service of its name may want another one. */
static void consider_named(void *ctx, const struct resource *old,
			   const struct resource *now)
{
	const struct deriving *at = ctx;
	const struct services_view *view = at->view;
	const struct key *key = now != NULL ? &now->key : &old->key;
	const struct service *service =
		inventory_find(view->inventory, key->mesh, key->name);
	const struct resource *there = stored(view, key->mesh, key->name);

	if (strcmp(key->zone, view->zone) != 0)
		return;
	if (service != NULL)
		consider(at, service);
	if (there != NULL && object_is_derived(there))
		look_at_stored(at, there);
}

static void consider_differing(const struct deriving *at)
{
	const struct inventory *inventory = at->view->inventory;
	const struct differ *differ = at->differ;

	for (size_t i = 0; differ->all && i < inventory_count(inventory); i++)
		consider(at, inventory_at(inventory, i));
	for (size_t i = 0; !differ->all && i < differ->count; i++) {
		const struct service *service = inventory_find(
			inventory, differ->names[i].mesh, differ->names[i].name);
		if (service != NULL)
			consider(at, service);
	}
}

/* Those whose services are others, and those whose time may be over. */
static void look_at_all_stored(const struct deriving *at)
{
	struct set_iter each = set_each(at->view->local, KIND_MESH_SERVICE, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		if ((labels_get(res->labels, LABEL_GRACE) != NULL ||
		     differ_has(at->differ, res->key.mesh, res->key.name)) &&
		    object_is_derived(res))
			look_at_stored(at, res);
}

/* Does a Mesh ask for them, or is there one that may have to go? */
static bool is_of_use(const struct services_view *view)
{
	struct set_iter each = set_each(view->all, KIND_MESH, NULL);
	const struct resource *mesh;

	while ((mesh = set_next(&each)) != NULL)
		if (mesh->mesh->services != MESH_SERVICES_DISABLED)
			return true;
	return set_count(view->local, KIND_MESH_SERVICE) > 0;
}

void plan_of(const struct services_view *view, const struct differ *differ,
	     struct services_plan *plan)
{
	struct deriving at = { view, plan, differ, zl_arena_new() };

	plan->count = 0;
	plan->more = false;
	plan->again_s = 0;
	if (is_of_use(view)) {
		consider_differing(&at);
		if (!differ->all)
			set_diff(view->all_before, view->all, KIND_MESH_SERVICE,
				 consider_named, &at);
		look_at_all_stored(&at);
	}
	zl_arena_free(&at.arena);
}

struct set *services_decide(const struct services_view *view, const struct set *states,
			    struct services_plan *plan)
{
	struct zl_arena *arena = zl_arena_new();
	const struct differ differ = differ_of(view, arena);
	struct set *now = states_of(view, &differ, states);

	if (plan != NULL)
		plan_of(view, &differ, plan);
	zl_arena_free(&arena);
	return now;
}

void services_plan_free(struct services_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		resource_drop(&plan->items[i].now);
	plan->count = 0;
}
