#include "ctl/denials.h"

#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/table.h"

#include <stdio.h>
#include <string.h>

bool denials_are_meant(const char *word)
{
	return strcmp(word, "denials") == 0 || strcmp(word, "denial") == 0;
}

/* "" would move the columns. */
static const char *cell(const struct tree *map, const char *key)
{
	const char *text = json_find(map, key);

	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* Envoy's texts are long: -o wide, json and yaml have them. */
static const char *reason(const struct ctl *ctl, const struct tree *denial)
{
	const char *text = cell(denial, "reason");

	if (text == NULL || ctl->output == OUT_WIDE)
		return text;
	if (strstr(text, "SAN") != NULL)
		return "no permission lets it in (handshake)";
	if (strncmp(text, "rbac_access_denied", strlen("rbac_access_denied")) == 0)
		return "no permission lets it in (first byte)";
	return text;
}

static void print_table(const struct ctl *ctl, const struct tree *denials)
{
	static const char *const HEADERS[] = { "TIME",    "MODE",      "CLIENT",
					       "SERVICE", "DATAPLANE", "INBOUND",
					       "REASON",  NULL };
	struct table table = table_new(ctl->arena, HEADERS);

	for (size_t i = 0; i < denials->count; i++) {
		const struct tree *one = denials->items[i];
		const char *cells[TABLE_COLUMNS] = {
			cell(one, "time"),      cell(one, "mode"),
			cell(one, "client"),    cell(one, "service"),
			cell(one, "dataplane"), cell(one, "inbound"),
			reason(ctl, one)
		};
		table_row(&table, cells);
	}
	table_print(&table, !ctl->no_headers);
}

enum ctl_exit denials_get(struct ctl *ctl)
{
	const struct ask ask = { .method = "GET",
				 .path = zl_arena_format(ctl->arena,
							 "/meshes/%s/_denials",
							 client_escape(ctl, ctl->mesh)),
				 .want_json = true,
				 .may_be_absent = true };
	struct answer answer = { 0 };

	if (ctl->arg_count > 1 || ctl->zone != NULL || ctl->ns != NULL)
		return ctl_fail(CTL_USAGE,
				"get denials takes no NAME, --zone or --namespace");
	if (ctl->output == OUT_NAME)
		return ctl_fail(CTL_USAGE, "get denials: -o name: denials have none");
	enum ctl_exit code = client_ask(ctl, &ask, &answer);
	if (code == CTL_ABSENT)
		return ctl_fail(code,
				"get denials: this server knows of none: ask a zone "
				"(--server)");
	if (code != CTL_OK)
		return code;
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML)
		ctl_print_tree(answer.json, ctl->output);
	else
		print_table(ctl, json_list(answer.json, "denials"));
	return CTL_OK;
}
