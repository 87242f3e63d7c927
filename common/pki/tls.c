#include "pki/tls.h"

#include "base/mem.h"
#include "pki/x509.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct pki_tls {
	_Atomic unsigned holders;
	SSL_CTX *ctx;
	char *peer_identity;    /* of a client; NULL: any */
	char *fingerprint;      /* the same */
	unsigned char alpn[32]; /* as the wire has it: a length, a name */
	unsigned alpn_len;
};

/* ---- who the peer must be ---- */

static const struct pki_tls *tls_of(X509_STORE_CTX *store)
{
	const SSL *session =
		X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());

	return SSL_CTX_get_app_data(SSL_get_SSL_CTX(session));
}

static bool has_fingerprint(const X509 *root, const char *wanted)
{
	char text[PKI_FINGERPRINT];

	x509_fingerprint(root, text);
	return strcmp(text, wanted) == 0;
}

/* Without roots of its own a client trusts the one root of that fingerprint, which the
 * server shows at the end of its chain. */
static bool trust_shown_root(X509_STORE_CTX *store, const char *fingerprint)
{
	const STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(store);
	STACK_OF(X509) *trusted = sk_X509_new_null();

	for (int i = 0; trusted != NULL && i < sk_X509_num(shown); i++)
		if (has_fingerprint(sk_X509_value(shown, i), fingerprint))
			(void)sk_X509_push(trusted, sk_X509_value(shown, i));
	X509_STORE_CTX_set0_trusted_stack(store, trusted);
	bool ok = X509_verify_cert(store) == 1;
	X509_STORE_CTX_set0_trusted_stack(store, NULL);
	sk_X509_free(trusted);
	return ok;
}

/* In place of OpenSSL's own check of a chain. */
static int verify(X509_STORE_CTX *store, void *arg)
{
	const struct pki_tls *tls = tls_of(store);
	struct pki_facts facts;

	(void)arg;
	bool ok = tls->fingerprint != NULL ? trust_shown_root(store, tls->fingerprint)
					   : X509_verify_cert(store) == 1;
	if (!ok)
		return 0;
	if (!x509_facts(X509_STORE_CTX_get0_cert(store), &facts) ||
	    (tls->peer_identity != NULL &&
	     strcmp(facts.identity, tls->peer_identity) != 0)) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	return 1;
}

/* ---- contexts ---- */

static enum zl_code use_roots(struct pki_tls *tls, const char *pem, struct zl_err *err)
{
	STACK_OF(X509) *roots = x509_read_all(pem);
	X509_STORE *store = SSL_CTX_get_cert_store(tls->ctx);

	if (roots == NULL)
		return zl_fail(err, ZL_EINVAL, "TLS: no root certificate in PEM form");
	for (int i = 0; i < sk_X509_num(roots); i++) {
		(void)X509_STORE_add_cert(store, sk_X509_value(roots, i));
		(void)SSL_CTX_add_client_CA(tls->ctx, sk_X509_value(roots, i));
	}
	sk_X509_pop_free(roots, X509_free);
	ERR_clear_error();
	return ZL_OK;
}

/* The certificate, its key, and all that follows in the chain: also the root, by which a
 * client that knows only its fingerprint knows us. */
static enum zl_code use_chain(struct pki_tls *tls, const struct pki_tls_setup *setup,
			      struct zl_err *err)
{
	STACK_OF(X509) *chain = x509_read_all(setup->chain);
	EVP_PKEY *key = x509_read_key(setup->key);
	enum zl_code code = ZL_OK;

	if (chain == NULL)
		code = zl_fail(err, ZL_EINVAL, "TLS: no certificate in PEM form");
	else if (key == NULL)
		code = zl_fail(err, ZL_EINVAL, "TLS: no private key in PEM form");
	else if (X509_check_private_key(sk_X509_value(chain, 0), key) != 1)
		code = zl_fail(err, ZL_EINVAL,
			       "TLS: the private key is not that of the certificate");
	else if (SSL_CTX_use_certificate(tls->ctx, sk_X509_value(chain, 0)) != 1 ||
		 SSL_CTX_use_PrivateKey(tls->ctx, key) != 1)
		code = x509_fail(err, ZL_EINVAL, "TLS: the certificate cannot be used");
	for (int i = 1; code == ZL_OK && i < sk_X509_num(chain); i++)
		(void)SSL_CTX_add1_chain_cert(tls->ctx, sk_X509_value(chain, i));
	sk_X509_pop_free(chain, X509_free);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return code;
}

/* A client that speaks another protocol is refused. */
static int select_alpn(SSL *session, const unsigned char **out, unsigned char *out_len,
		       const unsigned char *offered, unsigned len, void *arg)
{
	const struct pki_tls *tls = arg;
	unsigned char *chosen;

	(void)session;
	if (SSL_select_next_proto(&chosen, out_len, tls->alpn, tls->alpn_len, offered,
				  len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static enum zl_code use_alpn(struct pki_tls *tls, const struct pki_tls_setup *setup,
			     struct zl_err *err)
{
	size_t len = strlen(setup->alpn);

	if (len == 0 || len >= sizeof(tls->alpn))
		return zl_fail(err, ZL_EINVAL, "TLS: protocol name \"%s\"", setup->alpn);
	tls->alpn[0] = (unsigned char)len;
	memcpy(tls->alpn + 1, setup->alpn, len);
	tls->alpn_len = (unsigned)len + 1;
	if (setup->server)
		SSL_CTX_set_alpn_select_cb(tls->ctx, select_alpn, tls);
	else if (SSL_CTX_set_alpn_protos(tls->ctx, tls->alpn, tls->alpn_len) != 0)
		return x509_fail(err, ZL_EIO, "TLS: protocol name");
	return ZL_OK;
}

static bool set_up(struct pki_tls *tls, const struct pki_tls_setup *setup)
{
	int mode = setup->peer == PKI_PEER_NONE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;

	tls->ctx = SSL_CTX_new(setup->server ? TLS_server_method() : TLS_client_method());
	if (tls->ctx == NULL ||
	    SSL_CTX_set_min_proto_version(tls->ctx, TLS1_3_VERSION) != 1)
		return false;
	if (!setup->server || setup->peer == PKI_PEER_REQUIRED)
		mode |= SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_app_data(tls->ctx, tls);
	SSL_CTX_set_verify(tls->ctx, mode, NULL);
	SSL_CTX_set_cert_verify_callback(tls->ctx, verify, NULL);
	(void)SSL_CTX_set_session_cache_mode(tls->ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(tls->ctx, 0);
	(void)SSL_CTX_set_mode(tls->ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(tls->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
					      SSL_OP_IGNORE_UNEXPECTED_EOF);
	return true;
}

enum zl_code pki_tls_new(struct pki_tls **out, const struct pki_tls_setup *setup,
			 struct zl_err *err)
{
	struct pki_tls *tls = zl_alloc(1, sizeof(*tls));
	enum zl_code code = ZL_OK;

	*out = NULL;
	atomic_init(&tls->holders, 1);
	if (setup->peer_identity != NULL)
		tls->peer_identity = zl_strdup(setup->peer_identity);
	if (setup->root_fingerprint != NULL)
		tls->fingerprint = zl_strdup(setup->root_fingerprint);
	if (!set_up(tls, setup))
		code = x509_fail(err, ZL_EIO, "TLS cannot be set up");
	else if (setup->server && setup->chain == NULL)
		code = zl_fail(err, ZL_EINVAL, "TLS: a server needs a certificate");
	if (code == ZL_OK && setup->chain != NULL)
		code = use_chain(tls, setup, err);
	if (code == ZL_OK && setup->roots != NULL)
		code = use_roots(tls, setup->roots, err);
	if (code == ZL_OK && setup->alpn != NULL)
		code = use_alpn(tls, setup, err);
	if (code != ZL_OK)
		pki_tls_drop(&tls);
	*out = tls;
	return code;
}

struct pki_tls *pki_tls_hold(struct pki_tls *tls)
{
	atomic_fetch_add_explicit(&tls->holders, 1, memory_order_relaxed);
	return tls;
}

void pki_tls_drop(struct pki_tls **tlsp)
{
	struct pki_tls *tls = *tlsp;

	*tlsp = NULL;
	if (tls == NULL || atomic_fetch_sub(&tls->holders, 1) != 1)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls->peer_identity);
	free(tls->fingerprint);
	free(tls);
}

/* ---- sessions ---- */

static void on_session_end(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index,
			   long argl, void *argp)
{
	struct pki_tls *tls = ptr;

	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (tls != NULL)
		pki_tls_drop(&tls);
}

/* Where a session keeps its hold on the context. */
static int session_index(void)
{
	static _Atomic int index = -1;
	int now = atomic_load(&index);

	if (now >= 0)
		return now;
	int made = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_session_end);
	/* Of two threads that come at once, one index is never used. */
	return atomic_compare_exchange_strong(&index, &now, made) ? made : now;
}

struct ssl_st *pki_tls_session(struct pki_tls *tls)
{
	SSL *session = SSL_new(tls->ctx);

	if (session == NULL)
		return NULL;
	if (SSL_set_ex_data(session, session_index(), pki_tls_hold(tls)) != 1) {
		pki_tls_drop(&tls);
		SSL_free(session);
		return NULL;
	}
	return session;
}

bool pki_tls_peer(const struct ssl_st *session, struct pki_facts *out)
{
	const X509 *certificate = SSL_get0_peer_certificate(session);

	*out = (struct pki_facts){ 0 };
	return certificate != NULL && x509_facts(certificate, out);
}

void pki_tls_why(const struct ssl_st *session, char *text, size_t size)
{
	long verdict = SSL_get_verify_result(session);
	unsigned long last = ERR_peek_last_error();
	const char *reason = last != 0 ? ERR_reason_error_string(last) : NULL;

	if (verdict == X509_V_ERR_APPLICATION_VERIFICATION)
		reason = "the certificate is another's";
	else if (verdict != X509_V_OK)
		reason = X509_verify_cert_error_string(verdict);
	else if (reason == NULL)
		reason = "the peer went away";
	(void)snprintf(text, size, "%s", reason);
	ERR_clear_error();
}

void pki_tls_end(struct ssl_st *session)
{
	if (SSL_is_init_finished(session))
		(void)SSL_shutdown(session);
	ERR_clear_error();
}
