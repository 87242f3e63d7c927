#include "sync/global_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
	ZONES_MAX = 4096,
	FLAPS_MS =
		5 * 60 * 1000, /* a name that goes over so often in this time is held */
	RIVAL_LEASES = 2,      /* a process that was refused asks again before that */
	SAVE_RETRY_MS = 1000
};

static const char QUARANTINED[] = "the name is quarantined: two processes took it from "
				  "each other; an operator releases it";

static const char *const NAMES[SYNC_SESSION_STATES] = {
	[SYNC_NONE] = "none",
	[SYNC_ACTIVE] = "active",
	[SYNC_EXPIRED] = "expired",
	[SYNC_OFFLINE] = "offline",
	[SYNC_QUARANTINED] = "quarantined",
};

const char *sync_session_state_name(enum sync_session_state state)
{
	return NAMES[state];
}

/* [from][to]; any other move is a bug. */
#define TO(state) [SYNC_##state] = true
static const bool ALLOWED[SYNC_SESSION_STATES][SYNC_SESSION_STATES] = {
	[SYNC_NONE] = { TO(ACTIVE), TO(QUARANTINED) },
	[SYNC_ACTIVE] = { TO(EXPIRED), TO(OFFLINE), TO(QUARANTINED) },
	[SYNC_EXPIRED] = { TO(ACTIVE), TO(QUARANTINED) },
	[SYNC_OFFLINE] = { TO(ACTIVE), TO(QUARANTINED) },
	[SYNC_QUARANTINED] = { TO(OFFLINE) },
};
#undef TO

/* The only place that changes the state. */
static void move(struct sync_global *global, struct session *session,
		 enum sync_session_state to)
{
	if (session->state != to) {
		if (!ALLOWED[session->state][to])
			abort(); /* a bug */
		session->state = to;
		session->since = global->now;
		global_log(global, session->name, to == SYNC_QUARANTINED, "zone is %s",
			   NAMES[to]);
	}
	global_act(global, SYNC_DO_ZONE)->zone = session->name;
}

static size_t place(const struct sync_global *global, const char *zone, bool *found)
{
	size_t low = 0, high = global->session_count;

	*found = false;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(global->sessions[middle]->name, zone);
		*found = order == 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

struct session *global_session(const struct sync_global *global, const char *zone)
{
	bool found;
	size_t at = place(global, zone, &found);

	return found ? global->sessions[at] : NULL;
}

static struct session *new_session(struct sync_global *global, const char *zone)
{
	bool found;
	size_t at = place(global, zone, &found);

	if (global->session_count == global->session_capacity) {
		global->session_capacity = 2 * global->session_capacity + 8;
		global->sessions = zl_realloc(global->sessions, global->session_capacity,
					      sizeof(struct session *));
	}
	memmove(global->sessions + at + 1, global->sessions + at,
		(global->session_count - at) * sizeof(struct session *));
	global->session_count++;

	struct session *session = zl_alloc(1, sizeof(*session));
	global->sessions[at] = session;
	memcpy(session->name, zone, strlen(zone) + 1);
	session->report_arena = zl_arena_new();
	session->report.last_error = "";
	session->inbox.arena = zl_arena_new();
	session->known =
		global->setup.ops->zone(global->setup.io, zone, &session->record);
	if (session->known && session->record.quarantined)
		move(global, session, SYNC_QUARANTINED);
	return session;
}

void global_session_free(struct session *session)
{
	zl_arena_free(&session->report_arena);
	zl_arena_free(&session->inbox.arena);
	free(session);
}

void global_refuse(struct sync_global *global, const struct asking *asking,
		   Sync__Refused__Reason reason, uint32_t retry_ms, const char *text)
{
	Sync__Refused refused = SYNC__REFUSED__INIT;

	refused.req_id = asking->head->req_id;
	refused.reason = reason;
	refused.retry_ms = retry_ms;
	refused.text = zl_arena_strdup(global->turn, text);
	global_reply(global, asking->handle, SYNC_MSG_REFUSED, &refused);
}

/* An RFC 1035 label. */
static bool is_zone_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > SYNC_NAME_MAX || name[len - 1] == '-' || name[0] < 'a' ||
	    name[0] > 'z')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* While it may be that a process holds the name. After a start of ours nobody knows, so
 * for the length of one lease all are taken to. */
static bool is_held(const struct sync_global *global, const struct session *session)
{
	if (session->state == SYNC_ACTIVE)
		return global->now < session->lease_until;
	return session->state == SYNC_NONE && session->known &&
	       global->now < global->started_at + global->setup.lease_ms;
}

/* NULL: hello may have the name. */
static const char *why_not(const struct sync_global *global,
			   const struct session *session, const Sync__Hello *hello)
{
	const struct sync_zone_record *holder = &session->record;

	if (!session->known || !is_held(global, session))
		return NULL;
	if (memcmp(holder->uuid, hello->zone_uuid.data, SYNC_UUID) != 0)
		return "another zone has this name; it is free when its lease has ended";
	if (hello->incarnation < holder->incarnation)
		return "a newer process of this zone is connected; was its data put "
		       "back?";
	if (hello->incarnation == holder->incarnation &&
	    hello->head->session != holder->session)
		return "another process with a copy of this zone's data is connected";
	return NULL;
}

static void welcome(struct sync_global *global, struct session *session, uint64_t handle,
		    uint64_t req_id)
{
	Sync__Welcome welcome = SYNC__WELCOME__INIT;

	session->lease_until = global->now + global->setup.lease_ms;
	session->heard_at = global->now;
	welcome.req_id = req_id;
	welcome.fence = session->record.fence;
	welcome.lease_ms = global->setup.lease_ms;
	welcome.position = sync_position_out(global->turn, &global->head.position);
	welcome.instance = global->setup.instance;
	welcome.features = session->features;
	global_reply(global, handle, SYNC_MSG_WELCOME, &welcome);
	move(global, session, SYNC_ACTIVE);
}

static bool is_gone(const struct session *session, uint64_t id)
{
	for (size_t i = 0; i < GONE; i++)
		if (session->gone[i] != 0 && session->gone[i] == id)
			return true;
	return false;
}

/* Names that go back and forth are a mistake that people must end. A zone that is merely
 * started again and again is none: the processes before the last one say no hello. */
static bool too_often(struct sync_global *global, struct session *session,
		      const Sync__Hello *hello)
{
	uint64_t *flaps = session->flaps;
	bool other = session->known &&
		     memcmp(session->record.uuid, hello->zone_uuid.data, SYNC_UUID) != 0;

	if (hello->head->session == session->flap_session ||
	    (!other && !session->contested))
		return false;
	bool often = flaps[FLAPS - 1] != 0 && global->now <= flaps[FLAPS - 1] + FLAPS_MS;
	memmove(flaps + 1, flaps, (FLAPS - 1) * sizeof(*flaps));
	flaps[0] = global->now;
	session->flap_session = hello->head->session;
	session->contested = false;
	if (other)
		global_log(global, session->name, true,
			   "zone replaced: its data folder is new");
	return often;
}

static void save_quarantine(struct sync_global *global, struct session *session, bool on)
{
	struct sync_global_action *act = global_act(global, SYNC_DO_SAVE_ZONE);

	session->record.quarantined = on;
	act->zone = session->name;
	act->record = session->record;
}

static void quarantine(struct sync_global *global, struct session *session)
{
	global_log(
		global, session->name, true,
		"the name goes back and forth between processes and nobody may have it "
		"until it is released: zonelinkctl zones release %s",
		session->name);
	if (session->known)
		save_quarantine(global, session, true);
	session->pin = 0;
	move(global, session, SYNC_QUARANTINED);
}

static void copy_text(char to[SYNC_TEXT_MAX + 1], const char *from)
{
	size_t len = strnlen(from, SYNC_TEXT_MAX);

	memcpy(to, from, len);
	to[len] = '\0';
}

static void refuse_rival(struct sync_global *global, const struct asking *asking,
			 struct session *session, const Sync__Hello *hello,
			 const char *why)
{
	global_log(global, session->name, true, "a process was refused: %s", why);
	copy_text(session->rival_text[0], hello->build);
	copy_text(session->rival_text[1], hello->host);
	session->rival = (struct sync_rival){
		.until = global->now + (uint64_t)RIVAL_LEASES * global->setup.lease_ms,
		.why = why,
		.build = session->rival_text[0],
		.host = session->rival_text[1]
	};
	session->contested = session->contested || is_gone(session, hello->head->session);
	global_act(global, SYNC_DO_ZONE)->zone = session->name;
	global_refuse(global, asking, SYNC__REFUSED__REASON__NAME_TAKEN,
		      global->setup.lease_ms, why);
}

static void save(struct sync_global *global, struct session *session,
		 const struct asking *asking, const Sync__Hello *hello)
{
	struct sync_zone_record *record = &session->hello_record;
	struct sync_global_action *act = global_act(global, SYNC_DO_SAVE_ZONE);

	memcpy(record->uuid, hello->zone_uuid.data, SYNC_UUID);
	record->incarnation = hello->incarnation;
	record->session = hello->head->session;
	record->quarantined = false;
	/* Greater, and never the same again, even if this store is put back to an older
	 * one: a late hello must not make a session that the zone takes for its own. */
	record->fence = session->record.fence + 1 + (uint32_t)(global->dice >> 32);
	session->hello = (struct pending){ .ticket = ++global->ticket,
					   .handle = asking->handle,
					   .req_id = asking->head->req_id };
	copy_text(session->build, hello->build);
	copy_text(session->host, hello->host);
	session->features = hello->features & SYNC_FEATURES;
	act->id = session->hello.ticket;
	act->zone = session->name;
	act->record = *record;
}

void global_hello(struct sync_global *global, const struct asking *asking,
		  const void *body)
{
	const Sync__Hello *hello = body;
	const char *zone = asking->head->zone;
	struct session *session = global_session(global, zone);
	bool fits = is_zone_name(zone) &&
		    (session != NULL || global->session_count < ZONES_MAX);

	if (!fits || hello->proto_min > SYNC_PROTO || hello->proto_max < SYNC_PROTO) {
		if (fits)
			global_log(global, zone, true,
				   "a process was refused: it speaks versions %u to %u "
				   "of the protocol, this global only %d",
				   hello->proto_min, hello->proto_max, SYNC_PROTO);
		global_refuse(global, asking,
			      fits ? SYNC__REFUSED__REASON__VERSION
				   : SYNC__REFUSED__REASON__UNKNOWN,
			      global->setup.lease_ms,
			      fits ? "no common version of the protocol"
				   : "no zone name, or too many zones");
		return;
	}
	if (session == NULL)
		session = new_session(global, zone);
	const char *taken = why_not(global, session, hello);
	if (session->state == SYNC_QUARANTINED) {
		global_refuse(global, asking, SYNC__REFUSED__REASON__QUARANTINED,
			      global->setup.lease_ms, QUARANTINED);
	} else if (taken != NULL) {
		refuse_rival(global, asking, session, hello, taken);
	} else if (session->hello.ticket != 0) {
		global_later(global, asking->handle, asking->head->req_id, 50);
	} else if (session->state == SYNC_ACTIVE &&
		   session->record.session == hello->head->session) {
		welcome(global, session, asking->handle, asking->head->req_id);
	} else if (too_often(global, session, hello)) {
		quarantine(global, session);
		global_refuse(global, asking, SYNC__REFUSED__REASON__QUARANTINED,
			      global->setup.lease_ms, QUARANTINED);
	} else {
		save(global, session, asking, hello);
	}
}

void global_hello_saved(struct sync_global *global, struct session *session, bool ok)
{
	struct pending hello = session->hello;

	session->hello.ticket = 0;
	if (!ok) {
		global_later(global, hello.handle, hello.req_id, SAVE_RETRY_MS);
		return;
	}
	if (session->known && session->record.session != session->hello_record.session) {
		memmove(session->gone + 1, session->gone,
			(GONE - 1) * sizeof(session->gone[0]));
		session->gone[0] = session->record.session;
	}
	session->record = session->hello_record;
	session->known = true;
	session->pin = 0;
	inbox_clear(&session->inbox);
	session->inbox.acked = session->inbox.full_done = 0;
	session->inbox.write.ticket = 0; /* its asker is gone */
	welcome(global, session, hello.handle, hello.req_id);
}

struct session *global_admit(struct sync_global *global, const struct asking *asking)
{
	struct session *session = global_session(global, asking->head->zone);
	Sync__Fenced fenced = SYNC__FENCED__INIT;
	Sync__Unknown unknown = SYNC__UNKNOWN__INIT;

	if (session != NULL && session->state == SYNC_ACTIVE) {
		if (session->record.session == asking->head->session &&
		    session->record.fence == asking->head->fence) {
			session->heard_at = global->now;
			return session;
		}
		if (session->record.session != asking->head->session) {
			fenced.req_id = asking->head->req_id;
			global_reply(global, asking->handle, SYNC_MSG_FENCED, &fenced);
			return NULL;
		}
	}
	unknown.req_id = asking->head->req_id;
	global_reply(global, asking->handle, SYNC_MSG_UNKNOWN, &unknown);
	return NULL;
}

static void take_probes(struct session *session, const Sync__Report *from)
{
	struct zl_arena *arena = session->report_arena;
	struct sync_probe *probes = zl_arena_alloc(arena, SYNC_PROBES, sizeof(*probes));

	session->report.probes = probes;
	for (size_t i = 0; i < from->n_probes && i < SYNC_PROBES; i++) {
		probes[i].zone = zl_arena_strdup(arena, from->probes[i]->zone);
		probes[i].answers = from->probes[i]->answers;
		session->report.probe_count = i + 1;
	}
}

static const struct sync_backend *take_backends(const Sync__Observed *from,
						struct zl_arena *arena, size_t *count)
{
	struct sync_backend *list = zl_arena_alloc(arena, SYNC_BACKENDS, sizeof(*list));

	*count = 0;
	for (size_t i = 0; i < from->n_backends && i < SYNC_BACKENDS; i++) {
		const Sync__ObservedBackend *backend = from->backends[i];
		list[(*count)++] =
			(struct sync_backend){ zl_arena_strdup(arena, backend->name),
					       backend->weight, backend->connections,
					       backend->open, backend->observable };
	}
	return list;
}

static void take_observed(struct session *session, const Sync__Report *from)
{
	struct zl_arena *arena = session->report_arena;
	struct sync_observed *list = zl_arena_alloc(arena, SYNC_OBSERVED, sizeof(*list));

	session->report.observed = list;
	for (size_t i = 0; i < from->n_observed && i < SYNC_OBSERVED; i++) {
		const Sync__Observed *observed = from->observed[i];
		list[i] = (struct sync_observed){
			.mesh = zl_arena_strdup(arena, observed->mesh),
			.route = zl_arena_strdup(arena, observed->route),
			.destination = zl_arena_strdup(arena, observed->destination),
			.proxies = observed->proxies,
			.pending = observed->pending,
			.deviating = observed->deviating
		};
		list[i].backends = take_backends(observed, arena, &list[i].backend_count);
		session->report.observed_count = i + 1;
	}
}

static void take_report(struct session *session, const Sync__Report *from)
{
	struct zl_arena *arena = session->report_arena;
	struct sync_trouble *trouble;

	zl_arena_reset(arena);
	session->report = (struct sync_report){ .acked_rev = from->acked_rev,
						.proxies = from->proxies,
						.acked = from->acked,
						.nacked = from->nacked,
						.healthy = from->healthy };
	session->report.last_error = zl_arena_strdup(arena, from->last_error);
	trouble = zl_arena_alloc(arena, SYNC_TROUBLES, sizeof(*trouble));
	session->report.trouble = trouble;
	for (size_t i = 0; i < from->n_trouble && i < SYNC_TROUBLES; i++) {
		trouble[i].proxy = zl_arena_strdup(arena, from->trouble[i]->proxy);
		trouble[i].resource = zl_arena_strdup(arena, from->trouble[i]->resource);
		trouble[i].text = zl_arena_strdup(arena, from->trouble[i]->text);
		session->report.trouble_count = i + 1;
	}
	take_probes(session, from);
	take_observed(session, from);
}

/* An operator's word is for what was held when it was given. */
static void take_held(struct sync_global *global, struct session *session,
		      const Sync__Held *from)
{
	struct sync_held *held = &session->held;
	bool was_held = session->is_held;

	session->is_held = from != NULL;
	if (from == NULL) {
		session->accepted = false;
		return;
	}
	struct sync_state name = { sync_position_in(from->position),
				   sync_digest_in(from->digest) };
	bool same = was_held && position_equal(&name.position, &held->name.position) &&
		    digest_equal(&name.digest, &held->name.digest);
	*held = (struct sync_held){ name, from->shown, from->removed };
	if (same)
		return;
	session->accepted = false;
	global_log(global, session->name, true,
		   "zone holds this global's history back: it would remove %llu of %llu "
		   "objects there (zonelinkctl zones accept %s lets it)",
		   (unsigned long long)held->removed, (unsigned long long)held->shown,
		   session->name);
}

static Sync__Accept *accept_out(struct sync_global *global, const struct session *session)
{
	if (!session->accepted)
		return NULL;
	Sync__Accept *accept = zl_arena_alloc(global->turn, 1, sizeof(*accept));
	sync__accept__init(accept);
	accept->position = sync_position_out(global->turn, &session->held.name.position);
	accept->digest = sync_digest_out(global->turn, &session->held.name.digest);
	return accept;
}

void global_lease(struct sync_global *global, const struct asking *asking,
		  const void *body)
{
	const Sync__Lease *lease = body;
	struct session *session = asking->session;
	Sync__Leased leased = SYNC__LEASED__INIT;
	size_t len = strnlen(lease->state, SYNC_NAME_MAX);

	session->lease_until = global->now + global->setup.lease_ms;
	session->applied = sync_position_in(lease->applied);
	memcpy(session->zone_state, lease->state, len);
	session->zone_state[len] = '\0';
	take_report(session, lease->report);
	take_held(global, session, lease->held);

	leased.req_id = asking->head->req_id;
	leased.lease_ms = global->setup.lease_ms;
	leased.position = sync_position_out(global->turn, &global->head.position);
	leased.digest = sync_digest_out(global->turn, &global->head.digest);
	leased.accept = accept_out(global, session);
	global_reply(global, asking->handle, SYNC_MSG_LEASED, &leased);
	move(global, session, SYNC_ACTIVE);
}

void global_bye(struct sync_global *global, const struct asking *asking, const void *body)
{
	Sync__ByeOk bye = SYNC__BYE_OK__INIT;

	(void)body;
	bye.req_id = asking->head->req_id;
	global_reply(global, asking->handle, SYNC_MSG_BYE_OK, &bye);
	asking->session->pin = 0;
	move(global, asking->session, SYNC_OFFLINE);
}

void global_expire(struct sync_global *global)
{
	for (size_t i = 0; i < global->session_count; i++) {
		struct session *session = global->sessions[i];
		if (session->state == SYNC_ACTIVE && global->now >= session->lease_until)
			move(global, session, SYNC_EXPIRED);
	}
}

void global_release(struct sync_global *global, const char *zone)
{
	struct session *session = global_session(global, zone);

	if (session == NULL)
		return;
	memset(session->flaps, 0, sizeof(session->flaps));
	session->contested = false;
	session->rival.until = 0;
	if (session->record.quarantined)
		save_quarantine(global, session, false);
	if (session->state == SYNC_ACTIVE || session->state == SYNC_QUARANTINED)
		move(global, session, SYNC_OFFLINE);
}

void global_accept(struct sync_global *global, const char *zone)
{
	struct session *session = global_session(global, zone);

	if (session == NULL || !session->is_held)
		return;
	session->accepted = true;
	global_log(global, zone, false,
		   "an operator lets the zone remove %llu of %llu objects",
		   (unsigned long long)session->held.removed,
		   (unsigned long long)session->held.shown);
	global_act(global, SYNC_DO_ZONE)->zone = session->name;
}
