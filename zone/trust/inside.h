/* zone/trust/inside.h - what the files of this room share. Private to it.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "zone/trust/trust.h"

struct loop_timer;
struct pki_authority;

struct trust {
	struct trust_setup setup;
	char *identity;                  /* owned, as all below */
	struct pki_authority *authority; /* that the server's certificate is from */
	struct pki_signer *signer;
	struct pki_signer *users;  /* of the API */
	struct pki_tls *tls, *api; /* held */
	struct loop_timer *look;
	uint64_t renew_s; /* wall time */
	void (*renewed)(void *owner, struct pki_tls *tls);
	void *owner;
	void (*api_renewed)(void *owner, struct pki_tls *tls);
	void *api_owner;
	bool (*revoked)(void *owner, const char *id);
	void *revoked_owner;
	uint64_t counts[TRUST_REASONS];
};

uint64_t trust_wall_s(void);
