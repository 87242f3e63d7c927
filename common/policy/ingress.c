#include "policy/asked.h"
#include "policy/index.h"
#include "policy/passages.h"
#include "policy/policy.h"
#include "policy/refs.h"
#include "policy/subsets.h"
#include "policy/target.h"
#include "policy/trust.h"

#include "inventory/objects.h"

#include <string.h>

struct offering {
	struct resolving at;
	const struct asked *asked; /* by the routes of the mesh */
	size_t asked_count;
	struct passages passages;
	size_t next; /* service of the inventory */
};

static void warn(struct offering *to, const char *text)
{
	resolving_warn(&to->at, zl_arena_format(to->at.arena, "mesh \"%s\": %s",
						to->at.mesh_name, text));
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
		passages_add(&to->passages,
			     &(struct passage){ to->at.mesh_name, sni, backend },
			     subset->asked ? RANK_SERVICE : RANK_PART + tags.count);
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
	struct backend *backend =
		passage_to_service(to->at.mesh_name, service, subset->tags, arena);

	lead_here(to, backend, service, subset->tags);
	if (subset->plain)
		offer_name(to, service, subset, subset->tags, backend);
	if (subset->zoned)
		offer_name(to, service, subset,
			   labels_with(arena, subset->tags, TAG_ZONE, to->at.zone),
			   backend);
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
		if (asked_has_any(&asked[i]))
			warn_of_any(to, service, &asked[i]);
		else if (zone == NULL || strcmp(zone, to->at.zone) == 0)
			(void)subsets_add(subsets, &subset);
	}
}

static void offer_service(struct offering *to, const struct service *service)
{
	static const struct subset ALL = { .plain = true, .zoned = true, .asked = true };
	struct subsets subsets = { .arena = to->at.arena, .most = SUBSETS_MAX };
	struct labels *rows =
		zl_arena_alloc(to->at.arena, service->local_count, sizeof(*rows));

	/* In use also by instances that are not Ready now. */
	for (size_t i = 0; i < service->local_count; i++)
		rows[i] = service->locals[i].tags;
	(void)subsets_add(&subsets, &ALL);
	add_asked(to, &subsets, service->name, service->name);
	add_asked(to, &subsets, service->name, "*");
	subsets_add_used(&subsets, rows, service->local_count);
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
	struct backend *backend;

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
	backend = passage_to_object(object, port, arena);
	lead_here(to, backend, object_service(to->at.inventory, object, port, arena),
		  (struct labels){ 0 });
	passages_add(&to->passages, &(struct passage){ to->at.mesh_name, sni, backend },
		     RANK_SERVICE);
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
	passages_end(&to.passages, &to.at, routes);
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
