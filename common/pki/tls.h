/* pki/tls.h - the two ends of a TLS connection, as OpenSSL wants them.
 *
 * TLS 1.3 alone; no session tickets, no early data, no renegotiation. Who a peer is, is
 * said by the URI in its certificate (pki/authority.h), never by a host name.
 *
 * Threads:  the functions: any. A context is counted: those who made sessions of it may
 *           outlive it.
 * Lifetime: pki_tls_drop by each who made or held it. A new certificate is a new context;
 *           connections of the old one go on.
 */
#pragma once

#include "base/err.h"
#include "pki/authority.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_st; /* OpenSSL's SSL */
struct pki_tls;

enum pki_peer_wanted {
	PKI_PEER_NONE,     /* servers only: a client need not say who it is */
	PKI_PEER_OPTIONAL, /* servers only: if it does, it must be true */
	PKI_PEER_REQUIRED
};

struct pki_tls_setup {
	bool server;
	const char *chain, *key; /* PEM; NULL: a client without a certificate */
	const char *roots; /* PEM: who may have signed the peer's; NULL with PEER_NONE */
	/* A client: the one URI that the server must have; NULL: any. */
	const char *peer_identity;
	/* A client that knows nothing but the authority's fingerprint (roots is NULL):
	 * the chain that the server shows must end in a root with it. */
	const char *root_fingerprint;
	enum pki_peer_wanted peer;
	const char *alpn; /* "h2"; NULL: none */
};

/* ZL_EINVAL: no certificate, no key, or they do not belong together; err says which. */
ZL_MUST_USE enum zl_code
pki_tls_new(struct pki_tls **out, const struct pki_tls_setup *setup, struct zl_err *err);
struct pki_tls *pki_tls_hold(struct pki_tls *tls);
void pki_tls_drop(struct pki_tls **tlsp);

/* A session for one connection, the caller's (bufferevent_openssl takes it). NULL: no
 * memory. */
struct ssl_st *pki_tls_session(struct pki_tls *tls);

/* Who the other end proved to be, after the handshake. False: it showed no certificate.
 */
ZL_MUST_USE bool pki_tls_peer(const struct ssl_st *session, struct pki_facts *out);

/* Why a handshake failed, for a log line: "certificate has expired", "no certificate". */
void pki_tls_why(const struct ssl_st *session, char *text, size_t size);

/* Tell the other end that no more will be sent (close_notify), as far as that goes
 * without waiting; what it sends can still be read. */
void pki_tls_end(struct ssl_st *session);
