#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "zone/xds/server_state.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	STRANGER_MS = 5 * 1000, /* from connect to a stream that is admitted */
	PATIENCE_MS = 1000,     /* so long no newer stranger takes the place of one */
	FIRST_REQUEST_MS = 10 * 1000, /* from stream to DiscoveryRequest */
	LONELY_MS = 60 * 1000,        /* a connection without a stream */
	PING_MS = 20 * 1000,
	CONTROL_FRAMES = 200, /* a second */
	OUTPUT_MAX = 16 << 20,
	OUTPUT_AHEAD = 256 << 10, /* taken from nghttp2 before the socket took it */
	SEALED_AT_ONCE = 16 << 10
};

/* Why a connection cannot go on. */
static const char UNFIT[] = "it breaks HTTP/2 or a limit";
static const char UNSAFE[] = "no TLS";
static const char OVER[] = "the peer ended it";

bool xds_conn_allows(struct xds_conn *conn)
{
	uint64_t now = zl_now_ms();

	if (now - conn->window_ms >= 1000) {
		conn->window_ms = now;
		conn->window_frames = 0;
	}
	return ++conn->window_frames <= CONTROL_FRAMES;
}

void xds_conn_drop(struct xds_conn *conn, const char *why)
{
	if (conn->dead)
		return;
	conn->dead = true;
	if (!conn->is_known)
		conn->server->counts.strangers--;
	bufferevent_disable(conn->bev, EV_READ | EV_WRITE);
	xds_server_reap(conn->server);
	if (why != NULL) {
		conn->server->counts.dropped_connections++;
		if (xds_server_tells(conn->server))
			zl_log(ZL_WARN, "xds", "connection dropped", "from=%q reason=%q",
			       conn->from, why);
	}
}

void xds_conn_known(struct xds_conn *conn)
{
	if (conn->is_known)
		return;
	conn->is_known = true;
	conn->server->counts.strangers--;
}

/* To the kernel at once, not at the loop's next turn. A bufferevent keeps the front of
 * its output frozen for others, and finds it empty later, which it takes well. */
static void write_now(struct xds_conn *conn)
{
	struct evbuffer *output = bufferevent_get_output(conn->bev);

	evbuffer_unfreeze(output, 1);
	(void)evbuffer_write(output, bufferevent_getfd(conn->bev));
	evbuffer_freeze(output, 1);
	if (evbuffer_get_length(output) > 0)
		bufferevent_enable(conn->bev, EV_WRITE); /* sees errors, too */
	else
		bufferevent_disable(conn->bev, EV_WRITE);
}

static size_t waiting(const struct xds_conn *conn)
{
	size_t bytes = evbuffer_get_length(bufferevent_get_output(conn->bev));
	const struct xds_stream *stream;

	for (stream = TAILQ_FIRST(&conn->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, of_conn))
		bytes += stream->out.len - stream->out_done;
	return bytes;
}

static bool add_output(struct xds_conn *conn, const uint8_t *data, size_t len)
{
	struct evbuffer *output = bufferevent_get_output(conn->bev);

	if (conn->tls == NULL)
		return evbuffer_add(output, data, len) == 0;
	bool fine = xds_tls_seal(conn->tls, data, len);
	xds_tls_drain(conn->tls, output);
	return fine;
}

void xds_conn_wake(struct xds_conn *conn)
{
	const uint8_t *data;
	long len = 1;

	if (conn->busy || conn->dead)
		return;
	if (conn->tls != NULL && !xds_tls_is_open(conn->tls))
		return;
	struct evbuffer *output = bufferevent_get_output(conn->bev);
	while (len > 0 && evbuffer_get_length(output) < OUTPUT_AHEAD) {
		conn->busy = true;
		len = xds_h2_output(conn, &data);
		conn->busy = false;
		if (len > 0 && !add_output(conn, data, (size_t)len))
			len = -1;
		if (len == 0 || evbuffer_get_length(output) >= OUTPUT_AHEAD)
			write_now(conn);
	}
	if (len < 0 || (xds_h2_is_over(conn) && evbuffer_get_length(output) == 0))
		xds_conn_drop(conn, NULL);
	else if (waiting(conn) > OUTPUT_MAX)
		xds_conn_drop(conn, "it does not read what it is sent");
}

static void on_writable(struct bufferevent *bev, void *arg)
{
	(void)bev;
	xds_conn_wake(arg);
}

/* What is wrong with it, for the log; NULL: nothing. */
static const char *take_sealed(struct xds_conn *conn, const uint8_t *data, size_t len)
{
	uint8_t plain[SEALED_AT_ONCE];
	const char *fault = NULL;
	long got = 1;

	if (!xds_tls_put(conn->tls, data, len))
		return "out of memory";
	while (fault == NULL && (got = xds_tls_take(conn->tls, plain, sizeof(plain))) > 0)
		if (!xds_h2_input(conn, plain, (size_t)got))
			fault = UNFIT;
	if (got < 0)
		fault = xds_tls_is_open(conn->tls) ? OVER : UNSAFE;
	explicit_bzero(plain, sizeof(plain));
	return fault;
}

static const char *take_input(struct xds_conn *conn, struct evbuffer *input)
{
	const char *fault = NULL;
	size_t len;

	while (fault == NULL && (len = evbuffer_get_contiguous_space(input)) > 0) {
		const uint8_t *data = evbuffer_pullup(input, (ev_ssize_t)len);
		if (conn->tls != NULL)
			fault = take_sealed(conn, data, len);
		else if (!xds_h2_input(conn, data, len))
			fault = UNFIT;
		evbuffer_drain(input, len);
	}
	return fault;
}

/* Words of the handshake, of an alert or of a new key. */
static void send_tls(struct xds_conn *conn)
{
	struct evbuffer *output = bufferevent_get_output(conn->bev);

	if (conn->tls == NULL || conn->dead)
		return;
	xds_tls_drain(conn->tls, output);
	if (evbuffer_get_length(output) > 0)
		write_now(conn);
}

static void drop_for(struct xds_conn *conn, const char *fault)
{
	char why[160];

	if (fault == UNSAFE && !conn->dead) {
		char reason[128];
		xds_tls_why(conn->tls, reason, sizeof(reason));
		(void)snprintf(why, sizeof(why), "%s: %s", UNSAFE, reason);
		conn->server->counts.failed_handshakes++;
		fault = why;
	}
	send_tls(conn);
	xds_conn_drop(conn, fault != OVER ? fault : NULL);
}

/* All input first, then one flush: requests that came together are answered in order of
 * their types. */
static void on_readable(struct bufferevent *bev, void *arg)
{
	struct xds_conn *conn = arg;
	uint64_t now = zl_wall_us();
	struct xds_stream *stream;

	conn->busy = true;
	const char *fault = take_input(conn, bufferevent_get_input(bev));
	conn->busy = false;
	if (fault == UNSAFE) { /* OpenSSL's reason must not be overwritten */
		drop_for(conn, fault);
		return;
	}
	send_tls(conn);

	for (stream = TAILQ_FIRST(&conn->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, of_conn))
		if (stream->touched)
			xds_stream_flush(stream, now);
	xds_conn_wake(conn);
	if (fault != NULL)
		drop_for(conn, fault);
	for (stream = TAILQ_FIRST(&conn->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, of_conn)) {
		if (stream->touched)
			xds_stream_news(stream);
		stream->touched = false;
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		xds_conn_drop(arg, NULL);
}

static char *text_of(const struct sockaddr *from)
{
	struct zl_addr addr = { .is_unix = from->sa_family == AF_UNIX };
	char text[ZL_ADDR_TEXT];

	if (from->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)from;
		(void)inet_ntop(AF_INET, &v4->sin_addr, addr.host, sizeof(addr.host));
		addr.port = ntohs(v4->sin_port);
	} else if (from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)from;
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, addr.host, sizeof(addr.host));
		addr.port = ntohs(v6->sin6_port);
	}
	zl_addr_text(&addr, text);
	return zl_strdup(text);
}

/* Room for one more, if need be in place of the stranger that is here longest: who is
 * honest is known within milliseconds. */
static bool make_room(struct xds_server *server)
{
	const struct xds_counts *counts = &server->counts;
	struct xds_conn *oldest = TAILQ_FIRST(&server->conns);

	if (counts->connections >= server->max_connections)
		return false;
	if (counts->strangers < server->max_strangers)
		return true;
	while (oldest != NULL && (oldest->is_known || oldest->dead))
		oldest = TAILQ_NEXT(oldest, next);
	if (oldest == NULL || zl_now_ms() - oldest->opened_ms < PATIENCE_MS)
		return false;
	xds_conn_drop(oldest, "too many connections with nobody admitted");
	return true;
}

static void conn_fini(struct xds_conn *conn)
{
	xds_h2_close(conn);
	xds_tls_free(&conn->tls);
	bufferevent_free(conn->bev);
	xds_reporting_forget(conn);
	free(conn->from);
	free(conn);
}

void xds_conn_open(struct xds_server *server, int fd, const struct sockaddr *from)
{
	bool is_plain = from->sa_family == AF_UNIX;
	int on = 1;

	struct bufferevent *bev =
		make_room(server)
			? bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE)
			: NULL;
	if (bev == NULL) {
		server->counts.dropped_connections++;
		if (xds_server_tells(server)) {
			char *text = text_of(from);
			zl_log(ZL_WARN, "xds", "connection refused", "from=%q reason=%q",
			       text, "too many connections");
			free(text);
		}
		close(fd);
		return;
	}
	if (!is_plain)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	struct xds_conn *conn = zl_alloc(1, sizeof(*conn));
	conn->server = server;
	conn->bev = bev;
	conn->from = text_of(from);
	conn->opened_ms = conn->lonely_ms = conn->ping_ms = zl_now_ms();
	TAILQ_INIT(&conn->streams);
	if (!is_plain)
		conn->tls = xds_tls_new(server->tls);
	if ((!is_plain && conn->tls == NULL) || !xds_h2_open(conn)) {
		conn_fini(conn);
		return;
	}
	TAILQ_INSERT_TAIL(&server->conns, conn, next);
	server->counts.connections++;
	server->counts.strangers++;
	bufferevent_setcb(conn->bev, on_readable, on_writable, on_event, conn);
	bufferevent_disable(conn->bev, EV_WRITE);
	bufferevent_enable(conn->bev, EV_READ);
	xds_conn_wake(conn);
}

void xds_conn_tick(struct xds_conn *conn, uint64_t now)
{
	struct xds_stream *stream;

	if (conn->dead)
		return;
	if (!TAILQ_EMPTY(&conn->streams))
		conn->lonely_ms = now;
	if (!conn->is_known && now - conn->opened_ms >= STRANGER_MS) {
		xds_conn_drop(conn, conn->tls != NULL && !xds_tls_is_open(conn->tls)
					    ? "no TLS handshake within 5 s"
					    : "nobody was admitted within 5 s");
		return;
	}
	if (now - conn->lonely_ms >= LONELY_MS) {
		xds_h2_goaway(conn);
		xds_conn_wake(conn);
		xds_conn_drop(conn, NULL);
		return;
	}
	for (stream = TAILQ_FIRST(&conn->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, of_conn))
		if (!xds_stream_is_known(stream) && !stream->ended &&
		    now - stream->opened_ms >= FIRST_REQUEST_MS)
			xds_stream_end(stream, GRPC_DEADLINE_EXCEEDED,
				       stream->method == XDS_DELTA
					       ? "no DiscoveryRequest within 10 s"
					       : "no request within 10 s");
	if (now - conn->ping_ms >= PING_MS) {
		if (conn->ping_open) {
			xds_conn_drop(conn, "no answer to a PING within 20 s");
			return;
		}
		conn->ping_ms = now;
		conn->ping_open = true;
		xds_h2_ping(conn);
	}
	xds_conn_wake(conn);
}

void xds_conn_free(struct xds_conn *conn)
{
	struct xds_stream *stream;

	while ((stream = TAILQ_FIRST(&conn->streams)) != NULL)
		xds_stream_free(stream);
	TAILQ_REMOVE(&conn->server->conns, conn, next);
	conn->server->counts.connections--;
	if (!conn->is_known && !conn->dead)
		conn->server->counts.strangers--;
	if (conn->tls != NULL) {
		struct evbuffer *output = bufferevent_get_output(conn->bev);
		xds_tls_end(conn->tls);
		xds_tls_drain(conn->tls, output);
		if (evbuffer_get_length(output) > 0)
			write_now(conn);
	}
	conn_fini(conn);
}
