/* The server: where it listens, whom it lets in. */
#include "base/hash.h"
#include "base/log.h"
#include "http/inside.h"
#include "loop/loop.h"
#include "pki/tls.h"

#include <errno.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAUSE_MS = 100 };

static void accept_again(void *arg)
{
	struct http_server *server = arg;

	for (struct http_listener *one = server->listeners; one != NULL; one = one->next)
		evconnlistener_enable(one->lev);
}

/* accept() failed, as a rule because the process has no descriptor left: wait a little
 * rather than spin. */
static void on_accept_error(struct evconnlistener *lev, void *arg)
{
	struct http_listener *listener = arg;

	zl_log(ZL_WARN, "http", "cannot accept connections", "err=%q", strerror(errno));
	evconnlistener_disable(lev);
	if (!loop_timer_is_set(listener->server->pause))
		loop_timer_set(listener->server->pause, PAUSE_MS);
}

/* Make room for one more by closing the connection that has been there longest without a
 * request. False: all are at work. */
static bool evict(struct http_server *server)
{
	struct http_conn *oldest = NULL;

	for (struct http_conn *conn = server->conns; conn != NULL; conn = conn->next)
		if (conn->state <= HTTP_IDLE)
			oldest = conn;
	if (oldest == NULL)
		return false;
	http_conn_close(&oldest);
	return true;
}

static void on_accept(struct evconnlistener *lev, evutil_socket_t fd,
		      struct sockaddr *peer, int len, void *arg)
{
	static const char FULL[] =
		"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
		"Connection: close\r\nContent-Length: 0\r\n\r\n";
	struct http_listener *listener = arg;
	struct http_server *server = listener->server;
	const int on = 1;

	(void)lev, (void)peer, (void)len;
	if (server->conn_count >= server->options.max_connections && !evict(server)) {
		ssize_t sent = send(fd, FULL, sizeof(FULL) - 1, MSG_DONTWAIT);
		(void)sent;
		close(fd);
		return;
	}
	if (!listener->addr.is_unix)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	http_conn_new(server, fd, !listener->addr.is_unix);
}

enum zl_code http_open(struct http_server **out, struct loop *loop,
		       const struct http_options *options, struct zl_err *err)
{
	struct http_server *server = zl_alloc(1, sizeof(*server));
	struct http_options *own = &server->options;
	uint8_t random[4];

	(void)err; /* nothing can fail yet */
	server->loop = loop;
	*own = *options;
	own->max_connections = own->max_connections > 0 ? own->max_connections : 1024;
	own->head_ms = own->head_ms > 0 ? own->head_ms : 10000;
	own->body_ms = own->body_ms > 0 ? own->body_ms : 30000;
	own->answer_ms = own->answer_ms > 0 ? own->answer_ms : 60000;
	own->idle_ms = own->idle_ms > 0 ? own->idle_ms : 120000;
	own->socket_mode = own->socket_mode != 0 ? own->socket_mode : 0600;
	server->pause = loop_timer_new(loop, accept_again, server);
	zl_random(random, sizeof(random));
	zl_hex(random, sizeof(random), server->id_prefix);
	*out = server;
	return ZL_OK;
}

/* A unix socket is made with the mode it is to have: between bind and chmod somebody
 * could connect. */
static enum zl_code listen_with_mode(struct zl_addr *addr, mode_t mode, int *fd,
				     struct zl_err *err)
{
	mode_t old = umask(0777 & ~mode);
	enum zl_code code = zl_addr_listen(addr, fd, err);

	(void)umask(old);
	return code;
}

enum zl_code http_listen(struct http_server *server, struct zl_addr *addr,
			 struct zl_err *err)
{
	char text[ZL_ADDR_TEXT];
	enum zl_code code;
	int fd;

	zl_addr_text(addr, text);
	if (!zl_addr_is_local(addr) &&
	    (server->tls == NULL || server->options.authorize == NULL))
		return zl_fail(
			err, ZL_EACCES,
			"listen on %s: there is no TLS or no authorization here, so "
			"only unix sockets and loopback addresses are served; use "
			"127.0.0.1, [::1] or unix:PATH",
			text);
	code = listen_with_mode(addr, server->options.socket_mode, &fd, err);
	if (code != ZL_OK)
		return code;
	struct http_listener *listener = zl_alloc(1, sizeof(*listener));
	listener->server = server;
	listener->addr = *addr;
	listener->lev =
		evconnlistener_new(loop_base(server->loop), on_accept, listener,
				   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (listener->lev == NULL) {
		close(fd);
		free(listener);
		return zl_fail(err, ZL_EIO, "listen on %s: cannot watch it", text);
	}
	evconnlistener_set_error_cb(listener->lev, on_accept_error);
	listener->next = server->listeners;
	server->listeners = listener;
	return ZL_OK;
}

static void stop_listening(struct http_server *server)
{
	struct http_listener *listener;

	loop_timer_clear(server->pause);
	while ((listener = server->listeners) != NULL) {
		server->listeners = listener->next;
		if (listener->addr.is_unix)
			(void)unlink(listener->addr.host);
		evconnlistener_free(listener->lev);
		free(listener);
	}
}

void http_drain(struct http_server *server)
{
	struct http_conn *next;

	server->draining = true;
	stop_listening(server);
	for (struct http_conn *conn = server->conns; conn != NULL; conn = next) {
		next = conn->next;
		conn->close_after = true;
		if (conn->state <= HTTP_IDLE)
			http_conn_close(&conn);
	}
}

size_t http_pending(const struct http_server *server)
{
	return server->request_count;
}

size_t http_connections(const struct http_server *server)
{
	return server->conn_count;
}

void http_close(struct http_server **serverp)
{
	struct http_server *server = *serverp;

	*serverp = NULL;
	if (server == NULL)
		return;
	stop_listening(server);
	while (server->conns != NULL) {
		struct http_conn *conn = server->conns;
		http_conn_close(&conn);
	}
	for (struct http_request *req = server->requests; req != NULL; req = req->next)
		req->server = NULL;
	loop_timer_free(&server->pause);
	pki_tls_drop(&server->tls);
	free(server);
}
