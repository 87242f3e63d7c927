/* Does a zone far away settle? Its packets take up to 2.5 s each way, from the start or
 * from a moment on, always or by turns. After a while it must be dialled no more and keep
 * its session, and it may lag behind global by little more than the way is long. */
#include "world.h"

#include "support/test.h"

#include <stdlib.h>

enum {
	RUNS = 300,
	LAG_MAX_MS = 2500, /* one way */
	CALM_MS = 20000,
	SETTLE_MS = 120000,
	WATCH_MS = 60000,
	BEAT_MS = 1500, /* a write that no hint told of is found with the next beat */
	WRITES = 512
};

struct past {
	uint64_t at[WRITES], rev[WRITES];
	size_t count;
};

static void run_until(struct world *world, uint64_t end, struct past *past)
{
	uint64_t write_at = world->now;

	while (world->now < end && world->wrong == NULL) {
		uint64_t at = world_next(world);
		at = write_at < at ? write_at : at;
		world->now = at < end ? at : end;
		world_turn(world);
		if (world->now >= write_at) {
			global_write(world);
			write_at = world->now + 1 + dice_below(&world->dice, 1000);
			if (past == NULL || past->count == WRITES)
				continue;
			past->at[past->count] = world->now;
			past->rev[past->count++] = world->global.store.state.position.rev;
		}
	}
}

static void go_far(struct world *world)
{
	for (size_t i = 0; i < world->zone_count; i++) {
		world->net.lag[i] = dice_below(&world->dice, LAG_MAX_MS);
		if (dice_chance(&world->dice, 50))
			world->net.jitter[i] = world->net.lag[i] / 5;
	}
}

/* The revision that a zone should have by now. */
static uint64_t due(const struct world *world, const struct past *past, size_t zone)
{
	uint64_t way = world->net.lag[zone] + world->net.jitter[zone];
	uint64_t rev = 0;

	for (size_t i = 0; i < past->count; i++)
		if (past->at[i] + 3 * way + BEAT_MS < world->now)
			rev = past->rev[i];
	return rev;
}

static const char *watched(struct world *world)
{
	unsigned redials[ZONES_MAX] = { 0 };
	uint64_t fences[ZONES_MAX] = { 0 }, end = world->now + WATCH_MS;
	struct past past = { .count = 0 };

	for (size_t i = 0; i < world->zone_count; i++) {
		redials[i] = world->zones[i].redials;
		fences[i] = sync_zone_view(world->zones[i].machine).fence;
	}
	while (world->now < end) {
		run_until(world, world->now + 500, &past);
		for (size_t i = 0; i < world->zone_count; i++) {
			struct sync_zone_view view =
				sync_zone_view(world->zones[i].machine);
			if (world->zones[i].redials != redials[i])
				return "a zone dials again and again";
			if (view.fence == 0 || view.fence != fences[i])
				return "a zone does not keep its session";
			if (view.state != SYNC_LIVE && view.state != SYNC_SYNC)
				return "a zone's link comes and goes";
			if (view.head.rev < due(world, &past, i))
				return "a zone lags behind more than it must";
		}
	}
	return world->wrong;
}

static const char *run(uint64_t seed)
{
	struct world *world = zl_alloc(1, sizeof(*world));

	world_setup(world, seed);
	world->well = true;
	world->net.drop = world->net.twice = world->net.late = 0;
	world->lease_ms = SYNC_LEASE_MS;
	world->disk_fails = 0;
	world->delta_max = world->batch_max = world->chunk_max = 0;
	world->global.store.keep = 500;
	if (seed % 2 == 0)
		run_until(world, world->now + CALM_MS, NULL);
	go_far(world);
	run_until(world, world->now + SETTLE_MS, NULL);
	const char *failure = watched(world);
	world_free(world);
	return failure;
}

static void far_zones_settle(void **state)
{
	(void)state;
	seeds_run(RUNS, run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(far_zones_settle),
	};
	return cmocka_run_group_tests_name("sim/slow", tests, NULL, NULL);
}
