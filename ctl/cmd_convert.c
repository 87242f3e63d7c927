#include "ctl/ctl.h"
#include "ctl/files.h"

#include "convert/convert.h"
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

static void print_json(struct ctl *ctl, const struct conversion *conversion)
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
	ctl_print_tree(out, OUT_JSON);
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
		struct conversion conversion = convert_traffic(set, ctl->arena);
		if (ctl->output == OUT_JSON) {
			print_json(ctl, &conversion);
		} else {
			print_stream(ctl, &conversion);
			print_notes(ctl, &conversion);
		}
		if (conversion.kept_count > 0)
			code = CTL_NO;
		conversion_drop(&conversion);
		set_drop(&set);
	}
	files_drop(&files);
	return code;
}
