/* global/replication/hub.h - global's end of replication at work: the machine of
 * sync/global.h, its store, and the link that zones are on.
 *
 * Threads:  the loop's.
 * Lifetime: hub_close before the store and the loop are closed.
 */
#pragma once

#include "base/addr.h"
#include "global/replication/zone_book.h"
#include "model/set.h"
#include "store/write.h"
#include "sync/global.h"

struct hub;
struct secrets;
struct loop;
struct pki_tls;
struct store;
struct vips;

struct hub_setup {
	struct loop *loop; /* borrowed, as store */
	struct store *store;
	const char *data_dir;   /* sockets of its own stand below it */
	struct zl_addr *listen; /* ports 0 are replaced */
	size_t listen_count;
	struct pki_tls *tls; /* of the sync addresses; held. NULL: zones in the clear, on
			      * loopback and unix sockets alone */
	/* Whether a zone may come in with this certificate (serial NULL: or stay, when
	 * that has expired); NULL: all may. */
	bool (*admit)(void *owner, const char *zone, const char *serial);
	uint32_t lease_ms;             /* of a zone's session */
	const struct secrets *secrets; /* contents for zones; NULL: none */
	struct vips *vips;             /* addresses of their services; NULL: none */
	/* What is known now; borrowed for the call. */
	const struct set *(*set)(void *owner);
	/* What hub_zone says of zone has changed. */
	void (*zone_changed)(void *owner, const char *zone);
	void *owner;
};

ZL_MUST_USE enum zl_code hub_open(struct hub **out, const struct hub_setup *setup,
				  struct zl_err *err);
/* Do nothing any more but take back what the store has: before hub_close. */
void hub_halt(struct hub *hub);
/* Every job that the hub submitted has had its result by now. */
void hub_close(struct hub **hubp);

/* Each result of the store, in order, after the owner's set has it; waited: somebody
 * waits until zones have it. True: it was a job of the hub, nobody else's. */
bool hub_result(struct hub *hub, const struct store_result *result, bool waited);

/* Sessions by name, and one of them; texts are valid until the next turn. */
size_t hub_zone_count(const struct hub *hub);
struct sync_session_view hub_zone_at(const struct hub *hub, size_t index);
bool hub_zone(const struct hub *hub, const char *zone, struct sync_session_view *out);

/* An operator lets zone take what it holds now (sync/global.h: ACCEPT); lets another
 * process have its name (RELEASE). */
void hub_accept(struct hub *hub, const char *zone);
void hub_release(struct hub *hub, const char *zone);

/* What zone has here and what of it was refused; NULL: it never sent anything. */
const struct zone_book *hub_book(const struct hub *hub, const char *zone);

struct hub_counts {
	unsigned connections;
	uint64_t published, requests, refused;
};
struct hub_counts hub_counts(const struct hub *hub);
/* Why connections were refused, by reason: numbers from 0; NULL: no more. */
const char *hub_refusal(const struct hub *hub, size_t index, uint64_t *count);

/* Another certificate for zones that connect from now on. */
void hub_set_tls(struct hub *hub, struct pki_tls *tls);
/* End all connections of zone, which may not come in any more; what it sent and was not
 * handed to the store yet is thrown away. */
void hub_cut(struct hub *hub, const char *zone);
