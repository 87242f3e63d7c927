/* Log entries as they come from a peer: unpacked, packed again, unpacked to the same. */
#include "model/entry.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_buf bytes = { 0 };
	struct entry entry;
	struct entry again;

	if (entry_unpack(data, size, arena, &entry, NULL) == ZL_OK) {
		entry_pack(&entry, &bytes);
		enum zl_code code =
			entry_unpack(bytes.data, bytes.len, arena, &again, NULL);
		assert(code == ZL_OK);
		assert(again.op_count == entry.op_count &&
		       again.wall_us == entry.wall_us);
		for (size_t i = 0; i < entry.op_count; i++) {
			const struct op *a = &entry.ops[i];
			const struct op *b = &again.ops[i];
			assert(a->key_len == b->key_len && a->deleted == b->deleted &&
			       memcmp(a->key, b->key, a->key_len) == 0);
		}
		zl_buf_free(&bytes);
	}
	zl_arena_free(&arena);
	return 0;
}
