#include "http/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An id a client sends is kept if it cannot hurt a log or a header. */
static bool id_is_good(struct http_span id)
{
	if (id.at == NULL || id.len == 0 || id.len > HTTP_ID)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.at[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		      (c >= 'A' && c <= 'Z') ||
		      (c != '\0' && strchr("-._:/+=", c) != NULL)))
			return false;
	}
	return true;
}

struct http_request *http_request_new(struct http_conn *conn, const char *head,
				      size_t len)
{
	struct http_server *server = conn->server;
	struct zl_arena *arena = zl_arena_new();
	struct http_request *req = zl_arena_alloc(arena, 1, sizeof(*req));
	struct http_refusal never;

	req->arena = arena;
	req->server = server;
	req->conn = conn;
	req->caller = (struct http_caller){ HTTP_NOBODY, HTTP_OPEN, "" };
	long used = http_head_check(zl_arena_memdup(arena, head, len), len, &req->head,
				    &never);
	assert(used == (long)len); /* the connection has read it before */

	req->method = zl_arena_strndup(arena, req->head.method.at, req->head.method.len);
	req->path = zl_arena_strndup(arena, req->head.path.at, req->head.path.len);
	req->is_head = strcmp(req->method, "HEAD") == 0;
	struct http_span id = http_head_field(&req->head, "x-request-id");
	if (id_is_good(id))
		req->id = zl_arena_strndup(arena, id.at, id.len);
	else
		req->id = zl_arena_format(arena, "%s-%llx", server->id_prefix,
					  (unsigned long long)server->id_next++);
	return req;
}

void http_request_free(struct http_request **reqp)
{
	struct http_request *req = *reqp;

	*reqp = NULL;
	if (req == NULL)
		return;
	if (req->server != NULL)
		req->server->reserved -= req->reserved;
	zl_buf_free(&req->body);
	zl_buf_free(&req->added);
	struct zl_arena *arena = req->arena;
	zl_arena_free(&arena); /* and req with it */
}

const char *http_method(const struct http_request *req)
{
	return req->method;
}

const char *http_path(const struct http_request *req)
{
	return req->path;
}

const char *http_id(const struct http_request *req)
{
	return req->id;
}

static const char *find(const struct http_pair *pairs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(pairs[i].name, name) == 0)
			return pairs[i].value;
	return NULL;
}

const char *http_param(const struct http_request *req, const char *name)
{
	return find(req->params, req->param_count, name);
}

const char *http_query(const struct http_request *req, const char *name)
{
	return find(req->args, req->arg_count, name);
}

const char *http_query_name(const struct http_request *req, size_t n)
{
	return n < req->arg_count ? req->args[n].name : NULL;
}

const char *http_header(const struct http_request *req, const char *name)
{
	struct http_span value = http_head_field(&req->head, name);

	return value.at != NULL ? zl_arena_strndup(req->arena, value.at, value.len)
				: NULL;
}

const char *http_body(const struct http_request *req, size_t *len)
{
	*len = req->body.len;
	return zl_buf_text(&req->body);
}

bool http_is_gone(const struct http_request *req)
{
	return req->conn == NULL;
}

void http_on_gone(struct http_request *req, void (*gone)(void *arg), void *arg)
{
	req->gone = gone;
	req->gone_arg = arg;
}

void http_more_time(struct http_request *req, uint64_t ms)
{
	if (req->conn != NULL && req->conn->state == HTTP_BUSY)
		http_conn_allow(req->conn, ms);
}

void http_add_header(struct http_request *req, const char *name, const char *fmt, ...)
{
	char value[1024];
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	assert(len >= 0 && (size_t)len < sizeof(value));
	assert(strpbrk(value, "\r\n") == NULL);
	zl_buf_format(&req->added, "%s: %s\r\n", name, value);
}

/* The answers. */

static void forget(struct http_request *req)
{
	struct http_server *server = req->server;

	if (server == NULL)
		return;
	if (req->prev != NULL)
		req->prev->next = req->next;
	else
		server->requests = req->next;
	if (req->next != NULL)
		req->next->prev = req->prev;
	server->request_count--;
}

/* The request ends with reply, whose parts it completes. */
static void answer(struct http_request *req, struct http_reply *reply)
{
	struct http_conn *conn = req->conn;

	forget(req);
	reply->added = zl_buf_text(&req->added);
	reply->id = req->id;
	reply->method = req->method;
	reply->route = req->route;
	if (conn != NULL) {
		conn->req = NULL;
		http_conn_send(conn, reply);
	} else {
		http_source_free(&reply->source);
	}
	http_request_free(&req);
}

void http_answer(struct http_request *req, unsigned status, const char *content_type,
		 const void *body, size_t len)
{
	struct http_reply reply = {
		.status = status, .content_type = content_type, .body = body, .len = len
	};

	answer(req, &reply);
}

void http_answer_file(struct http_request *req, unsigned status, const char *content_type,
		      int fd, uint64_t len)
{
	struct http_reply reply = { .status = status,
				    .content_type = content_type,
				    .source = http_source_new(fd, len) };

	answer(req, &reply);
}

void http_json(struct http_request *req, unsigned status, const char *json)
{
	http_answer(req, status, "application/json", json, strlen(json));
}

void http_text(struct http_request *req, unsigned status, const char *text)
{
	http_answer(req, status, "text/plain; charset=utf-8", text, strlen(text));
}

void http_problem(struct http_request *req, unsigned status, const char *title,
		  const char *detail, const struct http_flaw *flaws, size_t count)
{
	struct zl_buf body = { 0 };

	http_problem_body(&body, status, title, detail, req->id, flaws, count);
	http_answer(req, status, "application/problem+json", body.data, body.len);
	zl_buf_free(&body);
}

void http_refuse(struct http_request *req, unsigned status, const char *fmt, ...)
{
	char *detail = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&detail, fmt, ap) < 0)
		abort(); /* fails only without memory */
	va_end(ap);
	http_problem(req, status, NULL, detail, NULL, 0);
	free(detail);
}
