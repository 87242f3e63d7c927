/* Every message of the replication protocol, into both machines. The input is a list of
 *
 *     how u8 | len u16 big-endian | type u8 | body, len - 1 bytes
 *
 * how % 4: 0 published to the zone, 1 the answer to what the zone asked last, 2 a request
 * to global, 3 time passes (len ms), and if how is more than 127 an operator accepts.
 * What only the two can know is put right behind the body: the number of the question,
 * and session and fence of the zone. */
#include "sync/global.h"
#include "sync/zone.h"

#include "base/bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SESSION = 77, ACTIONS_MAX = 64 };

struct world {
	uint64_t now;
	struct sync_zone *zone;
	struct sync_global *global;
	struct sync_state state; /* of global */
	uint64_t asked;          /* by the zone, last */
};

static const struct sync_record RECORDS[] = {
	{ .key = "a", .key_len = 1, .mod_rev = 1, .value = "1", .value_len = 1 },
	{ .key = "b", .key_len = 1, .mod_rev = 2, .value = "22", .value_len = 2 },
};

static enum zl_code op_sums(void *io, uint64_t *rev, struct digest sums[DIGEST_BUCKETS],
			    struct zl_err *err)
{
	(void)err;
	(void)io;
	*rev = 2;
	memset(sums, 1, DIGEST_BUCKETS * sizeof(*sums));
	return ZL_OK;
}

static enum zl_code op_bucket(void *io, uint8_t bucket, uint64_t *rev, sync_record_fn *fn,
			      void *arg, struct zl_err *err)
{
	(void)err;
	(void)io;
	*rev = 2;
	(void)fn(arg, &RECORDS[bucket % 2]);
	return ZL_OK;
}

static bool op_chain(void *io, uint64_t rev, uint8_t chain[POSITION_CHAIN])
{
	(void)io;
	memset(chain, 0, POSITION_CHAIN);
	return rev > 0 && rev <= 2;
}

static enum zl_code op_entry(void *io, uint64_t rev, struct zl_arena *arena,
			     struct sync_entry *out, struct zl_err *err)
{
	(void)arena;
	(void)err;
	(void)io;
	*out = (struct sync_entry){ .rev = rev, .bytes = "entry", .len = 5 };
	return ZL_OK;
}

static uint64_t op_floor(void *io)
{
	(void)io;
	return 1;
}

static enum zl_code op_each(void *io, const void *after, size_t after_len,
			    sync_record_fn *fn, void *arg, struct zl_err *err)
{
	(void)after;
	(void)err;
	(void)io;
	if (after_len == 0 && fn(arg, &RECORDS[0]))
		(void)fn(arg, &RECORDS[1]);
	return ZL_OK;
}

static enum zl_code op_get(void *io, const void *key, size_t key_len, uint64_t *rev,
			   struct zl_arena *arena, struct sync_record *out,
			   struct zl_err *err)
{
	(void)arena;
	(void)io;
	(void)key;
	*rev = 2;
	*out = RECORDS[0];
	return key_len == 1 ? ZL_OK : zl_fail(err, ZL_ENOENT, "no such record");
}

static enum zl_code op_secret(void *io, const char *zone,
			      const struct sync_secret *secret, struct zl_arena *arena,
			      struct sync_bytes *out, struct zl_err *err)
{
	(void)arena;
	(void)io;
	(void)zone;
	*out = (struct sync_bytes){ "content", 7 };
	return secret->name[0] != 'x' ? ZL_OK : zl_fail(err, ZL_ENOENT, "no Secret");
}

static bool op_zone(void *io, const char *zone, struct sync_zone_record *out)
{
	(void)io;
	(void)zone;
	(void)out;
	return false;
}

static const struct sync_store_ops STORE_OPS = { op_sums, op_bucket };
static const struct sync_global_ops GLOBAL_OPS = { .store = { op_sums, op_bucket },
						   .chain = op_chain,
						   .entry = op_entry,
						   .floor = op_floor,
						   .each = op_each,
						   .get = op_get,
						   .secret = op_secret,
						   .zone = op_zone };

static uint64_t tell_global(struct world *world, struct sync_global_event event)
{
	uint64_t tickets[ACTIONS_MAX];
	size_t count = 0;

	event.now = world->now;
	event.dice = world->now;
	struct sync_global_todo todo = sync_global_step(world->global, &event);
	for (size_t i = 0; i < todo.count && count < ACTIONS_MAX; i++)
		if (todo.actions[i].kind == SYNC_DO_SAVE_ZONE ||
		    todo.actions[i].kind == SYNC_DO_WRITE ||
		    todo.actions[i].kind == SYNC_DO_NEW_EPOCH)
			tickets[count++] = todo.actions[i].id;
	for (size_t i = 0; i < count; i++)
		(void)tell_global(world,
				  (struct sync_global_event){ .kind = SYNC_GEV_DONE,
							      .id = tickets[i],
							      .ok = true,
							      .state = world->state });
	return todo.wake_at;
}

/* The disk of the zone does everything at once. */
static void tell_zone(struct world *world, struct sync_zone_event event)
{
	struct sync_zone_event done[ACTIONS_MAX];
	size_t count = 0;

	event.now = world->now;
	event.dice = world->now;
	struct sync_zone_todo todo = sync_zone_step(world->zone, &event);
	for (size_t i = 0; i < todo.count && count < ACTIONS_MAX; i++) {
		const struct sync_zone_action *action = &todo.actions[i];
		struct sync_zone_event next = { .kind = SYNC_EV_COMMITTED,
						.id = action->id,
						.loss = { .shown = 20, .removed = 15 } };
		next.state.position = action->position;
		next.state.digest = action->digest;
		if (action->kind == SYNC_DO_SEND)
			world->asked = action->id;
		if (action->kind == SYNC_DO_STAGE || action->kind == SYNC_DO_STAGE_LOG)
			next.kind = SYNC_EV_STAGED;
		if (action->id != 0 && action->kind != SYNC_DO_SEND)
			done[count++] = next;
	}
	for (size_t i = 0; i < count; i++)
		tell_zone(world, done[i]);
}

static size_t put_varint(uint8_t *to, uint64_t value)
{
	size_t len = 0;

	for (; value > 0x7f; value >>= 7)
		to[len++] = (uint8_t)(value | 0x80);
	to[len++] = (uint8_t)value;
	return len;
}

/* Field 1, the number of the question. */
static size_t put_answer(const struct world *world, uint8_t *to)
{
	to[0] = 1 << 3;
	return 1 + put_varint(to + 1, world->asked);
}

/* Field 1, the head: zone, session, fence, number. It is merged with what stands there.
 */
static size_t put_head(const struct world *world, uint8_t *to)
{
	struct sync_session_view view = { .fence = 0 };
	uint8_t head[64] = { 1 << 3 | 2, 1, 'z', 2 << 3 };
	size_t len = 4;

	(void)sync_global_zone(world->global, "z", &view);
	len += put_varint(head + len, SESSION);
	head[len++] = 3 << 3;
	len += put_varint(head + len, view.fence);
	to[0] = 1 << 3 | 2;
	to[1] = (uint8_t)len;
	memcpy(to + 2, head, len);
	return 2 + len;
}

static void message(struct world *world, unsigned how, const uint8_t *data, size_t len)
{
	uint8_t *bytes = malloc(len + 100);
	size_t used = 3 + len;

	assert(bytes != NULL);
	bytes[0] = 'Z';
	bytes[1] = 'L';
	bytes[2] = 1;
	memcpy(bytes + 3, data, len);
	if (how == 1)
		used += put_answer(world, bytes + used);
	if (how == 2)
		used += put_head(world, bytes + used);
	if (how == 2)
		(void)tell_global(world,
				  (struct sync_global_event){ .kind = SYNC_GEV_REQUEST,
							      .id = 1,
							      .bytes = bytes,
							      .len = used });
	else
		tell_zone(world, (struct sync_zone_event){
					 .kind = how == 0 ? SYNC_EV_PUB : SYNC_EV_REPLY,
					 .id = world->asked,
					 .bytes = bytes,
					 .len = used });
	free(bytes);
}

static void begin(struct world *world)
{
	const struct op op = { .key = "k", .key_len = 1, .value = "v", .value_len = 1 };

	world->now = 1000;
	world->state.position.rev = 2;
	world->zone = sync_zone_new(&(struct sync_zone_setup){
		.zone = "z", .build = "", .session = SESSION, .ops = &STORE_OPS });
	world->global =
		sync_global_new(&(struct sync_global_setup){ .ops = &GLOBAL_OPS });
	(void)tell_global(world, (struct sync_global_event){ .kind = SYNC_GEV_START,
							     .state = world->state });
	tell_zone(world, (struct sync_zone_event){ .kind = SYNC_EV_START,
						   .state = world->state });
	tell_zone(world, (struct sync_zone_event){
				 .kind = SYNC_EV_INVENTORY, .ops = &op, .op_count = 1 });
}

static void accept(struct world *world)
{
	tell_zone(world, (struct sync_zone_event){ .kind = SYNC_EV_ACCEPT });
	(void)tell_global(world, (struct sync_global_event){ .kind = SYNC_GEV_ACCEPT,
							     .zone = "z" });
	(void)tell_global(world, (struct sync_global_event){ .kind = SYNC_GEV_RELEASE,
							     .zone = "z" });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = { 0 };

	begin(&world);
	while (size > 3) {
		unsigned how_byte = data[0], how = how_byte % 4;
		size_t len = (size_t)(data[1] << 8 | data[2]);
		data += 3;
		size -= 3;
		if (how == 3) {
			world.now += len;
			if (how_byte > 127)
				accept(&world);
			tell_zone(&world,
				  (struct sync_zone_event){ .kind = SYNC_EV_TICK });
			(void)tell_global(&world, (struct sync_global_event){
							  .kind = SYNC_GEV_TICK });
			continue;
		}
		len = len < size ? len : size;
		message(&world, how, data, len);
		data += len;
		size -= len;
	}
	sync_zone_free(&world.zone);
	sync_global_free(&world.global);
	return 0;
}
