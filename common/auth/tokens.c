/* Making user tokens, and taking tokens back. */
#include "auth/inside.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "model/tree.h"
#include "rest/body.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 63 };

bool auth_lifetime(const char *text, uint64_t *seconds)
{
	uint64_t ms;

	if (!zl_span_ms(text, &ms))
		return false;
	*seconds = ms / 1000;
	return *seconds >= LIFETIME_MIN && *seconds <= LIFETIME_MAX;
}

static bool is_name(const char *text)
{
	static const char GOOD[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-._@";
	size_t len = strlen(text);

	return len > 0 && len <= NAME_MAX_BYTES && strspn(text, GOOD) == len;
}

static bool is_id(const char *text)
{
	size_t len = strlen(text);

	return len == PKI_TOKEN_ID - 1 && strspn(text, "0123456789abcdef") == len;
}

/* A text of the body, "" if it is not there. */
static const char *text_of(const struct tree *doc, const char *name)
{
	const struct tree *found = tree_get(doc, name);

	return found != NULL && found->type == TREE_TEXT ? found->text : "";
}

struct wanted {
	const char *name, *role, *ttl;
	uint64_t seconds;
};

static void refuse_flaw(struct http_request *req, const char *field, const char *reason)
{
	const struct http_flaw flaw = { 0, field, reason };

	http_problem(req, 400, NULL, "the body is not what this path takes", &flaw, 1);
}

/* A member that nobody knows is a mistake, as everywhere. False after a 400. */
static bool only_known(struct http_request *req, const struct tree *doc,
		       const char *const *known)
{
	if (doc->type != TREE_MAP) {
		refuse_flaw(req, "", "must be an object");
		return false;
	}
	for (size_t i = 0; i < doc->count; i++) {
		size_t k = 0;
		while (known[k] != NULL && strcmp(known[k], doc->members[i].key) != 0)
			k++;
		if (known[k] != NULL)
			continue;
		refuse_flaw(req, doc->members[i].key, "unknown field");
		return false;
	}
	return true;
}

/* False after a 400. */
static bool read_wanted(struct http_request *req, struct zl_arena *arena,
			struct wanted *wanted)
{
	static const char *const KNOWN[] = { "name", "role", "ttl", NULL };
	const struct tree *doc = body_doc(req, arena);
	enum http_access role;

	if (doc == NULL || !only_known(req, doc, KNOWN))
		return false;
	wanted->name = text_of(doc, "name");
	wanted->role = text_of(doc, "role");
	wanted->ttl = text_of(doc, "ttl");
	if (!is_name(wanted->name))
		refuse_flaw(req, "name", "must be 1 to 63 letters, digits or - . _ @");
	else if (!auth_role(wanted->role, &role))
		refuse_flaw(req, "role", "must be viewer, operator or admin");
	else if (!auth_lifetime(wanted->ttl, &wanted->seconds))
		refuse_flaw(req, "ttl",
			    "must be a time from 1m to 366d, like 90s, 30m, 24h or 7d");
	else
		return true;
	return false;
}

static void answer_token(struct http_request *req, const struct wanted *wanted,
			 const char *token, const char *id, uint64_t expires_s)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *out = tree_map(arena);
	struct zl_buf body = { 0 };
	char expires[ZL_TIME_TEXT];

	zl_time_text(expires_s * 1000000, expires);
	tree_set(arena, out, "token", tree_text(arena, token));
	tree_set(arena, out, "id", tree_text(arena, id));
	tree_set(arena, out, "name", tree_text(arena, wanted->name));
	tree_set(arena, out, "role", tree_text(arena, wanted->role));
	tree_set(arena, out, "expires", tree_text(arena, expires));
	tree_json_pretty(out, &body);
	http_add_header(req, "Cache-Control", "no-store");
	http_json(req, 201, zl_buf_text(&body));
	zl_buf_free(&body);
	zl_arena_free(&arena);
}

static void sign(struct auth *auth, struct http_request *req, const struct wanted *wanted)
{
	struct zl_err err = { 0 };
	char *token = NULL;
	char id[PKI_TOKEN_ID];
	const struct pki_claims claims = { .kind = PKI_TOKEN_USER,
					   .id = "",
					   .zone = "",
					   .mesh = "",
					   .name = wanted->name,
					   .service = "",
					   .proxy = "",
					   .role = wanted->role,
					   .ca = "",
					   .issued_s = wall_s(),
					   .expires_s = wall_s() + wanted->seconds };

	if (pki_token_sign(auth->setup.signer, &claims, &token, id, &err) != ZL_OK) {
		http_refuse(req, 500, "%s", err.msg);
		return;
	}
	zl_log(ZL_INFO, "auth", "user token made", "id=%q name=%q role=%q ttl=%q by=%q",
	       id, wanted->name, wanted->role, wanted->ttl, http_caller_text(req));
	answer_token(req, wanted, token, id, claims.expires_s);
	free(token);
}

void auth_token_new(struct auth *auth, struct http_request *req)
{
	struct zl_arena *arena = zl_arena_new();
	struct wanted wanted = { 0 };

	if (auth->setup.signer == NULL)
		http_refuse(req, 409,
			    "this server takes no user tokens: it has no key "
			    "to sign them");
	else if (read_wanted(req, arena, &wanted))
		sign(auth, req, &wanted);
	zl_arena_free(&arena);
}

/* ---- taking back ---- */

static bool submit(struct auth *auth, struct revoking *revoking, struct zl_err *err)
{
	struct store_job *job = store_local_new(revoking);
	uint8_t until[8];

	revoked_sweep(auth, wall_s(), job);
	zl_put_be64(until, revoking->until_s);
	store_local_put(job, REVOKED_SPACE, revoking->id, until, sizeof(until));
	bool ok = store_submit(auth->setup.store, &job, err) == ZL_OK;
	store_job_free(&job);
	return ok;
}

void auth_token_revoke(struct auth *auth, struct http_request *req)
{
	static const char *const KNOWN[] = { "id", NULL };
	struct zl_arena *arena = zl_arena_new();
	struct zl_err err = { 0 };
	const struct tree *doc = body_doc(req, arena);

	if (doc == NULL || !only_known(req, doc, KNOWN)) {
		zl_arena_free(&arena);
		return;
	}
	const char *id = text_of(doc, "id");
	if (!is_id(id)) {
		refuse_flaw(req, "id",
			    "must be a token's id (jti): 32 hexadecimal digits");
		zl_arena_free(&arena);
		return;
	}
	struct revoking *revoking = zl_alloc(1, sizeof(*revoking));
	revoking->req = req;
	memcpy(revoking->id, id, sizeof(revoking->id)); /* as is_id has it */
	revoking->until_s = wall_s() + LIFETIME_MAX;
	zl_arena_free(&arena);
	if (submit(auth, revoking, &err)) {
		revoking->next = auth->revoking;
		auth->revoking = revoking;
		return;
	}
	free(revoking);
	http_add_header(req, "Retry-After", "1");
	http_refuse(req, 503, "%s", err.msg);
}

bool auth_result(struct auth *auth, const struct store_result *result)
{
	struct revoking **at = &auth->revoking;

	while (*at != NULL && *at != result->tag)
		at = &(*at)->next;
	struct revoking *done = *at;
	if (done == NULL)
		return false;
	*at = done->next;
	if (result->code == ZL_OK) {
		revoked_add(auth, done->id, done->until_s);
		zl_log(ZL_INFO, "auth", "token revoked", "id=%q by=%q", done->id,
		       http_caller_text(done->req));
		char *body =
			zl_format("{\"id\":\"%s\",\"result\":\"revoked\"}", done->id);
		http_json(done->req, 200, body);
		free(body);
	} else {
		http_refuse(done->req, http_status(result->code),
			    "%s; nothing was changed", result->err.msg);
	}
	free(done);
	return true;
}
