#include "pki/make.h"

#include "base/clock.h"
#include "base/mem.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { SERIAL_BITS = 127 }; /* positive, and 16 bytes */

char *make_key_text(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *data = NULL;
	char *text = NULL;

	if (bio != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
		long len = BIO_get_mem_data(bio, &data);
		text = zl_strndup(data, (size_t)len);
	}
	BIO_free(bio);
	return text;
}

/* ---- names ---- */

static bool push_uri(GENERAL_NAMES *names, const char *uri)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	bool ok = name != NULL && text != NULL && ASN1_STRING_set(text, uri, -1) == 1;

	if (ok) {
		GENERAL_NAME_set0_value(name, GEN_URI, text);
		text = NULL;
		ok = sk_GENERAL_NAME_push(names, name) > 0;
		name = ok ? NULL : name;
	}
	ASN1_IA5STRING_free(text);
	GENERAL_NAME_free(name);
	return ok;
}

X509_EXTENSION *make_uris(const char *const *uris, size_t count, bool critical)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	X509_EXTENSION *made = NULL;
	bool ok = names != NULL;

	for (size_t i = 0; ok && i < count; i++)
		ok = push_uri(names, uris[i]);
	if (ok)
		made = X509V3_EXT_i2d(NID_subject_alt_name, critical ? 1 : 0, names);
	GENERAL_NAMES_free(names);
	return made;
}

bool make_has_uris(X509 *to, const char *const *uris, size_t count, bool critical)
{
	X509_EXTENSION *made = make_uris(uris, count, critical);
	bool ok = made != NULL && X509_add_ext(to, made, -1) == 1;

	X509_EXTENSION_free(made);
	return ok;
}

bool make_extension(X509 *to, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, to, NULL, NULL, 0);
	X509_EXTENSION *made = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = made != NULL && X509_add_ext(to, made, -1) == 1;
	X509_EXTENSION_free(made);
	return ok;
}

bool make_name(X509 *to, const char *part, const char *value)
{
	return X509_NAME_add_entry_by_txt(X509_get_subject_name(to), part, MBSTRING_UTF8,
					  (const unsigned char *)value, -1, -1, 0) == 1;
}

/* ---- the base ---- */

static bool set_serial(X509 *to)
{
	BIGNUM *number = BN_new();
	bool ok =
		number != NULL &&
		BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		BN_to_ASN1_INTEGER(number, X509_get_serialNumber(to)) != NULL;

	BN_free(number);
	return ok;
}

static bool set_times(X509 *to, uint32_t early_s, uint64_t lifetime_s)
{
	time_t now = (time_t)(zl_wall_us() / 1000000);

	return ASN1_TIME_set(X509_getm_notBefore(to), now - (time_t)early_s) != NULL &&
	       ASN1_TIME_set(X509_getm_notAfter(to), now + (time_t)lifetime_s) != NULL;
}

bool make_base(X509 *to, EVP_PKEY *key, X509 *issuer, uint32_t early_s,
	       uint64_t lifetime_s)
{
	return X509_set_version(to, X509_VERSION_3) == 1 && set_serial(to) &&
	       set_times(to, early_s, lifetime_s) && X509_set_pubkey(to, key) == 1 &&
	       X509_set_issuer_name(to, X509_get_subject_name(issuer)) == 1;
}
