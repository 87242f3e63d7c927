#include "zone/logs/record.h"

#include "envoy/build.h"
#include "model/tree.h"

#include <string.h>

static const char *field_of(const struct xds_log_field *fields, size_t count,
			    const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(fields[i].key, key) == 0)
			return fields[i].value;
	return NULL;
}

const char *record_attribute(const struct xds_log_record *record, const char *key)
{
	return field_of(record->attributes, record->attribute_count, key);
}

/* True for what ends a line or is an order to a terminal. A record's text is UTF-8: no
 * byte of a longer character is one of these, but C1 controls are two bytes. */
static bool is_control(const char *at)
{
	unsigned char byte = (unsigned char)*at;

	return (byte < 0x20 && byte != '\t') || byte == 0x7f ||
	       (byte == 0xc2 && (unsigned char)at[1] >= 0x80 &&
		(unsigned char)at[1] < 0xa0);
}

/* At most most bytes of text, cut between characters. Appends. */
static void add_safe(struct zl_buf *out, const char *text, size_t most)
{
	size_t end = out->len + most;

	while (*text != '\0') {
		size_t len = 1;
		while (((unsigned char)text[len] & 0xc0) == 0x80)
			len++;
		bool control = is_control(text);
		if (out->len + (control ? 4 * len : len) > end)
			return;
		for (size_t i = 0; control && i < len; i++)
			zl_buf_format(out, "\\x%02x", (unsigned char)text[i]);
		if (!control)
			zl_buf_add(out, text, len);
		text += len;
	}
}

static void add_object(struct zl_buf *out, const struct xds_log_record *record)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *object = tree_map(arena);

	for (size_t i = 0; i < record->field_count; i++)
		tree_set(arena, object, record->fields[i].key,
			 tree_text(arena, record->fields[i].value));
	tree_json(object, out);
	zl_arena_free(&arena);
}

void record_line(const struct xds_log_record *record, struct zl_buf *out)
{
	if (record->text != NULL)
		add_safe(out, record->text, RECORD_LINE_MAX);
	else
		add_object(out, record);
	zl_buf_char(out, '\n');
}

const char *denial_mode_name(enum denial_mode mode)
{
	return mode == DENIAL_SHADOW ? "shadow" : "enforced";
}

/* What Envoy writes where there is nothing is a dash. */
static const char *body_text(const struct xds_log_record *record, const char *key,
			     struct zl_arena *arena)
{
	const char *value = field_of(record->fields, record->field_count, key);
	struct zl_buf out = { 0 };

	if (value == NULL || strcmp(value, "-") == 0)
		return "";
	add_safe(&out, value, RECORD_TEXT_MAX);
	value = zl_arena_strdup(arena, zl_buf_text(&out));
	zl_buf_free(&out);
	return value;
}

static bool starts_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Of the URIs of a certificate, with commas between them, those that say who it is; the
 * others are tags. */
static const char *identities(const char *uris, struct zl_arena *arena)
{
	struct zl_buf out = { 0 };
	const char *text;

	for (const char *at = uris; *at != '\0';) {
		size_t len = strcspn(at, ",");
		if (starts_with(at, "spiffe://")) {
			if (out.len > 0)
				zl_buf_char(&out, ',');
			zl_buf_add(&out, at, len);
		}
		at += len + (at[len] == ',');
	}
	text = out.len > 0 ? zl_arena_strdup(arena, out.data) : uris;
	zl_buf_free(&out);
	return text;
}

/* The gate is the list of names that a certificate may have (policies-spec 3.4); who has
 * none of this mesh fails before it, and is no matter of permissions. */
bool record_denial(const struct xds_log_record *record, struct zl_arena *arena,
		   struct record_denial *out)
{
	const char *inbound = record_attribute(record, ENVOY_LOG_DENIAL);

	if (inbound == NULL || record->text != NULL)
		return false;
	const char *termination = body_text(record, "termination", arena);
	const char *failure = body_text(record, "failure", arena);
	const char *shadow = body_text(record, "shadow", arena);
	*out = (struct record_denial){
		.inbound = inbound,
		.client = identities(body_text(record, "client", arena), arena)
	};
	if (starts_with(termination, "rbac_access_denied"))
		out->why = termination;
	else if (strstr(failure, "SAN") != NULL)
		out->why = failure;
	else if (strcmp(shadow, "denied") == 0)
		out->mode = DENIAL_SHADOW, out->why = "a shadow rule denies it";
	return out->why != NULL;
}
