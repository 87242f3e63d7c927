/* Tokens of proxies. */
#include "base/clock.h"
#include "base/log.h"
#include "model/tree.h"
#include "rest/body.h"
#include "zone/api/inside.h"
#include "zone/trust/trust.h"

#include <stdlib.h>
#include <string.h>

/* What a body asks for; "" what it does not say. */
struct wanted {
	const char *mesh, *name, *service, *proxy, *ttl;
	uint64_t seconds;
};

static void refuse_flaw(struct http_request *req, const char *field, const char *reason)
{
	const struct http_flaw flaw = { 0, field, reason };

	http_problem(req, 400, NULL, "the body is not what this path takes", &flaw, 1);
}

/* One member of the body into wanted. False after a 400. */
static bool read_member(struct http_request *req, const char *key,
			const struct tree *value, bool is_dataplane,
			struct wanted *wanted)
{
	const struct {
		const char *name;
		const char **to;
		bool of_dataplane, of_zone_proxy;
	} KNOWN[] = {
		{ "mesh", &wanted->mesh, true, false },
		{ "name", &wanted->name, true, true },
		{ "service", &wanted->service, true, false },
		{ "proxy", &wanted->proxy, false, true },
		{ "ttl", &wanted->ttl, true, true },
	};

	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
		bool is_known =
			is_dataplane ? KNOWN[i].of_dataplane : KNOWN[i].of_zone_proxy;
		if (!is_known || strcmp(KNOWN[i].name, key) != 0)
			continue;
		if (value->type != TREE_TEXT || value->text[0] == '\0' ||
		    strlen(value->text) > 253) {
			refuse_flaw(req, key, "must be a text of 1 to 253 bytes");
			return false;
		}
		*KNOWN[i].to = value->text;
		return true;
	}
	refuse_flaw(req, key, "unknown field");
	return false;
}

/* False after a 400. */
static bool read_wanted(struct http_request *req, struct zl_arena *arena,
			bool is_dataplane, struct wanted *wanted)
{
	const struct tree *doc = body_doc(req, arena);

	*wanted = (struct wanted){ .mesh = is_dataplane ? "default" : "",
				   .name = "",
				   .service = "",
				   .proxy = "",
				   .ttl = TOKEN_TTL };
	if (doc == NULL)
		return false;
	if (doc->type != TREE_MAP) {
		refuse_flaw(req, "", "must be an object");
		return false;
	}
	for (size_t i = 0; i < doc->count; i++)
		if (!read_member(req, doc->members[i].key, doc->members[i].value,
				 is_dataplane, wanted))
			return false;
	if (!auth_lifetime(wanted->ttl, &wanted->seconds)) {
		refuse_flaw(req, "ttl", TOKEN_TTL_RULE);
		return false;
	}
	return true;
}

static void answer(struct http_request *req, const struct pki_claims *claims,
		   const char *token, const char *id)
{
	const struct {
		const char *name, *text;
	} SAID[] = { { "token", token },        { "id", id },
		     { "zone", claims->zone },  { "mesh", claims->mesh },
		     { "name", claims->name },  { "service", claims->service },
		     { "proxy", claims->proxy } };
	struct zl_arena *arena = zl_arena_new();
	struct tree *out = tree_map(arena);
	struct zl_buf body = { 0 };
	char expires[ZL_TIME_TEXT];

	for (size_t i = 0; i < sizeof(SAID) / sizeof(SAID[0]); i++)
		if (SAID[i].text[0] != '\0')
			tree_set(arena, out, SAID[i].name,
				 tree_text(arena, SAID[i].text));
	zl_time_text(claims->expires_s * 1000000, expires);
	tree_set(arena, out, "expires", tree_text(arena, expires));
	tree_json_pretty(out, &body);
	http_add_header(req, "Cache-Control", "no-store");
	http_json(req, 201, zl_buf_text(&body));
	zl_buf_free(&body);
	zl_arena_free(&arena);
}

static void sign(struct http_request *req, const struct api *api,
		 enum pki_token_kind kind, const struct wanted *wanted)
{
	struct pki_claims claims = { .kind = kind,
				     .id = "",
				     .mesh = wanted->mesh,
				     .name = wanted->name,
				     .service = wanted->service,
				     .proxy = wanted->proxy,
				     .role = "",
				     .ca = "" };
	struct zl_err err = { 0 };
	char *token = NULL;
	char id[PKI_TOKEN_ID];

	if (trust_token(api->setup.trust, &claims, wanted->seconds, &token, id, &err) !=
	    ZL_OK) {
		http_refuse(req, http_status(err.code), "%s", err.msg);
		return;
	}
	zl_log(ZL_INFO, "trust", "proxy token made",
	       "id=%q mesh=%q name=%q service=%q proxy=%q ttl=%q by=%q", id, claims.mesh,
	       claims.name, claims.service, claims.proxy, wanted->ttl,
	       http_caller_text(req));
	answer(req, &claims, token, id);
	explicit_bzero(token, strlen(token));
	free(token);
}

void dataplane_token_handle(struct http_request *req, void *arg)
{
	struct zl_arena *arena = zl_arena_new();
	struct wanted wanted;

	if (read_wanted(req, arena, true, &wanted)) {
		if ((wanted.name[0] != '\0') == (wanted.service[0] != '\0'))
			refuse_flaw(req, wanted.name[0] != '\0' ? "service" : "name",
				    "one of name and service must be given");
		else
			sign(req, arg, PKI_TOKEN_DATAPLANE, &wanted);
	}
	zl_arena_free(&arena);
}

void zone_proxy_token_handle(struct http_request *req, void *arg)
{
	struct zl_arena *arena = zl_arena_new();
	struct wanted wanted;

	if (read_wanted(req, arena, false, &wanted)) {
		if (strcmp(wanted.proxy, "ingress") != 0 &&
		    strcmp(wanted.proxy, "egress") != 0)
			refuse_flaw(req, "proxy", "must be ingress or egress");
		else
			sign(req, arg, PKI_TOKEN_ZONE_PROXY, &wanted);
	}
	zl_arena_free(&arena);
}
