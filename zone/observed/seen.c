/* Counts by time. */
#include "zone/observed/split.h"

#include <stdlib.h>
#include <string.h>

static void pass(struct seen *seen, uint64_t bucket)
{
	if (bucket >= seen->last + OBSERVED_BUCKETS) {
		memset(seen->issued, 0, sizeof(seen->issued));
		seen->last = bucket;
	}
	while (seen->last < bucket)
		seen->issued[++seen->last % OBSERVED_BUCKETS] = 0;
}

void seen_add(struct seen **seenp, uint64_t count, uint64_t now_ms)
{
	uint64_t bucket = now_ms / OBSERVED_BUCKET_MS;

	if (count == 0)
		return;
	if (*seenp == NULL) {
		*seenp = zl_alloc(1, sizeof(**seenp));
		(*seenp)->last = bucket;
	}
	struct seen *seen = *seenp;
	pass(seen, bucket);
	uint32_t *at = &seen->issued[bucket % OBSERVED_BUCKETS];
	*at = count > UINT32_MAX - *at ? UINT32_MAX : *at + (uint32_t)count;
}

uint64_t seen_sum(const struct seen *seen, uint64_t now_ms)
{
	uint64_t bucket = now_ms / OBSERVED_BUCKET_MS;
	uint64_t sum = 0;

	if (seen == NULL)
		return 0;
	for (uint64_t age = 0; age < OBSERVED_BUCKETS && age <= seen->last; age++)
		if (seen->last - age + OBSERVED_BUCKETS > bucket)
			sum += seen->issued[(seen->last - age) % OBSERVED_BUCKETS];
	return sum;
}

void part_fini(struct part_of *part)
{
	for (size_t i = 0; i < part->endpoint_count; i++)
		free(part->endpoints[i].address);
	free(part->endpoints);
	free(part->seen);
	part->endpoints = NULL;
	part->endpoint_count = 0;
	part->seen = NULL;
}

void split_take(struct split *to, struct split *from)
{
	to->since_ms = from->since_ms;
	to->tested = from->tested;
	to->streak = from->streak;
	to->skips = from->skips;
	memcpy(to->warning, from->warning, sizeof(to->warning));
	for (size_t i = 0; i < to->part_count; i++) {
		struct part_of *part = &to->parts[i];
		struct part_of *old = &from->parts[i];
		part->open = old->open;
		part->untested = old->untested;
		part->seen = old->seen;
		part->endpoints = old->endpoints;
		part->endpoint_count = old->endpoint_count;
		old->seen = NULL;
		old->endpoints = NULL;
		old->endpoint_count = 0;
	}
}
