/* Who calls, and may they? */
#include "base/log.h"
#include "http/inside.h"

#include <string.h>
#include <strings.h>

static const char *const DENIALS[HTTP_DENIALS] = {
	[HTTP_NO_CREDENTIALS] = "no_credentials", [HTTP_BAD_TOKEN] = "bad_token",
	[HTTP_ROLE_TOO_LOW] = "role_too_low",     [HTTP_NOT_BY_TLS] = "not_by_tls",
	[HTTP_BAD_HANDSHAKE] = "bad_handshake",
};

const char *http_denial_name(enum http_denial why)
{
	return DENIALS[why];
}

void http_deny(const struct http_server *server, enum http_denial why)
{
	if (server->options.denied != NULL)
		server->options.denied(server->options.arg, why);
}

/* Does an Origin header name another place than Host does? */
static bool is_other_origin(struct http_span origin, struct http_span host)
{
	const char *from = memmem(origin.at, origin.len, "://", 3);
	size_t left = from != NULL ? origin.len - (size_t)(from + 3 - origin.at) : 0;

	return from == NULL || left != host.len || memcmp(from + 3, host.at, left) != 0;
}

static bool is_bare_host(struct http_span host)
{
	char name[256] = "";
	bool v6 = host.len > 0 && host.at[0] == '[';
	size_t len = 0;

	if (host.len >= sizeof(name))
		return false;
	while (len < host.len && host.at[len] != (v6 ? ']' : ':'))
		len++;
	if (len > v6)
		memcpy(name, host.at + v6, len - v6);
	return strcmp(name, "localhost") == 0 || zl_is_ip(name);
}

/* A web page of somebody else must not reach us by the name it gave our address (DNS
 * rebinding), nor post to us from a browser that can. By TLS the name is no matter: what
 * a page may do then takes a token, which no browser adds by itself. */
unsigned http_access_foreign(const struct http_conn *conn, const struct http_head *head,
			     const char **why)
{
	struct http_span origin = http_head_field(head, "origin");
	char from[HTTP_FROM];

	if (!conn->is_tcp)
		return 0;
	if (!conn->is_tls && !conn->is_near) {
		*why = "requests from other machines are taken by https only";
		http_conn_from(conn, from);
		zl_log(ZL_WARN, "http", "request refused", "reason=%s from=%q",
		       DENIALS[HTTP_NOT_BY_TLS], from);
		http_deny(conn->server, HTTP_NOT_BY_TLS);
		return 403;
	}
	*why = "Host must be an IP address or localhost";
	if (!conn->is_tls && head->host.len > 0 && !is_bare_host(head->host))
		return 421;
	*why = "a web page of another origin may not do this";
	if (origin.at == NULL || (head->method.len == 3 && head->method.at[0] == 'G'))
		return 0;
	return is_other_origin(origin, head->host) ? 403 : 0;
}

/* Fill req->bearer. False: it is not said in the one way there is. */
static bool read_bearer(struct http_request *req)
{
	static const char SCHEME[] = "Bearer ";
	struct http_span said = http_head_field(&req->head, "authorization");
	size_t skip = sizeof(SCHEME) - 1;
	size_t count = 0;

	for (size_t i = 0; i < req->head.count; i++) {
		struct http_span name = req->head.fields[i].name;
		count += name.len == 13 &&
			 strncasecmp(name.at, "authorization", name.len) == 0;
	}
	if (count == 0)
		return true;
	if (count > 1 || said.len <= skip || strncasecmp(said.at, SCHEME, skip) != 0)
		return false;
	while (skip < said.len && said.at[skip] == ' ')
		skip++;
	req->bearer = zl_arena_strndup(req->arena, said.at + skip, said.len - skip);
	return true;
}

static unsigned refuse(const struct http_conn *conn, enum http_denial denial,
		       const char *detail)
{
	const struct http_request *req = conn->req;
	char from[HTTP_FROM];

	http_conn_from(conn, from);
	zl_log(ZL_WARN, "http", "request refused",
	       "reason=%s detail=%q caller=%q from=%q method=%q path=%q id=%q",
	       DENIALS[denial], detail, http_caller_text(req), from, req->method,
	       req->path, req->id);
	http_deny(conn->server, denial);
	return denial == HTTP_ROLE_TOO_LOW ? 403 : 401;
}

/* Ask the owner who this is. False: with a token that is no good; *detail says why. */
static bool identify(const struct http_conn *conn, struct http_request *req,
		     const char **detail)
{
	const struct http_options *options = &conn->server->options;
	struct http_caller caller = { HTTP_NOBODY, HTTP_OPEN, "" };

	if (conn->peer != NULL)
		req->peer = zl_arena_memdup(req->arena, conn->peer, sizeof(*conn->peer));
	*detail = "Authorization is not Bearer TOKEN";
	if (!read_bearer(req))
		return false;
	const struct http_proof proof = { .is_local = conn->is_near && !conn->is_tls,
					  .token = req->bearer,
					  .identity = req->peer != NULL
							      ? req->peer->identity
							      : NULL };
	if (!options->authorize(options->auth_arg, &proof, req->arena, &caller, detail))
		return false;
	req->caller = caller;
	return true;
}

unsigned http_access_check(struct http_conn *conn, const char **why, struct zl_buf *added)
{
	struct http_request *req = conn->req;
	enum http_access wanted = req->route->access;
	const char *detail = "";

	if (conn->server->options.authorize == NULL)
		return 0;
	bool known = identify(conn, req, &detail);
	if (wanted == HTTP_OPEN || (known && req->caller.role <= wanted))
		return 0;
	if (!known) {
		*why = "the token is not accepted";
		zl_buf_str(added, "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n");
		return refuse(conn, HTTP_BAD_TOKEN, detail);
	}
	if (req->caller.kind == HTTP_NOBODY) {
		*why = "this takes a token: Authorization: Bearer TOKEN";
		zl_buf_str(added, "WWW-Authenticate: Bearer\r\n");
		return refuse(conn, HTTP_NO_CREDENTIALS, "");
	}
	*why = wanted == HTTP_VIEW      ? "this takes the role viewer"
	       : wanted == HTTP_OPERATE ? "this takes the role operator"
					: "this takes the role admin";
	return refuse(conn, HTTP_ROLE_TOO_LOW, *why);
}

const struct http_caller *http_caller(const struct http_request *req)
{
	return &req->caller;
}

const char *http_caller_text(const struct http_request *req)
{
	static const char *const KINDS[] = { [HTTP_NOBODY] = "nobody",
					     [HTTP_LOCAL] = "local",
					     [HTTP_USER] = "user",
					     [HTTP_ZONE] = "zone" };
	const struct http_caller *caller = &req->caller;

	if (*caller->name == '\0')
		return KINDS[caller->kind];
	return zl_arena_format(req->arena, "%s/%s", KINDS[caller->kind], caller->name);
}

const char *http_bearer(const struct http_request *req)
{
	return req->bearer;
}

const struct pki_facts *http_peer(const struct http_request *req)
{
	return req->peer;
}
