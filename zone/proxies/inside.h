/* zone/proxies/inside.h - what the files of this room share. Private to it.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "policy/policy.h"
#include "zone/logs/denials.h"
#include "zone/logs/logs.h"
#include "zone/logs/record.h"
#include "zone/observed/observed.h"
#include "zone/proxies/away.h"
#include "zone/proxies/proxies.h"
#include "zone/proxies/receivers.h"
#include "zone/proxies/serving.h"

#include <uthash.h>

enum { PUSHES_KEPT = 8192 }; /* whose revisions are remembered */

struct loop_timer;

/* A resource whose file its Envoy could not open. */
struct muted {
	enum envoy_type type;
	char *name, *path;    /* owned; path "": which one is not known */
	char *error, *policy; /* owned; whose file it is; "": nobody's now */
};

struct proxy {
	UT_hash_handle hh;
	struct resource *resource; /* held; NULL: not registered */
	struct resource *last;     /* held; what it was, so whom its streams belong to */
	bool contested;            /* others wanted this id, and do not have it */
	bool connected;
	bool due;         /* of a zone proxy: it is to have something else, in a moment */
	struct away away; /* its Envoy */
	uint64_t wanted, acked;  /* numbers of pushes; 0: none */
	struct zl_buf services;  /* that its last push leads to */
	struct zl_buf secrets;   /* names of those that its last push has a use for */
	uint64_t identified;     /* number of the first push with its identity; 0: none */
	bool has_identity;       /* and it has acknowledged that */
	uint64_t brought;        /* number of the last push with a content; 0: none */
	uint64_t brought_rev;    /* that named it; the first of those not acknowledged */
	struct serving serving;  /* of a ZoneEgress */
	struct zl_buf receivers; /* of its access logs, see receivers.h */
	struct muted *muted;     /* owned */
	size_t muted_count;
	struct envoy_config *loud;  /* held: what it would have if nothing were muted */
	struct envoy_config *quiet; /* held: what it was sent instead; NULL as loud */
	uint64_t detail_until_ms;   /* it reports each endpoint; 0: it does not */
	char id[];
};

struct proxies {
	struct proxies_setup setup;
	struct xds_server *xds;
	struct proxy *all;         /* owned, by id */
	struct observed *observed; /* owned, as logs and denials */
	struct logs *logs;
	struct denials *denials;
	struct policy_index *index;  /* held */
	struct inventory *inventory; /* held; the registry's at the last update */
	uint64_t rev;                /* of global, in force */
	uint64_t number;             /* of the last push */
	uint64_t revs[PUSHES_KEPT];  /* that push n brought in force, at n modulo */
	bool begun, reporting, asking, relaying;
	struct loop_timer *spreading, *passing, *doubting, *awaiting, *detailing;
	uint64_t next_pass_ms;     /* before that zone proxies are not pushed again */
	bool observed_news;        /* that no report told of yet */
	uint64_t observed_told_ms; /* when the last one did */
	struct zl_arena *told;     /* owned: what it told */
	const struct sync_observed *told_list;
	size_t told_count;
	struct proxies_counts counts;
};

/* proxies.c */
struct proxy *proxies_find(const struct proxies *proxies, const char *id);
struct proxy *proxies_find_or_make(struct proxies *proxies, const char *id);
/* It is neither registered nor connected any more, perhaps. */
void proxies_drop_if_idle(struct proxies *proxies, struct proxy *proxy);

/* True for a Dataplane, which is not a zone proxy. */
static inline bool proxy_is_dataplane(const struct proxy *proxy)
{
	return proxy->resource != NULL && proxy->resource->key.kind == KIND_DATAPLANE;
}

/* push.c: bring a proxy what it is to have now, if it is there. */
void push_proxy(struct proxies *proxies, struct proxy *proxy);
void push_all(struct proxies *proxies);
bool push_needs_secret(const struct proxy *proxy, const char *mesh, const char *name);

/* passing.c: zone proxies have much to have, so changes of a moment make one push. */
struct loop_timer *passing_timer(struct proxies *proxies);
void passing_soon(struct proxies *proxies, struct proxy *proxy);

/* egresses.c: which of them take connections */
struct loop_timer *egresses_timer(struct proxies *proxies);
/* For policy_options. */
bool egresses_serve(const void *owner, const struct resource *egress);
void egresses_start(struct proxies *proxies);
void egresses_take(struct proxies *proxies, struct proxy *proxy,
		   enum serving_event event);
/* Its Envoy said something; all: it has all that it is to have. */
void egresses_hear(struct proxies *proxies, struct proxy *proxy, bool all);

/* identities.c: which proxies have one, where plain connections are taken as well */
struct loop_timer *identities_timer(struct proxies *proxies);
/* For policy_options: does this Dataplane take mTLS? */
bool identities_has(const void *owner, const struct resource *dataplane);
/* Remember the push that brings the Dataplane's identity. */
void identities_note(struct proxy *proxy, const struct envoy_config *config,
		     struct zl_arena *arena);
/* It acknowledged something. */
void identities_take(struct proxies *proxies, struct proxy *proxy);
/* Meshes changed: without mTLS nobody takes it. */
void identities_look(struct proxies *proxies);

/* awaiting.c: Envoys that are not connected for a moment are counted all the same */
struct loop_timer *awaiting_timer(struct proxies *proxies);
/* The zone starts: whoever was there before comes back. */
void awaiting_begin(struct proxies *proxies);
void awaiting_left(struct proxies *proxies, struct proxy *proxy);
bool awaiting_counts(const struct proxies *proxies, const struct proxy *proxy);

/* observing.c: what proxies tell of their traffic */
struct loop_timer *observing_timer(struct proxies *proxies);
/* For xds_ops. */
void observing_take(void *owner, const char *id, const struct xds_load *loads,
		    size_t count);

/* logging.c: what proxies log */
/* For xds_ops. */
void logging_take(void *owner, const char *id, const struct xds_log_record *record);

/* muting.c: files that an Envoy cannot open */
/* The path that Envoy complains of, "" if it is cut off; free() it. NULL: it does not. */
char *muting_path(const char *nack);
/* The proxy refused a resource. True: something else is to be sent. */
bool muting_take(struct proxy *proxy, const struct xds_resource_status *what);
/* *config, of routes, becomes what the proxy can take. Once one of the
 * resources that name the files is to be another, all is tried with them again. */
void muting_apply(struct proxy *proxy, const struct routes *routes,
		  const struct envoy_secrets *secrets, struct envoy_config **config);
/* What the proxy was sent last, if it has something muted. */
struct envoy_config *muting_config(const struct proxy *proxy, const struct routes *routes,
				   const struct envoy_secrets *secrets);
/* Another Envoy may be able to open what this one was not. */
void muting_end(struct proxy *proxy);

/* reports.c */
/* The revision that a connected proxy surely has. */
uint64_t report_rev(const struct proxies *proxies, const struct proxy *proxy);
/* It is there, and has not acknowledged all that it is to have. */
bool report_is_pending(const struct proxy *proxy);
/* Work out how the splits of MeshTCPRoutes went that had connections lately, for the
 * reports from now on: it costs too much for each of them. */
void report_observed(struct proxies *proxies);
/* Several acknowledgements of one turn make one report. */
void report_soon(struct proxies *proxies);
