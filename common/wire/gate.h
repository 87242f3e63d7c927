/* wire/gate.h - the front door of global's sync port.
 *
 * nng's listeners cannot stand hostile peers, so the gate listens in their place. Who
 * comes is a stranger until it has shown, within one deadline, a certificate of a zone
 * that may come in and an SP header (greet.h); then it is connected to the listener that
 * nng has for this zone and protocol, and messages cross (pair.h). One address serves
 * both protocols, for the header says which comes.
 *
 * Strangers have places of their own, some for each address that they come from: when
 * those are taken, the one that has stood there longest goes. A zone has places too, and
 * loses its oldest connection when it makes one too many.
 *
 * Threads:  the loop's.
 * Lifetime: gate_close before the loop is closed. Private to the room.
 */
#pragma once

#include "base/addr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gate;
struct loop;
struct pki_tls;

enum { GATE_INNER = 108 }; /* a path, as struct sockaddr_un has it */

struct gate_setup {
	struct pki_tls *tls; /* held; NULL: no peers over TCP but for allow_plain */
	/* Peers without TLS: on unix sockets and, while there is no tls, on loopback. */
	bool allow_plain;
	unsigned connections_max; /* of all zones */
	unsigned zone_max;        /* of one zone; 0: 8 */
	unsigned strangers_max;   /* 0: 512 */
	unsigned of_a_source_max; /* strangers from one IP address; 0: 128 */
	size_t message_max;       /* of a request or reply, with what nng adds */
	size_t published_max;
	uint64_t header_ms; /* for handshake and header; 0: 5000 */
	uint64_t stall_ms;  /* see pair.h */
	/* Whether this zone may come in with this certificate; NULL: all may. serial
	 * NULL: its certificate has expired, may its connections stay? */
	bool (*admit)(void *arg, const char *zone, const char *serial);
	/* Where nng listens for this zone (NULL: one without TLS) and protocol (FRAME_SUB
	 * or FRAME_REQ). ZL_ELIMIT, ZL_EIO. */
	enum zl_code (*inner)(void *arg, const char *zone, int protocol,
			      char path[GATE_INNER], struct zl_err *err);
	void *arg;
};

struct gate *gate_open(struct loop *loop, const struct gate_setup *setup);
/* Waits until nng can bear it, but no longer than 2 s. */
void gate_close(struct gate **gatep);

/* Listen on addr as well; its port 0 is replaced. ZL_EINVAL: peers there could not prove
 * who they are. */
ZL_MUST_USE enum zl_code gate_listen(struct gate *gate, struct zl_addr *addr,
				     struct zl_err *err);

/* Another certificate, or other roots, for who comes from now on. */
void gate_set_tls(struct gate *gate, struct pki_tls *tls);
/* End all connections of zone. */
void gate_cut(struct gate *gate, const char *zone);

/* Connections that were let through and are open; those refused so far, and why. */
unsigned gate_connections(const struct gate *gate);
uint64_t gate_refused(const struct gate *gate);
const char *gate_refusal(const struct gate *gate, size_t index, uint64_t *count);
