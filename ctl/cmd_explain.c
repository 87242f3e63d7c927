#include "ctl/client.h"
#include "ctl/ctl.h"

#include <stdio.h>

enum ctl_exit cmd_explain(struct ctl *ctl)
{
	bool as_json = ctl->output == OUT_JSON || ctl->output == OUT_YAML;
	struct answer answer;
	struct ask ask = { .method = "GET", .want_json = as_json };

	ask.path = zl_arena_format(
		ctl->arena, "/meshes/%s/dataplanes/%s/_routes?format=%s%s%s",
		client_escape(ctl, ctl->mesh), client_escape(ctl, ctl->args[0]),
		as_json ? "json" : "text", ctl->to != NULL ? "&to=" : "",
		ctl->to != NULL ? client_escape(ctl, ctl->to) : "");
	enum ctl_exit code = client_ask(ctl, &ask, &answer);
	if (code != CTL_OK)
		return code;
	if (ctl->output == OUT_YAML)
		ctl_print_tree(answer.json, OUT_YAML);
	else
		(void)fwrite(answer.text, 1, answer.len, stdout);
	return CTL_OK;
}
