#include "inventory/rows.h"

#include <stdlib.h>
#include <string.h>

/* A row while it is sorted; order breaks ties as the set has them. */
struct local_row {
	struct row_name name;
	struct local local;
	size_t order;
};

struct remote_row {
	struct row_name name;
	struct remote remote;
	size_t order;
};

struct collector {
	struct zl_arena *arena;
	const char *zone;
	struct local_row *locals; /* owned */
	size_t local_count, local_room;
	struct remote_row *remotes; /* owned */
	size_t remote_count, remote_room;
};

bool row_name_equal(const struct row_name *a, const struct row_name *b)
{
	return strcmp(a->service, b->service) == 0 && strcmp(a->mesh, b->mesh) == 0;
}

bool dataplane_is_local(const struct resource *res, const char *zone)
{
	return res->key.zone[0] == '\0' || strcmp(res->key.zone, zone) == 0;
}

const char *ingress_zone(const struct resource *res, const char *own)
{
	const char *label = labels_get(res->labels, LABEL_ZONE);

	if (res->ingress->zone[0] != '\0')
		return res->ingress->zone;
	return label != NULL && label[0] != '\0' ? label : own;
}

bool zone_is_enabled(const struct set *set, const char *zone)
{
	const struct key key = {
		.kind = KIND_ZONE, .mesh = "", .zone = "", .ns = "", .name = zone
	};
	const struct resource *res = set_get(set, &key);

	return res == NULL || res->zone->enabled;
}

static int compare_row_names(const struct row_name *a, const struct row_name *b)
{
	int order = strcmp(a->mesh, b->mesh);

	return order != 0 ? order : strcmp(a->service, b->service);
}

/* Negative, 0, positive as a is less, equal, greater. */
static int compare_numbers(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_locals(const void *one, const void *other)
{
	const struct local_row *a = one;
	const struct local_row *b = other;
	int order = compare_row_names(&a->name, &b->name);

	if (order == 0)
		order = strcmp(a->local.address, b->local.address);
	if (order == 0)
		order = compare_numbers(a->local.port, b->local.port);
	return order != 0 ? order : compare_numbers(a->order, b->order);
}

static int compare_remotes(const void *one, const void *other)
{
	const struct remote_row *a = one;
	const struct remote_row *b = other;
	int order = compare_row_names(&a->name, &b->name);

	if (order == 0)
		order = strcmp(a->remote.zone, b->remote.zone);
	if (order == 0)
		order = strcmp(a->remote.address, b->remote.address);
	if (order == 0)
		order = compare_numbers(a->remote.port, b->remote.port);
	return order != 0 ? order : compare_numbers(a->order, b->order);
}

static struct local_row *add_local(struct collector *to)
{
	if (to->local_count == to->local_room) {
		to->local_room = to->local_room == 0 ? 256 : 2 * to->local_room;
		to->locals = zl_realloc(to->locals, to->local_room, sizeof(*to->locals));
	}
	return &to->locals[to->local_count++];
}

static struct remote_row *add_remote(struct collector *to)
{
	if (to->remote_count == to->remote_room) {
		to->remote_room = to->remote_room == 0 ? 256 : 2 * to->remote_room;
		to->remotes =
			zl_realloc(to->remotes, to->remote_room, sizeof(*to->remotes));
	}
	return &to->remotes[to->remote_count++];
}

/* What others dial to reach an inbound (kinds-spec 2). */
static const char *dialled(const struct dataplane_spec *spec, const struct inbound *in)
{
	if (spec->advertised[0] != '\0')
		return spec->advertised;
	return in->address[0] != '\0' ? in->address : spec->address;
}

static void collect_dataplane(struct collector *to, const struct resource *res)
{
	const struct dataplane_spec *spec = res->dataplane;

	for (size_t i = 0; i < spec->inbound_count; i++) {
		const struct inbound *in = &spec->inbounds[i];
		const char *service = labels_get(in->tags, TAG_SERVICE);

		if (service == NULL)
			continue;
		struct local_row *row = add_local(to);
		*row = (struct local_row){
			.name = { res->key.mesh, service },
			.order = to->local_count,
			.local = { .dataplane = res,
				   .inbound = in,
				   .address = dialled(spec, in),
				   .port = in->port,
				   .tags = labels_with(to->arena, in->tags, TAG_ZONE,
						       to->zone),
				   .ready = in->state == INBOUND_READY },
		};
	}
}

static void collect_ingress(struct collector *to, const struct resource *res,
			    const char *zone)
{
	const struct zone_ingress_spec *spec = res->ingress;

	for (size_t i = 0; i < spec->service_count; i++) {
		const struct available_service *record = &spec->services[i];
		const char *service = labels_get(record->tags, TAG_SERVICE);

		if (service == NULL)
			continue;
		struct remote_row *row = add_remote(to);
		*row = (struct remote_row){
			.name = { record->mesh, service },
			.order = to->remote_count,
			.remote = { .ingress = res,
				    .zone = zone,
				    .address = spec->advertised,
				    .port = spec->advertised_port,
				    .tags = labels_with(to->arena, record->tags, TAG_ZONE,
							zone),
				    .instances = record->instances },
		};
	}
}

/* Sort, then part the names from what services show. */
static void finish_locals(struct collector *from, struct rows *rows)
{
	rows->local_count = from->local_count;
	rows->locals =
		zl_arena_alloc(from->arena, from->local_count + 1, sizeof(*rows->locals));
	rows->local_names = zl_arena_alloc(from->arena, from->local_count + 1,
					   sizeof(*rows->local_names));
	if (from->local_count > 0)
		qsort(from->locals, from->local_count, sizeof(*from->locals),
		      compare_locals);
	for (size_t i = 0; i < from->local_count; i++) {
		rows->locals[i] = from->locals[i].local;
		rows->local_names[i] = from->locals[i].name;
	}
	free(from->locals);
}

static void finish_remotes(struct collector *from, struct rows *rows)
{
	rows->remote_count = from->remote_count;
	rows->remotes = zl_arena_alloc(from->arena, from->remote_count + 1,
				       sizeof(*rows->remotes));
	rows->remote_names = zl_arena_alloc(from->arena, from->remote_count + 1,
					    sizeof(*rows->remote_names));
	if (from->remote_count > 0)
		qsort(from->remotes, from->remote_count, sizeof(*from->remotes),
		      compare_remotes);
	for (size_t i = 0; i < from->remote_count; i++) {
		rows->remotes[i] = from->remotes[i].remote;
		rows->remote_names[i] = from->remotes[i].name;
	}
	free(from->remotes);
}

void rows_collect(struct rows *rows, const struct set *set, const char *zone,
		  struct zl_arena *arena)
{
	struct collector to = { .arena = arena, .zone = zone };
	struct set_iter each = set_each(set, KIND_DATAPLANE, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		if (dataplane_is_local(res, zone))
			collect_dataplane(&to, res);

	each = set_each(set, KIND_ZONE_INGRESS, NULL);
	while ((res = set_next(&each)) != NULL) {
		const char *where = ingress_zone(res, zone);

		if (strcmp(where, zone) != 0 && zone_is_enabled(set, where))
			collect_ingress(&to, res, where);
	}
	finish_locals(&to, rows);
	finish_remotes(&to, rows);
}
