/* sync/global_parts.h - the inside of global's machine, shared by its files.
 *
 *     global.c          events, requests, what is published
 *     global_session.c  hello, lease, fences
 *     global_read.c     log, copies, repairs
 *     global_push.c     the zones' inventories
 *     global_secret.c   contents of Secrets
 *
 * Private to the room.
 *
 * Threads:  one.
 */
#pragma once

#include "sync/codec.h"
#include "sync/global.h"

enum {
	GONE = 4,
	FLAPS = 2 /* with the next one a name is quarantined */
};

/* A reply that waits until something is durable. */
struct pending {
	uint64_t ticket; /* 0: none */
	uint64_t handle, req_id;
};

/* A zone's inventory as it comes in. */
struct inbox {
	uint64_t acked;     /* seq */
	uint64_t full_done; /* the full_id that was taken last */
	uint64_t full_id;   /* the one that is coming in; 0: none */
	uint32_t part;      /* the next one */
	size_t bytes;
	struct op *ops; /* owned by the arena */
	size_t op_count, capacity;
	struct zl_arena *arena; /* owned */
	struct pending write;
	uint64_t to_seq, to_full; /* what is acknowledged with it */
};

struct session {
	char name[SYNC_NAME_MAX + 1];
	enum sync_session_state state;
	uint64_t since, lease_until, heard_at;
	bool known; /* record is what is stored */
	struct sync_zone_record record;
	struct pending hello;
	struct sync_zone_record hello_record;
	uint64_t gone[GONE]; /* sessions that others replaced, the last one first */
	bool contested;      /* one of those said hello since the last change */
	uint64_t
		flaps[FLAPS]; /* when the name went over, the last time first; 0: never */
	uint64_t flap_session;   /* to whom */
	struct sync_rival rival; /* texts are in rival_text */
	char rival_text[2][SYNC_TEXT_MAX + 1];

	uint64_t snap_id, pin, pin_until; /* a copy under way; pin 0: none */

	char build[SYNC_TEXT_MAX + 1], host[SYNC_TEXT_MAX + 1];
	char zone_state[SYNC_NAME_MAX + 1];
	uint64_t features;
	bool is_held, accepted; /* accepted: held under that name */
	struct sync_held held;
	struct position applied;
	struct sync_report report;
	struct zl_arena *report_arena; /* owned */
	struct inbox inbox;
};

struct sync_global {
	struct sync_global_setup setup;
	struct zl_arena *turn;              /* owned; for one step */
	struct sync_global_action *actions; /* owned */
	size_t count, capacity;
	uint64_t now, dice; /* of this step */

	uint64_t started_at;
	struct sync_state head;
	uint64_t beat_at, beat_seq;
	uint64_t ticket; /* the last one given */
	uint64_t epoch_ticket;
	uint64_t epoch_at; /* the last time that a zone made us; 0: never */
	uint64_t ahead_at; /* since then a zone alone was ahead ... */
	char ahead_zone[SYNC_NAME_MAX + 1]; /* ... this one */
	uint64_t odd_at;                    /* a request was not understood; 0: none */
	uint64_t odd;                       /* such requests since that was told */
	struct session **sessions;          /* owned, in order of names */
	size_t session_count, session_capacity;
};

/* A request on its way through the machine. */
struct asking {
	uint64_t handle;
	const Sync__Head *head;
	const char *identity;
	struct session *session; /* NULL in a HELLO */
};

/* global.c */
struct sync_global_action *global_act(struct sync_global *global,
				      enum sync_global_do kind);
void global_reply(struct sync_global *global, uint64_t handle, enum sync_type type,
		  const void *body);
void global_later(struct sync_global *global, uint64_t handle, uint64_t req_id,
		  uint32_t retry_ms);
void global_log(struct sync_global *global, const char *zone, bool alarm, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));
/* A zone is ahead of us in our own epoch: some of what it has was lost here. False: it
 * said that before, nobody else did, and so no new epoch begins. */
bool global_new_epoch(struct sync_global *global, const struct asking *asking,
		      uint64_t rev);

/* global_session.c */
void global_hello(struct sync_global *global, const struct asking *asking,
		  const void *body);
void global_hello_saved(struct sync_global *global, struct session *session, bool ok);
void global_lease(struct sync_global *global, const struct asking *asking,
		  const void *body);
void global_bye(struct sync_global *global, const struct asking *asking,
		const void *body);
/* The session that asks, or NULL and it is answered. */
struct session *global_admit(struct sync_global *global, const struct asking *asking);
void global_expire(struct sync_global *global);
void global_release(struct sync_global *global, const char *zone);
void global_accept(struct sync_global *global, const char *zone);
struct session *global_session(const struct sync_global *global, const char *zone);
void global_refuse(struct sync_global *global, const struct asking *asking,
		   Sync__Refused__Reason reason, uint32_t retry_ms, const char *text);
void global_session_free(struct session *session);

/* global_read.c */
void global_fetch(struct sync_global *global, const struct asking *asking,
		  const void *body);
void global_snap(struct sync_global *global, const struct asking *asking,
		 const void *body);
void global_sums(struct sync_global *global, const struct asking *asking,
		 const void *body);
void global_keys(struct sync_global *global, const struct asking *asking,
		 const void *body);

/* global_push.c */
void global_push(struct sync_global *global, const struct asking *asking,
		 const void *body);
void global_written(struct sync_global *global, struct session *session, bool ok);
void inbox_clear(struct inbox *inbox);

/* global_secret.c */
void global_secret(struct sync_global *global, const struct asking *asking,
		   const void *body);
