/* OpenSSL 3 calls its own SHA-256 deprecated: what it wants instead allocates a context
 * and looks up a provider each time, which for the short runs that chains and digests are
 * made of takes longer than to hash them. */
#define OPENSSL_API_COMPAT 10100

#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

void zl_sha256(const struct zl_run *runs, size_t count, uint8_t out[ZL_SHA256])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	for (size_t i = 0; i < count; i++)
		SHA256_Update(&ctx, runs[i].data, runs[i].len);
	SHA256_Final(out, &ctx);
}

/* struct zl_hash is what OpenSSL calls EVP_MD_CTX. */
struct zl_hash *zl_hash_new(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		abort(); /* fails only without memory */
	return (struct zl_hash *)ctx;
}

void zl_hash_add(struct zl_hash *hash, const void *data, size_t len)
{
	if (!EVP_DigestUpdate((EVP_MD_CTX *)hash, data, len))
		abort();
}

void zl_hash_end(struct zl_hash **hashp, uint8_t out[ZL_SHA256])
{
	EVP_MD_CTX *ctx = (EVP_MD_CTX *)*hashp;
	uint8_t sum[EVP_MAX_MD_SIZE];

	*hashp = NULL;
	if (ctx == NULL)
		return;
	if (!EVP_DigestFinal_ex(ctx, sum, NULL))
		abort();
	if (out != NULL)
		memcpy(out, sum, ZL_SHA256);
	EVP_MD_CTX_free(ctx);
}

uint64_t zl_xxh3(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}

uint64_t zl_fnv64a(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint64_t hash = 0xcbf29ce484222325U;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3U;
	return hash;
}

void zl_hex(const void *data, size_t len, char *to)
{
	static const char DIGITS[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++) {
		*to++ = DIGITS[bytes[i] >> 4];
		*to++ = DIGITS[bytes[i] & 15];
	}
	*to = '\0';
}

void zl_random(void *to, size_t len)
{
	uint8_t *bytes = to;

	while (len > 0) {
		size_t part = len < 256 ? len : 256; /* never cut short by the kernel */
		if (getrandom(bytes, part, 0) != (ssize_t)part)
			abort();
		bytes += part;
		len -= part;
	}
}
