#include "ctl/ctl.h"
#include "ctl/files.h"

#include "convert/convert.h"
#include "convert/policies.h"
#include "model/set.h"

#include <stdio.h>

static struct set *set_of(const struct files *files)
{
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);

	for (size_t i = 0; i < files->count; i++)
		set_put(edit, files->items[i].res);
	struct set *set = set_done(&edit);
	set_drop(&empty);
	return set;
}

/* A stream that `apply` takes. */
static void print_stream(struct ctl *ctl, const struct conversion *conversion)
{
	for (size_t i = 0; i < conversion->count; i++) {
		if (i > 0)
			(void)puts("---");
		ctl_print_tree(resource_tree(conversion->routes[i], ctl->arena),
			       OUT_YAML);
	}
}

static void print_notes(const struct ctl *ctl, const struct conversion *conversion)
{
	for (size_t i = 0; i < conversion->note_count; i++) {
		const struct convert_note *note = &conversion->notes[i];
		if (!note->kept && ctl->quiet)
			continue;
		(void)fprintf(
			stderr,
			"%s: mesh \"%s\": TrafficRoute \"%s\": service \"%s\": %s\n",
			note->kept ? "not converted" : "note", note->route->key.mesh,
			note->route->key.name, note->service, note->text);
	}
	if (!ctl->quiet)
		(void)fprintf(stderr, "%zu MeshTCPRoutes, %zu not converted\n",
			      conversion->count, conversion->kept_count);
}

static struct tree *routes_tree(struct ctl *ctl, const struct conversion *conversion)
{
	struct tree *out = tree_map(ctl->arena);
	struct tree *routes = tree_list(ctl->arena);
	struct tree *notes = tree_list(ctl->arena);

	for (size_t i = 0; i < conversion->count; i++)
		tree_push(ctl->arena, routes,
			  resource_tree(conversion->routes[i], ctl->arena));
	for (size_t i = 0; i < conversion->note_count; i++) {
		const struct convert_note *note = &conversion->notes[i];
		struct tree *item = tree_map(ctl->arena);
		tree_set(ctl->arena, item, "mesh",
			 tree_text(ctl->arena, note->route->key.mesh));
		tree_set(ctl->arena, item, "trafficRoute",
			 tree_text(ctl->arena, note->route->key.name));
		tree_set(ctl->arena, item, "service",
			 tree_text(ctl->arena, note->service));
		tree_set(ctl->arena, item, "converted",
			 tree_bool(ctl->arena, !note->kept));
		tree_set(ctl->arena, item, "text", tree_text(ctl->arena, note->text));
		tree_push(ctl->arena, notes, item);
	}
	tree_set(ctl->arena, out, "routes", routes);
	tree_set(ctl->arena, out, "notes", notes);
	return out;
}

/* ---- policies ---- */

/* What a reader of the stream should know of a document. */
static void print_comment(const struct converted_policy *one)
{
	const char *kind = kind_info(one->from->key.kind)->name;

	if (one->from->key.kind == KIND_TRAFFIC_PERMISSION)
		(void)printf("# From %s \"%s\".\n", kind, one->from->key.name);
	else
		(void)printf(
			"# From %s \"%s\", which was for routes of TrafficRoutes "
			"only; this is for those of\n# MeshTCPRoutes and "
			"MeshHTTPRoutes, and for destinations without a route, too.\n",
			kind, one->from->key.name);
}

static void print_policies(struct ctl *ctl, const struct policy_conversion *policies,
			   bool first)
{
	for (size_t i = 0; i < policies->count; i++) {
		if (i > 0 || !first)
			(void)puts("---");
		print_comment(&policies->policies[i]);
		ctl_print_tree(resource_tree(policies->policies[i].made, ctl->arena),
			       OUT_YAML);
	}
}

static void print_policy_notes(const struct ctl *ctl,
			       const struct policy_conversion *policies)
{
	for (size_t i = 0; i < policies->note_count; i++) {
		const struct policy_note *note = &policies->notes[i];
		if (!note->kept && ctl->quiet)
			continue;
		(void)fprintf(stderr, "%s: mesh \"%s\": %s \"%s\": %s\n",
			      note->kept ? "not converted" : "note",
			      note->policy->key.mesh,
			      kind_info(note->policy->key.kind)->name,
			      note->policy->key.name, note->text);
	}
	if (!ctl->quiet && policies->count + policies->note_count > 0)
		(void)fprintf(stderr, "%zu policies, %zu not converted\n",
			      policies->count, policies->kept_count);
}

static void add_policies(struct ctl *ctl, struct tree *out,
			 const struct policy_conversion *policies)
{
	struct tree *made = tree_list(ctl->arena);
	struct tree *notes = tree_list(ctl->arena);

	for (size_t i = 0; i < policies->count; i++)
		tree_push(ctl->arena, made,
			  resource_tree(policies->policies[i].made, ctl->arena));
	for (size_t i = 0; i < policies->note_count; i++) {
		const struct policy_note *note = &policies->notes[i];
		struct tree *item = tree_map(ctl->arena);
		tree_set(ctl->arena, item, "mesh",
			 tree_text(ctl->arena, note->policy->key.mesh));
		tree_set(ctl->arena, item, "kind",
			 tree_text(ctl->arena, kind_info(note->policy->key.kind)->name));
		tree_set(ctl->arena, item, "name",
			 tree_text(ctl->arena, note->policy->key.name));
		tree_set(ctl->arena, item, "converted",
			 tree_bool(ctl->arena, !note->kept));
		tree_set(ctl->arena, item, "text", tree_text(ctl->arena, note->text));
		tree_push(ctl->arena, notes, item);
	}
	tree_set(ctl->arena, out, "policies", made);
	tree_set(ctl->arena, out, "policyNotes", notes);
}

/* ---- all of it ---- */
static enum ctl_exit convert_set(struct ctl *ctl, const struct set *set)
{
	struct conversion routes = convert_traffic(set, ctl->arena);
	struct policy_conversion policies = convert_policies(set, ctl->arena);
	enum ctl_exit code = policies.kept_count > 0 ? CTL_INVALID
			     : routes.kept_count > 0 ? CTL_NO
						     : CTL_OK;

	if (ctl->output == OUT_JSON) {
		struct tree *out = routes_tree(ctl, &routes);
		add_policies(ctl, out, &policies);
		ctl_print_tree(out, OUT_JSON);
	} else {
		print_stream(ctl, &routes);
		print_policies(ctl, &policies, routes.count == 0);
		print_notes(ctl, &routes);
		print_policy_notes(ctl, &policies);
	}
	policy_conversion_drop(&policies);
	conversion_drop(&routes);
	return code;
}

enum ctl_exit cmd_convert(struct ctl *ctl)
{
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	struct files files;

	if (ctl->file_count == 0)
		return ctl_fail(CTL_USAGE, "convert: -f FILE, DIR or - is missing");
	files_read(ctl, &rules, NULL, &files);
	enum ctl_exit code = files_exit(&files);
	if (code != CTL_OK) {
		files_print_findings(&files, false);
	} else {
		struct set *set = set_of(&files);
		code = convert_set(ctl, set);
		set_drop(&set);
	}
	files_drop(&files);
	return code;
}
