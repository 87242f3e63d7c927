/* pki/authority.h - a certificate authority of our own, and what is asked of one.
 *
 * Global has one for its zones: it proves who global is and who each zone is. A zone has
 * one for its xDS server. Names are URIs, never host names:
 *
 *     spiffe://zonelink/global            spiffe://zonelink/zone/<zone>
 *
 * Keys are EC P-256; certificates carry one URI SAN, random serials of 128 bits, and
 * begin five minutes ago, for clocks differ.
 *
 * Threads:  any, one authority from one at a time.
 * Lifetime: texts that are returned are the caller's, to be freed with free.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct pki_authority;
struct pki_vault;

/* Load the authority in folder (ca.crt, ca.key), or make it there if neither is: valid
 * for ten years, the key sealed by vault (pki/vault.h) or, without one, a file of mode
 * 0600. name is its subject's CN. ZL_ECORRUPT: one of the two is missing or they do not
 * belong together; ZL_EACCES, ZL_EIO. */
ZL_MUST_USE enum zl_code pki_authority_open(struct pki_authority **out,
					    const char *folder, const char *name,
					    const struct pki_vault *vault,
					    struct zl_err *err);
void pki_authority_close(struct pki_authority **authorityp);

/* Its certificate in PEM, borrowed. */
const char *pki_authority_root(const struct pki_authority *authority);

enum { PKI_FINGERPRINT = 65, PKI_SERIAL = 33, PKI_IDENTITY = 256 };

/* SHA-256 of the first certificate in pem, as 64 hexadecimal digits. ZL_EINVAL: there is
 * none. */
ZL_MUST_USE enum zl_code pki_fingerprint(const char *pem, char text[PKI_FINGERPRINT],
					 struct zl_err *err);

struct pki_certificate {
	char *chain;               /* PEM: the certificate, then its root; owned */
	char serial[PKI_SERIAL];   /* lower-case hexadecimal */
	uint64_t begins_s, ends_s; /* wall time */
};

struct pki_grant {
	const char *identity; /* the URI; what a request asks for does not count */
	uint32_t lifetime_s;
	bool server, client; /* extended key usages */
};

/* A certificate for the key of the request. ZL_EINVAL: no request, signed by another key
 * than it carries, or its key is too weak (EC below 256 bits, RSA below 2048). */
ZL_MUST_USE enum zl_code pki_sign(const struct pki_authority *authority,
				  const char *request, const struct pki_grant *grant,
				  struct pki_certificate *out, struct zl_err *err);
void pki_certificate_fini(struct pki_certificate *certificate);

/* A new private key (PEM, PKCS#8), and a request for a certificate signed by one. */
ZL_MUST_USE enum zl_code pki_key_new(char **pem, struct zl_err *err);
ZL_MUST_USE enum zl_code pki_request_new(const char *key_pem, const char *identity,
					 char **request, struct zl_err *err);

/* SHA-256 of the public key that the request is for, as 64 hexadecimal digits. ZL_EINVAL:
 * as pki_sign. */
ZL_MUST_USE enum zl_code pki_request_key(const char *request, char text[PKI_FINGERPRINT],
					 struct zl_err *err);

/* What the first certificate in pem says. ZL_EINVAL: there is none. */
struct pki_facts {
	char identity[PKI_IDENTITY]; /* "": it has no URI */
	char serial[PKI_SERIAL];
	uint64_t begins_s, ends_s;
};
ZL_MUST_USE enum zl_code pki_read(const char *pem, struct pki_facts *out,
				  struct zl_err *err);
/* "spiffe://zonelink/zone/east" -> "east"; NULL: another kind of identity. */
const char *pki_zone_of(const char *identity);
