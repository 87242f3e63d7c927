/* sim/world.h - one global and some zones: the real machines of common/sync, on a virtual
 * clock, with stores in memory and a network that the seed makes.
 *
 *     net.c        packets: loss, doubles, delay, order, full queues
 *     global.c     the owner of global's machine and its disk
 *     zone.c       the owner of a zone's machine, its disk and its inventory
 *     watch.c      rules of single messages
 *     world.c      one moment after the other, and what must be true in the end
 *
 * What goes wrong, and when, is for the tests to say.
 *
 * A process dies at any moment: its machine is gone, of what its disk had still to do
 * some is done and the rest is not. What is on the way to it finds its next life.
 */
#pragma once

#include "store.h"

#include "support/seeds.h"
#include "sync/zone.h"

enum {
	ZONES_MAX = 4,
	PACKETS_MAX = 512,
	JOBS_MAX = 256,
	HANDLES = 256,
	HISTORY_MAX = 4096,
	LEASE_MS = 3000,
	GLOBAL_KEYS = 24,
	ZONE_KEYS = 6,
	BACKUPS = 2
};

enum packet_kind { PACKET_PUB, PACKET_REQUEST, PACKET_REPLY, PACKET_LOST };

struct packet {
	uint64_t at;
	enum packet_kind kind;
	size_t zone;   /* from or to */
	uint64_t life; /* of the process that it is for; 0: any */
	uint64_t id;
	void *bytes; /* owned */
	size_t len;
};

/* What happens to one message that global publishes to the first zone. */
enum net_gap { GAP_NONE, GAP_LOST, GAP_TWICE, GAP_OVERTAKEN };

struct net {
	unsigned drop, twice, late;   /* percent */
	uint64_t slow;                /* the longest delay of a late one */
	uint64_t pub_dead[ZONES_MAX]; /* until then nothing published arrives */
	uint64_t cut[ZONES_MAX];      /* until then nothing at all arrives */
	uint64_t lag[ZONES_MAX], jitter[ZONES_MAX]; /* one way; jitter: at most more */
	enum net_gap gap;
	unsigned gap_in; /* messages until then */
	struct packet packets[PACKETS_MAX];
	size_t count;
	uint64_t next; /* nothing is due before then */
};

/* Something that a disk still has to do. */
struct job {
	int kind; /* of the action */
	uint64_t at, ticket;
	size_t zone;
	bool first, full;
	struct position position;
	struct digest digest;
	struct sync_zone_record record;
	struct sim_entry *entries;  /* owned */
	struct sim_record *records; /* owned; value NULL: deleted */
	size_t count;
};

struct disk {
	struct job jobs[JOBS_MAX];
	size_t count;
};

/* A host's clock begins anywhere, runs faster or slower than others, and jumps ahead when
 * the host did not run for a while. It never goes back. */
struct sim_clock {
	uint64_t begin;
	int skew; /* per mille */
};

struct global_node {
	struct sync_global *machine; /* NULL: down */
	struct sim_clock clock;
	uint64_t life, up_at, wake_at;
	struct disk disk;
	struct sim_store store;
	struct sync_zone_record zones[ZONES_MAX];
	bool known[ZONES_MAX];
	struct {
		uint64_t id;
		size_t zone;
		uint64_t life;
	} handles[HANDLES];
	uint64_t handle;
	bool pins; /* the log keeps what copies need */
};

struct zone_node {
	struct world *world;
	char name[8];
	struct sim_clock clock;
	struct sync_zone *machine; /* NULL: down */
	uint64_t life, up_at, wake_at;
	uint64_t incarnation;
	uint8_t uuid[SYNC_UUID];
	struct disk disk;
	struct sim_store store, stage;
	struct sim_store inventory; /* of the zone itself */
	struct sync_state noted;    /* by HOLD */
	bool has_note;
	uint64_t allowed;       /* an operator lets a copy remove so many */
	struct position newest; /* that the store ever had, of this epoch */
	bool rotten;
	bool spoiled; /* a part that does not fit has come */
	/* What looks connected and is not, until it is dialled anew. */
	bool deaf, dumb;
	uint64_t piped_at; /* it is connected from then on; 0: it is */
	unsigned redials, copies;
};

/* The request that global has. */
struct watch {
	bool fetching;
	struct position at;
};

struct world {
	uint64_t now;
	uint32_t lease_ms;
	bool well; /* the faults are over */
	struct dice dice;
	unsigned disk_fails; /* percent */
	struct net net;
	struct watch watch;
	struct global_node global;
	struct zone_node zones[ZONES_MAX];
	size_t zone_count;
	struct zl_arena *scratch;               /* owned; for one look */
	struct sync_state history[HISTORY_MAX]; /* all that was ever committed */
	size_t history_count;
	struct sim_store backups[BACKUPS];
	struct sync_zone_record backup_zones[BACKUPS][ZONES_MAX];
	bool backup_known[BACKUPS][ZONES_MAX];
	bool rewound; /* global lost commits and kept its epoch */
	size_t delta_max, batch_max, chunk_max;
	const char *wrong; /* the first rule that was broken */
};

/* net.c */
void net_send(struct world *world, enum packet_kind kind, size_t zone, uint64_t life,
	      uint64_t id, const void *bytes, size_t len);
void net_timer(struct world *world, size_t zone, uint64_t life, uint64_t id, uint64_t at);
/* The next packet that is due; its bytes are the caller's. */
bool net_take(struct world *world, struct packet *out);
uint64_t net_next(const struct world *world);
void net_fini(struct world *world);

/* global.c */
void global_start(struct world *world);
void global_crash(struct world *world);
void global_tick(struct world *world);
void global_request(struct world *world, const struct packet *packet);
void global_write(struct world *world);    /* a user changes something */
bool global_turn(struct world *world);     /* what the disk has done; false: nothing */
void global_operator(struct world *world); /* accepts and releases what waits for it */
void global_fini(struct world *world);

/* zone.c */
void zone_start(struct zone_node *zone);
void zone_crash(struct zone_node *zone);
void zone_tick(struct zone_node *zone);
void zone_piped(struct zone_node *zone); /* what was dialled is connected now */
void zone_packet(struct zone_node *zone, struct packet *packet);
void zone_change(struct zone_node *zone); /* its inventory changes */
void zone_simple(struct zone_node *zone, enum sync_zone_event_kind kind);
void zone_operator(struct zone_node *zone); /* accepts what the zone holds */
bool zone_turn(struct zone_node *zone);
void zone_fini(struct zone_node *zone);

/* watch.c */
void watch_request(struct world *world, const void *bytes, size_t len);
void watch_reply(struct world *world, const void *bytes, size_t len);
/* The state that the zone must be in after this, or SYNC that comes first; BOOT: any. */
enum sync_zone_state watch_beat(struct zone_node *zone, const struct packet *packet);
void watch_spoil(struct zone_node *zone, struct packet *packet);
void watch_ask(struct zone_node *zone, const void *bytes, size_t len);

/* world.c */
void world_setup(struct world *world, uint64_t seed);
void world_free(struct world *world);
void world_turn(struct world *world); /* everything that is due at this moment */
uint64_t world_next(const struct world *world); /* the next moment */
const char *world_differ(struct world *world);  /* NULL: all are the same and live */
void world_committed(struct world *world, const struct sync_state *state);
const struct sync_state *world_find(const struct world *world, const struct position *at);
void world_wrong(struct world *world, const char *what);

uint64_t clock_now(const struct sim_clock *clock, uint64_t now);
/* When the clock shows at; the other way round. */
uint64_t clock_when(const struct sim_clock *clock, uint64_t at);

/* A job for the disk, done after all before it. NULL: too many. */
struct job *disk_add(struct world *world, struct disk *disk, int kind, uint64_t ticket);
/* The first job, if it is due; the caller's. */
bool disk_take(struct disk *disk, uint64_t now, struct job *out);
void disk_clear(struct disk *disk);
void job_fini(struct job *job);
