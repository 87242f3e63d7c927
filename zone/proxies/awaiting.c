/* The Envoys that are away for a moment (away.h), and the timer that gives them up. */
#include "base/clock.h"
#include "loop/loop.h"
#include "zone/proxies/inside.h"

static void await(struct proxies *proxies, struct proxy *proxy, uint64_t rev)
{
	away_leave(&proxy->away, rev, zl_now_ms());
	if (!loop_timer_is_set(proxies->awaiting))
		loop_timer_set(proxies->awaiting, AWAY_BACK_MS);
}

void awaiting_begin(struct proxies *proxies)
{
	struct proxy *proxy;

	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next)
		if (!proxy->connected)
			await(proxies, proxy, 0);
}

void awaiting_left(struct proxies *proxies, struct proxy *proxy)
{
	await(proxies, proxy,
	      report_is_pending(proxy) ? report_rev(proxies, proxy) : proxies->rev);
}

bool awaiting_counts(const struct proxies *proxies, const struct proxy *proxy)
{
	return !proxy->connected && proxy->resource != NULL &&
	       away_counts(&proxy->away, proxies->begun);
}

static void give_up(void *arg)
{
	struct proxies *proxies = arg;
	uint64_t now = zl_now_ms();
	uint64_t next = 0;
	struct proxy *proxy;

	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next) {
		uint64_t again = away_pass(&proxy->away, now);
		if (again != 0 && (next == 0 || again < next))
			next = again;
	}
	if (next != 0)
		loop_timer_set(proxies->awaiting, next);
	report_soon(proxies);
}

struct loop_timer *awaiting_timer(struct proxies *proxies)
{
	return loop_timer_new(proxies->setup.loop, give_up, proxies);
}
