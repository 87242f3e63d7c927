#include "ctl/ctl.h"
#include "ctl/reference.h"
#include "ctl/table.h"

#include "model/nearest.h"
#include "model/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *word_of(enum field_type type)
{
	static const char *const WORDS[] = {
		[FIELD_TEXT] = "text",         [FIELD_INT] = "number",
		[FIELD_BOOL] = "boolean",      [FIELD_ENUM] = "text",
		[FIELD_OBJECT] = "object",     [FIELD_LIST] = "list",
		[FIELD_LABELS] = "map",        [FIELD_MIXED] = "number or text",
		[FIELD_ANY] = "any",           [FIELD_IGNORED] = "no effect",
		[FIELD_DURATION] = "duration", [FIELD_INTS] = "list of numbers",
		[FIELD_REFUSED] = "refused",
	};

	return WORDS[type];
}

const char *schema_type(const struct field *field, struct zl_arena *arena)
{
	const char *word = word_of(field->type);

	if (field->type == FIELD_LIST)
		return zl_arena_format(arena, "list of %s",
				       field->sub != NULL ? "objects" : "texts");
	return word;
}

const char *schema_range(const struct field *field, struct zl_arena *arena)
{
	if (field->max == 0)
		return NULL;
	if (field->type == FIELD_LIST)
		return zl_arena_format(arena, "at most %" PRId64 " entries", field->max);
	return zl_arena_format(arena, "%" PRId64 " to %" PRId64, field->min, field->max);
}

const char *schema_choices(const struct field *field, struct zl_arena *arena)
{
	const char *const *values = schema_values(field);
	const char *text = NULL;

	for (; values != NULL && *values != NULL; values++)
		if (**values != '\0')
			text = zl_arena_format(arena, "%s%s%s", text == NULL ? "" : text,
					       text == NULL ? "" : ", ", *values);
	return text;
}

/* ---- the path ---- */

/* "meshtcproute.spec.to[0].rules" as it is in the table: without indexes, so that the
 * field of a violation can be pasted. */
static char *without_indexes(const struct ctl *ctl, const char *path)
{
	char *out = zl_arena_strdup(ctl->arena, path);
	char *to = out;

	while (*path != '\0') {
		size_t digits = *path == '[' ? strspn(path + 1, "0123456789") : 0;
		if (digits > 0 && path[1 + digits] == ']')
			path += digits + 2;
		else
			*to++ = *path++;
	}
	*to = '\0';
	return out;
}

/* As schema_find; an empty last word is no field. */
static const struct field *find(const char *path, const struct schema **object)
{
	size_t len = strlen(path);

	*object = NULL;
	return len > 0 && path[len - 1] == '.' ? NULL : schema_find(path, object);
}

static const char *nearest_kind(const char *word)
{
	struct nearest nearest = nearest_to(word);

	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++)
		nearest_try(&nearest, kind_info(kind)->name);
	return nearest.found;
}

/* Name the first word of path that is not there, and what it may have been. */
static enum ctl_exit tell_unknown(const struct ctl *ctl, const char *path)
{
	const struct schema *object = NULL;
	const struct schema *parent = NULL;
	const char *near;
	char *good = zl_arena_strdup(ctl->arena, path);
	char *dot;

	while ((dot = strrchr(good, '.')) != NULL && parent == NULL) {
		*dot = '\0';
		const struct field *field = find(good, &object);
		parent = field != NULL ? field->sub : object;
		if (field != NULL && parent == NULL)
			return ctl_fail(CTL_ABSENT, "%s: no such field: %s is a %s", path,
					good, word_of(field->type));
	}
	if (parent == NULL) {
		near = nearest_kind(good);
		if (near != NULL)
			return ctl_fail(CTL_ABSENT, "no kind \"%s\": did you mean %s%s?",
					good, near, path + strlen(good));
		return ctl_fail(CTL_ABSENT,
				"no kind \"%s\" (zonelinkctl schema lists the kinds)",
				good);
	}
	const char *word = path + strlen(good) + 1;
	const char *rest = strchr(word, '.');
	near = schema_nearest(parent,
			      zl_arena_strndup(ctl->arena, word, strcspn(word, ".")));
	if (near != NULL)
		return ctl_fail(CTL_ABSENT, "%s: no such field: did you mean %s.%s%s?",
				path, good, near, rest != NULL ? rest : "");
	return ctl_fail(CTL_ABSENT,
			"%s: no such field (zonelinkctl schema %s lists those there are)",
			path, good);
}

/* ---- as a tree ---- */
static void set_text(struct zl_arena *arena, struct tree *to, const char *key,
		     const char *text)
{
	if (text != NULL)
		tree_set(arena, to, key, tree_text(arena, text));
}

static struct tree *fields_tree(struct zl_arena *arena, const struct schema *schema,
				const char *path, bool recursive);

static struct tree *field_tree(struct zl_arena *arena, const struct field *field,
			       const char *path, bool recursive, bool deep)
{
	const char *const *values = schema_values(field);
	struct tree *out = tree_map(arena);

	set_text(arena, out, "path", path);
	set_text(arena, out, "type", schema_type(field, arena));
	tree_set(arena, out, "required", tree_bool(arena, schema_is_required(field)));
	set_text(arena, out, "default", field->fallback);
	if (field->max != 0) {
		tree_set(arena, out, "min", tree_int(arena, field->min));
		tree_set(arena, out, "max", tree_int(arena, field->max));
	}
	if (values != NULL) {
		struct tree *list = tree_list(arena);
		for (; *values != NULL; values++)
			if (**values != '\0')
				tree_push(arena, list, tree_text(arena, *values));
		tree_set(arena, out, "values", list);
	}
	set_text(arena, out, "example", field->example);
	set_text(arena, out, "doc", field->doc);
	if (field->sub != NULL && deep)
		tree_set(arena, out, "fields",
			 fields_tree(arena, field->sub, path, recursive));
	return out;
}

static struct tree *fields_tree(struct zl_arena *arena, const struct schema *schema,
				const char *path, bool recursive)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < schema->count; i++) {
		const struct field *field = &schema->fields[i];
		if (schema_is_shown(field))
			tree_push(arena, list,
				  field_tree(arena, field,
					     zl_arena_format(arena, "%s.%s", path,
							     field->name),
					     recursive, recursive));
	}
	return list;
}

/* ---- for people ---- */
static void add_rows(const struct ctl *ctl, struct table *table,
		     const struct schema *schema, const char *below)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct field *field = &schema->fields[i];
		if (!schema_is_shown(field))
			continue;
		const char *path =
			zl_arena_format(ctl->arena, "%s%s", below, field->name);
		const char *cells[] = { path, schema_type(field, ctl->arena),
					schema_is_required(field) ? "(required)"
								  : field->fallback,
					field->doc };
		table_row(table, cells);
		if (ctl->recursive && field->sub != NULL)
			add_rows(ctl, table, field->sub,
				 zl_arena_format(ctl->arena, "%s.", path));
	}
}

static void print_fields(const struct ctl *ctl, const struct schema *schema)
{
	static const char *const HEADERS[] = { "FIELD", "TYPE", "DEFAULT", "MEANING",
					       NULL };
	struct table table = table_new(ctl->arena, HEADERS);

	add_rows(ctl, &table, schema, "");
	table_print(&table, !ctl->no_headers);
}

static void print_line(const char *name, const char *value)
{
	if (value != NULL)
		(void)printf("  %-9s %s\n", name, value);
}

static void print_field(const struct ctl *ctl, const struct field *field,
			const char *path)
{
	(void)printf("%s\n  %s\n\n", path, field->doc);
	print_line("type", schema_type(field, ctl->arena));
	print_line("required", schema_is_required(field) ? "yes" : "no");
	print_line("default", field->fallback);
	print_line(field->type == FIELD_LIST ? "size" : "range",
		   schema_range(field, ctl->arena));
	print_line("values", schema_choices(field, ctl->arena));
	print_line("example", field->example);
	if (field->sub != NULL) {
		(void)putchar('\n');
		print_fields(ctl, field->sub);
	}
}

/* ---- the kinds ---- */
const char *schema_places(enum kind kind)
{
	unsigned places = kind_info(kind)->places;

	return places == AT_GLOBAL ? "global" : places == IN_ZONE ? "zone" : "both";
}

static enum ctl_exit print_kinds(const struct ctl *ctl)
{
	static const char *const HEADERS[] = { "KIND", "SHORT", "IN A MESH", "WRITTEN AT",
					       NULL };
	struct table table = table_new(ctl->arena, HEADERS);
	struct tree *list = tree_list(ctl->arena);

	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		const struct kind_info *info = kind_info(kind);
		bool in_mesh = info->scope == SCOPE_MESH;
		const char *cells[] = { info->name,
					*info->shorthand != '\0' ? info->shorthand : NULL,
					in_mesh ? "yes" : "no", schema_places(kind) };
		struct tree *item = tree_map(ctl->arena);

		table_row(&table, cells);
		set_text(ctl->arena, item, "kind", info->name);
		set_text(ctl->arena, item, "plural", info->plural);
		set_text(ctl->arena, item, "short", info->shorthand);
		tree_set(ctl->arena, item, "inMesh", tree_bool(ctl->arena, in_mesh));
		set_text(ctl->arena, item, "writtenAt", schema_places(kind));
		tree_push(ctl->arena, list, item);
	}
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		struct tree *out = tree_map(ctl->arena);
		tree_set(ctl->arena, out, "kinds", list);
		ctl_print_tree(out, ctl->output);
	} else {
		table_print(&table, !ctl->no_headers);
	}
	return CTL_OK;
}

static void print_tree(const struct ctl *ctl, const struct schema *object,
		       const struct field *field, const char *path)
{
	struct tree *out;

	if (field != NULL) {
		out = field_tree(ctl->arena, field, path, ctl->recursive, true);
	} else {
		out = tree_map(ctl->arena);
		set_text(ctl->arena, out, "path", path);
		set_text(ctl->arena, out, "type", "object");
		tree_set(ctl->arena, out, "fields",
			 fields_tree(ctl->arena, object, path, ctl->recursive));
	}
	ctl_print_tree(out, ctl->output);
}

enum ctl_exit cmd_schema(struct ctl *ctl)
{
	const struct schema *object;

	if (ctl->markdown) {
		reference_kinds(ctl);
		return CTL_OK;
	}
	if (ctl->arg_count == 0)
		return print_kinds(ctl);

	const char *path = without_indexes(ctl, ctl->args[0]);
	const struct field *field = find(path, &object);
	if (object == NULL)
		return tell_unknown(ctl, path);
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML)
		print_tree(ctl, object, field, path);
	else if (field != NULL)
		print_field(ctl, field, path);
	else
		print_fields(ctl, object);
	return CTL_OK;
}
