/* What global is told of the proxies here. */
#include "base/clock.h"
#include "loop/loop.h"
#include "zone/proxies/inside.h"

static void send_report(void *arg)
{
	struct proxies *proxies = arg;

	proxies->reporting = false;
	proxies->setup.reported(proxies->setup.owner);
}

void report_soon(struct proxies *proxies)
{
	if (proxies->reporting)
		return;
	proxies->reporting = true;
	loop_defer(proxies->setup.loop, send_report, proxies);
}

/* Also what was not sent anything yet, as a zone that starts holds it back. */
bool report_is_pending(const struct proxy *proxy)
{
	return proxy->connected && proxy->resource != NULL &&
	       (proxy->wanted == 0 || proxy->due || proxy->acked < proxy->wanted);
}

/* The revision that a proxy surely has: that of the last push it acknowledged, but for
 * what named a content that came after that push. */
uint64_t report_rev(const struct proxies *proxies, const struct proxy *proxy)
{
	if (proxy->acked == 0 || proxies->number - proxy->acked >= PUSHES_KEPT)
		return 0;
	uint64_t rev = proxies->revs[proxy->acked % PUSHES_KEPT];
	if (proxy->acked < proxy->brought && rev >= proxy->brought_rev)
		rev = proxy->brought_rev - 1;
	return rev;
}

struct tally {
	const struct proxies *proxies;
	struct zl_arena *arena;
	struct sync_report *report;
	struct sync_trouble *trouble;
};

static void add_trouble(struct tally *tally, const char *proxy, const char *resource,
			const char *text)
{
	struct sync_report *report = tally->report;

	if (report->trouble_count == SYNC_TROUBLES)
		return;
	tally->trouble[report->trouble_count++] =
		(struct sync_trouble){ zl_arena_strdup(tally->arena, proxy),
				       zl_arena_strdup(tally->arena, resource),
				       zl_arena_strdup(tally->arena, text) };
}

static void tally_nacks(void *to, const struct xds_proxy_status *status)
{
	struct tally *tally = to;

	for (size_t i = 0; i < status->resources; i++)
		if (status->list[i].state == XDS_NACKED)
			add_trouble(tally, status->proxy, status->list[i].name,
				    status->list[i].nack != NULL ? status->list[i].nack
								 : "");
	tally->report->nacked += status->counts[XDS_NACKED] > 0;
}

void report_observed(struct proxies *proxies)
{
	struct zl_arena *arena = zl_arena_new();
	size_t count;
	const struct observed_sum *sums =
		observed_sums(proxies->observed, NULL, zl_now_ms(), arena, &count);
	struct sync_observed *list = zl_arena_alloc(arena, SYNC_OBSERVED, sizeof(*list));

	zl_arena_free(&proxies->told);
	proxies->told = arena;
	proxies->told_list = list;
	proxies->told_count = 0;
	for (size_t i = 0; i < count && proxies->told_count < SYNC_OBSERVED; i++) {
		const struct observed_split *split = &sums[i].split;
		if (split->route[0] == '\0' || split->total == 0)
			continue;
		struct sync_backend *backends =
			zl_arena_alloc(arena, split->backend_count, sizeof(*backends));
		for (size_t j = 0; j < split->backend_count; j++)
			backends[j] = (struct sync_backend){
				.name = split->backends[j].backend,
				.weight = split->backends[j].weight,
				.connections = split->backends[j].connections,
				.open = split->backends[j].open,
				.observable = split->backends[j].why == OBSERVED_YES
			};
		list[proxies->told_count++] =
			(struct sync_observed){ .mesh = split->mesh,
						.route = split->route,
						.destination = split->destination,
						.proxies = sums[i].proxies,
						.pending = sums[i].pending,
						.deviating = sums[i].deviating,
						.backends = backends,
						.backend_count = split->backend_count };
	}
}

void proxies_report(const struct proxies *proxies, struct zl_arena *arena,
		    struct sync_report *report)
{
	struct tally tally = { proxies, arena, report,
			       zl_arena_alloc(arena, SYNC_TROUBLES,
					      sizeof(struct sync_trouble)) };
	const struct proxy *proxy;

	*report = (struct sync_report){ .acked_rev = proxies->rev,
					.healthy = true,
					.last_error = "",
					.trouble = tally.trouble };
	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next) {
		bool away = awaiting_counts(proxies, proxy);
		if (!away && (!proxy->connected || proxy->resource == NULL))
			continue;
		report->proxies++;
		if (!away && !report_is_pending(proxy)) {
			report->acked++;
			continue;
		}
		uint32_t nacked = report->nacked;
		uint64_t rev = away ? proxy->away.rev : report_rev(proxies, proxy);
		if (rev < report->acked_rev)
			report->acked_rev = rev;
		(void)xds_server_proxy(proxies->xds, proxy->id, tally_nacks, &tally);
		if (report->nacked == nacked)
			add_trouble(&tally, proxy->id, "", "");
	}
	report->observed = proxies->told_list;
	report->observed_count = proxies->told_count;
	/* A proxy that acknowledged has not all of a revision of which a part is awaited.
	 */
	uint64_t awaited = proxies->setup.awaited != NULL
				   ? proxies->setup.awaited(proxies->setup.owner)
				   : UINT64_MAX;
	if (report->acked_rev >= awaited)
		report->acked_rev = awaited - 1;
}
