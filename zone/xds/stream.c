#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "zone/xds/server_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* why: for the log, which knows more than the peer is told. */
static void end(struct xds_stream *stream, int status, const char *message,
		const char *why)
{
	const struct xds_conn *conn = stream->conn;

	if (stream->ended)
		return;
	stream->ended = true;
	stream->grpc_status = status;
	(void)snprintf(stream->grpc_message, sizeof(stream->grpc_message), "%s", message);
	if (status != 0)
		conn->server->counts.refused_streams++;
	if (status != 0 && xds_server_tells(conn->server))
		zl_log(ZL_WARN, "xds", "stream refused",
		       "proxy=%q from=%q status=%d reason=%q",
		       stream->proxy != NULL      ? stream->proxy->name
		       : stream->reporter != NULL ? stream->reporter
						  : stream->claimed,
		       conn->from, status, why);
	xds_frame_free(&stream->frame);
	xds_h2_resume(stream);
}

void xds_stream_end(struct xds_stream *stream, int status, const char *message)
{
	end(stream, status, message, message);
}

void xds_stream_forget_token(struct xds_stream *stream)
{
	if (stream->token != NULL)
		explicit_bzero(stream->token, strlen(stream->token));
	free(stream->token);
	stream->token = NULL;
}

bool xds_stream_admit(struct xds_stream *stream, const char *node, const char *cluster)
{
	const struct xds_server *server = stream->conn->server;
	const struct xds_stranger who = { .proxy = node,
					  .cluster = cluster,
					  .token = stream->two_tokens ? NULL
								      : stream->token,
					  .is_local = stream->conn->tls == NULL };
	enum xds_verdict verdict = XDS_ADMITTED;
	struct zl_err err = { .msg = "" };

	if (server->ops.admit != NULL)
		verdict = server->ops.admit(server->owner, &who, &err);
	if (verdict == XDS_ADMITTED)
		return true;
	if (node != NULL)
		(void)snprintf(stream->claimed, sizeof(stream->claimed), "%s", node);
	if (verdict == XDS_NOT_KNOWN)
		end(stream, GRPC_UNAUTHENTICATED, "a valid token is needed", err.msg);
	else
		end(stream, GRPC_PERMISSION_DENIED, "not with this token", err.msg);
	return false;
}

bool xds_stream_begin(struct xds_stream *stream)
{
	if (stream->method != XDS_DELTA)
		return xds_reporting_begin(stream);
	if (!xds_stream_admit(stream, NULL, NULL))
		return false;
	stream->listens = true;
	stream->session = xds_session_new(&stream->conn->server->counts);
	return true;
}

/* The first request says whose stream it is. */
static bool attach(struct xds_stream *stream, const struct xds_request *request)
{
	struct xds_server *server = stream->conn->server;

	if (request->node == NULL || request->node[0] == '\0') {
		xds_stream_end(stream, GRPC_INVALID_ARGUMENT,
			       "the first request must carry a node with an id");
		return false;
	}
	bool is_admitted = xds_stream_admit(stream, request->node, request->cluster);
	xds_stream_forget_token(stream);
	if (!is_admitted)
		return false;
	struct xds_proxy *proxy = xds_proxy_need(server, request->node);
	free(proxy->cluster);
	proxy->cluster = zl_strdup(request->cluster);
	stream->proxy = proxy;
	xds_conn_known(stream->conn);
	TAILQ_INSERT_HEAD(&proxy->streams, stream, of_proxy);
	proxy->stream_count++;
	server->counts.streams++;
	if (proxy->config != NULL)
		xds_session_config(stream->session, proxy->config, proxy->revision);
	if (proxy->stream_count == 1 && server->ops.connected != NULL)
		server->ops.connected(server->owner, proxy->name);
	return true;
}

/* A later request may name its node again, but no other. */
static bool is_same(struct xds_stream *stream, const struct xds_request *request)
{
	if (request->node == NULL || strcmp(request->node, stream->proxy->name) == 0)
		return true;
	stream->conn->server->counts.changed_nodes++;
	xds_stream_end(stream, GRPC_PERMISSION_DENIED,
		       "the node changed within a stream");
	return false;
}

static void take_request(struct xds_stream *stream, const struct xds_bytes *message)
{
	struct zl_arena *arena = zl_arena_new();
	struct xds_request request = { 0 };
	struct zl_err err = { 0 };
	enum zl_code code =
		xds_request_read(&request, arena, message->data, message->len, &err);

	if (code == ZL_OK && (stream->proxy != NULL ? is_same(stream, &request)
						    : attach(stream, &request)))
		code = xds_session_request(stream->session, &request, zl_wall_us(), &err);
	if (code != ZL_OK)
		xds_stream_end(stream,
			       code == ZL_ELIMIT ? GRPC_RESOURCE_EXHAUSTED
						 : GRPC_INVALID_ARGUMENT,
			       err.msg);
	stream->touched = true;
	zl_arena_free(&arena);
}

void xds_stream_input(struct xds_stream *stream, const uint8_t *data, size_t len)
{
	struct xds_bytes input = { data, len };
	struct xds_bytes message;
	struct zl_err err;

	while (stream->listens && !stream->ended) {
		enum zl_code code =
			xds_frame_next(&stream->frame, &input, &message, &err);
		if (code != ZL_OK) {
			xds_stream_end(stream,
				       code == ZL_ELIMIT ? GRPC_RESOURCE_EXHAUSTED
							 : GRPC_UNIMPLEMENTED,
				       err.msg);
			return;
		}
		if (message.data == NULL)
			return;
		if (stream->session != NULL)
			take_request(stream, &message);
		else
			xds_reporting_take(stream, &message);
	}
}

void xds_stream_peer_end(struct xds_stream *stream)
{
	stream->peer_ended = true;
	if (stream->method == XDS_LOGS)
		xds_reporting_peer_end(stream);
	xds_stream_end(stream, GRPC_OK, "");
}

void xds_stream_flush(struct xds_stream *stream, uint64_t now_us)
{
	if (stream->dead || stream->ended || stream->session == NULL)
		return;
	size_t before = stream->out.len;
	xds_session_flush(stream->session, &stream->out, now_us);
	if (stream->out.len > before)
		xds_h2_resume(stream);
}

static void tell_refused(struct xds_stream *stream,
			 const struct xds_resource_status *what)
{
	const struct xds_server *server = stream->conn->server;

	zl_log(ZL_WARN, "xds", "proxy refused a resource",
	       "proxy=%q type=%q name=%q version=%s reason=%q", stream->proxy->name,
	       envoy_type_url(what->type), what->name, what->sent, what->nack);
	if (server->ops.nacked != NULL)
		server->ops.nacked(server->owner, stream->proxy->name, what);
}

void xds_stream_news(struct xds_stream *stream)
{
	struct xds_resource_status what;
	struct xds_proxy *proxy = stream->proxy;
	uint64_t revision;

	if (stream->dead || stream->session == NULL || proxy == NULL)
		return;
	const struct xds_server *server = stream->conn->server;
	while (xds_session_take_refused(stream->session, &what))
		tell_refused(stream, &what);
	if (stream != xds_proxy_newest(proxy))
		return;
	if (server->ops.heard != NULL)
		server->ops.heard(server->owner, proxy->name);
	if (!xds_session_settled(stream->session, &revision))
		return;
	proxy->acked = revision;
	if (server->ops.acked != NULL)
		server->ops.acked(server->owner, proxy->name, revision);
}

void xds_server_expel(struct xds_server *server, const char *name)
{
	const struct xds_proxy *proxy = xds_proxy_find(server, name);
	struct xds_stream *stream;

	xds_reporting_expel(server, name);
	if (proxy == NULL)
		return;
	for (stream = TAILQ_FIRST(&proxy->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, of_proxy)) {
		if (stream->dead || stream->ended || stream->conn->dead)
			continue;
		xds_stream_end(stream, GRPC_PERMISSION_DENIED,
			       "this node is another proxy now");
		xds_conn_wake(stream->conn);
	}
}

void xds_stream_free(struct xds_stream *stream)
{
	struct xds_server *server = stream->conn->server;
	struct xds_proxy *proxy = stream->proxy;

	TAILQ_REMOVE(&stream->conn->streams, stream, of_conn);
	if (proxy != NULL) {
		TAILQ_REMOVE(&proxy->streams, stream, of_proxy);
		server->counts.streams--;
		if (--proxy->stream_count == 0 && server->ops.disconnected != NULL &&
		    !server->closing)
			server->ops.disconnected(server->owner, proxy->name);
	}
	xds_stream_forget_token(stream);
	xds_session_free(&stream->session);
	free(stream->reporter);
	xds_frame_free(&stream->frame);
	zl_buf_free(&stream->out);
	free(stream);
}
