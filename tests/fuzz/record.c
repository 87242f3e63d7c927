/* Stored bytes: record, log record and state. What unpacks gives the same bytes again, so
 * the checksum covers all of them. The first byte says which of the three and whether the
 * checksum is put right first; two bytes of key follow. */
#include "store/record.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(uint8_t *bytes, size_t len, const void *key, size_t key_len)
{
	uint8_t sums[16];

	if (len < 8)
		return;
	zl_put_be64(sums, zl_xxh3(key, key_len));
	zl_put_be64(sums + 8, zl_xxh3(bytes + 8, len - 8));
	zl_put_be64(bytes, zl_xxh3(sums, sizeof(sums)));
}

static void one_record(const uint8_t *bytes, size_t len, const uint8_t *key)
{
	struct record record;

	if (!record_unpack(bytes, len, key, 2, &record))
		return;
	assert(record.len == len - RECORD_HEAD);
	uint8_t *again = zl_alloc(len, 1);
	record_pack(again, key, 2, &record);
	assert(memcmp(again, bytes, len) == 0);
	free(again);
}

static void one_log_record(const uint8_t *bytes, size_t len, uint64_t rev)
{
	struct log_record record;

	if (!log_record_unpack(bytes, len, rev, &record))
		return;
	assert(log_record_size(&record) == len);
	uint8_t *again = zl_alloc(len, 1);
	log_record_pack(again, rev, &record);
	assert(memcmp(again, bytes, len) == 0);
	free(again);
}

static void one_state(const uint8_t *bytes, size_t len)
{
	struct state state;
	struct state again;
	uint8_t packed[STATE_SIZE];
	uint8_t packed_again[STATE_SIZE];
	uint32_t schema;

	if (!state_unpack(bytes, len, &state, &schema))
		return;
	state_pack(packed, &state);
	bool ok = state_unpack(packed, sizeof(packed), &again, &schema);
	assert(ok);
	state_pack(packed_again, &again);
	assert(memcmp(packed, packed_again, STATE_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t number[8];

	if (size < 3)
		return 0;
	size_t len = size - 3;
	uint8_t *bytes = zl_alloc(len, 1);
	memcpy(bytes, data + 3, len);
	uint64_t rev = (uint64_t)data[1] << 8 | data[2];
	zl_put_be64(number, rev);
	bool right = data[0] & 0x80;
	switch (data[0] % 3) {
	case 0:
		if (right)
			mend(bytes, len, data + 1, 2);
		one_record(bytes, len, data + 1);
		break;
	case 1:
		if (right)
			mend(bytes, len, number, sizeof(number));
		one_log_record(bytes, len, rev);
		break;
	default:
		if (right)
			mend(bytes, len, "state", 5);
		one_state(bytes, len);
	}
	free(bytes);
	return 0;
}
