/* sync/sync.h - what both ends of the replication protocol have in common.
 *
 * Global publishes hints (PUB) and answers requests (REP); a zone asks. Correctness rests
 * on the answers alone: with every hint lost a zone is as far behind as its lease is
 * long. Both ends are machines that decide and do nothing: event in, actions out. They
 * have no clock and no dice (both come with the event), no socket and no store; what is
 * stored they read through a small table of functions.
 *
 *     message   'Z' 'L' | version u8 = 1 | type u8 | body, a message of replication.proto
 *
 * A message that is no such message, or breaks a limit, is dropped and counted; global
 * tells of it too, once a minute.
 *
 * Threads:  each machine belongs to one thread.
 * Lifetime: what an event points to is read during the step; what an action points to is
 *           valid until the next step of the same machine.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "model/entry.h"
#include "model/position.h"

enum {
	SYNC_PROTO = 1,     /* the version that we speak */
	SYNC_NAME_MAX = 63, /* a zone's name */
	SYNC_UUID = 16,
	SYNC_MESSAGE_MAX = 2 << 20,
	SYNC_DELTA_MAX = 64 << 10,  /* an entry greater than this is not published */
	SYNC_BATCH_MAX = 512 << 10, /* of a LOG or PUSH, and of one part of an entry */
	SYNC_CHUNK_MAX = 1 << 20,
	SYNC_VALUE_MAX = 1 << 20,
	SYNC_SECRET_MAX = 64 << 10,
	SYNC_BEAT_MS = 1000,
	SYNC_SILENCE_MS = 3500, /* without a BEAT: the path is down */
	SYNC_LEASE_MS = 15000,
	SYNC_HELD_MIN = 10,     /* a copy that removes more than so many objects ... */
	SYNC_HELD_PERCENT = 20, /* ... and more than this part of them waits */
	SYNC_TROUBLES = 16,     /* of a report */
	SYNC_PROBES = 64,       /* of a report */
	SYNC_OBSERVED = 64,     /* of a report */
	SYNC_BACKENDS = 16,     /* of one observed split */
	SYNC_TEXT_MAX = 512     /* of a text in a report */
};

/* What an end can do beyond the first version; the numbers are sent, never change one. A
 * bit that the other end does not know means nothing to it. */
enum sync_feature {
	SYNC_FEATURE_HOLD = 1 << 0, /* waits for an operator before much is removed */
	SYNC_FEATURES = SYNC_FEATURE_HOLD
};

struct sync_bytes {
	const void *data;
	size_t len;
};

/* A Secret whose content is kept apart from the log: which, and of which version. */
struct sync_secret {
	const char *mesh, *name, *version;
};

/* Where a store stands. The digest is that of what it holds at this position. */
struct sync_state {
	struct position position;
	struct digest digest;
};

/* One commit: the bytes of a packed struct entry and the chain after it. */
struct sync_entry {
	uint64_t rev;
	uint8_t chain[POSITION_CHAIN];
	const void *bytes;
	size_t len;
};

struct sync_record {
	const void *key;
	size_t key_len;
	uint64_t mod_rev;
	const void *value;
	size_t value_len;
	bool deleted; /* only in a repair: take the key away */
};

/* Return false to see no more. */
typedef bool sync_record_fn(void *arg, const struct sync_record *record);

/* What both ends read of their store, each call at one moment: *rev says which. A record
 * that is damaged is given with its key and an empty value. */
struct sync_store_ops {
	enum zl_code (*sums)(void *io, uint64_t *rev, struct digest sums[DIGEST_BUCKETS],
			     struct zl_err *err);
	enum zl_code (*bucket)(void *io, uint8_t bucket, uint64_t *rev,
			       sync_record_fn *fn, void *arg, struct zl_err *err);
};

/* What a copy would take away of what a zone shows. Objects that users wrote are counted
 * beside all, so that a crowd of inventory does not outvote them. */
struct sync_loss {
	uint64_t shown, removed;
	uint64_t written, written_removed;
};

/* A copy that waits for an operator. Its name is where it stood when that was found. */
struct sync_held {
	struct sync_state name;
	uint64_t shown, removed;
};

/* Something about one proxy that its operator should know: a NACK, a laggard. */
struct sync_trouble {
	const char *proxy, *resource, *text; /* never NULL */
};

/* What a zone found of another one that global hears nothing of. */
struct sync_probe {
	const char *zone; /* never NULL */
	bool answers;     /* one of its ingresses does */
};

/* How the zone's proxies shared the connections of a destination, with these weights. */
struct sync_backend {
	const char *name; /* never NULL, as all texts */
	uint64_t weight, connections, open;
	bool observable; /* its share can be told */
};
struct sync_observed {
	const char *mesh, *route, *destination;
	uint32_t proxies, pending, deviating;
	const struct sync_backend *backends; /* at most SYNC_BACKENDS are sent */
	size_t backend_count;
};

/* What a zone tells global with each lease. */
struct sync_report {
	uint64_t acked_rev; /* all proxies have acknowledged what follows from it */
	uint32_t proxies, acked, nacked;
	bool healthy;
	const char *last_error;             /* "" for none */
	const struct sync_trouble *trouble; /* at most SYNC_TROUBLES are sent */
	size_t trouble_count;
	const struct sync_probe *probes; /* at most SYNC_PROBES are sent */
	size_t probe_count;
	const struct sync_observed *observed; /* at most SYNC_OBSERVED are sent */
	size_t observed_count;
};
