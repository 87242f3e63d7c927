#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/json.h"
#include "ctl/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	char *text = zl_arena_strndup(ctl->arena, path.data, path.len - 1);
	zl_buf_free(&path);
	return text;
}

static void print_warnings(const struct tree *answer)
{
	const struct tree *warnings = json_list(answer, "warnings");

	for (size_t i = 0; i < warnings->count; i++) {
		const struct tree *one = warnings->items[i];
		(void)printf("warning: %s %s: %s: %s\n", json_text(one, "kind"),
			     json_text(one, "name"), json_text(one, "field"),
			     json_text(one, "reason"));
	}
}

static void print_results(const struct ctl *ctl, const struct tree *answer)
{
	static const char *const RESULTS[] = { "created", "configured", "unchanged" };
	const struct tree *results = json_list(answer, "results");
	size_t counts[3] = { 0 };

	for (size_t i = 0; i < results->count; i++) {
		const struct tree *r = results->items[i];
		const char *result = json_text(r, "result");
		const char *previous = json_text(r, "previous");
		for (size_t k = 0; k < 3; k++)
			counts[k] += strcmp(result, RESULTS[k]) == 0;
		(void)printf("%s  %s",
			     paths_label(ctl, json_text(r, "type"), json_text(r, "name")),
			     result);
		if (strcmp(result, "configured") == 0 && !json_true(answer, "dryRun"))
			(void)printf("  rev %s -> %s", previous,
				     json_text(r, "revision"));
		(void)puts("");
	}
	(void)printf("%zu created, %zu configured, %zu unchanged (revision %s)%s\n",
		     counts[0], counts[1], counts[2], json_text(answer, "revision"),
		     json_true(answer, "dryRun") ? ", dry run: nothing was stored" : "");
	print_warnings(answer);
}

static void print_laggards(const struct tree *zone)
{
	const struct tree *laggards = json_list(zone, "laggards");

	for (size_t i = 0; i < laggards->count; i++) {
		const struct tree *one = laggards->items[i];
		const char *error = json_text(one, "error");
		(void)printf("x %s/%s at revision %s%s%s\n", json_text(zone, "name"),
			     json_text(one, "proxy"), json_text(one, "acked"),
			     *error != '\0' ? ": " : "", error);
	}
}

/* What `--wait` found. */
static void print_wait(const struct tree *wait)
{
	const struct tree *zones = json_list(wait, "zones");
	unsigned long total = 0;
	unsigned long acked = 0;
	const char *goal = json_find(wait, "for");

	for (size_t i = 0; i < zones->count; i++) {
		const struct tree *proxies = tree_get(zones->items[i], "proxies");
		total += strtoul(json_text(proxies, "total"), NULL, 10);
		acked += strtoul(json_text(proxies, "acked"), NULL, 10);
	}
	/* Who is behind then has this revision, and is about to get a later one. */
	if (json_true(wait, "reached") && goal != NULL && strcmp(goal, "proxies") == 0)
		acked = total;
	(void)printf("revision %s: %zu zones, dataplanes %lu/%lu acked in %.1f ms\n",
		     json_text(wait, "revision"), zones->count, acked, total,
		     strtod(json_text(wait, "elapsedUs"), NULL) / 1000);
	for (size_t i = 0; i < zones->count; i++)
		print_laggards(zones->items[i]);
}

static enum ctl_exit exit_of_wait(const struct tree *wait)
{
	if (strtoul(json_text(wait, "nacked"), NULL, 10) > 0)
		return CTL_NO;
	return json_true(wait, "reached") ? CTL_OK : CTL_TIMEOUT;
}

static enum ctl_exit send_all(struct ctl *ctl, const struct files *files)
{
	struct zl_buf body = { 0 };
	struct answer answer;
	struct ctl patient = *ctl;

	body_of(files, &body);
	const struct ask ask = { .method = "POST",
				 .path = path_of(ctl),
				 .body = body.data,
				 .len = body.len,
				 .want_json = true };
	if (ctl->wait != NULL)
		patient.timeout_ms += 5000; /* the server gives up first and says why */
	enum ctl_exit code = client_ask(&patient, &ask, &answer);
	zl_buf_free(&body);
	if (code != CTL_OK)
		return code;

	const struct tree *wait = tree_get(answer.json, "wait");
	if (wait != NULL)
		code = exit_of_wait(wait);
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		ctl_print_tree(answer.json, ctl->output);
	} else if (!ctl->quiet || code != CTL_OK) {
		print_results(ctl, answer.json);
		if (wait != NULL)
			print_wait(wait);
	}
	return code;
}

/* --dry-run=client: nobody is asked. */
static void print_checked(const struct ctl *ctl, const struct files *files)
{
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		ctl_print_tree(files_findings_tree(ctl, files), ctl->output);
		return;
	}
	files_print_findings(files, true);
	if (!ctl->quiet)
		(void)printf("%zu documents are valid, dry run: nothing was sent\n",
			     files->count);
}

enum ctl_exit cmd_apply(struct ctl *ctl)
{
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	struct files files;

	if (ctl->file_count == 0)
		return ctl_fail(CTL_USAGE, "apply: -f FILE, DIR or - is missing");
	files_read(ctl, &rules, NULL, &files);
	enum ctl_exit code = files_exit(&files);
	if (code != CTL_OK)
		files_print_findings(&files, false);
	else if (ctl->dry_run != NULL && strcmp(ctl->dry_run, "client") == 0)
		print_checked(ctl, &files);
	else
		code = send_all(ctl, &files);
	files_drop(&files);
	return code;
}
