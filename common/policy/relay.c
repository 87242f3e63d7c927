#include "policy/relay.h"

#include <string.h>

static bool is_same_place(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && strcmp(a->address, b->address) == 0;
}

/* The egresses that take connections; of those at one place the first. */
static void find_relays(struct resolving *at)
{
	struct relays *relays = &at->relays;
	size_t count;
	const struct resource *const *all =
		inventory_egresses(at->inventory, at->arena, &count);
	struct endpoint *items = zl_arena_alloc(at->arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++) {
		struct endpoint *to = &items[relays->count];

		*to = (struct endpoint){ .zone = at->zone,
					 .address = all[i]->egress->address,
					 .port = all[i]->egress->port,
					 .weight = 1,
					 .via = VIA_EGRESS };
		if (at->is_serving != NULL && !at->is_serving(at->owner, all[i]))
			continue;
		if (relays->count == 0 || !is_same_place(to - 1, to))
			relays->count++;
	}
	relays->items = items;
	relays->all = all;
	relays->all_count = count;
	relays->found = true;
}

void relay_apply(struct resolving *at, struct endpoints *found)
{
	const struct relays *relays = &at->relays;
	size_t near = 0;

	if (!at->mesh->zone_egress)
		return;
	for (size_t i = 0; i < found->count; i++)
		near += found->items[i].via == VIA_DIRECT;
	if (near == found->count)
		return;
	if (!relays->found)
		find_relays(at);
	struct endpoint *items =
		zl_arena_alloc(at->arena, near + relays->count, sizeof(*items));
	size_t count = 0;
	for (size_t i = 0; i < found->count; i++) {
		if (found->items[i].via != VIA_DIRECT)
			continue;
		items[count] = found->items[i];
		items[count].weight = 1; /* beside no ingress there is nothing to share */
		items[count++].priority = 0;
	}
	for (size_t i = 0; i < relays->count; i++) {
		items[count] = relays->items[i];
		/* All of them are one group beside those of the zone's instances. */
		items[count].group_weight = relays->count;
		items[count++].priority = near > 0 ? 1 : 0;
	}
	found->items = items;
	found->count = count;
	found->unrelayed = relays->count == 0;
}
