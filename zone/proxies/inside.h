/* zone/proxies/inside.h - what the files of this room share. Private to it.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "policy/policy.h"
#include "zone/proxies/proxies.h"

#include <uthash.h>

enum { PUSHES_KEPT = 8192 }; /* whose revisions are remembered */

struct loop_timer;

struct proxy {
	UT_hash_handle hh;
	struct resource *dataplane; /* held; NULL: not registered */
	bool connected;
	uint64_t wanted, acked; /* numbers of pushes; 0: none */
	struct zl_buf services; /* that its last push leads to */
	struct zl_buf secrets;  /* names of those that its last push has a use for */
	uint64_t identified;    /* number of the first push with its identity; 0: none */
	bool has_identity;      /* and it has acknowledged that */
	uint64_t brought;       /* number of the last push with a content; 0: none */
	uint64_t brought_rev;   /* that named it; the first of those not acknowledged */
	char id[];
};

struct proxies {
	struct proxies_setup setup;
	struct xds_server *xds;
	struct proxy *all;           /* owned, by id */
	struct policy_index *index;  /* held */
	struct inventory *inventory; /* held; the registry's at the last update */
	uint64_t rev;                /* of global, in force */
	uint64_t number;             /* of the last push */
	uint64_t revs[PUSHES_KEPT];  /* that push n brought in force, at n modulo */
	bool begun, reporting, asking;
	struct loop_timer *spreading;
	struct proxies_counts counts;
};

/* proxies.c */
struct proxy *proxies_find(const struct proxies *proxies, const char *id);

/* push.c: bring a proxy what it is to have now, if it is there. */
void push_proxy(struct proxies *proxies, struct proxy *proxy);
void push_all(struct proxies *proxies);
bool push_needs_secret(const struct proxy *proxy, const char *mesh, const char *name);

/* identities.c: which proxies have one, where plain connections are taken as well */
struct loop_timer *identities_timer(struct proxies *proxies);
/* For policy_options: does this Dataplane take mTLS? */
bool identities_has(const void *owner, const struct resource *dataplane);
/* Remember the push that brings the proxy's identity. */
void identities_note(struct proxy *proxy, const struct envoy_config *config,
		     struct zl_arena *arena);
/* It acknowledged something. */
void identities_take(struct proxies *proxies, struct proxy *proxy);

/* reports.c: several acknowledgements of one turn make one report. */
void report_soon(struct proxies *proxies);
