#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USER_WRITE = 100 }; /* a kind of job beside those of actions */

static void act(struct world *world, const struct sync_global_todo *todo);

static void step(struct world *world, struct sync_global_event event)
{
	event.now = clock_now(&world->global.clock, world->now);
	event.dice = dice_roll(&world->dice);
	struct sync_global_todo todo = sync_global_step(world->global.machine, &event);
	world->global.wake_at = clock_when(&world->global.clock, todo.wake_at);
	act(world, &todo);
}

static size_t zone_index(const char *zone)
{
	return (size_t)(zone[1] - '0');
}

static void keep_ops(struct job *job, const struct op *ops, size_t count)
{
	job->records = zl_alloc(count + 1, sizeof(*job->records));
	job->count = count;
	for (size_t i = 0; i < count; i++) {
		struct sim_record *record = &job->records[i];
		memcpy(record->key, ops[i].key, ops[i].key_len);
		record->len = ops[i].value_len;
		if (!ops[i].deleted)
			record->value = zl_memdup(ops[i].value, ops[i].value_len);
	}
}

static void reply(struct world *world, const struct sync_global_action *action)
{
	const struct global_node *global = &world->global;
	size_t slot = (action->id - 1) % HANDLES;

	if (action->id != 0 && global->handle - action->id < HANDLES)
		net_send(world, PACKET_REPLY, global->handles[slot].zone,
			 global->handles[slot].life, global->handles[slot].id,
			 action->bytes, action->len);
}

static void act_one(struct world *world, const struct sync_global_action *action)
{
	struct global_node *global = &world->global;
	struct job *job;

	switch (action->kind) {
	case SYNC_DO_REPLY:
		if (action->id == global->handle)
			watch_reply(world, action->bytes, action->len);
		reply(world, action);
		break;
	case SYNC_DO_PUBLISH:
		for (size_t i = 0; i < world->zone_count; i++)
			net_send(world, PACKET_PUB, i, 0, 0, action->bytes, action->len);
		break;
	case SYNC_DO_SAVE_ZONE:
	case SYNC_DO_WRITE:
	case SYNC_DO_NEW_EPOCH:
		job = disk_add(world, &global->disk, (int)action->kind, action->id);
		if (job == NULL)
			break;
		if (action->zone != NULL)
			job->zone = zone_index(action->zone);
		job->record = action->record;
		job->full = action->full;
		memcpy(job->position.epoch, action->epoch, POSITION_EPOCH);
		if (action->kind == SYNC_DO_WRITE)
			keep_ops(job, action->ops, action->op_count);
		break;
	case SYNC_DO_ZONE:
	case SYNC_DO_LOG:
		break;
	}
}

static void act(struct world *world, const struct sync_global_todo *todo)
{
	for (size_t i = 0; i < todo->count; i++)
		act_one(world, &todo->actions[i]);
}

static bool stored_zone(void *io, const char *zone, struct sync_zone_record *out)
{
	/* The store is the first member that the machine's ops are given. */
	const struct global_node *global =
		(const struct global_node *)((const char *)io -
					     offsetof(struct global_node, store));
	size_t index = zone_index(zone);

	*out = global->zones[index];
	return global->known[index];
}

static struct sync_global_ops ops(void)
{
	struct sync_global_ops all = SIM_GLOBAL_OPS;

	all.zone = stored_zone;
	return all;
}

void global_start(struct world *world)
{
	static struct sync_global_ops all;
	struct global_node *global = &world->global;

	all = ops();
	struct sync_global_setup setup = { .instance = dice_roll(&world->dice),
					   .lease_ms = world->lease_ms,
					   .delta_max = world->delta_max,
					   .batch_max = world->batch_max,
					   .chunk_max = world->chunk_max,
					   .ops = &all,
					   .io = &global->store };
	global->life++;
	global->machine = sync_global_new(&setup);
	step(world, (struct sync_global_event){ .kind = SYNC_GEV_START,
						.state = global->store.state });
}

void global_tick(struct world *world)
{
	step(world, (struct sync_global_event){ .kind = SYNC_GEV_TICK });
}

void global_request(struct world *world, const struct packet *packet)
{
	struct global_node *global = &world->global;
	size_t slot = global->handle++ % HANDLES;

	global->handles[slot].id = packet->id;
	global->handles[slot].zone = packet->zone;
	global->handles[slot].life = packet->life;
	watch_request(world, packet->bytes, packet->len);
	step(world, (struct sync_global_event){ .kind = SYNC_GEV_REQUEST,
						.id = global->handle,
						.bytes = packet->bytes,
						.len = packet->len });
}

/* Make ops one commit. False: there was nothing to do. */
static bool commit(struct world *world, const struct op *list, size_t count,
		   struct zl_buf *bytes)
{
	struct global_node *global = &world->global;
	uint64_t pin = UINT64_MAX;

	if (count == 0)
		return false;
	if (global->machine != NULL && global->pins)
		pin = sync_global_pin(global->machine);
	entry_pack(
		&(struct entry){
			.ops = list, .op_count = count, .who = "", .message = "" },
		bytes);
	sim_store_apply(&global->store, bytes->data, bytes->len, pin);
	world_committed(world, &global->store.state);
	return true;
}

static void tell_committed(struct world *world, const struct zl_buf *bytes)
{
	struct sync_global_event event = { .kind = SYNC_GEV_COMMITTED,
					   .state = world->global.store.state };

	event.waited = event.state.position.rev % 3 == 0;
	event.entry.rev = event.state.position.rev;
	memcpy(event.entry.chain, event.state.position.chain, POSITION_CHAIN);
	event.entry.bytes = bytes->data;
	event.entry.len = bytes->len;
	step(world, event);
}

static struct op as_op(const struct sim_record *record)
{
	return (struct op){ .key = record->key,
			    .key_len = strlen(record->key),
			    .value = record->value,
			    .value_len = record->len,
			    .deleted = record->value == NULL };
}

static const struct sim_record *listed(const struct job *job, const char *key)
{
	for (size_t i = 0; i < job->count; i++)
		if (strcmp(job->records[i].key, key) == 0)
			return &job->records[i];
	return NULL;
}

/* What of a zone's push changes something here. */
static size_t inventory_ops(const struct world *world, const struct job *job,
			    struct op *list)
{
	const struct sim_store *store = &world->global.store;
	char prefix[] = { 'z', (char)('0' + job->zone), '/', 0 };
	size_t count = 0;

	for (size_t i = 0; i < job->count; i++) {
		const struct sim_record *mine = &job->records[i];
		const struct sim_record *old =
			sim_store_find(store, mine->key, strlen(mine->key));
		bool same = old == NULL ? mine->value == NULL
					: mine->value != NULL && old->len == mine->len &&
						  memcmp(old->value, mine->value,
							 old->len) == 0;
		if (!same)
			list[count++] = as_op(mine);
	}
	for (size_t i = 0; job->full && i < store->count; i++) {
		const struct sim_record *old = &store->records[i];
		if (strncmp(old->key, prefix, 3) == 0 && listed(job, old->key) == NULL)
			list[count++] = (struct op){ .key = old->key,
						     .key_len = strlen(old->key),
						     .deleted = true };
	}
	return count;
}

/* True: *bytes is a new commit. Names of what is deleted are copied by the packing. */
static bool carry_out(struct world *world, struct job *job, struct zl_buf *bytes)
{
	struct global_node *global = &world->global;
	struct op list[2 * SIM_RECORDS];
	size_t count = 0;

	switch (job->kind) {
	case USER_WRITE:
		for (size_t i = 0; i < job->count; i++)
			list[count++] = as_op(&job->records[i]);
		return commit(world, list, count, bytes);
	case SYNC_DO_WRITE:
		return commit(world, list, inventory_ops(world, job, list), bytes);
	case SYNC_DO_SAVE_ZONE:
		global->zones[job->zone] = job->record;
		global->known[job->zone] = true;
		return false;
	case SYNC_DO_NEW_EPOCH:
		memcpy(global->store.state.position.epoch, job->position.epoch,
		       POSITION_EPOCH);
		world_committed(world, &global->store.state);
		return false;
	default:
		return false;
	}
}

bool global_turn(struct world *world)
{
	struct global_node *global = &world->global;
	struct job job;
	struct zl_buf bytes = { 0 };

	if (!disk_take(&global->disk, world->now, &job))
		return false;
	bool fails = !world->well && dice_chance(&world->dice, world->disk_fails);
	if (!fails && carry_out(world, &job, &bytes)) {
		if (!world->well && dice_chance(&world->dice, world->disk_fails)) {
			global_crash(world); /* between commit and publish */
		} else {
			tell_committed(world, &bytes);
		}
	}
	if (global->machine != NULL && job.ticket != 0)
		step(world, (struct sync_global_event){ .kind = SYNC_GEV_DONE,
							.id = job.ticket,
							.ok = !fails,
							.state = global->store.state });
	zl_buf_free(&bytes);
	job_fini(&job);
	return true;
}

void global_write(struct world *world)
{
	struct job *job = disk_add(world, &world->global.disk, USER_WRITE, 0);
	uint64_t taken = 0;

	if (job == NULL)
		return;
	job->count = 1 + dice_below(&world->dice, 4);
	job->records = zl_alloc(job->count, sizeof(*job->records));
	for (size_t i = 0; i < job->count; i++) {
		struct sim_record *record = &job->records[i];
		uint64_t key = dice_below(&world->dice, GLOBAL_KEYS);
		while ((taken & UINT64_C(1) << key) != 0)
			key = (key + 1) % GLOBAL_KEYS;
		taken |= UINT64_C(1) << key;
		snprintf(record->key, SIM_KEY, "g/%u", (unsigned)key);
		if (dice_chance(&world->dice, 30))
			continue;
		record->value = zl_format("%u/%u", (unsigned)dice_below(&world->dice, 9),
					  (unsigned)dice_roll(&world->dice));
		record->len = strlen(record->value);
	}
}

void global_operator(struct world *world)
{
	for (size_t i = 0; i < world->zone_count; i++) {
		struct sync_session_view view;
		if (!sync_global_zone(world->global.machine, world->zones[i].name, &view))
			continue;
		if (view.is_held && !view.accepted) {
			world->zones[i].allowed = view.held.removed;
			step(world,
			     (struct sync_global_event){ .kind = SYNC_GEV_ACCEPT,
							 .zone = world->zones[i].name });
		}
		if (view.state == SYNC_QUARANTINED)
			step(world,
			     (struct sync_global_event){ .kind = SYNC_GEV_RELEASE,
							 .zone = world->zones[i].name });
	}
}

/* Some of what the disk had to do is done. */
void global_crash(struct world *world)
{
	struct global_node *global = &world->global;
	struct zl_buf bytes = { 0 };
	struct job job;

	sync_global_free(&global->machine);
	while (global->disk.count > 0 && dice_chance(&world->dice, 50) &&
	       disk_take(&global->disk, UINT64_MAX, &job)) {
		zl_buf_drain(&bytes, bytes.len);
		carry_out(world, &job, &bytes);
		job_fini(&job);
	}
	zl_buf_free(&bytes);
	disk_clear(&global->disk);
	global->wake_at = UINT64_MAX;
	global->up_at = world->now + dice_below(&world->dice, 2000);
}

void global_fini(struct world *world)
{
	sync_global_free(&world->global.machine);
	disk_clear(&world->global.disk);
	sim_store_fini(&world->global.store);
}
