#include "sync/zone_parts.h"

static bool is_much(uint64_t removed, uint64_t shown)
{
	return removed > SYNC_HELD_MIN && removed * 100 > shown * SYNC_HELD_PERCENT;
}

/* What is staged takes away too much: *hold says how much of what. */
static bool takes_much(const struct sync_loss *loss, struct sync_held *hold)
{
	hold->shown = loss->shown;
	hold->removed = loss->removed;
	if (is_much(loss->removed, loss->shown))
		return true;
	hold->shown = loss->written;
	hold->removed = loss->written_removed;
	return is_much(loss->written_removed, loss->written);
}

/* A name stands for what was shown to the operator under it: it stays while no more is
 * taken away than that. */
static void name_it(struct sync_zone *zone, struct sync_held hold)
{
	struct snap *snap = &zone->snap;
	bool is_new = !snap->held || hold.removed > snap->hold.removed;

	hold.name = is_new ? snap->proved : snap->hold.name;
	snap->hold = hold;
	snap->held = true;
	if (!is_new)
		return;
	snap->accepted = false;
	zone->report_new = true;
	zone_alarm(
		zone,
		"global's other history would remove %llu of %llu objects: it is held, "
		"and what was known before stays in force, until an operator accepts "
		"it (zonelinkctl zones accept %s) or global has them again",
		(unsigned long long)hold.removed, (unsigned long long)hold.shown,
		zone->name);
}

bool zone_hold_passes(struct sync_zone *zone)
{
	struct snap *snap = &zone->snap;
	struct sync_held hold = { .removed = 0 };

	snap->proved = (struct sync_state){ snap->at, snap->digest };
	if (!takes_much(&snap->loss, &hold))
		return true;
	name_it(zone, hold);
	if (snap->accepted)
		return true;
	struct sync_zone_action *act = zone_act(zone, SYNC_DO_HOLD);
	act->position = snap->at;
	act->digest = snap->digest;
	zone_move(zone, SYNC_HELD);
	return false;
}

void zone_hold_start(struct sync_zone *zone, const struct sync_zone_event *event)
{
	struct snap *snap = &zone->snap;
	struct sync_held hold = { .removed = 0 };

	if (!takes_much(&event->loss, &hold))
		return; /* then it is copied anew */
	*snap = (struct snap){ .id = zone_roll(zone, UINT64_MAX) + 1,
			       .started = true,
			       .copied = true,
			       .at = event->held->position,
			       .digest = event->held->digest,
			       .loss = event->loss,
			       .proved = *event->held };
	name_it(zone, hold);
}

/* Global still has another history than ours: go on with what is staged. */
void zone_hold_resume(struct sync_zone *zone)
{
	zone->snap.behind = true;
	zone_move(zone, SYNC_HELD);
}

void zone_hold_end(struct sync_zone *zone)
{
	struct snap *snap = &zone->snap;

	if (snap->held)
		zone_act(zone, SYNC_DO_UNHOLD);
	snap->held = snap->accepted = false;
}

void zone_hold_compare(struct sync_zone *zone, const struct position *global)
{
	if (!position_equal(global, &zone->snap.at))
		zone->snap.behind = true;
}

/* What is staged may be ahead of where it was last proved: then it takes effect when it
 * is proved again. */
void zone_hold_accept(struct sync_zone *zone, const struct sync_state *name)
{
	struct snap *snap = &zone->snap;

	if (!snap->held || zone->barrier != 0)
		return;
	if (name != NULL &&
	    (!position_equal(&name->position, &snap->hold.name.position) ||
	     !digest_equal(&name->digest, &snap->hold.name.digest)))
		return;
	snap->accepted = true;
	if (snap->staging == 0 && position_equal(&snap->at, &snap->proved.position) &&
	    digest_equal(&snap->digest, &snap->proved.digest))
		zone_snap_swap(zone);
	else
		snap->behind = true;
}

Sync__Held *zone_hold_out(struct sync_zone *zone)
{
	const struct sync_held *hold = &zone->snap.hold;

	if (!zone->snap.held)
		return NULL;
	Sync__Held *held = zl_arena_alloc(zone->turn, 1, sizeof(*held));
	sync__held__init(held);
	held->position = sync_position_out(zone->turn, &hold->name.position);
	held->digest = sync_digest_out(zone->turn, &hold->name.digest);
	held->shown = hold->shown;
	held->removed = hold->removed;
	return held;
}
