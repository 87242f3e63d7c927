/* How long to wait for what: as long as this way has needed so far. */
#include "sync/zone_parts.h"

enum {
	REPLY_MS = 800, /* for an answer, while nothing is known of the way */
	REPLY_MIN_MS = 300,
	REPLY_MAX_MS = 15000,
	BULK_MS = 5000, /* more, of SNAP and PUSH */
	LOST_MAX = 3,   /* from the second lost question on wait twice as long */
	LINK_MS = 3000, /* the link waits longer: a late answer says how late it is */
	HEARD_MS = 300,
	BEAT_MIN_MS = 100,
	BEAT_MAX_MS = 5000,
	LATE_MS = 100, /* for a beat that is not late yet */
	LATE_MAX_MS = 2000,
	GAP_MS = 500,        /* later than beats are: the way to global was closed */
	DUE_MAX_MS = 16000,  /* the longest that a beat is waited for */
	DIALS_MAX = 6,       /* after this many in vain it does not wait longer */
	UNANSWERED_MAX = 2,  /* in a row, on whichever channel ... */
	UNANSWERED_MS = 600, /* ... in no less time: then dial anew */
	BEAT_CAME = 1,
	ANSWER_CAME = 2
};

/* ---- what is known of the way ---- */

static uint64_t between(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* For an answer to a small question; as TCP has it. */
static uint64_t reply_ms(const struct sync_zone *zone)
{
	uint64_t more = between(4 * zone->rtt_var, zone->rtt / 4, REPLY_MAX_MS);

	return zone->rtt == 0 ? REPLY_MS
			      : between(zone->rtt + more, REPLY_MIN_MS, REPLY_MAX_MS);
}

/* Much more than was known: the way is another one now. Much less: it soon is again. */
static void measured(struct sync_zone *zone, uint64_t took)
{
	uint64_t rtt = zone->rtt, off = took > rtt ? took - rtt : rtt - took;
	uint64_t least = 2 * zone->rtt_least + 50;

	zone->rtt_least = rtt == 0 || took < least ? took : least;
	if (rtt == 0 || took > reply_ms(zone)) {
		zone->rtt = took + 1;
		zone->rtt_var = took / 2;
	} else if (took < rtt / 2) {
		zone->rtt = (rtt + took) / 2 + 1;
		zone->rtt_var /= 2;
	} else {
		zone->rtt = (7 * rtt + took) / 8;
		zone->rtt_var = (3 * zone->rtt_var + off) / 4;
	}
}

static bool is_bulk(const struct asked *asked)
{
	return asked->type == SYNC_MSG_SNAP || asked->type == SYNC_MSG_PUSH;
}

static uint64_t wait_ms(const struct sync_zone *zone, const struct asked *asked)
{
	uint64_t ms = reply_ms(zone) + (is_bulk(asked) ? BULK_MS : 0);

	return ms << (asked->lost > 0 ? asked->lost - 1 : 0);
}

uint32_t zone_time_asked(struct sync_zone *zone, enum channel channel)
{
	struct asked *asked = &zone->asked[channel];
	uint64_t wait = wait_ms(zone, asked);

	asked->until = zone->now + wait;
	if (asked->type == SYNC_MSG_BYE)
		return (uint32_t)wait; /* the process waits for it too */
	return (uint32_t)(wait + between(2 * wait, LINK_MS, REPLY_MAX_MS));
}

static void came(struct sync_zone *zone, unsigned what)
{
	zone->came |= what;
	if (zone->came == (BEAT_CAME | ANSWER_CAME))
		zone->dials = 0;
}

void zone_time_answered(struct sync_zone *zone, uint64_t asked_at)
{
	zone->unanswered = 0;
	came(zone, ANSWER_CAME);
	if (asked_at < zone->dialled_at)
		return; /* part of that was no connection */
	if (zone->dials > 1)
		zone->dials = 1; /* somebody is there, and how far away is known */
	measured(zone, zone->now - asked_at);
	for (enum channel i = 0; i < CHANNELS; i++) {
		struct asked *asked = &zone->asked[i];
		if (asked->lost > 1)
			asked->lost = 1;
		if (asked->id != 0)
			asked->until = asked->at + wait_ms(zone, asked);
	}
}

void zone_time_late(struct sync_zone *zone, uint64_t id)
{
	for (size_t i = 0; i < PAST; i++)
		if (zone->past[i].id == id)
			zone_time_answered(zone, zone->past[i].at);
}

bool zone_time_beat(struct sync_zone *zone, uint32_t interval_ms)
{
	uint64_t since = zone->now - zone->last_beat;
	uint64_t late = since > zone->beat_ms ? since - zone->beat_ms : 0;
	bool known = zone->last_beat != 0;
	bool apart = known && since > zone->beat_ms + zone->late + GAP_MS;

	/* What a new connection took does not tell how late beats are. */
	if (known && zone->dialled_at < zone->last_beat) {
		zone->late -= (zone->late + 7) / 8;
		if (late > zone->late)
			zone->late = between(late, 0, LATE_MAX_MS);
	}
	zone->beat_before = zone->last_beat;
	zone->last_beat = zone->now;
	if (interval_ms != 0)
		zone->beat_ms = between(interval_ms, BEAT_MIN_MS, BEAT_MAX_MS);
	came(zone, BEAT_CAME);
	return apart;
}

/* ---- silence ---- */

static uint64_t heard_at(const struct sync_zone *zone)
{
	return zone->last_beat > zone->dialled_at ? zone->last_beat : zone->dialled_at;
}

/* A connection is given longer each time that the one before it brought nothing. */
static uint64_t patient(const struct sync_zone *zone, uint64_t ms)
{
	return ms << (zone->dials > 0 ? zone->dials - 1 : 0);
}

/* From then on a beat is late. */
static uint64_t due_ms(const struct sync_zone *zone)
{
	uint64_t ms = zone->beat_ms + LATE_MS + zone->late;

	if (zone->dials > 0)
		ms = patient(zone, ms + 3 * zone->rtt);
	return between(ms, 0, DUE_MAX_MS);
}

static uint64_t silent_at(const struct sync_zone *zone)
{
	uint64_t since = zone->last_beat > zone->listen_since ? zone->last_beat
							      : zone->listen_since;

	return since + SYNC_SILENCE_MS;
}

bool zone_is_silent(const struct sync_zone *zone)
{
	return zone->now >= silent_at(zone);
}

void zone_time_start(struct sync_zone *zone)
{
	zone->beat_ms = SYNC_BEAT_MS;
	zone->listen_since = zone->dialled_at = zone->now;
	zone->dials = 1;
}

void zone_time_piped(struct sync_zone *zone)
{
	zone->dialled_at = zone->now;
	zone->unanswered = 0;
}

static void redial(struct sync_zone *zone)
{
	zone->dialled_at = zone->now;
	zone->unanswered = zone->came = 0;
	if (zone->dials < DIALS_MAX)
		zone->dials++;
	zone_act(zone, SYNC_DO_REDIAL);
}

/* ---- questions ---- */

void zone_lost(struct sync_zone *zone, enum channel channel)
{
	struct asked *asked = &zone->asked[channel];

	zone->past[zone->past_next++ % PAST] = *asked;
	asked->id = 0;
	if (asked->lost < LOST_MAX)
		asked->lost++;
	if (channel == PUSH)
		outbox_lost(&zone->outbox);
	if (channel == LEASE)
		zone->report_new = true;
	if (channel == MAIN)
		zone_back_off(zone);
	else
		zone->retry_at[channel] = zone->now + 200 + zone_roll(zone, 600);
}

/* A beat is late too: both ways are dead. Or beats come and answers do not: the other
 * connection hangs. Both are made anew. */
void zone_unanswered(struct sync_zone *zone, enum channel channel)
{
	uint64_t patience = between(2 * reply_ms(zone), UNANSWERED_MS, REPLY_MAX_MS);
	uint64_t at = zone->asked[channel].at;

	if (zone->unanswered == 0)
		zone->unanswered_since = at > zone->dialled_at ? at : zone->dialled_at;
	zone->unanswered++;
	bool silent =
		at >= zone->dialled_at && zone->now >= heard_at(zone) + due_ms(zone);
	zone_lost(zone, channel);
	if (silent || (zone->unanswered >= UNANSWERED_MAX &&
		       zone->now >= zone->unanswered_since + patient(zone, patience)))
		redial(zone);
}

static void hurry(struct sync_zone *zone, enum channel channel, bool gap)
{
	struct asked *asked = &zone->asked[channel];
	uint64_t soon = between(2 * zone->rtt_least, HEARD_MS, REPLY_MAX_MS);
	uint64_t least = zone->rtt == 0 ? REPLY_MS : REPLY_MIN_MS;
	uint64_t enough = soon > least ? soon : least;

	if (asked->id != 0 && !is_bulk(asked)) {
		if (gap && asked->until > zone->now + soon)
			asked->until = zone->now + soon;
		else if ((asked->lost > 0 || asked->at < zone->beat_before) &&
			 zone->now >= asked->at + enough)
			zone_unanswered(zone, channel);
	}
	if (asked->id == 0 && asked->lost > 0 &&
	    zone->retry_at[channel] > zone->now + HEARD_MS)
		zone->retry_at[channel] = zone->now + zone_roll(zone, HEARD_MS);
}

/* While beats come it is no use to wait long for answers that were lost; what was asked
 * while none came went nowhere, most likely. Great answers may be on their way all the
 * same. */
void zone_heard(struct sync_zone *zone, bool gap)
{
	if (gap) {
		zone->unanswered = 0;
		zone->backoff = 0;
	}
	for (enum channel i = 0; i < CHANNELS; i++)
		hurry(zone, i, gap);
}

/* ---- timers ---- */

/* Ask whether something was missed, and then whether anybody is there. */
static void watch_beats(struct sync_zone *zone)
{
	if (zone->polled != heard_at(zone) &&
	    zone->now >= heard_at(zone) + due_ms(zone)) {
		zone->polled = heard_at(zone);
		zone->lease_at = zone->now;
	}
	if (zone_is_silent(zone)) {
		if (zone->state == SYNC_LIVE) {
			zone_alarm(zone, "nothing published by global is heard");
			zone_move(zone, SYNC_STALE);
		}
		zone->listen_since = zone->now;
	}
	if (zone->now >= heard_at(zone) + 2 * due_ms(zone))
		redial(zone);
}

void zone_watch(struct sync_zone *zone)
{
	for (enum channel i = 0; i < CHANNELS; i++)
		if (zone->asked[i].id != 0 && zone->now >= zone->asked[i].until)
			zone_unanswered(zone, i);
	if (zone->fence != 0 && zone->now >= zone->lease_until)
		zone_lose_session(zone, zone->now + zone_roll(zone, 200));
	watch_beats(zone);
	if (zone->catch_at != 0 && zone->now >= zone->catch_at &&
	    zone->state == SYNC_LIVE)
		zone_move(zone, SYNC_SYNC);
}

static void sooner(uint64_t *at, uint64_t than)
{
	if (than < *at)
		*at = than;
}

uint64_t zone_time_next(const struct sync_zone *zone)
{
	uint64_t at = silent_at(zone), heard = heard_at(zone), due = due_ms(zone);

	sooner(&at, heard + 2 * due);
	if (zone->polled != heard)
		sooner(&at, heard + due);
	for (enum channel i = 0; i < CHANNELS; i++) {
		if (zone->asked[i].id != 0)
			sooner(&at, zone->asked[i].until);
		else if (zone->retry_at[i] > zone->now)
			sooner(&at, zone->retry_at[i]);
	}
	if (zone->fence != 0) {
		sooner(&at, zone->lease_until);
		if (zone->lease_at > zone->now)
			sooner(&at, zone->lease_at);
		if (zone->soon_at > zone->now)
			sooner(&at, zone->soon_at);
	}
	if (zone->catch_at > zone->now)
		sooner(&at, zone->catch_at);
	return at;
}
