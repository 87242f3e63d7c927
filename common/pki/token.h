/* pki/token.h - signed tokens: who may join, configure a proxy, use the API.
 *
 * A token is a JWT signed with Ed25519 ("alg":"EdDSA"), and nothing else is taken: other
 * algorithms, none, unknown critical headers, doubled claims are refused. Each token has
 * an id (jti), by which it can be used up or revoked.
 *
 *     header {"alg":"EdDSA","kid":"<first 16 digits of SHA-256 of the public
 * key>","typ":"JWT"} claims
 * {"aud":"zonelink/join","ca":"<fingerprint>","exp":1,"iat":1,"jti":"..","zone":"east"}
 *
 * Threads:  any, one signer from one at a time.
 * Lifetime: texts that are returned are the caller's; claims point into an arena.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct pki_signer;
struct pki_vault;

enum pki_token_kind {
	PKI_TOKEN_JOIN,       /* zone, ca: let a zone process join; used once */
	PKI_TOKEN_DATAPLANE,  /* zone, mesh, name or service */
	PKI_TOKEN_ZONE_PROXY, /* zone, proxy "ingress" or "egress", name or "" for any */
	PKI_TOKEN_USER,       /* name, role "viewer", "operator" or "admin" */
	PKI_TOKEN_KINDS
};

enum { PKI_TOKEN_MAX = 4096, PKI_TOKEN_ID = 33 }; /* bytes of a token; of a jti */

/* Absent texts are "". */
struct pki_claims {
	enum pki_token_kind kind;
	const char *id; /* jti; set by pki_token_sign if "" */
	const char *zone, *mesh, *name, *service, *proxy, *role, *ca;
	uint64_t issued_s, expires_s; /* wall time */
};

/* Load the signing key file path, or make it (sealed by vault, or of mode 0600). */
ZL_MUST_USE enum zl_code pki_signer_open(struct pki_signer **out, const char *path,
					 const struct pki_vault *vault,
					 struct zl_err *err);
void pki_signer_close(struct pki_signer **signerp);

/* A token that says claims. id, if not NULL, gets its jti. */
ZL_MUST_USE enum zl_code pki_token_sign(const struct pki_signer *signer,
					const struct pki_claims *claims, char **token,
					char id[PKI_TOKEN_ID], struct zl_err *err);

/* ZL_EACCES, with a reason for the log and none for the bearer: not a token, of another
 * signer, forged, of another kind, not yet valid (a minute is forgiven), expired. Takes
 * equally long wherever a signature differs. */
ZL_MUST_USE enum zl_code pki_token_check(const struct pki_signer *signer,
					 const char *token, size_t len,
					 enum pki_token_kind kind, uint64_t now_s,
					 struct zl_arena *arena, struct pki_claims *out,
					 struct zl_err *err);

/* The claims of a token whose signature is NOT checked: for a bearer that wants to know
 * what it was given. ZL_EINVAL: not a token. */
ZL_MUST_USE enum zl_code pki_token_peek(const char *token, size_t len,
					struct zl_arena *arena, struct pki_claims *out,
					struct zl_err *err);
