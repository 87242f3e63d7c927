/* What proxies tell of their traffic. */
#include "base/clock.h"
#include "loop/loop.h"
#include "zone/proxies/inside.h"

/* Global hears of it so often. */
enum { TELL_MS = 10 * 1000 };

/* Endpoints are reported for so long after somebody asked for them. */
enum { DETAIL_MS = 60 * 1000 };

void observing_take(void *owner, const char *id, const struct xds_load *loads,
		    size_t count)
{
	struct proxies *proxies = owner;
	uint64_t now = zl_now_ms();

	observed_report(proxies->observed, id, loads, count, now);
	for (size_t i = 0; i < count && !proxies->observed_news; i++)
		proxies->observed_news = loads[i].issued > 0;
	if (!proxies->observed_news || now - proxies->observed_told_ms < TELL_MS)
		return;
	proxies->observed_news = false;
	proxies->observed_told_ms = now;
	report_observed(proxies);
	report_soon(proxies);
}

static void end_details(void *arg)
{
	struct proxies *proxies = arg;
	uint64_t now = zl_now_ms();
	uint64_t next = 0;

	for (struct proxy *proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next) {
		if (proxy->detail_until_ms > now) {
			if (next == 0 || proxy->detail_until_ms < next)
				next = proxy->detail_until_ms;
		} else if (proxy->detail_until_ms != 0) {
			proxy->detail_until_ms = 0;
			xds_server_detail(proxies->xds, proxy->id, false);
		}
	}
	if (next != 0)
		loop_timer_set(proxies->detailing, next - now);
}

struct loop_timer *observing_timer(struct proxies *proxies)
{
	return loop_timer_new(proxies->setup.loop, end_details, proxies);
}

void proxies_ask_endpoints(struct proxies *proxies, const char *id)
{
	struct proxy *proxy = proxies_find(proxies, id);

	if (proxy == NULL)
		return;
	proxy->detail_until_ms = zl_now_ms() + DETAIL_MS;
	xds_server_detail(proxies->xds, id, true);
	if (!loop_timer_is_set(proxies->detailing))
		loop_timer_set(proxies->detailing, DETAIL_MS);
}

const struct observed *proxies_observed(const struct proxies *proxies)
{
	return proxies->observed;
}
