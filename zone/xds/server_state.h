/* zone/xds/server_state.h - inside the server: who owns what. Nobody else includes it.
 *
 *   xds_server --* xds_conn --* xds_stream     the connection frees its streams
 *        `-------* xds_proxy ..* xds_stream    a proxy knows its streams, newest first
 *
 * What is closed during a turn is marked dead, and freed by the reaper at its end: lists
 * may be walked while the owner, a peer or the kernel ends something.
 */
#pragma once

#include "zone/xds/grpc_frame.h"
#include "zone/xds/session.h"

#include <sys/queue.h>

struct bufferevent;
struct evbuffer;
struct event;
struct evconnlistener;
struct nghttp2_session;
struct pki_tls;
struct sockaddr;
struct xds_tls;

enum { /* gRPC's numbers */
       GRPC_OK = 0,
       GRPC_INVALID_ARGUMENT = 3,
       GRPC_DEADLINE_EXCEEDED = 4,
       GRPC_PERMISSION_DENIED = 7,
       GRPC_RESOURCE_EXHAUSTED = 8,
       GRPC_UNIMPLEMENTED = 12,
       GRPC_UNAUTHENTICATED = 16
};

enum xds_method { XDS_NO_METHOD, XDS_DELTA, XDS_SOTW, XDS_LOADS, XDS_LOGS };

struct xds_stream {
	TAILQ_ENTRY(xds_stream) of_conn, of_proxy;
	struct xds_conn *conn;
	struct xds_proxy *proxy;     /* of ADS; NULL: not said yet */
	struct xds_session *session; /* owned; NULL: not an ADS stream, or ended */
	char *reporter; /* owned; who reports, admitted or not; NULL: not said yet */
	int32_t id;
	bool dead;    /* nghttp2 forgot it */
	bool touched; /* had input in this turn */
	bool is_post, is_grpc;
	enum xds_method method;
	bool listens;       /* it was admitted as far as it has said who it is */
	bool details;       /* its load reports tell of each endpoint */
	bool took;          /* a message, of a method that takes one */
	uint64_t window_ms; /* reports are counted from here on */
	unsigned window_reports;
	size_t head_bytes;
	char *token; /* owned; what stood behind "Bearer", until somebody has judged it */
	bool two_tokens;
	char claimed[128];             /* by a stream that was refused; for the log */
	uint64_t opened_ms, opened_us; /* us: wall clock */
	struct xds_frame frame;
	struct zl_buf out; /* what nghttp2 takes next, from out_done on */
	size_t out_done;
	bool ended; /* trailers follow out */
	bool peer_ended;
	int grpc_status;
	char grpc_message[256];
};

TAILQ_HEAD(xds_streams, xds_stream);

/* Whose stream it is has been said; what brings one message has none to wait for then. */
static inline bool xds_stream_is_known(const struct xds_stream *stream)
{
	return stream->proxy != NULL ||
	       (stream->method == XDS_LOADS && stream->reporter != NULL);
}

struct xds_conn {
	TAILQ_ENTRY(xds_conn) next;
	struct xds_server *server;
	char *from;              /* owned; the peer's address */
	struct bufferevent *bev; /* owned */
	struct xds_tls *tls;     /* owned; NULL: a unix socket */
	struct nghttp2_session *h2;
	struct xds_streams streams;
	bool busy; /* inside nghttp2: nothing may be sent now */
	bool dead;
	bool is_known;                 /* a stream of it was admitted */
	uint64_t opened_ms, lonely_ms; /* since when it has no stream */
	uint64_t ping_ms;
	bool ping_open;
	uint64_t window_ms; /* control frames are counted from here on */
	unsigned window_frames;
	/* The last who sent logs by it, which needs a new stream for each handful: owned.
	 */
	char *logger, *logger_token;
	uint64_t logger_ms; /* when it was admitted */
};

TAILQ_HEAD(xds_conns, xds_conn);

struct xds_proxy {
	char *name, *cluster; /* owned */
	struct envoy_config *config;
	bool configured;
	uint64_t revision, acked;
	struct xds_streams streams; /* newest first */
	unsigned stream_count;
};

struct xds_server {
	struct event_base *base;
	struct xds_ops ops;
	void *owner;
	struct evconnlistener **listeners;
	size_t listener_count;
	struct pki_tls *tls; /* held; NULL: none */
	size_t max_connections, max_strangers;
	bool accepting; /* false: no descriptor was left; tried again at the next tick */
	bool closing;
	struct xds_conns conns;
	struct xds_proxy **proxies; /* sorted by name */
	size_t proxy_count;
	struct event *tick, *reaper;
	unsigned told,
		untold; /* refusals that were logged, or not, since the last tick */
	struct xds_counts counts;
};

/* server.c: free what is dead, at the end of this turn */
void xds_server_reap(struct xds_server *server);

/* May a refusal have a line of the log of its own? A storm of strangers must not fill it:
 * those beyond some in a second are counted and share one. */
bool xds_server_tells(struct xds_server *server);

/* proxy.c: the registry */
struct xds_proxy *xds_proxy_find(const struct xds_server *server, const char *name);
struct xds_proxy *xds_proxy_need(struct xds_server *server, const char *name);
/* Its newest stream that lives, or NULL. */
struct xds_stream *xds_proxy_newest(const struct xds_proxy *proxy);
/* Free those that are neither configured nor connected. */
void xds_proxies_sweep(struct xds_server *server);
void xds_proxies_free(struct xds_server *server);

/* stream.c: gRPC on one stream */
/* Its head is whole. False: the stream is refused. */
bool xds_stream_begin(struct xds_stream *stream);
void xds_stream_input(struct xds_stream *stream, const uint8_t *data, size_t len);
/* Hand on to nghttp2 what the session has to send. */
void xds_stream_flush(struct xds_stream *stream, uint64_t now_us);
/* Tell the owner what came of it. */
void xds_stream_news(struct xds_stream *stream);
/* The peer has sent its last. */
void xds_stream_peer_end(struct xds_stream *stream);
/* Ask the owner. node is NULL while it is not known. False: the stream is refused. */
bool xds_stream_admit(struct xds_stream *stream, const char *node, const char *cluster);
void xds_stream_forget_token(struct xds_stream *stream);
/* End it with a gRPC status, after what is in out. */
void xds_stream_end(struct xds_stream *stream, int status, const char *message);
void xds_stream_free(struct xds_stream *stream);

/* reporting.c: the methods by which a proxy tells of its traffic */
bool xds_reporting_begin(struct xds_stream *stream);
void xds_reporting_take(struct xds_stream *stream, const struct xds_bytes *message);
void xds_reporting_peer_end(struct xds_stream *stream);
/* End what name reports by, and let nobody log in its name unasked. */
void xds_reporting_expel(struct xds_server *server, const char *name);
void xds_reporting_forget(struct xds_conn *conn);

/* h2.c: nghttp2 */
bool xds_h2_open(struct xds_conn *conn);
void xds_h2_close(struct xds_conn *conn);
/* False: the connection cannot go on. */
bool xds_h2_input(struct xds_conn *conn, const uint8_t *data, size_t len);
/* The next bytes to send; 0: none for now, below 0: the connection is over. Borrowed. */
long xds_h2_output(struct xds_conn *conn, const uint8_t **data);
bool xds_h2_is_over(const struct xds_conn *conn);
void xds_h2_resume(struct xds_stream *stream);
void xds_h2_ping(struct xds_conn *conn);
void xds_h2_goaway(struct xds_conn *conn);

/* tls.c: TLS between a socket's bytes and HTTP/2's. */
struct xds_tls *xds_tls_new(struct pki_tls *context);
void xds_tls_free(struct xds_tls **tlsp);
/* Bytes came from the socket. */
bool xds_tls_put(struct xds_tls *tls, const uint8_t *data, size_t len);
/* The next bytes for HTTP/2; 0: none for now; below 0: it cannot go on, or is over. Goes
 * on with the handshake. */
long xds_tls_take(struct xds_tls *tls, uint8_t *to, size_t size);
/* True when the handshake is through. */
bool xds_tls_is_open(const struct xds_tls *tls);
/* Seal bytes of HTTP/2. False: it cannot go on. */
bool xds_tls_seal(struct xds_tls *tls, const uint8_t *data, size_t len);
/* Move what is to go to the socket to out. */
void xds_tls_drain(struct xds_tls *tls, struct evbuffer *out);
/* Say that no more will come. */
void xds_tls_end(struct xds_tls *tls);
void xds_tls_why(const struct xds_tls *tls, char *text, size_t size);

/* conn.c: bytes and deadlines */
void xds_conn_open(struct xds_server *server, int fd, const struct sockaddr *from);
/* Send what there is to send, now. */
void xds_conn_wake(struct xds_conn *conn);
/* A limit was met or the peer is gone. why: for the log, NULL: nothing worth a line. */
void xds_conn_drop(struct xds_conn *conn, const char *why);
/* A stream was admitted: it is no stranger any more. */
void xds_conn_known(struct xds_conn *conn);
/* Count a frame that costs the sender nothing; false: too many. */
bool xds_conn_allows(struct xds_conn *conn);
void xds_conn_tick(struct xds_conn *conn, uint64_t now_ms);
void xds_conn_free(struct xds_conn *conn);
