/* From an accepted descriptor to a stream of requests: plain, or by TLS. */
#include "base/clock.h"
#include "base/log.h"
#include "http/inside.h"
#include "loop/loop.h"
#include "pki/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/socket.h>

enum { TLS_HANDSHAKE = 0x16 }; /* the type of a TLS connection's first record */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool is_loopback(const union address *address)
{
	const struct in6_addr *v6 = &address->v6.sin6_addr;

	if (address->any.sa_family == AF_INET)
		return ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (address->any.sa_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(v6))
		return v6->s6_addr[12] == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(v6);
}

/* Both ends have to be loopback addresses: what somebody sends from outside to 127.0.0.1
 * keeps its sender's address. */
static bool is_near(int fd)
{
	union address local = { 0 }, peer = { 0 };
	socklen_t local_len = sizeof(local), peer_len = sizeof(peer);

	return getsockname(fd, &local.any, &local_len) == 0 &&
	       getpeername(fd, &peer.any, &peer_len) == 0 && is_loopback(&local) &&
	       is_loopback(&peer);
}

void http_conn_from(const struct http_conn *conn, char text[HTTP_FROM])
{
	union address peer = { 0 };
	socklen_t len = sizeof(peer);
	const char *done = NULL;

	if (conn->is_tcp &&
	    getpeername(bufferevent_getfd(conn->bev), &peer.any, &len) == 0)
		done = peer.any.sa_family == AF_INET
			       ? inet_ntop(AF_INET, &peer.v4.sin_addr, text, HTTP_FROM)
			       : inet_ntop(AF_INET6, &peer.v6.sin6_addr, text, HTTP_FROM);
	if (done == NULL)
		text[0] = '\0';
}

static struct bufferevent *plain(struct http_conn *conn)
{
	return bufferevent_socket_new(loop_base(conn->server->loop), conn->fd,
				      BEV_OPT_CLOSE_ON_FREE);
}

/* NULL: certificates were taken away meanwhile, or there is no memory. */
static struct bufferevent *secure(struct http_conn *conn)
{
	struct pki_tls *tls = conn->server->tls;
	struct ssl_st *session = tls != NULL ? pki_tls_session(tls) : NULL;

	conn->is_tls = true;
	if (session == NULL)
		return NULL;
	return bufferevent_openssl_socket_new(loop_base(conn->server->loop), conn->fd,
					      session, BUFFEREVENT_SSL_ACCEPTING,
					      BEV_OPT_CLOSE_ON_FREE);
}

static void start(struct http_conn *conn, struct bufferevent *bev)
{
	if (bev == NULL) {
		http_conn_close(&conn);
		return;
	}
	conn->fd = -1;
	conn->state = conn->is_tls ? HTTP_SHAKE : HTTP_IDLE;
	http_conn_start(conn, bev);
}

/* The first byte says what comes: no request begins with that of a handshake. */
static void on_first(void *arg, unsigned events)
{
	struct http_conn *conn = arg;
	unsigned char first = 0;

	(void)events;
	ssize_t len = recv(conn->fd, &first, 1, MSG_PEEK);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	loop_watch_free(&conn->watch);
	if (len <= 0)
		http_conn_close(&conn);
	else
		start(conn, first == TLS_HANDSHAKE ? secure(conn) : plain(conn));
}

void http_secured(struct http_conn *conn)
{
	struct pki_facts facts;

	conn->state = HTTP_IDLE; /* the handshake's deadline runs on */
	if (pki_tls_peer(bufferevent_openssl_get_ssl(conn->bev), &facts))
		conn->peer = zl_memdup(&facts, sizeof(facts));
}

void http_not_secured(const struct http_conn *conn, const char *why)
{
	char text[256] = "", from[HTTP_FROM];
	unsigned long code = bufferevent_get_openssl_error(conn->bev);

	if (code != 0) /* the bufferevent took it away from where it is looked for */
		ERR_raise(ERR_GET_LIB(code), ERR_GET_REASON(code));
	pki_tls_why(bufferevent_openssl_get_ssl(conn->bev), text, sizeof(text));
	http_conn_from(conn, from);
	zl_log(ZL_INFO, "http", "TLS handshake failed", "from=%q err=%q", from,
	       why != NULL ? why : text);
	http_deny(conn->server, HTTP_BAD_HANDSHAKE);
}

void http_end_sending(struct http_conn *conn)
{
	if (conn->is_tls)
		pki_tls_end(bufferevent_openssl_get_ssl(conn->bev));
	(void)shutdown(bufferevent_getfd(conn->bev), SHUT_WR);
}

void http_set_tls(struct http_server *server, struct pki_tls *tls)
{
	struct pki_tls *old = server->tls;

	server->tls = tls != NULL ? pki_tls_hold(tls) : NULL;
	pki_tls_drop(&old);
}

void http_conn_new(struct http_server *server, int fd, bool is_tcp)
{
	struct http_conn *conn = zl_alloc(1, sizeof(*conn));
	struct zl_err err = { 0 };

	conn->server = server;
	conn->fd = fd;
	conn->is_tcp = is_tcp;
	conn->is_near = !is_tcp || is_near(fd);
	conn->began_us = zl_now_us();
	http_conn_link(conn);
	/* The first request is due sooner than one after a kept connection's pause. */
	http_conn_enter(conn, HTTP_FRESH, server->options.head_ms);
	if (!is_tcp || server->tls == NULL) {
		start(conn, plain(conn));
	} else if (loop_watch_new(&conn->watch, server->loop, fd, LOOP_READ, on_first,
				  conn, &err) != ZL_OK) {
		zl_log(ZL_WARN, "http", "cannot watch a connection", "err=%q", err.msg);
		http_conn_close(&conn);
	}
}
