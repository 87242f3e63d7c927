#include "newer.h"

#include <assert.h>
#include <string.h>

enum { ENVELOPE = 4 };

struct sync_bytes __real_sync_encode(struct zl_arena *arena, enum sync_type type,
				     const void *body);
struct sync_bytes __wrap_sync_encode(struct zl_arena *arena, enum sync_type type,
				     const void *body);

static uint64_t types;

uint64_t newer_types(void)
{
	return types;
}

static void *take(void *arena, size_t size)
{
	return zl_arena_alloc(arena, 1, size);
}

static void leave(void *arena, void *pointer)
{
	(void)arena; /* which goes as a whole */
	(void)pointer;
}

/* A field of each form that there is. */
static void add_fields(ProtobufCMessage *message, struct zl_arena *arena)
{
	static const struct {
		uint32_t tag;
		ProtobufCWireType form;
		const char *bytes;
		size_t len;
	} FIELDS[] = {
		{ 1000, PROTOBUF_C_WIRE_TYPE_VARINT, "\x81\1", 2 },
		{ 1001, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, "\6\xff\0newr", 7 },
		{ 1002, PROTOBUF_C_WIRE_TYPE_32BIT, "\1\2\3\4", 4 },
		{ 1003, PROTOBUF_C_WIRE_TYPE_64BIT, "\1\2\3\4\5\6\7\x8", 8 },
	};
	enum { COUNT = sizeof(FIELDS) / sizeof(FIELDS[0]) };
	ProtobufCMessageUnknownField *more = zl_arena_alloc(arena, COUNT, sizeof(*more));

	for (size_t i = 0; i < COUNT; i++) {
		more[i].tag = FIELDS[i].tag;
		more[i].wire_type = FIELDS[i].form;
		more[i].len = FIELDS[i].len;
		more[i].data = zl_arena_memdup(arena, FIELDS[i].bytes, FIELDS[i].len);
	}
	message->unknown_fields = more;
	message->n_unknown_fields = COUNT;
}

static void grow(ProtobufCMessage *message, struct zl_arena *arena);

static void grow_field(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
		       struct zl_arena *arena)
{
	const char *base = (const char *)message;
	ProtobufCMessage *one, **list = &one;
	size_t count = 1;

	memcpy(&one, base + field->offset, sizeof(one));
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		memcpy(&count, base + field->quantifier_offset, sizeof(count));
		memcpy(&list, base + field->offset, sizeof(list));
	}
	for (size_t i = 0; i < count; i++)
		if (list[i] != NULL)
			grow(list[i], arena);
}

static void grow(ProtobufCMessage *message, struct zl_arena *arena)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;

	for (unsigned i = 0; i < type->n_fields; i++)
		if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			grow_field(message, &type->fields[i], arena);
	add_fields(message, arena);
}

struct sync_bytes __wrap_sync_encode(struct zl_arena *arena, enum sync_type type,
				     const void *body)
{
	struct sync_bytes plain = __real_sync_encode(arena, type, body);
	const ProtobufCMessage *message = body;
	ProtobufCAllocator allocator = { take, leave, arena };
	ProtobufCMessage *copy = protobuf_c_message_unpack(
		message->descriptor, &allocator, plain.len - ENVELOPE,
		(const uint8_t *)plain.data + ENVELOPE);

	assert(copy != NULL);
	if (type == SYNC_MSG_HELLO) {
		Sync__Hello *hello = (Sync__Hello *)copy;
		hello->proto_max = NEWER_VERSION;
		hello->features = UINT64_MAX;
		hello->build = zl_arena_strdup(arena, NEWER_BUILD);
	}
	grow(copy, arena);
	types |= UINT64_C(1) << type;
	return __real_sync_encode(arena, type, copy);
}
