#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/reference.h"

#include "analyze/analyze.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A finding with the document that it is about. */
struct told {
	const struct analyze_finding *finding;
	const struct files_item *item;
	size_t order; /* of the finding */
	const char *field;
	unsigned line, column; /* 0: unknown */
};

struct report {
	struct told *items;
	size_t count;
	size_t counts[ANALYZE_ERROR + 1]; /* by severity */
	enum analyze_severity threshold;
	bool blind;
	size_t documents;
};

/* ---- places ---- */

/* The child of at that the path goes to next; *path moves behind that step. */
static const struct tree *step(struct zl_arena *arena, const struct tree *at,
			       const char **path)
{
	const char *from = *path + (**path == '.');
	size_t len;

	if (*from == '[' && from[1] != '"') {
		char *end;
		size_t index = strtoul(from + 1, &end, 10);
		*path = end + 1;
		return at->type == TREE_LIST && index < at->count ? at->items[index]
								  : NULL;
	}
	bool quoted = strncmp(from, "[\"", 2) == 0;
	from += quoted ? 2 : 0;
	len = strcspn(from, quoted ? "\"" : ".[");
	*path = from + len + (quoted ? 2 : 0);
	return tree_get(at, zl_arena_strndup(arena, from, len));
}

/* Where in its document a finding stands: as deep as what was written goes. */
static void find_place(struct zl_arena *arena, struct told *told)
{
	const struct tree *at = told->item->doc;
	const char *path = told->field;

	while (at != NULL) {
		told->line = at->line;
		told->column = at->column;
		if (*path == '\0')
			return;
		at = step(arena, at, &path);
	}
}

/* The path as it was written: the fields of flat kinds may stand under spec, labels of
 * the Kubernetes form stand under metadata. */
static const char *written_field(struct zl_arena *arena, const struct files_item *item,
				 const char *field)
{
	bool k8s = tree_get(item->doc, "apiVersion") != NULL;

	if (strncmp(field, "labels[", 7) == 0)
		return k8s ? zl_arena_format(arena, "metadata.%s", field) : field;
	if (strcmp(field, "mesh") == 0)
		return k8s ? "metadata.labels[\"" LABEL_MESH "\"]" : field;
	if (kind_info(item->res->key.kind)->flat && tree_get(item->doc, "spec") != NULL)
		return zl_arena_format(arena, "spec.%s", field);
	return field;
}

static int by_document(const void *one, const void *other)
{
	const struct told *a = one;
	const struct told *b = other;
	int order = strcmp(a->item->file, b->item->file);

	if (order == 0)
		order = (a->item->document > b->item->document) -
			(a->item->document < b->item->document);
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static int by_resource(const void *one, const void *other)
{
	const struct files_item *const *a = one;
	const struct files_item *const *b = other;

	return ((*a)->res > (*b)->res) - ((*a)->res < (*b)->res);
}

static int is_resource(const void *res, const void *item)
{
	const struct files_item *const *of = item;

	return (res > (const void *)(*of)->res) - (res < (const void *)(*of)->res);
}

static struct report report_of(const struct ctl *ctl, const struct files *files,
			       const struct analyze_result *result)
{
	struct report report = { .blind = result->blind, .documents = files->count };
	const struct files_item **sorted =
		zl_arena_alloc(ctl->arena, files->count, sizeof(struct files_item *));

	for (size_t i = 0; i < files->count; i++)
		sorted[i] = &files->items[i];
	qsort(sorted, files->count, sizeof(*sorted), by_resource);
	report.items = zl_arena_alloc(ctl->arena, result->count, sizeof(*report.items));
	for (size_t i = 0; i < result->count; i++) {
		const struct analyze_finding *finding = &result->findings[i];
		const struct files_item **item = bsearch(
			finding->res, sorted, files->count, sizeof(*sorted), is_resource);
		struct told *told = &report.items[report.count++];

		told->finding = finding;
		told->item = *item;
		told->order = i;
		told->field = written_field(ctl->arena, *item, finding->field);
		find_place(ctl->arena, told);
		report.counts[finding->rule->severity]++;
	}
	if (report.count > 1)
		qsort(report.items, report.count, sizeof(*report.items), by_document);
	return report;
}

/* ---- printing ---- */
static void print_told(const struct told *told)
{
	const struct analyze_rule *rule = told->finding->rule;

	(void)printf("%s", told->item->file);
	if (told->line > 0)
		(void)printf(":%u:%u", told->line, told->column);
	(void)printf(": document %zu: %s[%s] %s %s: ", told->item->document,
		     analyze_severity_name(rule->severity), rule->code,
		     kind_info(told->item->res->key.kind)->name,
		     told->item->res->key.name);
	if (*told->field != '\0')
		(void)printf("%s: ", told->field);
	(void)printf("%s\n    why: %s\n    fix: %s\n", told->finding->what, rule->why,
		     told->finding->fix);
}

static void print_count(const char *before, size_t count, const char *what)
{
	(void)printf("%s%zu %s%s", before, count, what, count == 1 ? "" : "s");
}

static void print_text(const struct ctl *ctl, const struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (!ctl->quiet ||
		    report->items[i].finding->rule->severity >= report->threshold)
			print_told(&report->items[i]);
	if (ctl->quiet)
		return;
	print_count("", report->documents, "document");
	print_count(": ", report->counts[ANALYZE_ERROR], "error");
	print_count(", ", report->counts[ANALYZE_WARNING], "warning");
	(void)printf(", %zu for information\n", report->counts[ANALYZE_INFO]);
	if (report->blind)
		(void)puts("There is no Dataplane and no ZoneIngress: which services are "
			   "offered and which proxies are selected was not looked at.");
}

static struct tree *report_tree(struct zl_arena *arena, const struct report *report)
{
	struct tree *out = tree_map(arena);
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < report->count; i++) {
		const struct told *told = &report->items[i];
		const struct analyze_rule *rule = told->finding->rule;
		const struct key *key = &told->item->res->key;
		const struct {
			const char *name, *value;
		} texts[] = {
			{ "code", rule->code },
			{ "severity", analyze_severity_name(rule->severity) },
			{ "file", told->item->file },
			{ "kind", kind_info(key->kind)->name },
			{ "name", key->name },
			{ "field", told->field },
			{ "what", told->finding->what },
			{ "why", rule->why },
			{ "fix", told->finding->fix },
		};
		struct tree *item = tree_map(arena);

		for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++) {
			tree_set(arena, item, texts[j].name,
				 tree_text(arena, texts[j].value));
			if (strcmp(texts[j].name, "file") == 0)
				tree_set(arena, item, "document",
					 tree_int(arena, (int64_t)told->item->document));
		}
		tree_push(arena, list, item);
	}
	tree_set(arena, out, "findings", list);
	tree_set(arena, out, "errors",
		 tree_int(arena, (int64_t)report->counts[ANALYZE_ERROR]));
	tree_set(arena, out, "warnings",
		 tree_int(arena, (int64_t)report->counts[ANALYZE_WARNING]));
	tree_set(arena, out, "infos",
		 tree_int(arena, (int64_t)report->counts[ANALYZE_INFO]));
	tree_set(arena, out, "servicesKnown", tree_bool(arena, !report->blind));
	return out;
}

static enum ctl_exit analyze(struct ctl *ctl, const struct files *files,
			     enum analyze_severity threshold)
{
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);
	size_t reached = 0;

	for (size_t i = 0; i < files->count; i++)
		set_put(edit, files->items[i].res);
	struct set *set = set_done(&edit);
	struct analyze_result result =
		analyze_set(set, ctl->zone != NULL ? ctl->zone : "", ctl->arena);
	struct report report = report_of(ctl, files, &result);

	report.threshold = threshold;
	for (int i = (int)threshold; i <= ANALYZE_ERROR; i++)
		reached += report.counts[i];
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML)
		ctl_print_tree(report_tree(ctl->arena, &report), ctl->output);
	else
		print_text(ctl, &report);
	set_drop(&set);
	set_drop(&empty);
	return reached > 0 ? CTL_NO : CTL_OK;
}

enum ctl_exit cmd_analyze(struct ctl *ctl)
{
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	enum analyze_severity threshold = ANALYZE_WARNING;
	struct files files;

	if (ctl->markdown) {
		reference_findings();
		return CTL_OK;
	}
	if (ctl->file_count == 0)
		return ctl_fail(CTL_USAGE, "analyze: -f FILE, DIR or - is missing");
	if (ctl->threshold != NULL && !analyze_severity_parse(ctl->threshold, &threshold))
		return ctl_fail(CTL_USAGE,
				"--failure-threshold %s: must be one of "
				"error, warning, info",
				ctl->threshold);
	files_read(ctl, &rules, ctl->zone != NULL ? files_as_own : NULL, &files);
	enum ctl_exit code = files_exit(&files);
	if (code == CTL_OK)
		code = analyze(ctl, &files, threshold);
	else if (ctl->output == OUT_JSON || ctl->output == OUT_YAML)
		ctl_print_tree(files_findings_tree(ctl, &files), ctl->output);
	else
		files_print_findings(&files, false);
	files_drop(&files);
	return code;
}
