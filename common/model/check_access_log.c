/* The rules of MeshAccessLog: policies-spec 2.5. */
#include "model/checks.h"
#include "model/log_format.h"
#include "model/schema_access.h"

#include <string.h>

static const char UNDEFINED[] = "must be defined";

/* ---- texts with operators ---- */

/* A text that could stand between quotes of JSON as it is. */
static bool fits_json(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == '"')
			return false;
		if (*text != '\\')
			continue;
		text++;
		if (*text == 'u' && strspn(text + 1, "0123456789abcdefABCDEF") >= 4)
			text += 4;
		else if (*text == '\0' || strchr("\"\\/bfnrt", *text) == NULL)
			return false;
	}
	return true;
}

/* One of a list of pairs; a wrong type was told. */
static void check_pair(struct decode *dec, const struct tree *tree, const struct path *at,
		       const struct log_pair *pair)
{
	const struct tree *value = tree_get(tree, "value");

	if (pair->key[0] == '\0' && !is_mistyped(tree, "key", TREE_TEXT))
		decode_bad(dec, at, "key", tree, "key cannot be empty");
	if (pair->value[0] == '\0' && !is_mistyped(tree, "value", TREE_TEXT))
		decode_bad(dec, at, "value", tree, "value cannot be empty");
	if (value != NULL && value->type == TREE_TEXT)
		log_format_check(dec, at, "value", value);
}

void check_log_json(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made)
{
	const struct log_pair *pair = made;

	check_pair(dec, tree, at, pair);
	if (!fits_json(pair->key) || !fits_json(pair->value))
		decode_bad(dec, at, NULL, tree, "is not a valid JSON object");
}

void check_log_attribute(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	check_pair(dec, tree, at, made);
}

/* Say that field, which is not of this type, changes nothing. */
static void check_idle(struct decode *dec, const struct tree *tree, const struct path *at,
		       const char *field, const char *type)
{
	if (tree_get(tree, field) != NULL)
		decode_warn(dec, at, field, tree_get(tree, field),
			    "%s has no effect with type %s", field, type);
}

void check_log_lines(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made)
{
	const struct tree *type = tree_get(tree, "type");
	bool json = type != NULL && type->type == TREE_TEXT &&
		    strcmp(type->text, "Json") == 0;
	const char *field = json ? "json" : "plain";
	const struct tree *value = tree_get(tree, field);

	(void)made;
	if (type == NULL || type->type != TREE_TEXT ||
	    (!json && strcmp(type->text, "Plain") != 0))
		return; /* was told */
	check_idle(dec, tree, at, json ? "plain" : "json", type->text);
	if (value == NULL)
		decode_bad(dec, at, field, tree, "%s", UNDEFINED);
	else if ((value->type == TREE_TEXT && value->text[0] == '\0') ||
		 (value->type == TREE_LIST && value->count == 0))
		decode_bad(dec, at, field, value, "must not be empty");
	else if (!json && value->type == TREE_TEXT)
		log_format_check(dec, at, field, value);
}

/* ---- where they go ---- */
void check_log_file(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made)
{
	const struct tree *path = tree_get(tree, "path");

	(void)made;
	if (path == NULL || (path->type == TREE_TEXT && !log_path_is_valid(path->text)))
		decode_bad(dec, at, "path", path != NULL ? path : tree,
			   "file backend requires a valid path");
}

void check_log_tcp(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made)
{
	const struct tree *address = tree_get(tree, "address");
	const struct tree *omit = tree_get(tree_get(tree, "format"), "omitEmptyValues");
	struct path format = { .up = at, .name = "format" };

	(void)made;
	/* OTLP, which carries the lines to the zone, has no such option. */
	if (omit != NULL && omit->type == TREE_BOOL && omit->boolean)
		decode_warn(dec, &format, "omitEmptyValues", omit,
			    "omitEmptyValues has no effect with type Tcp");
	if (address == NULL ||
	    (address->type == TREE_TEXT && !log_address_is_valid(address->text)))
		decode_bad(dec, at, "address", address != NULL ? address : tree,
			   "tcp backend requires valid address");
}

/* ---- OpenTelemetry ---- */
static bool check_value(struct decode *dec, const struct tree *value,
			const struct path *at, int depth);

/* values of an arrayValue, or of a kvlistValue, where each has a key. False: they are
 * none. */
static bool check_values(struct decode *dec, const struct tree *member,
			 const struct path *at, bool keyed, int depth)
{
	const struct tree *values = tree_get(member, "values");
	struct path list = { .up = at, .name = "values" };

	if (values == NULL || values->type != TREE_LIST || member->count != 1)
		return false;
	for (size_t i = 0; i < values->count; i++) {
		const struct tree *item = values->items[i];
		const struct tree *key = tree_get(item, "key");
		struct path here = { .up = &list, .index = i };
		struct path value = { .up = &here, .name = "value" };
		bool fits = keyed ? key != NULL && key->type == TREE_TEXT &&
					    item->count == 2 &&
					    check_value(dec, tree_get(item, "value"),
							&value, depth)
				  : check_value(dec, item, &here, depth);
		if (!fits)
			return false;
	}
	return true;
}

/* An OTLP AnyValue as JSON has it. False: it is none. */
static bool check_value(struct decode *dec, const struct tree *value,
			const struct path *at, int depth)
{
	enum { DEPTH_MAX = 16 };

	if (value == NULL || value->type != TREE_MAP || value->count != 1 ||
	    depth == DEPTH_MAX)
		return false;
	const char *name = value->members[0].key;
	const struct tree *member = value->members[0].value;
	struct path here = { .up = at, .name = name };
	if (strcmp(name, "stringValue") == 0 && member->type == TREE_TEXT) {
		log_format_check(dec, &here, NULL, member);
		return true;
	}
	if (strcmp(name, "boolValue") == 0)
		return member->type == TREE_BOOL;
	if (strcmp(name, "intValue") == 0)
		return member->type == TREE_INT;
	if (strcmp(name, "doubleValue") == 0)
		return member->type == TREE_REAL || member->type == TREE_INT;
	if (strcmp(name, "arrayValue") == 0)
		return check_values(dec, member, &here, false, depth + 1);
	return strcmp(name, "kvlistValue") == 0 &&
	       check_values(dec, member, &here, true, depth + 1);
}

void check_log_telemetry(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	const struct tree *endpoint = tree_get(tree, "endpoint");
	const struct tree *body = tree_get(tree, "body");
	struct path here = { .up = at, .name = "body" };

	(void)made;
	if (endpoint == NULL ||
	    (endpoint->type == TREE_TEXT && endpoint->text[0] == '\0'))
		decode_bad(dec, at, "endpoint", endpoint != NULL ? endpoint : tree, "%s",
			   UNDEFINED);
	else if (endpoint->type == TREE_TEXT &&
		 log_endpoint(endpoint->text, 1, dec->arena) == NULL)
		decode_bad(dec, at, "endpoint", endpoint, "must be HOST or HOST:PORT");
	if (body != NULL && body->type == TREE_TEXT)
		log_format_check(dec, at, "body", body);
	else if (body != NULL && !check_value(dec, body, &here, 0))
		decode_bad(dec, at, "body", body,
			   "must be a text, or an OTLP value such as {kvlistValue: "
			   "{values: [{key: a, value: {stringValue: b}}]}}");
}

/* ---- a backend ---- */
void check_log_backend(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made)
{
	static const char *const MEMBERS[] = { [LOG_TCP] = "tcp",
					       [LOG_FILE] = "file",
					       [LOG_OPEN_TELEMETRY] = "openTelemetry" };
	static const char *const TYPES[] = { [LOG_TCP] = "Tcp",
					     [LOG_FILE] = "File",
					     [LOG_OPEN_TELEMETRY] = "OpenTelemetry" };
	const struct log_backend *backend = made;
	const struct tree *type = tree_get(tree, "type");

	/* Nothing is stored of an unknown type, so that it looks like the first. */
	if (type == NULL || type->type != TREE_TEXT ||
	    strcmp(type->text, TYPES[backend->type]) != 0)
		return;
	for (size_t i = 0; i < sizeof(MEMBERS) / sizeof(MEMBERS[0]); i++) {
		if (i != backend->type)
			check_idle(dec, tree, at, MEMBERS[i], type->text);
		else if (tree_get(tree, MEMBERS[i]) == NULL)
			decode_bad(dec, at, MEMBERS[i], tree, "%s", UNDEFINED);
	}
}
