#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/paths.h"

#include <stdio.h>

enum ctl_exit cmd_delete(struct ctl *ctl)
{
	enum kind kind = paths_kind(ctl->args[0]);
	struct answer answer;

	if (kind == KIND_NONE)
		return CTL_USAGE;
	const struct ask ask = { .method = "DELETE",
				 .path = paths_of(ctl, kind, ctl->args[1]),
				 .if_match = ctl->if_revision,
				 .want_json = true };
	enum ctl_exit code = client_ask(ctl, &ask, &answer);
	if (code != CTL_OK)
		return code;
	if (!ctl->quiet)
		(void)printf("%s  deleted (revision %s)\n",
			     paths_label(ctl, kind_info(kind)->name, ctl->args[1]),
			     json_text(answer.json, "revision"));
	return CTL_OK;
}
