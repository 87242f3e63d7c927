/* zone/observed/split.h - the splits of a proxy and what was counted for them. Private.
 *
 * Threads:  pure.
 * Lifetime: splits_of gives the caller what splits_free takes.
 */
#pragma once

#include "zone/observed/observed.h"

/* Of one cluster: connections by bucket. */
struct seen {
	uint32_t issued[OBSERVED_BUCKETS];
	uint64_t last; /* the newest bucket, by number */
};

struct seen_endpoint {
	char *address; /* owned */
	uint16_t port;
	uint64_t connections, open;
};

struct split;

struct part_of {
	struct split *split;
	const char *backend, *cluster;
	uint64_t weight;
	enum observed_why why;
	const char *other;
	uint64_t open;
	uint64_t untested;               /* connections since the last judgement */
	struct seen *seen;               /* owned; NULL: no connection yet */
	struct seen_endpoint *endpoints; /* owned */
	size_t endpoint_count;
};

struct split {
	const char *outbound;
	unsigned rule;
	const char *destination, *route;
	struct part_of *parts;
	size_t part_count;
	bool changing; /* another one is on its way to the proxy */
	bool skips;    /* the next report, which may be of what was before */
	uint64_t since_ms;
	uint64_t tested; /* the bucket of the last judgement */
	unsigned streak; /* judgements in a row that chance does not explain */
	char warning[256];
};

struct splits {
	struct zl_arena *arena; /* owned: the texts */
	const char *mesh;
	struct split *list;
	size_t count;
	struct part_of **by_cluster; /* sorted, those with a cluster */
	size_t cluster_count;
};

struct splits *splits_of(const struct routes *routes);
void splits_free(struct splits **splitsp);

/* The same place, destination, clusters and weights. */
bool split_is_same(const struct split *one, const struct split *other);
bool splits_are_same(const struct splits *one, const struct splits *other);
/* What stands at the place of split, most likely at hint; NULL: nothing. */
struct split *splits_find(const struct splits *splits, const struct split *split,
			  size_t hint);
/* The first of by_cluster with this cluster; cluster_count: none. */
size_t splits_first(const struct splits *splits, const char *cluster);

/* ---- seen.c ---- */
void seen_add(struct seen **seen, uint64_t count, uint64_t now_ms);
uint64_t seen_sum(const struct seen *seen, uint64_t now_ms);
void part_fini(struct part_of *part);
/* What is counted for from is counted for to now. */
void split_take(struct split *to, struct split *from);
