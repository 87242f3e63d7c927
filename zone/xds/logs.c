#include "zone/xds/logs.h"

#include "base/mem.h"
#include "zone/xds/wire.h"

#include <inttypes.h>
#include <string.h>

enum { PAIRS_MAX = 1000 }; /* of a record's body, and of its attributes */

/* Field numbers of opentelemetry.proto.collector.logs.v1 and of what its messages hold.
 */
enum {
	EXPORT_RESOURCE_LOGS = 1,
	RESOURCE_SCOPE_LOGS = 2,
	SCOPE_RECORDS = 2,

	RECORD_TIME = 1,
	RECORD_BODY = 5,
	RECORD_ATTRIBUTES = 6,

	VALUE_STRING = 1,
	VALUE_BOOL = 2,
	VALUE_INT = 3,
	VALUE_DOUBLE = 4,
	VALUE_LIST = 6,

	LIST_VALUES = 1,

	KEY_VALUE_KEY = 1,
	KEY_VALUE_VALUE = 2
};

struct reader {
	struct zl_arena *arena; /* of the record at hand */
	void (*each)(void *to, const struct xds_log_record *record);
	void *to;
	uint64_t count; /* of records */
	bool damaged;
};

static bool next(struct reader *reader, struct xds_wire *wire, struct xds_field *field)
{
	enum xds_wire_step step = xds_wire_next(wire, field);

	reader->damaged = reader->damaged || step == XDS_WIRE_BAD;
	return step == XDS_WIRE_FIELD;
}

static struct xds_wire inside(struct reader *reader, const struct xds_field *field)
{
	if (field->type != XDS_WIRE_BYTES)
		reader->damaged = true;
	return (struct xds_wire){ field->data,
				  field->type == XDS_WIRE_BYTES ? field->len : 0 };
}

/* What a client put into a log, such as a server's name, may hold any byte. */
static const char *text(struct reader *reader, struct xds_wire bytes)
{
	if (bytes.left == 0)
		return "";
	if (xds_text_ok(bytes.at, bytes.left))
		return zl_arena_strndup(reader->arena, (const char *)bytes.at,
					bytes.left);
	char *copy = zl_arena_alloc(reader->arena, bytes.left + 1, 1);
	for (size_t i = 0; i < bytes.left; i++) {
		bool is_plain = bytes.at[i] < 0x80 && bytes.at[i] != 0;

		copy[i] = (char)(is_plain ? bytes.at[i] : '?');
	}
	return copy;
}

/* An AnyValue that is one value; a list is handed back in *list, with NULL. */
static const char *read_value(struct reader *reader, struct xds_wire wire,
			      struct xds_wire *list)
{
	const char *value = "";
	struct xds_field field;

	while (next(reader, &wire, &field)) {
		double real;
		switch (field.number) {
		case VALUE_STRING:
			value = text(reader, inside(reader, &field));
			break;
		case VALUE_BOOL:
			value = field.value != 0 ? "true" : "false";
			break;
		case VALUE_INT:
			value = zl_arena_format(reader->arena, "%" PRId64,
						(int64_t)field.value);
			break;
		case VALUE_DOUBLE:
			memcpy(&real, &field.value, sizeof(real));
			value = zl_arena_format(reader->arena, "%.17g", real);
			break;
		case VALUE_LIST:
			if (list == NULL)
				break;
			*list = inside(reader, &field);
			value = NULL;
			break;
		default:
			break;
		}
	}
	return value;
}

static struct xds_log_field read_pair(struct reader *reader, struct xds_wire wire)
{
	struct xds_log_field pair = { "", "" };
	struct xds_field field;

	while (next(reader, &wire, &field)) {
		if (field.number == KEY_VALUE_KEY)
			pair.key = text(reader, inside(reader, &field));
		else if (field.number == KEY_VALUE_VALUE)
			pair.value = read_value(reader, inside(reader, &field), NULL);
	}
	return pair;
}

/* The pairs that stand in wire as fields of this number. */
static struct xds_log_field *read_pairs(struct reader *reader, struct xds_wire wire,
					uint32_t number, size_t *count)
{
	struct xds_wire ahead = wire;
	struct xds_field field;
	size_t most = 0;

	while (xds_wire_next(&ahead, &field) == XDS_WIRE_FIELD)
		most += field.number == number;
	*count = 0;
	if (most > PAIRS_MAX) {
		reader->damaged = true;
		return NULL;
	}
	struct xds_log_field *pairs = zl_arena_alloc(reader->arena, most, sizeof(*pairs));
	while (next(reader, &wire, &field))
		if (field.number == number)
			pairs[(*count)++] = read_pair(reader, inside(reader, &field));
	return pairs;
}

static void read_record(struct reader *reader, struct xds_wire wire)
{
	struct xds_log_record record = { .text = "" };
	struct xds_wire ahead = wire;
	struct xds_wire list = { NULL, 0 };
	struct xds_field field;

	zl_arena_reset(reader->arena);
	while (next(reader, &ahead, &field)) {
		if (field.number == RECORD_TIME)
			record.time_ns = field.value;
		else if (field.number == RECORD_BODY)
			record.text = read_value(reader, inside(reader, &field), &list);
	}
	if (record.text == NULL)
		record.fields =
			read_pairs(reader, list, LIST_VALUES, &record.field_count);
	record.attributes =
		read_pairs(reader, wire, RECORD_ATTRIBUTES, &record.attribute_count);
	if (reader->damaged)
		return;
	reader->count++;
	reader->each(reader->to, &record);
}

enum zl_code xds_logs_read(const void *bytes, size_t len,
			   void (*each)(void *to, const struct xds_log_record *record),
			   void *to, uint64_t *count, struct zl_err *err)
{
	struct reader reader = { .arena = zl_arena_new(), .each = each, .to = to };
	struct xds_wire request = { bytes, len };
	struct xds_field of_request;
	struct xds_field of_resource;
	struct xds_field of_scope;

	while (next(&reader, &request, &of_request)) {
		if (of_request.number != EXPORT_RESOURCE_LOGS)
			continue;
		struct xds_wire resource = inside(&reader, &of_request);
		while (next(&reader, &resource, &of_resource)) {
			if (of_resource.number != RESOURCE_SCOPE_LOGS)
				continue;
			struct xds_wire scope = inside(&reader, &of_resource);
			while (next(&reader, &scope, &of_scope))
				if (of_scope.number == SCOPE_RECORDS)
					read_record(&reader, inside(&reader, &of_scope));
		}
	}
	zl_arena_free(&reader.arena);
	*count += reader.count;
	if (reader.damaged)
		return zl_fail(err, ZL_EINVAL, "the ExportLogsServiceRequest is damaged");
	return ZL_OK;
}
