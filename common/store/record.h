/* store/record.h - the bytes of what is stored; all integers big-endian.
 *
 *   record   0        8        16           24        32
 *            | check  | mod_rev | create_rev | wall_us | value ...
 *   log      0        8          24      28
 *            | check  | chain    | n     | n x mod_rev before, u64 | entry ...
 *   state    STATE_SIZE bytes: check, schema, which table is the present one, then the
 *            fields of struct state in their order
 *
 * check = XXH3 of two sums: of the key, and of all behind check.
 *
 * Threads:  pure.
 * Lifetime: what unpack gives points into the bytes.
 */
#pragma once

#include "model/position.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_HEAD = 32, LOG_HEAD = 28, STATE_SIZE = 160, STATE_SCHEMA = 1 };

struct record {
	uint64_t mod_rev, create_rev, wall_us;
	const void *value;
	size_t len;
};

/* Write a record; to has RECORD_HEAD + record->len bytes. */
void record_pack(uint8_t *to, const void *key, size_t key_len,
		 const struct record *record);
/* False: damaged. */
bool record_unpack(const void *bytes, size_t len, const void *key, size_t key_len,
		   struct record *record);

struct log_record {
	const uint8_t *chain; /* POSITION_CHAIN bytes */
	uint32_t op_count;
	const uint8_t *before; /* op_count x u64: mod_rev of each key before; 0: none */
	const void *entry;
	size_t len;
};

size_t log_record_size(const struct log_record *record);
/* Write a log record; to has log_record_size bytes. */
void log_record_pack(uint8_t *to, uint64_t rev, const struct log_record *record);
/* False: damaged. */
bool log_record_unpack(const void *bytes, size_t len, uint64_t rev,
		       struct log_record *record);

struct state {
	uint8_t table; /* 0 or 1: which table holds the records */
	uint8_t uuid[16];
	struct position position;
	uint64_t floor;                      /* the oldest log entry; rev + 1 for none */
	uint8_t floor_chain[POSITION_CHAIN]; /* after revision floor - 1 */
	struct digest digest;
	uint64_t records;
	uint64_t log_bytes;
};

void state_pack(uint8_t to[STATE_SIZE], const struct state *state);
/* False: damaged, or of another schema (*schema is set in either case). */
bool state_unpack(const void *bytes, size_t len, struct state *state, uint32_t *schema);
