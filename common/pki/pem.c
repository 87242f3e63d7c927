#include "pki/pem.h"

#include "pki/x509.h"

#include <openssl/err.h>

enum { RSA_BITS_MIN = 2048 };

static enum pki_key kind_of(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN)
		return PKI_KEY_RSA;
	return EVP_PKEY_is_a(key, "EC") ? PKI_KEY_ECDSA : PKI_KEY_NONE;
}

enum pki_key pki_pem_pair(const char *chain, const char *key)
{
	X509 *certificate = x509_read(chain);
	EVP_PKEY *private = x509_read_key(key);
	enum pki_key kind = PKI_KEY_NONE;

	if (certificate != NULL && private != NULL &&
	    X509_check_private_key(certificate, private) == 1)
		kind = kind_of(private);
	ERR_clear_error();
	EVP_PKEY_free(private);
	X509_free(certificate);
	return kind;
}

bool pki_pem_is_chain(const char *pem)
{
	X509 *certificate = x509_read(pem);
	bool is_chain = certificate != NULL;

	X509_free(certificate);
	return is_chain;
}
