/* Zone proxies: pushed again when what they pass on changes. */
#include "base/clock.h"
#include "loop/loop.h"
#include "zone/proxies/inside.h"

#include <stdlib.h>
#include <string.h>

/* A zone proxy has what the whole zone offers. A change is pushed at the end of its turn;
 * those that follow within this time, or so many times of what the last pushes took, are
 * pushed together at its end: of a zone with 100,000 instances one takes a third of a
 * second, in which nothing else is done. */
enum { APART_MS = 100, APART_TIMES = 4 };

static void pass(void *arg)
{
	struct proxies *proxies = arg;
	uint64_t start = zl_now_ms();
	struct proxy *proxy;
	struct proxy *next;

	HASH_ITER (hh, proxies->all, proxy, next)
		if (proxy->due)
			push_proxy(proxies, proxy);
	uint64_t now = zl_now_ms();
	uint64_t apart = APART_TIMES * (now - start);
	proxies->next_pass_ms = now + (apart > APART_MS ? apart : APART_MS);
	report_soon(proxies);
}

void passing_soon(struct proxies *proxies, struct proxy *proxy)
{
	uint64_t now = zl_now_ms();
	uint64_t next = proxies->next_pass_ms;

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

static int by_name(const void *one, const void *other)
{
	const struct zone_proxy_view *a = one;
	const struct zone_proxy_view *b = other;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->name, b->name);
}

const struct zone_proxy_view *proxies_zone_views(const struct proxies *proxies,
						 struct zl_arena *arena, size_t *count)
{
	struct zone_proxy_view *views =
		zl_arena_alloc(arena, HASH_COUNT(proxies->all), sizeof(*views));
	const struct proxy *proxy;

	*count = 0;
	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next)
		if (proxy->resource != NULL && !proxy_is_dataplane(proxy))
			views[(*count)++] = (struct zone_proxy_view){
				.kind = proxy->resource->key.kind,
				.name = zl_arena_strdup(arena, proxy->id),
				.connected = proxy->connected,
				.acked = proxy->connected && !report_is_pending(proxy),
				.serving = proxy->serving.on,
			};
	if (*count > 0)
		qsort(views, *count, sizeof(*views), by_name);
	return views;
}
