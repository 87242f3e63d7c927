/* convert/words.h - a legacy conf as one default of the new kind. Private to the room.
 *
 * Threads:  pure.
 * Lifetime: in the arena.
 */
#pragma once

#include "model/conf.h"

enum { WORD_NOTES_MAX = 8 };

struct words {
	const struct tree *right;          /* the default */
	const char *why;                   /* it cannot be said; else NULL */
	const char *notes[WORD_NOTES_MAX]; /* what it says beyond the original */
	size_t note_count;
};

/* What policy says to all protocols at once; mesh: for a TrafficLog. */
struct words words_of(const struct resource *policy, const struct mesh_spec *mesh,
		      struct zl_arena *arena);
