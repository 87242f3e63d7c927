#include "model/position.h"

#include "base/bytes.h"
#include "base/hash.h"

#include <string.h>

void position_chain(uint8_t out[POSITION_CHAIN], const uint8_t prev[POSITION_CHAIN],
		    uint64_t rev, const void *entry, size_t len)
{
	uint8_t number[8];
	uint8_t sum[ZL_SHA256];

	zl_put_be64(number, rev);
	const struct zl_run runs[] = { { prev, POSITION_CHAIN },
				       { number, sizeof(number) },
				       { entry, len } };
	zl_sha256(runs, 3, sum);
	memcpy(out, sum, POSITION_CHAIN);
}

bool position_equal(const struct position *a, const struct position *b)
{
	return a->rev == b->rev && memcmp(a->epoch, b->epoch, POSITION_EPOCH) == 0 &&
	       memcmp(a->chain, b->chain, POSITION_CHAIN) == 0;
}

static struct digest digest_one(const void *key, size_t key_len, uint64_t mod_rev,
				const void *value, size_t len)
{
	uint8_t head[4];
	uint8_t number[8];
	uint8_t sum[ZL_SHA256];
	struct digest one;

	zl_put_be32(head, (uint32_t)key_len);
	zl_put_be64(number, mod_rev);
	const struct zl_run runs[] = { { head, sizeof(head) },
				       { key, key_len },
				       { number, sizeof(number) },
				       { value, len } };
	zl_sha256(runs, 4, sum);
	digest_from_bytes(&one, sum);
	return one;
}

void digest_add(struct digest *digest, const void *key, size_t key_len, uint64_t mod_rev,
		const void *value, size_t len)
{
	struct digest one = digest_one(key, key_len, mod_rev, value, len);

	for (int i = 0; i < DIGEST_LANES; i++)
		digest->lane[i] += one.lane[i];
}

void digest_take(struct digest *digest, const void *key, size_t key_len, uint64_t mod_rev,
		 const void *value, size_t len)
{
	struct digest one = digest_one(key, key_len, mod_rev, value, len);

	for (int i = 0; i < DIGEST_LANES; i++)
		digest->lane[i] -= one.lane[i];
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

uint8_t digest_bucket(const void *key, size_t key_len)
{
	const struct zl_run run = { key, key_len };
	uint8_t sum[ZL_SHA256];

	zl_sha256(&run, 1, sum);
	return sum[0];
}

void digest_bytes(const struct digest *digest, uint8_t out[32])
{
	for (size_t i = 0; i < DIGEST_LANES; i++)
		zl_put_be64(out + 8 * i, digest->lane[i]);
}

void digest_from_bytes(struct digest *digest, const uint8_t in[32])
{
	for (size_t i = 0; i < DIGEST_LANES; i++)
		digest->lane[i] = zl_get_be64(in + 8 * i);
}
