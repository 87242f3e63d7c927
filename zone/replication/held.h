/* zone/replication/held.h - the note beside what is staged: it is held, and where it
 * stands. With it a copy that waits for an operator outlives the process. Private to the
 * room.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "store/store.h"
#include "sync/sync.h"
#include "zone/replication/staging.h"

/* Write the note behind what was submitted before it; NULL: take it away. */
void held_note(struct store *store, const struct sync_state *held);
/* What was held when the last process ended, into staging; false: nothing. What cannot
 * be read, or is staged otherwise than the note says, is copied anew. */
bool held_load(struct store *store, const struct set *shown, struct staging *staging,
	       struct sync_state *held);
