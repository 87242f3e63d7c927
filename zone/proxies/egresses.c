/* Which egresses take connections: the zone's proxies are told when that changes. */
#include "base/clock.h"
#include "base/log.h"
#include "loop/loop.h"
#include "zone/proxies/inside.h"

static bool is_egress(const struct proxy *proxy)
{
	return proxy->resource != NULL && proxy->resource->key.kind == KIND_ZONE_EGRESS;
}

bool egresses_serve(const void *owner, const struct resource *egress)
{
	const struct proxies *proxies = owner;
	const struct proxy *proxy = proxies_find(proxies, egress->key.name);

	return proxy != NULL && is_egress(proxy) && proxy->serving.on &&
	       key_compare(&proxy->resource->key, &egress->key) == 0;
}

/* The proxies that send by way of egresses. */
static void tell(void *arg)
{
	struct proxies *proxies = arg;
	struct proxy *proxy;
	struct proxy *next;

	proxies->relaying = false;
	HASH_ITER (hh, proxies->all, proxy, next)
		if (proxy_is_dataplane(proxy) && policy_needs_egress(&proxy->services))
			push_proxy(proxies, proxy);
	report_soon(proxies);
}

static void look_at(struct proxies *proxies, uint64_t ms)
{
	uint64_t now = zl_now_ms();

	loop_timer_set(proxies->doubting, ms > now ? ms - now : 0);
}

/* The first of those that are in doubt. */
static void look_again(struct proxies *proxies)
{
	uint64_t first = 0;
	const struct proxy *proxy;

	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next)
		if (proxy->serving.until_ms != 0 &&
		    (first == 0 || proxy->serving.until_ms < first))
			first = proxy->serving.until_ms;
	if (first != 0)
		look_at(proxies, first);
}

void egresses_take(struct proxies *proxies, struct proxy *proxy, enum serving_event event)
{
	if (!is_egress(proxy))
		return;
	bool changed = serving_take(&proxy->serving, event, zl_now_ms());
	if (proxy->serving.until_ms != 0 && event != SERVING_PASSED)
		look_again(proxies);
	if (!changed)
		return;
	zl_log(proxy->serving.on ? ZL_INFO : ZL_WARN, "xds",
	       proxy->serving.on ? "an egress takes connections"
				 : "an egress takes no connections any more",
	       "proxy=%q", proxy->id);
	if (proxies->relaying)
		return;
	proxies->relaying = true;
	loop_defer(proxies->setup.loop, tell, proxies);
}

static void on_doubt(void *arg)
{
	struct proxies *proxies = arg;
	struct proxy *proxy;

	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next)
		egresses_take(proxies, proxy, SERVING_PASSED);
	look_again(proxies);
}

struct loop_timer *egresses_timer(struct proxies *proxies)
{
	return loop_timer_new(proxies->setup.loop, on_doubt, proxies);
}

void egresses_start(struct proxies *proxies)
{
	struct proxy *proxy;

	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next)
		egresses_take(proxies, proxy, SERVING_STARTED);
}

static void find_listener(void *to, const struct xds_proxy_status *status)
{
	bool *found = to;

	*found = serving_is_heard(status->list, status->resources);
}

/* What it refuses of all the rest does not make its listener go away. */
void egresses_hear(struct proxies *proxies, struct proxy *proxy, bool all)
{
	bool sure = proxy->serving.on && proxy->serving.until_ms == 0;
	bool found = false;

	if (!is_egress(proxy) || (sure && !all))
		return;
	(void)xds_server_proxy(proxies->xds, proxy->id, find_listener, &found);
	if (found)
		egresses_take(proxies, proxy, SERVING_HEARD);
	else if (all)
		egresses_take(proxies, proxy, SERVING_BARE);
}
