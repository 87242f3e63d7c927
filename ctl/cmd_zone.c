/* What an operator does with one zone. */
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/table.h"

#include <stdio.h>
#include <string.h>

static enum ctl_exit ask_zone(struct ctl *ctl, const char *method, const char *verb,
			      const char *query, struct answer *answer)
{
	const struct ask ask = { .method = method,
				 .path = zl_arena_format(ctl->arena, "/zones/%s/_%s%s",
							 client_escape(ctl, ctl->args[1]),
							 verb, query),
				 .want_json = true };

	return client_ask(ctl, &ask, answer);
}

/* True if the answer went out as it is. */
static bool print_as_is(const struct ctl *ctl, const struct answer *answer)
{
	if (ctl->output != OUT_JSON && ctl->output != OUT_YAML)
		return false;
	ctl_print_tree(answer->json, ctl->output);
	return true;
}

static enum ctl_exit switch_zone(struct ctl *ctl)
{
	struct answer answer;
	enum ctl_exit code = ask_zone(ctl, "POST", ctl->args[0], "", &answer);

	if (code == CTL_OK && !print_as_is(ctl, &answer) && !ctl->quiet)
		(void)printf("zone %s %sd at revision %s\n", ctl->args[1], ctl->args[0],
			     json_text(answer.json, "revision"));
	return code;
}

static enum ctl_exit revoke_zone(struct ctl *ctl)
{
	struct answer answer;
	enum ctl_exit code = ask_zone(ctl, "POST", "revoke", "", &answer);

	if (code == CTL_OK && !print_as_is(ctl, &answer) && !ctl->quiet)
		(void)printf("zone %s: %s certificates revoked, %s tokens withdrawn; it "
			     "serves its proxies what it knows until it joins anew\n",
			     ctl->args[1], json_text(answer.json, "certificates"),
			     json_text(answer.json, "tokens"));
	return code;
}

static void print_plan(const struct tree *plan, bool done)
{
	const struct tree *kinds = tree_get(plan, "kinds");
	const struct tree *items = json_list(plan, "resources");

	(void)printf("zone %s%s\n", json_text(plan, "zone"),
		     json_true(plan, "connected") ? ", which is connected" : "");
	for (size_t i = 0; kinds != NULL && i < kinds->count; i++)
		(void)printf("  %s %s\n", json_text(kinds, kinds->members[i].key),
			     kinds->members[i].key);
	(void)printf("  %s certificates, %s tokens\n", json_text(plan, "certificates"),
		     json_text(plan, "tokens"));
	for (size_t i = 0; !done && i < items->count; i++)
		(void)printf("  %s\n", items->items[i]->text);
}

/* What it removes is shown first, and removed when that was agreed to. */
static enum ctl_exit retire_zone(struct ctl *ctl)
{
	bool dry_run = ctl->dry_run != NULL;
	bool does = ctl->yes && !dry_run;
	struct answer answer;
	enum ctl_exit code =
		ask_zone(ctl, "POST", "retire", does ? "" : "?dry_run=1", &answer);

	if (code != CTL_OK)
		return code;
	if (!print_as_is(ctl, &answer) && !ctl->quiet) {
		print_plan(answer.json, does);
		(void)puts(does ? "retired: all of it is removed"
				: "nothing was changed: --yes removes all of it");
	}
	return does || dry_run ? CTL_OK : CTL_NO;
}

static enum ctl_exit show_certificates(struct ctl *ctl)
{
	static const char *const HEADERS[] = { "SERIAL OR TOKEN", "WHAT", "STATE",
					       "EXPIRES", NULL };
	static const char *const LISTS[] = { "certificates", "tokens" };
	struct table table = table_new(ctl->arena, HEADERS);
	struct answer answer;
	enum ctl_exit code = ask_zone(ctl, "GET", "certificates", "", &answer);

	if (code != CTL_OK || print_as_is(ctl, &answer))
		return code;
	for (int kind = 0; kind < 2; kind++) {
		const struct tree *items = json_list(answer.json, LISTS[kind]);
		for (size_t i = 0; i < items->count; i++) {
			const struct tree *one = items->items[i];
			const char *cells[] = {
				json_text(one, kind == 0 ? "serial" : "id"),
				kind == 0 ? "certificate" : "token",
				json_text(one, "state"), json_text(one, "expires")
			};
			table_row(&table, cells);
		}
	}
	table_print(&table, !ctl->no_headers);
	return CTL_OK;
}

static const struct {
	const char *verb;
	enum ctl_exit (*run)(struct ctl *ctl);
} VERBS[] = {
	{ "disable", switch_zone },
	{ "enable", switch_zone },
	{ "revoke", revoke_zone },
	{ "retire", retire_zone },
	{ "certificates", show_certificates },
};

enum ctl_exit cmd_zone(struct ctl *ctl)
{
	for (size_t i = 0; i < sizeof(VERBS) / sizeof(VERBS[0]); i++)
		if (strcmp(VERBS[i].verb, ctl->args[0]) == 0)
			return VERBS[i].run(ctl);
	return ctl_fail(CTL_USAGE, "usage: zone disable|enable|revoke|certificates NAME, "
				   "zone retire NAME [--dry-run|--yes]");
}
