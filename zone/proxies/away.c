#include "zone/proxies/away.h"

void away_leave(struct away *away, uint64_t rev, uint64_t now_ms)
{
	*away = (struct away){ now_ms + AWAY_BACK_MS, rev };
}

void away_come(struct away *away)
{
	away->until_ms = 0;
}

void away_miss(struct away *away, uint64_t rev)
{
	if (rev > 0 && away->rev >= rev)
		away->rev = rev - 1;
}

uint64_t away_pass(struct away *away, uint64_t now_ms)
{
	if (away->until_ms <= now_ms)
		away->until_ms = 0;
	return away->until_ms != 0 ? away->until_ms - now_ms : 0;
}

bool away_counts(const struct away *away, bool begun)
{
	return !begun || away->until_ms != 0;
}
