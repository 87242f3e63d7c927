#include "model/entry.h"

#include <proto/record.pb-c.h>
#include <string.h>

static ProtobufCBinaryData binary(const void *data, size_t len)
{
	union {
		const void *in;
		void *out;
	} ptr = { .in = data }; /* protobuf-c has no const; it only reads */

	return (ProtobufCBinaryData){ .len = len, .data = ptr.out };
}

static char *text(const char *from)
{
	union {
		const char *in;
		char *out;
	} ptr = { .in = from != NULL ? from : "" };

	return ptr.out;
}

void entry_pack(const struct entry *entry, struct zl_buf *out)
{
	Zonelink__Record__Entry msg = ZONELINK__RECORD__ENTRY__INIT;
	struct zl_arena *arena = zl_arena_new();
	size_t n = entry->op_count;
	Zonelink__Record__Op *ops = zl_arena_alloc(arena, n, sizeof(*ops));
	Zonelink__Record__Op **list = zl_arena_alloc(arena, n, sizeof(void *));

	for (size_t i = 0; i < n; i++) {
		const struct op *op = &entry->ops[i];
		zonelink__record__op__init(&ops[i]);
		ops[i].key = binary(op->key, op->key_len);
		if (!op->deleted)
			ops[i].value = binary(op->value, op->value_len);
		ops[i].deleted = op->deleted;
		list[i] = &ops[i];
	}
	msg.ops = list;
	msg.n_ops = n;
	msg.wall_us = entry->wall_us;
	msg.who = text(entry->who);
	msg.message = text(entry->message);

	size_t size = zonelink__record__entry__get_packed_size(&msg);
	uint8_t *bytes = zl_arena_alloc(arena, size, 1);
	zonelink__record__entry__pack(&msg, bytes);
	zl_buf_add(out, bytes, size);
	zl_arena_free(&arena);
}

/* An allocator that gives from an arena up to a budget: hostile bytes can then cost no
 * more than a known multiple of their own length. */
struct budget {
	struct zl_arena *arena;
	size_t left;
};

static void *budget_alloc(void *data, size_t size)
{
	struct budget *budget = data;

	if (size > budget->left)
		return NULL;
	budget->left -= size;
	return zl_arena_alloc(budget->arena, 1, size);
}

static void budget_free(void *data, void *ptr)
{
	(void)data, (void)ptr; /* the arena frees it */
}

static enum zl_code damaged(struct zl_err *err, const char *why)
{
	return zl_fail(err, ZL_ECORRUPT, "log entry: %s", why);
}

enum zl_code entry_unpack(const void *bytes, size_t len, struct zl_arena *arena,
			  struct entry *entry, struct zl_err *err)
{
	struct budget budget = { arena, 8 * len + 65536 };
	ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };

	*entry = (struct entry){ 0 };
	if (len > ENTRY_MAX)
		return damaged(err, "too large");
	const Zonelink__Record__Entry *msg =
		zonelink__record__entry__unpack(&allocator, len, bytes);
	if (msg == NULL)
		return damaged(err, "not a protobuf message of its kind");
	if (msg->n_ops > ENTRY_OPS_MAX)
		return damaged(err, "too many operations");

	struct op *ops = zl_arena_alloc(arena, msg->n_ops, sizeof(*ops));
	for (size_t i = 0; i < msg->n_ops; i++) {
		const Zonelink__Record__Op *op = msg->ops[i];
		if (op->key.len == 0 || op->key.len > ENTRY_KEY_MAX)
			return damaged(err, "a key of a wrong length");
		ops[i] = (struct op){ op->key.data, op->key.len, op->value.data,
				      op->value.len, op->deleted != 0 };
	}
	*entry = (struct entry){ ops, msg->n_ops, msg->wall_us, msg->who, msg->message };
	return ZL_OK;
}
