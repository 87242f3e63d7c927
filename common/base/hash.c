#include "base/hash.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>

void zl_sha256(const struct zl_run *runs, size_t count, uint8_t out[ZL_SHA256])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned len = 0;
	int ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);

	for (size_t i = 0; ok && i < count; i++)
		ok = EVP_DigestUpdate(ctx, runs[i].data, runs[i].len);
	ok = ok && EVP_DigestFinal_ex(ctx, out, &len);
	EVP_MD_CTX_free(ctx);
	assert(ok && len == ZL_SHA256); /* fails only without memory */
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
