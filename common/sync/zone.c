#include "sync/zone_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 5000,
	FAILED_MS = 1000,
	SOON_MS = 20, /* until what nobody waits for is said */
	UNSETTLED_MAX = 16 << 20
};

static const char *const NAMES[SYNC_ZONE_STATES] = {
	[SYNC_BOOT] = "boot",     [SYNC_JOIN] = "join",   [SYNC_SYNC] = "sync",
	[SYNC_SNAP] = "snap",     [SYNC_HELD] = "held",   [SYNC_LIVE] = "live",
	[SYNC_REPAIR] = "repair", [SYNC_STALE] = "stale", [SYNC_STOPPED] = "stopped",
};

/* [from][to]; any other move is a bug. */
#define TO(state) [SYNC_##state] = true
static const bool ALLOWED[SYNC_ZONE_STATES][SYNC_ZONE_STATES] = {
	[SYNC_BOOT] = { TO(JOIN), TO(STOPPED) },
	[SYNC_JOIN] = { TO(SYNC), TO(STOPPED) },
	[SYNC_SYNC] = { TO(JOIN), TO(SNAP), TO(HELD), TO(LIVE), TO(STALE), TO(STOPPED) },
	[SYNC_SNAP] = { TO(JOIN), TO(SYNC), TO(HELD), TO(STOPPED) },
	[SYNC_HELD] = { TO(JOIN), TO(SYNC), TO(SNAP), TO(STOPPED) },
	[SYNC_LIVE] = { TO(JOIN), TO(SYNC), TO(SNAP), TO(REPAIR), TO(STALE),
			TO(STOPPED) },
	[SYNC_REPAIR] = { TO(JOIN), TO(SYNC), TO(SNAP), TO(STOPPED) },
	[SYNC_STALE] = { TO(JOIN), TO(SYNC), TO(SNAP), TO(REPAIR), TO(STOPPED) },
};
#undef TO

struct sync_zone *sync_zone_new(const struct sync_zone_setup *setup)
{
	struct sync_zone *zone = zl_alloc(1, sizeof(*zone));

	assert(setup->session != 0 && strlen(setup->zone) <= SYNC_NAME_MAX);
	zone->name = zl_strdup(setup->zone);
	zone->build = zl_strdup(setup->build);
	zone->host = zl_strdup(setup->host != NULL ? setup->host : "");
	zone->setup = *setup;
	zone->setup.zone = zone->name;
	zone->setup.build = zone->build;
	zone->setup.host = zone->host;
	zone->next_id = setup->session;
	zone->outbox.push_max = setup->push_max != 0 ? setup->push_max : SYNC_BATCH_MAX;
	zone->turn = zl_arena_new();
	zone->report_arena = zl_arena_new();
	zone->repair.arena = zl_arena_new();
	zone->wants.arena = zl_arena_new();
	return zone;
}

void sync_zone_free(struct sync_zone **zonep)
{
	struct sync_zone *zone = *zonep;

	*zonep = NULL;
	if (zone == NULL)
		return;
	outbox_free(&zone->outbox);
	zl_buf_free(&zone->parts.bytes);
	zl_buf_free(&zone->whole);
	zl_buf_free(&zone->snap.cursor);
	zl_arena_free(&zone->repair.arena);
	zl_arena_free(&zone->wants.arena);
	zl_arena_free(&zone->report_arena);
	zl_arena_free(&zone->turn);
	free(zone->actions);
	free(zone->host);
	free(zone->build);
	free(zone->name);
	free(zone);
}

/* The only place that changes the state. */
void zone_move(struct sync_zone *zone, enum sync_zone_state to)
{
	if (zone->state == to)
		return;
	assert(ALLOWED[zone->state][to]);
	zone->state = to;
	zone->since = zone->now;
	zone->catch_at = 0;
	zone->asked[MAIN].id = 0; /* what was asked was for the old state */
	if (to == SYNC_LIVE)
		zone->trouble[0] = '\0';
	if (to == SYNC_LIVE || to == SYNC_STALE)
		zone_hold_end(zone); /* global has what is shown */
	zone_act(zone, SYNC_DO_TELL);
}

struct sync_zone_action *zone_act(struct sync_zone *zone, enum sync_zone_do kind)
{
	if (zone->count == zone->capacity) {
		zone->capacity = zone->capacity == 0 ? 8 : 2 * zone->capacity;
		zone->actions =
			zl_realloc(zone->actions, zone->capacity, sizeof(*zone->actions));
	}
	zone->actions[zone->count] = (struct sync_zone_action){ .kind = kind };
	return &zone->actions[zone->count++];
}

void zone_alarm(struct sync_zone *zone, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(zone->trouble, sizeof(zone->trouble), fmt, args);
	va_end(args);
	struct sync_zone_action *tell = zone_act(zone, SYNC_DO_TELL);
	tell->text = zl_arena_strdup(zone->turn, zone->trouble);
	tell->alarm = true;
}

/* One step may need several random numbers of its one (splitmix64). */
uint64_t zone_roll(struct sync_zone *zone, uint64_t limit)
{
	uint64_t mixed = zone->dice += 0x9e3779b97f4a7c15;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
	return (mixed ^ mixed >> 31) % limit;
}

Sync__Head *zone_head(struct sync_zone *zone)
{
	Sync__Head *head = zl_arena_alloc(zone->turn, 1, sizeof(*head));

	sync__head__init(head);
	head->zone = zone->name;
	head->session = zone->setup.session;
	head->fence = zone->fence;
	head->req_id = ++zone->next_id;
	return head;
}

void zone_ask(struct sync_zone *zone, enum channel channel, enum sync_type type,
	      const void *body)
{
	struct sync_bytes bytes = sync_encode(zone->turn, type, body);
	struct sync_zone_action *send = zone_act(zone, SYNC_DO_SEND);
	unsigned lost = zone->asked[channel].lost;

	assert(zone->asked[channel].id == 0);
	send->id = zone->next_id;
	send->bytes = bytes.data;
	send->len = bytes.len;
	zone->asked[channel] = (struct asked){
		.id = send->id, .type = type, .at = zone->now, .lost = lost
	};
	send->deadline_ms = zone_time_asked(zone, channel);
}

void zone_back_off(struct sync_zone *zone)
{
	zone->backoff = zone->backoff == 0 ? BACKOFF_MIN_MS : 2 * zone->backoff;
	if (zone->backoff > BACKOFF_MAX_MS)
		zone->backoff = BACKOFF_MAX_MS;
	zone->retry_at[MAIN] =
		zone->now + zone->backoff / 2 + zone_roll(zone, zone->backoff);
}

bool zone_is_settled(const struct sync_zone *zone)
{
	return zone->barrier == 0 && position_equal(&zone->head, &zone->durable.position);
}

bool zone_may_apply(const struct sync_zone *zone)
{
	return zone->barrier == 0 && zone->unsettled <= UNSETTLED_MAX;
}

static void on_later(struct sync_zone *zone, enum channel channel, const void *body)
{
	const Sync__Later *later = body;
	uint32_t wait =
		later->retry_ms < BACKOFF_MAX_MS ? later->retry_ms : BACKOFF_MAX_MS;

	zone->retry_at[channel] = zone->now + wait + zone_roll(zone, wait / 4 + 1);
	if (channel == PUSH)
		outbox_lost(&zone->outbox);
	if (channel == LEASE)
		zone->report_new = true;
}

static void on_pushed(struct sync_zone *zone, const void *body)
{
	(void)body;
	outbox_acked(&zone->outbox);
}

static void on_push_reset(struct sync_zone *zone, const void *body)
{
	(void)body;
	outbox_restart(&zone->outbox);
}

/* Which answer fits which question. */
static const struct {
	enum sync_type asked, answer;
	void (*on)(struct sync_zone *zone, const void *body);
} ANSWERS[] = {
	{ SYNC_MSG_HELLO, SYNC_MSG_WELCOME, zone_on_welcome },
	{ SYNC_MSG_HELLO, SYNC_MSG_REFUSED, zone_on_refused },
	{ SYNC_MSG_FETCH, SYNC_MSG_LOG, zone_on_log },
	{ SYNC_MSG_FETCH, SYNC_MSG_RESET, zone_on_reset },
	{ SYNC_MSG_SNAP, SYNC_MSG_CHUNK, zone_on_chunk },
	{ SYNC_MSG_SNAP, SYNC_MSG_RESET, zone_on_reset },
	{ SYNC_MSG_SUMS, SYNC_MSG_SUMS_REPLY, zone_on_sums },
	{ SYNC_MSG_KEYS, SYNC_MSG_KEYS_REPLY, zone_on_keys },
	{ SYNC_MSG_PUSH, SYNC_MSG_PUSHED, on_pushed },
	{ SYNC_MSG_PUSH, SYNC_MSG_PUSH_RESET, on_push_reset },
	{ SYNC_MSG_LEASE, SYNC_MSG_LEASED, zone_on_leased },
	{ SYNC_MSG_SECRET, SYNC_MSG_SECRET_REPLY, zone_on_secret },
};

static bool answered(struct sync_zone *zone, enum channel channel,
		     const struct sync_message *message)
{
	enum sync_type asked = zone->asked[channel].type;

	zone->asked[channel].id = 0;
	zone->asked[channel].lost = 0;
	if (message->type == SYNC_MSG_FENCED) {
		zone_on_fenced(zone, message->body);
		return true;
	}
	if (message->type == SYNC_MSG_UNKNOWN) {
		zone_on_unknown(zone, message->body);
		return true;
	}
	if (message->type == SYNC_MSG_LATER) {
		on_later(zone, channel, message->body);
		return true;
	}
	for (size_t i = 0; i < sizeof(ANSWERS) / sizeof(ANSWERS[0]); i++)
		if (ANSWERS[i].asked == asked && ANSWERS[i].answer == message->type) {
			if (channel == MAIN)
				zone->backoff = 0;
			ANSWERS[i].on(zone, message->body);
			return true;
		}
	return false;
}

/* All replies have req_id as their field 1. */
static uint64_t reply_id(const struct sync_message *message)
{
	const ProtobufCMessage *body = message->body;
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(body->descriptor, 1);
	uint64_t id = 0;

	if (field != NULL && field->type == PROTOBUF_C_TYPE_UINT64)
		memcpy(&id, (const char *)body + field->offset, sizeof(id));
	return id;
}

static void on_reply(struct sync_zone *zone, const struct sync_zone_event *event)
{
	struct sync_message message;
	enum channel channel = 0;

	while (channel < CHANNELS && zone->asked[channel].id != event->id)
		channel++;
	if (event->id == 0)
		return;
	if (channel == CHANNELS) {
		zone_time_late(zone, event->id);
		return;
	}
	zone_time_answered(zone, zone->asked[channel].at);
	if (sync_decode(zone->turn, event->bytes, event->len, &message, NULL) != ZL_OK ||
	    reply_id(&message) != event->id || !answered(zone, channel, &message)) {
		zone->dropped++;
		zone_lost(zone, channel);
	}
}

static void on_lost(struct sync_zone *zone, const struct sync_zone_event *event)
{
	for (enum channel i = 0; i < CHANNELS; i++)
		if (event->id != 0 && zone->asked[i].id == event->id)
			zone_unanswered(zone, i);
}

static void on_pub(struct sync_zone *zone, const struct sync_zone_event *event)
{
	struct sync_message message;

	if (sync_decode(zone->turn, event->bytes, event->len, &message, NULL) != ZL_OK) {
		zone->dropped++;
		return;
	}
	if (message.type == SYNC_MSG_BEAT)
		zone_on_beat(zone, message.body);
	else if (message.type == SYNC_MSG_DELTA)
		zone_on_delta(zone, message.body);
	else if (message.type == SYNC_MSG_NUDGE)
		zone_on_nudge(zone, message.body);
	else
		zone->dropped++;
}

static void on_start(struct sync_zone *zone, const struct sync_zone_event *event)
{
	assert(zone->state == SYNC_BOOT);
	zone->durable = event->state;
	zone->head = event->state.position;
	zone_time_start(zone);
	zone_move(zone, SYNC_JOIN);
	if (event->held != NULL)
		zone_hold_start(zone, event);
}

static void on_tick(struct sync_zone *zone, const struct sync_zone_event *event)
{
	(void)zone; /* what is due is done after each event */
	(void)event;
}

/* Continuity is void: what was published between two connections is lost. */
static void on_pipe(struct sync_zone *zone, const struct sync_zone_event *event)
{
	zone_time_piped(zone);
	if (zone->state == SYNC_LIVE || (zone->state == SYNC_STALE && event->up))
		zone_move(zone, SYNC_SYNC);
}

static void on_inventory(struct sync_zone *zone, const struct sync_zone_event *event)
{
	outbox_change(&zone->outbox, event->ops, event->op_count, event->full);
}

/* With the next lease, which is at once if somebody waits for it at global, and soon if
 * not: what changes in that time is said in one. */
static void say(struct sync_zone *zone)
{
	if (zone->waited > zone->told)
		zone->report_new = true;
	else if (zone->soon_at == 0)
		zone->soon_at = zone->now + SOON_MS;
}

static void on_report(struct sync_zone *zone, const struct sync_zone_event *event)
{
	zone_report(zone, event->report);
	if (zone_is_settled(zone))
		say(zone);
	else
		zone->report_waits = true;
}

static void report_stored(struct sync_zone *zone)
{
	if (zone->report_waits)
		say(zone);
	zone->report_waits = false;
}

static void on_committed(struct sync_zone *zone, const struct sync_zone_event *event)
{
	if (event->state.position.rev != zone->durable.position.rev)
		say(zone);
	zone->durable = event->state;
	report_stored(zone);
	if (zone->barrier != 0 && event->id >= zone->barrier) {
		zone->barrier = 0;
		zone->head = event->state.position;
		if (zone->state == SYNC_SNAP || zone->state == SYNC_HELD ||
		    zone->state == SYNC_REPAIR)
			zone_move(zone, SYNC_SYNC);
	}
	if (zone_is_settled(zone))
		zone->unsettled = 0;
}

static void on_staged(struct sync_zone *zone, const struct sync_zone_event *event)
{
	zone_snap_staged(zone, event);
}

static void on_accept(struct sync_zone *zone, const struct sync_zone_event *event)
{
	(void)event;
	zone_hold_accept(zone, NULL);
}

/* What could not be stored is asked for again. */
static void on_failed(struct sync_zone *zone, const struct sync_zone_event *event)
{
	if (event->id <= zone->voided)
		return; /* it went with one before it */
	zone->voided = zone->ticket;
	report_stored(zone);
	zone_alarm(zone, event->damaged
				 ? "a stored record is damaged; everything is "
				   "copied again"
				 : "the store refused a change; it is tried again");
	zone->barrier = 0;
	zone->unsettled = 0;
	zone->head = zone->durable.position;
	zone_clear_parts(zone);
	if (zone->state == SYNC_SNAP || zone->state == SYNC_HELD ||
	    (event->damaged && zone->state != SYNC_JOIN))
		zone_snap_begin(zone);
	else if (zone->state == SYNC_LIVE || zone->state == SYNC_REPAIR ||
		 zone->state == SYNC_STALE)
		zone_move(zone, SYNC_SYNC);
	zone->asked[MAIN].id = 0;
	zone->retry_at[MAIN] = zone->now + FAILED_MS;
}

static void on_want(struct sync_zone *zone, const struct sync_zone_event *event)
{
	zone_want(zone, event->secrets, event->secret_count);
}

static void on_stop(struct sync_zone *zone, const struct sync_zone_event *event)
{
	(void)event;
	if (zone->fence != 0) {
		Sync__Bye bye = SYNC__BYE__INIT;
		bye.head = zone_head(zone);
		zone->asked[MAIN].id = 0;
		zone_ask(zone, MAIN, SYNC_MSG_BYE, &bye);
	}
	zone_move(zone, SYNC_STOPPED);
}

static void (*const ON[SYNC_ZONE_EVENTS])(struct sync_zone *,
					  const struct sync_zone_event *) = {
	[SYNC_EV_START] = on_start,
	[SYNC_EV_TICK] = on_tick,
	[SYNC_EV_PUB] = on_pub,
	[SYNC_EV_REPLY] = on_reply,
	[SYNC_EV_LOST] = on_lost,
	[SYNC_EV_PIPE] = on_pipe,
	[SYNC_EV_INVENTORY] = on_inventory,
	[SYNC_EV_REPORT] = on_report,
	[SYNC_EV_COMMITTED] = on_committed,
	[SYNC_EV_STAGED] = on_staged,
	[SYNC_EV_FAILED] = on_failed,
	[SYNC_EV_ACCEPT] = on_accept,
	[SYNC_EV_WANT] = on_want,
	[SYNC_EV_STOP] = on_stop,
};

static void ask_main(struct sync_zone *zone)
{
	bool behind = zone->catch_at != 0 && zone->now >= zone->catch_at;

	switch (zone->state) {
	case SYNC_JOIN:
		zone_hello(zone);
		break;
	case SYNC_SYNC:
		if (zone_may_apply(zone))
			zone_fetch(zone, &zone->head);
		break;
	case SYNC_STALE:
		if (behind && zone_may_apply(zone))
			zone_fetch(zone, &zone->head);
		break;
	case SYNC_SNAP:
	case SYNC_HELD:
		zone_snap_ask(zone);
		break;
	case SYNC_REPAIR:
		zone_repair_ask(zone);
		break;
	default:
		break;
	}
}

static void ask_push(struct sync_zone *zone)
{
	Sync__Push *push = outbox_next(&zone->outbox, zone->turn);

	if (push == NULL)
		return;
	push->head = zone_head(zone);
	zone_ask(zone, PUSH, SYNC_MSG_PUSH, push);
}

static bool may_ask(const struct sync_zone *zone, enum channel channel)
{
	return zone->asked[channel].id == 0 && zone->now >= zone->retry_at[channel];
}

static void ask(struct sync_zone *zone)
{
	if (may_ask(zone, MAIN))
		ask_main(zone);
	if (zone->fence == 0)
		return;
	if (may_ask(zone, LEASE) && (zone->report_new || zone->now >= zone->lease_at ||
				     (zone->soon_at != 0 && zone->now >= zone->soon_at)))
		zone_lease(zone);
	if (may_ask(zone, PUSH))
		ask_push(zone);
	if (may_ask(zone, SECRET))
		zone_secret_ask(zone);
}

static uint64_t wake_at(const struct sync_zone *zone)
{
	if (zone->state == SYNC_BOOT || zone->state == SYNC_STOPPED)
		return UINT64_MAX;
	return zone_time_next(zone);
}

struct sync_zone_todo sync_zone_step(struct sync_zone *zone,
				     const struct sync_zone_event *event)
{
	zl_arena_reset(zone->turn);
	zone->count = 0;
	zone->now = event->now;
	zone->dice = event->dice;
	zl_buf_free(&zone->whole);

	if (zone->state != SYNC_STOPPED) {
		ON[event->kind](zone, event);
		if (zone->state != SYNC_STOPPED && zone->state != SYNC_BOOT) {
			zone_watch(zone);
			ask(zone);
		}
	}
	return (struct sync_zone_todo){ zone->actions, zone->count, wake_at(zone) };
}

struct sync_zone_view sync_zone_view(const struct sync_zone *zone)
{
	return (struct sync_zone_view){ .state = zone->state,
					.since = zone->since,
					.fence = zone->fence,
					.lease_until = zone->lease_until,
					.last_beat = zone->last_beat,
					.head = zone->head,
					.durable = zone->durable,
					.global_rev = zone->global_rev,
					.inv_seq = zone->outbox.seq,
					.inv_acked = zone->outbox.full
							     ? 0
							     : zone->outbox.acked,
					.dropped = zone->dropped,
					.features = zone->features,
					.is_held = zone->snap.held,
					.held = zone->snap.hold,
					.trouble = zone->trouble };
}

const char *sync_zone_state_name(enum sync_zone_state state)
{
	return NAMES[state];
}
