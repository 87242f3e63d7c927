/* pki/mesh.h - the authority of a mesh and the certificates of its proxies (kinds-spec 1,
 * mTLS).
 *
 * An authority is a pair of PEM texts, kept as Secrets: a chain, whose first certificate
 * signs, and its key. Proxies are known by URIs: spiffe://<mesh>/<service>, and
 * kuma://<tag>/<value> beside.
 *
 * Threads:  any.
 * Lifetime: texts that are returned are the caller's, to be freed with free.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pki_mesh_wish {
	const char *mesh;
	uint32_t rsa_bits; /* 0: EC P-256 (K5) */
	uint64_t lifetime_s;
};

/* A new authority: self-signed, O=Kuma, OU=Mesh, CN=<mesh>, spiffe://<mesh>. */
ZL_MUST_USE enum zl_code pki_mesh_root(const struct pki_mesh_wish *wish, char **chain,
				       char **key, struct zl_err *err);

/* Is this the authority of a mesh? Each fault is told: index is that of a certificate of
 * chain, or -1 for the pair. True if there was none. */
typedef void pki_mesh_fault_fn(void *ctx, int index, const char *reason);
bool pki_mesh_check(const char *chain, const char *key, pki_mesh_fault_fn *fault,
		    void *ctx);

struct pki_workload {
	const char *const *uris;
	size_t uri_count; /* at least one */
	uint32_t lifetime_s;
};

struct pki_identity {
	char *chain;               /* the certificate, then what chain of the authority
				    * lies below its root */
	char *key;                 /* of its own; wipe before freeing */
	uint64_t begins_s, ends_s; /* wall time */
};

/* A new key and a certificate for it, of server and client use, without a subject. It
 * does not outlive the authority's. ZL_EINVAL: the authority is none, or has expired. */
ZL_MUST_USE enum zl_code pki_workload_new(const char *chain, const char *key,
					  const struct pki_workload *wish,
					  struct pki_identity *out, struct zl_err *err);
void pki_identity_fini(struct pki_identity *identity); /* wipes the key */
