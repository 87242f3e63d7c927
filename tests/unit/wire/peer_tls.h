/* A peer that speaks TLS, a step at a time, for tests whose loop turns in between. */
#pragma once

#include "certs.h"
#include "turn.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

struct peer {
	int fd;
	SSL *ssl;
	bool ended;
};

static inline struct peer peer_tls(const struct zl_addr *addr, struct pki_tls *tls)
{
	struct peer peer = { .fd = peer_dial(addr), .ssl = pki_tls_session(tls) };

	assert_non_null(peer.ssl);
	assert_int_equal(SSL_set_fd(peer.ssl, peer.fd), 1);
	SSL_set_connect_state(peer.ssl);
	return peer;
}

static inline void peer_close(struct peer *peer)
{
	SSL_free(peer->ssl);
	close(peer->fd);
	*peer = (struct peer){ .fd = -1 };
}

/* True when result of an operation is final: done, or the end. */
static inline bool peer_step(struct peer *peer, int result)
{
	int error = result > 0 ? SSL_ERROR_NONE : SSL_get_error(peer->ssl, result);

	ERR_clear_error();
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return false;
	peer->ended = error != SSL_ERROR_NONE;
	return true;
}

static inline bool peer_shaken(struct peer *peer)
{
	return peer_step(peer, SSL_do_handshake(peer->ssl));
}

static inline void peer_write(struct peer *peer, const void *bytes, size_t len)
{
	assert_int_equal(SSL_write(peer->ssl, bytes, (int)len), len);
}

/* len bytes have come, and they are these. */
static inline bool peer_came(struct peer *peer, const void *bytes, size_t len)
{
	char got[256];

	if (!peer_step(peer, SSL_peek(peer->ssl, got, (int)len)) || peer->ended)
		return false;
	assert_int_equal(SSL_read(peer->ssl, got, (int)len), len);
	assert_memory_equal(got, bytes, len);
	return true;
}

/* The other side has hung up. */
static inline bool peer_gone(struct peer *peer)
{
	char byte;

	return peer_step(peer, SSL_read(peer->ssl, &byte, 1)) && peer->ended;
}
