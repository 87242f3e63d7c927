#include "sync/zone_parts.h"

#include <string.h>

enum { AGAIN_MS = 100, DIFFERS_MAX = 2, AGAIN_SHIFT_MAX = 6 };

void zone_snap_begin(struct sync_zone *zone)
{
	struct snap *snap = &zone->snap;

	zone_clear_parts(zone);
	zone_hold_end(zone);
	zl_buf_free(&snap->cursor);
	*snap = (struct snap){ .id = zone_roll(zone, UINT64_MAX) + 1 };
	/* Asked from STALE or LIVE there may be a repair or a FETCH under way. */
	zone->asked[MAIN].id = 0;
	if (zone->state != SYNC_SNAP)
		zone_move(zone, SYNC_SNAP);
}

void zone_snap_again(struct sync_zone *zone)
{
	uint64_t wait = (uint64_t)AGAIN_MS << zone->snap_failed;

	if (zone->snap_failed < AGAIN_SHIFT_MAX)
		zone->snap_failed++;
	zone_snap_begin(zone);
	zone->retry_at[MAIN] = zone->now + wait / 2 + zone_roll(zone, wait);
}

void zone_snap_ask(struct sync_zone *zone)
{
	struct snap *snap = &zone->snap;

	if (snap->staging != 0 || zone->barrier != 0)
		return;
	if (snap->copied) {
		if (zone->state != SYNC_HELD || snap->behind)
			zone_fetch(zone, &snap->at);
		return;
	}
	Sync__Snap ask = SYNC__SNAP__INIT;
	ask.head = zone_head(zone);
	ask.snap_id = snap->id;
	if (snap->started)
		ask.start = sync_position_out(zone->turn, &snap->at);
	ask.cursor = sync_bin(zone->turn, zl_buf_text(&snap->cursor), snap->cursor.len);
	zone_ask(zone, MAIN, SYNC_MSG_SNAP, &ask);
}

void zone_on_chunk(struct sync_zone *zone, const void *body)
{
	const Sync__Chunk *chunk = body;
	struct snap *snap = &zone->snap;
	struct sync_zone_action *act = zone_act(zone, SYNC_DO_STAGE);
	struct sync_record *records =
		zl_arena_alloc(zone->turn, chunk->n_records, sizeof(*records));

	for (size_t i = 0; i < chunk->n_records; i++)
		records[i] = sync_record_in(chunk->records[i]);
	act->id = snap->staging = ++zone->ticket;
	act->records = records;
	act->record_count = chunk->n_records;
	act->first = !snap->started;
	if (!snap->started)
		snap->at = sync_position_in(chunk->start);
	snap->started = true;
	snap->copied = chunk->last;
	if (chunk->n_records > 0) {
		const struct sync_record *last = &records[chunk->n_records - 1];
		zl_buf_drain(&snap->cursor, snap->cursor.len);
		zl_buf_add(&snap->cursor, last->key, last->key_len);
	}
}

void zone_snap_swap(struct sync_zone *zone)
{
	zone_hold_end(zone);
	zone->snap_failed = 0;
	zone->asked[MAIN].id = 0; /* what is under way is for what was staged */
	struct sync_zone_action *act = zone_act(zone, SYNC_DO_SWAP);
	act->id = zone->barrier = ++zone->ticket;
	act->position = zone->snap.at;
	act->digest = zone->snap.digest;
}

/* The log is replayed over the copy: is it what global has? */
static void judge(struct sync_zone *zone)
{
	struct snap *snap = &zone->snap;

	snap->complete = false;
	if (digest_equal(&snap->digest, &snap->target.digest)) {
		snap->differs = 0;
		if (zone_hold_passes(zone))
			zone_snap_swap(zone);
		return;
	}
	/* A copy may be newer than the log was a moment ago; not twice. */
	if (++snap->differs < DIFFERS_MAX) {
		snap->behind = true;
		zone->retry_at[MAIN] = zone->now + AGAIN_MS;
		return;
	}
	zone_alarm(zone, "a full copy differs from what global has; it begins again");
	zone_snap_again(zone);
}

void zone_snap_on_log(struct sync_zone *zone, const Sync__Log *log)
{
	struct snap *snap = &zone->snap;
	struct sync_entry *entries;
	size_t count;

	if (!zone_log_take(zone, &snap->at, log, &entries, &count)) {
		zone_snap_again(zone);
		return;
	}
	snap->complete = !log->more && snap->at.rev == log->head->rev;
	snap->behind = !snap->complete;
	snap->target = (struct sync_state){ sync_position_in(log->head),
					    sync_digest_in(log->digest) };
	if (count > 0) {
		struct sync_zone_action *act = zone_act(zone, SYNC_DO_STAGE_LOG);
		act->id = snap->staging = ++zone->ticket;
		act->entries = entries;
		act->entry_count = count;
	} else if (snap->complete) {
		judge(zone);
	}
}

void zone_snap_staged(struct sync_zone *zone, const struct sync_zone_event *event)
{
	struct snap *snap = &zone->snap;
	bool copying = zone->state == SYNC_SNAP || zone->state == SYNC_HELD;

	if ((!copying && !snap->held) || snap->staging == 0 || event->id < snap->staging)
		return;
	snap->staging = 0;
	snap->digest = event->state.digest;
	snap->loss = event->loss;
	if (copying && snap->complete)
		judge(zone);
}
