#include "inventory/rows.h"

#include <stdlib.h>
#include <string.h>

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

static const struct resource *find_zone(const struct set *set, const char *zone)
{
	const struct key key = {
		.kind = KIND_ZONE, .mesh = "", .zone = "", .ns = "", .name = zone
	};

	return set_get(set, &key);
}

bool zone_is_enabled(const struct set *set, const char *zone)
{
	const struct resource *res = find_zone(set, zone);

	return res == NULL || res->zone->enabled;
}

enum zone_condition zone_condition_of(const struct set *set, const char *zone)
{
	const struct resource *res = find_zone(set, zone);

	return res == NULL ? ZONE_ONLINE : res->zone->condition;
}

/* ---- order ---- */

/* Negative, 0, positive as a is less, equal, greater. */
static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int row_name_compare(const struct row_name *a, const struct row_name *b)
{
	int order = strcmp(a->mesh, b->mesh);

	return order != 0 ? order : strcmp(a->service, b->service);
}

static int compare_places(const char *a, uint32_t a_port, const char *b, uint32_t b_port)
{
	int order = strcmp(a, b);

	return order != 0 ? order : compare_numbers(a_port, b_port);
}

/* Parts of one resource stand in one array. */
int local_compare(const struct local *a, const struct local *b)
{
	int order = compare_places(a->address, a->port, b->address, b->port);

	if (order == 0)
		order = key_compare(&a->dataplane->key, &b->dataplane->key);
	return order != 0 ? order
			  : compare_numbers((uintptr_t)a->inbound, (uintptr_t)b->inbound);
}

int remote_compare(const struct remote *a, const struct remote *b)
{
	int order = strcmp(a->zone, b->zone);

	if (order == 0)
		order = compare_places(a->address, a->port, b->address, b->port);
	if (order == 0)
		order = key_compare(&a->ingress->key, &b->ingress->key);
	return order != 0 ? order
			  : compare_numbers((uintptr_t)a->record, (uintptr_t)b->record);
}

static int by_name(const void *one, const void *other)
{
	return row_name_compare(one, other);
}

static int by_local(const void *one, const void *other)
{
	const struct local_row *a = one;
	const struct local_row *b = other;
	int order = row_name_compare(&a->name, &b->name);

	return order != 0 ? order : local_compare(&a->local, &b->local);
}

static int by_remote(const void *one, const void *other)
{
	const struct remote_row *a = one;
	const struct remote_row *b = other;
	int order = row_name_compare(&a->name, &b->name);

	return order != 0 ? order : remote_compare(&a->remote, &b->remote);
}

static int by_external(const void *one, const void *other)
{
	const struct external_row *a = one;
	const struct external_row *b = other;
	int order = row_name_compare(&a->name, &b->name);

	return order != 0 ? order : key_compare(&a->external->key, &b->external->key);
}

static int by_address(const void *one, const void *other)
{
	const struct resource *const *a = one;
	const struct resource *const *b = other;

	return compare_numbers((uintptr_t)*a, (uintptr_t)*b);
}

/* ---- collecting ---- */

/* list with room for one more. */
static void *grow(void *list, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return list;
	*room = *room == 0 ? 16 : 2 * *room;
	return zl_realloc(list, *room, size);
}

static void touch(struct rows *rows, struct row_name name)
{
	rows->touched = grow(rows->touched, rows->touched_count, &rows->touched_room,
			     sizeof(*rows->touched));
	rows->touched[rows->touched_count++] = name;
}

static void lose(struct rows *rows, const struct resource *res)
{
	rows->gone =
		grow(rows->gone, rows->gone_count, &rows->gone_room, sizeof(*rows->gone));
	rows->gone[rows->gone_count++] = res;
}

/* What others dial to reach an inbound (kinds-spec 2). */
static const char *dialled(const struct dataplane_spec *spec, const struct inbound *in)
{
	if (spec->advertised[0] != '\0')
		return spec->advertised;
	return in->address[0] != '\0' ? in->address : spec->address;
}

static void add_local(struct rows *rows, const struct resource *res,
		      const struct inbound *in, struct row_name name)
{
	rows->locals = grow(rows->locals, rows->local_count, &rows->local_room,
			    sizeof(*rows->locals));
	rows->locals[rows->local_count++] = (struct local_row){
		.name = name,
		.local = { .dataplane = res,
			   .inbound = in,
			   .address = dialled(res->dataplane, in),
			   .port = in->port,
			   .tags = in->tags,
			   .ready = in->state == INBOUND_READY },
	};
}

static void walk_dataplane(struct rows *rows, const struct resource *res, bool add)
{
	const struct dataplane_spec *spec = res->dataplane;

	if (!dataplane_is_local(res, rows->zone))
		return;
	for (size_t i = 0; i < spec->inbound_count; i++) {
		const struct inbound *in = &spec->inbounds[i];
		const struct row_name name = { res->key.mesh,
					       labels_get(in->tags, TAG_SERVICE) };

		if (name.service == NULL)
			continue;
		touch(rows, name);
		if (add)
			add_local(rows, res, in, name);
	}
	if (!add)
		lose(rows, res);
}

static void on_dataplane(void *ctx, const struct resource *old,
			 const struct resource *now)
{
	if (old != NULL)
		walk_dataplane(ctx, old, false);
	if (now != NULL)
		walk_dataplane(ctx, now, true);
}

/* True for the ingress of another zone, which is enabled. */
static bool counts(const struct set *set, const struct resource *ingress,
		   const char *zone)
{
	const char *where = ingress_zone(ingress, zone);

	return strcmp(where, zone) != 0 && zone_is_enabled(set, where);
}

static void add_remote(struct rows *rows, const struct resource *res,
		       const struct available_service *record, struct row_name name)
{
	const char *zone = ingress_zone(res, rows->zone);

	rows->remotes = grow(rows->remotes, rows->remote_count, &rows->remote_room,
			     sizeof(*rows->remotes));
	rows->remotes[rows->remote_count++] = (struct remote_row){
		.name = name,
		.remote = { .ingress = res,
			    .record = record,
			    .zone = zone,
			    .condition = zone_condition_of(rows->after, zone),
			    .address = res->ingress->advertised,
			    .port = res->ingress->advertised_port,
			    .tags = record->tags,
			    .instances = record->instances },
	};
}

static void walk_ingress(struct rows *rows, const struct resource *res, bool add)
{
	const struct zone_ingress_spec *spec = res->ingress;

	for (size_t i = 0; i < spec->service_count; i++) {
		const struct available_service *record = &spec->services[i];
		const struct row_name name = { record->mesh,
					       labels_get(record->tags, TAG_SERVICE) };

		if (name.service == NULL)
			continue;
		touch(rows, name);
		if (add)
			add_remote(rows, res, record, name);
	}
	if (!add)
		lose(rows, res);
}

static void on_ingress(void *ctx, const struct resource *old, const struct resource *now)
{
	struct rows *rows = ctx;

	if (old != NULL && counts(rows->before, old, rows->zone))
		walk_ingress(rows, old, false);
	if (now != NULL && counts(rows->after, now, rows->zone))
		walk_ingress(rows, now, true);
}

static void walk_external(struct rows *rows, const struct resource *res, bool add)
{
	const struct row_name name = { res->key.mesh,
				       labels_get(res->external->tags, TAG_SERVICE) };

	if (name.service == NULL)
		return;
	touch(rows, name);
	if (!add) {
		lose(rows, res);
		return;
	}
	rows->externals = grow(rows->externals, rows->external_count,
			       &rows->external_room, sizeof(*rows->externals));
	rows->externals[rows->external_count++] = (struct external_row){ name, res };
}

static void on_external(void *ctx, const struct resource *old, const struct resource *now)
{
	if (old != NULL)
		walk_external(ctx, old, false);
	if (now != NULL)
		walk_external(ctx, now, true);
}

/* The ingresses that are as they were, but whose zone was enabled or disabled, or is in
 * another condition. */
static void follow_zones(struct rows *rows)
{
	struct set_iter each = set_each(rows->after, KIND_ZONE_INGRESS, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL) {
		bool was = counts(rows->before, res, rows->zone);
		bool is = counts(rows->after, res, rows->zone);
		const char *zone = ingress_zone(res, rows->zone);

		if (set_get(rows->before, &res->key) != res)
			continue;
		if (was == is && zone_condition_of(rows->before, zone) ==
					 zone_condition_of(rows->after, zone))
			continue;
		if (was)
			walk_ingress(rows, res, false);
		if (is)
			walk_ingress(rows, res, true);
	}
}

static void sort(void *list, size_t count, size_t size,
		 int (*compare)(const void *, const void *))
{
	if (count > 1)
		qsort(list, count, size, compare);
}

void rows_collect(struct rows *rows, const struct set *before, const struct set *after,
		  const char *zone)
{
	size_t kept = 0;

	*rows = (struct rows){ .before = before, .after = after, .zone = zone };
	/* Never NULL, to which even 0 may not be added. */
	rows->locals = grow(NULL, 0, &rows->local_room, sizeof(*rows->locals));
	rows->remotes = grow(NULL, 0, &rows->remote_room, sizeof(*rows->remotes));
	rows->externals = grow(NULL, 0, &rows->external_room, sizeof(*rows->externals));
	set_diff(before, after, KIND_DATAPLANE, on_dataplane, rows);
	set_diff(before, after, KIND_ZONE_INGRESS, on_ingress, rows);
	set_diff(before, after, KIND_EXTERNAL_SERVICE, on_external, rows);
	if (!set_same_kind(before, after, KIND_ZONE))
		follow_zones(rows);

	sort(rows->locals, rows->local_count, sizeof(*rows->locals), by_local);
	sort(rows->remotes, rows->remote_count, sizeof(*rows->remotes), by_remote);
	sort(rows->externals, rows->external_count, sizeof(*rows->externals),
	     by_external);
	sort(rows->gone, rows->gone_count, sizeof(*rows->gone), by_address);
	sort(rows->touched, rows->touched_count, sizeof(*rows->touched), by_name);
	for (size_t i = 0; i < rows->touched_count; i++)
		if (kept == 0 ||
		    row_name_compare(&rows->touched[kept - 1], &rows->touched[i]) != 0)
			rows->touched[kept++] = rows->touched[i];
	rows->touched_count = kept;
}

void rows_end(struct rows *rows)
{
	free(rows->locals);
	free(rows->remotes);
	free(rows->externals);
	free(rows->touched);
	free(rows->gone);
}

struct rows_at rows_behind(const struct rows *rows, struct rows_at first,
			   const struct row_name *name)
{
	while (first.local < rows->local_count &&
	       row_name_compare(&rows->locals[first.local].name, name) == 0)
		first.local++;
	while (first.remote < rows->remote_count &&
	       row_name_compare(&rows->remotes[first.remote].name, name) == 0)
		first.remote++;
	while (first.external < rows->external_count &&
	       row_name_compare(&rows->externals[first.external].name, name) == 0)
		first.external++;
	return first;
}

bool rows_gone(const struct rows *rows, const struct resource *res)
{
	return rows->gone_count > 0 && bsearch(&res, rows->gone, rows->gone_count,
					       sizeof(*rows->gone), by_address) != NULL;
}
