#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pki/tls.h"
#include "zone/xds/server_state.h"

#include <event2/event.h>
#include <event2/listener.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = 16384,
	STRANGERS_MAX = 1024,
	LINES = 20 /* of refusals, a second */
};

void xds_server_reap(struct xds_server *server)
{
	event_active(server->reaper, EV_TIMEOUT, 0);
}

static void on_reap(int fd, short what, void *arg)
{
	struct xds_server *server = arg;
	struct xds_conn *conn = TAILQ_FIRST(&server->conns);

	(void)fd;
	(void)what;
	while (conn != NULL) {
		struct xds_conn *next = TAILQ_NEXT(conn, next);
		struct xds_stream *stream = TAILQ_FIRST(&conn->streams);
		while (stream != NULL && !conn->dead) {
			struct xds_stream *later = TAILQ_NEXT(stream, of_conn);
			if (stream->dead)
				xds_stream_free(stream);
			stream = later;
		}
		if (conn->dead)
			xds_conn_free(conn);
		conn = next;
	}
	xds_proxies_sweep(server);
}

bool xds_server_tells(struct xds_server *server)
{
	if (server->told < LINES) {
		server->told++;
		return true;
	}
	server->untold++;
	return false;
}

static void tell_rest(struct xds_server *server)
{
	if (server->untold > 0)
		zl_log(ZL_WARN, "xds", "more streams and connections were refused",
		       "count=%u", server->untold);
	server->told = server->untold = 0;
}

static void accept_again(struct xds_server *server, bool on)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		if (on)
			evconnlistener_enable(server->listeners[i]);
		else
			evconnlistener_disable(server->listeners[i]);
	}
	server->accepting = on;
}

static void on_tick(int fd, short what, void *arg)
{
	struct xds_server *server = arg;
	uint64_t now = zl_now_ms();
	struct xds_conn *conn;

	(void)fd;
	(void)what;
	tell_rest(server);
	if (!server->accepting)
		accept_again(server, true);
	for (conn = TAILQ_FIRST(&server->conns); conn != NULL;
	     conn = TAILQ_NEXT(conn, next))
		xds_conn_tick(conn, now);
}

static void on_accept(struct evconnlistener *listener, int fd, struct sockaddr *from,
		      int len, void *arg)
{
	(void)listener;
	(void)len;
	xds_conn_open(arg, fd, from);
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)listener;
	zl_log(ZL_ERROR, "xds", "cannot accept a connection", "reason=%q",
	       strerror(errno));
	accept_again(arg, false);
}

static enum zl_code listen_on(struct xds_server *server, struct zl_addr *addr,
			      struct zl_err *err)
{
	char text[ZL_ADDR_TEXT];
	int fd;

	zl_addr_text(addr, text);
	if (!addr->is_unix && server->tls == NULL)
		return zl_fail(err, ZL_EINVAL, "xDS at %s needs TLS", text);
	/* The mode is what protects a unix socket, from its first moment on. */
	mode_t old = umask(0177);
	enum zl_code code = zl_addr_listen(addr, &fd, err);
	(void)umask(old);
	if (code != ZL_OK)
		return code;
	struct evconnlistener *listener =
		evconnlistener_new(server->base, on_accept, server,
				   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (listener == NULL) {
		close(fd);
		return zl_fail(err, ZL_EIO, "cannot watch a listening socket");
	}
	evconnlistener_set_error_cb(listener, on_accept_error);
	server->listeners[server->listener_count++] = listener;
	return ZL_OK;
}

enum zl_code xds_server_open(struct xds_server **out, const struct xds_setup *setup,
			     struct zl_err *err)
{
	static const struct timeval SECOND = { .tv_sec = 1 };
	struct xds_server *server = zl_alloc(1, sizeof(*server));
	enum zl_code code = ZL_OK;

	*out = NULL;
	(void)signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of write() */
	server->base = setup->base;
	server->ops = *setup->ops;
	server->owner = setup->owner;
	server->tls = setup->tls != NULL ? pki_tls_hold(setup->tls) : NULL;
	server->max_connections =
		setup->max_connections != 0 ? setup->max_connections : CONNECTIONS_MAX;
	server->max_strangers =
		setup->max_strangers != 0 ? setup->max_strangers : STRANGERS_MAX;
	server->accepting = true;
	TAILQ_INIT(&server->conns);
	server->listeners = zl_alloc(setup->count + 1, sizeof(struct evconnlistener *));
	server->reaper = event_new(server->base, -1, 0, on_reap, server);
	server->tick = event_new(server->base, -1, EV_PERSIST, on_tick, server);
	if (server->reaper == NULL || server->tick == NULL ||
	    event_add(server->tick, &SECOND) != 0)
		code = zl_fail(err, ZL_EIO, "cannot make the events of the xDS server");
	for (size_t i = 0; i < setup->count && code == ZL_OK; i++)
		code = listen_on(server, &setup->addrs[i], err);
	if (code != ZL_OK)
		xds_server_close(&server);
	*out = server;
	return code;
}

void xds_server_tls(struct xds_server *server, struct pki_tls *tls)
{
	struct pki_tls *old = server->tls;

	server->tls = pki_tls_hold(tls);
	pki_tls_drop(&old);
}

void xds_server_close(struct xds_server **serverp)
{
	struct xds_server *server = *serverp;
	struct xds_conn *conn;

	*serverp = NULL;
	if (server == NULL)
		return;
	server->closing = true;
	for (size_t i = 0; i < server->listener_count; i++)
		evconnlistener_free(server->listeners[i]);
	while ((conn = TAILQ_FIRST(&server->conns)) != NULL) {
		if (!conn->dead) {
			xds_h2_goaway(conn);
			xds_conn_wake(conn);
		}
		xds_conn_free(conn);
	}
	if (server->tick != NULL)
		event_free(server->tick);
	if (server->reaper != NULL)
		event_free(server->reaper);
	xds_proxies_free(server);
	pki_tls_drop(&server->tls);
	free(server->listeners);
	free(server);
}

void xds_server_set(struct xds_server *server, const char *name,
		    struct envoy_config *config, uint64_t revision)
{
	struct xds_proxy *proxy = xds_proxy_need(server, name);
	struct envoy_config *old = proxy->config;
	uint64_t now = zl_wall_us();
	struct xds_stream *stream;

	proxy->config = envoy_config_hold(config);
	proxy->configured = true;
	proxy->revision = revision;
	envoy_config_drop(&old);
	for (stream = TAILQ_FIRST(&proxy->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, of_proxy)) {
		if (stream->dead || stream->ended || stream->conn->dead)
			continue;
		xds_session_config(stream->session, config, revision);
		xds_stream_flush(stream, now);
		xds_conn_wake(stream->conn);
	}
	for (stream = TAILQ_FIRST(&proxy->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, of_proxy))
		xds_stream_news(stream);
}

void xds_server_forget(struct xds_server *server, const char *name)
{
	struct xds_proxy *proxy = xds_proxy_find(server, name);

	if (proxy == NULL)
		return;
	proxy->configured = false;
	envoy_config_drop(&proxy->config);
	xds_server_reap(server);
}
