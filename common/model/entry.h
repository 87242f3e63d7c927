/* model/entry.h - one commit as it is logged, chained and sent: proto/record.proto.
 *
 * Store and sync both need it and may not see each other, so its codec stands here.
 *
 * Threads:  pure.
 * Lifetime: what entry_unpack gives lives in the arena; keys and values are copies.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Put value at key, or delete key. */
struct op {
	const void *key;
	size_t key_len;
	const void *value;
	size_t value_len;
	bool deleted;
};

struct entry {
	const struct op *ops;
	size_t op_count;
	uint64_t wall_us;    /* only shown */
	const char *who;     /* only shown; "" for none */
	const char *message; /* only shown; "" for none */
};

enum { ENTRY_MAX = 64 << 20, ENTRY_OPS_MAX = 20000, ENTRY_KEY_MAX = 500 };

/* Append the packed bytes of entry to out. */
void entry_pack(const struct entry *entry, struct zl_buf *out);

/* ZL_ECORRUPT: not an entry, a key of 0 or more than ENTRY_KEY_MAX bytes, too many ops or
 * bytes. */
ZL_MUST_USE enum zl_code entry_unpack(const void *bytes, size_t len,
				      struct zl_arena *arena, struct entry *entry,
				      struct zl_err *err);
