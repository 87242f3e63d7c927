/* unit/pki/made.h - authorities, keys and certificates for the tests of this folder. */
#pragma once

#include "pki/authority.h"
#include "pki/tls.h"

#include "base/mem.h"
#include "support/test.h"
#include "support/tmp.h"

#include <stdlib.h>

static inline struct pki_authority *authority_at(const char *folder)
{
	struct pki_authority *authority;
	struct zl_err err = { 0 };

	if (pki_authority_open(&authority, folder, "test", NULL, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return authority;
}

/* A key and its certificate; chain and key are the caller's. */
struct made {
	char *key;
	struct pki_certificate certificate;
};

static inline struct made made_for(const struct pki_authority *authority,
				   struct pki_grant grant)
{
	struct made made;
	struct zl_err err = { 0 };
	char *request = NULL;

	if (pki_key_new(&made.key, &err) != ZL_OK ||
	    pki_request_new(made.key, "spiffe://asked/for", &request, &err) != ZL_OK ||
	    pki_sign(authority, request, &grant, &made.certificate, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	free(request);
	return made;
}

static inline void made_free(struct made *made)
{
	free(made->key);
	pki_certificate_fini(&made->certificate);
}
