/* What a proxy tells of its traffic: load reports on a stream that stays, logs by
 * messages that each have a stream of their own. */
#include "base/clock.h"
#include "base/mem.h"
#include "zone/xds/load.h"
#include "zone/xds/logs.h"
#include "zone/xds/server_state.h"

#include <stdlib.h>
#include <string.h>

enum {
	REPORTS_MAX = 10,        /* a second, of a stream */
	ADMITTED_MS = 60 * 1000, /* so long who logs is not judged anew */
};

void xds_reporting_forget(struct xds_conn *conn)
{
	if (conn->logger_token != NULL)
		explicit_bzero(conn->logger_token, strlen(conn->logger_token));
	free(conn->logger_token);
	free(conn->logger);
	conn->logger = conn->logger_token = NULL;
}

static bool is_same_text(const char *one, const char *other)
{
	return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

/* It logged by this connection a moment ago, with the same token. */
static bool was_admitted(const struct xds_stream *stream)
{
	const struct xds_conn *conn = stream->conn;

	return conn->logger != NULL && strcmp(conn->logger, stream->reporter) == 0 &&
	       !stream->two_tokens && is_same_text(conn->logger_token, stream->token) &&
	       zl_now_ms() - conn->logger_ms < ADMITTED_MS;
}

static bool admit_logger(struct xds_stream *stream)
{
	struct xds_conn *conn = stream->conn;

	if (stream->reporter == NULL || stream->reporter[0] == '\0') {
		if (xds_stream_admit(stream, NULL, NULL))
			xds_stream_end(stream, GRPC_INVALID_ARGUMENT,
				       "the header zonelink-node must say whose logs "
				       "these are: write a new bootstrap");
		return false;
	}
	if (was_admitted(stream))
		return true;
	if (!xds_stream_admit(stream, stream->reporter, ""))
		return false;
	xds_reporting_forget(conn);
	conn->logger = zl_strdup(stream->reporter);
	conn->logger_token = stream->token;
	stream->token = NULL;
	conn->logger_ms = zl_now_ms();
	return true;
}

bool xds_reporting_begin(struct xds_stream *stream)
{
	if (stream->method == XDS_LOGS) {
		stream->listens = admit_logger(stream);
		xds_stream_forget_token(stream);
		if (stream->listens)
			xds_conn_known(stream->conn);
		return stream->listens;
	}
	free(stream->reporter); /* its first report says it */
	stream->reporter = NULL;
	stream->listens = xds_stream_admit(stream, NULL, NULL);
	return stream->listens;
}

static bool attach(struct xds_stream *stream, const struct xds_report *report)
{
	if (report->node == NULL || report->node[0] == '\0') {
		xds_stream_end(stream, GRPC_INVALID_ARGUMENT,
			       "the first report must carry a node with an id");
		return false;
	}
	bool is_admitted = xds_stream_admit(stream, report->node, report->cluster);
	xds_stream_forget_token(stream);
	if (!is_admitted)
		return false;
	stream->reporter = zl_strdup(report->node);
	xds_conn_known(stream->conn);
	xds_report_ask(&stream->out, false);
	xds_h2_resume(stream);
	return true;
}

static bool is_too_often(struct xds_stream *stream)
{
	uint64_t now = zl_now_ms();

	if (now - stream->window_ms >= 1000) {
		stream->window_ms = now;
		stream->window_reports = 0;
	}
	return ++stream->window_reports > REPORTS_MAX;
}

static void take_report(struct xds_stream *stream, const struct xds_bytes *message)
{
	struct xds_server *server = stream->conn->server;
	struct zl_arena *arena = zl_arena_new();
	struct xds_report report;
	struct zl_err err = { 0 };
	enum zl_code code =
		xds_report_read(&report, arena, message->data, message->len, &err);

	if (code != ZL_OK) {
		xds_stream_end(stream,
			       code == ZL_ELIMIT ? GRPC_RESOURCE_EXHAUSTED
						 : GRPC_INVALID_ARGUMENT,
			       err.msg);
	} else if (is_too_often(stream)) {
		xds_stream_end(stream, GRPC_RESOURCE_EXHAUSTED,
			       "too many load reports in a second");
	} else if (stream->reporter == NULL) {
		(void)attach(stream, &report);
	} else if (report.node != NULL && strcmp(report.node, stream->reporter) != 0) {
		server->counts.changed_nodes++;
		xds_stream_end(stream, GRPC_PERMISSION_DENIED,
			       "the node changed within a stream");
	} else {
		server->counts.load_reports++;
		if (server->ops.reported != NULL)
			server->ops.reported(server->owner, stream->reporter,
					     report.loads, report.count);
	}
	zl_arena_free(&arena);
}

static void tell_record(void *to, const struct xds_log_record *record)
{
	const struct xds_stream *stream = to;
	const struct xds_server *server = stream->conn->server;

	if (server->ops.logged != NULL)
		server->ops.logged(server->owner, stream->reporter, record);
}

/* The answer is an empty message. */
static void take_logs(struct xds_stream *stream, const struct xds_bytes *message)
{
	struct xds_server *server = stream->conn->server;
	uint8_t head[XDS_FRAME_HEAD];
	struct zl_err err = { 0 };

	if (stream->took) {
		xds_stream_end(stream, GRPC_INVALID_ARGUMENT, "Export takes one message");
		return;
	}
	stream->took = true;
	if (xds_logs_read(message->data, message->len, tell_record, stream,
			  &server->counts.log_records, &err) != ZL_OK) {
		xds_stream_end(stream, GRPC_INVALID_ARGUMENT, err.msg);
		return;
	}
	xds_frame_head(head, 0);
	zl_buf_add(&stream->out, head, sizeof(head));
	xds_h2_resume(stream);
}

void xds_reporting_take(struct xds_stream *stream, const struct xds_bytes *message)
{
	if (stream->method == XDS_LOADS)
		take_report(stream, message);
	else
		take_logs(stream, message);
}

void xds_reporting_peer_end(struct xds_stream *stream)
{
	if (!stream->took)
		xds_stream_end(stream, GRPC_INVALID_ARGUMENT, "Export without a message");
}

/* Call each for the streams by which name reports its load. */
static void for_each(struct xds_server *server, const char *name,
		     void (*each)(struct xds_stream *stream, bool on), bool on)
{
	struct xds_conn *conn;
	struct xds_stream *stream;

	for (conn = TAILQ_FIRST(&server->conns); conn != NULL;
	     conn = TAILQ_NEXT(conn, next)) {
		bool found = false;
		for (stream = TAILQ_FIRST(&conn->streams); stream != NULL && !conn->dead;
		     stream = TAILQ_NEXT(stream, of_conn)) {
			if (stream->dead || stream->ended || stream->reporter == NULL ||
			    strcmp(stream->reporter, name) != 0)
				continue;
			each(stream, on);
			found = true;
		}
		if (found)
			xds_conn_wake(conn);
	}
}

static void end_one(struct xds_stream *stream, bool on)
{
	(void)on;
	xds_stream_end(stream, GRPC_PERMISSION_DENIED, "this node is another proxy now");
}

void xds_reporting_expel(struct xds_server *server, const char *name)
{
	struct xds_conn *conn;

	for_each(server, name, end_one, true);
	for (conn = TAILQ_FIRST(&server->conns); conn != NULL;
	     conn = TAILQ_NEXT(conn, next))
		if (conn->logger != NULL && strcmp(conn->logger, name) == 0)
			xds_reporting_forget(conn);
}

/* Not twice: with each answer Envoy begins its interval anew. */
static void ask(struct xds_stream *stream, bool on)
{
	if (stream->method != XDS_LOADS || stream->details == on)
		return;
	stream->details = on;
	xds_report_ask(&stream->out, on);
	xds_h2_resume(stream);
}

void xds_server_detail(struct xds_server *server, const char *proxy, bool on)
{
	for_each(server, proxy, ask, on);
}
