#include "ctl/proxies.h"

#include "ctl/json.h"
#include "ctl/paths.h"
#include "model/key.h"

#include <string.h>

static struct ask ask_of(const struct ctl *ctl, enum kind kind, const char *what,
			 bool want_json)
{
	return (struct ask){ .method = "GET",
			     .path = zl_arena_format(ctl->arena, "%s/%s",
						     paths_of(ctl, kind, ctl->args[0]),
						     what),
			     .want_json = want_json };
}

/* Proxies have their configuration of a zone; global is the default server. */
static bool is_global(struct ctl *ctl)
{
	const struct ask ask = {
		.method = "GET", .path = "/", .want_json = true, .may_be_absent = true
	};
	struct answer answer = { 0 };

	if (client_ask(ctl, &ask, &answer) != CTL_OK)
		return false;
	const char *role = json_find(answer.json, "role");
	return role != NULL && strcmp(role, "global") == 0;
}

/* By name: a Dataplane before the others. */
static enum ctl_exit look_for(struct ctl *ctl, const char *what, bool want_json,
			      struct answer *answer)
{
	static const enum kind KINDS[] = { KIND_DATAPLANE, KIND_ZONE_INGRESS,
					   KIND_ZONE_EGRESS };
	struct answer first = { 0 };
	enum ctl_exit code = CTL_ABSENT;

	for (size_t i = 0; i < 3 && code == CTL_ABSENT; i++) {
		struct ask ask = ask_of(ctl, KINDS[i], what, want_json);
		ask.may_be_absent = true;
		code = client_ask(ctl, &ask, answer);
		if (i == 0)
			first = *answer;
	}
	if (code != CTL_ABSENT)
		return code;
	if (is_global(ctl))
		return ctl_fail(
			code, "this server is global: ask the zone of \"%s\" (--server)",
			ctl->args[0]);
	const struct ask ask = ask_of(ctl, KIND_DATAPLANE, what, want_json);
	client_problem(&ask, &first);
	return ctl_fail(code, "nor is there a ZoneIngress or ZoneEgress of that name");
}

enum ctl_exit proxies_ask(struct ctl *ctl, const char *what, bool want_json,
			  struct answer *answer)
{
	if (ctl->zone_proxy == NULL)
		return look_for(ctl, what, want_json, answer);
	bool is_ingress = strcmp(ctl->zone_proxy, "ingress") == 0;
	if (!is_ingress && strcmp(ctl->zone_proxy, "egress") != 0)
		return ctl_fail(CTL_USAGE, "--zone-proxy: ingress or egress");
	const struct ask ask = ask_of(
		ctl, is_ingress ? KIND_ZONE_INGRESS : KIND_ZONE_EGRESS, what, want_json);
	return client_ask(ctl, &ask, answer);
}
