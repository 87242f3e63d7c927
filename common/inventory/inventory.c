#include "inventory/inventory.h"

#include "inventory/rows.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct inventory {
	_Atomic unsigned holders;
	struct inventory *self; /* for holders of a const one */
	struct set *set;        /* held */
	struct zl_arena *arena; /* owned; all below lives in it */
	const char *zone;
	struct service *services; /* sorted by mesh and name */
	size_t count;
};

static int compare_names(const char *mesh_a, const char *name_a, const char *mesh_b,
			 const char *name_b)
{
	int order = strcmp(mesh_a, mesh_b);

	return order != 0 ? order : strcmp(name_a, name_b);
}

/* The protocol that all endpoints of service have in common. */
static const char *common_protocol(const struct service *service)
{
	const char *common = NULL;

	for (size_t i = 0; i < service->local_count; i++) {
		const char *tag = labels_get(service->locals[i].tags, TAG_PROTOCOL);

		if (service->locals[i].ready)
			common = protocol_common(common == NULL ? tag : common, tag);
	}
	for (size_t i = 0; i < service->remote_count; i++) {
		const struct remote *remote = &service->remotes[i];
		const char *tag = labels_get(remote->tags, TAG_PROTOCOL);

		if (remote->address[0] != '\0' && remote->instances > 0)
			common = protocol_common(common == NULL ? tag : common, tag);
	}
	return common == NULL ? "unknown" : common;
}

/* Take the run of rows that belong to the smallest service left. */
static void take_service(struct service *service, const struct rows *rows, size_t *local,
			 size_t *remote)
{
	const struct row_name *a = &rows->local_names[*local];
	const struct row_name *b = &rows->remote_names[*remote];
	const struct row_name *first = a;
	size_t local_end = *local;
	size_t remote_end = *remote;

	if (*local == rows->local_count ||
	    (*remote < rows->remote_count &&
	     compare_names(a->mesh, a->service, b->mesh, b->service) > 0))
		first = b;
	while (local_end < rows->local_count &&
	       row_name_equal(&rows->local_names[local_end], first))
		local_end++;
	while (remote_end < rows->remote_count &&
	       row_name_equal(&rows->remote_names[remote_end], first))
		remote_end++;

	*service = (struct service){ .mesh = first->mesh,
				     .name = first->service,
				     .locals = rows->locals + *local,
				     .local_count = local_end - *local,
				     .remotes = rows->remotes + *remote,
				     .remote_count = remote_end - *remote };
	service->protocol = common_protocol(service);
	*local = local_end;
	*remote = remote_end;
}

static void group(struct inventory *inventory, const struct rows *rows)
{
	size_t room = 64;
	struct service *services = zl_alloc(room, sizeof(*services));
	size_t local = 0;
	size_t remote = 0;

	while (local < rows->local_count || remote < rows->remote_count) {
		if (inventory->count == room) {
			room *= 2;
			services = zl_realloc(services, room, sizeof(*services));
		}
		take_service(&services[inventory->count++], rows, &local, &remote);
	}
	inventory->services =
		zl_arena_alloc(inventory->arena, inventory->count, sizeof(*services));
	memcpy(inventory->services, services, inventory->count * sizeof(*services));
	free(services);
}

struct inventory *inventory_build(const struct set *set, const char *zone)
{
	struct inventory *inventory = zl_alloc(1, sizeof(*inventory));
	struct rows rows;

	inventory->holders = 1;
	inventory->self = inventory;
	inventory->set = set_hold(set);
	inventory->arena = zl_arena_new();
	inventory->zone = zl_arena_strdup(inventory->arena, zone);

	rows_collect(&rows, set, inventory->zone, inventory->arena);
	group(inventory, &rows);
	rows_end(&rows);
	return inventory;
}

struct inventory *inventory_hold(const struct inventory *inventory)
{
	atomic_fetch_add_explicit(&inventory->self->holders, 1, memory_order_relaxed);
	return inventory->self;
}

void inventory_drop(struct inventory **inventoryp)
{
	struct inventory *inventory = *inventoryp;

	*inventoryp = NULL;
	if (inventory == NULL || atomic_fetch_sub(&inventory->holders, 1) != 1)
		return;
	set_drop(&inventory->set);
	zl_arena_free(&inventory->arena);
	free(inventory);
}

bool inventory_fits(const struct inventory *inventory, const struct set *set)
{
	static const enum kind READ[] = { KIND_DATAPLANE, KIND_ZONE_INGRESS, KIND_ZONE };

	for (size_t i = 0; i < sizeof(READ) / sizeof(READ[0]); i++)
		if (!set_same_kind(inventory->set, set, READ[i]))
			return false;
	return true;
}

const char *inventory_zone(const struct inventory *inventory)
{
	return inventory->zone;
}

const struct service *inventory_find(const struct inventory *inventory, const char *mesh,
				     const char *name)
{
	size_t low = 0;
	size_t high = inventory->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct service *at = &inventory->services[middle];
		int order = compare_names(mesh, name, at->mesh, at->name);

		if (order == 0)
			return at;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Resources are immutable, and their inbounds and records are parts of them. */
bool service_same(const struct service *a, const struct service *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->local_count != b->local_count || a->remote_count != b->remote_count)
		return false;
	for (size_t i = 0; i < a->local_count; i++)
		if (a->locals[i].inbound != b->locals[i].inbound)
			return false;
	for (size_t i = 0; i < a->remote_count; i++)
		if (a->remotes[i].record != b->remotes[i].record)
			return false;
	return true;
}

const struct service *inventory_services(const struct inventory *inventory, size_t *count)
{
	*count = inventory->count;
	return inventory->services;
}
