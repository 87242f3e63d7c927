#include "ctl/client.h"
#include "ctl/ctl.h"
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
				 .if_match = ctl->if_revision };
	enum ctl_exit code = client_ask(ctl, &ask, &answer);
	if (code != CTL_OK)
		return code;
	const struct tree *rev = tree_get(answer.json, "revision");
	if (!ctl->quiet)
		(void)printf("%s/%s  deleted  (revision %s)\n", kind_info(kind)->plural,
			     ctl->args[1],
			     rev != NULL && rev->type == TREE_INT ? rev->text : "?");
	return CTL_OK;
}
