/* Answers on their way out. */
#include "base/clock.h"
#include "base/log.h"
#include "http/inside.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

/* The date as RFC 9110 5.6.7 writes it; made once a second. */
static const char *date_text(struct http_server *server)
{
	time_t now = time(NULL);
	struct tm parts;

	if (now != server->date_made && gmtime_r(&now, &parts) != NULL) {
		(void)strftime(server->date, sizeof(server->date),
			       "%a, %d %b %Y %H:%M:%S GMT", &parts);
		server->date_made = now;
	}
	return server->date;
}

static void report(const struct http_conn *conn, const struct http_reply *reply)
{
	const struct http_options *options = &conn->server->options;
	const struct http_seen seen = { reply->route, reply->method, reply->status,
					zl_now_us() - conn->began_us };

	zl_log(ZL_DEBUG, "http", "request", "method=%q route=%q status=%u us=%llu id=%q",
	       reply->method, reply->route != NULL ? reply->route->pattern : "-",
	       reply->status, (unsigned long long)seen.us, reply->id);
	if (options->seen != NULL)
		options->seen(options->arg, &seen);
}

/* Try to have all of the answer out at once, which spares a turn of the loop. Only while
 * writing is off, so that nobody else writes. What the client has sent already waits for
 * a later turn: who answers must not find himself in another request's handler. */
static void send_now(struct http_conn *conn)
{
	struct evbuffer *out = bufferevent_get_output(conn->bev);
	struct evbuffer *in = bufferevent_get_input(conn->bev);
	bool is_on = (bufferevent_get_enabled(conn->bev) & EV_WRITE) != 0;

	if (!is_on && !conn->close_after && conn->source == NULL) {
		evbuffer_unfreeze(out, 1);
		(void)evbuffer_write(out, bufferevent_getfd(conn->bev));
		evbuffer_freeze(out, 1);
	}
	if (is_on || evbuffer_get_length(out) > 0 || conn->close_after ||
	    conn->source != NULL) {
		bufferevent_enable(conn->bev, EV_WRITE);
		return;
	}
	http_conn_enter(conn, HTTP_IDLE, conn->server->options.idle_ms);
	if (evbuffer_get_length(in) > 0)
		http_conn_read_later(conn);
}

void http_conn_send(struct http_conn *conn, const struct http_reply *reply)
{
	struct evbuffer *out = bufferevent_get_output(conn->bev);
	bool has_body = reply->status != 204 && reply->status != 304;
	uint64_t len =
		reply->source != NULL ? http_source_left(reply->source) : reply->len;

	if (conn->server->draining)
		conn->close_after = true;
	evbuffer_add_printf(out,
			    "HTTP/1.1 %u %s\r\nDate: %s\r\nX-Request-Id: %s\r\n"
			    "X-Content-Type-Options: nosniff\r\nConnection: %s\r\n%s",
			    reply->status, http_reason(reply->status),
			    date_text(conn->server), reply->id,
			    conn->close_after ? "close" : "keep-alive", reply->added);
	if (has_body && reply->content_type != NULL)
		evbuffer_add_printf(out, "Content-Type: %s\r\n", reply->content_type);
	if (has_body)
		evbuffer_add_printf(out, "Content-Length: %" PRIu64 "\r\n", len);
	evbuffer_add(out, "\r\n", 2);
	has_body = has_body && strcmp(reply->method, "HEAD") != 0;
	conn->source = reply->source;
	if (!has_body)
		http_source_free(&conn->source);
	else if (conn->source == NULL)
		evbuffer_add(out, reply->body, reply->len);
	http_conn_enter(conn, HTTP_FLUSH, conn->server->options.answer_ms);
	report(conn, reply);
	send_now(conn);
}
