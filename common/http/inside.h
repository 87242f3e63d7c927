/* http/inside.h - connections and requests, as the files of this room see them.
 *
 * A connection reads one request at a time and holds it until it is answered; a request
 * that was handed to its handler outlives its connection. A TCP connection begins with a
 * look at its first byte when there is TLS.
 */
#pragma once

#include "base/mem.h"
#include "http/head.h"
#include "http/http.h"
#include "pki/authority.h"

#include <time.h>

struct bufferevent;
struct evconnlistener;
struct loop_timer;
struct loop_watch;

enum { HTTP_PARAMS = 8, HTTP_ARGS = 64, HTTP_ID = 128 };

struct http_pair {
	const char *name, *value;
};

struct http_listener {
	struct http_server *server;
	struct zl_addr addr;
	struct evconnlistener *lev; /* owned */
	struct http_listener *next;
};

struct http_server {
	struct loop *loop;
	struct http_options options;
	struct pki_tls *tls;             /* held; NULL: none */
	struct http_listener *listeners; /* owned */
	struct http_conn *conns;         /* owned; the newest first */
	struct http_request *requests;   /* handed over, not answered */
	size_t conn_count, request_count;
	size_t reserved;          /* bytes that bodies in memory have or may still take */
	struct loop_timer *pause; /* of accepting, while descriptors are short */
	bool draining;
	char id_prefix[9];
	char date[32]; /* of date_made, for the Date header */
	time_t date_made;
	uint64_t id_next;
};

enum http_state {
	HTTP_FRESH,  /* nothing has come yet: TLS or plain? */
	HTTP_SHAKE,  /* the TLS handshake is under way */
	HTTP_IDLE,   /* nothing of the next request is here */
	HTTP_HEADED, /* its head is coming */
	HTTP_BODIED, /* its body is coming */
	HTTP_BUSY,   /* the handler has it */
	HTTP_FLUSH,  /* the answer is going out */
	HTTP_LINGER, /* it went out; what the client still sends is thrown away */
};

struct http_conn {
	struct http_server *server;
	struct http_conn *prev, *next;
	int fd;                   /* owned; -1: the bev's */
	struct loop_watch *watch; /* owned: of fd in HTTP_FRESH */
	struct bufferevent *bev;  /* owned; NULL in HTTP_FRESH */
	struct loop_timer *timer; /* owned: deadline of the state */
	struct http_request *req; /* owned up to HTTP_BODIED, then lent */
	enum http_state state;
	struct pki_facts *peer; /* owned; NULL: no certificate */
	bool is_tcp, is_tls;
	bool is_near; /* on this machine: both ends say so */
	bool close_after;
	bool is_held;               /* enough was read ahead, reading is off */
	bool at_eof;                /* the client sends no more */
	size_t thrown;              /* bytes read in HTTP_LINGER */
	struct http_source *source; /* owned: what of the answer is still to be read */
	uint64_t began_us;          /* of the current request */
};

struct http_request {
	struct http_server *server; /* NULL once it is closed */
	struct http_conn *conn;     /* NULL once the client is gone */
	struct http_request *prev, *next;
	struct zl_arena *arena; /* owned; of the request itself and all its texts */
	const struct http_route *route;
	struct http_head head;
	const char *method, *path, *id;
	struct http_caller caller;
	const char *bearer;           /* NULL: none */
	const struct pki_facts *peer; /* in arena; NULL: none */
	bool is_head;                 /* HEAD: the answer has no body */
	struct http_pair params[HTTP_PARAMS], args[HTTP_ARGS];
	size_t param_count, arg_count;
	struct zl_buf body, added; /* owned */
	size_t reserved;           /* of the server's */
	struct http_chunks chunks;
	void (*gone)(void *arg);
	void *gone_arg;
};

/* secure.c: from an accepted descriptor to a stream of requests. */
void http_conn_new(struct http_server *server, int fd, bool is_tcp);
/* The handshake is done, or it failed: why, if it is not for OpenSSL to say. */
void http_secured(struct http_conn *conn);
void http_not_secured(const struct http_conn *conn, const char *why);
/* The client's IP address; "" by a unix socket. */
enum { HTTP_FROM = 46 };
void http_conn_from(const struct http_conn *conn, char text[HTTP_FROM]);
/* Tell the other end that no more will be sent. */
void http_end_sending(struct http_conn *conn);

/* access.c: may the caller have req's route? Returns 0, or the status to refuse with,
 * *why, and header lines in added. */
unsigned http_access_check(struct http_conn *conn, const char **why,
			   struct zl_buf *added);
/* The same before there is a route: how the request came. */
unsigned http_access_foreign(const struct http_conn *conn, const struct http_head *head,
			     const char **why);
void http_deny(const struct http_server *server, enum http_denial why);

/* conn.c */
/* Make it one of the server's, with a timer. */
void http_conn_link(struct http_conn *conn);
void http_conn_enter(struct http_conn *conn, enum http_state state, uint64_t ms);
/* Look at what has been read in another turn of the loop. */
void http_conn_read_later(struct http_conn *conn);
/* Requests come through bev, which is taken. */
void http_conn_start(struct http_conn *conn, struct bufferevent *bev);
/* Close; tells a handler that still has the request. */
void http_conn_close(struct http_conn **connp);
/* What an answer consists of. */
struct http_reply {
	unsigned status;
	const char *content_type, *added; /* added: header lines or "" */
	const void *body;
	size_t len;
	struct http_source *source; /* in place of body; taken; NULL: none */
	const char *id, *method;
	const struct http_route *route;
};
/* Restart the deadline of the state the connection is in. */
void http_conn_allow(struct http_conn *conn, uint64_t ms);

/* send.c */
void http_conn_send(struct http_conn *conn, const struct http_reply *reply);

/* source.c: the rest of a file that is being sent. free accepts NULL. */
struct evbuffer;
struct http_source *http_source_new(int fd, uint64_t len);
void http_source_free(struct http_source **sourcep);
uint64_t http_source_left(const struct http_source *source);
/* Move some of it to out. False: the file cannot be read, or it ended early. */
bool http_source_feed(struct http_source *source, struct evbuffer *out);

/* request.c */
struct http_request *http_request_new(struct http_conn *conn, const char *head,
				      size_t len);
void http_request_free(struct http_request **reqp);
/* A problem document in the room's own words. */
void http_problem_body(struct zl_buf *to, unsigned status, const char *title,
		       const char *detail, const char *id, const struct http_flaw *flaws,
		       size_t count);
const char *http_reason(unsigned status);

/* route.c: find the route, fill route, params and args. Returns 0, or the status to
 * refuse with and *why; allow gets what an Allow header says. */
unsigned http_route_find(struct http_request *req, const char **why,
			 struct zl_buf *allow);
