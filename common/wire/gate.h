/* wire/gate.h - the front door of global's sync port.
 *
 * nng 1.5.2's listeners can be stopped for good by a peer that goes away while the two
 * sides greet each other. So the gate listens in their place: it accepts, takes the
 * peer's 8-byte SP header under a deadline, checks it, and only then connects to the
 * inner listener of that protocol, hands the header on and pumps bytes both ways with
 * back-pressure. The inner greeting then always completes. One address serves both
 * protocols, for the header says which comes.
 *
 *     SP header   0x00 'S' 'P' 0x00 | protocol, u16 big-endian | 0x00 0x00
 *
 * TLS belongs here, between accept and header (gate.c, greet): handshake, certificate,
 * and from it the zone's identity. Until then only local addresses are listened on.
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

enum { GATE_SUB = 33, GATE_REQ = 48 }; /* protocols of peers, as SP numbers them */

struct gate_setup {
	unsigned connections_max;
	uint64_t header_ms; /* for the peer's header; 0: 5000 */
	uint64_t settle_ms; /* of inner after its greeting; 0: 1000 */
	uint64_t stall_ms;  /* a peer that takes nothing for so long; 0: 20000 */
	/* Where the inner listeners are: for peers over TCP, and for those over a unix
	 * socket, as nng frames the two differently. */
	struct zl_addr sub[2], req[2]; /* [0] TCP, [1] unix */
};

ZL_MUST_USE enum zl_code gate_open(struct gate **out, struct loop *loop,
				   const struct gate_setup *setup, struct zl_err *err);
void gate_close(struct gate **gatep);

/* Listen on addr as well; its port 0 is replaced. ZL_EINVAL: not a local address. */
ZL_MUST_USE enum zl_code gate_listen(struct gate *gate, struct zl_addr *addr,
				     struct zl_err *err);

/* Connections that were let through and are open; those refused so far. */
unsigned gate_connections(const struct gate *gate);
uint64_t gate_refused(const struct gate *gate);

/* The protocol that header asks for: GATE_SUB or GATE_REQ; 0: none of ours. */
int gate_check_header(const uint8_t header[8]);
