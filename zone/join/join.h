/* zone/join/join.h - how a zone comes to belong to its global, and stays with it.
 *
 * Without a certificate the zone shows global the join token of its token file, with a
 * request for a certificate for a key that it made itself; with one it asks for the next
 * when two thirds of its life are over, and again when the link has been down for a
 * while, to learn whether global still wants it. Until global answers, and when it
 * refuses, the zone goes on serving what it knows.
 *
 *     zone.crt zone.key zone.key.next   see pki/pair.h
 *     global-ca.crt                     who may be global
 *
 * Threads:  the loop's.
 * Lifetime: join_close before what the setup lends.
 */
#pragma once

#include "base/addr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct join;
struct loop;
struct pki_tls;
struct pki_vault;

struct join_setup {
	struct loop *loop;  /* borrowed, as all here */
	const char *folder; /* for keys and certificates; made if it is not there */
	const struct pki_vault *vault;
	const char *zone;
	const struct zl_addr *api; /* of global, in order of preference */
	size_t api_count;
	const char *token_file; /* NULL: none */
	/* join_tls is another one now. */
	void (*changed)(void *owner, struct pki_tls *tls);
	void *owner;
};

/* ZL_EINVAL: none of the addresses can be asked by TLS, or what is in folder belongs to
 * another zone; ZL_EACCES, ZL_EIO. */
ZL_MUST_USE enum zl_code join_open(struct join **out, const struct join_setup *setup,
				   struct zl_err *err);
void join_close(struct join **joinp);

/* With the zone's certificate, for the sync port of global. Borrowed until changed is
 * called. NULL: the zone has not joined yet. */
struct pki_tls *join_tls(const struct join *join);

/* The link to global is up now, or down. */
void join_link(struct join *join, bool up);

struct join_view {
	const char *state;  /* "joining", "joined", "refused", "expired" */
	const char *serial; /* of the certificate; "" */
	uint64_t ends_s;    /* wall time; 0: there is no certificate */
	const char *error;  /* of the last attempt; "" */
};
/* Texts are borrowed until the next turn. */
struct join_view join_view(const struct join *join);
