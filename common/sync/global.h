/* sync/global.h - global's end of the replication protocol: one session per zone.
 *
 *     NONE -HELLO-> ACTIVE -lease ended-> EXPIRED -HELLO-> ACTIVE -BYE-> OFFLINE
 *
 * Of two processes with the name of one zone one is refused (uuid and incarnation say
 * which), and the requests of a session that another has replaced are FENCED. A name that
 * goes back and forth is QUARANTINED until RELEASE. A zone that proves that this global
 * has lost commits (it is ahead in global's own epoch) makes global begin a new epoch;
 * one zone alone can do that once in ten minutes, and must copy everything after that.
 *
 * The owner sends COMMITTED after each durable commit, in order, and carries out the
 * actions in order. Those with a ticket are answered by DONE when they are durable.
 *
 * Threads:  one.
 * Lifetime: sync_global_new, sync_global_free; see sync.h for events and actions.
 */
#pragma once

#include "sync/sync.h"

enum sync_session_state {
	SYNC_NONE,
	SYNC_ACTIVE,
	SYNC_EXPIRED, /* what it wrote is kept, and is stale */
	SYNC_OFFLINE, /* said goodbye */
	SYNC_QUARANTINED,
	SYNC_SESSION_STATES
};

/* What is stored of a zone that has joined. */
struct sync_zone_record {
	uint8_t uuid[SYNC_UUID];
	uint64_t incarnation, session, fence;
	bool quarantined;
};

/* A process that was refused because another one has its zone's name. */
struct sync_rival {
	uint64_t until; /* it asks again before that, while it is there */
	const char *why, *build, *host;
};

struct sync_global_ops {
	struct sync_store_ops store;
	/* The chain after rev; rev 0 has one too. False: not known any more. */
	bool (*chain)(void *io, uint64_t rev, uint8_t chain[POSITION_CHAIN]);
	/* The commit rev, its bytes in arena. ZL_ENOENT: not in the log any more. */
	enum zl_code (*entry)(void *io, uint64_t rev, struct zl_arena *arena,
			      struct sync_entry *out, struct zl_err *err);
	uint64_t (*floor)(void *io); /* the oldest rev in the log; head + 1: empty */
	/* Records in order of keys, after a key; after_len 0: from the first. */
	enum zl_code (*each)(void *io, const void *after, size_t after_len,
			     sync_record_fn *fn, void *arg, struct zl_err *err);
	/* One record, in arena. ZL_ENOENT: there is none. */
	enum zl_code (*get)(void *io, const void *key, size_t key_len, uint64_t *rev,
			    struct zl_arena *arena, struct sync_record *out,
			    struct zl_err *err);
	/* The content of a Secret that zone has a use for, in arena. ZL_ENOENT: not this
	 * version, or none; ZL_EACCES: it is not for this zone. NULL: there are none. */
	enum zl_code (*secret)(void *io, const char *zone,
			       const struct sync_secret *secret, struct zl_arena *arena,
			       struct sync_bytes *out, struct zl_err *err);
	/* What SAVE_ZONE stored. False: nothing. */
	bool (*zone)(void *io, const char *zone, struct sync_zone_record *out);
};

enum sync_global_event_kind {
	SYNC_GEV_START,     /* state: what the store holds */
	SYNC_GEV_TICK,      /* due when wake_at has come */
	SYNC_GEV_REQUEST,   /* bytes; id: where the reply goes; identity or NULL */
	SYNC_GEV_COMMITTED, /* entry and state after it */
	SYNC_GEV_DONE, /* id: ticket; ok: durable, else it failed. Of NEW_EPOCH: state */
	SYNC_GEV_RELEASE, /* zone: an operator lets another process have this name */
	SYNC_GEV_ACCEPT,  /* zone: an operator lets it take what it holds now */
	SYNC_GLOBAL_EVENTS
};

struct sync_global_event {
	enum sync_global_event_kind kind;
	uint64_t now; /* milliseconds, never goes back */
	uint64_t dice;
	uint64_t id;
	bool ok;
	bool waited; /* of COMMITTED: somebody waits until zones have it */
	const void *bytes;
	size_t len;
	const char
		*identity; /* the zone that the peer's certificate names; NULL: no TLS */
	const char *zone;
	struct sync_entry entry;
	struct sync_state state;
};

enum sync_global_do {
	SYNC_DO_REPLY,     /* bytes to the request id */
	SYNC_DO_PUBLISH,   /* bytes to all */
	SYNC_DO_SAVE_ZONE, /* ticket, or 0: nobody waits; zone, record */
	SYNC_DO_WRITE,     /* ticket; ops of zone; full: it has nothing else */
	SYNC_DO_NEW_EPOCH, /* ticket; epoch: store it, then DONE */
	SYNC_DO_ZONE,      /* what sync_global_zone says of zone has changed */
	SYNC_DO_LOG        /* text; alarm: for an operator to act on */
};
/* WRITE: the owner leaves out what the zone may not write and what is there already. If
 * nothing remains, DONE comes without a commit. */

struct sync_global_action {
	enum sync_global_do kind;
	uint64_t id; /* of the request, or the ticket */
	const void *bytes;
	size_t len;
	const char *zone;
	struct sync_zone_record record;
	const struct op *ops;
	size_t op_count;
	bool full;
	uint8_t epoch[POSITION_EPOCH];
	const char *text;
	bool alarm;
};

struct sync_global_todo {
	const struct sync_global_action *actions;
	size_t count;
	uint64_t wake_at;
};

/* What is known of a zone. Texts are valid until the next step. */
struct sync_session_view {
	const char *zone;
	enum sync_session_state state;
	uint64_t since; /* when it came to that */
	uint64_t fence;
	uint64_t lease_until; /* if ACTIVE */
	uint64_t heard_at;    /* of its last request; 0: none since this process began */
	const char *build, *host;
	const struct sync_rival *rival; /* NULL: none of late */
	uint64_t features;              /* that both can do */
	bool is_held, accepted;         /* held: a copy that waits for an operator */
	struct sync_held held;
	struct position applied; /* what it holds durably */
	uint64_t inv_seq;        /* of its inventory, acknowledged */
	const char *zone_state;  /* "live" */
	struct sync_report report;
};

struct sync_global_setup {
	uint64_t instance; /* random: a zone sees by it that global began anew */
	uint32_t lease_ms; /* 0: SYNC_LEASE_MS */
	/* Less than SYNC_DELTA_MAX, SYNC_BATCH_MAX, SYNC_CHUNK_MAX; 0: these. */
	size_t delta_max, batch_max, chunk_max;
	const struct sync_global_ops *ops; /* borrowed, as io */
	void *io;
};

struct sync_global;

struct sync_global *sync_global_new(const struct sync_global_setup *setup);
void sync_global_free(struct sync_global **globalp);

struct sync_global_todo sync_global_step(struct sync_global *global,
					 const struct sync_global_event *event);

/* False: never heard of. Zones by index in order of their names, and by name. */
size_t sync_global_zone_count(const struct sync_global *global);
struct sync_session_view sync_global_zone_at(const struct sync_global *global,
					     size_t index);
bool sync_global_zone(const struct sync_global *global, const char *zone,
		      struct sync_session_view *out);
const char *sync_session_state_name(enum sync_session_state state); /* "active" */

/* The oldest rev that the log must keep for a copy under way; UINT64_MAX: none. */
uint64_t sync_global_pin(const struct sync_global *global);
