/* zone/proxies/away.h - is an Envoy that is not connected still counted?
 *
 * An Envoy whose stream ends lives on with what it has and comes back within seconds.
 * Until then it counts with the revision that it had, or "all have it" would be said
 * while it goes on with less. A zone that starts does not know who was there before it:
 * it counts all who are registered, with a revision that is not known, until it begins to
 * push, and then for as long as they may need to come back.
 *
 * Pure: what happens and the time come in, the answer goes out.
 *
 * Threads:  pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* An Envoy that lost its stream tries again at least every 2 s (envoy/bootstrap.c). */
enum { AWAY_BACK_MS = 3000 };

struct away {
	uint64_t until_ms; /* it is counted; 0: it is here, or given up */
	uint64_t rev;      /* that it had when it left; 0: not known */
};

void away_leave(struct away *away, uint64_t rev, uint64_t now_ms);
void away_come(struct away *away);
/* A part of revision rev came after it had left. */
void away_miss(struct away *away, uint64_t rev);
/* Who is not back by now is given up. In how many ms to ask again; 0: no more. */
uint64_t away_pass(struct away *away, uint64_t now_ms);
/* begun: the zone pushes already. */
bool away_counts(const struct away *away, bool begun);
