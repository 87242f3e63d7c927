#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *cell(const struct tree *map, const char *key)
{
	const char *text = json_text(map, key);

	return *text != '\0' ? text : "-";
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
		cell(zone, "name"),
		cell(zone, "state"),
		cell(zone, "revision"),
		cell(zone, "lag"),
		cell(zone, "hash"),
		zl_arena_format(ctl->arena, "%s/%s", cell(proxies, "acked"),
				cell(proxies, "total")),
		zl_arena_format(ctl->arena, "%s/%s", cell(proxies, "acked"),
				cell(proxies, "nacked")),
		age(ctl, cell(zone, "lastSeenMs")),
		cell(zone, "version"),
	};
	table_row(table, cells);
}

/* Below the table: what ails a zone, and what global did not take of it. */
static void print_faults(const struct tree *zone)
{
	const char *error = json_text(zone, "error");
	const struct tree *items = json_list(zone, "refused");
	unsigned long count = strtoul(cell(zone, "refusedCount"), NULL, 10);

	if (*error != '\0')
		(void)printf("%s: %s\n", cell(zone, "name"), error);
	for (size_t i = 0; i < items->count; i++)
		(void)printf("%s: refused %s: %s\n", cell(zone, "name"),
			     cell(items->items[i], "kri"),
			     cell(items->items[i], "reason"));
	if (count > items->count)
		(void)printf("%s: and %lu more\n", cell(zone, "name"),
			     count - items->count);
}

/* "zones accept NAME" and "zones release NAME". */
static enum ctl_exit change_zone(struct ctl *ctl)
{
	const char *verb = ctl->args[0];
	struct answer answer;

	if (ctl->arg_count != 2 ||
	    (strcmp(verb, "accept") != 0 && strcmp(verb, "release") != 0))
		return ctl_fail(CTL_USAGE, "usage: zones, zones accept NAME or zones "
					   "release NAME");
	const char *name = ctl->args[1];
	const struct ask ask = { .method = "POST",
				 .path = zl_arena_format(ctl->arena, "/zones/%s/_%s",
							 client_escape(ctl, name), verb),
				 .want_json = true };
	enum ctl_exit code = client_ask(ctl, &ask, &answer);
	if (code != CTL_OK || ctl->quiet)
		return code;
	const struct tree *held = tree_get(answer.json, "held");
	if (held != NULL)
		(void)printf(
			"zone %s will remove %s of %s objects and follow this global\n",
			name, cell(held, "removed"), cell(held, "shown"));
	else
		(void)printf(
			"zone %s released: the next process that asks has the name\n",
			name);
	return CTL_OK;
}

enum ctl_exit cmd_zones(struct ctl *ctl)
{
	static const char *const HEADERS[] = { "NAME",     "STATE",     "REV",
					       "LAG",      "HASH",      "DPS",
					       "ACK/NACK", "LAST SEEN", "VERSION",
					       NULL };
	const struct ask ask = { .method = "GET",
				 .path = "/zones/_overview",
				 .want_json = true };
	struct answer answer;
	size_t behind = 0;

	if (ctl->arg_count > 0)
		return change_zone(ctl);
	enum ctl_exit code = client_ask(ctl, &ask, &answer);
	if (code != CTL_OK)
		return code;
	const struct tree *items = json_list(answer.json, "items");
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		ctl_print_tree(answer.json, ctl->output);
		return CTL_OK;
	}

	struct table table = table_new(ctl->arena, HEADERS);
	for (size_t i = 0; i < items->count; i++) {
		add_zone(ctl, &table, items->items[i]);
		behind += strcmp(cell(items->items[i], "lag"), "0") != 0;
	}
	table_print(&table, !ctl->no_headers);
	for (size_t i = 0; i < items->count && !ctl->quiet; i++)
		print_faults(items->items[i]);
	if (!ctl->quiet)
		(void)printf("%zu of %zu zones at revision %s\n", items->count - behind,
			     items->count, cell(answer.json, "revision"));
	return CTL_OK;
}
