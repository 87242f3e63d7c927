#include "ctl/ctl.h"
#include "ctl/proxies.h"

#include <stdio.h>

enum ctl_exit cmd_explain(struct ctl *ctl)
{
	bool as_json = ctl->output == OUT_JSON || ctl->output == OUT_YAML;
	struct answer answer;
	const char *what = zl_arena_format(
		ctl->arena, "_routes?format=%s%s%s%s%s", as_json ? "json" : "text",
		ctl->to != NULL ? "&to=" : "",
		ctl->to != NULL ? client_escape(ctl, ctl->to) : "",
		ctl->observed ? "&observed=1" : "", ctl->endpoints ? "&endpoints=1" : "");

	if (ctl->endpoints && !ctl->observed)
		return ctl_fail(CTL_USAGE, "--endpoints: needs --observed");
	enum ctl_exit code = proxies_ask(ctl, what, as_json, &answer);

	if (code != CTL_OK)
		return code;
	if (ctl->output == OUT_YAML)
		ctl_print_tree(answer.json, OUT_YAML);
	else
		(void)fwrite(answer.text, 1, answer.len, stdout);
	return CTL_OK;
}
