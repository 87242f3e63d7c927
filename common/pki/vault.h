/* pki/vault.h - keeps secrets sealed under a key file.
 *
 * Sealed bytes are AES-256-GCM under a key that HKDF-SHA-256 derives from the key file
 * for a purpose, with a random nonce; the purpose and a context (what the bytes are,
 * "secret default/cert-a") are authenticated, so that sealed bytes cannot be put
 * elsewhere.
 *
 *     sealed   'Z' 'S' | version u8 = 1 | 0 | nonce 12 | ciphertext | tag 16
 *
 * Threads:  any.
 * Lifetime: pki_vault_close wipes the key.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"

#include <stddef.h>

struct pki_vault;

/* Load the key file (32 random bytes, mode 0600 or 0400), or make it if make says so and
 * it is not there. ZL_ENOENT, ZL_EACCES: others may read it; ZL_EINVAL: not 32 bytes. */
ZL_MUST_USE enum zl_code pki_vault_open(struct pki_vault **out, const char *path,
					bool make, struct zl_err *err);
void pki_vault_close(struct pki_vault **vaultp);

enum { PKI_SEALED_MORE = 32 }; /* bytes that sealing adds */

ZL_MUST_USE enum zl_code pki_seal(const struct pki_vault *vault, const char *context,
				  const void *bytes, size_t len, struct zl_buf *sealed,
				  struct zl_err *err);
/* ZL_ECORRUPT: not sealed by this key for this context. open is wiped by the caller. */
ZL_MUST_USE enum zl_code pki_unseal(const struct pki_vault *vault, const char *context,
				    const void *sealed, size_t len, struct zl_buf *open,
				    struct zl_err *err);

/* A file of mode 0600 written whole (write, fsync, rename, fsync of the folder), and one
 * read whole, with a NUL behind it; the caller's. ZL_ENOENT, ZL_EACCES, ZL_EIO. */
ZL_MUST_USE enum zl_code pki_file_write(const char *path, const void *bytes, size_t len,
					struct zl_err *err);
ZL_MUST_USE enum zl_code pki_file_read(const char *path, char **text, size_t *len,
				       struct zl_err *err);

/* The same for what only we may know: sealed by vault for context, or, without a vault,
 * as it is. What is read is appended and wiped by the caller. ZL_ECORRUPT: as pki_unseal.
 */
ZL_MUST_USE enum zl_code pki_file_keep(const char *path, const struct pki_vault *vault,
				       const char *context, const void *bytes, size_t len,
				       struct zl_err *err);
ZL_MUST_USE enum zl_code pki_file_kept(const char *path, const struct pki_vault *vault,
				       const char *context, struct zl_buf *open,
				       struct zl_err *err);

/* Overwrite what is in buf, then free it. */
void pki_wipe(struct zl_buf *buf);
