#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void act_global(struct pair *pair, const struct sync_global_todo *todo);

void global_event(struct pair *pair, struct sync_global_event event)
{
	event.now = pair->now;
	event.dice = pair->now * 7919 + 1;
	struct sync_global_todo todo = sync_global_step(pair->global, &event);
	pair->wake_at = todo.wake_at;
	act_global(pair, &todo);
}

/* Actions of a step are valid until the next one, and a reply leads to more steps: what
 * is to be answered is copied and done at the end. */
struct later {
	enum { TO_ZONE, TO_ALL, DONE_WRITE } kind;
	char *bytes;
	size_t len, zone;
	uint64_t id;
	bool ok;
};

static void do_later(struct pair *pair, struct later *later)
{
	struct sync_zone_event event = { .bytes = later->bytes, .len = later->len };

	if (later->kind == DONE_WRITE) {
		global_event(pair,
			     (struct sync_global_event){ .kind = SYNC_GEV_DONE,
							 .id = later->id,
							 .ok = later->ok,
							 .state = pair->store.state });
	} else if (later->kind == TO_ZONE) {
		event.kind = SYNC_EV_REPLY;
		event.id = later->id;
		if (pair->replies_late) {
			free(pair->late.bytes);
			pair->late.bytes = zl_memdup(later->bytes, later->len);
			pair->late.len = later->len;
			pair->late.zone = later->zone;
			pair->late.id = later->id;
		} else if (!pair->replies_lost)
			zone_event(&pair->zones[later->zone], event);
	} else {
		event.kind = SYNC_EV_PUB;
		for (size_t i = 0; i < ZONES && !pair->pub_lost; i++)
			if (pair->zones[i].machine != NULL)
				zone_event(&pair->zones[i], event);
	}
	free(later->bytes);
}

void pair_reply(struct pair *pair)
{
	char *bytes = pair->late.bytes;

	pair->late.bytes = NULL;
	zone_event(&pair->zones[pair->late.zone],
		   (struct sync_zone_event){ .kind = SYNC_EV_REPLY,
					     .id = pair->late.id,
					     .bytes = bytes,
					     .len = pair->late.len });
	free(bytes);
}

static void take_write(struct pair *pair, const struct sync_global_action *action)
{
	pair->writes++;
	if (action->full)
		sim_store_clear(&pair->inventory);
	for (size_t i = 0; i < action->op_count; i++) {
		const struct op *op = &action->ops[i];
		if (op->deleted)
			sim_store_delete(&pair->inventory, op->key, op->key_len);
		else
			sim_store_put(&pair->inventory, op->key, op->key_len, 1,
				      op->value, op->value_len);
	}
}

static size_t zone_of(const struct pair *pair, const char *name)
{
	for (size_t i = 0; i < ZONES; i++)
		if (pair->zones[i].setup.zone != NULL &&
		    strcmp(pair->zones[i].setup.zone, name) == 0)
			return i;
	return 0;
}

static void act_one(struct pair *pair, const struct sync_global_action *action,
		    struct later *later, size_t *count)
{
	struct later one = { .id = action->id, .kind = DONE_WRITE, .ok = true };

	switch (action->kind) {
	case SYNC_DO_REPLY:
		one.kind = TO_ZONE;
		one.zone = action->id % ZONES;
		one.id = action->id / ZONES;
		one.bytes = zl_memdup(action->bytes, action->len);
		one.len = action->len;
		break;
	case SYNC_DO_PUBLISH:
		one.kind = TO_ALL;
		one.bytes = zl_memdup(action->bytes, action->len);
		one.len = action->len;
		break;
	case SYNC_DO_SAVE_ZONE:
		pair->records[zone_of(pair, action->zone)] = action->record;
		pair->known[zone_of(pair, action->zone)] = true;
		break;
	case SYNC_DO_WRITE:
		take_write(pair, action);
		if (pair->hold_write != 0) {
			pair->hold_write = action->id;
			return;
		}
		break;
	case SYNC_DO_NEW_EPOCH:
		one.ok = !pair->epoch_fails;
		if (pair->epoch_fails)
			break;
		pair->epochs++;
		memcpy(pair->store.state.position.epoch, action->epoch, POSITION_EPOCH);
		break;
	case SYNC_DO_LOG:
		(void)snprintf(pair->said, sizeof(pair->said), "%s", action->text);
		return;
	case SYNC_DO_ZONE:
		return;
	}
	later[(*count)++] = one;
}

static void act_global(struct pair *pair, const struct sync_global_todo *todo)
{
	struct later *later = zl_alloc(todo->count + 1, sizeof(*later));
	size_t count = 0, actions = todo->count;
	const struct sync_global_action *list = todo->actions;

	for (size_t i = 0; i < actions; i++)
		act_one(pair, &list[i], later, &count);
	for (size_t i = 0; i < count; i++)
		do_later(pair, &later[i]);
	free(later);
}

static void put_records(struct sim_store *store, const struct sync_zone_action *action)
{
	for (size_t i = 0; i < action->record_count; i++) {
		const struct sync_record *record = &action->records[i];
		if (record->deleted)
			sim_store_delete(store, record->key, record->key_len);
		else
			sim_store_put(store, record->key, record->key_len,
				      record->mod_rev, record->value, record->value_len);
	}
}

/* "p/..." is what users wrote. */
static struct sync_loss loss_of(const struct node *node)
{
	const struct sim_store *shown = &node->store;
	struct sync_loss loss = { .shown = shown->count };

	for (size_t i = 0; i < shown->count; i++) {
		const char *key = shown->records[i].key;
		bool gone = sim_store_find(&node->stage, key, strlen(key)) == NULL;
		loss.removed += gone;
		loss.written += key[0] == 'p';
		loss.written_removed += gone && key[0] == 'p';
	}
	return loss;
}

/* What the disk says of a store action. */
static struct sync_zone_event carry_out(struct node *node,
					const struct sync_zone_action *action)
{
	struct sync_zone_event event = { .kind = SYNC_EV_COMMITTED, .id = action->id };

	bool by_copy = action->kind == SYNC_DO_STAGE ||
		       action->kind == SYNC_DO_STAGE_LOG || action->kind == SYNC_DO_SWAP;
	if (node->refuse != NULL || (node->damaged && !by_copy)) {
		event.kind = SYNC_EV_FAILED;
		event.damaged = node->damaged;
		return event;
	}
	node->damaged = node->damaged && action->kind != SYNC_DO_SWAP;
	if (action->kind == SYNC_DO_APPLY) {
		node->applies++;
		node->entries += (unsigned)action->entry_count;
		for (size_t i = 0; i < action->entry_count; i++)
			sim_store_apply(&node->store, action->entries[i].bytes,
					action->entries[i].len, UINT64_MAX);
	} else if (action->kind == SYNC_DO_STAGE) {
		if (action->first)
			sim_store_clear(&node->stage);
		put_records(&node->stage, action);
	} else if (action->kind == SYNC_DO_STAGE_LOG) {
		for (size_t i = 0; i < action->entry_count; i++)
			sim_store_replay(&node->stage, &action->entries[i]);
	} else if (action->kind == SYNC_DO_SWAP) {
		node->swaps++;
		sim_store_swap(&node->store, &node->stage, &action->position);
	} else {
		node->repairs++;
		node->repaired += (unsigned)action->record_count;
		put_records(&node->store, action);
		node->store.state.digest = sim_store_digest(&node->store);
	}
	event.state = node->store.state;
	if (action->kind == SYNC_DO_STAGE || action->kind == SYNC_DO_STAGE_LOG) {
		event.kind = SYNC_EV_STAGED;
		event.state = node->stage.state;
		event.loss = loss_of(node);
	}
	return event;
}

static void take_secret(struct node *node, const struct sync_zone_action *action)
{
	const char *text = action->bytes != NULL ? action->bytes : action->text;
	size_t len = action->bytes != NULL ? action->len : strlen(action->text);

	(void)snprintf(node->secret, sizeof(node->secret), "%s=%.*s", action->secret.name,
		       (int)len, text);
	node->secrets += action->bytes != NULL;
	node->secrets_refused += action->bytes == NULL;
}

struct sent {
	char *bytes;
	size_t len;
	uint64_t id;
};

void zone_event(struct node *node, struct sync_zone_event event)
{
	struct pair *pair = node->pair;
	struct sync_zone_event done[16];
	struct sent sent[16];
	size_t done_count = 0, sent_count = 0;

	event.now = pair->now;
	event.dice = pair->now * 104729 + 1;
	struct sync_zone_todo todo = sync_zone_step(node->machine, &event);
	node->wake_at = todo.wake_at;
	for (size_t i = 0; i < todo.count; i++) {
		const struct sync_zone_action *action = &todo.actions[i];
		if (action->kind == SYNC_DO_SEND) {
			node->sends++;
			node->asked = action->id;
			sent[sent_count++] =
				(struct sent){ zl_memdup(action->bytes, action->len),
					       action->len, action->id };
		} else if (action->kind == SYNC_DO_TELL) {
			if (action->text != NULL)
				(void)snprintf(node->said, sizeof(node->said), "%s",
					       action->text);
			node->alarmed = node->alarmed || action->alarm;
		} else if (action->kind == SYNC_DO_REDIAL) {
			node->redials++;
		} else if (action->kind == SYNC_DO_HOLD ||
			   action->kind == SYNC_DO_UNHOLD) {
			node->has_note = action->kind == SYNC_DO_HOLD;
			node->noted =
				(struct sync_state){ action->position, action->digest };
		} else if (action->kind == SYNC_DO_SECRET) {
			take_secret(node, action);
		} else {
			done[done_count++] = carry_out(node, action);
		}
	}
	for (size_t i = 0; i < done_count; i++)
		zone_event(node, done[i]);
	for (size_t i = 0; i < sent_count; i++) {
		if (pair->global != NULL && !pair->requests_lost)
			global_event(pair, (struct sync_global_event){
						   .kind = SYNC_GEV_REQUEST,
						   .id = sent[i].id * ZONES +
							 (size_t)(node - pair->zones),
						   .identity = pair->identity,
						   .bytes = sent[i].bytes,
						   .len = sent[i].len });
		free(sent[i].bytes);
	}
}

void zone_simple(struct node *node, enum sync_zone_event_kind kind)
{
	zone_event(node, (struct sync_zone_event){ .kind = kind });
}

static bool stored_zone(void *io, const char *zone, struct sync_zone_record *out)
{
	const struct pair *pair =
		(const struct pair *)((const char *)io - offsetof(struct pair, store));
	size_t index = zone_of(pair, zone);

	*out = pair->records[index];
	return pair->known[index];
}

static enum zl_code read_secret(void *io, const char *zone,
				const struct sync_secret *secret, struct zl_arena *arena,
				struct sync_bytes *out, struct zl_err *err)
{
	struct pair *pair = (struct pair *)((char *)io - offsetof(struct pair, store));

	(void)snprintf(pair->secret_zone, sizeof(pair->secret_zone), "%s", zone);
	if (pair->secret == NULL)
		return zl_fail(err, ZL_ENOENT, "not here");
	if (strcmp(secret->mesh, "theirs") == 0)
		return zl_fail(err, ZL_EACCES, "not for you");
	*out = (struct sync_bytes){ zl_arena_strdup(arena, pair->secret),
				    strlen(pair->secret) };
	return ZL_OK;
}

static const struct pair *of(const void *io)
{
	return (const struct pair *)((const char *)io - offsetof(struct pair, store));
}

static enum zl_code read_sums(void *io, uint64_t *rev, struct digest sums[DIGEST_BUCKETS],
			      struct zl_err *err)
{
	if (of(io)->broken)
		return zl_fail(err, ZL_EIO, "broken");
	return SIM_GLOBAL_OPS.store.sums(io, rev, sums, err);
}

static enum zl_code read_bucket(void *io, uint8_t bucket, uint64_t *rev,
				sync_record_fn *fn, void *arg, struct zl_err *err)
{
	if (of(io)->broken)
		return zl_fail(err, ZL_EIO, "broken");
	return SIM_GLOBAL_OPS.store.bucket(io, bucket, rev, fn, arg, err);
}

static enum zl_code read_entry(void *io, uint64_t rev, struct zl_arena *arena,
			       struct sync_entry *out, struct zl_err *err)
{
	if (of(io)->broken)
		return zl_fail(err, ZL_EIO, "broken");
	return SIM_GLOBAL_OPS.entry(io, rev, arena, out, err);
}

static enum zl_code read_each(void *io, const void *after, size_t after_len,
			      sync_record_fn *fn, void *arg, struct zl_err *err)
{
	if (of(io)->broken)
		return zl_fail(err, ZL_EIO, "broken");
	return SIM_GLOBAL_OPS.each(io, after, after_len, fn, arg, err);
}

static enum zl_code read_one(void *io, const void *key, size_t key_len, uint64_t *rev,
			     struct zl_arena *arena, struct sync_record *out,
			     struct zl_err *err)
{
	if (of(io)->broken)
		return zl_fail(err, ZL_EIO, "broken");
	return SIM_GLOBAL_OPS.get(io, key, key_len, rev, arena, out, err);
}

void pair_init(struct pair *pair)
{
	*pair = (struct pair){ .now = 1000 };
	pair->store.keep = 100;
	memset(pair->store.state.position.epoch, 1, POSITION_EPOCH);
	pair_commit(pair, "a", "1", false);
	pair_commit(pair, "b", "2", false);
	pair_global(pair);
}

void pair_global(struct pair *pair)
{
	static struct sync_global_ops ops;

	ops = SIM_GLOBAL_OPS;
	ops.zone = stored_zone;
	ops.secret = read_secret;
	ops.store.sums = read_sums;
	ops.store.bucket = read_bucket;
	ops.entry = read_entry;
	ops.each = read_each;
	ops.get = read_one;
	pair->setup.ops = &ops;
	pair->setup.io = &pair->store;
	pair->setup.instance++;
	sync_global_free(&pair->global);
	pair->global = sync_global_new(&pair->setup);
	global_event(pair, (struct sync_global_event){ .kind = SYNC_GEV_START,
						       .state = pair->store.state });
}

struct node *pair_zone(struct pair *pair, size_t index, const char *name, uint8_t uuid,
		       uint64_t incarnation, uint64_t session)
{
	struct node *node = &pair->zones[index];

	sync_zone_free(&node->machine);
	node->pair = pair;
	node->setup = (struct sync_zone_setup){ .zone = name,
						.build = "test",
						.host = "rack-1",
						.incarnation = incarnation,
						.session = session,
						.push_max = node->setup.push_max,
						.ops = &SIM_STORE_OPS,
						.io = &node->store };
	memset(node->setup.uuid, uuid, SYNC_UUID);
	node->machine = sync_zone_new(&node->setup);
	zone_event(node,
		   (struct sync_zone_event){ .kind = SYNC_EV_START,
					     .state = node->store.state,
					     .held = node->has_note ? &node->noted : NULL,
					     .loss = loss_of(node) });
	return node;
}

void pair_fini(struct pair *pair)
{
	for (size_t i = 0; i < ZONES; i++) {
		sync_zone_free(&pair->zones[i].machine);
		sim_store_fini(&pair->zones[i].store);
		sim_store_fini(&pair->zones[i].stage);
	}
	sync_global_free(&pair->global);
	sim_store_fini(&pair->store);
	sim_store_fini(&pair->inventory);
	free(pair->late.bytes);
}

void pair_commit(struct pair *pair, const char *key, const char *value, bool told)
{
	struct op op = { .key = key, .key_len = strlen(key), .deleted = value == NULL };
	struct sync_global_event event = { .kind = SYNC_GEV_COMMITTED };
	struct zl_buf bytes = { 0 };

	if (value != NULL) {
		op.value = value;
		op.value_len = strlen(value);
	}
	entry_pack(&(struct entry){ .ops = &op, .op_count = 1, .who = "", .message = "" },
		   &bytes);
	sim_store_apply(&pair->store, bytes.data, bytes.len, UINT64_MAX);
	event.state = pair->store.state;
	event.waited = pair->waited;
	event.entry.rev = event.state.position.rev;
	memcpy(event.entry.chain, event.state.position.chain, POSITION_CHAIN);
	event.entry.bytes = bytes.data;
	event.entry.len = bytes.len;
	if (told)
		global_event(pair, event);
	zl_buf_free(&bytes);
}

void pair_pass(struct pair *pair, uint64_t ms)
{
	uint64_t end = pair->now + ms;

	for (;;) {
		uint64_t next = pair->global != NULL ? pair->wake_at : UINT64_MAX;
		for (size_t i = 0; i < ZONES; i++)
			if (pair->zones[i].machine != NULL &&
			    pair->zones[i].wake_at < next)
				next = pair->zones[i].wake_at;
		if (next > end)
			break;
		pair->now = next > pair->now ? next : pair->now + 1;
		if (pair->global != NULL && pair->now >= pair->wake_at)
			global_event(pair,
				     (struct sync_global_event){ .kind = SYNC_GEV_TICK });
		for (size_t i = 0; i < ZONES; i++)
			if (pair->zones[i].machine != NULL &&
			    pair->now >= pair->zones[i].wake_at)
				zone_simple(&pair->zones[i], SYNC_EV_TICK);
	}
	pair->now = end;
}

enum sync_zone_state zone_state(const struct node *node)
{
	return sync_zone_view(node->machine).state;
}

bool pair_same(const struct pair *pair, const struct node *node)
{
	return sim_store_same(&pair->store, &node->store);
}

enum sync_session_state session_state(const struct pair *pair, const char *zone)
{
	struct sync_session_view view;

	return sync_global_zone(pair->global, zone, &view) ? view.state : SYNC_NONE;
}
