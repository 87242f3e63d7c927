/* One thing that global publishes is lost, doubled or overtaken on its way to a zone, in
 * the middle of a few writes. Within one beat the zone is where global is, by the log and
 * not by a copy of everything. ZL_SIZE S: 500 gaps, C: 2,000, L: 10,000. */
#include "world.h"

#include "crash/size.h"
#include "support/test.h"

#include <stdlib.h>

enum { WRITES = 6, APART_MS = 12, WITHIN_MS = SYNC_BEAT_MS + 300 };

static void run_until(struct world *world, uint64_t end, bool same)
{
	while (world->now < end && world->wrong == NULL) {
		uint64_t at = world_next(world);
		world->now = at < end ? at : end;
		world_turn(world);
		if (same && world_differ(world) == NULL)
			return;
	}
}

static const char *run(uint64_t seed)
{
	struct world *world = zl_alloc(1, sizeof(*world));
	struct zone_node *zone = &world->zones[0];

	world_setup(world, seed);
	world->well = true;
	world->lease_ms = SYNC_LEASE_MS;
	world->global.store.keep = 200;
	world->delta_max = world->batch_max = world->chunk_max = 0;
	for (unsigned i = 0; i < 5; i++) {
		run_until(world, world->now + 1000, false);
		global_write(world);
	}
	run_until(world, world->now + 1500, false);
	const char *failure = world_differ(world);
	unsigned copies = zone->copies;
	world->net.gap = (enum net_gap)(1 + seed % 3);
	world->net.gap_in = 1 + (unsigned)dice_below(&world->dice, WRITES);
	for (unsigned i = 0; i < WRITES; i++) {
		global_write(world);
		run_until(world, world->now + 1 + dice_below(&world->dice, APART_MS),
			  false);
	}
	run_until(world, world->now + WITHIN_MS, true);
	if (failure == NULL)
		failure = world->wrong != NULL ? world->wrong : world_differ(world);
	if (failure == NULL && world->net.gap_in != 0)
		failure = "nothing went wrong on the way";
	if (failure == NULL && zone->copies != copies)
		failure = "a gap made a zone copy everything";
	world_free(world);
	return failure;
}

static void a_gap_is_found_within_a_beat(void **state)
{
	(void)state;
	seeds_run(by_size(500, 2000, 10000), run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gap_is_found_within_a_beat),
	};
	return cmocka_run_group_tests_name("sim/gaps", tests, NULL, NULL);
}
