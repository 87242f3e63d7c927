/* sync/zone.h - a zone's end of the replication protocol.
 *
 *     BOOT -> JOIN -> SYNC <-> LIVE -> REPAIR, STALE        JOIN: no session with global
 *                      |  ^                                 SYNC: asks for the log
 *                      v  |                                 SNAP: copies everything
 *                      SNAP -> HELD                         LIVE: follows the hints
 *                                                           STALE: no BEAT comes
 *
 * A copy that would take away much of what the set shows is HELD: it stays staged and
 * follows global there, and the set stays as it is, until an operator accepts it (here,
 * by ACCEPT, or at global) or it takes away less. HOLD notes what is held, so that it can
 * be given back in START.
 *
 * The owner keeps a set and a store. It carries out the actions in order; store actions
 * carry tickets that count up and may be carried out by a worker, in order, several in
 * one commit. Then the owner sends COMMITTED or STAGED with the last ticket done, or
 * FAILED with the first that could not be: that one and all after it are void.
 * APPLY goes to the set at once and to the store when it can; an entry that the set
 * already has (given again after FAILED) is for the store alone.
 *
 * An own inventory is kept here: the owner says what changed, and the machine sends it
 * all at the start of each session, then what changes, the newest value of each key.
 *
 * Threads:  one.
 * Lifetime: sync_zone_new, sync_zone_free; see sync.h for events and actions.
 */
#pragma once

#include "sync/sync.h"

enum sync_zone_state {
	SYNC_BOOT,
	SYNC_JOIN,
	SYNC_SYNC,
	SYNC_SNAP,
	SYNC_HELD,
	SYNC_LIVE,
	SYNC_REPAIR,
	SYNC_STALE,
	SYNC_STOPPED,
	SYNC_ZONE_STATES
};

enum sync_zone_event_kind {
	SYNC_EV_START,     /* state: what the store holds, its digest computed anew; held:
			      what HOLD noted if it is staged still, with loss; or NULL */
	SYNC_EV_TICK,      /* due when wake_at has come */
	SYNC_EV_PUB,       /* bytes */
	SYNC_EV_REPLY,     /* id, bytes */
	SYNC_EV_LOST,      /* id: no reply will come */
	SYNC_EV_PIPE,      /* the SUB connection came (up) or went */
	SYNC_EV_INVENTORY, /* ops; full: all there is, else changes */
	SYNC_EV_REPORT,    /* report: send it now rather than with the next lease; while
			      something is being stored, when that is done */
	SYNC_EV_COMMITTED, /* id: ticket, state: what is durable now */
	SYNC_EV_STAGED, /* id: ticket, state.digest: of all that is staged, with loss */
	SYNC_EV_FAILED, /* id: ticket; damaged: a record in the store is, a copy mends it
			 */
	SYNC_EV_ACCEPT, /* an operator lets what is held take effect */
	SYNC_EV_WANT,   /* secrets: all whose content is missing */
	SYNC_EV_STOP,   /* say goodbye; nothing follows */
	SYNC_ZONE_EVENTS
};

struct sync_zone_event {
	enum sync_zone_event_kind kind;
	uint64_t now; /* milliseconds, never goes back */
	uint64_t dice;
	uint64_t id;
	const void *bytes;
	size_t len;
	struct sync_state state;
	const struct sync_state *held;
	struct sync_loss loss; /* of the set, if what is staged took its place */
	const struct op *ops;
	size_t op_count;
	bool full, damaged, up;
	const struct sync_report *report;
	const struct sync_secret *secrets;
	size_t secret_count;
};

enum sync_zone_do {
	SYNC_DO_SEND,      /* request id, bytes; LOST if no answer within deadline_ms */
	SYNC_DO_APPLY,     /* entries to set and store; position after them */
	SYNC_DO_STAGE,     /* records beside the store; first: drop what was staged */
	SYNC_DO_STAGE_LOG, /* entries over what is staged: see below */
	SYNC_DO_SWAP,      /* what is staged becomes set and store, at position */
	SYNC_DO_HOLD,      /* note position and digest beside what is staged; no ticket */
	SYNC_DO_UNHOLD,    /* forget that note */
	SYNC_DO_REPAIR,    /* records replace or delete; position stays */
	SYNC_DO_REDIAL,    /* close and make anew the connections to global */
	SYNC_DO_SECRET,    /* secret: bytes is its content; NULL: text says why not */
	SYNC_DO_TELL       /* the state changed, or text is not NULL and to be logged */
};
/* What is wanted and cannot be had is asked for again every few seconds. */
/* STAGE_LOG: put and delete each only over a staged record with mod_rev below the
 * entry's rev, for what was staged may be newer than the entry. */

struct sync_zone_action {
	enum sync_zone_do kind;
	uint64_t id; /* of the request, or the ticket */
	const void *bytes;
	size_t len;
	uint32_t deadline_ms;
	const struct sync_entry *entries;
	size_t entry_count;
	const struct sync_record *records;
	size_t record_count;
	bool first;
	struct position position;
	struct digest digest;
	struct sync_secret secret;
	const char *text;
	bool alarm; /* text is for an operator to act on */
};

struct sync_zone_todo {
	const struct sync_zone_action *actions;
	size_t count;
	uint64_t wake_at; /* the next TICK is due then */
};

struct sync_zone_setup {
	const char *zone;  /* its name */
	const char *build; /* shown at global */
	const char *host;  /* where it runs, shown at global; NULL: not */
	uint8_t uuid[SYNC_UUID];
	uint64_t incarnation; /* one more at each start, durable before it is used */
	uint64_t session;     /* random, not 0 */
	size_t push_max;      /* less than SYNC_BATCH_MAX; 0: that */
	const struct sync_store_ops *ops; /* borrowed, as io */
	void *io;
};

/* For the status of a zone. */
struct sync_zone_view {
	enum sync_zone_state state;
	uint64_t since;       /* when it came to that */
	uint64_t fence;       /* 0: no session */
	uint64_t lease_until; /* of the session */
	uint64_t last_beat;   /* 0: none yet */
	struct position head; /* what the set shows */
	struct sync_state durable;
	uint64_t global_rev; /* the newest known of */
	uint64_t inv_seq, inv_acked;
	uint64_t dropped;  /* messages that were none */
	uint64_t features; /* that global can do too */
	bool is_held;      /* a copy waits for an operator: held */
	struct sync_held held;
	const char *trouble; /* why it is not LIVE; "" */
};

struct sync_zone;

struct sync_zone *sync_zone_new(const struct sync_zone_setup *setup);
void sync_zone_free(struct sync_zone **zonep);

/* Take one event. The same machine and event give the same actions. */
struct sync_zone_todo sync_zone_step(struct sync_zone *zone,
				     const struct sync_zone_event *event);

struct sync_zone_view sync_zone_view(const struct sync_zone *zone);
const char *sync_zone_state_name(enum sync_zone_state state); /* "live" */
