#include "ctl/client.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"
#include "ctl/denials.h"
#include "ctl/json.h"
#include "ctl/paths.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 1000 };

/* All pages of the list; *out is a list of documents. */
static enum ctl_exit get_all(struct ctl *ctl, enum kind kind, struct tree **out)
{
	*out = tree_list(ctl->arena);
	for (size_t offset = 0;; offset += PAGE) {
		struct answer answer;
		const struct ask ask = { .method = "GET",
					 .path = zl_arena_format(
						 ctl->arena, "%s?size=%d&offset=%zu",
						 paths_of(ctl, kind, NULL), PAGE, offset),
					 .want_json = true };
		enum ctl_exit code = client_ask(ctl, &ask, &answer);
		if (code != CTL_OK)
			return code;
		const struct tree *items = json_list(answer.json, "items");
		for (size_t i = 0; i < items->count; i++)
			tree_push(ctl->arena, *out, items->items[i]);
		if (items->count == 0 || tree_get(answer.json, "next") == NULL)
			return CTL_OK;
	}
}

static enum ctl_exit get_one(struct ctl *ctl, enum kind kind, const char *name,
			     struct tree **out)
{
	struct answer answer;
	const struct ask ask = { .method = "GET",
				 .path = paths_of(ctl, kind, name),
				 .want_json = true };

	enum ctl_exit code = client_ask(ctl, &ask, &answer);
	if (code == CTL_OK) {
		*out = tree_list(ctl->arena);
		tree_push(ctl->arena, *out, answer.json);
	}
	return code;
}

static void print_names(const struct ctl *ctl, enum kind kind, const struct tree *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		(void)puts(paths_label(ctl, kind_info(kind)->name,
				       json_text(docs->items[i], "name")));
}

/* A stream that `apply` takes. */
static void print_stream(const struct tree *docs)
{
	for (size_t i = 0; i < docs->count; i++) {
		if (docs->count > 1)
			(void)puts("---");
		ctl_print_tree(docs->items[i], OUT_YAML);
	}
}

static void print_table(struct ctl *ctl, enum kind kind, const struct tree *docs)
{
	const struct columns *columns = columns_of(kind);
	const char *headers[TABLE_COLUMNS];

	memcpy(headers, columns->headers, sizeof(headers));
	if (columns->narrow > 0 && ctl->output != OUT_WIDE)
		headers[columns->narrow] = NULL;
	struct table table = table_new(ctl->arena, headers);

	for (size_t i = 0; i < docs->count; i++)
		columns->row(ctl, &table, docs->items[i]);
	table_print(&table, !ctl->no_headers);
}

enum ctl_exit cmd_get(struct ctl *ctl)
{
	const char *name = ctl->arg_count > 1 ? ctl->args[1] : NULL;
	struct tree *docs = NULL;

	if (denials_are_meant(ctl->args[0]))
		return denials_get(ctl);
	enum kind kind = paths_kind(ctl->args[0]);
	if (kind == KIND_NONE)
		return CTL_USAGE;
	if (name == NULL && (ctl->zone != NULL || ctl->ns != NULL))
		return ctl_fail(CTL_USAGE, "get: --zone and --namespace choose one of "
					   "several: NAME is missing");
	enum ctl_exit code = name != NULL ? get_one(ctl, kind, name, &docs)
					  : get_all(ctl, kind, &docs);
	if (code != CTL_OK)
		return code;
	if (ctl->output == OUT_JSON)
		ctl_print_tree(name != NULL ? docs->items[0] : docs, OUT_JSON);
	else if (ctl->output == OUT_YAML)
		print_stream(docs);
	else if (ctl->output == OUT_NAME)
		print_names(ctl, kind, docs);
	else
		print_table(ctl, kind, docs);
	return CTL_OK;
}
