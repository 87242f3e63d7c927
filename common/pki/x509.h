/* pki/x509.h - certificates as OpenSSL has them. Private to the room.
 *
 * Threads:  any.
 * Lifetime: what is returned is the caller's.
 */
#pragma once

#include "pki/authority.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>

enum { PKI_EARLY_S = 300 }; /* clocks differ: certificates begin so long before now */

/* The first certificate, request or private key in a PEM text; NULL: there is none. No
 * password is ever asked for. */
X509 *x509_read(const char *pem);
X509_REQ *x509_read_request(const char *pem);
EVP_PKEY *x509_read_key(const char *pem);

/* All certificates of a PEM text; NULL: there is none. */
STACK_OF(X509) * x509_read_all(const char *pem);

char *x509_text(X509 *certificate);

/* Seconds since 1970; before that 0. False: it is no time. */
bool x509_time(const ASN1_TIME *from, uint64_t *out);

/* What a certificate says. False: it has more than one URI, or a time that is none. */
bool x509_facts(const X509 *certificate, struct pki_facts *out);
/* SHA-256 of the certificate in hexadecimal. */
void x509_fingerprint(const X509 *certificate, char text[PKI_FINGERPRINT]);

/* zl_fail with what OpenSSL says, whose queue of errors is emptied. */
enum zl_code x509_fail(struct zl_err *err, enum zl_code code, const char *what);
