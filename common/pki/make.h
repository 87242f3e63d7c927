/* pki/make.h - the parts that certificates are made of. Private to the room.
 *
 * Threads:  any.
 * Lifetime: what is returned is the caller's.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* PKCS#8 in PEM, made in secure memory; NULL: it cannot be. */
char *make_key_text(EVP_PKEY *key);

/* An alternative name for each URI. */
X509_EXTENSION *make_uris(const char *const *uris, size_t count, bool critical);

/* The rest: false when OpenSSL refuses. issuer is the certificate itself for a root. */
bool make_extension(X509 *to, X509 *issuer, int nid, const char *value);
bool make_has_uris(X509 *to, const char *const *uris, size_t count, bool critical);
bool make_name(X509 *to, const char *part, const char *value); /* of its subject */
/* Version, a random serial, a time from early_s ago to lifetime_s from now, key, issuer.
 */
bool make_base(X509 *to, EVP_PKEY *key, X509 *issuer, uint32_t early_s,
	       uint64_t lifetime_s);
