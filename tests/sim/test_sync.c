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
	STEPS_MAX = 200000 /* a world that does not come to rest */
};

void world_wrong(struct world *world, const char *what)
{
	if (world->wrong == NULL)
		world->wrong = what;
}

void world_committed(struct world *world, const struct sync_state *state)
{
	if (world->history_count < HISTORY_MAX)
		world->history[world->history_count++] = *state;
	else
		world_wrong(world, "the simulation is too long for its history");
}

const struct sync_state *world_find(const struct world *world, const struct position *at)
{
	for (size_t i = world->history_count; i-- > 0;)
		if (position_equal(&world->history[i].position, at))
			return &world->history[i];
	return NULL;
}

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

	switch (dice_below(&world->dice, 16)) {
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
	default:
		backup(world);
		break;
	}
}

static void deliver(struct world *world, struct packet *packet)
{
	if (packet->kind != PACKET_REQUEST)
		zone_packet(&world->zones[packet->zone], packet);
	else if (world->global.machine != NULL)
		global_request(world, packet);
}

/* Everything that is due at this moment. */
static void turn(struct world *world)
{
	struct packet packet;

	if (world->global.machine == NULL && world->now >= world->global.up_at)
		global_start(world);
	for (size_t i = 0; i < world->zone_count; i++)
		if (world->zones[i].machine == NULL &&
		    world->now >= world->zones[i].up_at)
			zone_start(&world->zones[i]);
	while (net_take(world, &packet)) {
		deliver(world, &packet);
		free(packet.bytes);
	}
	while (world->global.machine != NULL && global_turn(world))
		continue;
	if (world->global.machine != NULL && world->now >= world->global.wake_at)
		global_tick(world);
	for (size_t i = 0; i < world->zone_count; i++) {
		struct zone_node *zone = &world->zones[i];
		while (zone->machine != NULL && zone_turn(zone))
			continue;
		if (zone->machine != NULL && world->now >= zone->wake_at)
			zone_tick(zone);
	}
}

static void sooner(uint64_t *at, uint64_t than)
{
	if (than < *at)
		*at = than;
}

static void sooner_disk(uint64_t *at, const struct disk *disk)
{
	if (disk->count > 0)
		sooner(at, disk->jobs[0].at);
}

static uint64_t next_moment(const struct world *world)
{
	uint64_t at = net_next(world);

	sooner(&at, world->global.machine != NULL ? world->global.wake_at
						  : world->global.up_at);
	if (world->global.machine != NULL)
		sooner_disk(&at, &world->global.disk);
	for (size_t i = 0; i < world->zone_count; i++) {
		const struct zone_node *zone = &world->zones[i];
		sooner(&at, zone->machine != NULL ? zone->wake_at : zone->up_at);
		if (zone->machine != NULL)
			sooner_disk(&at, &zone->disk);
	}
	return at > world->now ? at : world->now;
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
		uint64_t at = next_moment(world), before = world->now;
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
		turn(world);
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

static bool inventory_arrived(const struct world *world, const struct zone_node *zone)
{
	size_t theirs = 0;

	for (size_t i = 0; i < world->global.store.count; i++)
		theirs += strncmp(world->global.store.records[i].key, zone->name,
				  strlen(zone->name)) == 0;
	for (size_t i = 0; i < zone->inventory.count; i++) {
		const struct sim_record *mine = &zone->inventory.records[i];
		const struct sim_record *other = sim_store_find(
			&world->global.store, mine->key, strlen(mine->key));
		if (other == NULL || other->len != mine->len ||
		    memcmp(other->value, mine->value, mine->len) != 0)
			return false;
	}
	return theirs == zone->inventory.count;
}

/* NULL: all are the same and live. */
static const char *differ(struct world *world)
{
	for (size_t i = 0; i < world->zone_count; i++) {
		const struct zone_node *zone = &world->zones[i];
		if (zone->machine == NULL || world->global.machine == NULL)
			return "a process is down";
		if (!sim_store_same(&zone->store, &world->global.store))
			return "a zone does not hold what global holds";
		if (sync_zone_view(zone->machine).state != SYNC_LIVE)
			return "a zone is not live";
		if (!inventory_arrived(world, zone))
			return "global does not have the inventory of a zone";
	}
	return NULL;
}

static void setup(struct world *world, uint64_t seed)
{
	world->dice.state = seed;
	world->now = 1000;
	world->zone_count = 2 + dice_below(&world->dice, ZONES_MAX - 1);
	world->net.drop = (unsigned)dice_below(&world->dice, 31);
	world->net.twice = (unsigned)dice_below(&world->dice, 20);
	world->net.late = (unsigned)dice_below(&world->dice, 30);
	world->net.slow = 1 + dice_below(&world->dice, 3000);
	world->delta_max = dice_chance(&world->dice, 30) ? 40 : 0;
	world->batch_max = dice_chance(&world->dice, 30) ? 40 : 0;
	world->chunk_max = dice_chance(&world->dice, 50) ? 200 : 0;
	world->global.pins = dice_chance(&world->dice, 50);
	world->global.store.keep = 3 + dice_below(&world->dice, 48);
	uint64_t epoch = dice_roll(&world->dice);
	memcpy(world->global.store.state.position.epoch, &epoch, sizeof(epoch));
	world_committed(world, &world->global.store.state);
	for (size_t i = 0; i < world->zone_count; i++) {
		struct zone_node *zone = &world->zones[i];
		zone->world = world;
		snprintf(zone->name, sizeof(zone->name), "z%u", (unsigned)i);
		memset(zone->uuid, (int)i + 1, sizeof(zone->uuid));
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

	setup(world, seed);
	live(world, FAULTS_MS, NULL);
	make_well(world);
	live(world, world->now + QUIET_MS, differ);
	const char *failure = world->wrong != NULL ? world->wrong : differ(world);

	net_fini(world);
	global_fini(world);
	for (size_t i = 0; i < world->zone_count; i++)
		zone_fini(&world->zones[i]);
	for (size_t i = 0; i < BACKUPS; i++)
		sim_store_fini(&world->backups[i]);
	free(world);
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
