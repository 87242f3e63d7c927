/* wire/reach.h - a zone's way out to global: the gate's other end.
 *
 * It keeps one connection for each of the two protocols: it resolves the name, connects,
 * makes sure by TLS that global is there, says the SP header, and when global has said
 * its own it connects to the listener that nng has for it, and messages cross (pair.h).
 * nng never dials: its listener hears of a peer when one is there.
 *
 * Of several addresses both ways use the same one. It is left for the next when it cannot
 * be reached and nothing is connected, or when reach_redial says so. Between attempts it
 * waits, longer each time, with dice: 100 ms to 2 s.
 *
 * Threads:  the loop's.
 * Lifetime: reach_close before the loop is closed. Private to the room.
 */
#pragma once

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct pki_tls;
struct reach;

struct reach_setup {
	const struct zl_addr *addrs; /* copied */
	size_t count;
	struct pki_tls *tls;   /* held; NULL: in the clear */
	bool waits;            /* no TCP without tls: it is to come */
	const char *sub, *req; /* paths of nng's listeners; copied */
	size_t message_max;    /* of a request or reply, with what nng adds */
	size_t published_max;
	uint64_t connect_ms; /* for a name and for a connection; 0: 5000 */
	/* For handshake and header, twice that after an attempt that failed; 0: 5000. */
	uint64_t header_ms;
	uint64_t stall_ms; /* see pair.h */
};

struct reach *reach_open(struct loop *loop, const struct reach_setup *setup);
/* Waits until nng can bear it, but no longer than 2 s. */
void reach_close(struct reach **reachp);

/* Give both connections up and turn to the next address, if there are several; else what
 * is not connected yet goes on. */
void reach_redial(struct reach *reach);
/* For the connections made from now on. */
void reach_set_tls(struct reach *reach, struct pki_tls *tls);

/* Why the last attempt failed; "": none did since both were connected. */
const char *reach_trouble(const struct reach *reach);
