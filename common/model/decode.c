#include "model/document.h"
#include "model/duration.h"
#include "model/schemas.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- scalars ---- */

/* Tell what the fault of field finds. True: it was told. */
static bool tell_fault(struct decode *dec, const struct field *field,
		       const struct tree *tree, const struct path *at)
{
	const char *text = dec->found != NULL && field->fault != NULL
				   ? field->fault(tree, dec->arena)
				   : NULL;

	if (text != NULL)
		decode_bad(dec, at, NULL, tree, "%s", text);
	return text != NULL;
}

static bool is_whole(const struct tree *tree)
{
	return tree->type == TREE_INT || strpbrk(tree->text, ".eE") == NULL;
}

static void store_int(const struct field *field, int64_t value, char *to)
{
	uint64_t wide = value < 0 ? 0 : (uint64_t)value;
	uint32_t narrow = wide > UINT32_MAX ? UINT32_MAX : (uint32_t)wide;

	if (field->flags & F_UNSTORED)
		return;
	if (field->flags & F_SET)
		memcpy(to + field->offset, &(struct number){ true, narrow },
		       sizeof(struct number));
	else if (field->flags & F_WIDE)
		memcpy(to + field->offset, &wide, sizeof(wide));
	else
		memcpy(to + field->offset, &narrow, sizeof(narrow));
}

static void decode_int(struct decode *dec, const struct field *field,
		       const struct tree *tree, const struct path *at, char *to)
{
	if (tree->type != TREE_INT && tree->type != TREE_REAL) {
		decode_wrong_type(dec, at, tree, FIELD_INT);
		return;
	}
	if (!is_whole(tree)) {
		dec->failed = true;
		decode_bad(dec, at, NULL, tree, "must be a whole number");
		return;
	}
	int64_t value = tree->type == TREE_INT ? tree->integer
			: tree->real < 0       ? INT64_MIN
					       : INT64_MAX;
	bool out = !tell_fault(dec, field, tree, at) &&
		   (value < field->min || value > field->max);
	if (field->flags & F_RANGE && out)
		decode_bad(dec, at, NULL, tree, "must be in inclusive range [%lld, %lld]",
			   (long long)field->min, (long long)field->max);
	if (field->flags & F_PORT && out)
		decode_bad(dec, at, NULL, tree, "port must be in the range [1, 65535]");
	store_int(field, value, to);
}

static int value_index(const struct field *field, const char *text)
{
	for (int i = 0; field->values != NULL && field->values[i] != NULL; i++)
		if (strcmp(field->values[i], text) == 0)
			return i;
	return -1;
}

static void store_text(struct decode *dec, const struct field *field, const char *text,
		       char *to)
{
	const char *copy = text[0] == '\0' ? "" : zl_arena_strdup(dec->arena, text);

	if (!(field->flags & F_UNSTORED))
		memcpy(to + field->offset, &copy, sizeof(copy));
}

static void store_enum(const struct field *field, int index, char *to)
{
	unsigned value = (unsigned)index;

	if (!(field->flags & F_UNSTORED))
		memcpy(to + field->offset, &value, sizeof(value));
}

static void fall_back(struct decode *dec, const struct field *field,
		      const struct path *at, char *to);

static void decode_text(struct decode *dec, const struct field *field,
			const struct tree *tree, const struct path *at, char *to)
{
	if (tree->type != TREE_TEXT) {
		decode_wrong_type(dec, at, tree, FIELD_TEXT);
		fall_back(dec, field, at, to); /* a text is never NULL */
		return;
	}
	bool known = field->values == NULL || value_index(field, tree->text) >= 0;
	if (field->type == FIELD_ENUM && known)
		store_enum(field, value_index(field, tree->text), to);
	if (!known) {
		dec->failed = true;
		if (!(field->flags & F_OWN_CHECK))
			decode_bad(dec, at, NULL, tree, "value '%s' is not supported",
				   tree->text);
		else
			(void)tell_fault(dec, field, tree, at);
		fall_back(dec, field, at, to);
		return;
	}
	(void)tell_fault(dec, field, tree, at);
	if (field->type == FIELD_TEXT)
		store_text(dec, field, tree->text, to);
}

static void decode_bool(struct decode *dec, const struct field *field,
			const struct tree *tree, const struct path *at, char *to)
{
	if (tree->type != TREE_BOOL)
		decode_wrong_type(dec, at, tree, FIELD_BOOL);
	else if (!(field->flags & F_UNSTORED))
		memcpy(to + field->offset, &tree->boolean, sizeof(tree->boolean));
}

static void store_span(const struct field *field, int64_t ms, char *to)
{
	struct span span = { true, ms < 0 ? 0 : (uint64_t)ms };

	if (!(field->flags & F_UNSTORED))
		memcpy(to + field->offset, &span, sizeof(span));
}

static void decode_duration(struct decode *dec, const struct field *field,
			    const struct tree *tree, const struct path *at, char *to)
{
	int64_t ms = 0;

	if (tree->type == TREE_LIST || tree->type == TREE_MAP) {
		decode_wrong_type(dec, at, tree, FIELD_DURATION);
		return;
	}
	if (tree->type != TREE_TEXT || !duration_read(tree->text, &ms)) {
		dec->failed = true;
		decode_bad(dec, at, NULL, tree, DURATION_TEXT);
		return;
	}
	if (ms > DURATION_MS_MAX)
		decode_bad(dec, at, NULL, tree, "must be at most %dh",
			   DURATION_HOURS_MAX);
	else
		(void)tell_fault(dec, field, tree, at);
	store_span(field, ms, to);
}

static void decode_mixed(struct decode *dec, const struct field *field,
			 const struct tree *tree, const struct path *at, char *to)
{
	struct fraction fraction = { .set = true };

	if (tree->type != TREE_INT && tree->type != TREE_TEXT) {
		decode_wrong_type(dec, at, tree, FIELD_MIXED);
		return;
	}
	(void)tell_fault(dec, field, tree, at);
	if (field->flags & F_SET && percentage_read(tree, &fraction.value))
		memcpy(to + field->offset, &fraction, sizeof(fraction));
}

/* ---- maps of texts ---- */
static int by_key(const void *a, const void *b)
{
	const struct label *left = a;
	const struct label *right = b;

	return strcmp(left->key, right->key);
}

struct labels decode_labels(struct decode *dec, const struct tree *tree,
			    const struct path *at)
{
	size_t count = 0;

	if (tree->type != TREE_MAP) {
		decode_wrong_type(dec, at, tree, FIELD_LABELS);
		return (struct labels){ 0 };
	}
	struct label *items = zl_arena_alloc(dec->arena, tree->count, sizeof(*items));
	for (size_t i = 0; i < tree->count; i++) {
		const struct tree_member *member = &tree->members[i];
		struct path here = { .up = at, .name = member->key, .is_key = true };
		if (member->value->type == TREE_NULL)
			continue;
		if (member->value->type != TREE_TEXT) {
			decode_wrong_type(dec, &here, member->value, FIELD_TEXT);
			continue;
		}
		items[count++] = (struct label){ zl_arena_strdup(dec->arena, member->key),
						 zl_arena_strdup(dec->arena,
								 member->value->text) };
	}
	qsort(items, count, sizeof(*items), by_key);
	return (struct labels){ items, count };
}

/* ---- lists ---- */
static void store_list(const struct field *field, const void *items, size_t count,
		       char *to)
{
	if (field->flags & F_UNSTORED)
		return;
	memcpy(to + field->offset, &items, sizeof(items));
	memcpy(to + field->offset + sizeof(items), &count, sizeof(count));
}

static void decode_texts(struct decode *dec, const struct field *field,
			 const struct tree *tree, const struct path *at, char *to)
{
	struct field item = { .type = FIELD_TEXT,
			      .values = field->values,
			      .fault = field->fault };
	const char **items = zl_arena_alloc(dec->arena, tree->count, sizeof(*items));

	for (size_t i = 0; i < tree->count; i++) {
		struct path here = { .up = at, .index = i };
		items[i] = "";
		decode_text(dec, &item, tree->items[i], &here, (char *)&items[i]);
	}
	store_list(field, items, tree->count, to);
}

static void decode_ints(struct decode *dec, const struct field *field,
			const struct tree *tree, const struct path *at, char *to)
{
	struct field item = { .type = FIELD_INT,
			      .flags = F_RANGE,
			      .min = field->min,
			      .max = field->max,
			      .fault = field->fault };

	if (tree->type != TREE_LIST) {
		decode_wrong_type(dec, at, tree, FIELD_INTS);
		return;
	}
	uint32_t *items = zl_arena_alloc(dec->arena, tree->count, sizeof(*items));
	for (size_t i = 0; i < tree->count; i++) {
		struct path here = { .up = at, .index = i };
		decode_int(dec, &item, tree->items[i], &here, (char *)&items[i]);
	}
	store_list(field, items, tree->count, to);
}

static void decode_objects(struct decode *dec, const struct field *field,
			   const struct tree *tree, const struct path *at, char *to)
{
	size_t size = field->sub->size;
	bool into_parent = field->flags & F_FIRST;
	char *items = zl_arena_alloc(dec->arena, tree->count, size);

	for (size_t i = 0; i < tree->count; i++) {
		struct path here = { .up = at, .index = i };
		char *item = into_parent && i == 0 ? to : items + i * size;
		if (tree->items[i]->type == TREE_MAP) {
			decode_object(dec, field->sub, tree->items[i], &here, item);
			continue;
		}
		decode_wrong_type(dec, &here, tree->items[i], FIELD_OBJECT);
		decode_object(dec, field->sub, NULL, &here, item);
	}
	if (!into_parent)
		store_list(field, items, tree->count, to);
}

static void decode_list(struct decode *dec, const struct field *field,
			const struct tree *tree, const struct path *at, char *to)
{
	if (tree->type != TREE_LIST) {
		decode_wrong_type(dec, at, tree, FIELD_LIST);
		return;
	}
	if (field->flags & F_AT_MOST && (int64_t)tree->count > field->max) {
		if (field->max == 1)
			decode_bad(dec, at, NULL, tree, "must have at most one element");
		else
			decode_bad(dec, at, NULL, tree, "must have at most %lld elements",
				   (long long)field->max);
	}
	if (field->sub != NULL)
		decode_objects(dec, field, tree, at, to);
	else
		decode_texts(dec, field, tree, at, to);
}

/* ---- fields of no effect (K1) ---- */
static bool is_off(const struct tree *tree)
{
	switch (tree->type) {
	case TREE_NULL:
		return true;
	case TREE_BOOL:
		return !tree->boolean;
	case TREE_TEXT:
		return tree->text[0] == '\0';
	case TREE_LIST:
	case TREE_MAP:
		return tree->count == 0;
	default:
		return false;
	}
}

/* ---- objects ---- */

/* What is checked only. */
static void decode_aside(struct decode *dec, const struct schema *schema,
			 const struct tree *tree, const struct path *at)
{
	struct zl_arena *kept = dec->arena;

	dec->arena = zl_arena_new();
	decode_object(dec, schema, tree, at, zl_arena_alloc(dec->arena, 1, schema->size));
	zl_arena_free(&dec->arena);
	dec->arena = kept;
}

static void decode_sub(struct decode *dec, const struct field *field,
		       const struct tree *tree, const struct path *at, char *to)
{
	if (tree != NULL && tree->type != TREE_MAP) {
		decode_wrong_type(dec, at, tree, FIELD_OBJECT);
		tree = NULL;
	}
	if (!(field->flags & F_UNSTORED))
		decode_object(dec, field->sub, tree, at, to + field->offset);
	else if (tree != NULL && dec->found != NULL)
		decode_aside(dec, field->sub, tree, at);
}

static void decode_value(struct decode *dec, const struct field *field,
			 const struct tree *tree, const struct path *at, char *to)
{
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
		decode_text(dec, field, tree, at, to);
		return;
	case FIELD_INT:
		decode_int(dec, field, tree, at, to);
		return;
	case FIELD_BOOL:
		decode_bool(dec, field, tree, at, to);
		return;
	case FIELD_OBJECT:
		decode_sub(dec, field, tree, at, to);
		return;
	case FIELD_LIST:
		decode_list(dec, field, tree, at, to);
		return;
	case FIELD_LABELS: {
		struct labels labels = decode_labels(dec, tree, at);
		if (!(field->flags & F_UNSTORED))
			memcpy(to + field->offset, &labels, sizeof(labels));
		return;
	}
	case FIELD_MIXED:
		decode_mixed(dec, field, tree, at, to);
		return;
	case FIELD_DURATION:
		decode_duration(dec, field, tree, at, to);
		return;
	case FIELD_INTS:
		decode_ints(dec, field, tree, at, to);
		return;
	case FIELD_ANY:
		return;
	case FIELD_IGNORED:
		decode_warn(dec, at, NULL, tree, "%s has no effect in Zonelink",
			    field->name);
		return;
	case FIELD_REFUSED:
		if (!is_off(tree))
			decode_bad(dec, at, NULL, tree, "%s is not part of Zonelink",
				   field->name);
		return;
	}
}

/* What an absent field has. */
static void fall_back(struct decode *dec, const struct field *field,
		      const struct path *at, char *to)
{
	const char *text = field->fallback;
	int64_t ms;

	if (text == NULL || field->flags & F_SHOWN_ONLY)
		text = "";
	if (field->type == FIELD_OBJECT)
		decode_sub(dec, field, NULL, at, to);
	else if (field->type == FIELD_LIST && field->flags & F_FIRST)
		decode_object(dec, field->sub, NULL, at, to);
	else if (field->flags & F_UNSTORED)
		return;
	else if (field->type == FIELD_TEXT)
		store_text(dec, field, text, to);
	else if (field->type == FIELD_ENUM && text[0] != '\0')
		store_enum(field, value_index(field, text), to);
	else if (field->type == FIELD_INT && !(field->flags & F_SET))
		store_int(field, text[0] == '\0' ? 0 : strtoll(text, NULL, 10), to);
	else if (field->type == FIELD_DURATION && duration_read(text, &ms))
		store_span(field, ms, to);
	else if (field->type == FIELD_BOOL) {
		bool value = strcmp(text, "true") == 0;
		memcpy(to + field->offset, &value, sizeof(value));
	}
}

static void unknown_field(struct decode *dec, const struct schema *schema,
			  const struct tree_member *member, const struct path *at)
{
	const char *near = schema_nearest(schema, member->key);

	if (near == NULL && at == NULL)
		near = head_nearest(member->key);
	struct tree where = { .line = member->line, .column = member->column };

	if (near != NULL)
		decode_bad(dec, at, member->key, &where,
			   "unknown field, did you mean \"%s\"?", near);
	else
		decode_bad(dec, at, member->key, &where, "unknown field");
}

/* Put each member where its field stands; what has no field is unknown. */
static void sort_members(struct decode *dec, const struct schema *schema,
			 const struct tree *tree, const struct path *at,
			 const struct tree *values[FIELDS_MAX])
{
	for (size_t i = 0; tree != NULL && i < tree->count; i++) {
		const struct tree_member *member = &tree->members[i];
		size_t f = 0;
		while (f < schema->count &&
		       strcmp(schema->fields[f].name, member->key) != 0)
			f++;
		if (f == schema->count) {
			if (dec->found != NULL)
				unknown_field(dec, schema, member, at);
		} else if (member->value->type != TREE_NULL) {
			values[f] = member->value;
		}
	}
}

void decode_object(struct decode *dec, const struct schema *schema,
		   const struct tree *tree, const struct path *at, void *to)
{
	const struct tree *values[FIELDS_MAX] = { 0 };

	assert(schema->count <= FIELDS_MAX);
	sort_members(dec, schema, tree, at, values);
	for (size_t f = 0; f < schema->count; f++) {
		const struct field *field = &schema->fields[f];
		struct path here = { .up = at, .name = field->name };
		if (values[f] != NULL) {
			decode_value(dec, field, values[f], &here, to);
			continue;
		}
		if (field->flags & F_REQUIRED && tree != NULL)
			decode_bad(dec, &here, NULL, tree, "must be defined");
		fall_back(dec, field, &here, to);
	}
	if (schema->finish != NULL)
		schema->finish(dec, tree, to);
	if (schema->check != NULL && tree != NULL && dec->found != NULL)
		schema->check(dec, tree, at, to);
}
