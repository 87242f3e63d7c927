/* Does every zone hold what global holds, after all that can go wrong has gone wrong?
 *
 * For a while users write, inventories change, the network loses, doubles, delays and
 * reorders, processes die, disks rot, are lost, or are put back to an old copy. Then all
 * is well. Never may a zone show or hold what global never committed, or go back within
 * an epoch; in the end all must hold the same. */
#include "world.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEEDS = 20000,
	FAULTS_MS = 12000,
	QUIET_MS = 60000,
	SLEEP_MS = 30000,
	STEPS_MAX = 200000 /* a world that does not come to rest */
};

static void backup(struct world *world)
{
	size_t slot = dice_below(&world->dice, BACKUPS);

	sim_store_copy(&world->backups[slot], &world->global.store);
	memcpy(world->backup_zones[slot], world->global.zones,
	       sizeof(world->global.zones));
	memcpy(world->backup_known[slot], world->global.known,
	       sizeof(world->global.known));
}

/* by_tool: with a new epoch, as a restore does; else files copied by hand. */
static void rewind_global(struct world *world, bool by_tool)
{
	size_t slot = dice_below(&world->dice, BACKUPS);

	if (world->backups[slot].state.position.rev == 0)
		return;
	global_crash(world);
	sim_store_copy(&world->global.store, &world->backups[slot]);
	memcpy(world->global.zones, world->backup_zones[slot],
	       sizeof(world->global.zones));
	memcpy(world->global.known, world->backup_known[slot],
	       sizeof(world->global.known));
	world->rewound = world->rewound || !by_tool;
	if (by_tool) {
		uint64_t random = dice_roll(&world->dice);
		memcpy(world->global.store.state.position.epoch, &random, sizeof(random));
		world_committed(world, &world->global.store.state);
	}
}

static void lose_disk(struct zone_node *zone)
{
	uint64_t random = dice_roll(&zone->world->dice);

	zone_crash(zone);
	sim_store_fini(&zone->store);
	memcpy(zone->uuid, &random, sizeof(random));
	zone->incarnation = 0;
	zone->newest = (struct position){ .rev = 0 };
	zone->rotten = false;
}

static void fault(struct world *world)
{
	struct net *net = &world->net;
	size_t index = dice_below(&world->dice, world->zone_count);
	struct zone_node *zone = &world->zones[index];
	uint64_t until = world->now + dice_below(&world->dice, 6000);

	switch (dice_below(&world->dice, 17)) {
	case 0:
	case 1:
		zone_crash(zone);
		break;
	case 2:
		global_crash(world);
		break;
	case 3:
		rewind_global(world, dice_chance(&world->dice, 30));
		break;
	case 4:
		if (dice_chance(&world->dice, 30))
			lose_disk(zone);
		break;
	case 5:
	case 6:
		zone->rotten = zone->store.count > 0;
		sim_store_rot(&zone->store, dice_below(&world->dice, SIM_RECORDS));
		sim_store_rot(&zone->stage, dice_below(&world->dice, SIM_RECORDS));
		if (dice_chance(&world->dice, 50))
			zone_crash(zone);
		break;
	case 7:
	case 8:
		net->pub_dead[index] = until;
		break;
	case 9:
		if (dice_chance(&world->dice, 50))
			net->cut[index] = until;
		zone->deaf = zone->deaf || dice_chance(&world->dice, 40);
		zone->dumb = zone->dumb || dice_chance(&world->dice, 40);
		break;
	case 10:
		if (zone->machine != NULL)
			zone_simple(zone, SYNC_EV_PIPE);
		break;
	case 11:
		if (zone->machine != NULL)
			zone_simple(zone, SYNC_EV_STOP);
		zone_crash(zone);
		break;
	case 12: /* a host that did not run for a while */
		(dice_chance(&world->dice, 30) ? &world->global.clock : &zone->clock)
			->begin += dice_below(&world->dice, SLEEP_MS);
		break;
	default:
		backup(world);
		break;
	}
}

static void sooner(uint64_t *at, uint64_t than)
{
	if (than < *at)
		*at = than;
}

/* Somebody looks after what waits for people, at global or in a zone. */
static void look(struct world *world)
{
	struct zone_node *zone =
		&world->zones[dice_below(&world->dice, world->zone_count)];

	if (dice_chance(&world->dice, 30) && zone->machine != NULL)
		zone_operator(zone);
	else if (world->global.machine != NULL)
		global_operator(world);
}

/* Until end, or until what is waited for. */
static void live(struct world *world, uint64_t end, const char *(*rest)(struct world *))
{
	uint64_t write_at = world->now, change_at = world->now, fault_at = world->now;
	uint64_t operator_at = world->now + 1 + dice_below(&world->dice, 2000);
	size_t still = 0;

	for (size_t steps = 0; world->now < end && world->wrong == NULL; steps++) {
		uint64_t at = world_next(world), before = world->now;
		if (!world->well) {
			sooner(&at, write_at);
			sooner(&at, change_at);
			sooner(&at, fault_at);
		}
		sooner(&at, operator_at);
		world->now = at > world->now ? at : world->now;
		still = world->now == before ? still + 1 : 0;
		if (steps > STEPS_MAX || still > 1000)
			world_wrong(world, "the world does not come to rest");
		world_turn(world);
		if (world->now >= operator_at) {
			look(world);
			operator_at = world->now + 1 + dice_below(&world->dice, 4000);
		}
		if (rest != NULL && rest(world) == NULL)
			return;
		if (world->well)
			continue;
		if (world->now >= write_at) {
			global_write(world);
			write_at = world->now + 1 + dice_below(&world->dice, 400);
		}
		if (world->now >= change_at) {
			zone_change(&world->zones[dice_below(&world->dice,
							     world->zone_count)]);
			change_at = world->now + 1 + dice_below(&world->dice, 800);
		}
		if (world->now >= fault_at) {
			fault(world);
			fault_at = world->now + dice_below(&world->dice, 2000);
		}
	}
}

/* Rot is only seen when a digest is told: at a start, or with the next commit. */
static void make_well(struct world *world)
{
	world->well = true;
	global_write(world);
}

static const char *run(uint64_t seed)
{
	struct world *world = zl_alloc(1, sizeof(*world));

	world_setup(world, seed);
	live(world, FAULTS_MS, NULL);
	make_well(world);
	live(world, world->now + QUIET_MS, world_differ);
	const char *failure = world->wrong != NULL ? world->wrong : world_differ(world);

	world_free(world);
	return failure;
}

static void in_the_end_all_hold_the_same(void **state)
{
	(void)state;
	seeds_run(SEEDS, run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_the_end_all_hold_the_same),
	};
	return cmocka_run_group_tests_name("sim/sync", tests, NULL, NULL);
}
