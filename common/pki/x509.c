#include "pki/x509.h"

#include "base/hash.h"
#include "base/mem.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* In place of the terminal that OpenSSL would ask. */
/* NOLINTNEXTLINE(readability-non-const-parameter): as OpenSSL wants it */
static int no_password(char *to, int size, int writing, void *arg)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static BIO *bio_of(const char *pem)
{
	return pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
}

X509 *x509_read(const char *pem)
{
	BIO *bio = bio_of(pem);
	X509 *found =
		bio != NULL ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return found;
}

X509_REQ *x509_read_request(const char *pem)
{
	BIO *bio = bio_of(pem);
	X509_REQ *found =
		bio != NULL ? PEM_read_bio_X509_REQ(bio, NULL, no_password, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return found;
}

EVP_PKEY *x509_read_key(const char *pem)
{
	BIO *bio = bio_of(pem);
	EVP_PKEY *found = bio != NULL
				  ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
				  : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return found;
}

STACK_OF(X509) * x509_read_all(const char *pem)
{
	BIO *bio = bio_of(pem);
	STACK_OF(X509) *all = sk_X509_new_null();
	X509 *one;

	while (bio != NULL && all != NULL &&
	       (one = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL)
		if (sk_X509_push(all, one) == 0)
			X509_free(one);
	BIO_free(bio);
	ERR_clear_error();
	if (all != NULL && sk_X509_num(all) > 0)
		return all;
	sk_X509_free(all);
	return NULL;
}

char *x509_text(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data = NULL;
	char *text = NULL;

	if (bio != NULL && PEM_write_bio_X509(bio, certificate) == 1) {
		long len = BIO_get_mem_data(bio, &data);
		text = zl_strndup(data, (size_t)len);
	}
	BIO_free(bio);
	return text;
}

void x509_fingerprint(const X509 *certificate, char text[PKI_FINGERPRINT])
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	(void)X509_digest(certificate, EVP_sha256(), hash, &len);
	zl_hex(hash, len, text);
}

/* ---- facts ---- */

bool x509_time(const ASN1_TIME *from, uint64_t *out)
{
	struct tm parts;

	if (ASN1_TIME_to_tm(from, &parts) != 1)
		return false;
	time_t seconds = timegm(&parts);
	*out = seconds > 0 ? (uint64_t)seconds : 0;
	return true;
}

static void serial_of(const X509 *certificate, char text[PKI_SERIAL])
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	const unsigned char *data = ASN1_STRING_get0_data(serial);
	int len = ASN1_STRING_length(serial);

	text[0] = '\0';
	if (len > 0 && len <= PKI_SERIAL / 2)
		zl_hex(data, (size_t)len, text);
}

/* The one URI among the names. False: there are several, or it is no text. */
static bool uri_of(const GENERAL_NAMES *names, char to[PKI_IDENTITY])
{
	to[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_URI)
			continue;
		const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
		const char *data = (const char *)ASN1_STRING_get0_data(uri);
		size_t len = (size_t)ASN1_STRING_length(uri);
		if (to[0] != '\0' || len == 0 || len >= PKI_IDENTITY ||
		    memchr(data, '\0', len) != NULL)
			return false;
		memcpy(to, data, len);
		to[len] = '\0';
	}
	return true;
}

bool x509_facts(const X509 *certificate, struct pki_facts *out)
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	*out = (struct pki_facts){ 0 };
	bool ok = uri_of(names, out->identity) &&
		  x509_time(X509_get0_notBefore(certificate), &out->begins_s) &&
		  x509_time(X509_get0_notAfter(certificate), &out->ends_s);
	GENERAL_NAMES_free(names);
	serial_of(certificate, out->serial);
	if (!ok)
		out->identity[0] = '\0';
	return ok;
}

enum zl_code x509_fail(struct zl_err *err, enum zl_code code, const char *what)
{
	unsigned long last = ERR_peek_last_error();
	const char *reason = last != 0 ? ERR_reason_error_string(last) : NULL;

	ERR_clear_error();
	if (reason == NULL)
		return zl_fail(err, code, "%s", what);
	return zl_fail(err, code, "%s: %s", what, reason);
}

/* ---- of the door ---- */

enum zl_code pki_fingerprint(const char *pem, char text[PKI_FINGERPRINT],
			     struct zl_err *err)
{
	X509 *certificate = x509_read(pem);

	if (certificate == NULL)
		return zl_fail(err, ZL_EINVAL, "no certificate in PEM form");
	x509_fingerprint(certificate, text);
	X509_free(certificate);
	return ZL_OK;
}

enum zl_code pki_read(const char *pem, struct pki_facts *out, struct zl_err *err)
{
	X509 *certificate = x509_read(pem);

	if (certificate == NULL)
		return zl_fail(err, ZL_EINVAL, "no certificate in PEM form");
	bool ok = x509_facts(certificate, out);
	X509_free(certificate);
	return ok ? ZL_OK
		  : zl_fail(err, ZL_EINVAL, "a certificate with more than one URI");
}

const char *pki_zone_of(const char *identity)
{
	static const char BEGIN[] = "spiffe://zonelink/zone/";
	size_t len = strlen(BEGIN);

	if (strncmp(identity, BEGIN, len) != 0 || identity[len] == '\0' ||
	    strchr(identity + len, '/') != NULL)
		return NULL;
	return identity + len;
}
