/* sync/zone_parts.h - the inside of a zone's machine, shared by its files.
 *
 *     zone.c          events, state, requests
 *     zone_time.c     how long to wait for what; when to dial anew
 *     zone_session.c  hello, lease, fences
 *     zone_log.c      hints and the log
 *     zone_snap.c     copy of everything
 *     zone_hold.c     copies that wait for an operator
 *     zone_repair.c   what differs at equal positions
 *     zone_secret.c   contents of Secrets
 *
 * Private to the room.
 *
 * Threads:  one.
 */
#pragma once

#include "sync/codec.h"
#include "sync/outbox.h"
#include "sync/zone.h"

/* One question at a time each: about the log and the session, the lease, the inventory,
 * the content of Secrets. */
enum channel { MAIN, LEASE, PUSH, SECRET, CHANNELS };

enum { PAST = 8 };

struct asked {
	uint64_t id; /* 0: nothing is asked */
	enum sync_type type;
	uint64_t at, until;
	unsigned lost; /* in a row before it */
};

/* An entry that comes in parts. */
struct parts {
	uint64_t rev; /* 0: none */
	uint8_t chain[POSITION_CHAIN];
	uint64_t total;
	struct zl_buf bytes;
};

struct snap {
	uint64_t id;
	bool started, copied;
	struct position at;   /* base, then how far the log was replayed */
	struct zl_buf cursor; /* the last key staged */
	uint64_t staging;     /* ticket that is waited for */
	struct digest digest; /* of what is staged */
	bool complete;        /* the log was replayed up to target */
	struct sync_state target;
	unsigned differs; /* times that target and stage differed */

	struct sync_loss loss; /* of the set, if this took its place */
	bool held, accepted;
	struct sync_held hold;    /* as global is told */
	struct sync_state proved; /* where it was last known to be what global has */
	bool behind;              /* global is not there any more */
};

enum repair_phase { REPAIR_SUMS, REPAIR_KEYS, REPAIR_VALUES, REPAIR_WRITE };

struct repair {
	enum repair_phase phase;
	unsigned tries; /* since the digests were equal last */
	uint8_t buckets[DIGEST_BUCKETS];
	size_t bucket_count;
	struct sync_bytes *wanted; /* keys, in the arena */
	size_t wanted_count, got;
	struct sync_record *records; /* what is to be written, in the arena */
	size_t record_count, capacity;
	struct zl_arena *arena; /* owned */
};

/* Contents that are wanted, the next one first. */
struct wants {
	struct zl_arena *arena; /* owned */
	struct sync_secret *list;
	size_t count;
};

struct sync_zone {
	struct sync_zone_setup setup;
	char *name, *build, *host;        /* owned; setup's point to them */
	struct zl_arena *turn;            /* owned; for one step */
	struct sync_zone_action *actions; /* owned */
	size_t count, capacity;
	uint64_t now, dice; /* of this step */

	enum sync_zone_state state;
	uint64_t since;
	char trouble[SYNC_TEXT_MAX];
	uint64_t dropped;

	uint64_t next_id;
	struct asked asked[CHANNELS];
	uint64_t retry_at[CHANNELS]; /* not before then */
	uint64_t backoff;
	unsigned unanswered; /* since the last answer */
	uint64_t unanswered_since;
	struct asked past[PAST]; /* given up, which may be answered late */
	unsigned past_next;

	uint64_t rtt, rtt_var; /* of answers, in ms, and what it varies by; 0: unknown */
	uint64_t rtt_least;    /* the shortest of late */
	uint64_t beat_ms;      /* between beats, as global says */
	uint64_t late;         /* so late they have been of late */
	uint64_t dialled_at;   /* when a connection came or went */
	unsigned dials;        /* in a row that did not bring all back */
	unsigned came;         /* of a beat and an answer, since the last one */

	uint64_t fence, instance, features;
	uint32_t lease_ms;
	uint64_t lease_until, lease_at;
	uint64_t soon_at;           /* what is new is said by then, 0: nothing is */
	struct position lease_head; /* head when the last lease was asked for */
	uint64_t waited;            /* the last revision that somebody waits for */
	uint64_t told;              /* what global knows to be stored and acknowledged */
	bool report_new;            /* to be said now */
	bool report_waits;          /* for what is being stored, to be said with that */
	Sync__Report *report;       /* in report_arena */
	struct zl_arena *report_arena; /* owned */

	uint64_t last_beat, beat_before, listen_since;
	uint64_t polled;   /* for the silence since then global was asked */
	uint64_t catch_at; /* 0: not known to be behind */
	uint64_t global_rev;

	struct position head;
	struct sync_state durable;
	uint64_t ticket;    /* the last one given */
	uint64_t voided;    /* these and all before that are not done never will be */
	uint64_t barrier;   /* nothing is applied before this ticket is durable */
	uint64_t unsettled; /* bytes given since the store had caught up */

	struct parts parts;
	struct zl_buf whole; /* an entry that came in parts, given out in this step */
	struct snap snap;
	unsigned snap_failed; /* copies in a row that came to nothing */
	struct repair repair;
	struct outbox outbox;
	struct wants wants;
};

/* zone.c */
void zone_move(struct sync_zone *zone, enum sync_zone_state to);
void zone_alarm(struct sync_zone *zone, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
struct sync_zone_action *zone_act(struct sync_zone *zone, enum sync_zone_do kind);
Sync__Head *zone_head(struct sync_zone *zone);
/* Ask; body has zone_head's head. */
void zone_ask(struct sync_zone *zone, enum channel channel, enum sync_type type,
	      const void *body);
/* Nothing new for the main channel for a while, longer each time. */
void zone_back_off(struct sync_zone *zone);
uint64_t zone_roll(struct sync_zone *zone, uint64_t limit); /* below limit */
/* A beat came; gap: the first one for long. */
bool zone_is_settled(const struct sync_zone *zone); /* the store has all of head */
bool zone_may_apply(const struct sync_zone *zone);

/* zone_time.c */
void zone_time_start(struct sync_zone *zone);
/* asked[channel] is new: until when, and for how long the link waits for an answer. */
uint32_t zone_time_asked(struct sync_zone *zone, enum channel channel);
/* An answer came, to a question of then, or to one that was given up. */
void zone_time_answered(struct sync_zone *zone, uint64_t asked_at);
void zone_time_late(struct sync_zone *zone, uint64_t id);
/* True: beats did not come for a while before this one. */
bool zone_time_beat(struct sync_zone *zone, uint32_t interval_ms);
void zone_time_piped(struct sync_zone *zone); /* a connection came or went */
bool zone_is_silent(const struct sync_zone *zone);
void zone_heard(struct sync_zone *zone, bool gap);
void zone_lost(struct sync_zone *zone, enum channel channel);
void zone_unanswered(struct sync_zone *zone, enum channel channel);
/* What is due of timers that are not about a question of ours. */
void zone_watch(struct sync_zone *zone);
uint64_t zone_time_next(const struct sync_zone *zone);

/* zone_session.c */
void zone_hello(struct sync_zone *zone);
void zone_lease(struct sync_zone *zone);
void zone_report(struct sync_zone *zone, const struct sync_report *report);
void zone_lose_session(struct sync_zone *zone, uint64_t hello_at);
void zone_on_welcome(struct sync_zone *zone, const void *body);
void zone_on_refused(struct sync_zone *zone, const void *body);
void zone_on_fenced(struct sync_zone *zone, const void *body);
void zone_on_unknown(struct sync_zone *zone, const void *body);
void zone_on_leased(struct sync_zone *zone, const void *body);

/* zone_log.c */
void zone_fetch(struct sync_zone *zone, const struct position *from);
void zone_on_delta(struct sync_zone *zone, const void *body);
void zone_on_nudge(struct sync_zone *zone, const void *body);
void zone_on_beat(struct sync_zone *zone, const void *body);
void zone_on_log(struct sync_zone *zone, const void *body);
void zone_on_reset(struct sync_zone *zone, const void *body);
/* Global stands there: are we behind, ahead, apart, damaged? */
void zone_compare(struct sync_zone *zone, const struct sync_state *global);
/* The entries of log that follow *at, which they advance. False: log is another history
 * than ours. */
bool zone_log_take(struct sync_zone *zone, struct position *at, const Sync__Log *log,
		   struct sync_entry **entries, size_t *count);
void zone_clear_parts(struct sync_zone *zone);

/* zone_snap.c */
void zone_snap_begin(struct sync_zone *zone);
void zone_snap_ask(struct sync_zone *zone);
void zone_on_chunk(struct sync_zone *zone, const void *body);
void zone_snap_on_log(struct sync_zone *zone, const Sync__Log *log);
void zone_snap_staged(struct sync_zone *zone, const struct sync_zone_event *event);
void zone_snap_swap(struct sync_zone *zone);
void zone_snap_again(struct sync_zone *zone); /* later, longer each time */

/* zone_hold.c */
/* May what is staged take the place of what is shown? Else it is held now. */
bool zone_hold_passes(struct sync_zone *zone);
void zone_hold_start(struct sync_zone *zone, const struct sync_zone_event *event);
void zone_hold_resume(struct sync_zone *zone);
void zone_hold_end(struct sync_zone *zone);
void zone_hold_compare(struct sync_zone *zone, const struct position *global);
/* name NULL: whatever is held. */
void zone_hold_accept(struct sync_zone *zone, const struct sync_state *name);
Sync__Held *zone_hold_out(struct sync_zone *zone); /* NULL: nothing is held */

/* zone_repair.c */
void zone_repair_begin(struct sync_zone *zone);
void zone_repair_ask(struct sync_zone *zone);
void zone_on_sums(struct sync_zone *zone, const void *body);
void zone_on_keys(struct sync_zone *zone, const void *body);

/* zone_secret.c */
void zone_want(struct sync_zone *zone, const struct sync_secret *secrets, size_t count);
void zone_secret_ask(struct sync_zone *zone);
void zone_on_secret(struct sync_zone *zone, const void *body);
