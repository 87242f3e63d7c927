#include "sync/codec.h"

#include "sync/check.h"

#include <assert.h>
#include <string.h>

enum { ENVELOPE = 4, VERSION = 1 };

static const ProtobufCMessageDescriptor *const TYPES[SYNC_TYPES] = {
	[SYNC_MSG_DELTA] = &sync__delta__descriptor,
	[SYNC_MSG_NUDGE] = &sync__nudge__descriptor,
	[SYNC_MSG_BEAT] = &sync__beat__descriptor,
	[SYNC_MSG_HELLO] = &sync__hello__descriptor,
	[SYNC_MSG_FETCH] = &sync__fetch__descriptor,
	[SYNC_MSG_SNAP] = &sync__snap__descriptor,
	[SYNC_MSG_SUMS] = &sync__sums__descriptor,
	[SYNC_MSG_KEYS] = &sync__keys__descriptor,
	[SYNC_MSG_PUSH] = &sync__push__descriptor,
	[SYNC_MSG_LEASE] = &sync__lease__descriptor,
	[SYNC_MSG_BYE] = &sync__bye__descriptor,
	[SYNC_MSG_SECRET] = &sync__secret__descriptor,
	[SYNC_MSG_WELCOME] = &sync__welcome__descriptor,
	[SYNC_MSG_REFUSED] = &sync__refused__descriptor,
	[SYNC_MSG_FENCED] = &sync__fenced__descriptor,
	[SYNC_MSG_UNKNOWN] = &sync__unknown__descriptor,
	[SYNC_MSG_LATER] = &sync__later__descriptor,
	[SYNC_MSG_LOG] = &sync__log__descriptor,
	[SYNC_MSG_RESET] = &sync__reset__descriptor,
	[SYNC_MSG_CHUNK] = &sync__chunk__descriptor,
	[SYNC_MSG_SUMS_REPLY] = &sync__sums_reply__descriptor,
	[SYNC_MSG_KEYS_REPLY] = &sync__keys_reply__descriptor,
	[SYNC_MSG_PUSHED] = &sync__pushed__descriptor,
	[SYNC_MSG_PUSH_RESET] = &sync__push_reset__descriptor,
	[SYNC_MSG_LEASED] = &sync__leased__descriptor,
	[SYNC_MSG_BYE_OK] = &sync__bye_ok__descriptor,
	[SYNC_MSG_SECRET_REPLY] = &sync__secret_reply__descriptor,
};

/* A few bytes sent can unpack to many times their size. */
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

static void budget_free(void *data, void *pointer)
{
	(void)data; /* the arena goes as a whole */
	(void)pointer;
}

enum zl_code sync_decode(struct zl_arena *arena, const void *bytes, size_t len,
			 struct sync_message *out, struct zl_err *err)
{
	const uint8_t *raw = bytes;

	if (len > SYNC_MESSAGE_MAX)
		return zl_fail(err, ZL_ELIMIT, "message of %zu bytes", len);
	if (len < ENVELOPE || raw[0] != 'Z' || raw[1] != 'L')
		return zl_fail(err, ZL_EINVAL, "not a message of this protocol");
	if (raw[2] != VERSION)
		return zl_fail(err, ZL_EINVAL, "message of version %u, not %d", raw[2],
			       VERSION);
	if (raw[3] >= SYNC_TYPES || TYPES[raw[3]] == NULL)
		return zl_fail(err, ZL_EINVAL, "message of unknown type %u", raw[3]);

	const ProtobufCMessageDescriptor *type = TYPES[raw[3]];
	enum zl_code code = check_packed(type, raw + ENVELOPE, len - ENVELOPE, err);
	if (code != ZL_OK)
		return code;

	struct budget budget = { arena, 8 * len + (64 << 10) };
	ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };
	ProtobufCMessage *body = protobuf_c_message_unpack(
		type, &allocator, len - ENVELOPE, raw + ENVELOPE);
	if (body == NULL)
		return zl_fail(err, ZL_EINVAL, "%s: damaged or too large once unpacked",
			       type->short_name);
	*out = (struct sync_message){ (enum sync_type)raw[3], body };
	return check_message(body, err);
}

struct sync_bytes sync_encode(struct zl_arena *arena, enum sync_type type,
			      const void *body)
{
	const ProtobufCMessage *message = body;

	assert(message->descriptor == TYPES[type]);
	size_t len = ENVELOPE + protobuf_c_message_get_packed_size(message);
	uint8_t *raw = zl_arena_alloc(arena, 1, len);
	raw[0] = 'Z';
	raw[1] = 'L';
	raw[2] = VERSION;
	raw[3] = (uint8_t)type;
	protobuf_c_message_pack(message, raw + ENVELOPE);
	return (struct sync_bytes){ raw, len };
}

ProtobufCBinaryData sync_bin(struct zl_arena *arena, const void *data, size_t len)
{
	return (ProtobufCBinaryData){ len, zl_arena_memdup(arena, data, len) };
}

Sync__Position *sync_position_out(struct zl_arena *arena, const struct position *from)
{
	Sync__Position *to = zl_arena_alloc(arena, 1, sizeof(*to));

	sync__position__init(to);
	to->epoch = sync_bin(arena, from->epoch, POSITION_EPOCH);
	to->rev = from->rev;
	to->chain = sync_bin(arena, from->chain, POSITION_CHAIN);
	return to;
}

struct position sync_position_in(const Sync__Position *from)
{
	struct position to = { .rev = from->rev };

	memcpy(to.epoch, from->epoch.data, POSITION_EPOCH);
	memcpy(to.chain, from->chain.data, POSITION_CHAIN);
	return to;
}

ProtobufCBinaryData sync_digest_out(struct zl_arena *arena, const struct digest *from)
{
	uint8_t bytes[32];

	digest_bytes(from, bytes);
	return sync_bin(arena, bytes, sizeof(bytes));
}

struct digest sync_digest_in(ProtobufCBinaryData from)
{
	struct digest to;

	digest_from_bytes(&to, from.data);
	return to;
}

Sync__LogEntry *sync_entry_out(struct zl_arena *arena, const struct sync_entry *from)
{
	Sync__LogEntry *to = zl_arena_alloc(arena, 1, sizeof(*to));

	sync__log_entry__init(to);
	to->rev = from->rev;
	to->chain = sync_bin(arena, from->chain, POSITION_CHAIN);
	to->bytes = sync_bin(arena, from->bytes, from->len);
	return to;
}

struct sync_entry sync_entry_in(const Sync__LogEntry *from)
{
	struct sync_entry to = { .rev = from->rev,
				 .bytes = from->bytes.data,
				 .len = from->bytes.len };

	memcpy(to.chain, from->chain.data, POSITION_CHAIN);
	return to;
}

Sync__Record *sync_record_out(struct zl_arena *arena, const struct sync_record *from)
{
	Sync__Record *to = zl_arena_alloc(arena, 1, sizeof(*to));

	sync__record__init(to);
	to->key = sync_bin(arena, from->key, from->key_len);
	to->mod_rev = from->mod_rev;
	to->value = sync_bin(arena, from->value, from->value_len);
	to->deleted = from->deleted;
	return to;
}

struct sync_record sync_record_in(const Sync__Record *from)
{
	return (struct sync_record){ .key = from->key.data,
				     .key_len = from->key.len,
				     .mod_rev = from->mod_rev,
				     .value = from->value.data,
				     .value_len = from->value.len,
				     .deleted = from->deleted };
}

char *sync_text_out(struct zl_arena *arena, const char *text)
{
	size_t len = strnlen(text, SYNC_TEXT_MAX);

	if (len == SYNC_TEXT_MAX)
		while (len > 0 && (text[len] & 0xc0) == 0x80)
			len--; /* not within a character */
	if (!check_utf8((const uint8_t *)text, len))
		return zl_arena_strdup(arena, "(not UTF-8)");
	return zl_arena_strndup(arena, text, len);
}
