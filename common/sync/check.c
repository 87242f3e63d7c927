#include "sync/check.h"

#include "sync/sync.h"

#include "proto/replication.pb-c.h"

#include <string.h>

enum { DEPTH_MAX = 4, SUMS_LEN = 32 * DIGEST_BUCKETS };

/* Bytes of a UTF-8 character by its first byte; 0: none begins so. */
static size_t char_len(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if ((first & 0xf0) == 0xe0)
		return 3;
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	return 0;
}

/* The second byte has a narrower range where overlong forms, surrogates and what is above
 * U+10FFFF would begin. */
static bool second_ok(uint8_t first, uint8_t second)
{
	uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

bool check_utf8(const uint8_t *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t count = char_len(text[at]);
		if (count == 0 || text[at] == 0 || count > len - at)
			return false;
		if (count > 1 && !second_ok(text[at], text[at + 1]))
			return false;
		for (size_t i = 2; i < count; i++)
			if ((text[at + i] & 0xc0) != 0x80)
				return false;
		at += count;
	}
	return true;
}

struct reader {
	const uint8_t *at, *end;
};

static bool read_varint(struct reader *reader, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (reader->at == reader->end)
			return false;
		uint8_t byte = *reader->at++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0) {
			*out = value;
			return true;
		}
	}
	return false;
}

static bool skip(struct reader *reader, size_t len)
{
	if ((size_t)(reader->end - reader->at) < len)
		return false;
	reader->at += len;
	return true;
}

/* One field: its number, and its bytes if it has a length. */
static bool read_field(struct reader *reader, uint32_t *number, struct reader *inside)
{
	uint64_t tag, len;

	*inside = (struct reader){ NULL, NULL };
	if (!read_varint(reader, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return false;
	*number = (uint32_t)(tag >> 3);
	switch (tag & 7) {
	case 0:
		return read_varint(reader, &len);
	case 1:
		return skip(reader, 8);
	case 2:
		inside->at = NULL;
		if (!read_varint(reader, &len) ||
		    len > (size_t)(reader->end - reader->at))
			return false;
		*inside = (struct reader){ reader->at, reader->at + len };
		return skip(reader, (size_t)len);
	case 5:
		return skip(reader, 4);
	default:
		return false;
	}
}

static enum zl_code walk(const ProtobufCMessageDescriptor *type, struct reader reader,
			 unsigned depth, struct zl_err *err)
{
	if (depth > DEPTH_MAX)
		return zl_fail(err, ZL_EINVAL, "%s: nested too deep", type->short_name);

	while (reader.at < reader.end) {
		uint32_t number;
		struct reader inside;
		if (!read_field(&reader, &number, &inside))
			return zl_fail(err, ZL_EINVAL, "%s: damaged", type->short_name);
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field(type, number);
		if (field == NULL || inside.at == NULL)
			continue;
		size_t len = (size_t)(inside.end - inside.at);
		if (field->type == PROTOBUF_C_TYPE_STRING &&
		    (len > SYNC_TEXT_MAX || !check_utf8(inside.at, len)))
			return zl_fail(err, ZL_EINVAL,
				       "%s.%s: more than %d bytes, or no UTF-8 text",
				       type->short_name, field->name, SYNC_TEXT_MAX);
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		enum zl_code code = walk(field->descriptor, inside, depth + 1, err);
		if (code != ZL_OK)
			return code;
	}
	return ZL_OK;
}

enum zl_code check_packed(const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
			  size_t len, struct zl_err *err)
{
	return walk(type, (struct reader){ bytes, bytes + len }, 1, err);
}

/* Fields of bytes by name, in whichever message. */
static const struct rule {
	const char *field;
	size_t min, max;
} RULES[] = {
	{ "epoch", POSITION_EPOCH, POSITION_EPOCH },
	{ "chain", POSITION_CHAIN, POSITION_CHAIN },
	{ "chain_prev", POSITION_CHAIN, POSITION_CHAIN },
	{ "digest", 32, 32 },
	{ "zone_uuid", SYNC_UUID, SYNC_UUID },
	{ "hash", 16, 16 },
	{ "sums", SUMS_LEN, SUMS_LEN },
	{ "key", 1, ENTRY_KEY_MAX },
	{ "keys", 1, ENTRY_KEY_MAX },
	{ "cursor", 0, ENTRY_KEY_MAX },
	{ "buckets", 0, DIGEST_BUCKETS },
	{ "value", 0, SYNC_VALUE_MAX },
	{ "content", 0, SYNC_SECRET_MAX },
};

/* Parts that a message may do without: Snap's first, Log's without a part, Lease and
 * Leased when nothing is held. */
static bool may_be_absent(const ProtobufCMessageDescriptor *type,
			  const ProtobufCFieldDescriptor *field)
{
	static const char *const NAMES[] = { "part", "held", "accept" };

	/* A chunk says where it is of, always. */
	if (type == &sync__snap__descriptor && strcmp(field->name, "start") == 0)
		return true;
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
		if (strcmp(field->name, NAMES[i]) == 0)
			return true;
	return false;
}

static enum zl_code check_bytes(const char *message, const char *field, size_t len,
				struct zl_err *err)
{
	for (size_t i = 0; i < sizeof(RULES) / sizeof(RULES[0]); i++)
		if ((len < RULES[i].min || len > RULES[i].max) &&
		    RULES[i].field[0] == field[0] && strcmp(RULES[i].field, field) == 0)
			return zl_fail(err, ZL_EINVAL, "%s.%s: %zu bytes", message, field,
				       len);
	return ZL_OK;
}

static enum zl_code check_one(const ProtobufCMessageDescriptor *type,
			      const ProtobufCFieldDescriptor *field, const void *at,
			      struct zl_err *err)
{
	if (field->type == PROTOBUF_C_TYPE_BYTES) {
		const ProtobufCBinaryData *bytes = at;
		return check_bytes(type->short_name, field->name, bytes->len, err);
	}
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return ZL_OK;
	const ProtobufCMessage *const *inside = at;
	if (*inside != NULL)
		return check_message(*inside, err);
	if (may_be_absent(type, field))
		return ZL_OK;
	return zl_fail(err, ZL_EINVAL, "%s.%s: absent", type->short_name, field->name);
}

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData)
						    : sizeof(void *);
}

static enum zl_code check_field(const ProtobufCMessage *message,
				const ProtobufCFieldDescriptor *field, struct zl_err *err)
{
	const char *base = (const char *)message;

	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return check_one(message->descriptor, field, base + field->offset, err);
	if (field->type != PROTOBUF_C_TYPE_BYTES &&
	    field->type != PROTOBUF_C_TYPE_MESSAGE)
		return ZL_OK;

	size_t count;
	const char *list;
	memcpy(&count, base + field->quantifier_offset, sizeof(count));
	memcpy(&list, base + field->offset, sizeof(list));
	for (size_t i = 0; i < count; i++) {
		enum zl_code code = check_one(message->descriptor, field,
					      list + i * element_size(field), err);
		if (code != ZL_OK)
			return code;
	}
	return ZL_OK;
}

enum zl_code check_message(const ProtobufCMessage *message, struct zl_err *err)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;

	for (unsigned i = 0; i < type->n_fields; i++) {
		enum zl_code code = check_field(message, &type->fields[i], err);
		if (code != ZL_OK)
			return code;
	}
	return ZL_OK;
}
