#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_at(const struct tree *map, const char *key)
{
	const struct tree *value = tree_get(map, key);

	return value != NULL && value->text != NULL ? value->text : "-";
}

/* Milliseconds as people read them: "0s", "34s", "5m", "3h". */
static const char *age(struct ctl *ctl, const char *ms_text)
{
	unsigned long seconds = strtoul(ms_text, NULL, 10) / 1000;

	if (*ms_text == '-')
		return "-";
	if (seconds < 120)
		return zl_arena_format(ctl->arena, "%lus", seconds);
	if (seconds < 7200)
		return zl_arena_format(ctl->arena, "%lum", seconds / 60);
	return zl_arena_format(ctl->arena, "%luh", seconds / 3600);
}

static void add_zone(struct ctl *ctl, struct table *table, const struct tree *zone)
{
	const struct tree *proxies = tree_get(zone, "proxies");
	const char *cells[] = {
		text_at(zone, "name"),
		text_at(zone, "state"),
		text_at(zone, "revision"),
		text_at(zone, "lag"),
		text_at(zone, "hash"),
		zl_arena_format(ctl->arena, "%s/%s", text_at(proxies, "acked"),
				text_at(proxies, "total")),
		zl_arena_format(ctl->arena, "%s/%s", text_at(proxies, "acked"),
				text_at(proxies, "nacked")),
		age(ctl, text_at(zone, "lastSeenMs")),
		text_at(zone, "version"),
	};
	table_row(table, cells);
}

enum ctl_exit cmd_zones(struct ctl *ctl)
{
	static const char *const HEADERS[] = { "NAME",     "STATE",     "REV",
					       "LAG",      "HASH",      "DPS",
					       "ACK/NACK", "LAST SEEN", "VERSION",
					       NULL };
	const struct ask ask = { .method = "GET", .path = "/zones/_overview" };
	struct answer answer;
	size_t behind = 0;

	enum ctl_exit code = client_ask(ctl, &ask, &answer);
	if (code != CTL_OK)
		return code;
	const struct tree *items = tree_get(answer.json, "items");
	if (items == NULL || items->type != TREE_LIST)
		return ctl_fail(CTL_SERVER, "the answer has no items");
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		ctl_print_tree(answer.json, ctl->output);
		return CTL_OK;
	}

	struct table table = table_new(ctl->arena, HEADERS);
	for (size_t i = 0; i < items->count; i++) {
		add_zone(ctl, &table, items->items[i]);
		behind += strcmp(text_at(items->items[i], "lag"), "0") != 0;
	}
	table_print(&table, !ctl->no_headers);
	if (!ctl->quiet)
		(void)printf("%zu of %zu zones at revision %s\n", items->count - behind,
			     items->count, text_at(answer.json, "revision"));
	return CTL_OK;
}
