/* wire/link.h - bytes between a global and its zones.
 *
 * A hub is global's end: it publishes to all zones and answers requests. An uplink is a
 * zone's end: it hears what is published and asks. Both move whole messages and know
 * nothing of what is in them. What is published may be lost without a word; a request is
 * answered or reported as lost, and may be asked twice of the hub.
 *
 * The body is nng (link_nng_hub.c, link_nng_uplink.c), which never meets a peer: global's
 * gate (gate.h) listens in its place, a zone's reach (reach.h) connects. Between the two
 * is TLS, by which each knows who the other is.
 *
 * Threads:  all functions and all handlers on the loop's thread.
 * Lifetime: handlers are not called after close. What a handler is given is valid until
 * it returns; a handler may call any function but close.
 */
#pragma once

#include "base/addr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct link_hub;
struct link_uplink;
struct pki_tls;

struct link_hub_handlers {
	/* Answer it with link_hub_reply(handle), at once or later. identity: the zone
	 * that the peer's certificate names; NULL for one without TLS. */
	void (*request)(void *arg, uint64_t handle, const char *identity,
			const void *bytes, size_t len);
	void *arg;
};

struct link_hub_setup {
	const char *folder;       /* 0700, for sockets of its own; made if absent */
	size_t message_max;       /* of a request, and of a reply */
	unsigned connections_max; /* of all zones together */
	uint64_t answer_ms;       /* what is not answered by then is given up; 0: 20000 */
	/* A server that requires certificates (pki/tls.h); held. NULL: no zones over TCP,
	 * but for allow_plain. */
	struct pki_tls *tls;
	/* For tests and tools: peers without TLS are served on unix sockets and, while
	 * there is no tls, on loopback. Their identity is NULL. */
	bool allow_plain;
	/* Whether zone may come in with the certificate of this serial, asked for each
	 * connection, with the arg of the handlers; serial NULL: that has expired, may
	 * the connection stay? NULL: all may, until they expire. */
	bool (*admit)(void *arg, const char *zone, const char *serial);
};

/* *out is the caller's, NULL on failure: ZL_EINVAL for a folder whose path is too long,
 * ZL_EIO, ZL_EACCES, ZL_ELIMIT. */
ZL_MUST_USE enum zl_code link_hub_open(struct link_hub **out, struct loop *loop,
				       const struct link_hub_setup *setup,
				       const struct link_hub_handlers *handlers,
				       struct zl_err *err);
void link_hub_close(struct link_hub **hubp);

/* Let zones connect to addr; its port 0 is replaced. ZL_EINVAL: they could not prove
 * there who they are. */
ZL_MUST_USE enum zl_code link_hub_listen(struct link_hub *hub, struct zl_addr *addr,
					 struct zl_err *err);

/* At most LINK_PUBLISHED_MAX bytes. Never blocks; a zone that is slow loses messages. */
enum { LINK_PUBLISHED_MAX = 1 << 20 };
void link_hub_publish(struct link_hub *hub, const void *bytes, size_t len);

/* A handle whose peer has gone, or that was answered or given up, is ignored. A reply
 * above message_max is not sent. */
void link_hub_reply(struct link_hub *hub, uint64_t handle, const void *bytes, size_t len);

/* Another certificate, or other roots, for who connects from now on. */
void link_hub_set_tls(struct link_hub *hub, struct pki_tls *tls);
/* End all connections of zone, for it may not come in any more. */
void link_hub_cut(struct link_hub *hub, const char *zone);

/* Connections of those who have shown who they are and that they speak the protocol; and
 * those refused so far, by reason too: the reasons have numbers from 0, NULL: no more. */
unsigned link_hub_connections(const struct link_hub *hub);
uint64_t link_hub_refused(const struct link_hub *hub);
const char *link_hub_refusal(const struct link_hub *hub, size_t index, uint64_t *count);

struct link_uplink_handlers {
	void (*published)(void *arg, const void *bytes, size_t len);
	void (*replied)(void *arg, uint64_t id, const void *bytes, size_t len);
	void (*lost)(void *arg, uint64_t id); /* no reply within its deadline */
	/* What is published is heard now or not. Said whenever something was or may have
	 * been missed: twice "up" is possible, when it was down in between. */
	void (*pipe)(void *arg, bool up);
	void *arg;
};

struct link_uplink_setup {
	const char *folder;          /* 0700, for sockets of its own; made if absent */
	const struct zl_addr *addrs; /* where global is, in order of preference */
	size_t count;
	size_t message_max; /* as the hub's */
	/* A client with the zone's certificate, which knows global by its own; held.
	 * NULL: nothing over TCP, but for allow_plain. */
	struct pki_tls *tls;
	bool waits; /* addresses over TCP wait for link_uplink_set_tls, if there is no tls
		     */
	bool allow_plain; /* for tests and tools: unix sockets; without tls, loopback */
};

/* Connect, and go on trying: another address when one cannot be reached or
 * link_uplink_redial says so. ZL_EINVAL: global could not be known at one of them, or
 * folder has too long a path; ZL_EIO, ZL_EACCES, ZL_ELIMIT. */
ZL_MUST_USE enum zl_code link_uplink_open(struct link_uplink **out, struct loop *loop,
					  const struct link_uplink_setup *setup,
					  const struct link_uplink_handlers *handlers,
					  struct zl_err *err);
void link_uplink_close(struct link_uplink **uplinkp);

/* Ask; replied or lost comes once for id, later. At most LINK_REQUESTS at a time and
 * message_max bytes: more are lost. */
enum { LINK_REQUESTS = 8 };
void link_uplink_request(struct link_uplink *uplink, uint64_t id, const void *bytes,
			 size_t len, uint32_t deadline_ms);

/* Close the connections and make new ones, to the next address if there are several.
 * What was asked and not answered is asked again there. */
void link_uplink_redial(struct link_uplink *uplink);

/* Another certificate for the connections made from now on; those that are, stay. */
void link_uplink_set_tls(struct link_uplink *uplink, struct pki_tls *tls);

/* Why there is no connection, as far as it is known; "": there is one. */
const char *link_uplink_trouble(const struct link_uplink *uplink);

/* Ends of this process whose sockets were not closed 3 s after close was called, and are
 * left behind for good: none, unless something in nng hangs. Any thread. */
unsigned link_left_behind(void);
