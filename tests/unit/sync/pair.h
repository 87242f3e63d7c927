/* unit/sync/pair.h - one global and up to three zones that hear each other at once. Disks
 * are done at once too. Messages are lost only where a test says so. */
#pragma once

#include "sim/store.h"
#include "sync/zone.h"

#include "support/test.h"

enum {
	ZONES = 3,
	SOON = 20 /* milliseconds until a zone has said what nobody waits for */
};

struct node {
	struct pair *pair;
	struct sync_zone *machine;
	struct sim_store store, stage;
	struct sync_zone_setup setup;
	char said[512]; /* the last text for people */
	bool alarmed;
	unsigned sends, redials, applies, swaps, repairs, repaired, entries;
	const char *refuse; /* the disk fails; NULL: it does not */
	bool damaged;       /* a record on it is: nothing but a copy can be written */
	char secret[64];    /* the last content that came, or why none did */
	unsigned secrets, secrets_refused;
	uint64_t asked;          /* its last question */
	struct sync_state noted; /* by HOLD */
	bool has_note;
	uint64_t wake_at;
};

struct pair {
	uint64_t now;
	struct sync_global *global;
	struct sim_store store;
	struct sync_zone_record records[ZONES];
	bool known[ZONES];
	struct sync_global_setup setup;
	struct node zones[ZONES];
	bool pub_lost, requests_lost, replies_lost;
	bool waited;       /* somebody waits for what is committed */
	bool broken;       /* global cannot read its store */
	bool epoch_fails;  /* nor begin a new epoch */
	bool replies_late; /* the last one is kept for pair_reply */
	struct {
		char *bytes; /* owned */
		size_t len, zone;
		uint64_t id;
	} late;
	const char *identity; /* of who asks */
	const char *secret;   /* content of each Secret that is asked for; NULL: none */
	char secret_zone[SYNC_NAME_MAX + 1]; /* who asked last */
	struct sim_store inventory;          /* what WRITE brought, of all zones */
	unsigned writes, epochs;
	uint64_t hold_write; /* 1: keep the next DONE; then its ticket */
	char said[512];
	uint64_t wake_at;
	size_t asking; /* the zone whose request is at global */
	uint64_t asking_id;
};

void pair_init(struct pair *pair);
void pair_fini(struct pair *pair);
void pair_global(struct pair *pair); /* begins, or begins anew */
/* A process of zone index; its store stays from the one before. */
struct node *pair_zone(struct pair *pair, size_t index, const char *name, uint8_t uuid,
		       uint64_t incarnation, uint64_t session);

void zone_event(struct node *node, struct sync_zone_event event);
void zone_simple(struct node *node, enum sync_zone_event_kind kind);
void global_event(struct pair *pair, struct sync_global_event event);

/* Put value at key at global; NULL: delete. told: the machine gets to know. */
void pair_commit(struct pair *pair, const char *key, const char *value, bool told);
/* What came late arrives. */
void pair_reply(struct pair *pair);
/* Let so many milliseconds pass, with a tick wherever one is due. */
void pair_pass(struct pair *pair, uint64_t ms);

enum sync_zone_state zone_state(const struct node *node);
bool pair_same(const struct pair *pair, const struct node *node);
enum sync_session_state session_state(const struct pair *pair, const char *zone);
