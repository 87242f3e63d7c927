#include "sync/zone_parts.h"

#include <string.h>

enum {
	FETCH_SMALL = 64 << 10, /* of an answer that did not come in time */
	DELTA_WAIT_MS = 50      /* a BEAT may overtake the DELTA before it */
};

static bool same_epoch(const struct position *a, const uint8_t epoch[POSITION_EPOCH])
{
	return memcmp(a->epoch, epoch, POSITION_EPOCH) == 0;
}

static bool same_chain(const uint8_t a[POSITION_CHAIN], const uint8_t b[POSITION_CHAIN])
{
	return memcmp(a, b, POSITION_CHAIN) == 0;
}

void zone_fetch(struct sync_zone *zone, const struct position *from)
{
	Sync__Fetch fetch = SYNC__FETCH__INIT;

	fetch.head = zone_head(zone);
	fetch.position = sync_position_out(zone->turn, from);
	fetch.max_bytes = zone->asked[MAIN].lost > 0 ? FETCH_SMALL : 0;
	if (zone->parts.rev == from->rev + 1)
		fetch.offset = zone->parts.bytes.len;
	else
		zone_clear_parts(zone);
	zone_ask(zone, MAIN, SYNC_MSG_FETCH, &fetch);
}

void zone_clear_parts(struct sync_zone *zone)
{
	zl_buf_free(&zone->parts.bytes);
	zone->parts = (struct parts){ 0 };
}

/* Does entry follow *at? Then *at moves on. */
static bool follows(struct position *at, const struct sync_entry *entry)
{
	uint8_t chain[POSITION_CHAIN];

	position_chain(chain, at->chain, entry->rev, entry->bytes, entry->len);
	if (entry->rev != at->rev + 1 || !same_chain(chain, entry->chain))
		return false;
	at->rev = entry->rev;
	memcpy(at->chain, chain, POSITION_CHAIN);
	return true;
}

static void apply(struct sync_zone *zone, const struct sync_entry *entries, size_t count)
{
	struct sync_zone_action *act = zone_act(zone, SYNC_DO_APPLY);

	act->id = ++zone->ticket;
	act->entries = entries;
	act->entry_count = count;
	act->position = zone->head;
	for (size_t i = 0; i < count; i++)
		zone->unsettled += entries[i].len;
}

void zone_on_delta(struct sync_zone *zone, const void *body)
{
	const Sync__Delta *delta = body;
	bool syncing = zone->state == SYNC_SYNC;

	if (zone->state != SYNC_LIVE && !syncing)
		return;
	struct sync_entry *entry = zl_arena_alloc(zone->turn, 1, sizeof(*entry));
	*entry = sync_entry_in(delta->entry);
	bool ours = same_epoch(&zone->head, delta->epoch.data);
	if (ours && entry->rev <= zone->head.rev)
		return;
	if (ours && delta->waited)
		zone->waited = entry->rev;
	if (ours && zone_may_apply(zone) && follows(&zone->head, entry))
		apply(zone, entry, 1);
	else if (!syncing)
		zone_move(zone, SYNC_SYNC); /* a gap, or another history */
	if (entry->rev > zone->global_rev)
		zone->global_rev = entry->rev;
}

static void behind(struct sync_zone *zone, uint64_t wait)
{
	if (zone->catch_at == 0)
		zone->catch_at = zone->now + wait;
}

static void apart(struct sync_zone *zone)
{
	if (zone->state == SYNC_STALE)
		behind(zone, 0);
	else
		zone_move(zone, SYNC_SYNC);
}

void zone_compare(struct sync_zone *zone, const struct sync_state *global)
{
	const struct position *theirs = &global->position;

	zone->global_rev = theirs->rev;
	if (zone->state == SYNC_HELD)
		zone_hold_compare(zone, theirs);
	if (zone->state != SYNC_LIVE && zone->state != SYNC_STALE)
		return; /* it asks for the log anyway */
	if (!same_epoch(&zone->head, theirs->epoch) || theirs->rev < zone->head.rev) {
		apart(zone);
	} else if (theirs->rev > zone->head.rev) {
		behind(zone, zone->state == SYNC_STALE ? 0 : DELTA_WAIT_MS);
	} else if (!same_chain(theirs->chain, zone->head.chain)) {
		zone_alarm(zone, "global has another history than this zone");
		zone_snap_begin(zone);
	} else if (zone_is_settled(zone)) {
		if (digest_equal(&global->digest, &zone->durable.digest))
			zone->repair.tries = 0;
		else
			zone_repair_begin(zone);
	}
}

void zone_on_nudge(struct sync_zone *zone, const void *body)
{
	const Sync__Nudge *nudge = body;
	struct position theirs = sync_position_in(nudge->position);

	if (theirs.rev > zone->global_rev)
		zone->global_rev = theirs.rev;
	if (zone->state == SYNC_LIVE &&
	    (!same_epoch(&zone->head, theirs.epoch) || theirs.rev > zone->head.rev))
		zone_move(zone, SYNC_SYNC);
}

void zone_on_beat(struct sync_zone *zone, const void *body)
{
	const Sync__Beat *beat = body;
	struct sync_state global = { sync_position_in(beat->position),
				     sync_digest_in(beat->digest) };

	bool anew = beat->instance != zone->instance;
	bool gap = zone_time_beat(zone, beat->interval_ms);

	zone->instance = beat->instance;
	zone_heard(zone, anew || gap);
	/* Global began anew: the next question says whether it knows our session. */
	if (zone->state == SYNC_STALE || (zone->state == SYNC_LIVE && anew))
		zone_move(zone, SYNC_SYNC);
	zone_compare(zone, &global);
}

/* One more part of an entry; *out gets it if it is whole now. */
static bool take_part(struct sync_zone *zone, const struct position *at,
		      const Sync__Log *log, struct sync_entry *out)
{
	struct parts *parts = &zone->parts;
	struct sync_entry part = sync_entry_in(log->part);

	if (parts->rev != part.rev || !same_chain(parts->chain, part.chain) ||
	    parts->total != log->total) {
		zone_clear_parts(zone);
		parts->rev = part.rev;
		parts->total = log->total;
		memcpy(parts->chain, part.chain, POSITION_CHAIN);
	}
	if (part.rev != at->rev + 1 || log->total > ENTRY_MAX || part.len == 0 ||
	    log->offset != parts->bytes.len || part.len > log->total - parts->bytes.len) {
		zone_clear_parts(zone);
		return false;
	}
	zl_buf_add(&parts->bytes, part.bytes, part.len);
	if (parts->bytes.len < parts->total)
		return false;
	zl_buf_free(&zone->whole);
	zone->whole = parts->bytes;
	*parts = (struct parts){ 0 };
	*out = part;
	out->bytes = zone->whole.data;
	out->len = zone->whole.len;
	return true;
}

bool zone_log_take(struct sync_zone *zone, struct position *at, const Sync__Log *log,
		   struct sync_entry **entries, size_t *count)
{
	size_t given = log->n_entries;
	struct sync_entry *list =
		zl_arena_alloc(zone->turn, given + 1, sizeof(**entries));

	for (size_t i = 0; i < given; i++)
		list[i] = sync_entry_in(log->entries[i]);
	if (log->part != NULL && take_part(zone, at, log, &list[given]))
		given++;

	*count = 0;
	*entries = list;
	if (log->epoch.len != POSITION_EPOCH || !same_epoch(at, log->epoch.data))
		return false;
	for (size_t i = 0; i < given; i++) {
		if (list[i].rev < at->rev)
			continue; /* a DELTA was faster */
		if (list[i].rev == at->rev) {
			if (!same_chain(list[i].chain, at->chain))
				return false;
			continue;
		}
		if (!follows(at, &list[i]))
			return false;
		list[(*count)++] = list[i];
	}
	return true;
}

void zone_on_log(struct sync_zone *zone, const void *body)
{
	const Sync__Log *log = body;
	struct sync_entry *entries;
	size_t count;

	if (zone->state == SYNC_SNAP || zone->state == SYNC_HELD) {
		zone_snap_on_log(zone, log);
		return;
	}
	if (!zone_may_apply(zone))
		return; /* it is asked for again */
	bool ours = zone_log_take(zone, &zone->head, log, &entries, &count);
	if (count > 0)
		apply(zone, entries, count);
	zone->global_rev = log->head->rev;
	if (!ours) {
		zone_alarm(zone, "the log of global does not follow what this zone has");
		zone_snap_begin(zone);
	} else if (!log->more && zone->head.rev >= log->head->rev) {
		if (zone->state == SYNC_STALE)
			zone->catch_at = 0;
		else
			zone_move(zone, zone_is_silent(zone) ? SYNC_STALE : SYNC_LIVE);
	}
}

void zone_on_reset(struct sync_zone *zone, const void *body)
{
	const Sync__Reset *reset = body;

	if (reset->reason == SYNC__RESET__REASON__FORKED)
		zone_alarm(zone, "global has another history than this zone");
	if (zone->state == SYNC_SYNC && zone->snap.held)
		zone_hold_resume(zone);
	else if (zone->state == SYNC_SNAP || zone->state == SYNC_HELD)
		zone_snap_again(zone); /* the copy began before the history changed */
	else
		zone_snap_begin(zone);
}
