#include "pki/mesh.h"

#include "base/clock.h"
#include "base/mem.h"
#include "pki/make.h"
#include "pki/x509.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { ROOT_EARLY_S = 10 };

/* ---- the authority ---- */

static bool fill_root(X509 *to, EVP_PKEY *key, const struct pki_mesh_wish *wish)
{
	char *uri = zl_format("spiffe://%s", wish->mesh);
	const char *const uris[] = { uri };
	/* The subject first: a root is its own issuer. */
	bool ok = make_name(to, "O", "Kuma") && make_name(to, "OU", "Mesh") &&
		  make_name(to, "CN", wish->mesh) &&
		  make_base(to, key, to, ROOT_EARLY_S, wish->lifetime_s) &&
		  make_extension(to, to, NID_subject_key_identifier, "hash") &&
		  make_extension(to, to, NID_basic_constraints,
				 "critical,CA:TRUE,pathlen:0") &&
		  make_extension(to, to, NID_key_usage, "critical,keyCertSign,cRLSign") &&
		  make_has_uris(to, uris, 1, false) &&
		  X509_sign(to, key, EVP_sha256()) > 0;

	free(uri);
	return ok;
}

enum zl_code pki_mesh_root(const struct pki_mesh_wish *wish, char **chain, char **key,
			   struct zl_err *err)
{
	EVP_PKEY *pair =
		wish->rsa_bits > 0 ? EVP_RSA_gen(wish->rsa_bits) : EVP_EC_gen("P-256");
	X509 *root = X509_new();

	*chain = *key = NULL;
	if (pair != NULL && root != NULL && fill_root(root, pair, wish)) {
		*chain = x509_text(root);
		*key = make_key_text(pair);
	}
	X509_free(root);
	EVP_PKEY_free(pair);
	if (*chain != NULL && *key != NULL)
		return ZL_OK;
	free(*chain);
	free(*key);
	*chain = *key = NULL;
	return x509_fail(err, ZL_EIO, "no new authority");
}

/* ---- is it one? ---- */

struct checking {
	pki_mesh_fault_fn *fault;
	void *ctx;
	bool ok;
};

static void tell(struct checking *at, int index, const char *reason)
{
	at->ok = false;
	at->fault(at->ctx, index, reason);
}

static void check_certificate(struct checking *at, int index, X509 *certificate)
{
	uint32_t usage = X509_get_key_usage(certificate); /* all bits: it says nothing */
	uint32_t flags = X509_get_extension_flags(certificate);

	if ((flags & EXFLAG_CA) == 0)
		tell(at, index,
		     "basic constraint 'CA' must be set to 'true' (see X509-SVID: 4.1. "
		     "Basic Constraints)");
	if ((flags & EXFLAG_KUSAGE) == 0 || (usage & KU_KEY_CERT_SIGN) == 0)
		tell(at, index,
		     "key usage extension 'keyCertSign' must be set (see X509-SVID: 4.3. "
		     "Key Usage)");
	if ((flags & EXFLAG_KUSAGE) != 0 && (usage & KU_KEY_AGREEMENT) != 0)
		tell(at, index,
		     "key usage extension 'keyAgreement' must NOT be set (see X509-SVID: "
		     "Appendix A. X.509 Field Reference)");
}

bool pki_mesh_check(const char *chain, const char *key, pki_mesh_fault_fn *fault,
		    void *ctx)
{
	struct checking at = { fault, ctx, true };
	STACK_OF(X509) *all = x509_read_all(chain);
	EVP_PKEY *pair = x509_read_key(key);

	if (all == NULL)
		tell(&at, -1, "not a valid TLS key pair: no certificate in PEM form");
	else if (pair == NULL)
		tell(&at, -1, "not a valid TLS key pair: no private key in PEM form");
	else if (X509_check_private_key(sk_X509_value(all, 0), pair) != 1)
		tell(&at, -1,
		     "not a valid TLS key pair: the key is not that of the first "
		     "certificate");
	for (int i = 0; at.ok && i < sk_X509_num(all); i++)
		check_certificate(&at, i, sk_X509_value(all, i));
	ERR_clear_error();
	EVP_PKEY_free(pair);
	sk_X509_pop_free(all, X509_free);
	return at.ok;
}

/* ---- identities ---- */

static bool fill_leaf(X509 *to, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
		      const struct pki_workload *wish)
{
	return make_base(to, key, issuer, PKI_EARLY_S, wish->lifetime_s) &&
	       make_extension(to, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	       make_extension(to, issuer, NID_subject_key_identifier, "hash") &&
	       /* Two authorities of one mesh have one name: the key tells them apart. */
	       make_extension(to, issuer, NID_authority_key_identifier, "keyid") &&
	       make_extension(to, issuer, NID_key_usage,
			      "critical,digitalSignature,keyEncipherment") &&
	       make_extension(to, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
	       /* Without a subject its names are what counts. */
	       make_has_uris(to, wish->uris, wish->uri_count, true) &&
	       X509_sign(to, issuer_key, EVP_sha256()) > 0;
}

/* The certificate and those of chain that are not self-signed: who checks has the root.
 */
static char *chain_text(X509 *leaf, STACK_OF(X509) * chain)
{
	struct zl_buf out = { 0 };
	char *one = x509_text(leaf);

	zl_buf_str(&out, one);
	free(one);
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *link = sk_X509_value(chain, i);
		if ((X509_get_extension_flags(link) & EXFLAG_SS) != 0)
			continue;
		one = x509_text(link);
		zl_buf_str(&out, one);
		free(one);
	}
	return out.data;
}

/* Not past the end of its issuer. ZL_EINVAL: that is over. */
static enum zl_code fit_lifetime(X509 *issuer, struct pki_workload *wish,
				 struct zl_err *err)
{
	uint64_t now_s = zl_wall_us() / 1000000;
	uint64_t ends_s;

	if (!x509_time(X509_get0_notAfter(issuer), &ends_s) || ends_s <= now_s)
		return zl_fail(err, ZL_EINVAL, "the mesh's authority has expired");
	if (ends_s - now_s < wish->lifetime_s)
		wish->lifetime_s = (uint32_t)(ends_s - now_s);
	return ZL_OK;
}

static enum zl_code issue(STACK_OF(X509) * chain, EVP_PKEY *issuer_key,
			  const struct pki_workload *wish, struct pki_identity *out,
			  struct zl_err *err)
{
	struct pki_workload fitted = *wish;
	X509 *issuer = sk_X509_value(chain, 0);

	enum zl_code code = fit_lifetime(issuer, &fitted, err);
	if (code != ZL_OK)
		return code;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *leaf = X509_new();
	if (key == NULL || leaf == NULL ||
	    !fill_leaf(leaf, key, issuer, issuer_key, &fitted) ||
	    !x509_time(X509_get0_notBefore(leaf), &out->begins_s) ||
	    !x509_time(X509_get0_notAfter(leaf), &out->ends_s)) {
		code = x509_fail(err, ZL_EIO, "the certificate cannot be signed");
	} else {
		out->chain = chain_text(leaf, chain);
		out->key = make_key_text(key);
	}
	X509_free(leaf);
	EVP_PKEY_free(key);
	return code;
}

enum zl_code pki_workload_new(const char *chain, const char *key,
			      const struct pki_workload *wish, struct pki_identity *out,
			      struct zl_err *err)
{
	STACK_OF(X509) *all = x509_read_all(chain);
	EVP_PKEY *pair = x509_read_key(key);
	enum zl_code code;

	*out = (struct pki_identity){ 0 };
	if (all == NULL || pair == NULL ||
	    X509_check_private_key(sk_X509_value(all, 0), pair) != 1)
		code = x509_fail(err, ZL_EINVAL, "the mesh's authority is no key pair");
	else
		code = issue(all, pair, wish, out, err);
	EVP_PKEY_free(pair);
	sk_X509_pop_free(all, X509_free);
	return code;
}

void pki_identity_fini(struct pki_identity *identity)
{
	if (identity->key != NULL)
		explicit_bzero(identity->key, strlen(identity->key));
	free(identity->key);
	free(identity->chain);
	*identity = (struct pki_identity){ 0 };
}
