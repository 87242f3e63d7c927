#include "peer.h"

#include "base/bytes.h"
#include "zone/xds/grpc_frame.h"
#include "zone/xds/wire.h"

#include <event2/event.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void connected(void *owner, const char *proxy)
{
	assert_string_equal(proxy, "default.web");
	((struct stage *)owner)->connected++;
}

static void disconnected(void *owner, const char *proxy)
{
	assert_string_equal(proxy, "default.web");
	((struct stage *)owner)->disconnected++;
}

static void acked(void *owner, const char *proxy, uint64_t revision)
{
	(void)proxy;
	((struct stage *)owner)->acked = revision;
}

static enum xds_verdict admit(void *owner, const struct xds_stranger *who,
			      struct zl_err *err)
{
	struct stage *stage = owner;

	assert_false(who->is_local);
	stage->judged++;
	(void)snprintf(stage->token, sizeof(stage->token), "%s",
		       who->token != NULL ? who->token : "-");
	(void)zl_fail(err, ZL_EACCES, "the test says so");
	return who->proxy != NULL ? stage->verdict : XDS_ADMITTED;
}

static void hear(struct stage *stage, const char *fmt, ...)
{
	size_t len = strlen(stage->heard);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(stage->heard + len, sizeof(stage->heard) - len, fmt, args);
	va_end(args);
}

static void reported(void *owner, const char *proxy, const struct xds_load *loads,
		     size_t count)
{
	for (size_t i = 0; i < count; i++)
		hear(owner, "%s %s +%d =%d in %d ms\n", proxy, loads[i].cluster,
		     (int)loads[i].issued, (int)loads[i].in_progress,
		     (int)loads[i].interval_ms);
}

static void logged(void *owner, const char *proxy, const struct xds_log_record *record)
{
	hear(owner, "%s: %s\n", proxy, record->text != NULL ? record->text : "(list)");
}

struct pki_tls *stage_tls(const struct stage *stage)
{
	const struct pki_grant grant = { .identity = "spiffe://zonelink/zone/east",
					 .lifetime_s = 3600,
					 .server = true };
	struct pki_certificate made;
	struct pki_tls *tls;
	char *key;
	char *request;

	assert_int_equal(pki_key_new(&key, NULL), ZL_OK);
	assert_int_equal(pki_request_new(key, grant.identity, &request, NULL), ZL_OK);
	assert_int_equal(pki_sign(stage->authority, request, &grant, &made, NULL), ZL_OK);
	const struct pki_tls_setup setup = {
		.server = true, .chain = made.chain, .key = key, .alpn = "h2"
	};
	assert_int_equal(pki_tls_new(&tls, &setup, NULL), ZL_OK);
	pki_certificate_fini(&made);
	free(request);
	free(key);
	return tls;
}

void stage_open_small(struct stage *stage, size_t connections, size_t strangers)
{
	static const struct xds_ops OPS = { .admit = admit,
					    .connected = connected,
					    .disconnected = disconnected,
					    .acked = acked,
					    .reported = reported,
					    .logged = logged };
	struct zl_err err;

	*stage = (struct stage){ .base = event_base_new() };
	tmp_make(&stage->tmp);
	assert_int_equal(
		pki_authority_open(&stage->authority, stage->tmp.dir, "test", NULL, &err),
		ZL_OK);
	assert_int_equal(zl_addr_parse("127.0.0.1:0", &stage->addr, &err), ZL_OK);
	struct pki_tls *tls = stage_tls(stage);
	const struct xds_setup setup = { .base = stage->base,
					 .addrs = &stage->addr,
					 .count = 1,
					 .tls = tls,
					 .ops = &OPS,
					 .owner = stage,
					 .max_connections = connections,
					 .max_strangers = strangers };
	assert_int_equal(xds_server_open(&stage->server, &setup, &err), ZL_OK);
	pki_tls_drop(&tls);
	assert_int_not_equal(stage->addr.port, 0);
}

void stage_open(struct stage *stage)
{
	stage_open_small(stage, 0, 0);
}

void stage_close(struct stage *stage)
{
	xds_server_close(&stage->server);
	pki_authority_close(&stage->authority);
	tmp_remove(&stage->tmp);
	event_base_free(stage->base);
}

struct xds_counts counts(const struct stage *stage)
{
	struct xds_counts now;

	xds_server_counts(stage->server, &now);
	return now;
}

/* Bytes that came; 0: the end, below 0: none for now. */
static long take(struct peer *peer, uint8_t *to, size_t size)
{
	ssize_t len;

	if (peer->tls != NULL) {
		int got = SSL_read(peer->tls, to, (int)size);
		if (got > 0)
			return got;
		return SSL_get_error(peer->tls, got) == SSL_ERROR_WANT_READ ? -1 : 0;
	}
	len = recv(peer->fd, to, size, MSG_DONTWAIT);
	return len < 0 && errno != EAGAIN ? 0 : len;
}

static void take_headers(struct peer *peer, const uint8_t *block, size_t size)
{
	int flags = 0;
	nghttp2_nv pair;

	while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
		ssize_t used = nghttp2_hd_inflate_hd2(peer->headers, &pair, &flags, block,
						      size, 1);
		if (used < 0)
			fail_msg("headers that are none");
		block += used;
		size -= (size_t)used;
		if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0 &&
		    strcmp((const char *)pair.name, "grpc-status") == 0)
			peer->status = (int)strtol((const char *)pair.value, NULL, 10);
	}
	nghttp2_hd_inflate_end_headers(peer->headers);
}

void peer_take(struct peer *peer)
{
	uint8_t bytes[65536];
	long len;

	while ((len = take(peer, bytes, sizeof(bytes))) > 0)
		zl_buf_add(&peer->in, bytes, (size_t)len);
	peer->over = peer->over || len == 0;
	while (peer->in.len >= 9) {
		const uint8_t *head = (const uint8_t *)peer->in.data;
		size_t size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
		if (peer->in.len < 9 + size)
			break;
		peer->frames[head[3]]++;
		if (head[3] == DATA)
			peer->data += size;
		if (head[3] == HEADERS)
			take_headers(peer, head + 9, size);
		zl_buf_drain(&peer->in, 9 + size);
	}
}

void turn(struct peer *peer)
{
	event_base_loop(peer->stage->base, EVLOOP_NONBLOCK);
	peer_take(peer);
}

void peer_write(struct peer *peer, const void *bytes, size_t len)
{
	const char *at = bytes;
	uint64_t end = zl_now_ms() + PATIENCE_MS;

	while (len > 0 && !peer->over && zl_now_ms() < end) {
		ssize_t done;
		if (peer->tls != NULL)
			done = SSL_write(peer->tls, at, (int)len);
		else
			done = send(peer->fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done > 0) {
			at += done;
			len -= (size_t)done;
			continue;
		}
		if (peer->tls != NULL
			    ? SSL_get_error(peer->tls, (int)done) != SSL_ERROR_WANT_WRITE
			    : errno != EAGAIN)
			peer->over = true;
		event_base_loop(peer->stage->base, EVLOOP_NONBLOCK);
	}
}

static void add_frame(struct zl_buf *buf, int type, int flags, uint32_t stream,
		      const void *payload, size_t len)
{
	uint8_t head[9] = { (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
			    (uint8_t)type, (uint8_t)flags };

	zl_put_be32(head + 5, stream);
	zl_buf_add(buf, head, sizeof(head));
	zl_buf_add(buf, payload, len);
}

void peer_frame(struct peer *peer, int type, int flags, uint32_t stream,
		const void *payload, size_t len)
{
	struct zl_buf buf = { 0 };

	add_frame(&buf, type, flags, stream, payload, len);
	peer_write(peer, buf.data, buf.len);
	zl_buf_free(&buf);
}

void peer_open(struct peer *peer, struct stage *stage)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(stage->addr.port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	*peer = (struct peer){ .stage = stage, .status = -1 };
	assert_int_equal(nghttp2_hd_inflate_new(&peer->headers), 0);
	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(peer->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(fcntl(peer->fd, F_SETFL, O_NONBLOCK), 0);
}

void peer_secure(struct peer *peer)
{
	const struct pki_tls_setup setup = {
		.roots = pki_authority_root(peer->stage->authority),
		.peer_identity = "spiffe://zonelink/zone/east",
		.peer = PKI_PEER_REQUIRED,
		.alpn = "h2"
	};
	uint64_t end = zl_now_ms() + PATIENCE_MS;
	struct pki_tls *tls;
	int done;

	assert_int_equal(pki_tls_new(&tls, &setup, NULL), ZL_OK);
	peer->tls = pki_tls_session(tls);
	pki_tls_drop(&tls);
	SSL_set_fd(peer->tls, peer->fd);
	SSL_set_mode(peer->tls,
		     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_set_connect_state(peer->tls);
	while ((done = SSL_do_handshake(peer->tls)) != 1) {
		if (SSL_get_error(peer->tls, done) != SSL_ERROR_WANT_READ ||
		    zl_now_ms() > end)
			fail_msg("no TLS handshake");
		event_base_loop(peer->stage->base, EVLOOP_NONBLOCK);
	}
}

void peer_begin(struct peer *peer, struct stage *stage)
{
	/* INITIAL_WINDOW_SIZE as large as it may be */
	static const uint8_t WINDOW[] = { 0, 4, 0x7f, 0xff, 0xff, 0xff };
	/* and the same for the connection */
	static const uint8_t MORE[] = { 0x7f, 0xff, 0, 0 };

	peer_open(peer, stage);
	peer_secure(peer);
	peer_write(peer, PREFACE, strlen(PREFACE));
	peer_frame(peer, SETTINGS, 0, 0, WINDOW, sizeof(WINDOW));
	peer_frame(peer, 8, 0, 0, MORE, sizeof(MORE));
	until(peer, peer->frames[SETTINGS] >= 2);
	peer_frame(peer, SETTINGS, ACK, 0, NULL, 0);
}

void peer_close(struct peer *peer)
{
	nghttp2_hd_inflate_del(peer->headers);
	SSL_free(peer->tls);
	close(peer->fd);
	zl_buf_free(&peer->in);
}

void add_header(struct zl_buf *buf, const char *name, const char *value)
{
	zl_buf_char(buf, 0); /* literal, not indexed, not Huffman */
	zl_buf_char(buf, (char)strlen(name));
	zl_buf_str(buf, name);
	zl_buf_char(buf, (char)strlen(value));
	zl_buf_str(buf, value);
}

void add_head(struct zl_buf *buf, const char *path)
{
	add_header(buf, ":method", "POST");
	add_header(buf, ":scheme", "http");
	add_header(buf, ":path", path);
	add_header(buf, ":authority", "x");
	add_header(buf, "content-type", "application/grpc");
	add_header(buf, "te", "trailers");
}

void peer_stream(struct peer *peer, uint32_t id)
{
	struct zl_buf head = { 0 };

	add_head(&head, DELTA);
	peer_frame(peer, HEADERS, END_HEADERS, id, head.data, head.len);
	zl_buf_free(&head);
}

void peer_ask(struct peer *peer, uint32_t id, const char *url, const char *nonce)
{
	struct zl_buf message = { 0 };
	struct zl_buf node = { 0 };
	struct zl_buf framed = { 0 };
	uint8_t head[XDS_FRAME_HEAD];

	xds_wire_put(&node, 1, "default.web", strlen("default.web"));
	xds_wire_put(&message, 1, node.data, node.len);
	xds_wire_put(&message, 2, url, strlen(url));
	xds_wire_put(&message, 6, nonce, strlen(nonce));
	xds_frame_head(head, message.len);
	zl_buf_add(&framed, head, sizeof(head));
	zl_buf_add(&framed, message.data, message.len);
	peer_frame(peer, DATA, 0, id, framed.data, framed.len);
	zl_buf_free(&framed);
	zl_buf_free(&node);
	zl_buf_free(&message);
}
