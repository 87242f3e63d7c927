/* One connection: its states, their deadlines, what it reads. */
#include "base/clock.h"
#include "http/inside.h"
#include "loop/loop.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_AHEAD = 64 << 10,
	STEPS = 64, /* heads and bodies of one connection, in one turn of the loop */
	LINGER_MS = 1000,
	LINGER_BYTES = 4 << 20,
	ALL_BODIES = 256 << 20, /* of one server, at the same time */
};

void http_conn_enter(struct http_conn *conn, enum http_state state, uint64_t ms)
{
	conn->state = state;
	loop_timer_set(conn->timer, ms);
}

void http_conn_allow(struct http_conn *conn, uint64_t ms)
{
	loop_timer_set(conn->timer, ms);
}

/* Take the request from its connection, for good: who has it finds out. */
static void orphan(struct http_request *req)
{
	req->conn = NULL;
	if (req->gone != NULL)
		req->gone(req->gone_arg); /* may answer, which frees req */
}

void http_conn_close(struct http_conn **connp)
{
	struct http_conn *conn = *connp;
	struct http_server *server = conn->server;
	struct http_request *req = conn->req;

	*connp = NULL;
	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		server->conns = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	server->conn_count--;

	bool was_busy = conn->state == HTTP_BUSY;
	loop_timer_free(&conn->timer);
	loop_watch_free(&conn->watch);
	if (conn->bev != NULL)
		bufferevent_free(conn->bev);
	else
		close(conn->fd);
	http_source_free(&conn->source);
	free(conn->peer);
	free(conn);
	if (req != NULL && was_busy)
		orphan(req);
	else
		http_request_free(&req);
}

/* Answer for the room itself. A request that was not handed over ends here; one that was
 * loses its client. */
static void refuse(struct http_conn *conn, unsigned status, const char *why,
		   const char *added)
{
	struct http_request *req = conn->req;
	struct zl_buf body = { 0 };
	struct http_reply reply = { .status = status,
				    .content_type = "application/problem+json",
				    .added = added,
				    .id = conn->server->id_prefix,
				    .method = "-" };

	if (req != NULL) {
		reply.id = req->id;
		reply.method = req->method;
		reply.route = req->route;
	}
	http_problem_body(&body, status, NULL, why, reply.id, NULL, 0);
	reply.body = body.data;
	reply.len = body.len;
	bool was_busy = conn->state == HTTP_BUSY;
	conn->req = NULL;
	http_conn_send(conn, &reply);
	zl_buf_free(&body);
	if (req != NULL && was_busy)
		orphan(req);
	else
		http_request_free(&req);
}

static void refuse_and_close(struct http_conn *conn, unsigned status, const char *why)
{
	conn->close_after = true;
	refuse(conn, status, why, "");
}

/* Reading. */

void http_conn_read_later(struct http_conn *conn)
{
	bufferevent_trigger(conn->bev, EV_READ, BEV_OPT_DEFER_CALLBACKS);
}

static size_t body_limit(const struct http_request *req)
{
	return req->route->body_limit > 0 ? req->route->body_limit : HTTP_BODY;
}

/* Is there a route that takes this request, and memory for its body? Returns 0 or the
 * status to refuse with; added gets header lines for that. */
static unsigned weigh(struct http_conn *conn, const char **why, struct zl_buf *added)
{
	struct http_request *req = conn->req;
	struct http_server *server = conn->server;
	struct zl_buf allow = { 0 };

	unsigned status = http_access_foreign(conn, &req->head, why);
	if (status != 0)
		return status;
	status = http_route_find(req, why, &allow);
	if (status == 405)
		zl_buf_format(added, "Allow: %s\r\n", zl_buf_text(&allow));
	zl_buf_free(&allow);
	if (status == 0)
		status = http_access_check(conn, why, added);
	if (status != 0)
		return status;

	*why = "the body is over the limit";
	if (req->head.length > body_limit(req))
		return 413;
	size_t need = req->head.chunked ? body_limit(req) : (size_t)req->head.length;
	*why = "too many large requests at the same time; try again";
	if (need > ALL_BODIES - server->reserved) {
		zl_buf_str(added, "Retry-After: 1\r\n");
		return 503;
	}
	req->reserved = need;
	server->reserved += need;
	return 0;
}

/* The head is here. */
static void admit(struct http_conn *conn)
{
	struct http_request *req = conn->req;
	struct zl_buf added = { 0 };
	const char *why = NULL;
	bool has_body = req->head.length > 0 || req->head.chunked;

	conn->close_after = !req->head.keep_alive;
	unsigned status = weigh(conn, &why, &added);
	if (status != 0) {
		if (has_body) /* it is not read, so what follows cannot be */
			conn->close_after = true;
		refuse(conn, status, why, zl_buf_text(&added));
	} else {
		if (has_body && req->head.wants_continue) {
			bufferevent_write(conn->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
			bufferevent_enable(conn->bev, EV_WRITE);
		}
		http_conn_enter(conn, HTTP_BODIED, conn->server->options.body_ms);
	}
	zl_buf_free(&added);
}

/* True: go on with what is there. */
static bool read_head(struct http_conn *conn)
{
	struct evbuffer *in = bufferevent_get_input(conn->bev);
	size_t len = evbuffer_get_length(in);
	struct http_head head;
	struct http_refusal refusal;

	if (len == 0)
		return false;
	if (conn->state == HTTP_IDLE) {
		conn->began_us = zl_now_us();
		http_conn_enter(conn, HTTP_HEADED, conn->server->options.head_ms);
	}
	len = len < HTTP_HEAD ? len : HTTP_HEAD;
	const char *data = (const char *)evbuffer_pullup(in, (ssize_t)len);
	long used = http_head_check(data, len, &head, &refusal);
	if (used == 0)
		return false;
	if (used < 0) {
		refuse_and_close(conn, refusal.status, refusal.why);
		return false;
	}
	conn->req = http_request_new(conn, data, (size_t)used);
	evbuffer_drain(in, (size_t)used);
	admit(conn);
	return true;
}

static void hand_over(struct http_conn *conn)
{
	struct http_request *req = conn->req;
	struct http_server *server = conn->server;

	req->next = server->requests;
	if (req->next != NULL)
		req->next->prev = req;
	server->requests = req;
	server->request_count++;
	http_conn_enter(conn, HTTP_BUSY, server->options.answer_ms);
	req->route->handle(req, server->options.arg);
}

/* What lies in one piece at the buffer's front, or more if that was not enough. */
static const char *front(struct evbuffer *in, bool more, size_t *len)
{
	const size_t enough = (size_t)2 * HTTP_LINE;

	*len = evbuffer_get_contiguous_space(in);
	if (more && *len < enough) {
		*len = evbuffer_get_length(in);
		*len = *len < enough ? *len : enough;
	}
	return *len > 0 ? (const char *)evbuffer_pullup(in, (ssize_t)*len) : NULL;
}

/* Take body bytes; true when it is complete. */
static bool body_complete(struct http_conn *conn, struct http_refusal *refusal)
{
	struct http_request *req = conn->req;
	struct evbuffer *in = bufferevent_get_input(conn->bev);
	bool more = false;
	size_t len;

	for (;;) {
		size_t left = (size_t)req->head.length - req->body.len;
		if (req->head.chunked ? req->chunks.state == HTTP_CHUNK_DONE : left == 0)
			return true;
		const char *data = front(in, more, &len);
		if (data == NULL)
			return false;
		long used = (long)(len < left ? len : left);
		if (req->head.chunked)
			used = http_chunks_read(&req->chunks, data, len, &req->body,
						body_limit(req), refusal);
		else
			zl_buf_add(&req->body, data, (size_t)used);
		if (used < 0 || (used == 0 && len == evbuffer_get_length(in)))
			return false;
		more = used == 0;
		evbuffer_drain(in, (size_t)used);
	}
}

static bool read_body(struct http_conn *conn)
{
	struct http_refusal refusal = { 0, NULL };

	if (body_complete(conn, &refusal))
		hand_over(conn);
	else if (refusal.status != 0)
		refuse_and_close(conn, refusal.status, refusal.why);
	return conn->state == HTTP_IDLE; /* it is answered already */
}

/* Read no further ahead than READ_AHEAD. A watermark of the bufferevent would do the
 * same, but with TLS what it leaves inside of OpenSSL is not read before more comes. */
static void pace(struct http_conn *conn)
{
	bool full = evbuffer_get_length(bufferevent_get_input(conn->bev)) >= READ_AHEAD;

	if (full == conn->is_held)
		return;
	conn->is_held = full;
	if (full)
		bufferevent_disable(conn->bev, EV_READ);
	else
		bufferevent_enable(conn->bev, EV_READ);
}

/* Do what the bytes that are here allow. */
static void advance(struct http_conn *conn)
{
	struct evbuffer *in = bufferevent_get_input(conn->bev);
	bool more = true;

	for (int i = 0; more && i < STEPS; i++) {
		switch (conn->state) {
		case HTTP_IDLE:
		case HTTP_HEADED:
			more = read_head(conn);
			break;
		case HTTP_BODIED:
			more = read_body(conn);
			break;
		case HTTP_LINGER:
			conn->thrown += evbuffer_get_length(in);
			evbuffer_drain(in, evbuffer_get_length(in));
			more = false;
			break;
		default: /* it waits in the buffer for its turn */
			more = false;
			break;
		}
	}
	if (more) { /* others want their turn */
		http_conn_read_later(conn);
		return;
	}
	if ((conn->at_eof && conn->state <= HTTP_BODIED) || conn->thrown > LINGER_BYTES)
		http_conn_close(&conn);
	else
		pace(conn);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	advance(arg);
}

/* Send more of a file: the client takes it, so it has time again. */
static void feed(struct http_conn *conn)
{
	if (http_source_feed(conn->source, bufferevent_get_output(conn->bev)))
		http_conn_allow(conn, conn->server->options.answer_ms);
	else
		http_conn_close(&conn);
}

/* What was there to be sent is out. */
static void on_written(struct bufferevent *bev, void *arg)
{
	struct http_conn *conn = arg;

	if (conn->state != HTTP_FLUSH)
		return;
	if (conn->source != NULL && http_source_left(conn->source) > 0) {
		feed(conn);
		return;
	}
	http_source_free(&conn->source);
	if (!conn->close_after) {
		if (!conn->is_tls)
			bufferevent_disable(bev, EV_WRITE);
		http_conn_enter(conn, HTTP_IDLE, conn->server->options.idle_ms);
		advance(conn);
	} else if (conn->at_eof) {
		http_conn_close(&conn);
	} else {
		/* Closed at once, bytes that still come would make the kernel send a
		 * reset, which can overtake the answer. */
		http_end_sending(conn);
		http_conn_enter(conn, HTTP_LINGER, LINGER_MS);
		advance(conn);
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_conn *conn = arg;

	if (what & BEV_EVENT_CONNECTED)
		http_secured(conn);
	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
		return;
	if (conn->state == HTTP_SHAKE)
		http_not_secured(conn, NULL);
	bool unread = conn->state == HTTP_IDLE && /* requests that read_later is for */
		      evbuffer_get_length(bufferevent_get_input(bev)) > 0;
	if (!(what & BEV_EVENT_EOF) || (!unread && conn->state != HTTP_FLUSH)) {
		http_conn_close(&conn);
		return;
	}
	conn->at_eof = true; /* what was asked for is still answered */
	if (conn->state == HTTP_FLUSH)
		bufferevent_enable(bev, EV_WRITE); /* which TLS has ended as well */
}

static void on_deadline(void *arg)
{
	struct http_conn *conn = arg;

	switch (conn->state) {
	case HTTP_HEADED:
		refuse_and_close(conn, 408, "the head of the request took too long");
		break;
	case HTTP_BODIED:
		refuse_and_close(conn, 408, "the body of the request took too long");
		break;
	case HTTP_BUSY:
		refuse_and_close(conn, 503, "the answer took too long");
		break;
	case HTTP_SHAKE:
		http_not_secured(conn, "it took too long");
		http_conn_close(&conn);
		break;
	case HTTP_FRESH:
	case HTTP_IDLE:
	case HTTP_FLUSH:
	case HTTP_LINGER:
		http_conn_close(&conn);
		break;
	}
}

void http_conn_link(struct http_conn *conn)
{
	struct http_server *server = conn->server;

	conn->timer = loop_timer_new(server->loop, on_deadline, conn);
	conn->next = server->conns;
	if (conn->next != NULL)
		conn->next->prev = conn;
	server->conns = conn;
	server->conn_count++;
}

void http_conn_start(struct http_conn *conn, struct bufferevent *bev)
{
	conn->bev = bev;
	bufferevent_setcb(bev, on_read, on_written, on_event, conn);
	/* Plain connections write only while something has not gone out at once. */
	if (!conn->is_tls)
		bufferevent_disable(bev, EV_WRITE);
	bufferevent_enable(bev, conn->is_tls ? EV_READ | EV_WRITE : EV_READ);
}
