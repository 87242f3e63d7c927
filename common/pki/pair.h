/* pki/pair.h - a certificate and its key, kept in a folder over renewals.
 *
 *     NAME.crt       the certificate and its root, PEM
 *     NAME.key       its key, sealed
 *     NAME.key.next  the key of the certificate that is asked for next, sealed
 *
 * A certificate comes in two steps, since asking for it may take long and fail: the next
 * key is there before anybody hears of it, and stays the same until its certificate has
 * come. Whenever the process ends in between, one certificate with its key is there.
 *
 * Threads:  one for one NAME.
 * Lifetime: pki_pair_fini wipes the key.
 */
#pragma once

#include "base/err.h"
#include "pki/authority.h"

struct pki_vault;

struct pki_place {
	const struct pki_vault *vault; /* NULL: keys are not sealed */
	const char *folder;            /* is there */
	const char *name;              /* "zone" */
};

struct pki_pair {
	char *chain, *key; /* PEM; owned */
	struct pki_facts facts;
};

/* ZL_ENOENT: there is none. ZL_ECORRUPT: certificate and key do not belong together, or
 * cannot be read. */
ZL_MUST_USE enum zl_code pki_pair_load(struct pki_pair *out,
				       const struct pki_place *place, struct zl_err *err);
void pki_pair_fini(struct pki_pair *pair);

/* The next key, made when there is none; PEM, the caller's, who wipes it. */
ZL_MUST_USE enum zl_code pki_pair_next(const struct pki_place *place, char **key,
				       struct zl_err *err);
/* chain is for the next key: from now on these two are the pair. ZL_EINVAL: it is not,
 * and nothing was changed. */
ZL_MUST_USE enum zl_code pki_pair_keep(const struct pki_place *place, const char *chain,
				       struct zl_err *err);

/* When two thirds of its life are over: time for another one. Wall time. */
uint64_t pki_renew_s(const struct pki_facts *facts);
