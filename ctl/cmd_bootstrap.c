#include "ctl/client.h"
#include "ctl/ctl.h"

#include <stdio.h>

enum ctl_exit cmd_bootstrap(struct ctl *ctl)
{
	struct answer answer;
	struct ask ask = { .method = "GET" };

	ask.path = zl_arena_format(
		ctl->arena, "/meshes/%s/dataplanes/%s/_bootstrap%s%s%s%s",
		client_escape(ctl, ctl->mesh), client_escape(ctl, ctl->args[0]),
		ctl->admin != NULL ? "?admin=" : "",
		ctl->admin != NULL ? client_escape(ctl, ctl->admin) : "",
		ctl->ttl == NULL     ? ""
		: ctl->admin != NULL ? "&ttl="
				     : "?ttl=",
		ctl->ttl != NULL ? client_escape(ctl, ctl->ttl) : "");
	enum ctl_exit code = client_ask(ctl, &ask, &answer);
	if (code == CTL_OK)
		(void)fwrite(answer.text, 1, answer.len, stdout);
	return code;
}
