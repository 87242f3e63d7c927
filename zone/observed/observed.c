#include "zone/observed/observed.h"

#include "base/log.h"
#include "zone/observed/binomial.h"
#include "zone/observed/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAK = 2, ENDPOINTS_KEPT = 1000 };

struct observed *observed_new(void)
{
	return zl_alloc(1, sizeof(struct observed));
}

static void watched_free(struct watched *watched)
{
	splits_free(&watched->force);
	splits_free(&watched->wanted);
	free(watched);
}

void observed_free(struct observed **observedp)
{
	struct observed *observed = *observedp;

	*observedp = NULL;
	if (observed == NULL)
		return;
	struct watched *watched = observed->all;
	struct total *total = observed->totals;
	HASH_CLEAR(hh, observed->all); /* leaves them linked */
	HASH_CLEAR(hh, observed->totals);
	while (watched != NULL) {
		struct watched *next = watched->hh.next;
		watched_free(watched);
		watched = next;
	}
	while (total != NULL) {
		struct total *next = total->hh.next;
		free(total);
		total = next;
	}
	free(observed);
}

static struct watched *find(const struct observed *observed, const char *proxy)
{
	struct watched *watched;

	HASH_FIND_STR(observed->all, proxy, watched);
	return watched;
}

/* What wanted changes is not counted until it is acknowledged. */
static void mark_changing(const struct splits *force, const struct splits *wanted)
{
	for (size_t i = 0; i < force->count; i++) {
		struct split *split = &force->list[i];
		const struct split *next = splits_find(wanted, split, i);
		if (next == NULL || !split_is_same(split, next))
			split->changing = true;
	}
}

void observed_want(struct observed *observed, const char *proxy,
		   const struct routes *routes, uint64_t number)
{
	struct watched *watched = find(observed, proxy);
	struct splits *splits = splits_of(routes);

	if (watched == NULL) {
		watched = zl_alloc(1, sizeof(*watched) + strlen(proxy) + 1);
		memcpy(watched->id, proxy, strlen(proxy) + 1);
		HASH_ADD_STR(observed->all, id, watched);
	}
	const struct splits *newest =
		watched->wanted != NULL ? watched->wanted : watched->force;
	if (newest != NULL && splits_are_same(newest, splits)) {
		splits_free(&splits);
		return;
	}
	splits_free(&watched->wanted);
	watched->wanted = splits;
	watched->number = number;
	if (watched->force != NULL)
		mark_changing(watched->force, splits);
}

void observed_acked(struct observed *observed, const char *proxy, uint64_t number)
{
	struct watched *watched = find(observed, proxy);

	if (watched == NULL || watched->wanted == NULL || number < watched->number)
		return;
	struct splits *old = watched->force;
	struct splits *now = watched->wanted;
	for (size_t i = 0; i < now->count; i++) {
		struct split *split = &now->list[i];
		struct split *before = old != NULL ? splits_find(old, split, i) : NULL;
		if (before != NULL && !before->changing && split_is_same(before, split))
			split_take(split, before);
		else
			split->skips = true;
	}
	splits_free(&old);
	watched->force = now;
	watched->wanted = NULL;
}

void observed_forget(struct observed *observed, const char *proxy)
{
	struct watched *watched = find(observed, proxy);

	if (watched == NULL)
		return;
	HASH_DEL(observed->all, watched);
	watched_free(watched);
}

/* ---- reports ---- */

static void count_total(struct observed *observed, const char *mesh,
			const struct part_of *part, uint64_t count)
{
	const char *const texts[] = { mesh, part->split->destination, part->backend };
	struct zl_buf key = { 0 };
	struct total *total;

	if (count == 0 || part->why == OBSERVED_SHARED)
		return;
	for (size_t i = 0; i < 3; i++)
		zl_buf_add(&key, texts[i], strlen(texts[i]) + 1);
	HASH_FIND(hh, observed->totals, key.data, key.len, total);
	if (total == NULL && HASH_COUNT(observed->totals) < OBSERVED_TOTALS) {
		total = zl_alloc(1, sizeof(*total) + key.len);
		memcpy(total->key, key.data, key.len);
		HASH_ADD_KEYPTR(hh, observed->totals, total->key, key.len, total);
	}
	if (total != NULL)
		total->connections += count;
	zl_buf_free(&key);
}

static void keep_endpoints(struct part_of *part, const struct xds_load *load)
{
	size_t count = load->endpoint_count < ENDPOINTS_KEPT ? load->endpoint_count
							     : ENDPOINTS_KEPT;
	struct seen_endpoint *kept = zl_alloc(count + 1, sizeof(*kept));

	for (size_t i = 0; i < count; i++) {
		const struct xds_endpoint_load *from = &load->endpoints[i];
		kept[i] = (struct seen_endpoint){ zl_strdup(from->address), from->port,
						  from->issued, from->in_progress };
		for (size_t j = 0; j < part->endpoint_count; j++)
			if (part->endpoints[j].port == from->port &&
			    strcmp(part->endpoints[j].address, from->address) == 0)
				kept[i].connections += part->endpoints[j].connections;
	}
	for (size_t i = 0; i < part->endpoint_count; i++)
		free(part->endpoints[i].address);
	free(part->endpoints);
	part->endpoints = kept;
	part->endpoint_count = count;
}

static void take_load(struct observed *observed, const struct splits *splits,
		      const struct xds_load *load, uint64_t now_ms)
{
	for (size_t i = splits_first(splits, load->cluster);
	     i < splits->cluster_count &&
	     strcmp(splits->by_cluster[i]->cluster, load->cluster) == 0;
	     i++) {
		struct part_of *part = splits->by_cluster[i];
		part->open = load->in_progress;
		count_total(observed, splits->mesh, part, load->issued);
		if (part->split->changing || part->split->skips)
			continue;
		seen_add(&part->seen, load->issued, now_ms);
		if (part->why == OBSERVED_YES)
			part->untested += load->issued;
		if (load->endpoint_count > 0)
			keep_endpoints(part, load);
	}
}

void split_sums(const struct split *split, uint64_t now_ms, uint64_t *connections,
		uint64_t *weights)
{
	*connections = *weights = 0;
	for (size_t i = 0; i < split->part_count; i++) {
		if (split->parts[i].why != OBSERVED_YES)
			continue;
		*connections += seen_sum(split->parts[i].seen, now_ms);
		*weights += split->parts[i].weight;
	}
}

static double percent(uint64_t part, uint64_t of)
{
	return 100.0 * (double)part / (double)of;
}

/* The part that chance does not explain, and is furthest from what was asked; NULL: none.
 */
static const struct part_of *worst(const struct split *split, uint64_t total,
				   uint64_t weights)
{
	const struct part_of *found = NULL;
	double far = 0;

	for (size_t i = 0; i < split->part_count; i++) {
		const struct part_of *part = &split->parts[i];
		if (part->why != OBSERVED_YES)
			continue;
		double expected = (double)part->weight / (double)weights;
		double off = (double)part->untested / (double)total - expected;
		off = off < 0 ? -off : off;
		if (off <= far + 1e-9 ||
		    binomial_explains(total, part->untested, expected))
			continue;
		found = part;
		far = off;
	}
	return found;
}

static void judge(const struct watched *watched, struct split *split, uint64_t total,
		  uint64_t weights)
{
	const struct part_of *bad = worst(split, total, weights);

	split->streak = bad != NULL ? split->streak + 1 : 0;
	split->warning[0] = '\0';
	if (split->streak < STREAK)
		return;
	(void)snprintf(split->warning, sizeof(split->warning),
		       "backend \"%.80s\": observed %.0f %% of %llu connections, "
		       "configured %.0f %%",
		       bad->backend, percent(bad->untested, total),
		       (unsigned long long)total, percent(bad->weight, weights));
	if (split->streak == STREAK)
		zl_log(ZL_WARN, "observed", "a split is not what was configured",
		       "proxy=%q outbound=%q destination=%q reason=%q", watched->id,
		       split->outbound, split->destination, split->warning);
}

/* Judge what came since the last time, once a bucket and if there is enough of it. */
static void test(const struct watched *watched, struct split *split, uint64_t now_ms)
{
	uint64_t bucket = now_ms / OBSERVED_BUCKET_MS;
	uint64_t total = 0;
	uint64_t weights = 0;

	if (bucket == split->tested || split->changing)
		return;
	for (size_t i = 0; i < split->part_count; i++) {
		total += split->parts[i].untested;
		if (split->parts[i].why == OBSERVED_YES)
			weights += split->parts[i].weight;
	}
	if (total < OBSERVED_ENOUGH)
		return;
	judge(watched, split, total, weights);
	split->tested = bucket;
	for (size_t i = 0; i < split->part_count; i++)
		split->parts[i].untested = 0;
}

void observed_report(struct observed *observed, const char *proxy,
		     const struct xds_load *loads, size_t count, uint64_t now_ms)
{
	const struct watched *watched = find(observed, proxy);

	if (watched == NULL || watched->force == NULL)
		return;
	const struct splits *splits = watched->force;
	for (size_t i = 0; i < count; i++)
		take_load(observed, splits, &loads[i], now_ms);
	for (size_t i = 0; i < splits->count; i++) {
		struct split *split = &splits->list[i];
		if (split->skips) {
			split->skips = false;
			split->since_ms = now_ms;
			split->tested = now_ms / OBSERVED_BUCKET_MS;
		} else {
			test(watched, split, now_ms);
		}
	}
}
