#include "policy/asked.h"
#include "policy/index.h"
#include "policy/policy.h"
#include "policy/refs.h"
#include "policy/subsets.h"
#include "policy/target.h"
#include "policy/trust.h"

#include "inventory/objects.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What one Envoy is made to hold: some hundred bytes a server name. */
enum { SUBSETS_MAX = 1024, PASSAGES_MAX = 16384 };

/* What is left out first when there are too many. */
enum { RANK_SERVICE, RANK_PART };

struct ranked {
	struct passage passage;
	size_t rank; /* RANK_PART and more: by the number of tags */
};

struct offering {
	struct resolving at;
	const struct asked *asked; /* by the routes of the mesh */
	size_t asked_count;
	struct ranked *items; /* owned */
	size_t count, room;
	size_t next; /* service of the inventory */
};

static void warn(struct offering *to, const char *text)
{
	resolving_warn(&to->at, zl_arena_format(to->at.arena, "mesh \"%s\": %s",
						to->at.mesh_name, text));
}

static void add_passage(struct offering *to, size_t rank, const char *sni,
			const struct backend *backend)
{
	if (to->count == to->room) {
		to->room = to->room == 0 ? 256 : 2 * to->room;
		to->items = zl_realloc(to->items, to->room, sizeof(*to->items));
	}
	to->items[to->count++] =
		(struct ranked){ { to->at.mesh_name, sni, backend }, rank };
}

/* The Ready inbounds of this zone that have tags. Nobody chooses among them: they weigh
 * the same, and their own tags are not said. */
static void lead_here(struct offering *to, struct backend *backend,
		      const struct service *service, struct labels tags)
{
	struct endpoint *items =
		zl_arena_alloc(to->at.arena, service->local_count, sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < service->local_count; i++) {
		const struct local *at = &service->locals[i];
		const struct endpoint *last = count == 0 ? NULL : &items[count - 1];

		if (!at->ready || !labels_match(tags, at->tags, false))
			continue;
		/* One place is one endpoint, also while its Dataplane is renamed. */
		if (last == NULL || last->port != at->port ||
		    strcmp(last->address, at->address) != 0)
			items[count++] = (struct endpoint){ .zone = to->at.zone,
							    .address = at->address,
							    .port = at->port,
							    .weight = 1,
							    .via = VIA_DIRECT };
	}
	backend->endpoints = items;
	backend->endpoint_count = count;
}

/* ---- services ---- */

static const char *subset_text(struct offering *to, const char *service,
			       struct labels tags)
{
	return zl_arena_format(to->at.arena, "service \"%s\"%s%s", service,
			       tags.count > 0 ? " with tags " : "",
			       tags.count > 0 ? labels_text(tags, to->at.arena) : "");
}

/* One server name; what nobody asked for is not missed. */
static void offer_name(struct offering *to, const struct service *service,
		       const struct subset *subset, struct labels tags,
		       const struct backend *backend)
{
	const char *sni =
		trust_service_name(to->at.mesh_name, service->name, tags, to->at.arena);

	if (sni != NULL)
		add_passage(to, subset->asked ? RANK_SERVICE : RANK_PART + tags.count,
			    sni, backend);
	else if (subset->asked)
		warn(to, zl_arena_format(to->at.arena,
					 "%s is too long for a server name: other zones "
					 "cannot ask for it",
					 subset_text(to, service->name, tags)));
}

static void offer_subset(struct offering *to, const struct service *service,
			 const struct subset *subset)
{
	struct zl_arena *arena = to->at.arena;
	struct backend *backend = zl_arena_alloc(arena, 1, sizeof(*backend));

	*backend = (struct backend){
		.kind = subset->tags.count > 0 ? REF_MESH_SERVICE_SUBSET
					       : REF_MESH_SERVICE,
		.name = service->name,
		.ns = "",
		.tags = subset->tags,
		.weight = 1,
		.resolved = true,
		.reason = "",
		.section = "",
		.protocol = service->protocol,
	};
	backend->cluster =
		zl_arena_format(arena, "%s:%s", to->at.mesh_name,
				policy_cluster_name(service->name, subset->tags, arena));
	lead_here(to, backend, service, subset->tags);
	if (subset->plain)
		offer_name(to, service, subset, subset->tags, backend);
	if (subset->zoned)
		offer_name(to, service, subset,
			   labels_with(arena, subset->tags, TAG_ZONE, to->at.zone),
			   backend);
}

/* Tags of an instance that may be asked for, but kuma.io/zone; items has room. */
static struct labels asked_tags(struct labels tags, struct label *items)
{
	static const char *const OTHERS[] = { TAG_SERVICE, TAG_PROTOCOL, TAG_ZONE };
	size_t count = 0;

	for (size_t i = 0; i < tags.count; i++) {
		bool other = false;

		for (size_t k = 0; k < sizeof(OTHERS) / sizeof(OTHERS[0]); k++)
			other = other || strcmp(tags.items[i].key, OTHERS[k]) == 0;
		if (!other)
			items[count++] = tags.items[i];
	}
	return (struct labels){ items, count };
}

/* Tags in use, be it by instances that are not Ready now. */
static void add_in_use(struct subsets *to, const struct service *service)
{
	struct subsets in_use = { .arena = to->arena, .most = SIZE_MAX };
	struct label *items = NULL;
	size_t room = 0;

	for (size_t i = 0; i < service->local_count; i++) {
		struct labels tags = service->locals[i].tags;

		if (tags.count > room) {
			room = tags.count;
			items = zl_arena_alloc(to->arena, room, sizeof(*items));
		}
		const struct subset subset = { .tags = asked_tags(tags, items) };
		if (subsets_add(&in_use, &subset))
			subsets_add_parts(to, subset.tags);
	}
}

static bool has_any(struct labels tags)
{
	for (size_t i = 0; i < tags.count; i++)
		if (strcmp(tags.items[i].value, "*") == 0)
			return true;
	return false;
}

/* Envoy refuses a listener with a * in a server name. */
static void warn_of_any(struct offering *to, const char *service,
			const struct asked *asked)
{
	warn(to, zl_arena_format(to->at.arena,
				 "%s, which %s \"%s\" asks for, has no server name, as "
				 "there is none with a *: other zones cannot ask for it",
				 subset_text(to, service, asked->tags),
				 kind_info(asked->route->key.kind)->name,
				 asked->route->key.name));
}

/* What routes that name asks_of ask of service. */
static void add_asked(struct offering *to, struct subsets *subsets, const char *service,
		      const char *asks_of)
{
	size_t count;
	const struct asked *asked = asked_of(to->asked, to->asked_count, asks_of, &count);

	for (size_t i = 0; i < count; i++) {
		const char *zone = labels_get(asked[i].tags, TAG_ZONE);
		const struct subset subset = {
			.tags = labels_without(to->at.arena, asked[i].tags, TAG_ZONE),
			.plain = zone == NULL,
			.zoned = zone != NULL,
			.asked = true,
		};
		if (has_any(asked[i].tags))
			warn_of_any(to, service, &asked[i]);
		else if (zone == NULL || strcmp(zone, to->at.zone) == 0)
			(void)subsets_add(subsets, &subset);
	}
}

static void offer_service(struct offering *to, const struct service *service)
{
	static const struct subset ALL = { .plain = true, .zoned = true, .asked = true };
	struct subsets subsets = { .arena = to->at.arena, .most = SUBSETS_MAX };

	(void)subsets_add(&subsets, &ALL);
	add_asked(to, &subsets, service->name, service->name);
	add_asked(to, &subsets, service->name, "*");
	add_in_use(&subsets, service);
	for (size_t i = 0; i < subsets.count; i++)
		offer_subset(to, service, &subsets.items[i]);
	if (subsets.full)
		warn(to, zl_arena_format(to->at.arena,
					 "service \"%s\" has instances of too many "
					 "different tags: other zones can ask for %zu "
					 "of its subsets, not for all",
					 service->name, subsets.count));
}

/* Inventory and meshes are sorted alike. */
static void offer_services(struct offering *to)
{
	const struct inventory *inventory = to->at.inventory;

	for (; to->next < inventory_count(inventory); to->next++) {
		const struct service *service = inventory_at(inventory, to->next);
		int order = strcmp(service->mesh, to->at.mesh_name);

		if (order > 0)
			break;
		if (order == 0 && service->local_count > 0)
			offer_service(to, service);
	}
}

/* ---- objects ---- */

static bool is_offered(struct offering *to, const struct resource *object)
{
	const struct resource *const *members;
	size_t count;

	if (object->key.kind == KIND_MESH_SERVICE)
		return object_is_local(to->at.inventory, object);
	members = object_members(to->at.inventory, object, to->at.arena, &count);
	/* The own zone's come first. */
	return count > 0 && object_is_local(to->at.inventory, members[0]);
}

static void offer_port(struct offering *to, const struct resource *object,
		       const struct object_port *port)
{
	struct zl_arena *arena = to->at.arena;
	const char *sni = trust_object_name(object, port->section, arena);
	struct backend *backend = zl_arena_alloc(arena, 1, sizeof(*backend));

	if (sni == NULL) {
		warn(to,
		     zl_arena_format(arena,
				     "port %u of %s \"%s\" has no server name, as a "
				     "name is too long or has other letters than "
				     "a-z, 0-9 and '-': other zones cannot ask for it",
				     port->port, kind_info(object->key.kind)->name,
				     object->key.name));
		return;
	}
	*backend = (struct backend){
		.kind = object->key.kind == KIND_MESH_SERVICE
				? REF_MESH_SERVICE
				: REF_MESH_MULTI_ZONE_SERVICE,
		.name = object->key.name,
		.ns = object->key.ns,
		.weight = 1,
		.resolved = true,
		.reason = "",
		.object = object,
		.section = port->section,
		.port = port->port,
		.cluster = object_kri(object, port->section, arena),
		.protocol = port->protocol,
	};
	lead_here(to, backend, object_service(to->at.inventory, object, port, arena),
		  (struct labels){ 0 });
	add_passage(to, RANK_SERVICE, sni, backend);
}

static void offer_objects(struct offering *to, enum kind kind)
{
	size_t count;
	const struct resource *const *objects =
		objects_by_labels(to->at.inventory, kind, to->at.mesh_name,
				  (struct labels){ 0 }, to->at.arena, &count);

	for (size_t i = 0; i < count; i++) {
		size_t ports =
			is_offered(to, objects[i]) ? object_port_count(objects[i]) : 0;

		for (size_t k = 0; k < ports; k++) {
			const struct object_port port =
				object_port_at(objects[i], k, to->at.arena);
			offer_port(to, objects[i], &port);
		}
	}
}

/* ---- all of it ---- */

/* As Envoy compares them, the most wanted of equal ones first. */
static int by_folded_name(const void *one, const void *other)
{
	const struct ranked *a = one;
	const struct ranked *b = other;
	int order = strcasecmp(a->passage.sni, b->passage.sni);

	if (order == 0)
		order = (a->rank > b->rank) - (a->rank < b->rank);
	return order != 0 ? order : strcmp(a->passage.sni, b->passage.sni);
}

static int by_rank(const void *one, const void *other)
{
	const struct ranked *a = one;
	const struct ranked *b = other;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return by_folded_name(one, other);
}

static int by_name(const void *one, const void *other)
{
	const struct passage *a = one;
	const struct passage *b = other;

	return strcmp(a->sni, b->sni);
}

/* Two names that Envoy takes for one make it refuse the whole listener. */
static void drop_equal(struct offering *to)
{
	size_t kept = 0;

	qsort(to->items, to->count, sizeof(*to->items), by_folded_name);
	for (size_t i = 0; i < to->count; i++) {
		const char *sni = to->items[i].passage.sni;
		const char *last = kept == 0 ? "" : to->items[kept - 1].passage.sni;

		if (strcasecmp(last, sni) != 0)
			to->items[kept++] = to->items[i];
		else if (strcmp(last, sni) != 0)
			resolving_warn(&to->at,
				       zl_arena_format(to->at.arena,
						       "server names \"%s\" and \"%s\" "
						       "differ in case only, which Envoy "
						       "does not tell apart: the second "
						       "is not served",
						       last, sni));
	}
	to->count = kept;
}

static void drop_too_many(struct offering *to)
{
	if (to->count <= PASSAGES_MAX)
		return;
	qsort(to->items, to->count, sizeof(*to->items), by_rank);
	resolving_warn(&to->at,
		       zl_arena_format(to->at.arena,
				       "there are %zu server names to serve, which is "
				       "too many for one ingress: %zu of them, for the "
				       "subsets of the most tags, are not served",
				       to->count, to->count - PASSAGES_MAX));
	to->count = PASSAGES_MAX;
}

static void finish(struct offering *to, struct zone_routes *routes)
{
	struct passage *passages;

	if (to->count > 0)
		drop_equal(to);
	drop_too_many(to);
	passages = zl_arena_alloc(to->at.arena, to->count, sizeof(*passages));
	for (size_t i = 0; i < to->count; i++)
		passages[i] = to->items[i].passage;
	free(to->items);
	if (to->count > 0)
		qsort(passages, to->count, sizeof(*passages), by_name);
	routes->passages = passages;
	routes->passage_count = to->count;
	routes->warning_count = texts_sort(to->at.warnings, to->at.warning_count);
	routes->warnings = to->at.warnings;
}

const struct zone_routes *policy_ingress(const struct policy_index *index,
					 const struct inventory *inventory,
					 const struct resource *ingress,
					 struct zl_arena *arena)
{
	struct zone_routes *routes = zl_arena_alloc(arena, 1, sizeof(*routes));
	struct offering to = { .at = { .index = index,
				       .inventory = inventory,
				       .proxy = ingress,
				       .set = index_set(index),
				       .zone = inventory_zone(inventory),
				       .arena = arena } };
	struct set_iter each = set_each(to.at.set, KIND_MESH, NULL);
	const struct resource *mesh;

	while ((mesh = set_next(&each)) != NULL) {
		if (mesh_signer(mesh->mesh) == NULL)
			continue;
		to.at.mesh_name = mesh->key.name;
		to.at.mesh = mesh->mesh;
		to.asked = asked_by_routes(to.at.set, to.at.mesh_name, arena,
					   &to.asked_count);
		offer_services(&to);
		offer_objects(&to, KIND_MESH_SERVICE);
		offer_objects(&to, KIND_MESH_MULTI_ZONE_SERVICE);
	}
	routes->proxy = ingress;
	routes->zone = to.at.zone;
	finish(&to, routes);
	return routes;
}

/* ---- what a change is to it ---- */

/* The first service of this zone from *next on, which ends behind it. NULL: none. */
static const struct service *next_local(const struct inventory *inventory, size_t *next)
{
	while (*next < inventory_count(inventory)) {
		const struct service *service = inventory_at(inventory, (*next)++);

		if (service->local_count > 0)
			return service;
	}
	return NULL;
}

static bool same_locals(const struct service *a, const struct service *b)
{
	if (a == b)
		return true;
	if (a->local_count != b->local_count)
		return false;
	for (size_t i = 0; i < a->local_count; i++)
		if (a->locals[i].inbound != b->locals[i].inbound)
			return false;
	return true;
}

bool policy_ingress_endures(const struct inventory *before, const struct inventory *after)
{
	size_t old_next = 0;
	size_t new_next = 0;
	const struct service *old;

	if (!objects_alike(before, after))
		return false;
	do {
		old = next_local(before, &old_next);
		const struct service *now = next_local(after, &new_next);

		if (old == NULL || now == NULL)
			return old == now;
		if (!same_locals(old, now))
			return false;
	} while (true);
}
