/* zone/trust/trust.h - how a zone and its proxies know each other.
 *
 * The zone has an authority of its own (DATA_DIR/pki: ca.crt, ca.key). It certifies the
 * xDS server and the zone's API as spiffe://zonelink/zone/<zone>; that certificate and
 * its key are in memory only, new at each start and again when a third of its time is
 * left. Proxies show tokens, which the zone signs (tokens.key) and checks: a Dataplane's
 * is for one name or one service of one mesh, a zone proxy's for ZoneIngresses or
 * ZoneEgresses.
 *
 * What a proxy is told about a refusal is up to the caller; the reason is for the log and
 * the metrics.
 *
 * Threads:  the loop's.
 * Lifetime: trust_close before the loop is closed.
 */
#pragma once

#include "base/err.h"
#include "pki/token.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct pki_signer;
struct pki_tls;
struct pki_vault;
struct trust;

struct trust_setup {
	struct loop *loop;  /* borrowed, as zone and vault */
	const char *folder; /* made if it is not there; of trust_open alone */
	const char *zone;
	const struct pki_vault *vault;
	uint32_t certificate_s; /* how long a certificate of the server lasts */
};

/* ZL_ECORRUPT: the keys are damaged, incomplete or sealed under another key file;
 * ZL_EACCES, ZL_EIO. */
ZL_MUST_USE enum zl_code trust_open(struct trust **out, const struct trust_setup *setup,
				    struct zl_err *err);
void trust_close(struct trust **trustp);

/* For xDS listeners: what proves the server now. Borrowed until renewed is called, which
 * a later call of trust_watch replaces. */
struct pki_tls *trust_tls(const struct trust *trust);
void trust_watch(struct trust *trust, void (*renewed)(void *owner, struct pki_tls *tls),
		 void *owner);

/* The same for the zone's API, and the signer of its users' tokens (users.key). */
struct pki_tls *trust_api(const struct trust *trust);
void trust_watch_api(struct trust *trust,
		     void (*renewed)(void *owner, struct pki_tls *tls), void *owner);
const struct pki_signer *trust_users(const struct trust *trust);

/* What a proxy needs to know the server: the root in PEM, and the server's URI. */
const char *trust_root(const struct trust *trust);
const char *trust_identity(const struct trust *trust);

/* A new token that lasts so long. claims says kind, mesh, name, service or proxy; zone,
 * id and times are filled in. The token is the caller's. */
ZL_MUST_USE enum zl_code trust_token(const struct trust *trust, struct pki_claims *claims,
				     uint64_t seconds, char **token,
				     char id[PKI_TOKEN_ID], struct zl_err *err);

/* Tokens that were taken back; NULL: none ever is. */
void trust_revoked(struct trust *trust, bool (*revoked)(void *owner, const char *id),
		   void *owner);

enum trust_reason {
	TRUST_NO_TOKEN,
	TRUST_BAD_TOKEN, /* none of ours, forged, damaged, not yet valid */
	TRUST_EXPIRED,
	TRUST_REVOKED,
	TRUST_WRONG_KIND, /* a Dataplane's for a zone proxy, or the reverse */
	TRUST_WRONG_ZONE,
	TRUST_WRONG_PROXY,
	TRUST_UNKNOWN_PROXY, /* the token is for a service, or any zone proxy, and the
			      * zone does not know what this one is */
	TRUST_REASONS,
	TRUST_ADMITTED = TRUST_REASONS
};
/* "no_token" and so on: for metrics. */
const char *trust_reason_name(enum trust_reason reason);

/* A proxy, as its node and the zone's resources say. */
struct trust_proxy {
	const char *id;   /* of its node */
	const char *kind; /* "ingress", "egress", "" a zone proxy that is not known;
			   * NULL: a Dataplane */
	const char *mesh, *name; /* of the resource; NULL: it is not known */
	bool (*offers)(const void *resource, const char *service);
	const void *resource; /* of offers */
};

/* May who shows token (NULL: none) have the configuration of proxy? proxy is NULL while
 * nobody has said whose it shall be: then any token of this zone will do. err has the
 * reason in words, unless it is TRUST_ADMITTED. */
enum trust_reason trust_admit(struct trust *trust, const struct trust_proxy *proxy,
			      const char *token, struct zl_err *err);

/* How often each reason was given. */
const uint64_t *trust_counts(const struct trust *trust);
