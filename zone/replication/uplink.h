/* zone/replication/uplink.h - a zone's end of replication at work: the machine of
 * sync/zone.h, the replica's store, and the link to global.
 *
 * The replica is what global said: a set that is shown at once, and a store that follows
 * it. What the owner sees first is what the store held when the process started.
 *
 * Threads:  the loop's.
 * Lifetime: uplink_close before the store and the loop are closed.
 */
#pragma once

#include "base/addr.h"
#include "model/set.h"
#include "store/write.h"
#include "sync/zone.h"

struct uplink;
struct loop;
struct pki_tls;
struct store;

struct uplink_setup {
	struct loop *loop;   /* borrowed, as store */
	struct store *store; /* of the replica */
	const char *zone;
	uint8_t uuid[SYNC_UUID];
	uint64_t incarnation;
	const struct zl_addr *global; /* where global listens, in order of preference */
	size_t global_count;
	const char *data_dir; /* sockets of its own stand below it */
	struct pki_tls *tls;  /* with the zone's certificate; held. NULL: nothing is
			       * connected until uplink_set_tls */
	/* The replica is another set now. */
	void (*changed)(void *owner);
	/* There is a connection to global now, or none any more. */
	void (*connected)(void *owner, bool up);
	/* The state of the link is another one now. */
	void (*moved)(void *owner, enum sync_zone_state state);
	/* The content of a Secret that is wanted; NULL: text says why it cannot be had.
	 */
	void (*secret)(void *owner, const struct sync_secret *secret, const void *content,
		       size_t len, const char *text);
	void *owner;
};

/* Load the replica and start. */
ZL_MUST_USE enum zl_code
uplink_open(struct uplink **out, const struct uplink_setup *setup, struct zl_err *err);
/* Say goodbye to global; nothing is asked any more. */
void uplink_stop(struct uplink *uplink);
/* True when global has heard the goodbye, or will not. */
bool uplink_is_stopped(const struct uplink *uplink);
/* Do nothing any more but take back what the store has: before uplink_close. */
void uplink_halt(struct uplink *uplink);
/* Every job that the uplink submitted has had its result by now. */
void uplink_close(struct uplink **uplinkp);

/* What global said, and where it stands. Borrowed until the next turn. */
const struct set *uplink_set(const struct uplink *uplink);
uint64_t uplink_rev(const struct uplink *uplink);

/* Records of the replica that this release does not understand: kept as they came, and in
 * no set. */
uint64_t uplink_odd(const struct uplink *uplink);

/* What the zone offers: all of it, or what changed. */
void uplink_offer(struct uplink *uplink, const struct op *ops, size_t count, bool full);
/* What its proxies have acknowledged. */
void uplink_report(struct uplink *uplink, const struct sync_report *report);

/* The Secrets whose contents are missing here: all of them. */
void uplink_want(struct uplink *uplink, const struct sync_secret *secrets, size_t count);

/* An operator lets the copy that is held (uplink_view) take effect. */
void uplink_accept(struct uplink *uplink);

/* Each result of the replica's store, in order. */
void uplink_result(struct uplink *uplink, const struct store_result *result);

struct sync_zone_view uplink_view(const struct uplink *uplink);
/* The disk of the replica failed: what comes is shown, and kept by nobody. */
bool uplink_store_failed(const struct uplink *uplink);

/* Another certificate for the connections made from now on. */
void uplink_set_tls(struct uplink *uplink, struct pki_tls *tls);
/* Why there is no connection to global, as far as it is known; "": there is one. */
const char *uplink_trouble(const struct uplink *uplink);
