#include "ctl/ctl.h"
#include "ctl/proxies.h"

#include <stdio.h>

enum ctl_exit cmd_bootstrap(struct ctl *ctl)
{
	struct answer answer;
	const char *what = zl_arena_format(
		ctl->arena, "_bootstrap%s%s%s%s", ctl->admin != NULL ? "?admin=" : "",
		ctl->admin != NULL ? client_escape(ctl, ctl->admin) : "",
		ctl->ttl == NULL     ? ""
		: ctl->admin != NULL ? "&ttl="
				     : "?ttl=",
		ctl->ttl != NULL ? client_escape(ctl, ctl->ttl) : "");
	enum ctl_exit code = proxies_ask(ctl, what, false, &answer);

	if (code == CTL_OK)
		(void)fwrite(answer.text, 1, answer.len, stdout);
	return code;
}
