#include "ctl/reference.h"

#include "analyze/analyze.h"

#include <stdio.h>
#include <string.h>

/* text in a cell of a table. */
static void print_cell(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			(void)putchar('\\');
		(void)putchar(*text);
	}
}

/* Default, range, values and example, in one cell. */
static void print_facts(const struct ctl *ctl, const struct field *field)
{
	const struct {
		const char *name, *value;
		bool code;
	} facts[] = {
		{ "required", schema_is_required(field) ? "" : NULL, false },
		{ "default ", field->fallback, true },
		{ "", schema_range(field, ctl->arena), false },
		{ "one of ", schema_choices(field, ctl->arena), false },
		{ "e.g. ", field->example, true },
	};
	bool first = true;

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		const char *quote = facts[i].code ? "`" : "";
		if (facts[i].value == NULL)
			continue;
		(void)printf("%s%s%s", first ? "" : "; ", facts[i].name, quote);
		print_cell(facts[i].value);
		(void)printf("%s", quote);
		first = false;
	}
}

static void print_rows(const struct ctl *ctl, const struct schema *schema,
		       const char *below)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct field *field = &schema->fields[i];
		if (!schema_is_shown(field))
			continue;
		const char *name =
			zl_arena_format(ctl->arena, "%s%s", below, field->name);
		(void)printf("| `%s` | %s | ", name, schema_type(field, ctl->arena));
		print_facts(ctl, field);
		(void)printf(" | ");
		print_cell(field->doc);
		(void)printf(" |\n");
		if (field->sub != NULL)
			print_rows(
				ctl, field->sub,
				zl_arena_format(ctl->arena, "%s%s.", name,
						field->type == FIELD_LIST ? "[]" : ""));
	}
}

static const char *written_at(enum kind kind)
{
	const char *places = schema_places(kind);

	return strcmp(places, "both") == 0   ? "global or a zone"
	       : strcmp(places, "zone") == 0 ? "a zone"
					     : "global";
}

void reference_kinds(const struct ctl *ctl)
{
	(void)puts(
		"# Kinds and their fields\n\n"
		"Printed by `zonelinkctl schema --markdown` from the table that parses "
		"and checks documents; do not edit.\n"
		"`zonelinkctl schema PATH` shows one field.\n\n"
		"Every document has `type` and `name`, kinds in a mesh `mesh` (default "
		"`default`), and all may have `labels`.\n"
		"The Kubernetes form (`apiVersion`, `kind`, `metadata`, `spec`) is "
		"taken too. `[]` marks the elements of a list.");
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		const struct kind_info *info = kind_info(kind);
		(void)printf("\n## %s\n\nWritten at %s; %s; fields stand %s; in paths of "
			     "the API `%s`",
			     info->name, written_at(kind),
			     info->scope == SCOPE_MESH ? "in a mesh" : "in no mesh",
			     info->flat ? "beside `name` or under `spec`"
					: "under `spec`",
			     info->plural);
		if (*info->shorthand != '\0')
			(void)printf(", short `%s`", info->shorthand);
		(void)puts(".\n\n| Field | Type | Values | Meaning |\n|---|---|---|---|");
		print_rows(ctl, schema_of(kind), info->flat ? "" : "spec.");
	}
}

/* What is put in place of {} is not known here. */
static void print_fix(const char *fix)
{
	const char *hole = strstr(fix, "{}");

	if (hole == NULL)
		(void)puts(fix);
	else
		(void)printf("%.*sNAME%s\n", (int)(hole - fix), fix, hole + 2);
}

void reference_findings(void)
{
	size_t count;
	const struct analyze_rule *rules = analyze_rules(&count);

	(void)puts(
		"# Findings of `zonelinkctl analyze`\n\n"
		"Printed by `zonelinkctl analyze --markdown` from the table of rules; "
		"do not edit.\n\n"
		"Each is valid, and yet most likely not what its author meant. A number "
		"keeps its meaning for good.\n"
		"`--failure-threshold` says from which severity on the exit code is 1; "
		"without it that is `warning`.\n\n"
		"| Code | Severity | Finding |\n|---|---|---|");
	for (size_t i = 0; i < count; i++) {
		(void)printf("| [%s](#%c%c%s) | %s | ", rules[i].code,
			     rules[i].code[0] + 32, rules[i].code[1] + 32,
			     rules[i].code + 2, analyze_severity_name(rules[i].severity));
		print_cell(rules[i].title);
		(void)puts(" |");
	}
	for (size_t i = 0; i < count; i++) {
		(void)printf("\n## %s\n\n**%s** (%s). %s\n\nFix: ", rules[i].code,
			     rules[i].title, analyze_severity_name(rules[i].severity),
			     rules[i].why);
		print_fix(rules[i].fix);
	}
}
