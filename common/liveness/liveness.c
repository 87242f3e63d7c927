#include "liveness/liveness.h"

uint64_t listening_step(struct listening *listening, uint64_t passed_ms)
{
	uint64_t grace = listening->grace_ms;

	if (!listening->begun || passed_ms > LIVENESS_STEP_MAX_MS) {
		*listening = (struct listening){ true, LIVENESS_GRACE_MS };
		return 0;
	}
	listening->grace_ms = grace > passed_ms ? grace - passed_ms : 0;
	return passed_ms > grace ? passed_ms - grace : 0;
}

static bool is_away(const struct liveness *zone, const struct liveness_rules *rules,
		    const struct liveness_news *news)
{
	return rules->withdraw_ms > 0 && zone->silent_ms >= rules->withdraw_ms &&
	       news->failing > 0;
}

bool liveness_step(struct liveness *zone, const struct liveness_rules *rules,
		   const struct liveness_news *news)
{
	enum zone_condition before = zone->condition;

	if (news->heard) {
		*zone = (struct liveness){ ZONE_ONLINE, 0 };
		return before != ZONE_ONLINE;
	}
	zone->silent_ms += news->passed_ms;
	if (zone->condition == ZONE_ONLINE && zone->silent_ms >= rules->stale_ms)
		zone->condition = ZONE_STALE;
	if (zone->condition == ZONE_STALE && is_away(zone, rules, news))
		zone->condition = ZONE_OFFLINE;
	/* Word of nobody is no word: only an answer brings it back. */
	if (zone->condition == ZONE_OFFLINE && news->failing == 0 && news->answering > 0)
		zone->condition = ZONE_STALE;
	return zone->condition != before;
}

uint64_t progress_step(struct progress *zone, uint64_t rev, uint64_t head,
		       uint64_t now_ms)
{
	if (rev >= head) {
		*zone = (struct progress){ rev, 0 };
		return 0;
	}
	if (zone->rev != rev || zone->since_ms == 0)
		*zone = (struct progress){ rev, now_ms };
	uint64_t stood = now_ms - zone->since_ms;
	return stood >= LIVENESS_STUCK_MS ? stood : 0;
}

bool probe_step(struct probe *zone, unsigned answered, unsigned tried)
{
	enum probe_verdict before = zone->verdict;

	if (answered > 0) {
		*zone = (struct probe){ PROBE_ANSWERS, 0 };
	} else if (tried == 0) {
		*zone = (struct probe){ PROBE_UNKNOWN, 0 };
	} else if (zone->failed + 1 >= PROBE_ROUNDS) {
		zone->verdict = PROBE_FAILS;
	} else {
		zone->failed++;
	}
	return zone->verdict != before;
}

enum zone_condition liveness_seen(enum zone_condition said, enum probe_verdict found)
{
	return said == ZONE_OFFLINE && found == PROBE_ANSWERS ? ZONE_STALE : said;
}
