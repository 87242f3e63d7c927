/* http/http.h - the HTTP/1.1 server of a process: routes, limits, deadlines, problems.
 *
 * A server has a table of routes and listens on any number of addresses. It reads
 * strictly (http/head.h), keeps connections alive, bounds everything a client sends and
 * the time it takes, and answers by itself what no handler should see: malformed
 * requests, unknown paths (404), wrong methods (405 with Allow), HEAD by the GET route,
 * callers that are not let in (401, 403).
 *
 * A TCP address takes TLS and plain requests: the first byte of a connection decides.
 * Plain ones are for this machine: both ends have to be loopback addresses. A unix socket
 * is always plain.
 *
 * A handler answers the request at once or later, from the loop's thread, exactly once.
 * Until then the request and all it lends are valid, even if the client goes away; an
 * answer to nobody is dropped.
 *
 * Threads:  the loop's.
 * Lifetime: http_close, not from a handler, before loop_close. Requests not answered by
 *           then still are to be answered: each is freed by its answer.
 */
#pragma once

#include "base/addr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct pki_facts;
struct pki_tls;
struct zl_arena;
struct http_server;
struct http_request;

typedef void http_handler(struct http_request *req, void *arg);

/* Who may call a route; also what a caller may do. The strictest first: a route that
 * names none is for admins. */
enum http_access {
	HTTP_ADMIN,
	HTTP_OPERATE,
	HTTP_VIEW,
	HTTP_OPEN /* anybody: the handler looks itself who calls */
};

/* Who calls, as the server's owner sees it. */
struct http_caller {
	enum http_caller_kind {
		HTTP_NOBODY,
		HTTP_LOCAL, /* somebody on this machine */
		HTTP_USER,  /* by a token */
		HTTP_ZONE   /* by a certificate */
	} kind;
	enum http_access role;
	const char *name; /* of the user or the zone; "" */
};

/* What a caller has shown. */
struct http_proof {
	bool is_local;        /* by a unix socket, or plain from loopback to loopback */
	const char *token;    /* what stood behind "Bearer"; NULL: nothing did */
	const char *identity; /* the URI in its certificate, which is valid; NULL: none */
};

/* Say in *caller who has shown proof; texts may be put in arena. False: the token is no
 * good; *why, for the log alone, then says what is wrong with it. */
typedef bool http_authorize(void *arg, const struct http_proof *proof,
			    struct zl_arena *arena, struct http_caller *caller,
			    const char **why);

struct http_route {
	const char *method;
	const char *pattern; /* "/meshes/{mesh}/dataplanes/{name}" */
	enum http_access access;
	size_t body_limit; /* 0: HTTP_BODY */
	http_handler *handle;
};

enum { HTTP_BODY = 1 << 20 };

/* What was answered, for metrics; route is NULL if no route matched. */
struct http_seen {
	const struct http_route *route;
	const char *method;
	unsigned status;
	uint64_t us; /* from the first byte of the request to the answer */
};

/* Why somebody was not let in. */
enum http_denial {
	HTTP_NO_CREDENTIALS,
	HTTP_BAD_TOKEN,
	HTTP_ROLE_TOO_LOW,
	HTTP_NOT_BY_TLS,    /* a plain request from another machine */
	HTTP_BAD_HANDSHAKE, /* of TLS; a refused certificate as well */
	HTTP_DENIALS
};
/* "no_credentials", "bad_token", ... */
const char *http_denial_name(enum http_denial why);

struct http_options {
	const struct http_route *routes; /* borrowed while the server is open */
	size_t count;
	void *arg;                                         /* of handlers and of seen */
	void (*seen)(void *arg, const struct http_seen *); /* or NULL */
	http_authorize *authorize; /* with auth_arg; NULL: all who reach us may do all */
	void *auth_arg;
	void (*denied)(void *arg, enum http_denial why); /* for metrics, or NULL */
	unsigned max_connections;                        /* 0: 1024 */
	uint64_t head_ms, body_ms, answer_ms, idle_ms;   /* 0: 10, 30, 60, 120 s */
	mode_t socket_mode;                              /* of unix sockets; 0: 0600 */
};

ZL_MUST_USE enum zl_code http_open(struct http_server **out, struct loop *loop,
				   const struct http_options *options,
				   struct zl_err *err);
/* From now on TCP addresses take TLS by tls, which is held, too; connections that are
 * there go on as they are. NULL: none. */
void http_set_tls(struct http_server *server, struct pki_tls *tls);
/* Listen on addr as well; a port 0 in it becomes the one the kernel chose. ZL_EACCES an
 * address that is not local while there is no TLS or nobody to authorize; else as
 * zl_addr_listen. */
ZL_MUST_USE enum zl_code http_listen(struct http_server *server, struct zl_addr *addr,
				     struct zl_err *err);
/* Accept no more, close idle connections and each other one after its answer. */
void http_drain(struct http_server *server);
/* Requests that wait for their answer. */
size_t http_pending(const struct http_server *server);
/* Connections, of clients that wait or whose answers are on their way as well. */
size_t http_connections(const struct http_server *server);
void http_close(struct http_server **serverp);

/* The request. All that is returned is borrowed until the answer. */
const char *http_method(const struct http_request *req);
const char *http_path(const struct http_request *req); /* as sent, without query */
const char *http_id(const struct http_request *req);   /* X-Request-Id, or ours */
/* Who calls. A route that is HTTP_OPEN may be called by HTTP_NOBODY, also with a token
 * that was not accepted. */
const struct http_caller *http_caller(const struct http_request *req);
/* The caller in one word, for logs and the history: "local", "user/alice", "zone/east".
 */
const char *http_caller_text(const struct http_request *req);
/* What stood behind "Bearer", NULL if nothing did; what the client's certificate says,
 * NULL if it showed none. For routes that are HTTP_OPEN. */
const char *http_bearer(const struct http_request *req);
const struct pki_facts *http_peer(const struct http_request *req);
/* A {param} of the pattern, decoded: UTF-8 without control characters, not empty. */
const char *http_param(const struct http_request *req, const char *name);
/* The first ?name=value, decoded; NULL if there is none. */
const char *http_query(const struct http_request *req, const char *name);
/* The number n of the query's names, for refusing unknown ones; NULL past the last. */
const char *http_query_name(const struct http_request *req, size_t n);
/* A header by its name in any case, NULL if there is none. */
const char *http_header(const struct http_request *req, const char *name);
/* The body with a NUL behind it; never NULL. */
const char *http_body(const struct http_request *req, size_t *len);
/* True if nobody waits for the answer any more; gone is then called as well. A client
 * that closes its side for sending before a late answer counts as gone. */
bool http_is_gone(const struct http_request *req);
void http_on_gone(struct http_request *req, void (*gone)(void *arg), void *arg);

/* Answer within ms from now instead of answer_ms: for an answer that is meant to wait. */
void http_more_time(struct http_request *req, uint64_t ms);

/* Add a header to the answer that is to come. The value has no line break. */
void http_add_header(struct http_request *req, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The answers: each ends the request. body is copied. */
void http_answer(struct http_request *req, unsigned status, const char *content_type,
		 const void *body, size_t len);
/* len bytes of the open file fd, from where it stands, as the client takes them. fd is
 * taken. A file that turns out shorter ends the connection in the middle. */
void http_answer_file(struct http_request *req, unsigned status, const char *content_type,
		      int fd, uint64_t len);
void http_json(struct http_request *req, unsigned status, const char *json);
void http_text(struct http_request *req, unsigned status, const char *text);

/* application/problem+json with detail from fmt. */
void http_refuse(struct http_request *req, unsigned status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with a title of its own and what is wrong in the body. */
struct http_flaw {
	unsigned document; /* from 1; 0: not said */
	const char *field, *reason;
};
void http_problem(struct http_request *req, unsigned status, const char *title,
		  const char *detail, const struct http_flaw *flaws, size_t count);
/* The status for a failure: EINVAL, ESYNTAX 400, ENOENT 404, ECONFLICT 409, EACCES 403,
 * ELIMIT 413, ENOSPC 507, EUNREACH, ETIMEOUT 503, else 500. */
unsigned http_status(enum zl_code code);
