/* Envoys that are away for a moment: what they have is not forgotten. */
#include "base/clock.h"
#include "loop/loop.h"
#include "zone/proxies/inside.h"

/* An Envoy that lost its stream tries again at least every 2 s (envoy/bootstrap.c). */
enum { BACK_MS = 3000 };

static void await(struct proxies *proxies, struct proxy *proxy, uint64_t rev)
{
	proxy->away_until_ms = zl_now_ms() + BACK_MS;
	proxy->away_rev = rev;
	if (!loop_timer_is_set(proxies->awaiting))
		loop_timer_set(proxies->awaiting, BACK_MS);
}

void away_begin(struct proxies *proxies)
{
	struct proxy *proxy;

	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next)
		if (!proxy->connected)
			await(proxies, proxy, 0);
}

void away_left(struct proxies *proxies, struct proxy *proxy)
{
	await(proxies, proxy,
	      report_is_pending(proxy) ? report_rev(proxies, proxy) : proxies->rev);
}

void away_came(struct proxy *proxy)
{
	proxy->away_until_ms = 0;
}

bool away_is_awaited(const struct proxies *proxies, const struct proxy *proxy)
{
	if (proxy->connected || proxy->resource == NULL)
		return false;
	return !proxies->begun || proxy->away_until_ms != 0;
}

/* Who is not back by now is not counted any more. */
static void give_up(void *arg)
{
	struct proxies *proxies = arg;
	uint64_t now = zl_now_ms();
	uint64_t next = 0;
	struct proxy *proxy;

	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next) {
		uint64_t until = proxy->away_until_ms;
		if (until != 0 && until <= now)
			proxy->away_until_ms = 0;
		else if (until != 0 && (next == 0 || until < next))
			next = until;
	}
	if (next != 0)
		loop_timer_set(proxies->awaiting, next - now);
	report_soon(proxies);
}

struct loop_timer *away_timer(struct proxies *proxies)
{
	return loop_timer_new(proxies->setup.loop, give_up, proxies);
}
