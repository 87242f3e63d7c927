#include "play.h"

#include "base/hash.h"
#include "sync/global_parts.h"
#include "sync/zone_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY = 64, SETTLE_STEPS = 4000, SETTLE_MS = 60000, DICE = 12345 };

enum packet_kind { TO_GLOBAL, TO_ZONE, HINT };

struct packet {
	enum packet_kind kind;
	size_t zone;
	uint64_t life, id;
	char *bytes; /* owned */
	size_t len;
};

struct node {
	struct sync_zone *machine;
	struct sim_store store, stage;
	uint64_t life, wake_at;
	struct position newest;
};

struct play {
	uint64_t now, wake_at, life; /* of global */
	struct play_budget left;
	struct sync_global *machine;
	struct sim_store store, old; /* of global, and a copy of it */
	struct sync_zone_record records[PLAY_ZONES];
	bool known[PLAY_ZONES], rewound;
	struct node zones[PLAY_ZONES];
	struct packet packets[PLAY_PACKETS];
	size_t packet_count;
	struct sync_state history[HISTORY];
	size_t history_count;
	unsigned epochs, written;
	const char *wrong;
	char name[64];
};

static const char *const ZONE_NAMES[PLAY_ZONES] = { "a", "b" };

/* ---- what the machines ask for ---- */

static void send(struct play *play, struct packet packet, const void *bytes, size_t len)
{
	if (play->packet_count == PLAY_PACKETS) {
		play->wrong = "too many packets";
		return;
	}
	packet.bytes = zl_memdup(bytes, len);
	packet.len = len;
	play->packets[play->packet_count++] = packet;
}

static void remember(struct play *play)
{
	if (play->history_count == HISTORY)
		play->wrong = "too long a history";
	else
		play->history[play->history_count++] = play->store.state;
}

static void tell_global(struct play *play, struct sync_global_event event)
{
	uint64_t tickets[8];
	size_t count = 0;

	event.now = play->now;
	event.dice = DICE + play->epochs;
	struct sync_global_todo todo = sync_global_step(play->machine, &event);
	play->wake_at = todo.wake_at;
	for (size_t i = 0; i < todo.count; i++) {
		const struct sync_global_action *act = &todo.actions[i];
		size_t zone = act->zone != NULL && act->zone[0] == 'b';
		if (act->kind == SYNC_DO_REPLY)
			send(play,
			     (struct packet){ .kind = TO_ZONE,
					      .zone = act->id >> 32 & 1,
					      .life = act->id >> 33,
					      .id = act->id & UINT32_MAX },
			     act->bytes, act->len);
		else if (act->kind == SYNC_DO_PUBLISH)
			for (zone = 0; zone < PLAY_ZONES; zone++)
				send(play, (struct packet){ .kind = HINT, .zone = zone },
				     act->bytes, act->len);
		else if (act->kind == SYNC_DO_SAVE_ZONE) {
			play->records[zone] = act->record;
			play->known[zone] = true;
		} else if (act->kind == SYNC_DO_NEW_EPOCH) {
			memcpy(play->store.state.position.epoch, act->epoch,
			       POSITION_EPOCH);
			play->epochs++;
			remember(play);
		}
		if (act->kind == SYNC_DO_SAVE_ZONE || act->kind == SYNC_DO_WRITE ||
		    act->kind == SYNC_DO_NEW_EPOCH)
			tickets[count++] = act->id;
	}
	for (size_t i = 0; i < count; i++)
		tell_global(play,
			    (struct sync_global_event){ .kind = SYNC_GEV_DONE,
							.id = tickets[i],
							.ok = true,
							.state = play->store.state });
}

static const struct sync_state *found(const struct play *play, const struct position *at)
{
	for (size_t i = play->history_count; i-- > 0;)
		if (position_equal(&play->history[i].position, at))
			return &play->history[i];
	return NULL;
}

static void put(struct sim_store *store, const struct sync_zone_action *act)
{
	for (size_t i = 0; i < act->record_count; i++) {
		const struct sync_record *r = &act->records[i];
		if (r->deleted)
			sim_store_delete(store, r->key, r->key_len);
		else
			sim_store_put(store, r->key, r->key_len, r->mod_rev, r->value,
				      r->value_len);
	}
}

static void check_store(struct play *play, struct node *node, bool copied)
{
	const struct sync_state *state = found(play, &node->store.state.position);
	const struct position *at = &node->store.state.position;

	if (state == NULL || !digest_equal(&state->digest, &node->store.state.digest))
		play->wrong = "a zone holds what global never committed";
	if (memcmp(node->newest.epoch, at->epoch, POSITION_EPOCH) == 0 &&
	    at->rev < node->newest.rev && !(copied && play->rewound))
		play->wrong = "a zone went back within an epoch";
	node->newest = *at;
}

/* The disk does it; what the machine is told of that. */
static struct sync_zone_event carry_out(struct play *play, struct node *node,
					const struct sync_zone_action *act)
{
	struct sync_zone_event done = { .kind = SYNC_EV_COMMITTED, .id = act->id };
	bool stages = act->kind == SYNC_DO_STAGE || act->kind == SYNC_DO_STAGE_LOG;

	if (act->kind == SYNC_DO_STAGE && act->first)
		sim_store_clear(&node->stage);
	if (act->kind == SYNC_DO_STAGE)
		put(&node->stage, act);
	for (size_t i = 0; i < act->entry_count; i++) {
		if (stages)
			sim_store_replay(&node->stage, &act->entries[i]);
		else
			sim_store_apply(&node->store, act->entries[i].bytes,
					act->entries[i].len, UINT64_MAX);
	}
	if (act->kind == SYNC_DO_SWAP)
		sim_store_swap(&node->store, &node->stage, &act->position);
	if (act->kind == SYNC_DO_REPAIR)
		put(&node->store, act);
	if (!stages)
		check_store(play, node, act->kind == SYNC_DO_SWAP);
	if (stages)
		done.kind = SYNC_EV_STAGED;
	done.state = stages ? node->stage.state : node->store.state;
	return done;
}

static void tell_zone(struct play *play, size_t index, struct sync_zone_event event)
{
	struct node *node = &play->zones[index];
	struct sync_zone_event done[8];
	size_t count = 0;

	event.now = play->now;
	event.dice = DICE;
	struct sync_zone_todo todo = sync_zone_step(node->machine, &event);
	node->wake_at = todo.wake_at;
	for (size_t i = 0; i < todo.count; i++) {
		const struct sync_zone_action *act = &todo.actions[i];
		if (act->kind == SYNC_DO_SEND)
			send(play,
			     (struct packet){ .kind = TO_GLOBAL,
					      .zone = index,
					      .life = node->life,
					      .id = act->id },
			     act->bytes, act->len);
		else if (act->id != 0)
			done[count++] = carry_out(play, node, act);
	}
	for (size_t i = 0; i < count; i++)
		tell_zone(play, index, done[i]);
}

/* ---- lives ---- */

static bool stored_zone(void *io, const char *zone, struct sync_zone_record *out)
{
	const struct play *play =
		(const struct play *)((const char *)io - offsetof(struct play, store));

	*out = play->records[zone[0] == 'b'];
	return play->known[zone[0] == 'b'];
}

static void start_global(struct play *play)
{
	static struct sync_global_ops ops;

	ops = SIM_GLOBAL_OPS;
	ops.zone = stored_zone;
	sync_global_free(&play->machine);
	play->machine = sync_global_new(&(struct sync_global_setup){
		.instance = ++play->life, .ops = &ops, .io = &play->store });
	tell_global(play, (struct sync_global_event){ .kind = SYNC_GEV_START,
						      .state = play->store.state });
}

static void start_zone(struct play *play, size_t index)
{
	struct node *node = &play->zones[index];

	sync_zone_free(&node->machine);
	node->life++;
	node->machine =
		sync_zone_new(&(struct sync_zone_setup){ .zone = ZONE_NAMES[index],
							 .build = "",
							 .uuid = { (uint8_t)(index + 1) },
							 .incarnation = node->life,
							 .session = 10000 * node->life,
							 .ops = &SIM_STORE_OPS,
							 .io = &node->store });
	tell_zone(play, index,
		  (struct sync_zone_event){ .kind = SYNC_EV_START,
					    .state = node->store.state });
}

static void write_one(struct play *play, bool told)
{
	char key[] = { 'k', (char)('0' + play->written % 2), 0 };
	char value[] = { 'v', (char)('0' + play->written % 10), 0 };
	const struct op op = { .key = key, .key_len = 2, .value = value, .value_len = 2 };
	struct sync_global_event event = { .kind = SYNC_GEV_COMMITTED };
	struct zl_buf bytes = { 0 };

	play->written++;
	entry_pack(&(struct entry){ .ops = &op, .op_count = 1, .who = "", .message = "" },
		   &bytes);
	sim_store_apply(&play->store, bytes.data, bytes.len, UINT64_MAX);
	remember(play);
	event.state = play->store.state;
	event.waited = play->written % 2 == 0;
	event.entry.rev = event.state.position.rev;
	memcpy(event.entry.chain, event.state.position.chain, POSITION_CHAIN);
	event.entry.bytes = bytes.data;
	event.entry.len = bytes.len;
	if (told)
		tell_global(play, event);
	zl_buf_free(&bytes);
}

static void restore(struct play *play, bool by_tool)
{
	sim_store_copy(&play->store, &play->old);
	play->rewound = play->rewound || !by_tool;
	if (by_tool) {
		play->store.state.position.epoch[0] = (uint8_t)(200 + ++play->epochs);
		remember(play);
	}
	start_global(play);
}

static void deliver(struct play *play, struct packet packet)
{
	struct node *node = &play->zones[packet.zone];
	struct sync_zone_event event = { .kind = SYNC_EV_PUB,
					 .id = packet.id,
					 .bytes = packet.bytes,
					 .len = packet.len };

	if (packet.kind == TO_GLOBAL)
		tell_global(play, (struct sync_global_event){
					  .kind = SYNC_GEV_REQUEST,
					  .id = packet.life << 33 |
						(uint64_t)packet.zone << 32 | packet.id,
					  .bytes = packet.bytes,
					  .len = packet.len });
	else if (packet.kind == HINT || packet.life == node->life) {
		if (packet.kind == TO_ZONE)
			event.kind = SYNC_EV_REPLY;
		tell_zone(play, packet.zone, event);
	}
}

static struct packet take(struct play *play, size_t index)
{
	struct packet packet = play->packets[index];

	play->packet_count--;
	memmove(&play->packets[index], &play->packets[index + 1],
		(play->packet_count - index) * sizeof(packet));
	return packet;
}

/* To the next timer of anyone. */
static void wait_for_timer(struct play *play)
{
	uint64_t at = play->wake_at;

	for (size_t i = 0; i < PLAY_ZONES; i++)
		at = play->zones[i].wake_at < at ? play->zones[i].wake_at : at;
	play->now = at > play->now ? at : play->now + 1;
	if (play->now >= play->wake_at)
		tell_global(play, (struct sync_global_event){ .kind = SYNC_GEV_TICK });
	for (size_t i = 0; i < PLAY_ZONES; i++)
		if (play->now >= play->zones[i].wake_at)
			tell_zone(play, i,
				  (struct sync_zone_event){ .kind = SYNC_EV_TICK });
}

/* ---- choices ---- */

enum act {
	DELIVER,
	LOSE,
	DOUBLE,
	WAIT,
	WRITE,
	WRITE_AND_DIE,
	CRASH,
	DIE,
	BY_HAND,
	BY_TOOL
};

static const char *const ACTS[] = { "deliver",
				    "lose",
				    "double",
				    "wait",
				    "write",
				    "write, die untold",
				    "zone dies",
				    "global dies",
				    "put back by hand",
				    "restored by the tool" };

struct choice {
	enum act act;
	size_t index;
};

/* The nth choice there is; false: there are fewer. count: how many there are. */
static bool list(const struct play *play, size_t nth, struct choice *out, size_t *count)
{
	const struct play_budget *left = &play->left;
	struct choice all[3 * PLAY_PACKETS + 16];
	size_t n = 0;

	for (size_t i = 0; i < play->packet_count; i++) {
		all[n++] = (struct choice){ DELIVER, i };
		if (left->losses > 0)
			all[n++] = (struct choice){ LOSE, i };
		if (left->doubles > 0)
			all[n++] = (struct choice){ DOUBLE, i };
	}
	/* Timers are slow: they end when nothing is on its way. */
	if (left->waits > 0 && play->packet_count == 0)
		all[n++] = (struct choice){ WAIT, 0 };
	if (left->writes > 0)
		all[n++] = (struct choice){ WRITE, 0 };
	if (left->writes > 0 && left->crashes > 0)
		all[n++] = (struct choice){ WRITE_AND_DIE, 0 };
	for (size_t i = 0; i < PLAY_ZONES && left->crashes > 0; i++)
		all[n++] = (struct choice){ CRASH, i };
	if (left->crashes > 0)
		all[n++] = (struct choice){ DIE, 0 };
	if (left->restores > 0) {
		all[n++] = (struct choice){ BY_HAND, 0 };
		all[n++] = (struct choice){ BY_TOOL, 0 };
	}
	*count = n;
	if (nth < n)
		*out = all[nth];
	return nth < n;
}

size_t play_choices(const struct play *play)
{
	struct choice none;
	size_t count;

	(void)list(play, SIZE_MAX, &none, &count);
	return count;
}

const char *play_name(const struct play *play, size_t nth)
{
	static char name[64];
	struct choice choice;
	size_t count;

	if (!list(play, nth, &choice, &count))
		return "";
	bool packet = choice.act <= DOUBLE;
	(void)snprintf(name, sizeof(name), "%s %d (%d)", ACTS[choice.act],
		       packet ? play->packets[choice.index].bytes[3] : 0,
		       packet ? (int)play->packets[choice.index].zone
			      : (int)choice.index);
	return name;
}

static void choose_packet(struct play *play, struct choice choice)
{
	struct packet packet = take(play, choice.index);

	if (choice.act == LOSE)
		play->left.losses--;
	else
		deliver(play, packet);
	if (choice.act == DOUBLE) {
		play->left.doubles--;
		send(play, packet, packet.bytes, packet.len);
	}
	free(packet.bytes);
}

void play_choose(struct play *play, size_t nth)
{
	struct choice choice;
	size_t count;

	if (!list(play, nth, &choice, &count))
		abort(); /* a mistake of the search */
	switch (choice.act) {
	case DELIVER:
	case LOSE:
	case DOUBLE:
		choose_packet(play, choice);
		break;
	case WAIT:
		play->left.waits--;
		wait_for_timer(play);
		break;
	case WRITE:
	case WRITE_AND_DIE:
		play->left.writes--;
		write_one(play, choice.act == WRITE);
		if (choice.act == WRITE)
			break;
		/* fallthrough */
	case DIE:
		play->left.crashes--;
		start_global(play);
		break;
	case CRASH:
		play->left.crashes--;
		start_zone(play, choice.index);
		break;
	case BY_HAND:
	case BY_TOOL:
		play->left.restores--;
		restore(play, choice.act == BY_TOOL);
		break;
	}
}

bool play_is_quiet(const struct play *play)
{
	return play->packet_count == 0;
}

const char *play_wrong(const struct play *play)
{
	for (size_t i = 0; i < PLAY_ZONES && play->wrong == NULL; i++) {
		const struct position head = sync_zone_view(play->zones[i].machine).head;
		if (head.rev > 0 && found(play, &head) == NULL)
			return "a zone shows what global never committed";
	}
	return play->wrong;
}

static const char *differ(const struct play *play)
{
	for (size_t i = 0; i < PLAY_ZONES; i++) {
		if (!sim_store_same(&play->zones[i].store, &play->store))
			return "a zone does not hold what global holds";
		if (sync_zone_view(play->zones[i].machine).state != SYNC_LIVE)
			return "a zone is not live";
	}
	return NULL;
}

const char *play_settle(struct play *play)
{
	uint64_t end = play->now + SETTLE_MS;
	const char *wrong = differ(play);

	for (size_t i = 0; i < SETTLE_STEPS && play->now < end; i++) {
		if (play_wrong(play) != NULL)
			return play_wrong(play);
		if (play->packet_count > 0) {
			struct packet packet = take(play, 0);
			deliver(play, packet);
			free(packet.bytes);
			continue;
		}
		wrong = differ(play);
		if (wrong == NULL)
			return NULL;
		wait_for_timer(play);
	}
	return wrong;
}

struct play *play_new(const struct play_budget *budget)
{
	struct play *play = zl_alloc(1, sizeof(*play));

	play->now = 1000;
	play->store.keep = 2; /* a zone that missed more copies everything */
	play->store.state.position.epoch[0] = 1;
	remember(play);
	write_one(play, false);
	start_global(play);
	for (size_t i = 0; i < PLAY_ZONES; i++)
		start_zone(play, i);
	(void)play_settle(play);
	sim_store_copy(&play->old, &play->store);
	play->left = *budget;
	return play;
}

void play_free(struct play *play)
{
	while (play->packet_count > 0)
		free(take(play, 0).bytes);
	for (size_t i = 0; i < PLAY_ZONES; i++) {
		sync_zone_free(&play->zones[i].machine);
		sim_store_fini(&play->zones[i].store);
		sim_store_fini(&play->zones[i].stage);
	}
	sync_global_free(&play->machine);
	sim_store_fini(&play->store);
	sim_store_fini(&play->old);
	free(play);
}

/* ---- what a state is ---- */

static uint64_t ahead(const struct play *play, uint64_t at)
{
	return at > play->now ? at - play->now : 0;
}

/* How long ago, up to a time after which nothing asks. */
static uint64_t ago(const struct play *play, uint64_t at, uint64_t most)
{
	uint64_t since = play->now - at;

	return at == 0 ? most + 1 : since < most ? since : most;
}

static void add(struct zl_buf *buf, const void *data, size_t len)
{
	zl_buf_add(buf, data, len);
}

static void add_u64(struct zl_buf *buf, uint64_t value)
{
	add(buf, &value, sizeof(value));
}

static void add_state(struct zl_buf *buf, const struct sync_state *state)
{
	add(buf, &state->position, sizeof(state->position));
	add(buf, &state->digest, sizeof(state->digest));
}

static void add_zone(const struct play *play, struct zl_buf *buf, const struct node *node)
{
	const struct sync_zone *zone = node->machine;
	const struct snap *snap = &zone->snap;

	add_state(buf, &node->store.state);
	add_state(buf, &node->stage.state);
	add_u64(buf, zone->state);
	add(buf, &zone->head, sizeof(zone->head));
	for (enum channel i = 0; i < CHANNELS; i++) {
		const struct asked *asked = &zone->asked[i];
		bool open = asked->id != 0;
		add_u64(buf, open ? zone->next_id - asked->id + 1 : 0);
		add_u64(buf, open ? asked->type : 0);
		add_u64(buf, open ? ahead(play, asked->until) : 0);
		add_u64(buf, asked->lost);
		add_u64(buf, open ? 0 : ahead(play, zone->retry_at[i]));
	}
	add_u64(buf, zone->backoff);
	add_u64(buf, zone->unanswered);
	add_u64(buf, zone->unanswered > 0 ? play->now - zone->unanswered_since : 0);
	add_u64(buf, zone->fence);
	add_u64(buf, zone->instance);
	add_u64(buf, zone->fence != 0 ? ahead(play, zone->lease_until) : 0);
	add_u64(buf, zone->fence != 0 ? ahead(play, zone->lease_at) : 0);
	add_u64(buf, zone->report_new);
	add_u64(buf, zone->dials << 2 | zone->came);
	add_u64(buf, zone->rtt > 1000);
	add_u64(buf, ago(play, zone->dialled_at, 4000));
	add_u64(buf, ago(play, zone->last_beat, 4000));
	add_u64(buf, ago(play, zone->listen_since, 4000));
	add_u64(buf, zone->polled >= zone->last_beat && zone->polled >= zone->dialled_at);
	add_u64(buf, zone->catch_at != 0 ? 1 + ahead(play, zone->catch_at) : 0);
	add_u64(buf, zone->repair.tries << 8 | (unsigned)zone->repair.phase);
	add_u64(buf, zone->snap_failed);
	if (zone->state == SYNC_SNAP) {
		add_u64(buf, (uint64_t)snap->started << 2 | (uint64_t)snap->copied << 1 |
				     snap->complete);
		add(buf, &snap->at, sizeof(snap->at));
		add_u64(buf, snap->differs);
	}
}

static void add_global(const struct play *play, struct zl_buf *buf)
{
	const struct sync_global *global = play->machine;

	add_state(buf, &play->store.state);
	add_u64(buf, play->store.log_count);
	add_u64(buf, play->life);
	add_u64(buf, ahead(play, global->beat_at));
	add_u64(buf, ago(play, global->epoch_at, 600001));
	add_u64(buf, ago(play, global->started_at, SYNC_LEASE_MS));
	for (size_t i = 0; i < global->session_count; i++) {
		const struct session *session = global->sessions[i];
		add_u64(buf, session->state);
		add_u64(buf, session->record.session);
		add_u64(buf, session->record.fence);
		add_u64(buf, ahead(play, session->lease_until));
		add_u64(buf, session->contested);
	}
}

/* A packet without the number of its question, which counts on and on. */
static void packet_hash(const struct play *play, const struct packet *packet,
			uint8_t hash[ZL_SHA256])
{
	const struct node *node = &play->zones[packet->zone];
	struct zl_buf buf = { 0 };
	struct zl_arena *arena = zl_arena_new();
	struct sync_message message = { .body = NULL };

	add_u64(&buf, packet->kind);
	add_u64(&buf, packet->zone);
	add_u64(&buf, packet->kind == HINT ? 0 : node->life - packet->life);
	add_u64(&buf,
		packet->life == node->life ? node->machine->next_id - packet->id : 0);
	if (sync_decode(arena, packet->bytes, packet->len, &message, NULL) == ZL_OK) {
		const ProtobufCMessage *sent = message.body;
		ProtobufCMessage *body =
			zl_arena_memdup(arena, sent, sent->descriptor->sizeof_message);
		if (message.type == SYNC_MSG_BEAT)
			((Sync__Beat *)(void *)body)->seq = 0;
		else if (packet->kind == TO_GLOBAL)
			(*(Sync__Head **)(void *)(body + 1))->req_id = 0;
		else if (packet->kind == TO_ZONE)
			*(uint64_t *)(void *)(body + 1) = 0;
		struct sync_bytes bytes = sync_encode(arena, message.type, body);
		add(&buf, bytes.data, bytes.len);
	}
	zl_sha256(&(struct zl_run){ buf.data, buf.len }, 1, hash);
	zl_arena_free(&arena);
	zl_buf_free(&buf);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, ZL_SHA256);
}

void play_hash(const struct play *play, uint8_t hash[16])
{
	uint8_t packets[PLAY_PACKETS][ZL_SHA256], full[ZL_SHA256];
	struct zl_buf buf = { 0 };

	for (size_t i = 0; i < play->packet_count; i++)
		packet_hash(play, &play->packets[i], packets[i]);
	qsort(packets, play->packet_count, ZL_SHA256, by_bytes);
	add(&buf, packets, play->packet_count * ZL_SHA256);
	add(&buf, &play->left, sizeof(play->left));
	for (size_t i = 0; i < PLAY_ZONES; i++)
		add_zone(play, &buf, &play->zones[i]);
	add_global(play, &buf);
	zl_sha256(&(struct zl_run){ buf.data, buf.len }, 1, full);
	memcpy(hash, full, 16);
	zl_buf_free(&buf);
}
