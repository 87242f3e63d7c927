#include "envoy/json.h"

#include "envoy/pb.h"
#include "model/tree.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static struct tree *message_tree(struct zl_arena *arena, const ProtobufCMessage *message);

/* consecutive_5xx becomes consecutive5xx. */
static const char *camel(struct zl_arena *arena, const char *name)
{
	char *text = zl_arena_strdup(arena, name);
	char *to = text;

	for (const char *from = name; *from != '\0'; from++) {
		if (*from == '_' && from[1] != '\0')
			*to++ = (char)toupper((unsigned char)*++from);
		else
			*to++ = *from;
	}
	*to = '\0';
	return text;
}

static struct tree *null_tree(struct zl_arena *arena)
{
	return zl_arena_alloc(arena, 1, sizeof(struct tree)); /* TREE_NULL is 0 */
}

static struct tree *double_tree(struct zl_arena *arena, double value)
{
	struct tree *tree = zl_arena_alloc(arena, 1, sizeof(*tree));

	tree->type = TREE_REAL;
	tree->real = value;
	tree->text = zl_arena_format(arena, "%.17g", value);
	return tree;
}

static struct tree *bytes_tree(struct zl_arena *arena, const ProtobufCBinaryData *bytes)
{
	static const char DIGITS[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = zl_arena_alloc(arena, bytes->len / 3 * 4 + 5, 1);
	char *to = text;

	for (size_t i = 0; i < bytes->len; i += 3) {
		size_t left = bytes->len - i;
		unsigned word = (unsigned)bytes->data[i] << 16;
		if (left > 1)
			word |= (unsigned)bytes->data[i + 1] << 8;
		if (left > 2)
			word |= bytes->data[i + 2];
		*to++ = DIGITS[word >> 18];
		*to++ = DIGITS[word >> 12 & 63];
		*to++ = '=';
		*to++ = '=';
		if (left > 1)
			to[-2] = DIGITS[word >> 6 & 63];
		if (left > 2)
			to[-1] = DIGITS[word & 63];
	}
	return tree_text(arena, text);
}

static struct tree *enum_tree(struct zl_arena *arena, const ProtobufCEnumDescriptor *type,
			      int number)
{
	const ProtobufCEnumValue *value =
		protobuf_c_enum_descriptor_get_value(type, number);

	return value ? tree_text(arena, value->name) : tree_int(arena, number);
}

/* The value of a field at this address. */
static struct tree *value_tree(struct zl_arena *arena,
			       const ProtobufCFieldDescriptor *field, const void *at)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
		return tree_int(arena, *(const int32_t *)at);
	case PROTOBUF_C_TYPE_UINT32:
		return tree_int(arena, *(const uint32_t *)at);
	case PROTOBUF_C_TYPE_INT64:
		return tree_text(
			arena, zl_arena_format(arena, "%" PRId64, *(const int64_t *)at));
	case PROTOBUF_C_TYPE_UINT64:
		return tree_text(
			arena, zl_arena_format(arena, "%" PRIu64, *(const uint64_t *)at));
	case PROTOBUF_C_TYPE_DOUBLE:
		return double_tree(arena, *(const double *)at);
	case PROTOBUF_C_TYPE_BOOL:
		return tree_bool(arena, *(const protobuf_c_boolean *)at != 0);
	case PROTOBUF_C_TYPE_ENUM:
		return enum_tree(arena, field->descriptor, *(const int *)at);
	case PROTOBUF_C_TYPE_STRING:
		return tree_text(arena, *(const char *const *)at);
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_tree(arena, at);
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_tree(arena, *(const ProtobufCMessage *const *)at);
	default:
		assert(false && "a field type that envoy.proto does not use");
		return NULL;
	}
}

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(double);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	default:
		return sizeof(int32_t);
	}
}

/* protoc-c has no word for map: it is a repeated entry of key and value. */
static bool is_map(const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *entry = field->descriptor;

	if (field->label != PROTOBUF_C_LABEL_REPEATED ||
	    field->type != PROTOBUF_C_TYPE_MESSAGE)
		return false;
	size_t len = strlen(entry->short_name);
	return entry->n_fields == 2 && strcmp(entry->fields[0].name, "key") == 0 &&
	       len > 5 && strcmp(entry->short_name + len - 5, "Entry") == 0;
}

static struct tree *map_tree(struct zl_arena *arena,
			     const ProtobufCMessage *const *entries, size_t count)
{
	struct tree *map = tree_map(arena);

	for (size_t i = 0; i < count; i++) {
		const ProtobufCMessageDescriptor *type = entries[i]->descriptor;
		const char *entry = (const char *)entries[i];
		const ProtobufCFieldDescriptor *value = &type->fields[1];
		tree_set(arena, map,
			 *(const char *const *)(const void *)(entry +
							      type->fields[0].offset),
			 value_tree(arena, value, entry + value->offset));
	}
	return map;
}

static struct tree *list_tree(struct zl_arena *arena,
			      const ProtobufCFieldDescriptor *field, const char *items,
			      size_t count)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < count; i++)
		tree_push(arena, list,
			  value_tree(arena, field, items + i * element_size(field)));
	return list;
}

/* True if the field has a value that protobuf's JSON shows. */
static bool is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	static const char ZEROES[sizeof(ProtobufCBinaryData)];
	const char *base = (const char *)message;
	const char *at = base + field->offset;
	const void *quantifier = base + field->quantifier_offset;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)quantifier > 0;
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const unsigned *)quantifier == field->id;
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		const char *text = *(const char *const *)(const void *)at;
		return text != NULL && text[0] != '\0';
	}
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return ((const ProtobufCBinaryData *)(const void *)at)->len > 0;
	return memcmp(at, ZEROES, element_size(field)) != 0;
}

static void add_fields(struct zl_arena *arena, const ProtobufCMessage *message,
		       struct tree *map)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	const char *base = (const char *)message;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const void *at = base + field->offset;
		const void *quantifier = base + field->quantifier_offset;
		struct tree *value;

		if (!is_set(message, field))
			continue;
		if (is_map(field))
			value = map_tree(arena,
					 *(const ProtobufCMessage *const *const *)at,
					 *(const size_t *)quantifier);
		else if (field->label == PROTOBUF_C_LABEL_REPEATED)
			value = list_tree(arena, field, *(const char *const *)at,
					  *(const size_t *)quantifier);
		else
			value = value_tree(arena, field, at);
		tree_set(arena, map, camel(arena, field->name), value);
	}
}

static struct tree *any_tree(struct zl_arena *arena, const Envoy__Any *any)
{
	const ProtobufCMessageDescriptor *type = pb_type(any->type_url);
	struct tree *map = tree_map(arena);
	const ProtobufCMessage *message = NULL;

	if (type != NULL)
		message = pb_unpack(arena, type, any->value.data, any->value.len);
	tree_set(arena, map, "@type", tree_text(arena, any->type_url));
	if (message != NULL)
		add_fields(arena, message, map);
	else
		tree_set(arena, map, "value", bytes_tree(arena, &any->value));
	return map;
}

/* "5s", "0.250s": no fraction, or 3, 6 or 9 digits of it. */
static struct tree *duration_tree(struct zl_arena *arena, const Envoy__Duration *duration)
{
	int digits = 9;
	int fraction = duration->nanos;

	if (fraction == 0)
		return tree_text(
			arena, zl_arena_format(arena, "%" PRId64 "s", duration->seconds));
	while (fraction % 1000 == 0) {
		fraction /= 1000;
		digits -= 3;
	}
	return tree_text(arena, zl_arena_format(arena, "%" PRId64 ".%0*ds",
						duration->seconds, digits, fraction));
}

static bool is_wrapper(const ProtobufCMessageDescriptor *type)
{
	return type == &envoy__bool_value__descriptor ||
	       type == &envoy__uint32_value__descriptor ||
	       type == &envoy__uint64_value__descriptor ||
	       type == &envoy__double_value__descriptor ||
	       type == &envoy__string_value__descriptor;
}

/* google.protobuf.Value: whatever kind is set, by itself. */
static struct tree *json_value_tree(struct zl_arena *arena, const Envoy__Value *value)
{
	for (unsigned i = 0; i < value->base.descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field =
			&value->base.descriptor->fields[i];
		if (field->id == value->kind_case &&
		    field->type != PROTOBUF_C_TYPE_ENUM) /* null */
			return value_tree(arena, field,
					  (const char *)value + field->offset);
	}
	return null_tree(arena);
}

static struct tree *message_tree(struct zl_arena *arena, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	const void *typed = message;
	struct tree *map;

	if (type == &envoy__any__descriptor)
		return any_tree(arena, typed);
	if (type == &envoy__duration__descriptor)
		return duration_tree(arena, typed);
	if (type == &envoy__value__descriptor)
		return json_value_tree(arena, typed);
	if (is_wrapper(type))
		return value_tree(arena, &type->fields[0],
				  (const char *)message + type->fields[0].offset);
	if (type == &envoy__struct__descriptor) {
		const Envoy__Struct *fields = typed;
		const void *entries = fields->fields;
		return map_tree(arena, entries, fields->n_fields);
	}
	if (type == &envoy__list_value__descriptor) {
		const Envoy__ListValue *list = typed;
		const void *values = list->values;
		return list_tree(arena, &type->fields[0], values, list->n_values);
	}
	map = tree_map(arena);
	add_fields(arena, message, map);
	return map;
}

static struct tree *resources_tree(struct zl_arena *arena,
				   const struct envoy_config *config,
				   enum envoy_type type)
{
	struct tree *list = tree_list(arena);
	size_t count;
	const struct envoy_resource *items = envoy_config_list(config, type, &count);

	for (size_t i = 0; i < count; i++) {
		const ProtobufCMessageDescriptor *message = pb_type(envoy_type_url(type));
		const ProtobufCMessage *unpacked;
		assert(message != NULL);
		unpacked = pb_unpack(arena, message, items[i].bytes, items[i].len);
		assert(unpacked != NULL);
		tree_push(arena, list, message_tree(arena, unpacked));
	}
	return list;
}

void envoy_config_json(const struct envoy_config *config, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *map = tree_map(arena);
	size_t routes;

	tree_set(arena, map, "listeners", resources_tree(arena, config, ENVOY_LISTENER));
	tree_set(arena, map, "clusters", resources_tree(arena, config, ENVOY_CLUSTER));
	tree_set(arena, map, "endpoints", resources_tree(arena, config, ENVOY_ENDPOINTS));
	tree_set(arena, map, "extensions",
		 resources_tree(arena, config, ENVOY_EXTENSION));
	(void)envoy_config_list(config, ENVOY_ROUTES, &routes);
	if (routes > 0)
		tree_set(arena, map, "routes",
			 resources_tree(arena, config, ENVOY_ROUTES));
	tree_json_pretty(map, out);
	zl_arena_free(&arena);
	zl_buf_char(out, '\n');
}
