#include "wire/refusal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL's reasons are many, but finite; those beyond share one. */
enum { REASONS_MAX = 48, PEER = 128, EACH_MS = 1000 };

struct reason {
	char *why; /* owned */
	uint64_t count, told;
	uint64_t told_ms; /* 0: never */
	char peer[PEER];  /* the last one */
	char zone[PEER];
};

struct refusals {
	struct loop_timer *timer; /* for what was not told yet */
	struct reason reasons[REASONS_MAX];
	size_t reason_count;
	uint64_t total;
};

static void tell(struct reason *reason)
{
	zl_log(ZL_WARN, "gate", "connection refused or ended",
	       "reason=%q count=%llu peer=%q zone=%q", reason->why,
	       (unsigned long long)(reason->count - reason->told), reason->peer,
	       reason->zone);
	reason->told = reason->count;
	reason->told_ms = zl_now_ms();
}

static void on_timer(void *arg)
{
	struct refusals *refusals = arg;

	for (size_t i = 0; i < refusals->reason_count; i++)
		if (refusals->reasons[i].told < refusals->reasons[i].count)
			tell(&refusals->reasons[i]);
}

static struct reason *reason_of(struct refusals *refusals, const char *why)
{
	for (size_t i = 0; i < refusals->reason_count; i++)
		if (strcmp(refusals->reasons[i].why, why) == 0)
			return &refusals->reasons[i];
	if (refusals->reason_count == REASONS_MAX)
		return &refusals->reasons[REASONS_MAX - 1];
	struct reason *reason = &refusals->reasons[refusals->reason_count++];
	bool is_last = refusals->reason_count == REASONS_MAX;
	reason->why = zl_strdup(is_last ? "other" : why);
	return reason;
}

void refusals_note(struct refusals *refusals, const char *why, const char *peer,
		   const char *zone)
{
	struct reason *reason = reason_of(refusals, why);

	refusals->total++;
	reason->count++;
	(void)snprintf(reason->peer, sizeof(reason->peer), "%s", peer);
	(void)snprintf(reason->zone, sizeof(reason->zone), "%s", zone);
	if (reason->told_ms == 0 || zl_now_ms() - reason->told_ms >= EACH_MS)
		tell(reason);
	else if (!loop_timer_is_set(refusals->timer))
		loop_timer_set(refusals->timer, EACH_MS);
}

uint64_t refusals_total(const struct refusals *refusals)
{
	return refusals->total;
}

const char *refusals_at(const struct refusals *refusals, size_t index, uint64_t *count)
{
	if (index >= refusals->reason_count)
		return NULL;
	*count = refusals->reasons[index].count;
	return refusals->reasons[index].why;
}

struct refusals *refusals_new(struct loop *loop)
{
	struct refusals *refusals = zl_alloc(1, sizeof(*refusals));

	refusals->timer = loop_timer_new(loop, on_timer, refusals);
	return refusals;
}

void refusals_free(struct refusals **refusalsp)
{
	struct refusals *refusals = *refusalsp;

	*refusalsp = NULL;
	if (refusals == NULL)
		return;
	loop_timer_free(&refusals->timer);
	for (size_t i = 0; i < refusals->reason_count; i++)
		free(refusals->reasons[i].why);
	free(refusals);
}
