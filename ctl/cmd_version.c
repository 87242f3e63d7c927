#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/json.h"

#include <stdio.h>
#include <string.h>

enum ctl_exit cmd_version(struct ctl *ctl)
{
	struct answer answer = { 0 };
	const struct ask ask = { .method = "GET", .path = "/", .want_json = true };
	struct tree *out = tree_map(ctl->arena);
	enum ctl_exit code = CTL_OK;

	tree_set(ctl->arena, out, "client", tree_text(ctl->arena, ZL_VERSION));
	if (!ctl->client_only) {
		code = client_ask(ctl, &ask, &answer);
		if (answer.json != NULL)
			tree_set(
				ctl->arena, out, "server",
				tree_text(ctl->arena, json_text(answer.json, "version")));
	}
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		ctl_print_tree(out, ctl->output);
		return code;
	}
	(void)printf("client  %s\n", ZL_VERSION);
	if (answer.json != NULL) {
		const char *version = json_text(answer.json, "version");
		(void)printf("server  %s (%s%s%s)%s\n", version,
			     json_text(answer.json, "role"),
			     *json_text(answer.json, "zone") != '\0' ? " " : "",
			     json_text(answer.json, "zone"),
			     strcmp(version, ZL_VERSION) != 0
				     ? "  differs from the client"
				     : "");
	}
	return code;
}
