/* Rules that the machines must keep among themselves though nobody would notice for long
 * if they did not, because another rule catches what they let through. */
#include "world.h"

#include "sync/zone_parts.h"

#include <stdlib.h>
#include <string.h>

static bool is_type(const void *bytes, size_t len, enum sync_type type)
{
	return len > 4 && ((const uint8_t *)bytes)[3] == type;
}

/* Valid until the next call. */
static const void *decode(struct world *world, const void *bytes, size_t len)
{
	struct sync_message message;

	zl_arena_reset(world->scratch);
	if (sync_decode(world->scratch, bytes, len, &message, NULL) != ZL_OK)
		return NULL;
	return message.body;
}

void watch_request(struct world *world, const void *bytes, size_t len)
{
	struct watch *watch = &world->watch;

	watch->fetching = is_type(bytes, len, SYNC_MSG_FETCH);
	if (!watch->fetching)
		return;
	const Sync__Fetch *fetch = decode(world, bytes, len);
	watch->fetching = fetch != NULL;
	if (fetch != NULL)
		watch->at = sync_position_in(fetch->position);
}

static bool epoch_begins(const struct world *world)
{
	const struct disk *disk = &world->global.disk;

	for (size_t i = 0; i < disk->count; i++)
		if (disk->jobs[i].kind == SYNC_DO_NEW_EPOCH)
			return true;
	return false;
}

/* Is at a position that global has been at, as far as it knows? */
static bool is_of_global(struct world *world, const struct position *at)
{
	struct sim_store *store = &world->global.store;
	uint8_t chain[POSITION_CHAIN];

	return memcmp(at->epoch, store->state.position.epoch, POSITION_EPOCH) == 0 &&
	       SIM_GLOBAL_OPS.chain(store, at->rev, chain) &&
	       memcmp(at->chain, chain, POSITION_CHAIN) == 0;
}

void watch_reply(struct world *world, const void *bytes, size_t len)
{
	struct watch *watch = &world->watch;
	const struct position *head = &world->global.store.state.position;

	if (!watch->fetching)
		return;
	watch->fetching = false;
	bool ahead = memcmp(watch->at.epoch, head->epoch, POSITION_EPOCH) == 0 &&
		     watch->at.rev > head->rev;
	if (is_type(bytes, len, SYNC_MSG_LOG) && !is_of_global(world, &watch->at))
		world_wrong(world, "global gives its log to who has another history");
	if (ahead && is_type(bytes, len, SYNC_MSG_LATER) && !epoch_begins(world))
		world_wrong(world, "a zone is ahead of global and no new epoch begins");
	if (!ahead || !is_type(bytes, len, SYNC_MSG_RESET))
		return;
	const Sync__Reset *reset = decode(world, bytes, len);
	if (reset == NULL || reset->reason != SYNC__RESET__REASON__FORKED)
		world_wrong(world, "a zone that is ahead is not told of another history");
}

/* What a zone that is LIVE must do about a beat that says this of global. */
static enum sync_zone_state expected(struct zone_node *zone, const Sync__Beat *beat)
{
	const struct sync_zone_view view = sync_zone_view(zone->machine);
	const struct position at = sync_position_in(beat->position);

	if (memcmp(at.epoch, view.head.epoch, POSITION_EPOCH) != 0)
		return SYNC_BOOT;
	if (at.rev < view.head.rev)
		return SYNC_SYNC; /* it asks: was something lost at global? */
	if (at.rev == view.head.rev &&
	    memcmp(at.chain, view.head.chain, POSITION_CHAIN) != 0)
		return SYNC_SNAP; /* another history */
	return SYNC_BOOT;
}

enum sync_zone_state watch_beat(struct zone_node *zone, const struct packet *packet)
{
	enum sync_zone_state state = SYNC_BOOT;

	if (packet->kind != PACKET_PUB ||
	    sync_zone_view(zone->machine).state != SYNC_LIVE ||
	    !is_type(packet->bytes, packet->len, SYNC_MSG_BEAT))
		return SYNC_BOOT;
	const Sync__Beat *beat = decode(zone->world, packet->bytes, packet->len);
	if (beat != NULL)
		state = expected(zone, beat);
	return state;
}

/* Now and then a part of an entry is said to stand where it does not. */
void watch_spoil(struct zone_node *zone, struct packet *packet)
{
	struct world *world = zone->world;

	if (world->well || packet->kind != PACKET_REPLY ||
	    packet->id != zone->machine->asked[MAIN].id ||
	    !is_type(packet->bytes, packet->len, SYNC_MSG_LOG))
		return;
	const void *body = decode(world, packet->bytes, packet->len);
	if (body != NULL) {
		/* What is decoded is the scratch's, which is ours. */
		Sync__Log *log = zl_arena_memdup(world->scratch, body, sizeof(*log));
		if (log->part != NULL && dice_chance(&world->dice, 10)) {
			log->offset++;
			struct sync_bytes bytes =
				sync_encode(world->scratch, SYNC_MSG_LOG, log);
			free(packet->bytes);
			packet->bytes = zl_memdup(bytes.data, bytes.len);
			packet->len = bytes.len;
			zone->spoiled = true;
		}
	}
}

void watch_ask(struct zone_node *zone, const void *bytes, size_t len)
{
	if (!is_type(bytes, len, SYNC_MSG_FETCH))
		return;
	if (!zone->spoiled)
		return;
	zone->spoiled = false;
	const Sync__Fetch *fetch = decode(zone->world, bytes, len);
	if (fetch != NULL && fetch->offset != 0)
		world_wrong(zone->world, "a zone goes on after a part that did not fit");
}
