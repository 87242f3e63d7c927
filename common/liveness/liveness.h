/* liveness/liveness.h - when a zone counts as silent or away (D13). Decisions only: time
 * comes with the step, so tests run on a clock of their own.
 *
 * Global alone decides. A zone that cannot hear global changes nothing, and nobody is
 * demoted while global is down.
 *
 *     Online  -nothing heard for stale_ms->  Stale
 *     Stale   -nothing heard for withdraw_ms, and the ingresses do not answer->  Offline
 *     Offline -the ingresses answer->  Stale
 *     any     -heard->  Online
 *
 * Threads:  pure.
 * Lifetime: the caller's memory; zeroed is Online and just heard.
 */
#pragma once

#include "model/spec.h"

struct liveness_rules {
	uint64_t stale_ms;
	uint64_t withdraw_ms; /* 0: never */
};

/* Silence counts while we listen. Whoever was stopped or starved did not; after that, and
 * after the start, zones have time to come back to us. */
enum { LIVENESS_STEP_MAX_MS = 2000, LIVENESS_GRACE_MS = 10000 };

struct listening {
	bool begun;
	uint64_t grace_ms; /* left of it */
};

/* Of the time since the last step, what counts. Zeroed has not begun. */
uint64_t listening_step(struct listening *listening, uint64_t passed_ms);

struct liveness {
	enum zone_condition condition;
	uint64_t silent_ms; /* heard nothing while we listened */
};

/* What came since the last step. */
struct liveness_news {
	uint64_t passed_ms;          /* that counts */
	bool heard;                  /* the zone, in a session that it holds */
	unsigned failing, answering; /* other zones that say so of its ingresses */
};

/* True if the condition is another one now. */
bool liveness_step(struct liveness *zone, const struct liveness_rules *rules,
		   const struct liveness_news *news);

/* ---- progress: a zone that is heard of may stand still all the same ---- */

enum { LIVENESS_STUCK_MS = 10000 };

struct progress {
	uint64_t rev;
	uint64_t since_ms; /* at rev, with more to come, on the caller's clock; 0: no */
};

/* The zone stands at rev, global at head. For how long it has not moved though it should
 * have; 0: it does. */
uint64_t progress_step(struct progress *zone, uint64_t rev, uint64_t head,
		       uint64_t now_ms);

/* ---- probes: does a zone answer at its ingresses ---- */

enum probe_verdict { PROBE_UNKNOWN, PROBE_ANSWERS, PROBE_FAILS };

enum { PROBE_ROUNDS = 2 }; /* that fail in a row */

struct probe {
	enum probe_verdict verdict;
	unsigned failed; /* rounds in a row */
};

/* A round over all ingresses of a zone is through: how many answered of how many that
 * were tried. True if the verdict is another one now. */
bool probe_step(struct probe *zone, unsigned answered, unsigned tried);

/* What global says of a zone, and what was found here, as one: a zone that is Offline
 * but answers here only comes last here. */
enum zone_condition liveness_seen(enum zone_condition said, enum probe_verdict found);
