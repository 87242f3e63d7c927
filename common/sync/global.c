#include "sync/global_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BURST_MS = 250, /* who lost the last hint of a burst learns of it so soon */
	BUSY_MS = 100,
	EPOCH_MS = 10 * 60 * 1000, /* one zone alone makes one new epoch in this time */
	AHEAD_MS = 60 * 1000,      /* two zones that are ahead within this time are two */
	ODD_MS = 60 * 1000         /* what is not understood is told once in this time */
};

struct sync_global *sync_global_new(const struct sync_global_setup *setup)
{
	struct sync_global *global = zl_alloc(1, sizeof(*global));

	global->setup = *setup;
	if (global->setup.lease_ms == 0)
		global->setup.lease_ms = SYNC_LEASE_MS;
	if (global->setup.delta_max == 0)
		global->setup.delta_max = SYNC_DELTA_MAX;
	if (global->setup.batch_max == 0)
		global->setup.batch_max = SYNC_BATCH_MAX;
	if (global->setup.chunk_max == 0)
		global->setup.chunk_max = SYNC_CHUNK_MAX;
	global->turn = zl_arena_new();
	global->beat_at = UINT64_MAX;
	return global;
}

void sync_global_free(struct sync_global **globalp)
{
	struct sync_global *global = *globalp;

	*globalp = NULL;
	if (global == NULL)
		return;
	for (size_t i = 0; i < global->session_count; i++)
		global_session_free(global->sessions[i]);
	free(global->sessions);
	free(global->actions);
	zl_arena_free(&global->turn);
	free(global);
}

struct sync_global_action *global_act(struct sync_global *global,
				      enum sync_global_do kind)
{
	if (global->count == global->capacity) {
		global->capacity = global->capacity == 0 ? 8 : 2 * global->capacity;
		global->actions = zl_realloc(global->actions, global->capacity,
					     sizeof(*global->actions));
	}
	global->actions[global->count] = (struct sync_global_action){ .kind = kind };
	return &global->actions[global->count++];
}

void global_reply(struct sync_global *global, uint64_t handle, enum sync_type type,
		  const void *body)
{
	struct sync_bytes bytes = sync_encode(global->turn, type, body);
	struct sync_global_action *act = global_act(global, SYNC_DO_REPLY);

	act->id = handle;
	act->bytes = bytes.data;
	act->len = bytes.len;
}

void global_later(struct sync_global *global, uint64_t handle, uint64_t req_id,
		  uint32_t retry_ms)
{
	Sync__Later later = SYNC__LATER__INIT;

	later.req_id = req_id;
	later.retry_ms = retry_ms;
	global_reply(global, handle, SYNC_MSG_LATER, &later);
}

void global_log(struct sync_global *global, const char *zone, bool alarm, const char *fmt,
		...)
{
	struct sync_global_action *act = global_act(global, SYNC_DO_LOG);
	char text[SYNC_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	act->zone = zl_arena_strdup(global->turn, zone);
	act->text = zl_arena_strdup(global->turn, text);
	act->alarm = alarm;
}

static void publish(struct sync_global *global, enum sync_type type, const void *body)
{
	struct sync_bytes bytes = sync_encode(global->turn, type, body);
	struct sync_global_action *act = global_act(global, SYNC_DO_PUBLISH);

	act->bytes = bytes.data;
	act->len = bytes.len;
}

static void beat(struct sync_global *global)
{
	Sync__Beat beat = SYNC__BEAT__INIT;

	beat.position = sync_position_out(global->turn, &global->head.position);
	beat.digest = sync_digest_out(global->turn, &global->head.digest);
	beat.floor_rev = global->setup.ops->floor(global->setup.io);
	beat.instance = global->setup.instance;
	beat.seq = ++global->beat_seq;
	beat.interval_ms = SYNC_BEAT_MS;
	publish(global, SYNC_MSG_BEAT, &beat);
	global->beat_at = global->now + SYNC_BEAT_MS;
}

static void beat_soon(struct sync_global *global)
{
	if (global->beat_at > global->now + BURST_MS)
		global->beat_at = global->now + BURST_MS;
}

/* May zone make us begin a new epoch? A zone that lies could make all zones copy again
 * and again. */
static bool is_believed(struct sync_global *global, const char *zone)
{
	bool another = global->ahead_at != 0 &&
		       global->now <= global->ahead_at + AHEAD_MS &&
		       strcmp(global->ahead_zone, zone) != 0;

	if (global->epoch_at == 0 || global->now > global->epoch_at + EPOCH_MS || another)
		return true;
	bool told = global->ahead_at != 0 && global->now <= global->ahead_at + AHEAD_MS;
	global->ahead_at = global->now;
	memcpy(global->ahead_zone, zone, strlen(zone) + 1);
	if (!told)
		global_log(
			global, zone, true,
			"zone says again that it is ahead of this global, which no other "
			"zone does: it alone copies everything");
	return false;
}

bool global_new_epoch(struct sync_global *global, const struct asking *asking,
		      uint64_t rev)
{
	const char *zone = asking->session->name;
	struct sync_global_action *act;

	if (global->epoch_ticket != 0)
		return true;
	if (!is_believed(global, zone))
		return false;
	global_log(
		global, zone, true,
		"zone has revision %llu and this global only %llu: the store was put "
		"back to an older one, a new epoch begins and all zones copy everything",
		(unsigned long long)rev, (unsigned long long)global->head.position.rev);
	global->epoch_at = global->now;
	global->ahead_at = 0;
	act = global_act(global, SYNC_DO_NEW_EPOCH);
	act->id = global->epoch_ticket = ++global->ticket;
	for (size_t i = 0; i < POSITION_EPOCH; i++) {
		global->dice = global->dice * 6364136223846793005u + 1442695040888963407u;
		act->epoch[i] = (uint8_t)(global->dice >> 56);
	}
	return true;
}

/* Requests of a session, by type; all of them have their head first. */
static const struct {
	enum sync_type type;
	bool reads; /* not while a new epoch begins */
	void (*on)(struct sync_global *global, const struct asking *asking,
		   const void *body);
} REQUESTS[] = {
	{ SYNC_MSG_FETCH, true, global_fetch }, { SYNC_MSG_SNAP, true, global_snap },
	{ SYNC_MSG_SUMS, true, global_sums },   { SYNC_MSG_KEYS, true, global_keys },
	{ SYNC_MSG_PUSH, false, global_push },  { SYNC_MSG_LEASE, false, global_lease },
	{ SYNC_MSG_BYE, false, global_bye },    { SYNC_MSG_SECRET, false, global_secret },
};

/* Hello's head is its field 1, and so is every other request's. */
static const Sync__Head *request_head(const struct sync_message *message)
{
	const ProtobufCMessage *body = message->body;
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(body->descriptor, 1);
	const Sync__Head *head;

	if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE ||
	    field->descriptor != (const void *)&sync__head__descriptor)
		return NULL;
	memcpy(&head, (const char *)body + field->offset, sizeof(head));
	return head;
}

static void on_session_request(struct sync_global *global, struct asking *asking,
			       const struct sync_message *message)
{
	for (size_t i = 0; i < sizeof(REQUESTS) / sizeof(REQUESTS[0]); i++) {
		if (REQUESTS[i].type != message->type)
			continue;
		asking->session = global_admit(global, asking);
		if (asking->session == NULL)
			return;
		if (REQUESTS[i].reads && global->epoch_ticket != 0)
			global_later(global, asking->handle, asking->head->req_id,
				     BUSY_MS);
		else
			REQUESTS[i].on(global, asking, message->body);
		return;
	}
	global_later(global, asking->handle, 0, 0);
}

/* A release newer than ours asks for what we do not know, or somebody plays. */
static void tell_odd(struct sync_global *global, const char *zone, const char *why)
{
	char more[64] = "";

	global->odd++;
	if (global->odd_at != 0 && global->now < global->odd_at + ODD_MS)
		return;
	if (global->odd > 1)
		(void)snprintf(more, sizeof(more), " (and %llu more before it)",
			       (unsigned long long)global->odd - 1);
	global_log(global, zone != NULL ? zone : "", true,
		   "a request is not understood by this release and has no effect: %s%s",
		   why, more);
	global->odd = 0;
	global->odd_at = global->now;
}

static void on_request(struct sync_global *global, const struct sync_global_event *event)
{
	struct sync_message message;
	struct asking asking = { .handle = event->id, .identity = event->identity };
	struct zl_err err = { 0 };

	enum zl_code code =
		sync_decode(global->turn, event->bytes, event->len, &message, &err);
	if (code == ZL_OK && (asking.head = request_head(&message)) == NULL)
		code = zl_fail(&err, ZL_EINVAL, "a message of type %d is no request",
			       (int)message.type);
	if (code != ZL_OK) {
		/* It still gets an answer, so that nothing waits for one. */
		tell_odd(global, event->identity, err.msg);
		global_later(global, event->id, 0, 0);
		return;
	}
	if (event->identity != NULL && strcmp(event->identity, asking.head->zone) != 0)
		global_refuse(global, &asking, SYNC__REFUSED__REASON__IDENTITY,
			      global->setup.lease_ms,
			      "the certificate names another zone");
	else if (message.type == SYNC_MSG_HELLO)
		global_hello(global, &asking, message.body);
	else
		on_session_request(global, &asking, &message);
}

static void on_start(struct sync_global *global, const struct sync_global_event *event)
{
	global->started_at = global->now;
	global->head = event->state;
	beat(global);
}

static void on_tick(struct sync_global *global, const struct sync_global_event *event)
{
	(void)event;
	global_expire(global);
	if (global->now >= global->beat_at)
		beat(global);
}

static void on_committed(struct sync_global *global,
			 const struct sync_global_event *event)
{
	Sync__Delta delta = SYNC__DELTA__INIT;
	Sync__Nudge nudge = SYNC__NUDGE__INIT;

	assert(event->entry.rev == global->head.position.rev + 1);
	if (event->entry.len <= global->setup.delta_max) {
		delta.epoch = sync_bin(global->turn, event->state.position.epoch,
				       POSITION_EPOCH);
		delta.chain_prev = sync_bin(global->turn, global->head.position.chain,
					    POSITION_CHAIN);
		delta.entry = sync_entry_out(global->turn, &event->entry);
		delta.waited = event->waited;
		publish(global, SYNC_MSG_DELTA, &delta);
	} else {
		nudge.position = sync_position_out(global->turn, &event->state.position);
		publish(global, SYNC_MSG_NUDGE, &nudge);
	}
	global->head = event->state;
	beat_soon(global);
}

static void on_done(struct sync_global *global, const struct sync_global_event *event)
{
	if (event->id == 0)
		return;
	if (event->id == global->epoch_ticket) {
		global->epoch_ticket = 0;
		if (event->ok) {
			global->head = event->state;
			beat(global);
		}
		return;
	}
	for (size_t i = 0; i < global->session_count; i++) {
		struct session *session = global->sessions[i];
		if (session->hello.ticket == event->id)
			global_hello_saved(global, session, event->ok);
		else if (session->inbox.write.ticket == event->id)
			global_written(global, session, event->ok);
	}
}

static void on_release(struct sync_global *global, const struct sync_global_event *event)
{
	global_release(global, event->zone);
}

static void on_accept(struct sync_global *global, const struct sync_global_event *event)
{
	global_accept(global, event->zone);
}

static void (*const ON[SYNC_GLOBAL_EVENTS])(struct sync_global *,
					    const struct sync_global_event *) = {
	[SYNC_GEV_START] = on_start,     [SYNC_GEV_TICK] = on_tick,
	[SYNC_GEV_REQUEST] = on_request, [SYNC_GEV_COMMITTED] = on_committed,
	[SYNC_GEV_DONE] = on_done,       [SYNC_GEV_RELEASE] = on_release,
	[SYNC_GEV_ACCEPT] = on_accept,
};

static uint64_t wake_at(const struct sync_global *global)
{
	uint64_t at = global->beat_at;

	for (size_t i = 0; i < global->session_count; i++) {
		const struct session *session = global->sessions[i];
		if (session->state == SYNC_ACTIVE && session->lease_until < at)
			at = session->lease_until;
	}
	return at;
}

struct sync_global_todo sync_global_step(struct sync_global *global,
					 const struct sync_global_event *event)
{
	zl_arena_reset(global->turn);
	global->count = 0;
	global->now = event->now;
	global->dice = event->dice;
	ON[event->kind](global, event);
	return (struct sync_global_todo){ global->actions, global->count,
					  wake_at(global) };
}

size_t sync_global_zone_count(const struct sync_global *global)
{
	return global->session_count;
}

struct sync_session_view sync_global_zone_at(const struct sync_global *global,
					     size_t index)
{
	const struct session *session = global->sessions[index];

	return (struct sync_session_view){
		.zone = session->name,
		.state = session->state,
		.since = session->since,
		.fence = session->record.fence,
		.lease_until = session->lease_until,
		.heard_at = session->heard_at,
		.build = session->build,
		.host = session->host,
		.rival = session->rival.until != 0 && global->now < session->rival.until
				 ? &session->rival
				 : NULL,
		.features = session->features,
		.is_held = session->is_held,
		.accepted = session->accepted,
		.held = session->held,
		.applied = session->applied,
		.inv_seq = session->inbox.acked,
		.zone_state = session->zone_state,
		.report = session->report
	};
}

bool sync_global_zone(const struct sync_global *global, const char *zone,
		      struct sync_session_view *out)
{
	for (size_t i = 0; i < global->session_count; i++)
		if (strcmp(global->sessions[i]->name, zone) == 0) {
			*out = sync_global_zone_at(global, i);
			return true;
		}
	return false;
}

uint64_t sync_global_pin(const struct sync_global *global)
{
	uint64_t pin = UINT64_MAX;

	for (size_t i = 0; i < global->session_count; i++) {
		const struct session *session = global->sessions[i];
		if (session->pin != 0 && global->now < session->pin_until &&
		    session->pin < pin)
			pin = session->pin;
	}
	return pin;
}
