/* The rows of policies that attach to what routes make. */
#include "ctl/columns_parts.h"
#include "ctl/json.h"

#include <string.h>

/* "File,Tcp" of a list of log backends. */
static void add_types(struct zl_buf *out, const struct tree *backends)
{
	if (backends->count == 0)
		zl_buf_str(out, "none");
	for (size_t i = 0; i < backends->count; i++) {
		const char *type = json_find(backends->items[i], "type");
		zl_buf_format(out, "%s%s", i > 0 ? "," : "", type != NULL ? type : "?");
	}
}

/* What a default or a conf says, in short: the names of its members, and where one
 * member says it all, that. */
static void add_sets(struct zl_buf *out, const struct tree *conf)
{
	const char *action = json_find(conf, "action");
	size_t count = conf != NULL && conf->type == TREE_MAP ? conf->count : 0;

	if (out->len > 0)
		zl_buf_char(out, ' ');
	if (count == 0)
		zl_buf_char(out, '-');
	else if (action != NULL)
		zl_buf_str(out, action);
	else if (tree_get(conf, "backends") != NULL)
		add_types(out, json_list(conf, "backends"));
	else
		for (size_t i = 0; i < count; i++)
			zl_buf_format(out, "%s%s", i > 0 ? "," : "",
				      conf->members[i].key);
}

void row_attached(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	static const char *const LISTS[] = { "to", "from", "rules" };
	const struct tree *spec = columns_spec(doc);
	const struct tree *target = tree_get(spec, "targetRef");
	struct zl_buf to = { 0 };
	struct zl_buf sets = { 0 };

	for (size_t l = 0; l < sizeof(LISTS) / sizeof(LISTS[0]); l++) {
		const struct tree *list = json_list(spec, LISTS[l]);
		for (size_t i = 0; i < list->count; i++) {
			const struct tree *item = list->items[i];
			/* what comes in has no destination but the target itself */
			columns_add(&to, l == 0 ? columns_ref(tree_get(item, "targetRef"))
						: "inbound");
			add_sets(&sets, tree_get(item, "default"));
		}
	}
	const char *cells[] = { json_find(doc, "name"),
				target != NULL ? columns_ref(target) : "Mesh",
				zl_buf_text(&to),
				zl_buf_text(&sets),
				columns_label(doc, "kuma.io/origin"),
				columns_label(doc, "kuma.io/zone"),
				json_find(doc, "revision") };
	table_row(table, cells);
	zl_buf_free(&to);
	zl_buf_free(&sets);
	(void)ctl;
}

void row_legacy(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *spec = columns_spec(doc);
	struct zl_buf sources = { 0 };
	struct zl_buf destinations = { 0 };
	struct zl_buf sets = { 0 };

	columns_selectors(&sources, json_list(spec, "sources"));
	columns_selectors(&destinations, json_list(spec, "destinations"));
	add_sets(&sets, tree_get(spec, "conf"));
	const char *cells[] = { json_find(doc, "name"), zl_buf_text(&sources),
				zl_buf_text(&destinations), zl_buf_text(&sets),
				json_find(doc, "revision") };
	table_row(table, cells);
	zl_buf_free(&sources);
	zl_buf_free(&destinations);
	zl_buf_free(&sets);
	(void)ctl;
}
