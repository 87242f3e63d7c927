/* zone/observed/observed.h - how the zone's proxies really shared their connections, from
 * their load reports, beside how they were told to.
 *
 * A split is what one outbound (a rule of it, if it is HTTP; a listener of a gateway)
 * does with its connections. What a report says of a cluster is counted for the split
 * that is in force, in buckets of 10 s, of which the last 10 minutes are kept. A split
 * that changes begins anew: from the push on, and with the report in which it was
 * acknowledged, counts are left out, as they may be of either.
 *
 * A cluster is observable if its backend is resolved, has an endpoint, and no other split
 * of the proxy leads there. Of a refused connection Envoy reports nothing: shares are
 * those of the observable clusters among each other.
 *
 * Pure but for a line of the log: what happens and the time come in.
 *
 * Threads:  the owner's.
 * Lifetime: new/free; what is handed out lives in the arena given.
 */
#pragma once

#include "base/mem.h"
#include "policy/policy.h"
#include "zone/xds/xds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	OBSERVED_BUCKET_MS = 10 * 1000,
	OBSERVED_BUCKETS = 60,
	OBSERVED_ENOUGH = 100, /* connections, for a judgement */
};

struct observed;

struct observed *observed_new(void);
void observed_free(struct observed **observedp);

/* The proxy was sent what follows from routes, by push number. */
void observed_want(struct observed *observed, const char *proxy,
		   const struct routes *routes, uint64_t number);
/* It has acknowledged all pushes up to number. */
void observed_acked(struct observed *observed, const char *proxy, uint64_t number);
/* It is not registered any more. */
void observed_forget(struct observed *observed, const char *proxy);
void observed_report(struct observed *observed, const char *proxy,
		     const struct xds_load *loads, size_t count, uint64_t now_ms);

/* ---- of one proxy ---- */

enum observed_why {
	OBSERVED_YES,
	OBSERVED_BLACKHOLE,    /* not resolved */
	OBSERVED_NO_ENDPOINTS, /* nothing to connect to */
	OBSERVED_SHARED        /* another split leads there as well */
};

struct observed_endpoint {
	const char *address;
	uint16_t port;
	uint64_t connections, open; /* as the last report says */
};

struct observed_backend {
	const char *backend; /* for people: "backend{version=v1}" */
	const char *cluster; /* "": the blackhole */
	uint64_t weight;
	enum observed_why why;
	const char *other; /* OBSERVED_SHARED: which split, else "" */
	uint64_t connections, open;
	/* Of OBSERVED_YES; share 0 while there are no connections. */
	double share, expected, low, high;
	bool ok; /* share is in the interval, or there are too few connections */
	const struct observed_endpoint *endpoints;
	size_t endpoint_count;
};

struct observed_split {
	const char *outbound; /* "127.0.0.1:10001"; of a gateway ":9080" and a hostname */
	unsigned rule;        /* of an HTTP outbound, from 1; 0: none */
	const char *mesh, *destination;
	const char *route;   /* the MeshTCPRoute that decides; "": none */
	bool pending;        /* the proxy has not acknowledged what it is to do now */
	uint64_t since_ms;   /* connections are counted from here on; 0: not yet */
	uint64_t total;      /* connections of the observable clusters */
	const char *warning; /* "observed 100 % of 240 connections, configured 67 %" with
			      * the backend before it: two windows in a row were so; "" */
	const struct observed_backend *backends;
	size_t backend_count;
};

/* The splits in force of proxy; *count 0: nothing is known of it. */
const struct observed_split *observed_splits(const struct observed *observed,
					     const char *proxy, uint64_t now_ms,
					     struct zl_arena *arena, size_t *count);

/* ---- of all ---- */

/* Splits of one destination by the same route with the same weights, added up. pending
 * ones are not in it but counted. */
struct observed_sum {
	struct observed_split split;          /* without outbound, rule, warning */
	uint32_t proxies, pending, deviating; /* deviating: with a warning */
};

/* By mesh, destination, route and weights. mesh NULL: all. */
const struct observed_sum *observed_sums(const struct observed *observed,
					 const char *mesh, uint64_t now_ms,
					 struct zl_arena *arena, size_t *count);

/* Connections since the start, by where they were to go and where they went; for the
 * metrics. At most OBSERVED_TOTALS are kept apart. */
enum { OBSERVED_TOTALS = 10000 };
struct observed_total {
	const char *mesh, *destination, *backend;
	uint64_t connections;
};
const struct observed_total *observed_totals(const struct observed *observed,
					     struct zl_arena *arena, size_t *count);

/* ---- printing ---- */

struct tree;

/* Put "observed" beside each backend of the JSON of policy_json, and warnings to its
 * list. endpoints: with those. wall_us: the time that now_ms is. */
void observed_put(struct zl_arena *arena, struct tree *answer,
		  const struct observed_split *splits, size_t count, bool endpoints,
		  uint64_t now_ms, uint64_t wall_us);
/* The same for people, as a section of its own. Appends. */
void observed_text(const struct observed_split *splits, size_t count, bool endpoints,
		   uint64_t now_ms, struct zl_buf *out);
/* {"mesh","destination","route","proxies","pending","deviating","connections",
 * "backends":[...]}. */
struct tree *observed_sum_tree(struct zl_arena *arena, const struct observed_sum *sum);
