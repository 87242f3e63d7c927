/* global/trust/trust.h - what proves that global is global, and what it signs with.
 *
 *     ca.crt ca.key          the authority of all zones
 *     global.crt global.key  global's own certificate, spiffe://zonelink/global
 *     joins.key              signs join tokens
 *     users.key              signs tokens of the API's users
 *
 * All are made when they are not there; keys are sealed. The own certificate is renewed
 * after two thirds of its life.
 *
 * Threads:  the loop's.
 * Lifetime: trust_close before the loop and the vault are closed.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct loop;
struct pki_authority;
struct pki_signer;
struct pki_tls;
struct pki_vault;
struct trust;

struct trust_setup {
	struct loop *loop;  /* borrowed, as vault */
	const char *folder; /* made if it is not there */
	const struct pki_vault *vault;
	uint32_t certificate_s; /* life of the own certificate */
	/* trust_hub and trust_api are others now: for who connects from now on. */
	void (*renewed)(void *owner);
	void *owner;
};

/* ZL_ECORRUPT: keys are damaged or missing, or sealed under another key file; ZL_EACCES,
 * ZL_EIO. */
ZL_MUST_USE enum zl_code trust_open(struct trust **out, const struct trust_setup *setup,
				    struct zl_err *err);
void trust_close(struct trust **trustp);

/* All borrowed. */
const struct pki_authority *trust_authority(const struct trust *trust);
const char *trust_fingerprint(const struct trust *trust); /* of the authority */
const struct pki_signer *trust_joins(const struct trust *trust);
const struct pki_signer *trust_users(const struct trust *trust);

/* For the sync port, where each zone shows its certificate, and for the API, where it
 * may. Borrowed until renewed is called. */
struct pki_tls *trust_hub(const struct trust *trust);
struct pki_tls *trust_api(const struct trust *trust);
