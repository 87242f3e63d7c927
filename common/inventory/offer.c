#include "inventory/block.h"

#include <stdlib.h>
#include <string.h>

int offer_compare(const void *one, const void *other)
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

void block_offer(struct block *block)
{
	struct available_service *records =
		zl_alloc(block->service.local_count + 1, sizeof(*records));
	size_t put = put_records(&block->service, records);
	size_t kept = 0;

	qsort(records, put, sizeof(*records), offer_compare);
	for (size_t i = 0; i < put; i++) {
		if (kept > 0 && offer_compare(&records[kept - 1], &records[i]) == 0)
			records[kept - 1].instances += records[i].instances;
		else
			records[kept++] = records[i];
	}
	block->offer = zl_realloc(records, kept + 1, sizeof(*records));
	block->offer_count = kept;
}

/* Records of different services differ in their tags. */
const struct available_service *inventory_offer(const struct inventory *inventory,
						struct zl_arena *arena, size_t *count)
{
	size_t room = 0;

	for (size_t i = 0; i < inventory_count(inventory); i++)
		room += inventory_block(inventory, i)->offer_count;
	struct available_service *records = zl_arena_alloc(arena, room, sizeof(*records));
	*count = 0;
	for (size_t i = 0; i < inventory_count(inventory); i++) {
		const struct block *block = inventory_block(inventory, i);

		memcpy(records + *count, block->offer,
		       block->offer_count * sizeof(*records));
		*count += block->offer_count;
	}
	qsort(records, room, sizeof(*records), offer_compare);
	return records;
}
