#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/tokens.h"

#include <stdio.h>
#include <string.h>

static struct zl_buf json_of(const struct ctl *ctl, const char *const *names,
			     const char *const *values, size_t count)
{
	struct tree *map = tree_map(ctl->arena);
	struct zl_buf body = { 0 };

	for (size_t i = 0; i < count; i++)
		if (values[i] != NULL)
			tree_set(ctl->arena, map, names[i],
				 tree_text(ctl->arena, values[i]));
	tree_json(map, &body);
	return body;
}

static enum ctl_exit post(struct ctl *ctl, const char *path, const struct zl_buf *body,
			  struct answer *answer)
{
	const struct ask ask = { .method = "POST",
				 .path = path,
				 .body = body->data,
				 .len = body->len,
				 .want_json = true };

	return client_ask(ctl, &ask, answer);
}

enum ctl_exit token_create(struct ctl *ctl, const char *path, const char *const *names,
			   const char *const *values, size_t count)
{
	struct answer answer;
	struct zl_buf body = json_of(ctl, names, values, count);
	enum ctl_exit code = post(ctl, path, &body, &answer);

	zl_buf_free(&body);
	if (code != CTL_OK)
		return code;
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		ctl_print_tree(answer.json, ctl->output);
		return CTL_OK;
	}
	(void)puts(json_text(answer.json, "token"));
	return CTL_OK;
}

static enum ctl_exit create_user(struct ctl *ctl)
{
	static const char *const NAMES[] = { "name", "role", "ttl" };
	const char *const values[] = { ctl->user, ctl->role, ctl->ttl };

	if (ctl->role == NULL || ctl->ttl == NULL)
		return ctl_fail(CTL_USAGE, "usage: zonelinkctl token create --user NAME "
					   "--role viewer|operator|admin --ttl TIME");
	return token_create(ctl, "/_tokens/user", NAMES, values, 3);
}

/* For the process of a zone, to be put into its global.token_file. */
static enum ctl_exit create_join(struct ctl *ctl)
{
	static const char *const NAMES[] = { "ttl" };
	const char *const values[] = { ctl->ttl };

	return token_create(ctl,
			    zl_arena_format(ctl->arena, "/zones/%s/_tokens",
					    client_escape(ctl, ctl->zone)),
			    NAMES, values, 1);
}

static enum ctl_exit revoke(struct ctl *ctl, const char *id)
{
	static const char *const NAMES[] = { "id" };
	struct answer answer;
	struct zl_buf body = json_of(ctl, NAMES, &id, 1);
	enum ctl_exit code = post(ctl, "/_tokens/_revoke", &body, &answer);

	zl_buf_free(&body);
	if (code == CTL_OK && !ctl->quiet)
		(void)printf("token %s revoked\n", id);
	return code;
}

enum ctl_exit cmd_token(struct ctl *ctl)
{
	const char *verb = ctl->args[0];

	if (strcmp(verb, "create") == 0 && ctl->arg_count == 1 && ctl->user != NULL)
		return create_user(ctl);
	if (strcmp(verb, "create") == 0 && ctl->arg_count == 1 &&
	    (ctl->dataplane != NULL || ctl->service != NULL || ctl->zone_proxy != NULL))
		return token_create_proxy(ctl);
	if (strcmp(verb, "create") == 0 && ctl->arg_count == 1 && ctl->zone != NULL)
		return create_join(ctl);
	if (strcmp(verb, "revoke") == 0 && ctl->arg_count == 2)
		return revoke(ctl, ctl->args[1]);
	return ctl_fail(CTL_USAGE,
			"usage: zonelinkctl token create --user NAME --role ROLE "
			"--ttl TIME, token create --zone ZONE, token create --dataplane "
			"NAME | --service SERVICE | "
			"--zone-proxy ingress|egress, or token revoke ID");
}
