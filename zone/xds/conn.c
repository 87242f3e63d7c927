#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "zone/xds/server_state.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FIRST_REQUEST_MS = 10 * 1000, /* from connect or stream to DiscoveryRequest */
	LONELY_MS = 60 * 1000,        /* a connection without a stream */
	PING_MS = 20 * 1000,
	CONTROL_FRAMES = 200, /* a second */
	OUTPUT_MAX = 16 << 20,
	OUTPUT_AHEAD = 256 << 10 /* taken from nghttp2 before the socket took it */
};

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
	bufferevent_disable(conn->bev, EV_READ | EV_WRITE);
	xds_server_reap(conn->server);
	if (why != NULL) {
		conn->server->counts.dropped_connections++;
		zl_log(ZL_WARN, "xds", "connection dropped", "reason=%q", why);
	}
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

void xds_conn_wake(struct xds_conn *conn)
{
	const uint8_t *data;
	long len = 1;

	if (conn->busy || conn->dead)
		return;
	struct evbuffer *output = bufferevent_get_output(conn->bev);
	while (len > 0 && evbuffer_get_length(output) < OUTPUT_AHEAD) {
		conn->busy = true;
		len = xds_h2_output(conn, &data);
		conn->busy = false;
		if (len > 0)
			evbuffer_add(output, data, (size_t)len);
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

/* All input first, then one flush: requests that came together are answered in order of
 * their types. */
static void on_readable(struct bufferevent *bev, void *arg)
{
	struct xds_conn *conn = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	uint64_t now = zl_wall_us();
	struct xds_stream *stream;
	bool fine = true;

	conn->busy = true;
	for (size_t len; fine && (len = evbuffer_get_contiguous_space(input)) > 0;) {
		fine = xds_h2_input(conn, evbuffer_pullup(input, (ev_ssize_t)len), len);
		evbuffer_drain(input, len);
	}
	conn->busy = false;

	for (stream = TAILQ_FIRST(&conn->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, of_conn))
		if (stream->touched)
			xds_stream_flush(stream, now);
	xds_conn_wake(conn);
	if (!fine)
		xds_conn_drop(conn, "it breaks HTTP/2 or a limit");
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

void xds_conn_open(struct xds_server *server, int fd, const struct sockaddr *from)
{
	struct xds_conn *conn = zl_alloc(1, sizeof(*conn));
	int on = 1;

	if (from->sa_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	conn->server = server;
	conn->opened_ms = conn->lonely_ms = conn->ping_ms = zl_now_ms();
	TAILQ_INIT(&conn->streams);
	conn->bev = bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (conn->bev == NULL || !xds_h2_open(conn)) {
		if (conn->bev == NULL)
			close(fd);
		else
			bufferevent_free(conn->bev);
		free(conn);
		return;
	}
	TAILQ_INSERT_TAIL(&server->conns, conn, next);
	server->counts.connections++;
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
	if (!conn->spoke && now - conn->opened_ms >= FIRST_REQUEST_MS) {
		xds_conn_drop(conn, "no DiscoveryRequest within 10 s");
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
		if (stream->proxy == NULL && !stream->ended &&
		    now - stream->opened_ms >= FIRST_REQUEST_MS)
			xds_stream_end(stream, 4, "no DiscoveryRequest within 10 s");
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
	xds_h2_close(conn);
	TAILQ_REMOVE(&conn->server->conns, conn, next);
	conn->server->counts.connections--;
	bufferevent_free(conn->bev);
	free(conn);
}
