/* model/position.h - where a history of commits stands, and what proves it.
 *
 * Position = (epoch, rev, chain). rev grows by 1 per commit. chain_n is the first 16
 * bytes of SHA-256(chain_{n-1} | rev_n | entry_n), so equal chains mean equal histories,
 * not merely equally long ones. epoch names the history; it changes at first start, by a
 * restore, and when a fork is proved.
 *
 * Digest = four 64-bit lanes, each the sum of that lane of SHA-256(key len as be32 | key
 * | mod_rev as be64 | value) over all resources: kept up to date by adding and taking
 * away. It is comparable only at equal positions. A resource falls in the bucket that the
 * first byte of SHA-256(key) names; bucket sums localise a difference.
 *
 * Threads:  pure.
 * Lifetime: caller's memory.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POSITION_EPOCH = 16, POSITION_CHAIN = 16, DIGEST_LANES = 4, DIGEST_BUCKETS = 256 };

struct digest {
	uint64_t lane[DIGEST_LANES];
};

struct position {
	uint8_t epoch[POSITION_EPOCH];
	uint64_t rev;
	uint8_t chain[POSITION_CHAIN];
};

/* The chain value after entry (len bytes) became revision rev. out may be prev. */
void position_chain(uint8_t out[POSITION_CHAIN], const uint8_t prev[POSITION_CHAIN],
		    uint64_t rev, const void *entry, size_t len);

bool position_equal(const struct position *a, const struct position *b);

/* Add or take away one resource. Also fits the sum of its bucket. */
void digest_add(struct digest *digest, const void *key, size_t key_len, uint64_t mod_rev,
		const void *value, size_t len);
void digest_take(struct digest *digest, const void *key, size_t key_len, uint64_t mod_rev,
		 const void *value, size_t len);
bool digest_equal(const struct digest *a, const struct digest *b);
uint8_t digest_bucket(const void *key, size_t key_len);

/* digest as 32 bytes, lanes in order, big-endian, and back. */
void digest_bytes(const struct digest *digest, uint8_t out[32]);
void digest_from_bytes(struct digest *digest, const uint8_t in[32]);
