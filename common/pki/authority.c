#include "pki/authority.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "pki/make.h"
#include "pki/vault.h"
#include "pki/x509.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ROOT_S = 3650 * 24 * 3600,
	EC_BITS_MIN = 256,
	RSA_BITS_MIN = 2048,
};

static const char KEY_CONTEXT[] = "authority key";

struct pki_authority {
	X509 *root;
	EVP_PKEY *key;
	char *pem; /* of root */
};

/* ---- keys and requests ---- */

enum zl_code pki_key_new(char **pem, struct zl_err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	*pem = key != NULL ? make_key_text(key) : NULL;
	EVP_PKEY_free(key);
	return *pem != NULL ? ZL_OK : x509_fail(err, ZL_EIO, "no new key");
}

static bool fill_request(X509_REQ *request, EVP_PKEY *key, const char *identity)
{
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	X509_EXTENSION *uri = make_uris(&identity, 1, false);
	bool ok = extensions != NULL && uri != NULL &&
		  sk_X509_EXTENSION_push(extensions, uri) > 0;

	if (!ok)
		X509_EXTENSION_free(uri);
	ok = ok && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
	     X509_REQ_add_extensions(request, extensions) == 1 &&
	     X509_REQ_set_pubkey(request, key) == 1 &&
	     X509_REQ_sign(request, key, EVP_sha256()) > 0;
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return ok;
}

enum zl_code pki_request_new(const char *key_pem, const char *identity, char **request,
			     struct zl_err *err)
{
	EVP_PKEY *key = x509_read_key(key_pem);
	X509_REQ *made = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *data = NULL;

	*request = NULL;
	if (key != NULL && made != NULL && bio != NULL &&
	    fill_request(made, key, identity) && PEM_write_bio_X509_REQ(bio, made) == 1) {
		long len = BIO_get_mem_data(bio, &data);
		*request = zl_strndup(data, (size_t)len);
	}
	BIO_free(bio);
	X509_REQ_free(made);
	EVP_PKEY_free(key);
	if (*request != NULL)
		return ZL_OK;
	return x509_fail(err, ZL_EINVAL,
			 "no certificate request can be made of this key");
}

/* ---- certificates ---- */

/* What root and leaf have in common; issuer is the certificate itself for a root. */
static bool fill(X509 *to, EVP_PKEY *key, X509 *issuer, uint32_t lifetime_s,
		 const char *name)
{
	/* The subject first: a root is its own issuer. */
	return make_name(to, "O", "Zonelink") && make_name(to, "CN", name) &&
	       make_base(to, key, issuer, PKI_EARLY_S, lifetime_s) &&
	       make_extension(to, issuer, NID_subject_key_identifier, "hash");
}

static bool fill_root(X509 *to, EVP_PKEY *key, const char *name)
{
	return fill(to, key, to, ROOT_S, name) &&
	       make_extension(to, to, NID_basic_constraints,
			      "critical,CA:TRUE,pathlen:0") &&
	       make_extension(to, to, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	       X509_sign(to, key, EVP_sha256()) > 0;
}

static bool fill_leaf(const struct pki_authority *authority, X509 *to, EVP_PKEY *key,
		      const struct pki_grant *grant)
{
	const char *usage = grant->server && grant->client ? "serverAuth,clientAuth"
			    : grant->server                ? "serverAuth"
							   : "clientAuth";
	const char *name = strrchr(grant->identity, '/');
	const char *shown = name != NULL ? name + 1 : grant->identity;
	char common[65];

	(void)snprintf(common, sizeof(common), "%s", shown);
	return fill(to, key, authority->root, grant->lifetime_s, common) &&
	       make_extension(to, authority->root, NID_basic_constraints,
			      "critical,CA:FALSE") &&
	       make_extension(to, authority->root, NID_authority_key_identifier,
			      "keyid:always") &&
	       make_extension(to, authority->root, NID_key_usage,
			      "critical,digitalSignature") &&
	       make_extension(to, authority->root, NID_ext_key_usage, usage) &&
	       make_has_uris(to, &grant->identity, 1, false) &&
	       X509_sign(to, authority->key, EVP_sha256()) > 0;
}

/* NULL, or why key may not be certified. */
static const char *weakness(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "EC"))
		return bits < EC_BITS_MIN ? "its EC key has less than 256 bits" : NULL;
	if (EVP_PKEY_is_a(key, "RSA"))
		return bits < RSA_BITS_MIN ? "its RSA key has less than 2048 bits" : NULL;
	if (EVP_PKEY_is_a(key, "ED25519"))
		return NULL;
	return "its key is neither EC, RSA nor Ed25519";
}

static enum zl_code check_request(X509_REQ *request, struct zl_err *err)
{
	EVP_PKEY *key = request != NULL ? X509_REQ_get0_pubkey(request) : NULL;

	if (key == NULL)
		return x509_fail(err, ZL_EINVAL, "no certificate request in PEM form");
	const char *fault = weakness(key);
	if (fault == NULL && X509_REQ_verify(request, key) != 1)
		fault = "it is not signed by its own key";
	ERR_clear_error();
	return fault == NULL ? ZL_OK
			     : zl_fail(err, ZL_EINVAL, "certificate request: %s", fault);
}

enum zl_code pki_request_key(const char *request, char text[PKI_FINGERPRINT],
			     struct zl_err *err)
{
	X509_REQ *asked = x509_read_request(request);
	unsigned char *bytes = NULL;
	uint8_t hash[ZL_SHA256];

	enum zl_code code = check_request(asked, err);
	if (code == ZL_OK) {
		int len = i2d_PUBKEY(X509_REQ_get0_pubkey(asked), &bytes);
		if (len > 0) {
			const struct zl_run run = { bytes, (size_t)len };
			zl_sha256(&run, 1, hash);
			zl_hex(hash, sizeof(hash), text);
		} else {
			code = x509_fail(err, ZL_EIO, "the key of a request");
		}
	}
	OPENSSL_free(bytes);
	X509_REQ_free(asked);
	return code;
}

enum zl_code pki_sign(const struct pki_authority *authority, const char *request,
		      const struct pki_grant *grant, struct pki_certificate *out,
		      struct zl_err *err)
{
	X509_REQ *asked = x509_read_request(request);
	X509 *made = X509_new();
	struct pki_facts facts = { 0 };

	*out = (struct pki_certificate){ 0 };
	enum zl_code code = check_request(asked, err);
	if (code == ZL_OK &&
	    (made == NULL ||
	     !fill_leaf(authority, made, X509_REQ_get0_pubkey(asked), grant) ||
	     !x509_facts(made, &facts)))
		code = x509_fail(err, ZL_EIO, "the certificate cannot be signed");
	if (code == ZL_OK) {
		char *leaf = x509_text(made);
		out->chain = zl_format("%s%s", leaf, authority->pem);
		free(leaf);
		memcpy(out->serial, facts.serial, sizeof(out->serial));
		out->begins_s = facts.begins_s;
		out->ends_s = facts.ends_s;
	}
	X509_free(made);
	X509_REQ_free(asked);
	return code;
}

void pki_certificate_fini(struct pki_certificate *certificate)
{
	free(certificate->chain);
	*certificate = (struct pki_certificate){ 0 };
}

/* ---- the authority ---- */

static enum zl_code keep_key(const struct pki_authority *authority, const char *path,
			     const struct pki_vault *vault, struct zl_err *err)
{
	char *text = make_key_text(authority->key);

	if (text == NULL)
		return x509_fail(err, ZL_EIO, "no new key");
	enum zl_code code =
		pki_file_keep(path, vault, KEY_CONTEXT, text, strlen(text), err);
	explicit_bzero(text, strlen(text));
	free(text);
	return code;
}

static enum zl_code read_key(struct pki_authority *authority, const char *path,
			     const struct pki_vault *vault, struct zl_err *err)
{
	struct zl_buf text = { 0 };

	enum zl_code code = pki_file_kept(path, vault, KEY_CONTEXT, &text, err);
	if (code == ZL_OK)
		authority->key = x509_read_key(zl_buf_text(&text));
	if (code == ZL_OK && authority->key == NULL)
		code = zl_fail(err, ZL_ECORRUPT, "%s: no private key", path);
	pki_wipe(&text);
	return code;
}

static enum zl_code load(struct pki_authority *authority, const char *certificate,
			 const char *key, const struct pki_vault *vault,
			 struct zl_err *err)
{
	enum zl_code code = pki_file_read(certificate, &authority->pem, NULL, err);

	if (code != ZL_OK)
		return code;
	authority->root = x509_read(authority->pem);
	if (authority->root == NULL)
		return zl_fail(err, ZL_ECORRUPT, "%s: no certificate", certificate);
	code = read_key(authority, key, vault, err);
	if (code == ZL_OK && X509_check_private_key(authority->root, authority->key) != 1)
		code = x509_fail(err, ZL_ECORRUPT,
				 "the authority's key is not that of its certificate");
	return code;
}

/* The key first: a certificate without one would be of no use. */
static enum zl_code make(struct pki_authority *authority, const char *certificate,
			 const char *key, const char *name, const struct pki_vault *vault,
			 struct zl_err *err)
{
	authority->key = EVP_EC_gen("P-256");
	authority->root = X509_new();
	if (authority->key == NULL || authority->root == NULL ||
	    !fill_root(authority->root, authority->key, name))
		return x509_fail(err, ZL_EIO, "no new authority");
	authority->pem = x509_text(authority->root);
	enum zl_code code = keep_key(authority, key, vault, err);
	if (code != ZL_OK)
		return code;
	return pki_file_write(certificate, authority->pem, strlen(authority->pem), err);
}

static enum zl_code open_at(struct pki_authority *authority, const char *certificate,
			    const char *key, const char *name,
			    const struct pki_vault *vault, struct zl_err *err)
{
	bool has_certificate = access(certificate, F_OK) == 0;
	bool has_key = access(key, F_OK) == 0;

	if (has_certificate != has_key)
		return zl_fail(err, ZL_ECORRUPT,
			       "%s is there and %s is not: put it back from a backup, or "
			       "move the other away to begin with a new authority",
			       has_key ? key : certificate, has_key ? certificate : key);
	if (has_key)
		return load(authority, certificate, key, vault, err);
	return make(authority, certificate, key, name, vault, err);
}

enum zl_code pki_authority_open(struct pki_authority **out, const char *folder,
				const char *name, const struct pki_vault *vault,
				struct zl_err *err)
{
	struct pki_authority *authority = zl_alloc(1, sizeof(*authority));
	char *certificate = zl_format("%s/ca.crt", folder);
	char *key = zl_format("%s/ca.key", folder);
	enum zl_code code = ZL_OK;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		code = zl_fail(err, errno == EACCES ? ZL_EACCES : ZL_EIO,
			       "make folder %s: %s", folder, strerror(errno));
	if (code == ZL_OK)
		code = open_at(authority, certificate, key, name, vault, err);
	if (code != ZL_OK)
		pki_authority_close(&authority);
	*out = authority;
	free(certificate);
	free(key);
	return code;
}

void pki_authority_close(struct pki_authority **authorityp)
{
	struct pki_authority *authority = *authorityp;

	*authorityp = NULL;
	if (authority == NULL)
		return;
	X509_free(authority->root);
	EVP_PKEY_free(authority->key);
	free(authority->pem);
	free(authority);
}

const char *pki_authority_root(const struct pki_authority *authority)
{
	return authority->pem;
}
