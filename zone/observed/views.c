/* What was counted, worked out for those who ask. */
#include "zone/observed/binomial.h"
#include "zone/observed/inside.h"

#include <stdlib.h>
#include <string.h>

/* Work out share, expected, interval and ok of the observable ones. */
static void backends_judge(struct observed_backend *backends, size_t count,
			   uint64_t total)
{
	uint64_t weights = 0;

	for (size_t i = 0; i < count; i++)
		weights += backends[i].why == OBSERVED_YES ? backends[i].weight : 0;
	for (size_t i = 0; i < count; i++) {
		struct observed_backend *backend = &backends[i];
		uint64_t low;
		uint64_t high;
		backend->ok = true;
		backend->low = 0;
		backend->high = 1;
		if (backend->why != OBSERVED_YES)
			continue;
		backend->expected = (double)backend->weight / (double)weights;
		if (total == 0)
			continue;
		backend->share = (double)backend->connections / (double)total;
		binomial_interval(total, backend->expected, &low, &high);
		backend->low = (double)low / (double)total;
		backend->high = (double)high / (double)total;
		backend->ok = total < OBSERVED_ENOUGH || (backend->connections >= low &&
							  backend->connections <= high);
	}
}

static void view_endpoints(struct zl_arena *arena, const struct part_of *part,
			   struct observed_backend *to)
{
	struct observed_endpoint *list =
		zl_arena_alloc(arena, part->endpoint_count, sizeof(*list));

	for (size_t i = 0; i < part->endpoint_count; i++)
		list[i] = (struct observed_endpoint){
			.address = zl_arena_strdup(arena, part->endpoints[i].address),
			.port = part->endpoints[i].port,
			.connections = part->endpoints[i].connections,
			.open = part->endpoints[i].open,
		};
	to->endpoints = list;
	to->endpoint_count = part->endpoint_count;
}

/* Without the judgement, which costs more than all the rest. */
static struct observed_backend *view(struct zl_arena *arena, const struct splits *splits,
				     const struct split *split, uint64_t now_ms,
				     struct observed_split *to)
{
	uint64_t kept = (OBSERVED_BUCKETS - 1) * (uint64_t)OBSERVED_BUCKET_MS;
	uint64_t oldest = now_ms - now_ms % OBSERVED_BUCKET_MS;
	struct observed_backend *backends =
		zl_arena_alloc(arena, split->part_count, sizeof(*backends));
	uint64_t weights;

	*to = (struct observed_split){
		.outbound = zl_arena_strdup(arena, split->outbound),
		.rule = split->rule,
		.mesh = zl_arena_strdup(arena, splits->mesh),
		.destination = zl_arena_strdup(arena, split->destination),
		.route = zl_arena_strdup(arena, split->route),
		.pending = split->changing,
		.since_ms = split->since_ms,
		.warning = zl_arena_strdup(arena, split->warning),
		.backends = backends,
		.backend_count = split->part_count,
	};
	if (to->since_ms != 0 && oldest > kept && to->since_ms < oldest - kept)
		to->since_ms = oldest - kept;
	split_sums(split, now_ms, &to->total, &weights);
	for (size_t i = 0; i < split->part_count; i++) {
		const struct part_of *part = &split->parts[i];
		backends[i] = (struct observed_backend){
			.backend = zl_arena_strdup(arena, part->backend),
			.cluster = zl_arena_strdup(arena, part->cluster),
			.weight = part->weight,
			.why = part->why,
			.other = zl_arena_strdup(arena, part->other),
			.connections = seen_sum(part->seen, now_ms),
			.open = part->open,
		};
		view_endpoints(arena, part, &backends[i]);
	}
	return backends;
}

const struct observed_split *observed_splits(const struct observed *observed,
					     const char *proxy, uint64_t now_ms,
					     struct zl_arena *arena, size_t *count)
{
	const struct watched *watched;

	HASH_FIND_STR(observed->all, proxy, watched);
	*count = 0;
	if (watched == NULL || watched->force == NULL)
		return NULL;
	const struct splits *splits = watched->force;
	struct observed_split *list = zl_arena_alloc(arena, splits->count, sizeof(*list));
	for (size_t i = 0; i < splits->count; i++) {
		struct observed_backend *backends =
			view(arena, splits, &splits->list[i], now_ms, &list[i]);
		backends_judge(backends, list[i].backend_count, list[i].total);
	}
	*count = splits->count;
	return list;
}

/* ---- sums ---- */

struct adding {
	UT_hash_handle hh;
	struct observed_sum sum;
	struct observed_backend *backends; /* of sum */
	char *key;
};

/* What must be equal for two to be added up. */
static char *key_of(struct zl_arena *arena, const char *mesh, const struct split *split)
{
	struct zl_buf key = { 0 };

	zl_buf_format(&key, "%s\n%s\n%s\n", mesh, split->destination, split->route);
	for (size_t i = 0; i < split->part_count; i++)
		zl_buf_format(&key, "%s=%llu %d\n", split->parts[i].backend,
			      (unsigned long long)split->parts[i].weight,
			      split->parts[i].why);
	char *text = zl_arena_strdup(arena, zl_buf_text(&key));
	zl_buf_free(&key);
	return text;
}

/* A sum of nothing, of what looks like one. */
static struct adding *begin_sum(struct zl_arena *arena, char *key,
				const struct observed_split *one)
{
	struct adding *adding = zl_arena_alloc(arena, 1, sizeof(*adding));

	adding->key = key;
	adding->backends =
		zl_arena_alloc(arena, one->backend_count, sizeof(*adding->backends));
	for (size_t i = 0; i < one->backend_count; i++) {
		adding->backends[i] = one->backends[i];
		adding->backends[i].connections = adding->backends[i].open = 0;
		adding->backends[i].share = 0;
		adding->backends[i].endpoint_count = 0;
	}
	adding->sum.split = *one;
	adding->sum.split.backends = adding->backends;
	adding->sum.split.total = adding->sum.split.since_ms = 0;
	return adding;
}

static void add(struct zl_arena *arena, struct adding **all, const struct splits *splits,
		const struct split *split, uint64_t now_ms)
{
	char *key = key_of(arena, splits->mesh, split);
	struct observed_split one;
	struct adding *adding;

	(void)view(arena, splits, split, now_ms, &one);
	HASH_FIND_STR(*all, key, adding);
	if (adding == NULL) {
		adding = begin_sum(arena, key, &one);
		HASH_ADD_KEYPTR(hh, *all, key, strlen(key), adding);
	}
	struct observed_sum *sum = &adding->sum;
	if (split->changing) {
		sum->pending++;
		return;
	}
	sum->proxies++;
	sum->deviating += one.warning[0] != '\0';
	sum->split.total += one.total;
	if (sum->split.since_ms == 0 ||
	    (one.since_ms != 0 && one.since_ms < sum->split.since_ms))
		sum->split.since_ms = one.since_ms;
	for (size_t i = 0; i < one.backend_count; i++) {
		adding->backends[i].connections += one.backends[i].connections;
		adding->backends[i].open += one.backends[i].open;
	}
}

static int by_key(const struct adding *a, const struct adding *b)
{
	return strcmp(a->key, b->key);
}

const struct observed_sum *observed_sums(const struct observed *observed,
					 const char *mesh, uint64_t now_ms,
					 struct zl_arena *arena, size_t *count)
{
	const struct watched *watched;
	struct adding *all = NULL;

	for (watched = observed->all; watched != NULL; watched = watched->hh.next) {
		const struct splits *splits = watched->force;
		if (splits == NULL || (mesh != NULL && strcmp(mesh, splits->mesh) != 0))
			continue;
		for (size_t i = 0; i < splits->count; i++)
			add(arena, &all, splits, &splits->list[i], now_ms);
	}
	HASH_SORT(all, by_key);
	struct observed_sum *sums = zl_arena_alloc(arena, HASH_COUNT(all), sizeof(*sums));
	*count = 0;
	for (struct adding *each = all; each != NULL; each = each->hh.next) {
		struct observed_sum *sum = &sums[(*count)++];
		*sum = each->sum;
		backends_judge(each->backends, sum->split.backend_count,
			       sum->split.total);
	}
	HASH_CLEAR(hh, all);
	return sums;
}

const struct observed_total *observed_totals(const struct observed *observed,
					     struct zl_arena *arena, size_t *count)
{
	struct observed_total *list =
		zl_arena_alloc(arena, HASH_COUNT(observed->totals), sizeof(*list));
	const struct total *total;

	*count = 0;
	for (total = observed->totals; total != NULL; total = total->hh.next) {
		struct observed_total *to = &list[(*count)++];
		to->mesh = total->key;
		to->destination = to->mesh + strlen(to->mesh) + 1;
		to->backend = to->destination + strlen(to->destination) + 1;
		to->connections = total->connections;
	}
	return list;
}
