/* A server on a thread of its own, with routes that show what it read, and a client that
 * says bytes, plain or by TLS, and takes answers. A test includes this once; `fixture` is
 * its state.
 */
#pragma once

#include "http/http.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "pki/tls.h"
#include "support/test.h"
#include "support/tmp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };

/* A server on a thread of its own, told what to do by letters. */
enum letter { ANSWER, DRAIN, SWAP, QUIT };

struct fixture {
	struct tmp tmp;
	struct loop *loop;
	struct http_server *server;
	struct mailbox *box;
	struct loop_watch *watch;
	struct zl_addr unix_addr, tcp_addr;
	struct pki_tls *tls[2]; /* what the server has, and what SWAP gives it */
	pthread_t thread;
	struct http_request *waiting[2]; /* of /later */
	atomic_int pending, gone, seen_404;
	atomic_int denied[HTTP_DENIALS];
};

/* Handlers. */

static inline void get_echo(struct http_request *req, void *arg)
{
	const char *q = http_query(req, "q");

	(void)arg;
	char *text = zl_format("%s|%s", http_param(req, "word"), q != NULL ? q : "-");
	http_add_header(req, "ETag", "\"r%d\"", 42);
	http_text(req, 200, text);
	free(text);
}

static inline void post_body(struct http_request *req, void *arg)
{
	size_t len;
	const char *body = http_body(req, &len);

	(void)arg;
	http_answer(req, 201, "application/octet-stream", body, len);
}

static inline void get_later(struct http_request *req, void *arg);

static inline void on_gone(void *arg)
{
	struct fixture *fix = arg;

	assert_true(http_is_gone(fix->waiting[0]));
	atomic_store(&fix->gone, 1);
}

static inline void get_overview(struct http_request *req, void *arg)
{
	(void)arg;
	http_json(req, 200, "{\"overview\":true}");
}

static inline void put_zone(struct http_request *req, void *arg)
{
	static const struct http_flaw FLAWS[] = {
		{ 2, "spec.to[0].targetRef.kind", "value 'Me\"sh' is not supported" },
	};

	(void)arg;
	http_problem(req, 400, "Could not process a resource", "Resource is not valid",
		     FLAWS, 1);
}

/* A file of count bytes; asked for twice as many if ?short is there. */
static inline void get_file(struct http_request *req, void *arg)
{
	size_t len = strtoul(http_param(req, "count"), NULL, 10);
	char *bytes = zl_alloc(1, len + 1);
	FILE *file = tmpfile();

	(void)arg;
	assert_non_null(file);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i % 251);
	int fd = dup(fileno(file));
	assert_int_equal(pwrite(fd, bytes, len, 0), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	(void)fclose(file);
	free(bytes);
	http_answer_file(req, 200, "application/octet-stream", fd,
			 http_query(req, "short") != NULL ? 2 * len : len);
}

/* Who called, as the handler sees it. */
static inline void get_who(struct http_request *req, void *arg)
{
	const struct pki_facts *peer = http_peer(req);
	const char *bearer = http_bearer(req);

	(void)arg;
	char *text = zl_format("%s|%s|%s", http_caller_text(req),
			       bearer != NULL ? bearer : "-",
			       peer != NULL ? peer->identity : "-");
	http_text(req, 200, text);
	free(text);
}

/* As many bytes as it says. */
static inline void get_bytes(struct http_request *req, void *arg)
{
	size_t len = strtoul(http_param(req, "count"), NULL, 10);
	char *bytes = zl_alloc(1, len);

	(void)arg;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i % 251);
	http_answer(req, 200, "application/octet-stream", bytes, len);
	free(bytes);
}

static const struct http_route ROUTES[] = {
	{ .method = "GET", .pattern = "/echo/{word}", .handle = get_echo },
	{ .method = "POST", .pattern = "/body", .handle = post_body },
	{ .method = "POST", .pattern = "/small", .body_limit = 16, .handle = post_body },
	{ .method = "POST",
	  .pattern = "/big",
	  .body_limit = 128 << 20,
	  .handle = post_body },
	{ .method = "GET", .pattern = "/later", .handle = get_later },
	{ .method = "GET", .pattern = "/zones/{word}", .handle = get_echo },
	{ .method = "PUT", .pattern = "/zones/{word}", .handle = put_zone },
	{ .method = "GET", .pattern = "/zones/_overview", .handle = get_overview },
	{ .method = "GET", .pattern = "/bytes/{count}", .handle = get_bytes },
	{ .method = "GET", .pattern = "/file/{count}", .handle = get_file },
	{ .method = "GET", .pattern = "/who/open", HTTP_OPEN, .handle = get_who },
	{ .method = "GET", .pattern = "/who/view", HTTP_VIEW, .handle = get_who },
	{ .method = "GET", .pattern = "/who/operate", HTTP_OPERATE, .handle = get_who },
	{ .method = "GET", .pattern = "/who/admin", HTTP_ADMIN, .handle = get_who },
	{ .method = "GET", .pattern = "/who/unsaid", .handle = get_who },
};

static inline void get_later(struct http_request *req, void *arg)
{
	struct fixture *fix = arg;

	fix->waiting[atomic_load(&fix->pending)] = req;
	http_on_gone(req, on_gone, fix);
	atomic_fetch_add(&fix->pending, 1);
}

static inline void seen(void *arg, const struct http_seen *seen)
{
	struct fixture *fix = arg;

	if (seen->route == NULL && seen->status == 404)
		atomic_fetch_add(&fix->seen_404, 1);
}

static inline void denied(void *arg, enum http_denial why)
{
	struct fixture *fix = arg;

	atomic_fetch_add(&fix->denied[why], 1);
}

static inline void on_letter(void *arg, unsigned events)
{
	struct fixture *fix = arg;
	enum letter letter;

	(void)events;
	while (mailbox_take(fix->box, &letter)) {
		if (letter == ANSWER) {
			for (int i = atomic_load(&fix->pending); i > 0; i--)
				http_json(fix->waiting[i - 1], 200, "{\"late\":1}");
			atomic_store(&fix->pending, 0);
		} else if (letter == DRAIN) {
			http_drain(fix->server);
		} else if (letter == SWAP) {
			http_set_tls(fix->server, fix->tls[1]);
			atomic_fetch_add(&fix->pending, 1);
		} else {
			loop_stop(fix->loop);
		}
	}
}

static inline void *run(void *arg)
{
	struct fixture *fix = arg;

	loop_run(fix->loop);
	http_close(&fix->server);
	return NULL;
}

static const struct http_options QUICK = {
	.head_ms = 300, .body_ms = 300, .answer_ms = 400, .idle_ms = 300
};

/* prepare, if not NULL, is called before the server listens, on tcp. */
static inline int setup_ready(void **state, const struct http_options *limits,
			      const char *tcp, void (*prepare)(struct fixture *fix))
{
	static struct fixture fix;
	struct zl_err err = { 0 };
	struct http_options options = *limits;

	memset(&fix, 0, sizeof(fix));
	tmp_make(&fix.tmp);
	options.routes = ROUTES;
	options.count = ARRAY_LEN(ROUTES);
	options.arg = &fix;
	options.seen = seen;
	options.denied = denied;
	char *path = zl_format("unix:%s", tmp_path(&fix.tmp, "api"));
	if (loop_open(&fix.loop, &err) != ZL_OK ||
	    mailbox_open(&fix.box, sizeof(enum letter), 8, &err) != ZL_OK ||
	    loop_watch_new(&fix.watch, fix.loop, mailbox_fd(fix.box), LOOP_READ,
			   on_letter, &fix, &err) != ZL_OK ||
	    http_open(&fix.server, fix.loop, &options, &err) != ZL_OK ||
	    zl_addr_parse(path, &fix.unix_addr, &err) != ZL_OK ||
	    zl_addr_parse(tcp, &fix.tcp_addr, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	if (prepare != NULL)
		prepare(&fix);
	if (http_listen(fix.server, &fix.unix_addr, &err) != ZL_OK ||
	    http_listen(fix.server, &fix.tcp_addr, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	free(path);
	assert_int_equal(pthread_create(&fix.thread, NULL, run, &fix), 0);
	*state = &fix;
	return 0;
}

static inline int setup_with(void **state, const struct http_options *limits)
{
	return setup_ready(state, limits, "127.0.0.1:0", NULL);
}

static inline int setup(void **state)
{
	return setup_with(state, &(struct http_options){ 0 });
}

static inline int setup_quick(void **state)
{
	return setup_with(state, &QUICK);
}

static inline int setup_narrow(void **state)
{
	return setup_with(state, &(struct http_options){ .max_connections = 2 });
}

static inline void tell(struct fixture *fix, enum letter letter)
{
	assert_true(mailbox_post(fix->box, &letter));
}

static inline int teardown(void **state)
{
	struct fixture *fix = *state;

	tell(fix, QUIT);
	pthread_join(fix->thread, NULL);
	loop_watch_free(&fix->watch);
	mailbox_close(&fix->box);
	loop_close(&fix->loop);
	pki_tls_drop(&fix->tls[0]);
	pki_tls_drop(&fix->tls[1]);
	tmp_remove(&fix->tmp);
	return 0;
}

static inline void await(const atomic_int *flag, int want)
{
	uint64_t end = zl_now_ms() + PATIENCE_MS;

	while (atomic_load(flag) != want) {
		assert_true(zl_now_ms() < end);
		(void)poll(NULL, 0, 1);
	}
}

/* A client. */
struct peer {
	int fd;
	SSL *ssl; /* NULL: plain */
	struct zl_buf got;
	unsigned status;
	char head[4096], body[4096];
	size_t body_len;
};

static inline void dial(struct peer *peer, const struct fixture *fix)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	*peer = (struct peer){ .fd = socket(AF_UNIX, SOCK_STREAM, 0) };
	memcpy(sun.sun_path, fix->unix_addr.host, strlen(fix->unix_addr.host) + 1);
	assert_int_equal(connect(peer->fd, (const struct sockaddr *)&sun, sizeof(sun)),
			 0);
}

/* By TCP, to host or, if that is NULL, to where the server listens. */
static inline void dial_tcp(struct peer *peer, const struct fixture *fix,
			    const char *host)
{
	const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	struct sockaddr_in sin = { .sin_family = AF_INET };

	*peer = (struct peer){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
	assert_int_equal(setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
				    sizeof(patience)),
			 0);
	sin.sin_port = htons(fix->tcp_addr.port);
	assert_int_equal(inet_pton(AF_INET, host != NULL ? host : fix->tcp_addr.host,
				   &sin.sin_addr),
			 1);
	assert_int_equal(connect(peer->fd, (const struct sockaddr *)&sin, sizeof(sin)),
			 0);
}

static inline void hang_up(struct peer *peer)
{
	SSL_free(peer->ssl);
	close(peer->fd);
	zl_buf_free(&peer->got);
}

static inline void say_bytes(struct peer *peer, const void *data, size_t len)
{
	if (peer->ssl != NULL)
		assert_int_equal(SSL_write(peer->ssl, data, (int)len), len);
	else
		assert_int_equal(send(peer->fd, data, len, MSG_NOSIGNAL), len);
}

static inline void say(struct peer *peer, const char *text)
{
	say_bytes(peer, text, strlen(text));
}

/* Read some more. False: the server closed. */
static inline bool more(struct peer *peer)
{
	char chunk[4096];
	struct pollfd ready = { .fd = peer->fd, .events = POLLIN };

	if (peer->ssl == NULL || SSL_pending(peer->ssl) == 0)
		assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	ssize_t len = peer->ssl != NULL ? SSL_read(peer->ssl, chunk, sizeof(chunk))
					: recv(peer->fd, chunk, sizeof(chunk), 0);
	if (len > 0)
		zl_buf_add(&peer->got, chunk, (size_t)len);
	return len > 0;
}

static inline void expect_end(struct peer *peer)
{
	while (more(peer))
		;
	assert_int_equal(peer->got.len, 0);
}

/* Take one answer: head, and so much body as it announces (unless to HEAD). */
static inline unsigned answer_to(struct peer *peer, bool head_only)
{
	const char *end;

	while ((end = strstr(zl_buf_text(&peer->got), "\r\n\r\n")) == NULL)
		assert_true(more(peer));
	size_t head = (size_t)(end + 4 - peer->got.data);
	assert_true(head < sizeof(peer->head));
	memcpy(peer->head, zl_buf_text(&peer->got), head);
	peer->head[head] = '\0';
	zl_buf_drain(&peer->got, head);
	assert_memory_equal(peer->head, "HTTP/1.1 ", 9);
	peer->status = (unsigned)strtoul(peer->head + 9, NULL, 10);

	const char *length = strstr(peer->head, "Content-Length: ");
	peer->body_len =
		length != NULL && !head_only ? strtoul(length + 16, NULL, 10) : 0;
	assert_true(peer->body_len < sizeof(peer->body));
	while (peer->got.len < peer->body_len)
		assert_true(more(peer));
	if (peer->body_len > 0)
		memcpy(peer->body, zl_buf_text(&peer->got), peer->body_len);
	peer->body[peer->body_len] = '\0';
	zl_buf_drain(&peer->got, peer->body_len);
	return peer->status;
}

static inline unsigned answer(struct peer *peer)
{
	return answer_to(peer, false);
}

static inline unsigned ask(struct peer *peer, const char *line)
{
	say(peer, line);
	say(peer, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
	return answer_to(peer, strncmp(line, "HEAD", 4) == 0);
}
