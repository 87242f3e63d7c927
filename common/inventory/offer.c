#include "inventory/inventory.h"

#include <stdlib.h>
#include <string.h>

static int compare_records(const void *one, const void *other)
{
	const struct available_service *a = one;
	const struct available_service *b = other;
	int order = strcmp(a->mesh, b->mesh);

	return order != 0 ? order : labels_compare(a->tags, b->tags);
}

static bool has_ready(const struct service *service)
{
	for (size_t i = 0; i < service->local_count; i++)
		if (service->locals[i].ready)
			return true;
	return false;
}

/* One record for each inbound of service that counts: the Ready ones, or, so that the
 * service stays known, all of them with no instance. */
static size_t put_records(const struct service *service, struct available_service *to)
{
	bool ready = has_ready(service);
	size_t count = 0;

	for (size_t i = 0; i < service->local_count; i++)
		if (service->locals[i].ready == ready)
			to[count++] = (struct available_service){
				.mesh = service->mesh,
				.tags = service->locals[i].tags,
				.instances = ready ? 1 : 0,
			};
	return count;
}

const struct available_service *inventory_offer(const struct inventory *inventory,
						struct zl_arena *arena, size_t *count)
{
	size_t service_count = inventory_count(inventory);
	size_t room = 0;
	size_t put = 0;
	size_t kept = 0;

	for (size_t i = 0; i < service_count; i++)
		room += inventory_at(inventory, i)->local_count;
	struct available_service *records = zl_arena_alloc(arena, room, sizeof(*records));
	for (size_t i = 0; i < service_count; i++)
		put += put_records(inventory_at(inventory, i), records + put);

	qsort(records, put, sizeof(*records), compare_records);
	for (size_t i = 0; i < put; i++) {
		if (kept > 0 && compare_records(&records[kept - 1], &records[i]) == 0)
			records[kept - 1].instances += records[i].instances;
		else
			records[kept++] = records[i];
	}
	*count = kept;
	return records;
}
