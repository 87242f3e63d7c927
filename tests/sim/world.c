#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ten of them. */
static const uint64_t YEARS_MS = UINT64_C(10) * 365 * 24 * 3600 * 1000;

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

uint64_t clock_now(const struct sim_clock *clock, uint64_t now)
{
	return clock->begin + (uint64_t)((int64_t)now * (1000 + clock->skew) / 1000);
}

uint64_t clock_when(const struct sim_clock *clock, uint64_t at)
{
	if (at == UINT64_MAX)
		return at;
	if (at <= clock->begin)
		return 0;
	int64_t rate = 1000 + clock->skew;
	return (uint64_t)(((int64_t)(at - clock->begin) * 1000 + rate - 1) / rate);
}

static struct sim_clock some_clock(struct dice *dice)
{
	return (struct sim_clock){ .begin = dice_below(dice, YEARS_MS),
				   .skew = (int)dice_below(dice, 41) - 20 };
}

static void deliver(struct world *world, struct packet *packet)
{
	if (packet->kind != PACKET_REQUEST)
		zone_packet(&world->zones[packet->zone], packet);
	else if (world->global.machine != NULL)
		global_request(world, packet);
}

void world_turn(struct world *world)
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
		if (zone->piped_at != 0 && world->now >= zone->piped_at) {
			zone->piped_at = 0;
			if (zone->machine != NULL)
				zone_piped(zone);
		}
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

uint64_t world_next(const struct world *world)
{
	uint64_t at = net_next(world);

	sooner(&at, world->global.machine != NULL ? world->global.wake_at
						  : world->global.up_at);
	if (world->global.machine != NULL)
		sooner_disk(&at, &world->global.disk);
	for (size_t i = 0; i < world->zone_count; i++) {
		const struct zone_node *zone = &world->zones[i];
		sooner(&at, zone->machine != NULL ? zone->wake_at : zone->up_at);
		if (zone->piped_at != 0)
			sooner(&at, zone->piped_at);
		if (zone->machine != NULL)
			sooner_disk(&at, &zone->disk);
	}
	return at > world->now ? at : world->now;
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

const char *world_differ(struct world *world)
{
	for (size_t i = 0; i < world->zone_count; i++) {
		const struct zone_node *zone = &world->zones[i];
		if (zone->machine == NULL || world->global.machine == NULL)
			return "a process is down";
		if (sync_zone_view(zone->machine).state != SYNC_LIVE)
			return "a zone is not live";
	}
	for (size_t i = 0; i < world->zone_count; i++) {
		const struct zone_node *zone = &world->zones[i];
		if (!sim_store_same(&zone->store, &world->global.store))
			return "a zone does not hold what global holds";
		if (!inventory_arrived(world, zone))
			return "global does not have the inventory of a zone";
	}
	return NULL;
}

void world_setup(struct world *world, uint64_t seed)
{
	world->dice.state = seed;
	world->scratch = zl_arena_new();
	world->net.next = UINT64_MAX;
	world->now = 1000;
	world->lease_ms = LEASE_MS;
	world->disk_fails = 2;
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
	world->global.clock = some_clock(&world->dice);
	uint64_t epoch = dice_roll(&world->dice);
	memcpy(world->global.store.state.position.epoch, &epoch, sizeof(epoch));
	world_committed(world, &world->global.store.state);
	for (size_t i = 0; i < world->zone_count; i++) {
		struct zone_node *zone = &world->zones[i];
		zone->world = world;
		zone->clock = some_clock(&world->dice);
		snprintf(zone->name, sizeof(zone->name), "z%u", (unsigned)i);
		memset(zone->uuid, (int)i + 1, sizeof(zone->uuid));
	}
}

void world_free(struct world *world)
{
	net_fini(world);
	zl_arena_free(&world->scratch);
	global_fini(world);
	for (size_t i = 0; i < world->zone_count; i++)
		zone_fini(&world->zones[i]);
	for (size_t i = 0; i < BACKUPS; i++)
		sim_store_fini(&world->backups[i]);
	free(world);
}
