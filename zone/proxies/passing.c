/* Zone proxies: pushed again when what they pass on changes. */
#include "base/clock.h"
#include "loop/loop.h"
#include "zone/proxies/inside.h"

/* A zone proxy has what the whole zone offers. A change is pushed at the end of its turn,
 * those that follow within this time together at its end. */
enum { APART_MS = 100 };

static void pass(void *arg)
{
	struct proxies *proxies = arg;
	struct proxy *proxy;
	struct proxy *next;

	proxies->passed_ms = zl_now_ms();
	HASH_ITER (hh, proxies->all, proxy, next)
		if (proxy->due)
			push_proxy(proxies, proxy);
	report_soon(proxies);
}

void passing_soon(struct proxies *proxies, struct proxy *proxy)
{
	uint64_t now = zl_now_ms();
	uint64_t next = proxies->passed_ms + APART_MS;

	if (!proxies->begun || !proxy->connected || proxy->due)
		return;
	proxy->due = true;
	if (!loop_timer_is_set(proxies->passing))
		loop_timer_set(proxies->passing, next > now ? next - now : 0);
}

struct loop_timer *passing_timer(struct proxies *proxies)
{
	return loop_timer_new(proxies->setup.loop, pass, proxies);
}
