#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_at(const struct tree *map, const char *key)
{
	const struct tree *value = tree_get(map, key);

	return value != NULL && value->text != NULL ? value->text : "";
}

static bool true_at(const struct tree *map, const char *key)
{
	const struct tree *value = tree_get(map, key);

	return value != NULL && value->type == TREE_BOOL && value->boolean;
}

/* All documents of the files as one JSON list. */
static void body_of(const struct files *files, struct zl_buf *body)
{
	zl_buf_char(body, '[');
	for (size_t i = 0; i < files->count; i++) {
		if (i > 0)
			zl_buf_char(body, ',');
		tree_json(files->items[i].doc, body);
	}
	zl_buf_char(body, ']');
}

static const char *path_of(const struct ctl *ctl)
{
	struct zl_buf path = { 0 };

	zl_buf_str(&path, "/_apply?");
	if (ctl->dry_run != NULL)
		zl_buf_str(&path, "dry_run=server&");
	if (ctl->wait != NULL)
		zl_buf_format(&path, "wait=%s&timeout=%ldms&", ctl->wait,
			      ctl->timeout_ms);
	if (ctl->message != NULL)
		zl_buf_format(&path, "message=%s&", client_escape(ctl, ctl->message));
	if (ctl->if_revision != NULL)
		zl_buf_format(&path, "if_revision=%s&", ctl->if_revision);
	char *text = zl_arena_strndup(ctl->arena, path.data, path.len - 1);
	zl_buf_free(&path);
	return text;
}

static void print_results(const struct tree *answer)
{
	const struct tree *results = tree_get(answer, "results");
	const struct tree *warnings = tree_get(answer, "warnings");
	size_t changed = 0;
	size_t count = results != NULL && results->type == TREE_LIST ? results->count : 0;

	for (size_t i = 0; i < count; i++) {
		const struct tree *r = results->items[i];
		const char *previous = text_at(r, "previous");
		bool same = strcmp(text_at(r, "result"), "unchanged") == 0;
		changed += !same;
		(void)printf("%s/%s  %s", text_at(r, "type"), text_at(r, "name"),
			     text_at(r, "result"));
		if (!same && *previous != '\0' && strcmp(previous, "0") != 0)
			(void)printf("  rev %s -> %s", previous, text_at(r, "revision"));
		(void)puts("");
	}
	(void)printf("%zu changed, %zu unchanged (revision %s)%s\n", changed,
		     count - changed, text_at(answer, "revision"),
		     true_at(answer, "dryRun") ? ", dry run: nothing was stored" : "");
	for (size_t i = 0; warnings != NULL && i < warnings->count; i++)
		(void)printf("warning: %s %s: %s: %s\n",
			     text_at(warnings->items[i], "kind"),
			     text_at(warnings->items[i], "name"),
			     text_at(warnings->items[i], "field"),
			     text_at(warnings->items[i], "reason"));
}

static void print_laggards(const struct tree *zone)
{
	const struct tree *laggards = tree_get(zone, "laggards");

	for (size_t i = 0; laggards != NULL && i < laggards->count; i++) {
		const struct tree *one = laggards->items[i];
		const char *error = text_at(one, "error");
		(void)printf("x %s/%s at revision %s%s%s\n", text_at(zone, "name"),
			     text_at(one, "proxy"), text_at(one, "acked"),
			     *error != '\0' ? ": " : "", error);
	}
}

/* What `--wait` found, and the exit code for it. */
static enum ctl_exit print_wait(const struct tree *wait)
{
	const struct tree *zones = tree_get(wait, "zones");
	unsigned long total = 0;
	unsigned long acked = 0;
	size_t count = zones != NULL && zones->type == TREE_LIST ? zones->count : 0;

	for (size_t i = 0; i < count; i++) {
		const struct tree *proxies = tree_get(zones->items[i], "proxies");
		total += strtoul(text_at(proxies, "total"), NULL, 10);
		acked += strtoul(text_at(proxies, "acked"), NULL, 10);
	}
	(void)printf("revision %s: %zu zones, dataplanes %lu/%lu acked in %.1f ms\n",
		     text_at(wait, "revision"), count, acked, total,
		     strtod(text_at(wait, "elapsedUs"), NULL) / 1000);
	for (size_t i = 0; i < count; i++)
		print_laggards(zones->items[i]);
	if (strcmp(text_at(wait, "nacked"), "0") != 0)
		return CTL_NO;
	return true_at(wait, "reached") ? CTL_OK : CTL_TIMEOUT;
}

static enum ctl_exit send_all(struct ctl *ctl, const struct files *files)
{
	struct zl_buf body = { 0 };
	struct answer answer;
	struct ctl patient = *ctl;

	body_of(files, &body);
	const struct ask ask = {
		.method = "POST", .path = path_of(ctl), .body = body.data, .len = body.len
	};
	if (ctl->wait != NULL)
		patient.timeout_ms += 5000; /* the server gives up first and says why */
	enum ctl_exit code = client_ask(&patient, &ask, &answer);
	zl_buf_free(&body);
	if (code != CTL_OK)
		return code;

	const struct tree *wait = tree_get(answer.json, "wait");
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML)
		ctl_print_tree(answer.json, ctl->output);
	else if (!ctl->quiet)
		print_results(answer.json);
	return wait != NULL ? print_wait(wait) : CTL_OK;
}

enum ctl_exit cmd_apply(struct ctl *ctl)
{
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	struct files files;

	if (ctl->file_count == 0)
		return ctl_fail(CTL_USAGE, "apply: -f FILE, DIR or - is missing");
	files_read(ctl, &rules, &files);
	enum ctl_exit code = files_exit(&files);
	if (code != CTL_OK)
		files_print_findings(&files, false);
	else if (ctl->dry_run != NULL && strcmp(ctl->dry_run, "client") == 0)
		files_print_findings(&files, true);
	else
		code = send_all(ctl, &files);
	files_drop(&files);
	return code;
}
