#include "policy/outside.h"

#include <stdlib.h>
#include <string.h>

static int by_place(const void *one, const void *other)
{
	const struct endpoint *a = one;
	const struct endpoint *b = other;
	int order = strcmp(a->address, b->address);

	return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}

static struct endpoint endpoint_at(const struct external_address *at, struct labels tags)
{
	return (struct endpoint){ .address = at->address,
				  .port = at->port,
				  .weight = 1,
				  .via = VIA_EXTERNAL,
				  .tags = tags };
}

static struct endpoints in_order(struct endpoint *items, size_t count)
{
	if (count > 1)
		qsort(items, count, sizeof(*items), by_place);
	return (struct endpoints){ .items = items, .count = count };
}

const struct external_tls *outside_of(const struct service *service)
{
	if (service == NULL || service->outdone)
		return NULL;
	if (service->external_count > 0)
		return &service->externals[0]->external->tls;
	return service->left_out_count > 0 ? &service->left_out[0].external->external->tls
					   : NULL;
}

struct endpoints outside_of_object(const struct resource *object, struct zl_arena *arena)
{
	const struct mesh_external_spec *spec = object->mesh_external;
	struct endpoint *items =
		zl_arena_alloc(arena, spec->endpoint_count, sizeof(*items));

	for (size_t i = 0; i < spec->endpoint_count; i++)
		items[i] = endpoint_at(&spec->endpoints[i], (struct labels){ 0 });
	return in_order(items, spec->endpoint_count);
}

struct endpoints outside_of_service(const struct service *service, struct labels tags,
				    struct zl_arena *arena)
{
	struct endpoint *items =
		zl_arena_alloc(arena, service->external_count, sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < service->external_count; i++) {
		const struct external_spec *spec = service->externals[i]->external;

		if (labels_match(tags, spec->tags, true))
			items[count++] = endpoint_at(&spec->endpoint, spec->tags);
	}
	return in_order(items, count);
}
