/* secrets/secrets.h - where the contents of Secrets are.
 *
 * What is stored, hashed and replicated of a Secret is its document without content: with
 * a random version in its place, a new one for each new content. The content lies in a
 * small record of the process's own store (never in log, history or snapshot), sealed
 * under the key file, and is written and deleted in the same transaction as the document:
 *
 *     space "secrets", name SHA-256(mesh 0x00 name) in hexadecimal
 *     value version, 32 digits | sealed content (pki/vault.h)
 *
 * Threads:  the owner's; all state is in the store.
 * Lifetime: what is returned is the caller's.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "model/resource.h"
#include "model/set.h"
#include "store/store.h"
#include "store/write.h"

#include <stdbool.h>

struct pki_vault;

struct secrets {
	struct store *store;           /* borrowed */
	const struct pki_vault *vault; /* borrowed */
};

/* now is a Secret with its content, old the one it replaces or NULL. *kept is what is to
 * be stored, held; local gets the record to be written with it. The content of old again
 * keeps its version, so that nothing changes. ZL_ECORRUPT, ZL_EIO. */
ZL_MUST_USE enum zl_code secrets_keep(const struct secrets *secrets,
				      const struct resource *old,
				      const struct resource *now, struct resource **kept,
				      struct store_job *local, struct zl_err *err);
/* old is deleted: local gets the deletion of its content. */
void secrets_drop(const struct resource *old, struct store_job *local);

/* Append the content of res, as stored. ZL_ENOENT: this store has not that version;
 * ZL_ECORRUPT: damaged, or sealed under another key. Wipe it after use. */
ZL_MUST_USE enum zl_code secrets_read(const struct secrets *secrets,
				      const struct resource *res, struct zl_buf *content,
				      struct zl_err *err);
/* The same, in whatever version is here: while a new one is on its way the old one is of
 * use. */
ZL_MUST_USE enum zl_code secrets_read_last(const struct secrets *secrets,
					   const struct resource *res,
					   struct zl_buf *content, struct zl_err *err);
/* local gets a content that came from elsewhere: that of version res. */
ZL_MUST_USE enum zl_code secrets_take(const struct secrets *secrets,
				      const struct resource *res, const void *content,
				      size_t len, struct store_job *local,
				      struct zl_err *err);

/* local gets the deletion of all contents but those of the count in keep. */
ZL_MUST_USE enum zl_code secrets_sweep(const struct secrets *secrets,
				       const struct resource *const *keep, size_t count,
				       struct store_job *local, struct zl_err *err);

/* Overwrite content, then free it. */
void secrets_wipe(struct zl_buf *content);

/* Who uses a Secret, in the words of a message: a mTLS backend of its mesh. */
struct secret_use {
	const char *mesh, *backend; /* borrowed from set */
};
bool secret_is_used(const struct set *set, const struct resource *secret,
		    struct secret_use *use);
/* True if anything of its mesh names it: a mTLS backend, a listener of a MeshGateway, an
 * external service. */
bool secret_is_named(const struct set *set, const struct resource *secret);
/* True if every zone with Dataplanes of its mesh has a use for it, and zone has some. */
bool secret_is_for(const struct set *set, const struct resource *secret,
		   const char *zone);
/* True if a proxy of zone may have a use for it: it is named, and zone has Dataplanes of
 * its mesh. */
bool secret_may_be_for(const struct set *set, const struct resource *secret,
		       const char *zone);
