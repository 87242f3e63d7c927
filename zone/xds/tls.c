/* TLS over memory: bytes of the socket in, bytes of HTTP/2 out, and back. So what is
 * sealed goes to the kernel as soon as what is plain would (xds_conn_wake). */
#include "pki/tls.h"
#include "base/mem.h"
#include "zone/xds/server_state.h"

#include <event2/buffer.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <stdlib.h>

struct xds_tls {
	SSL *session;
	BIO *in, *out; /* of session */
};

struct xds_tls *xds_tls_new(struct pki_tls *context)
{
	struct xds_tls *tls = zl_alloc(1, sizeof(*tls));

	tls->session = pki_tls_session(context);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (tls->session == NULL || tls->in == NULL || tls->out == NULL) {
		SSL_free(tls->session);
		BIO_free(tls->in);
		BIO_free(tls->out);
		free(tls);
		return NULL;
	}
	(void)BIO_set_mem_eof_return(tls->in, -1); /* empty is no end */
	SSL_set_bio(tls->session, tls->in, tls->out);
	SSL_set_accept_state(tls->session);
	return tls;
}

void xds_tls_free(struct xds_tls **tlsp)
{
	struct xds_tls *tls = *tlsp;

	*tlsp = NULL;
	if (tls == NULL)
		return;
	SSL_free(tls->session); /* and its BIOs */
	free(tls);
}

bool xds_tls_put(struct xds_tls *tls, const uint8_t *data, size_t len)
{
	return BIO_write(tls->in, data, (int)len) == (int)len;
}

long xds_tls_take(struct xds_tls *tls, uint8_t *to, size_t size)
{
	ERR_clear_error();
	int len = SSL_read(tls->session, to, (int)size);
	if (len > 0)
		return len;
	return SSL_get_error(tls->session, len) == SSL_ERROR_WANT_READ ? 0 : -1;
}

bool xds_tls_is_open(const struct xds_tls *tls)
{
	return SSL_is_init_finished(tls->session) == 1;
}

bool xds_tls_seal(struct xds_tls *tls, const uint8_t *data, size_t len)
{
	ERR_clear_error();
	return SSL_write(tls->session, data, (int)len) == (int)len;
}

void xds_tls_drain(struct xds_tls *tls, struct evbuffer *out)
{
	char *data;
	long len = BIO_get_mem_data(tls->out, &data);

	if (len > 0)
		(void)evbuffer_add(out, data, (size_t)len);
	(void)BIO_reset(tls->out);
}

void xds_tls_end(struct xds_tls *tls)
{
	pki_tls_end(tls->session);
}

void xds_tls_why(const struct xds_tls *tls, char *text, size_t size)
{
	pki_tls_why(tls->session, text, size);
}
