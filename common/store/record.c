#include "store/record.h"

#include "base/bytes.h"
#include "base/hash.h"

#include <assert.h>
#include <string.h>

static uint64_t check(const void *key, size_t key_len, const void *data, size_t len)
{
	uint8_t sums[16];

	zl_put_be64(sums, zl_xxh3(key, key_len));
	zl_put_be64(sums + 8, zl_xxh3(data, len));
	return zl_xxh3(sums, sizeof(sums));
}

void record_pack(uint8_t *to, const void *key, size_t key_len,
		 const struct record *record)
{
	zl_put_be64(to + 8, record->mod_rev);
	zl_put_be64(to + 16, record->create_rev);
	zl_put_be64(to + 24, record->wall_us);
	if (record->len > 0)
		memcpy(to + RECORD_HEAD, record->value, record->len);
	zl_put_be64(to, check(key, key_len, to + 8, RECORD_HEAD - 8 + record->len));
}

bool record_unpack(const void *bytes, size_t len, const void *key, size_t key_len,
		   struct record *record)
{
	const uint8_t *from = bytes;

	if (len < RECORD_HEAD ||
	    zl_get_be64(from) != check(key, key_len, from + 8, len - 8))
		return false;
	record->mod_rev = zl_get_be64(from + 8);
	record->create_rev = zl_get_be64(from + 16);
	record->wall_us = zl_get_be64(from + 24);
	record->value = from + RECORD_HEAD;
	record->len = len - RECORD_HEAD;
	return true;
}

size_t log_record_size(const struct log_record *record)
{
	return LOG_HEAD + 8 * (size_t)record->op_count + record->len;
}

void log_record_pack(uint8_t *to, uint64_t rev, const struct log_record *record)
{
	size_t before = 8 * (size_t)record->op_count;
	uint8_t key[8];

	zl_put_be64(key, rev);
	memcpy(to + 8, record->chain, POSITION_CHAIN);
	zl_put_be32(to + 24, record->op_count);
	if (before > 0)
		memcpy(to + LOG_HEAD, record->before, before);
	if (record->len > 0)
		memcpy(to + LOG_HEAD + before, record->entry, record->len);
	zl_put_be64(to, check(key, sizeof(key), to + 8, log_record_size(record) - 8));
}

bool log_record_unpack(const void *bytes, size_t len, uint64_t rev,
		       struct log_record *record)
{
	const uint8_t *from = bytes;
	uint8_t key[8];

	zl_put_be64(key, rev);
	if (len < LOG_HEAD ||
	    zl_get_be64(from) != check(key, sizeof(key), from + 8, len - 8))
		return false;
	record->chain = from + 8;
	record->op_count = zl_get_be32(from + 24);
	record->before = from + LOG_HEAD;
	size_t before = 8 * (size_t)record->op_count;
	if (before > len - LOG_HEAD)
		return false;
	record->entry = from + LOG_HEAD + before;
	record->len = len - LOG_HEAD - before;
	return true;
}

static const char STATE_KEY[] = "state";

/* Move len bytes and step on. */
static void put(uint8_t **to, const void *from, size_t len)
{
	memcpy(*to, from, len);
	*to += len;
}

static void put_number(uint8_t **to, uint64_t number)
{
	zl_put_be64(*to, number);
	*to += 8;
}

static void take(const uint8_t **from, void *to, size_t len)
{
	memcpy(to, *from, len);
	*from += len;
}

static uint64_t take_number(const uint8_t **from)
{
	uint64_t number = zl_get_be64(*from);

	*from += 8;
	return number;
}

void state_pack(uint8_t to[STATE_SIZE], const struct state *state)
{
	uint8_t *at = to + 16;
	uint8_t digest[32];

	memset(to, 0, STATE_SIZE);
	zl_put_be32(to + 8, STATE_SCHEMA);
	to[12] = state->table;
	digest_bytes(&state->digest, digest);
	put(&at, state->uuid, sizeof(state->uuid));
	put(&at, state->position.epoch, POSITION_EPOCH);
	put_number(&at, state->position.rev);
	put(&at, state->position.chain, POSITION_CHAIN);
	put_number(&at, state->floor);
	put(&at, state->floor_chain, POSITION_CHAIN);
	put(&at, digest, sizeof(digest));
	put_number(&at, state->records);
	put_number(&at, state->log_bytes);
	assert(at <= to + STATE_SIZE);
	zl_put_be64(to, check(STATE_KEY, sizeof(STATE_KEY) - 1, to + 8, STATE_SIZE - 8));
}

bool state_unpack(const void *bytes, size_t len, struct state *state, uint32_t *schema)
{
	const uint8_t *from = bytes;
	uint8_t digest[32];

	*schema = len >= 12 ? zl_get_be32(from + 8) : 0;
	if (len != STATE_SIZE ||
	    zl_get_be64(from) !=
		    check(STATE_KEY, sizeof(STATE_KEY) - 1, from + 8, STATE_SIZE - 8) ||
	    *schema != STATE_SCHEMA || from[12] > 1)
		return false;
	state->table = from[12];
	from += 16;
	take(&from, state->uuid, sizeof(state->uuid));
	take(&from, state->position.epoch, POSITION_EPOCH);
	state->position.rev = take_number(&from);
	take(&from, state->position.chain, POSITION_CHAIN);
	state->floor = take_number(&from);
	take(&from, state->floor_chain, POSITION_CHAIN);
	take(&from, digest, sizeof(digest));
	digest_from_bytes(&state->digest, digest);
	state->records = take_number(&from);
	state->log_bytes = take_number(&from);
	return true;
}
