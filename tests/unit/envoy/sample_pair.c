#include "sample.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

enum { BITS = 2048, DAY_S = 86400 };

static char *text_of(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = zl_strndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

char *sample_pair(bool rsa)
{
	EVP_PKEY *key = rsa ? EVP_RSA_gen(BITS) : EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	assert_non_null(key);
	assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), DAY_S));
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_int_not_equal(X509_sign(certificate, key, EVP_sha256()), 0);
	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL),
			 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return text_of(bio);
}

/* In place of owner: the list. */
static bool read_listed(void *owner, const char *mesh, const char *name,
			struct zl_buf *content)
{
	const char *const *list = *(const char *const **)owner;

	assert_string_equal(mesh, "default");
	for (; list[0] != NULL; list += 2)
		if (strcmp(list[0], name) == 0) {
			zl_buf_str(content, list[1]);
			return true;
		}
	return false;
}

struct envoy_secrets sample_secrets(const char *const *names_and_texts)
{
	static const char *const *list;

	list = names_and_texts;
	return (struct envoy_secrets){ .read = read_listed, .owner = &list };
}
