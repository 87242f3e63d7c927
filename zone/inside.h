/* zone/inside.h - the parts that the process is made of. Private to the room.
 *
 * Threads:  the loop's, but for what a store's writer posts to the inbox.
 * Lifetime: that of the process.
 */
#pragma once

#include "zone/process.h"

#include "sync/sync.h"
#include "zone/inventory/registry.h"

enum {
	INBOX = 16384,
	SHUTDOWN_SECONDS = 10,
	HOLD_MS = 2000, /* first answers to proxies wait so long for news from global */
	OFFER_MS = 20,  /* changes of the inventory within this time travel together */
	LAST_WORDS_MS = 3000, /* so long an end waits for clients to take their answers */
	GOODBYE_MS = 500,     /* and for global to hear of it */
	LAST_LOOK_MS = 5,
	SWEEP_MS = 3600 * 1000, /* between two looks for addresses that nobody has */
};

/* A store and the letters of its writer thread. */
struct desk {
	struct process *process;
	struct store *store;
};

/* From a writer thread; results are owned. */
struct letter {
	struct desk *desk;
	struct store_result *results;
};

struct process {
	struct config *config; /* borrowed */
	struct loop *loop;
	struct mailbox *inbox; /* letters: struct letter */
	struct loop_watch *watch;
	struct pki_vault *vault;
	struct trust *trust;
	struct desk replica, local;
	struct set *local_set; /* held; what was written here */
	struct vips *vips;     /* NULL: global gives addresses */
	struct registry registry;
	struct folder *folder; /* NULL: none is watched */
	struct uplink *uplink; /* NULL: the zone is alone */
	struct join *join;     /* the same */
	struct prober *prober;
	struct names *names;
	struct services *services;
	struct proxies *proxies;
	struct api *api;
	struct keeper *keeper; /* NULL: the zone is alone */
	struct workloads *workloads;
	struct loop_timer *hold, *offer, *ending, *sweeping;
	uint64_t stopped_ms; /* when it was told to end */
	bool offered;
	bool is_lost; /* a damaged replica was moved aside, and no other is here yet */
	size_t kept_told; /* how many were told to stay at home */
	bool closing;     /* nothing is submitted any more */
};

/* ---- stores.c ---- */

/* The inbox: results of both stores. */
void process_take(void *arg, unsigned events);
ZL_MUST_USE enum zl_code process_open_vault(struct process *process, struct zl_err *err);
ZL_MUST_USE enum zl_code process_open_local(struct process *process, struct zl_err *err);
ZL_MUST_USE enum zl_code process_open_replica(struct process *process,
					      struct zl_err *err);
ZL_MUST_USE enum zl_code process_open_vips(struct process *process, struct zl_err *err);
/* Timer: addresses that nobody has any more. */
void process_sweep(void *arg);
ZL_MUST_USE enum zl_code process_load_local(struct process *process, struct zl_err *err);
/* Everything that was submitted gets its result before the rooms that wait are
 * closed. */
void process_flush(struct process *process, struct desk *desk);

/* ---- news.c ---- */

/* The revision of global that the zone is at. */
uint64_t process_rev(const struct process *process);
/* A part of the registry is set now; all who follow it are told. */
void process_update(struct process *process, enum registry_part part,
		    const struct set *set);
void process_open_names(struct process *process);
/* Timer: proxies get their first answers, whether global was heard or not. */
void process_begin(void *arg);
void process_open_prober(struct process *process);
ZL_MUST_USE enum zl_code process_open_folder(struct process *process, struct zl_err *err);
void process_open_services(struct process *process);

/* ---- upward.c ---- */

/* Timer: tell global what the zone offers. */
void process_offer(void *arg);
/* Ask global for contents of Secrets. */
void process_ask(void *owner, const struct sync_secret *list, size_t count);
/* How proxies stand and what probes found goes to global. */
void process_report(void *owner);
ZL_MUST_USE enum zl_code process_open_join(struct process *process, struct zl_err *err);
ZL_MUST_USE enum zl_code process_open_uplink(struct process *process, struct zl_err *err);

/* ---- downward.c ---- */

ZL_MUST_USE enum zl_code process_open_trust(struct process *process, struct zl_err *err);
ZL_MUST_USE enum zl_code process_open_proxies(struct process *process,
					      struct zl_err *err);
void process_open_keeper(struct process *process);
