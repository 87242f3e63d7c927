/* Contents of Secrets: to zones that have a use for them, and to no other. */
#include "sync/global_parts.h"

static enum zl_code read_secret(struct sync_global *global, const struct asking *asking,
				const Sync__Secret *ask, struct sync_bytes *out,
				struct zl_err *err)
{
	const struct sync_global_ops *ops = global->setup.ops;
	const struct sync_secret secret = { ask->mesh, ask->name, ask->version };

	if (ops->secret == NULL)
		return zl_fail(err, ZL_ENOENT, "this global keeps no Secrets");
	return ops->secret(global->setup.io, asking->session->name, &secret, global->turn,
			   out, err);
}

void global_secret(struct sync_global *global, const struct asking *asking,
		   const void *body)
{
	const Sync__Secret *ask = body;
	Sync__SecretReply reply = SYNC__SECRET_REPLY__INIT;
	struct sync_bytes content = { 0 };
	struct zl_err err = { 0 };
	enum zl_code code = read_secret(global, asking, ask, &content, &err);

	reply.req_id = asking->head->req_id;
	reply.found = code == ZL_OK && content.len <= SYNC_SECRET_MAX;
	if (reply.found)
		reply.content = sync_bin(global->turn, content.data, content.len);
	else
		reply.reason = sync_text_out(global->turn, err.msg);
	if (code == ZL_EACCES)
		global_log(global, asking->session->name, false,
			   "asked for Secret %s/%s, which is not for it", ask->mesh,
			   ask->name);
	global_reply(global, asking->handle, SYNC_MSG_SECRET_REPLY, &reply);
}
