#include "inventory/objects.h"

#include "inventory/block.h"
#include "inventory/lookup.h"
#include "inventory/offered.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- collecting ---- */

static void add_local(struct offered *to, const struct local *row)
{
	to->locals = zl_arena_more(to->arena, to->locals, to->local_count,
				   &to->local_room, sizeof(*to->locals));
	to->locals[to->local_count++] = *row;
}

static void add_remote(struct offered *to, struct remote row)
{
	to->remotes = zl_arena_more(to->arena, to->remotes, to->remote_count,
				    &to->remote_room, sizeof(*to->remotes));
	to->remotes[to->remote_count++] = row;
}

static void add_zone(struct offered *to, const char *zone)
{
	to->zones = zl_arena_more(to->arena, to->zones, to->zone_count, &to->zone_room,
				  sizeof(*to->zones));
	to->zones[to->zone_count++] = zone;
}

/* ---- a MeshService of this zone ---- */

/* An inbound without a name has its port's number for one (kinds-spec 2). */
static bool is_called(const struct inbound *in, const char *name)
{
	char number[16];

	if (in->name[0] != '\0')
		return strcmp(in->name, name) == 0;
	(void)snprintf(number, sizeof(number), "%u", in->port);
	return strcmp(number, name) == 0;
}

/* True if port leads to the inbound (K7); NULL is any port. */
static bool leads_to(const struct service_port *port, const struct inbound *in)
{
	if (port == NULL)
		return true;
	return port->target_name[0] != '\0' ? is_called(in, port->target_name)
					    : in->port == port->target;
}

static void add_by_tags(struct offered *to, const struct resource *object,
			const struct service_port *port)
{
	struct labels want = object->mesh_service->tags;
	size_t count;
	const struct service **services =
		lookup_services(to->inventory, object->key.mesh, want, to->arena, &count);

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < services[i]->local_count; j++) {
			const struct local *row = &services[i]->locals[j];

			if (leads_to(port, row->inbound) &&
			    labels_match(want, row->tags, false))
				add_local(to, row);
		}
}

/* The rows of one inbound. */
static void add_inbound(struct offered *to, const char *mesh, const struct inbound *in)
{
	const char *name = labels_get(in->tags, TAG_SERVICE);
	const struct service *service =
		name != NULL ? inventory_find(to->inventory, mesh, name) : NULL;

	for (size_t i = 0; service != NULL && i < service->local_count; i++)
		if (service->locals[i].inbound == in)
			add_local(to, &service->locals[i]);
}

/* The Dataplane that object selects by name: the one that says that it is this zone's, or
 * the one that does not say. NULL: none. */
static const struct resource *find_dataplane(const struct inventory *inventory,
					     const struct resource *object, bool labelled)
{
	const struct key key = { .kind = KIND_DATAPLANE,
				 .mesh = object->key.mesh,
				 .zone = labelled ? inventory_zone(inventory) : "",
				 .ns = object->key.ns,
				 .name = object->mesh_service->dataplane };

	return set_get(inventory_set(inventory), &key);
}

static void add_by_name(struct offered *to, const struct resource *object,
			const struct service_port *port)
{
	for (size_t labelled = 0; labelled < 2; labelled++) {
		const struct resource *res =
			find_dataplane(to->inventory, object, labelled > 0);

		for (size_t i = 0; res != NULL && i < res->dataplane->inbound_count; i++)
			if (leads_to(port, &res->dataplane->inbounds[i]))
				add_inbound(to, object->key.mesh,
					    &res->dataplane->inbounds[i]);
	}
}

/* ---- a MeshService of another zone ---- */

/* The records that match its selector. */
static void add_records(struct offered *to, const struct resource *object)
{
	struct labels want = object->mesh_service->tags;
	size_t count;
	const struct service **services =
		lookup_services(to->inventory, object->key.mesh, want, to->arena, &count);

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < services[i]->remote_count; j++) {
			const struct remote *row = &services[i]->remotes[j];

			if (strcmp(row->zone, object->key.zone) == 0 &&
			    labels_match(want, row->tags, false))
				add_remote(to, *row);
		}
}

/* ---- all of an object ---- */

void offered_add(struct offered *to, const struct resource *object,
		 const struct service_port *port)
{
	const struct mesh_service_spec *spec = object->mesh_service;

	if (spec->tags.count == 0 && spec->dataplane[0] == '\0')
		return;
	if (object_is_local(to->inventory, object)) {
		if (spec->tags.count > 0)
			add_by_tags(to, object, port);
		else
			add_by_name(to, object, port);
		return;
	}
	/* What is written of another zone in the name of this one leads nowhere. */
	if (strcmp(object->key.zone, inventory_zone(to->inventory)) == 0)
		return;
	add_zone(to, object->key.zone);
	if (spec->tags.count > 0)
		add_records(to, object);
}

/* The port of a member that a port of a MeshMultiZoneService means: of its name, else of
 * its number. */
static bool find_member_port(const struct resource *member,
			     const struct object_port *port, struct zl_arena *arena,
			     struct object_port *found)
{
	for (size_t i = 0; i < object_port_count(member); i++) {
		*found = object_port_at(member, i, arena);
		if (strcmp(found->section, port->section) == 0)
			return true;
	}
	for (size_t i = 0; i < object_port_count(member); i++) {
		*found = object_port_at(member, i, arena);
		if (found->port == port->port)
			return true;
	}
	return false;
}

/* True if a MeshService that a MeshMultiZoneService selects adds to it. */
static bool counts(const struct inventory *inventory, const struct resource *member)
{
	return object_is_local(inventory, member) || member->mesh_service->available;
}

static void add_members(struct offered *to, const struct resource *multi,
			const struct object_port *port)
{
	size_t count;
	const struct resource *const *members =
		object_members(to->inventory, multi, to->arena, &count);

	for (size_t i = 0; i < count; i++) {
		struct object_port at;

		if (counts(to->inventory, members[i]) &&
		    find_member_port(members[i], port, to->arena, &at))
			offered_add(to, members[i], at.spec);
	}
}

const struct resource *const *object_members(const struct inventory *inventory,
					     const struct resource *multi,
					     struct zl_arena *arena, size_t *count)
{
	*count = 0;
	if (multi->multi_zone->match.count == 0)
		return zl_arena_alloc(arena, 0, sizeof(struct resource *));
	return objects_by_labels(inventory, KIND_MESH_SERVICE, multi->key.mesh,
				 multi->multi_zone->match, arena, count);
}

static void add_ingresses(struct offered *to, const char *zone)
{
	const struct set *set = inventory_set(to->inventory);
	const char *own = inventory_zone(to->inventory);
	const struct labels none = { 0 };
	struct labels tags = labels_with(to->arena, none, TAG_ZONE, zone);
	struct set_iter each = set_each(set, KIND_ZONE_INGRESS, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL) {
		const char *where = ingress_zone(res, own);

		if (strcmp(where, zone) != 0)
			continue;
		add_remote(to,
			   (struct remote){ .ingress = res,
					    .zone = where,
					    .address = res->ingress->advertised,
					    .port = res->ingress->advertised_port,
					    .tags = tags,
					    .instances = 1,
					    .condition = zone_condition_of(set, where) });
	}
}

static bool has_rows(const struct offered *to, const char *zone)
{
	for (size_t i = 0; i < to->remote_count; i++)
		if (strcmp(to->remotes[i].zone, zone) == 0)
			return true;
	return false;
}

/* A zone that tells nothing of what is asked of it is taken for one instance (D27). */
static void add_silent(struct offered *to)
{
	for (size_t i = 0; i < to->zone_count; i++)
		if (!has_rows(to, to->zones[i]))
			add_ingresses(to, to->zones[i]);
}

/* ---- order ---- */

static int by_place(const void *one, const void *other)
{
	return local_compare(one, other);
}

static int by_gate(const void *one, const void *other)
{
	return remote_compare(one, other);
}

void offered_end(struct offered *rows)
{
	size_t kept = 0;

	add_silent(rows);
	if (rows->local_count > 1)
		qsort(rows->locals, rows->local_count, sizeof(struct local), by_place);
	for (size_t i = 0; i < rows->local_count; i++)
		if (kept == 0 ||
		    rows->locals[kept - 1].inbound != rows->locals[i].inbound)
			rows->locals[kept++] = rows->locals[i];
	rows->local_count = kept;

	kept = 0;
	if (rows->remote_count > 1)
		qsort(rows->remotes, rows->remote_count, sizeof(struct remote), by_gate);
	for (size_t i = 0; i < rows->remote_count; i++)
		if (kept == 0 ||
		    remote_compare(&rows->remotes[kept - 1], &rows->remotes[i]) != 0)
			rows->remotes[kept++] = rows->remotes[i];
	rows->remote_count = kept;
}

const struct service *object_service(const struct inventory *inventory,
				     const struct resource *object,
				     const struct object_port *port,
				     struct zl_arena *arena)
{
	struct offered rows = { .inventory = inventory, .arena = arena };
	struct service *service = zl_arena_alloc(arena, 1, sizeof(*service));

	assert(port->spec != NULL);
	if (object->key.kind == KIND_MESH_SERVICE)
		offered_add(&rows, object, port->spec);
	else
		add_members(&rows, object, port);
	offered_end(&rows);
	*service = (struct service){ .mesh = object->key.mesh,
				     .name = object->key.name,
				     .locals = rows.locals,
				     .local_count = rows.local_count,
				     .remotes = rows.remotes,
				     .remote_count = rows.remote_count,
				     .protocol = port->protocol };
	return service;
}
