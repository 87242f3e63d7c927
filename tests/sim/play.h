/* sim/play.h - one global and two zones, and every choice that chance could make, made by
 * the caller: which message arrives next, which is lost or comes twice, who dies, when
 * global is put back to an old copy. Disks are done at once.
 *
 * Lifetime: play_new, play_free. The same choices lead to the same state.
 */
#pragma once

#include "store.h"

#include "sync/zone.h"

enum { PLAY_ZONES = 2, PLAY_PACKETS = 64 };

/* How often each thing may still happen. */
struct play_budget {
	unsigned writes, losses, doubles, crashes, restores, waits;
};

struct play;

/* Both zones live. */
struct play *play_new(const struct play_budget *budget);
void play_free(struct play *play);

/* The number of choices there are now, and make one of them. */
size_t play_choices(const struct play *play);
void play_choose(struct play *play, size_t choice);
/* What the choice would be, for people. */
const char *play_name(const struct play *play, size_t choice);

/* Nothing is on its way. */
bool play_is_quiet(const struct play *play);
/* Equal for states that cannot be told apart by what follows. */
void play_hash(const struct play *play, uint8_t hash[16]);
/* What is wrong now; NULL: nothing. */
const char *play_wrong(const struct play *play);
/* Let all be well from here on: NULL, or what is not right in the end. */
const char *play_settle(struct play *play);
