#include "ctl/observed.h"

#include "ctl/client.h"
#include "ctl/json.h"

#include <string.h>

/* Once: a table has a row for each route. */
static const struct tree *splits(struct ctl *ctl)
{
	const struct ask ask = { .method = "GET",
				 .path = zl_arena_format(ctl->arena,
							 "/meshes/%s/_observed",
							 client_escape(ctl, ctl->mesh)),
				 .want_json = true,
				 .may_be_absent = true };
	struct answer answer = { 0 };

	if (ctl->splits != NULL)
		return ctl->splits;
	ctl->splits = tree_list(ctl->arena);
	if (client_ask(ctl, &ask, &answer) == CTL_OK)
		ctl->splits = json_list(answer.json, "splits");
	return ctl->splits;
}

static const char *number(const struct tree *map, const char *key)
{
	const char *text = json_find(map, key);

	return text != NULL ? text : "0";
}

static void add_split(struct zl_buf *out, const struct tree *split)
{
	const struct tree *backends = json_list(split, "backends");

	if (out->len > 0)
		zl_buf_str(out, "; ");
	zl_buf_format(out, "%s:", number(split, "destination"));
	for (size_t i = 0; i < backends->count; i++) {
		const struct tree *backend = backends->items[i];
		const struct tree *share = tree_get(backend, "share");
		const char *name = json_find(backend, "backend");
		if (share == NULL)
			continue;
		double value =
			share->type == TREE_REAL ? share->real : (double)share->integer;
		zl_buf_format(out, " %s=%.1f%%", name != NULL ? name : "?", 100 * value);
	}
	zl_buf_format(out, " of %s", number(split, "connections"));
	if (strcmp(number(split, "deviating"), "0") != 0)
		zl_buf_str(out, " (not by chance)");
	if (strcmp(number(split, "pending"), "0") != 0)
		zl_buf_format(out, " (%s not yet)", number(split, "pending"));
}

const char *observed_of(struct ctl *ctl, const char *route)
{
	const struct tree *all = splits(ctl);
	struct zl_buf text = { 0 };

	for (size_t i = 0; i < all->count; i++) {
		const char *of = json_find(all->items[i], "route");
		if (of != NULL && route != NULL && strcmp(of, route) == 0 &&
		    strcmp(number(all->items[i], "connections"), "0") != 0)
			add_split(&text, all->items[i]);
	}
	const char *copy = zl_arena_strdup(ctl->arena, zl_buf_text(&text));
	zl_buf_free(&text);
	return copy;
}
