#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t index_of(const struct zone_node *zone)
{
	return (size_t)(zone - zone->world->zones);
}

static void keep_entries(struct job *job, const struct sync_entry *entries, size_t count)
{
	job->entries = zl_alloc(count + 1, sizeof(*job->entries));
	job->count = count;
	for (size_t i = 0; i < count; i++) {
		job->entries[i].rev = entries[i].rev;
		job->entries[i].bytes = zl_memdup(entries[i].bytes, entries[i].len);
		job->entries[i].len = entries[i].len;
	}
}

static void keep_records(struct job *job, const struct sync_record *records, size_t count)
{
	job->records = zl_alloc(count + 1, sizeof(*job->records));
	job->count = count;
	for (size_t i = 0; i < count; i++) {
		struct sim_record *record = &job->records[i];
		memcpy(record->key, records[i].key, records[i].key_len);
		record->mod_rev = records[i].mod_rev;
		record->len = records[i].value_len;
		if (!records[i].deleted)
			record->value = zl_memdup(records[i].value, records[i].value_len);
	}
}

/* What a zone shows to its proxies must have been committed by global as it is. */
static void check_shown(struct zone_node *zone, const struct position *position)
{
	if (world_find(zone->world, position) == NULL)
		world_wrong(zone->world, "a zone shows what global never committed");
}

static struct sync_loss loss_of(const struct zone_node *zone)
{
	const struct sim_store *shown = &zone->store, *stage = &zone->stage;
	struct sync_loss loss = { .shown = shown->count };
	size_t at = 0;

	for (size_t i = 0; i < shown->count; i++) {
		const char *key = shown->records[i].key;
		while (at < stage->count && strcmp(stage->records[at].key, key) < 0)
			at++;
		bool gone =
			at == stage->count || strcmp(stage->records[at].key, key) != 0;
		loss.removed += gone;
		loss.written += key[0] == 'g';
		loss.written_removed += gone && key[0] == 'g';
	}
	return loss;
}

static bool is_much(uint64_t removed, uint64_t shown)
{
	return removed > 10 && removed * 5 > shown;
}

/* What takes much away from the proxies must have been accepted. */
static void check_loss(struct zone_node *zone)
{
	struct sync_loss loss = loss_of(zone);
	bool all = is_much(loss.removed, loss.shown);

	if ((all || is_much(loss.written_removed, loss.written)) &&
	    (all ? loss.removed : loss.written_removed) > zone->allowed)
		world_wrong(zone->world, "a copy removed much that nobody accepted");
	zone->allowed = 0;
}

/* TCP and TLS go there and back three times; meanwhile what is published is lost, and
 * what is asked waits. What is being dialled is left alone. */
static void redial(struct zone_node *zone)
{
	struct world *world = zone->world;
	uint64_t lag = world->net.lag[index_of(zone)];

	zone->redials++;
	zone->deaf = zone->dumb = false;
	if (zone->piped_at == 0)
		zone->piped_at = world->now + 1 + 6 * lag + dice_below(&world->dice, 20);
}

static void ask(struct zone_node *zone, const struct sync_zone_action *action)
{
	struct world *world = zone->world;
	uint64_t now = world->now;

	watch_ask(zone, action->bytes, action->len);
	if (zone->piped_at != 0)
		world->now = zone->piped_at;
	if (!zone->dumb)
		net_send(world, PACKET_REQUEST, index_of(zone), zone->life, action->id,
			 action->bytes, action->len);
	world->now = now;
	net_timer(world, index_of(zone), zone->life, action->id,
		  world->now + action->deadline_ms);
}

static void act_one(struct zone_node *zone, const struct sync_zone_action *action)
{
	struct world *world = zone->world;
	struct job *job;

	switch (action->kind) {
	case SYNC_DO_SEND:
		ask(zone, action);
		break;
	case SYNC_DO_SWAP:
		zone->copies++;
		check_loss(zone);
		/* fallthrough */
	case SYNC_DO_APPLY:
		check_shown(zone, &action->position);
		/* fallthrough */
	case SYNC_DO_HOLD:
	case SYNC_DO_UNHOLD:
	case SYNC_DO_STAGE:
	case SYNC_DO_STAGE_LOG:
	case SYNC_DO_REPAIR:
		job = disk_add(world, &zone->disk, (int)action->kind, action->id);
		if (job == NULL)
			break;
		job->first = action->first;
		job->position = action->position;
		job->digest = action->digest;
		if (action->entry_count > 0)
			keep_entries(job, action->entries, action->entry_count);
		else
			keep_records(job, action->records, action->record_count);
		break;
	case SYNC_DO_REDIAL:
		redial(zone);
		break;
	case SYNC_DO_SECRET:
	case SYNC_DO_TELL:
		break;
	}
}

static void step(struct zone_node *zone, struct sync_zone_event event)
{
	event.now = clock_now(&zone->clock, zone->world->now);
	event.dice = dice_roll(&zone->world->dice);
	struct sync_zone_todo todo = sync_zone_step(zone->machine, &event);
	zone->wake_at = clock_when(&zone->clock, todo.wake_at);
	for (size_t i = 0; i < todo.count; i++)
		act_one(zone, &todo.actions[i]);
}

void zone_piped(struct zone_node *zone)
{
	step(zone, (struct sync_zone_event){ .kind = SYNC_EV_PIPE, .up = true });
}

void zone_simple(struct zone_node *zone, enum sync_zone_event_kind kind)
{
	step(zone, (struct sync_zone_event){ .kind = kind });
}

static void tell_inventory(struct zone_node *zone)
{
	const struct sim_store *from = &zone->inventory;
	struct op list[SIM_RECORDS];

	for (size_t i = 0; i < from->count; i++)
		list[i] = (struct op){ .key = from->records[i].key,
				       .key_len = strlen(from->records[i].key),
				       .value = from->records[i].value,
				       .value_len = from->records[i].len };
	step(zone, (struct sync_zone_event){ .kind = SYNC_EV_INVENTORY,
					     .ops = list,
					     .op_count = from->count,
					     .full = true });
}

void zone_start(struct zone_node *zone)
{
	struct world *world = zone->world;
	struct sync_zone_setup setup = { .zone = zone->name,
					 .build = "sim",
					 .incarnation = ++zone->incarnation,
					 .session = dice_roll(&world->dice) | 1,
					 .push_max =
						 dice_chance(&world->dice, 50) ? 20 : 0,
					 .ops = &SIM_STORE_OPS,
					 .io = &zone->store };

	memcpy(setup.uuid, zone->uuid, SYNC_UUID);
	zone->life++;
	zone->store.state.digest = sim_store_digest(&zone->store);
	zone->machine = sync_zone_new(&setup);
	struct digest staged = sim_store_digest(&zone->stage);
	bool is_held = zone->has_note && digest_equal(&staged, &zone->noted.digest);
	step(zone, (struct sync_zone_event){ .kind = SYNC_EV_START,
					     .state = zone->store.state,
					     .held = is_held ? &zone->noted : NULL,
					     .loss = loss_of(zone) });
	tell_inventory(zone);
}

void zone_tick(struct zone_node *zone)
{
	zone_simple(zone, SYNC_EV_TICK);
}

void zone_operator(struct zone_node *zone)
{
	struct sync_zone_view view = sync_zone_view(zone->machine);

	if (!view.is_held)
		return;
	zone->allowed = view.held.removed;
	zone_simple(zone, SYNC_EV_ACCEPT);
}

void zone_packet(struct zone_node *zone, struct packet *packet)
{
	struct world *world = zone->world;
	struct sync_zone_event event = { .id = packet->id };

	if ((zone->deaf || zone->piped_at != 0) && packet->kind == PACKET_PUB)
		return;
	if (zone->machine == NULL || (packet->life != 0 && packet->life != zone->life))
		return;
	event.kind = packet->kind == PACKET_PUB    ? SYNC_EV_PUB
		     : packet->kind == PACKET_LOST ? SYNC_EV_LOST
						   : SYNC_EV_REPLY;
	watch_spoil(zone, packet);
	event.bytes = packet->bytes;
	event.len = packet->len;
	enum sync_zone_state must = watch_beat(zone, packet);
	step(zone, event);
	zone->spoiled = false;
	enum sync_zone_state now = sync_zone_view(zone->machine).state;
	if (must != SYNC_BOOT && now != must && now != SYNC_SYNC && now != SYNC_JOIN)
		world_wrong(world, "a zone takes a beat of another history as its own");
}

void zone_change(struct zone_node *zone)
{
	struct world *world = zone->world;
	struct op op = { .deleted = dice_chance(&world->dice, 30) };
	char key[SIM_KEY], value[24];

	snprintf(key, sizeof(key), "%s/%hhu", zone->name,
		 (unsigned char)dice_below(&world->dice, ZONE_KEYS));
	snprintf(value, sizeof(value), "%u", (unsigned)dice_roll(&world->dice));
	op.key = key;
	op.key_len = strlen(key);
	if (op.deleted) {
		sim_store_delete(&zone->inventory, key, op.key_len);
	} else {
		op.value = value;
		op.value_len = strlen(value);
		sim_store_put(&zone->inventory, key, op.key_len, 1, op.value,
			      op.value_len);
	}
	if (zone->machine != NULL)
		step(zone, (struct sync_zone_event){ .kind = SYNC_EV_INVENTORY,
						     .ops = &op,
						     .op_count = 1 });
}

static void put_records(struct sim_store *store, const struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		const struct sim_record *record = &job->records[i];
		size_t len = strlen(record->key);
		if (record->value == NULL)
			sim_store_delete(store, record->key, len);
		else
			sim_store_put(store, record->key, len, record->mod_rev,
				      record->value, record->len);
	}
}

/* The disk does one job; false: it cannot. What it holds then must be a revision of
 * global's, and none before the last one. */
static bool carry_out(struct zone_node *zone, const struct job *job)
{
	struct sim_store *store = &zone->store;

	switch (job->kind) {
	case SYNC_DO_APPLY:
		for (size_t i = 0; i < job->count; i++)
			sim_store_apply(store, job->entries[i].bytes, job->entries[i].len,
					UINT64_MAX);
		break;
	case SYNC_DO_SWAP:
		if (!digest_equal(&job->digest, &zone->stage.state.digest))
			return false; /* as the real store does */
		sim_store_swap(store, &zone->stage, &job->position);
		break;
	case SYNC_DO_REPAIR:
		put_records(store, job);
		store->state.digest = sim_store_digest(store);
		break;
	case SYNC_DO_STAGE:
		if (job->first)
			sim_store_clear(&zone->stage);
		put_records(&zone->stage, job);
		return true;
	case SYNC_DO_HOLD:
	case SYNC_DO_UNHOLD:
		zone->has_note = job->kind == SYNC_DO_HOLD;
		zone->noted = (struct sync_state){ job->position, job->digest };
		return true;
	default:
		for (size_t i = 0; i < job->count; i++)
			sim_store_replay(
				&zone->stage,
				&(struct sync_entry){ .rev = job->entries[i].rev,
						      .bytes = job->entries[i].bytes,
						      .len = job->entries[i].len });
		return true;
	}
	const struct sync_state *state = world_find(zone->world, &store->state.position);
	struct digest digest = sim_store_digest(store);
	if (state == NULL || (!digest_equal(&state->digest, &digest) && !zone->rotten))
		world_wrong(zone->world, "a zone holds what global never committed");
	else if (digest_equal(&state->digest, &digest))
		zone->rotten = false;
	if (memcmp(zone->newest.epoch, store->state.position.epoch, POSITION_EPOCH) ==
		    0 &&
	    store->state.position.rev < zone->newest.rev &&
	    (job->kind != SYNC_DO_SWAP || !zone->world->rewound))
		world_wrong(zone->world, "a zone went back within an epoch");
	zone->newest = store->state.position;
	return true;
}

bool zone_turn(struct zone_node *zone)
{
	struct world *world = zone->world;
	struct job job;

	if (!disk_take(&zone->disk, world->now, &job))
		return false;
	struct sync_zone_event event = { .kind = SYNC_EV_COMMITTED, .id = job.ticket };
	bool fails = !world->well && dice_chance(&world->dice, world->disk_fails);
	if (job.ticket == 0) {
		if (!fails) /* a note; nothing stands on it */
			carry_out(zone, &job);
	} else if (fails || !carry_out(zone, &job)) {
		disk_clear(&zone->disk); /* they stand on this one */
		event.kind = SYNC_EV_FAILED;
	} else {
		event.state = zone->store.state;
		if (job.kind == SYNC_DO_STAGE || job.kind == SYNC_DO_STAGE_LOG) {
			event.kind = SYNC_EV_STAGED;
			event.state = zone->stage.state;
			event.loss = loss_of(zone);
		}
	}
	job_fini(&job);
	if (job.ticket != 0)
		step(zone, event);
	return true;
}

void zone_crash(struct zone_node *zone)
{
	struct job job;

	sync_zone_free(&zone->machine);
	while (zone->disk.count > 0 && dice_chance(&zone->world->dice, 50) &&
	       disk_take(&zone->disk, UINT64_MAX, &job)) {
		if (!carry_out(zone, &job))
			disk_clear(&zone->disk);
		job_fini(&job);
	}
	disk_clear(&zone->disk);
	zone->wake_at = UINT64_MAX;
	zone->up_at = zone->world->now + dice_below(&zone->world->dice, 2000);
}

void zone_fini(struct zone_node *zone)
{
	sync_zone_free(&zone->machine);
	disk_clear(&zone->disk);
	sim_store_fini(&zone->store);
	sim_store_fini(&zone->stage);
	sim_store_fini(&zone->inventory);
}
