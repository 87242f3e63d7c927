/* Secrets at the API: what is kept apart, and who sees what of it. */
#include "global/api/inside.h"

#include "base/base64.h"
#include "base/hash.h"
#include "model/tree.h"
#include "secrets/secrets.h"

#include <string.h>

bool secrets_hold(void *owner, const struct resource *old, const struct resource *now,
		  struct resource **kept, struct store_job *local, struct zl_err *err)
{
	const struct api *api = owner;

	if (api->setup.secrets == NULL) {
		(void)zl_fail(err, ZL_EINVAL, "no Secrets are kept here");
		return false;
	}
	if (now != NULL)
		return secrets_keep(api->setup.secrets, old, now, kept, local, err) ==
		       ZL_OK;
	if (old != NULL)
		secrets_drop(old, local);
	return true;
}

static void show_content(struct zl_arena *arena, struct tree *doc, struct tree *status,
			 const struct zl_buf *content, bool whole)
{
	const struct zl_run run = { zl_buf_text(content), content->len };
	uint8_t hash[ZL_SHA256];
	char text[2 * ZL_SHA256 + 1];
	struct zl_buf data = { 0 };

	zl_sha256(&run, 1, hash);
	zl_hex(hash, sizeof(hash), text);
	tree_set(arena, status, "bytes", tree_int(arena, (int64_t)content->len));
	tree_set(arena, status, "sha256", tree_text(arena, text));
	if (whole) {
		zl_base64(zl_buf_text(content), content->len, &data);
		tree_set(arena, doc, "data", tree_text(arena, zl_buf_text(&data)));
		secrets_wipe(&data);
	}
}

/* Admins see the content; everyone else its size, its hash and who uses it. */
void secrets_show(void *owner, struct http_request *req, const struct resource *res,
		  struct tree *doc, struct zl_arena *arena)
{
	const struct api *api = owner;
	struct tree *status = tree_map(arena);
	struct zl_buf content = { 0 };
	struct secret_use use;
	struct zl_err err = { 0 };

	if (res->key.kind != KIND_SECRET || api->setup.secrets == NULL)
		return;
	if (secrets_read(api->setup.secrets, res, &content, &err) == ZL_OK)
		show_content(arena, doc, status, &content,
			     http_caller(req)->role == HTTP_ADMIN);
	else
		tree_set(arena, status, "trouble", tree_text(arena, err.msg));
	if (secret_is_used(api->setup.set(api->setup.owner), res, &use))
		tree_set(arena, status, "usedBy",
			 tree_text(arena, zl_arena_format(arena, "Mesh %s, backend %s",
							  use.mesh, use.backend)));
	tree_set(arena, doc, "status", status);
	secrets_wipe(&content);
}

bool secrets_may_go(const struct api *api, const struct resource *old, unsigned *status,
		    struct zl_err *err)
{
	struct secret_use use;

	if (old->key.kind != KIND_SECRET ||
	    !secret_is_used(api->setup.set(api->setup.owner), old, &use))
		return true;
	*status = 409;
	(void)zl_fail(
		err, ZL_ECONFLICT,
		"name: The secret \"%s\" that you are trying to remove is currently "
		"in use in Mesh \"%s\" in mTLS backend \"%s\". Please remove the "
		"reference from the \"%s\" backend before removing the secret.",
		old->key.name, use.mesh, use.backend, use.backend);
	return false;
}
