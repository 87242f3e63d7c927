/* What one Dataplane's change costs where a zone derives MeshServices: medians of 20, CPU
 * time. Usage: bench-services [services] [Dataplanes of each] */
#include "zone/services/plan.h"

#include "base/mem.h"
#include "model/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURNS = 20 };

static uint64_t cpu_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left > *right) - (*left < *right);
}

static struct resource *make(const char *json)
{
	struct resource *res = NULL;

	if (resource_from_json(json, strlen(json), &res, NULL) != ZL_OK)
		abort();
	return res;
}

static void put(struct set_edit *edit, char *json)
{
	struct resource *res = make(json);

	set_put(edit, res);
	resource_drop(&res);
	free(json);
}

static void put_dataplane(struct set_edit *edit, int service, int number, int port)
{
	put(edit, zl_format("{\"labels\":{\"kuma.io/origin\":\"zone\",\"kuma.io/zone\":"
			    "\"east\"},\"mesh\":\"default\",\"name\":\"d%d-%d\","
			    "\"networking\":{\"address\":\"10.%d.%d.%d\",\"inbound\":[{"
			    "\"port\":%d,\"tags\":{\"kuma.io/service\":\"s%d\"}}]},"
			    "\"type\":\"Dataplane\"}",
			    service, number, service / 250, service % 250, number % 250,
			    port, service));
}

static struct set *world(int services, int each)
{
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);

	put(edit, zl_strdup("{\"meshServices\":{\"mode\":\"Everywhere\"},\"name\":"
			    "\"default\",\"type\":\"Mesh\"}"));
	for (int i = 0; i < services; i++)
		for (int j = 0; j < each; j++)
			put_dataplane(edit, i, j, 80);
	set_drop(&empty);
	return set_done(&edit);
}

/* The zone as it goes from look to look. */
struct zone {
	struct set *all, *local, *states, *all_before;
	struct inventory *inventory, *inventory_before;
	struct services_plan plan;
};

/* What was planned is done, at once. */
static void carry_out(struct zone *zone)
{
	struct set_edit *local = set_edit(zone->local);
	struct set_edit *all = set_edit(zone->all);

	for (size_t i = 0; i < zone->plan.count; i++) {
		struct resource *now = zone->plan.items[i].now;
		if (now == NULL)
			continue;
		now->mod_rev = 1;
		set_put(local, now);
		set_put(all, now);
	}
	services_plan_free(&zone->plan);
	set_drop(&zone->local);
	set_drop(&zone->all);
	zone->local = set_done(&local);
	zone->all = set_done(&all);
}

/* One look; its cost in nanoseconds. */
static uint64_t look(struct zone *zone)
{
	struct inventory *inventory = inventory_update(zone->inventory, zone->all);
	struct set *all = set_hold(zone->all);
	const struct services_view view = { .inventory = inventory,
					    .all = all,
					    .inventory_before = zone->inventory_before,
					    .all_before = zone->all_before,
					    .local = zone->local,
					    .zone = "east",
					    .now_s = 1800000000,
					    .grace_s = 3600 };
	uint64_t begin = cpu_ns();
	struct set *states = services_decide(&view, zone->states, &zone->plan);
	uint64_t took = cpu_ns() - begin;

	set_drop(&zone->states);
	zone->states = states;
	carry_out(zone);
	inventory_drop(&zone->inventory);
	zone->inventory = inventory_hold(inventory);
	inventory_drop(&zone->inventory_before);
	set_drop(&zone->all_before);
	zone->inventory_before = inventory;
	zone->all_before = all;
	return took;
}

int main(int argc, char **argv)
{
	int services = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1000;
	int each = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
	struct zone *zone = zl_alloc(1, sizeof(*zone));
	uint64_t took[TURNS];

	zone->all = world(services, each);
	zone->local = set_empty();
	zone->states = set_empty();
	zone->inventory = inventory_build(zone->all, "east");
	printf("first look, up to %d objects: %.1f ms\n", SERVICES_AT_ONCE,
	       (double)look(zone) / 1e6);
	while (set_count(zone->local, KIND_MESH_SERVICE) < (size_t)services) {
		inventory_drop(&zone->inventory_before); /* there is more */
		set_drop(&zone->all_before);
		(void)look(zone);
	}
	(void)look(zone);
	for (int i = 0; i < TURNS; i++) {
		struct set_edit *edit = set_edit(zone->all);
		put_dataplane(edit, 7, 0, 81 + i);
		set_drop(&zone->all);
		zone->all = set_done(&edit);
		took[i] = look(zone);
	}
	qsort(took, TURNS, sizeof(took[0]), by_size);
	uint64_t median = took[TURNS / 2];
	printf("one Dataplane of %d changes its port, %d services: %.0f us\n",
	       services * each, services, (double)median / 1e3);
	set_drop(&zone->all);
	set_drop(&zone->local);
	set_drop(&zone->states);
	set_drop(&zone->all_before);
	inventory_drop(&zone->inventory);
	inventory_drop(&zone->inventory_before);
	free(zone);
	return 0;
}
