/* base/hash.h - the hashes of the project, each for one purpose.
 *
 * Threads:  any.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { ZL_SHA256 = 32 };

/* SHA-256 of up to 8 runs of bytes one after another: chain, digest, cluster names. */
struct zl_run {
	const void *data;
	size_t len;
};
void zl_sha256(const struct zl_run *runs, size_t count, uint8_t out[ZL_SHA256]);

/* The same of what comes piece by piece. end sets *hashp to NULL; it accepts NULL, and
 * out may be NULL. */
struct zl_hash;
struct zl_hash *zl_hash_new(void);
void zl_hash_add(struct zl_hash *hash, const void *data, size_t len);
void zl_hash_end(struct zl_hash **hashp, uint8_t out[ZL_SHA256]);

/* XXH3-64: checksum of stored records, version of xDS resources, place in an index of
 * labels; no defence. */
uint64_t zl_xxh3(const void *data, size_t len);

/* FNV-1a 64: only where a published format asks for it. */
uint64_t zl_fnv64a(const void *data, size_t len);

/* Lower-case hex of len bytes and a NUL; to holds 2 * len + 1. */
void zl_hex(const void *data, size_t len, char *to);

/* len random bytes from the kernel. */
void zl_random(void *to, size_t len);
