#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "zone/xds/server_state.h"

#include <nghttp2/nghttp2.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SERVICE "/envoy.service.discovery.v3.AggregatedDiscoveryService/"

enum {
	STREAMS_MAX = 8,
	HEAD_MAX = 16 << 10,
	WINDOW = 1 << 20, /* of a stream, towards us */
	OUT_KEPT = 64 << 10
};

#define HEADER(n, v, len)                                                         \
	{                                                                         \
		.name = (uint8_t[]){ n }, .value = (v), .namelen = sizeof(n) - 1, \
		.valuelen = (len), .flags = NGHTTP2_NV_FLAG_NONE                  \
	}

static struct xds_stream *stream_of(nghttp2_session *h2, int32_t id)
{
	return nghttp2_session_get_stream_user_data(h2, id);
}

static int on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
	struct xds_conn *conn = user;

	if (frame->hd.type != NGHTTP2_HEADERS ||
	    frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	if (!xds_conn_allows(conn))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	struct xds_stream *stream = zl_alloc(1, sizeof(*stream));
	stream->conn = conn;
	stream->id = frame->hd.stream_id;
	stream->opened_ms = zl_now_ms();
	stream->opened_us = zl_wall_us();
	TAILQ_INSERT_TAIL(&conn->streams, stream, of_conn);
	nghttp2_session_set_stream_user_data(h2, stream->id, stream);
	return 0;
}

static bool is(const uint8_t *data, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(data, text, len) == 0;
}

/* "Bearer TOKEN", the word in any case. */
static void keep_token(struct xds_stream *stream, const uint8_t *value, size_t len)
{
	static const char BEARER[] = "Bearer ";
	size_t word = strlen(BEARER);

	if (stream->token != NULL)
		stream->two_tokens = true;
	if (stream->token == NULL && len > word &&
	    strncasecmp((const char *)value, BEARER, word) == 0)
		stream->token = zl_strndup((const char *)value + word, len - word);
}

static enum xds_method method_of(const uint8_t *path, size_t len)
{
	static const struct {
		const char *path;
		enum xds_method method;
	} METHODS[] = {
		{ SERVICE "DeltaAggregatedResources", XDS_DELTA },
		{ SERVICE "StreamAggregatedResources", XDS_SOTW },
		{ "/envoy.service.load_stats.v3.LoadReportingService/"
		  "StreamLoadStats",
		  XDS_LOADS },
		{ "/opentelemetry.proto.collector.logs.v1.LogsService/Export", XDS_LOGS },
	};

	for (size_t i = 0; i < sizeof(METHODS) / sizeof(METHODS[0]); i++)
		if (is(path, len, METHODS[i].path))
			return METHODS[i].method;
	return XDS_NO_METHOD;
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t len, uint8_t flags,
		     void *user)
{
	static const char GRPC[] = "application/grpc";
	struct xds_stream *stream = stream_of(h2, frame->hd.stream_id);

	(void)flags;
	(void)user;
	if (stream == NULL)
		return 0;
	stream->head_bytes += name_len + len + 32; /* as RFC 9113 counts them */
	if (stream->head_bytes > HEAD_MAX)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	if (is(name, name_len, ":method"))
		stream->is_post = is(value, len, "POST");
	if (is(name, name_len, ":path"))
		stream->method = method_of(value, len);
	if (is(name, name_len, "zonelink-node") && stream->reporter == NULL)
		stream->reporter = zl_strndup((const char *)value, len);
	if (is(name, name_len, "authorization"))
		keep_token(stream, value, len);
	if (is(name, name_len, "content-type"))
		stream->is_grpc =
			len >= strlen(GRPC) && memcmp(value, GRPC, strlen(GRPC)) == 0;
	return 0;
}

/* Percent-encode what gRPC does not allow in grpc-message. */
static size_t encode(const char *text, uint8_t *to, size_t size)
{
	size_t len = 0;

	for (; *text != '\0' && len + 4 < size; text++) {
		if (*text >= ' ' && *text <= '~' && *text != '%')
			to[len++] = (uint8_t)*text;
		else
			len += (size_t)snprintf((char *)to + len, 4, "%%%02X",
						(unsigned char)*text);
	}
	return len;
}

static void submit_trailers(struct xds_stream *stream)
{
	uint8_t message[3 * sizeof(stream->grpc_message)];
	uint8_t status[12];
	int len = snprintf((char *)status, sizeof(status), "%d", stream->grpc_status);
	nghttp2_nv trailers[] = {
		HEADER("grpc-status", status, (size_t)len),
		HEADER("grpc-message", message,
		       encode(stream->grpc_message, message, sizeof(message))),
	};

	nghttp2_submit_trailer(stream->conn->h2, stream->id, trailers,
			       stream->grpc_message[0] != '\0' ? 2 : 1);
}

static ssize_t on_read_data(nghttp2_session *h2, int32_t id, uint8_t *to, size_t size,
			    uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct xds_stream *stream = source->ptr;
	size_t len = stream->out.len - stream->out_done;

	(void)h2;
	(void)id;
	(void)user;
	if (len > size)
		len = size;
	if (len > 0)
		memcpy(to, stream->out.data + stream->out_done, len);
	stream->out_done += len;
	if (stream->out_done < stream->out.len)
		return (ssize_t)len;

	stream->out.len = stream->out_done = 0;
	if (stream->out.capacity > OUT_KEPT)
		zl_buf_free(&stream->out);
	if (stream->ended) {
		*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
		submit_trailers(stream);
	} else if (len == 0) {
		return NGHTTP2_ERR_DEFERRED;
	}
	return (ssize_t)len;
}

/* The head of a request is whole. Every answer has the status 200 and says more in its
 * trailers, but for what is no gRPC at all. */
static int start(struct xds_stream *stream)
{
	uint8_t ok[] = "200";
	uint8_t bad[] = "415";
	uint8_t type[] = "application/grpc";
	bool answer = stream->is_post && stream->is_grpc;
	nghttp2_nv head[] = {
		HEADER(":status", answer ? ok : bad, 3),
		HEADER("content-type", type, sizeof(type) - 1),
	};
	nghttp2_data_provider provider = { .source.ptr = stream,
					   .read_callback = on_read_data };

	if (answer && stream->method != XDS_NO_METHOD && stream->method != XDS_SOTW) {
		(void)xds_stream_begin(stream);
	} else if (answer) {
		xds_stream_end(stream, GRPC_UNIMPLEMENTED,
			       stream->method == XDS_SOTW
				       ? "only DeltaAggregatedResources is served: set "
					 "api_type: DELTA_GRPC"
				       : "unknown method");
	} else {
		stream->conn->server->counts.refused_streams++;
		stream->ended = true;
	}
	return nghttp2_submit_response(stream->conn->h2, stream->id, head, 2,
				       answer ? &provider : NULL);
}

static bool is_cheap(const nghttp2_frame *frame)
{
	switch (frame->hd.type) {
	case NGHTTP2_PING:
	case NGHTTP2_SETTINGS:
	case NGHTTP2_RST_STREAM:
	case NGHTTP2_PRIORITY:
		return true;
	case NGHTTP2_DATA:
		return frame->hd.length == 0 &&
		       (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0;
	default:
		return false;
	}
}

static int on_frame_recv(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
	struct xds_conn *conn = user;
	struct xds_stream *stream = NULL;

	if (frame->hd.stream_id != 0)
		stream = stream_of(h2, frame->hd.stream_id);
	if (is_cheap(frame) && !xds_conn_allows(conn))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
		conn->ping_open = false;
	if (stream == NULL)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS &&
	    frame->headers.cat == NGHTTP2_HCAT_REQUEST && start(stream) != 0)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
	    (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA))
		xds_stream_peer_end(stream);
	return 0;
}

static int on_data_chunk(nghttp2_session *h2, uint8_t flags, int32_t id,
			 const uint8_t *data, size_t len, void *user)
{
	struct xds_stream *stream = stream_of(h2, id);

	(void)flags;
	(void)user;
	if (stream != NULL)
		xds_stream_input(stream, data, len);
	return 0;
}

static int on_invalid_frame(nghttp2_session *h2, const nghttp2_frame *frame, int code,
			    void *user)
{
	(void)h2;
	(void)frame;
	(void)code;
	return xds_conn_allows(user) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* Our last word is out; a peer that goes on writing is told to stop. */
static int on_frame_send(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
	(void)user;
	if (frame->hd.type != NGHTTP2_HEADERS ||
	    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
		return 0;
	const struct xds_stream *stream = stream_of(h2, frame->hd.stream_id);
	if (stream != NULL && !stream->peer_ended)
		nghttp2_submit_rst_stream(h2, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
					  NGHTTP2_NO_ERROR);
	return 0;
}

static int on_stream_close(nghttp2_session *h2, int32_t id, uint32_t code, void *user)
{
	struct xds_stream *stream = stream_of(h2, id);

	(void)code;
	(void)user;
	if (stream != NULL) {
		stream->dead = true;
		xds_server_reap(stream->conn->server);
	}
	return 0;
}

static nghttp2_session_callbacks *callbacks(void)
{
	nghttp2_session_callbacks *set = NULL;

	if (nghttp2_session_callbacks_new(&set) != 0)
		return NULL;
	nghttp2_session_callbacks_set_on_begin_headers_callback(set, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(set, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(set, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(set, on_data_chunk);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(set,
								     on_invalid_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(set, on_frame_send);
	nghttp2_session_callbacks_set_on_stream_close_callback(set, on_stream_close);
	return set;
}

bool xds_h2_open(struct xds_conn *conn)
{
	static const nghttp2_settings_entry SETTINGS[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEAD_MAX },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW },
	};
	nghttp2_session_callbacks *set = callbacks();
	nghttp2_option *option = NULL;
	bool fine = set != NULL && nghttp2_option_new(&option) == 0;

	if (fine) {
		nghttp2_option_set_max_outbound_ack(option, 100);
		nghttp2_option_set_max_settings(option, 16);
		nghttp2_option_set_no_closed_streams(option, 1);
		fine = nghttp2_session_server_new2(&conn->h2, set, conn, option) == 0 &&
		       nghttp2_submit_settings(conn->h2, NGHTTP2_FLAG_NONE, SETTINGS,
					       sizeof(SETTINGS) / sizeof(SETTINGS[0])) ==
			       0;
	}
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(set);
	if (!fine)
		xds_h2_close(conn);
	return fine;
}

void xds_h2_close(struct xds_conn *conn)
{
	nghttp2_session_del(conn->h2);
	conn->h2 = NULL;
}

bool xds_h2_input(struct xds_conn *conn, const uint8_t *data, size_t len)
{
	return nghttp2_session_mem_recv(conn->h2, data, len) == (ssize_t)len;
}

long xds_h2_output(struct xds_conn *conn, const uint8_t **data)
{
	return nghttp2_session_mem_send(conn->h2, data);
}

bool xds_h2_is_over(const struct xds_conn *conn)
{
	return !nghttp2_session_want_read(conn->h2) &&
	       !nghttp2_session_want_write(conn->h2);
}

void xds_h2_resume(struct xds_stream *stream)
{
	(void)nghttp2_session_resume_data(stream->conn->h2, stream->id);
}

void xds_h2_ping(struct xds_conn *conn)
{
	(void)nghttp2_submit_ping(conn->h2, NGHTTP2_FLAG_NONE, NULL);
}

void xds_h2_goaway(struct xds_conn *conn)
{
	(void)nghttp2_session_terminate_session(conn->h2, NGHTTP2_NO_ERROR);
}
