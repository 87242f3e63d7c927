#include "inventory/rows.h"

#include <stdlib.h>
#include <string.h>

/* What rows are sorted by. number: where the row lies, in the order of the set. */
struct sort_key {
	struct row_name name;
	const char *zone, *address; /* zone "" for locals */
	uint32_t port;
	size_t number;
};

struct collector {
	struct zl_arena *arena;
	const char *zone;
	struct local *locals; /* owned, as remotes and both keys */
	struct sort_key *local_keys;
	size_t local_count;
	struct remote *remotes;
	struct sort_key *remote_keys;
	size_t remote_count;
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

/* Negative, 0, positive as a is less, equal, greater. */
static int compare_numbers(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_keys(const void *one, const void *other)
{
	const struct sort_key *a = one;
	const struct sort_key *b = other;
	int order = strcmp(a->name.mesh, b->name.mesh);

	if (order == 0)
		order = strcmp(a->name.service, b->name.service);
	if (order == 0)
		order = strcmp(a->zone, b->zone);
	if (order == 0)
		order = strcmp(a->address, b->address);
	if (order == 0)
		order = compare_numbers(a->port, b->port);
	return order != 0 ? order : compare_numbers(a->number, b->number);
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
		struct local *row = &to->locals[to->local_count];
		*row = (struct local){
			.dataplane = res,
			.inbound = in,
			.address = dialled(spec, in),
			.port = in->port,
			.tags = labels_with(to->arena, in->tags, TAG_ZONE, to->zone),
			.ready = in->state == INBOUND_READY,
		};
		to->local_keys[to->local_count] = (struct sort_key){
			.name = { res->key.mesh, service },
			.zone = "",
			.address = row->address,
			.port = row->port,
			.number = to->local_count,
		};
		to->local_count++;
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
		struct remote *row = &to->remotes[to->remote_count];
		*row = (struct remote){
			.ingress = res,
			.record = record,
			.zone = zone,
			.address = spec->advertised,
			.port = spec->advertised_port,
			.tags = labels_with(to->arena, record->tags, TAG_ZONE, zone),
			.instances = record->instances,
		};
		to->remote_keys[to->remote_count] = (struct sort_key){
			.name = { record->mesh, service },
			.zone = zone,
			.address = row->address,
			.port = row->port,
			.number = to->remote_count,
		};
		to->remote_count++;
	}
}

/* Room for all that the set may have. */
static struct collector collector_for(const struct set *set, const char *zone,
				      struct zl_arena *arena)
{
	struct collector to = { .arena = arena, .zone = zone };
	struct set_iter each = set_each(set, KIND_DATAPLANE, NULL);
	const struct resource *res;
	size_t locals = 0;
	size_t remotes = 0;

	while ((res = set_next(&each)) != NULL)
		locals += res->dataplane->inbound_count;
	each = set_each(set, KIND_ZONE_INGRESS, NULL);
	while ((res = set_next(&each)) != NULL)
		remotes += res->ingress->service_count;

	to.locals = zl_alloc(locals + 1, sizeof(*to.locals));
	to.local_keys = zl_alloc(locals + 1, sizeof(*to.local_keys));
	to.remotes = zl_alloc(remotes + 1, sizeof(*to.remotes));
	to.remote_keys = zl_alloc(remotes + 1, sizeof(*to.remote_keys));
	return to;
}

static void collect(struct collector *to, const struct set *set)
{
	struct set_iter each = set_each(set, KIND_DATAPLANE, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		if (dataplane_is_local(res, to->zone))
			collect_dataplane(to, res);

	each = set_each(set, KIND_ZONE_INGRESS, NULL);
	while ((res = set_next(&each)) != NULL) {
		const char *where = ingress_zone(res, to->zone);

		if (strcmp(where, to->zone) != 0 && zone_is_enabled(set, where))
			collect_ingress(to, res, where);
	}
}

void rows_collect(struct rows *rows, const struct set *set, const char *zone,
		  struct zl_arena *arena)
{
	struct collector to = collector_for(set, zone, arena);

	collect(&to, set);
	qsort(to.local_keys, to.local_count, sizeof(*to.local_keys), compare_keys);
	qsort(to.remote_keys, to.remote_count, sizeof(*to.remote_keys), compare_keys);

	*rows = (struct rows){
		.locals = zl_arena_alloc(arena, to.local_count + 1, sizeof(*to.locals)),
		.local_names = zl_alloc(to.local_count + 1, sizeof(*rows->local_names)),
		.local_count = to.local_count,
		.remotes =
			zl_arena_alloc(arena, to.remote_count + 1, sizeof(*to.remotes)),
		.remote_names =
			zl_alloc(to.remote_count + 1, sizeof(*rows->remote_names)),
		.remote_count = to.remote_count,
	};
	for (size_t i = 0; i < to.local_count; i++) {
		rows->locals[i] = to.locals[to.local_keys[i].number];
		rows->local_names[i] = to.local_keys[i].name;
	}
	for (size_t i = 0; i < to.remote_count; i++) {
		rows->remotes[i] = to.remotes[to.remote_keys[i].number];
		rows->remote_names[i] = to.remote_keys[i].name;
	}
	free(to.locals);
	free(to.local_keys);
	free(to.remotes);
	free(to.remote_keys);
}

void rows_end(struct rows *rows)
{
	free(rows->local_names);
	free(rows->remote_names);
}
