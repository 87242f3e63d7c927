#include "policy/asked.h"
#include "policy/index.h"
#include "policy/outside.h"
#include "policy/passages.h"
#include "policy/policy.h"
#include "policy/subsets.h"
#include "policy/target.h"
#include "policy/trust.h"

#include "inventory/objects.h"

#include <string.h>

/* All that leaves the zone, or the mesh. */
struct leaving {
	struct resolving at;
	const struct asked *asked; /* by the routes of the mesh */
	size_t asked_count;
	struct passages passages;
	bool ends;   /* connections of the mesh end here */
	size_t next; /* service of the inventory */
};

/* The tags of all that a service has elsewhere. */
struct elsewhere {
	const struct service *service;
	const struct external_tls *outside; /* NULL: in other zones */
	struct labels *rows;
	size_t count;
};

static void add_passage(struct leaving *to, const char *sni,
			const struct backend *backend, size_t rank)
{
	const struct passage passage = { to->at.mesh_name, sni, backend };

	to->ends = to->ends || backend->outside != NULL;
	passages_add(&to->passages, &passage, rank);
}

/* What is in this zone is no endpoint of an egress. */
static void lead_away(struct leaving *to, struct backend *backend,
		      const struct service *service)
{
	struct service away = *service;
	struct endpoints found;

	away.local_count = 0;
	found = target_endpoints(&to->at, backend, &away);
	backend->endpoints = found.items;
	backend->endpoint_count = found.count;
}

static void lead_out(struct backend *backend, const struct external_tls *tls,
		     struct endpoints found)
{
	backend->outside = tls;
	backend->endpoints = found.items;
	backend->endpoint_count = found.count;
}

/* ---- services ---- */

/* Server names are those that trust_secure gives clients; what has none they do not ask
 * for. */
static void pass_tags(struct leaving *to, const struct elsewhere *from,
		      struct labels tags, bool asked)
{
	struct zl_arena *arena = to->at.arena;
	const struct service *service = from->service;
	const char *sni =
		trust_service_name(to->at.mesh_name, service->name, tags, arena);
	struct backend *backend;

	if (sni == NULL)
		return;
	backend = passage_to_service(to->at.mesh_name, service, tags, arena);
	if (from->outside != NULL)
		lead_out(backend, from->outside,
			 outside_of_service(service, tags, arena));
	else
		lead_away(to, backend, service);
	add_passage(to, sni, backend, asked ? RANK_SERVICE : RANK_PART + tags.count);
}

/* True if a row before this one is of the same zone and has tags as well. */
static bool is_known(const struct elsewhere *from, size_t row, struct labels tags)
{
	const char *zone = labels_get(from->rows[row], TAG_ZONE);

	for (size_t i = 0; i < row; i++) {
		const char *other = labels_get(from->rows[i], TAG_ZONE);

		if (other != NULL && strcmp(other, zone) == 0 &&
		    labels_match(tags, from->rows[i], true))
			return true;
	}
	return false;
}

/* A subset, and that of each zone that has it. */
static void pass_subset(struct leaving *to, const struct elsewhere *from,
			const struct subset *subset)
{
	if (subset->plain)
		pass_tags(to, from, subset->tags, subset->asked);
	for (size_t i = 0; subset->zoned && i < from->count; i++) {
		const char *zone = labels_get(from->rows[i], TAG_ZONE);

		if (zone != NULL && labels_match(subset->tags, from->rows[i], true) &&
		    !is_known(from, i, subset->tags))
			pass_tags(to, from,
				  labels_with(to->at.arena, subset->tags, TAG_ZONE, zone),
				  subset->asked);
	}
}

/* What routes that name asks_of ask of a service. */
static void add_asked(struct leaving *to, struct subsets *subsets, const char *asks_of)
{
	size_t count;
	const struct asked *asked = asked_of(to->asked, to->asked_count, asks_of, &count);

	for (size_t i = 0; i < count; i++) {
		bool zoned = labels_get(asked[i].tags, TAG_ZONE) != NULL;
		const struct subset subset = {
			.tags = labels_without(to->at.arena, asked[i].tags, TAG_ZONE),
			.plain = !zoned,
			.zoned = zoned,
			.asked = true
		};

		if (!asked_has_any(&asked[i]))
			(void)subsets_add(subsets, &subset);
	}
}

static void pass_service(struct leaving *to, const struct elsewhere *from)
{
	static const struct subset ALL = { .plain = true, .zoned = true, .asked = true };
	struct subsets subsets = { .arena = to->at.arena, .most = SUBSETS_MAX };

	(void)subsets_add(&subsets, &ALL);
	add_asked(to, &subsets, from->service->name);
	add_asked(to, &subsets, "*");
	subsets_add_used(&subsets, from->rows, from->count);
	for (size_t i = 0; i < subsets.count; i++)
		pass_subset(to, from, &subsets.items[i]);
}

/* False: all of it is here. */
static bool find_elsewhere(struct leaving *to, const struct service *service,
			   struct elsewhere *from)
{
	size_t count = service->remote_count + service->external_count;

	*from = (struct elsewhere){ .service = service, .outside = outside_of(service) };
	from->rows = zl_arena_alloc(to->at.arena, count, sizeof(*from->rows));
	if (from->outside != NULL)
		for (size_t i = 0; i < service->external_count; i++)
			from->rows[from->count++] = service->externals[i]->external->tags;
	else
		for (size_t i = 0; i < service->remote_count; i++)
			from->rows[from->count++] = service->remotes[i].tags;
	return from->count > 0;
}

/* Inventory and meshes are sorted alike. */
static void pass_services(struct leaving *to)
{
	const struct inventory *inventory = to->at.inventory;

	for (; to->next < inventory_count(inventory); to->next++) {
		const struct service *service = inventory_at(inventory, to->next);
		int order = strcmp(service->mesh, to->at.mesh_name);
		struct elsewhere from;

		if (order > 0)
			break;
		if (order == 0 && find_elsewhere(to, service, &from))
			pass_service(to, &from);
	}
}

/* ---- objects ---- */

/* True if some of it is in other zones, or outside. */
static bool is_away(const struct leaving *to, const struct resource *object)
{
	const struct inventory *inventory = to->at.inventory;
	const struct resource *const *members;
	size_t count;

	if (object->key.kind == KIND_MESH_EXTERNAL_SERVICE)
		return object_is_local(inventory, object);
	if (object->key.kind == KIND_MESH_SERVICE)
		return !object_is_local(inventory, object);
	members = object_members(inventory, object, to->at.arena, &count);
	/* The own zone's come first. */
	return count > 0 && !object_is_local(inventory, members[count - 1]);
}

static void pass_port(struct leaving *to, const struct resource *object,
		      const struct object_port *port)
{
	struct zl_arena *arena = to->at.arena;
	const char *sni = trust_object_name(object, port->section, arena);
	struct backend *backend;

	if (sni == NULL)
		return;
	backend = passage_to_object(object, port, arena);
	if (object->key.kind == KIND_MESH_EXTERNAL_SERVICE)
		lead_out(backend, &object->mesh_external->tls,
			 outside_of_object(object, arena));
	else
		lead_away(to, backend,
			  object_service(to->at.inventory, object, port, arena));
	add_passage(to, sni, backend, RANK_SERVICE);
}

static void pass_objects(struct leaving *to, enum kind kind)
{
	size_t count;
	const struct resource *const *objects =
		objects_by_labels(to->at.inventory, kind, to->at.mesh_name,
				  (struct labels){ 0 }, to->at.arena, &count);

	for (size_t i = 0; i < count; i++) {
		size_t ports =
			is_away(to, objects[i]) ? object_port_count(objects[i]) : 0;

		for (size_t k = 0; k < ports; k++) {
			const struct object_port port =
				object_port_at(objects[i], k, to->at.arena);
			pass_port(to, objects[i], &port);
		}
	}
}

/* ---- all of it ---- */

static void pass_mesh(struct leaving *to)
{
	to->ends = false;
	to->asked = asked_by_routes(to->at.set, to->at.mesh_name, to->at.arena,
				    &to->asked_count);
	pass_services(to);
	pass_objects(to, KIND_MESH_SERVICE);
	pass_objects(to, KIND_MESH_MULTI_ZONE_SERVICE);
	pass_objects(to, KIND_MESH_EXTERNAL_SERVICE);
}

static struct zone_mesh identity_in(const struct resolving *at)
{
	const char **uris = zl_arena_alloc(at->arena, 1, sizeof(*uris));

	uris[0] = trust_egress(at->mesh_name, at->arena);
	return (struct zone_mesh){ at->mesh_name, at->mesh, uris, 1 };
}

const struct zone_routes *policy_egress(const struct policy_index *index,
					const struct inventory *inventory,
					const struct resource *egress,
					struct zl_arena *arena)
{
	struct zone_routes *routes = zl_arena_alloc(arena, 1, sizeof(*routes));
	struct leaving to = { .at = { .index = index,
				      .inventory = inventory,
				      .proxy = egress,
				      .set = index_set(index),
				      .zone = inventory_zone(inventory),
				      .arena = arena } };
	struct zone_mesh *meshes =
		zl_arena_alloc(arena, set_count(to.at.set, KIND_MESH), sizeof(*meshes));
	struct set_iter each = set_each(to.at.set, KIND_MESH, NULL);
	const struct resource *mesh;

	while ((mesh = set_next(&each)) != NULL) {
		if (!mesh->mesh->zone_egress)
			continue;
		to.at.mesh_name = mesh->key.name;
		to.at.mesh = mesh->mesh;
		pass_mesh(&to);
		if (to.ends)
			meshes[routes->mesh_count++] = identity_in(&to.at);
	}
	routes->proxy = egress;
	routes->zone = to.at.zone;
	routes->meshes = meshes;
	passages_end(&to.passages, &to.at, routes);
	leads_free(&to.at.leads);
	return routes;
}

/* ---- what a change is to it ---- */

static bool is_elsewhere(const struct service *service)
{
	return service->remote_count > 0 || service->external_count > 0;
}

/* The first service that leaves the zone from *next on, which ends behind it. NULL: none.
 */
static const struct service *next_away(const struct inventory *inventory, size_t *next)
{
	while (*next < inventory_count(inventory)) {
		const struct service *service = inventory_at(inventory, (*next)++);

		if (is_elsewhere(service))
			return service;
	}
	return NULL;
}

bool policy_egress_endures(const struct inventory *before, const struct inventory *after)
{
	size_t old_next = 0;
	size_t new_next = 0;
	const struct service *old;

	if (!objects_alike(before, after) || !gates_alike(before, after))
		return false;
	do {
		old = next_away(before, &old_next);
		const struct service *now = next_away(after, &new_next);

		if (old == NULL || now == NULL)
			return old == now;
		/* What leads away differs between services. */
		if (!service_same(old, now))
			return false;
	} while (true);
}
