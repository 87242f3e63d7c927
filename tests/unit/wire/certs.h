/* Certificates for the tests of wire: an authority, and what it gives to whom. */
#pragma once

#include "pki/authority.h"
#include "pki/tls.h"
#include "support/test.h"
#include "support/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GLOBAL "spiffe://zonelink/global"
#define EAST "spiffe://zonelink/zone/east"

struct certs {
	struct pki_authority *authority;
};

static inline void certs_make(struct certs *certs, const struct tmp *tmp,
			      const char *name)
{
	struct zl_err err = { 0 };
	char folder[200];

	(void)snprintf(folder, sizeof(folder), "%s", tmp_path(tmp, name));
	if (pki_authority_open(&certs->authority, folder, name, NULL, &err) != ZL_OK)
		fail_msg("%s", err.msg);
}

static inline void certs_free(struct certs *certs)
{
	pki_authority_close(&certs->authority);
}

/* A context for identity, signed by certs for so many seconds; it trusts those of roots.
 * serial may be NULL. */
static inline struct pki_tls *certs_tls(const struct certs *certs,
					const struct certs *roots, const char *identity,
					uint32_t lifetime_s, bool server,
					char serial[PKI_SERIAL])
{
	const struct pki_grant grant = { .identity = identity,
					 .lifetime_s = lifetime_s,
					 .server = server,
					 .client = !server };
	struct pki_tls_setup setup = { .server = server,
				       .roots = pki_authority_root(roots->authority),
				       .peer_identity = server ? NULL : GLOBAL,
				       .peer = PKI_PEER_REQUIRED };
	struct pki_certificate made = { 0 };
	struct zl_err err = { 0 };
	char *key = NULL, *request = NULL;
	struct pki_tls *tls = NULL;

	if (pki_key_new(&key, &err) != ZL_OK ||
	    pki_request_new(key, identity, &request, &err) != ZL_OK ||
	    pki_sign(certs->authority, request, &grant, &made, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	setup.chain = made.chain;
	setup.key = key;
	if (pki_tls_new(&tls, &setup, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	if (serial != NULL)
		memcpy(serial, made.serial, PKI_SERIAL);
	pki_certificate_fini(&made);
	free(key);
	free(request);
	return tls;
}

static inline struct pki_tls *certs_server(const struct certs *certs)
{
	return certs_tls(certs, certs, GLOBAL, 3600, true, NULL);
}

static inline struct pki_tls *certs_zone(const struct certs *certs, const char *zone)
{
	char identity[PKI_IDENTITY];

	(void)snprintf(identity, sizeof(identity), "spiffe://zonelink/zone/%s", zone);
	return certs_tls(certs, certs, identity, 3600, false, NULL);
}
