#include "http/http.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "support/test.h"
#include "support/tmp.h"

#include <netinet/in.h>
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

enum { PATIENCE_MS = 8000 };

/* A server on a thread of its own, told what to do by letters. */
enum letter { ANSWER, DRAIN, QUIT };

struct fixture {
	struct tmp tmp;
	struct loop *loop;
	struct http_server *server;
	struct mailbox *box;
	struct loop_watch *watch;
	struct zl_addr unix_addr, tcp_addr;
	pthread_t thread;
	struct http_request *waiting[2]; /* of /later */
	atomic_int pending, gone, seen_404;
};

/* Handlers. */

static void get_echo(struct http_request *req, void *arg)
{
	const char *q = http_query(req, "q");

	(void)arg;
	char *text = zl_format("%s|%s", http_param(req, "word"), q != NULL ? q : "-");
	http_add_header(req, "ETag", "\"r%d\"", 42);
	http_text(req, 200, text);
	free(text);
}

static void post_body(struct http_request *req, void *arg)
{
	size_t len;
	const char *body = http_body(req, &len);

	(void)arg;
	http_answer(req, 201, "application/octet-stream", body, len);
}

static void get_later(struct http_request *req, void *arg);

static void on_gone(void *arg)
{
	struct fixture *fix = arg;

	assert_true(http_is_gone(fix->waiting[0]));
	atomic_store(&fix->gone, 1);
}

static void get_overview(struct http_request *req, void *arg)
{
	(void)arg;
	http_json(req, 200, "{\"overview\":true}");
}

static void put_zone(struct http_request *req, void *arg)
{
	static const struct http_flaw FLAWS[] = {
		{ 2, "spec.to[0].targetRef.kind", "value 'Me\"sh' is not supported" },
	};

	(void)arg;
	http_problem(req, 400, "Could not process a resource", "Resource is not valid",
		     FLAWS, 1);
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
};

static void get_later(struct http_request *req, void *arg)
{
	struct fixture *fix = arg;

	fix->waiting[atomic_load(&fix->pending)] = req;
	http_on_gone(req, on_gone, fix);
	atomic_fetch_add(&fix->pending, 1);
}

static void seen(void *arg, const struct http_seen *seen)
{
	struct fixture *fix = arg;

	if (seen->route == NULL && seen->status == 404)
		atomic_fetch_add(&fix->seen_404, 1);
}

static void on_letter(void *arg, unsigned events)
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
		} else {
			loop_stop(fix->loop);
		}
	}
}

static void *run(void *arg)
{
	struct fixture *fix = arg;

	loop_run(fix->loop);
	http_close(&fix->server);
	return NULL;
}

static const struct http_options QUICK = {
	.head_ms = 300, .body_ms = 300, .answer_ms = 400, .idle_ms = 300
};

static int setup_with(void **state, const struct http_options *limits)
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
	char *path = zl_format("unix:%s", tmp_path(&fix.tmp, "api"));
	if (loop_open(&fix.loop, &err) != ZL_OK ||
	    mailbox_open(&fix.box, sizeof(enum letter), 8, &err) != ZL_OK ||
	    loop_watch_new(&fix.watch, fix.loop, mailbox_fd(fix.box), LOOP_READ,
			   on_letter, &fix, &err) != ZL_OK ||
	    http_open(&fix.server, fix.loop, &options, &err) != ZL_OK ||
	    zl_addr_parse(path, &fix.unix_addr, &err) != ZL_OK ||
	    zl_addr_parse("127.0.0.1:0", &fix.tcp_addr, &err) != ZL_OK ||
	    http_listen(fix.server, &fix.unix_addr, &err) != ZL_OK ||
	    http_listen(fix.server, &fix.tcp_addr, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	free(path);
	assert_int_equal(pthread_create(&fix.thread, NULL, run, &fix), 0);
	*state = &fix;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, &(struct http_options){ 0 });
}

static int setup_quick(void **state)
{
	return setup_with(state, &QUICK);
}

static int setup_narrow(void **state)
{
	return setup_with(state, &(struct http_options){ .max_connections = 2 });
}

static void tell(struct fixture *fix, enum letter letter)
{
	assert_true(mailbox_post(fix->box, &letter));
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	tell(fix, QUIT);
	pthread_join(fix->thread, NULL);
	loop_watch_free(&fix->watch);
	mailbox_close(&fix->box);
	loop_close(&fix->loop);
	tmp_remove(&fix->tmp);
	return 0;
}

static void await(const atomic_int *flag, int want)
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
	struct zl_buf got;
	unsigned status;
	char head[4096], body[4096];
	size_t body_len;
};

static void dial(struct peer *peer, const struct fixture *fix)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	*peer = (struct peer){ .fd = socket(AF_UNIX, SOCK_STREAM, 0) };
	memcpy(sun.sun_path, fix->unix_addr.host, strlen(fix->unix_addr.host) + 1);
	assert_int_equal(connect(peer->fd, (const struct sockaddr *)&sun, sizeof(sun)),
			 0);
}

static void hang_up(struct peer *peer)
{
	close(peer->fd);
	zl_buf_free(&peer->got);
}

static void say_bytes(struct peer *peer, const void *data, size_t len)
{
	assert_int_equal(send(peer->fd, data, len, MSG_NOSIGNAL), len);
}

static void say(struct peer *peer, const char *text)
{
	say_bytes(peer, text, strlen(text));
}

/* Read some more. False: the server closed. */
static bool more(struct peer *peer)
{
	char chunk[4096];
	struct pollfd ready = { .fd = peer->fd, .events = POLLIN };

	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	ssize_t len = recv(peer->fd, chunk, sizeof(chunk), 0);
	if (len > 0)
		zl_buf_add(&peer->got, chunk, (size_t)len);
	return len > 0;
}

static void expect_end(struct peer *peer)
{
	while (more(peer))
		;
	assert_int_equal(peer->got.len, 0);
}

/* Take one answer: head, and so much body as it announces (unless to HEAD). */
static unsigned answer_to(struct peer *peer, bool head_only)
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

static unsigned answer(struct peer *peer)
{
	return answer_to(peer, false);
}

static unsigned ask(struct peer *peer, const char *line)
{
	say(peer, line);
	say(peer, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
	return answer_to(peer, strncmp(line, "HEAD", 4) == 0);
}

/* The tests. */

static void requests_share_a_connection(void **state)
{
	struct peer peer;

	dial(&peer, *state);
	assert_int_equal(ask(&peer, "GET /echo/one?q=2"), 200);
	assert_string_equal(peer.body, "one|2");
	assert_non_null(strstr(peer.head, "\r\nETag: \"r42\"\r\n"));
	assert_non_null(strstr(peer.head, "\r\nContent-Type: text/plain"));
	assert_int_equal(ask(&peer, "HEAD /echo/one?q=2"), 200);
	assert_non_null(strstr(peer.head, "\r\nContent-Length: 5\r\n"));
	assert_int_equal(ask(&peer, "GET /echo/two"), 200);
	assert_string_equal(peer.body, "two|-");
	say(&peer, "GET /echo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	assert_int_equal(answer(&peer), 200);
	assert_non_null(strstr(peer.head, "\r\nConnection: close\r\n"));
	expect_end(&peer);
	hang_up(&peer);
}

static void words_are_decoded(void **state)
{
	static const struct {
		const char *line;
		unsigned status;
		const char *body;
	} CASES[] = {
		{ "GET /%65cho/%41?q=a+b%20c%2B", 200, "A|a b c+" },
		{ "GET /echo/a%2fb?q", 200, "a/b|" },
		{ "GET /echo/%c3%a9?x=1&&q=%C3%A9&q=2", 200, "\xc3\xa9|\xc3\xa9" },
		{ "GET /echo/%00", 400, NULL },
		{ "GET /echo/a%0ab", 400, NULL },
		{ "GET /echo/%c3", 400, NULL },
		{ "GET /echo/%c0%af", 400, NULL },
		{ "GET /echo/%ed%a0%80", 400, NULL },
		{ "GET /echo/..", 400, NULL },
		{ "GET /echo/%2e%2E", 400, NULL },
		{ "GET /echo/a?q=%00", 400, NULL },
		{ "GET /echo/", 404, NULL },
		{ "GET //echo/a", 404, NULL },
		{ "GET /echo/a/", 404, NULL },
		{ "GET /", 404, NULL },
		{ "GET /zones/_overview", 200, "{\"overview\":true}" },
		{ "GET /zones/_over", 200, "_over|-" },
	};
	struct peer peer;

	dial(&peer, *state);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		if (ask(&peer, CASES[i].line) != CASES[i].status)
			fail_msg("%s: %u", CASES[i].line, peer.status);
		if (CASES[i].body != NULL)
			assert_string_equal(peer.body, CASES[i].body);
	}
	hang_up(&peer);
}

static void wrong_method_names_the_right_ones(void **state)
{
	struct fixture *fix = *state;
	struct peer peer;

	dial(&peer, fix);
	assert_int_equal(ask(&peer, "DELETE /zones/a"), 405);
	assert_non_null(strstr(peer.head, "\r\nAllow: GET, HEAD, PUT\r\n"));
	assert_int_equal(ask(&peer, "PUT /zones/_overview"), 405);
	assert_non_null(strstr(peer.head, "\r\nAllow: GET, HEAD\r\n"));
	assert_int_equal(ask(&peer, "GET /nowhere"), 404);
	assert_non_null(strstr(peer.body, "\"title\":\"Not Found\""));
	hang_up(&peer);
	await(&fix->seen_404, 1);
}

static void problems_have_both_shapes(void **state)
{
	struct peer peer;

	dial(&peer, *state);
	say(&peer, "PUT /zones/a HTTP/1.1\r\nHost: a\r\nX-Request-Id: abc-1\r\n\r\n");
	assert_int_equal(answer(&peer), 400);
	assert_non_null(strstr(peer.head, "Content-Type: application/problem+json\r\n"));
	assert_non_null(strstr(peer.head, "X-Request-Id: abc-1\r\n"));
	assert_string_equal(
		peer.body,
		"{\"type\":\"/std-errors\",\"status\":400,"
		"\"title\":\"Could not process a resource\","
		"\"detail\":\"Resource is not valid\",\"instance\":\"abc-1\","
		"\"invalid_parameters\":[{\"field\":\"spec.to[0].targetRef.kind\","
		"\"reason\":\"value 'Me\\\"sh' is not supported\",\"document\":2}],"
		"\"details\":\"Resource is not valid\","
		"\"causes\":[{\"field\":\"spec.to[0].targetRef.kind\","
		"\"message\":\"value 'Me\\\"sh' is not supported\",\"document\":2}]}");
	say(&peer, "PUT /zones/a HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\"b\r\n\r\n");
	assert_int_equal(answer(&peer), 400);
	assert_null(strstr(peer.head, "a\"b"));
	hang_up(&peer);
}

static void bodies_come_whole_or_in_chunks(void **state)
{
	struct peer peer;

	dial(&peer, *state);
	say(&peer, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
	say(&peer, "lo");
	assert_int_equal(answer(&peer), 201);
	assert_string_equal(peer.body, "hello");

	static const char CHUNKED[] =
		"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: x\r\n\r\n";
	for (size_t i = 0; i < sizeof(CHUNKED) - 1; i++) /* byte by byte */
		say_bytes(&peer, CHUNKED + i, 1);
	assert_int_equal(answer(&peer), 201);
	assert_string_equal(peer.body, "hello world");

	say(&peer, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
		   "Expect: 100-continue\r\n\r\n");
	assert_int_equal(answer(&peer), 100);
	say(&peer, "ok");
	assert_int_equal(answer(&peer), 201);
	assert_string_equal(peer.body, "ok");
	hang_up(&peer);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct zl_buf all = { 0 };
	struct peer peer;
	char want[32];

	dial(&peer, *state);
	for (int i = 0; i < 50; i++)
		zl_buf_format(
			&all,
			"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
			"GET /echo/%d HTTP/1.1\r\nHost: a\r\n\r\n",
			i);
	say(&peer, all.data);
	shutdown(peer.fd, SHUT_WR); /* what was asked for is still answered */
	for (int i = 0; i < 50; i++) {
		assert_int_equal(answer(&peer), 201);
		assert_string_equal(peer.body, "x");
		assert_int_equal(answer(&peer), 200);
		(void)snprintf(want, sizeof(want), "%d|-", i);
		assert_string_equal(peer.body, want);
	}
	expect_end(&peer);
	zl_buf_free(&all);
	hang_up(&peer);
}

static void what_follows_a_refused_head_is_not_served(void **state)
{
	struct fixture *fix = *state;
	struct peer peer;

	dial(&peer, fix);
	say(&peer, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
		   "Content-Length: 40\r\n\r\nabcGET /echo/smuggled HTTP/1.1\r\n"
		   "Host: a\r\n\r\n");
	assert_int_equal(answer(&peer), 400);
	assert_non_null(strstr(peer.body, "Content-Length is given twice"));
	expect_end(&peer);
	hang_up(&peer);

	dial(&peer, fix);
	say(&peer, "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n"
		   "GET /echo/smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(answer(&peer), 404);
	expect_end(&peer);
	hang_up(&peer);
}

static void bodies_are_bounded_by_their_route(void **state)
{
	static const char *const CASES[] = {
		"POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 17\r\n\r\n",
		"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n",
		("POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "10\r\n0123456789abcdef\r\n1\r\nx\r\n"),
	};
	struct peer peer;

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		dial(&peer, *state);
		say(&peer, CASES[i]);
		assert_int_equal(answer(&peer), 413);
		expect_end(&peer);
		hang_up(&peer);
	}
	dial(&peer, *state);
	say(&peer, "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n"
		   "0123456789abcdef");
	assert_int_equal(answer(&peer), 201);
	hang_up(&peer);
}

/* Announced bodies count against one bound for all, and stop counting when they end. */
static void bodies_of_all_are_bounded(void **state)
{
	static const char BIG[] = "POST /big HTTP/1.1\r\nHost: a\r\n"
				  "Content-Length: 134217728\r\n\r\n";
	struct fixture *fix = *state;
	struct peer first, second, third;

	dial(&first, fix);
	say(&first, BIG);
	dial(&second, fix);
	say(&second, BIG);
	/* An answer on a later connection says that both heads were read. */
	for (unsigned status = 0; status != 503;) {
		dial(&third, fix);
		say(&third,
		    "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
		status = answer(&third);
		assert_true(status == 503 || status == 201);
		hang_up(&third);
	}
	hang_up(&first);
	for (unsigned status = 0; status != 201;) {
		dial(&third, fix);
		say(&third,
		    "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
		status = answer(&third);
		hang_up(&third);
	}
	hang_up(&second);
}

static void heads_are_bounded(void **state)
{
	char line[1024 + 1];
	struct peer peer;

	assert_int_equal(snprintf(line, sizeof(line), "X: %01019d\r\n", 1), 1024);
	dial(&peer, *state);
	say(&peer, "GET /echo/a HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < 16; i++)
		say(&peer, line);
	assert_int_equal(answer(&peer), 431);
	expect_end(&peer);
	hang_up(&peer);
}

/* A byte now and then does not win time: the deadline is one for the whole head. */
static void slow_heads_and_bodies_end(void **state)
{
	static const char HEAD[] = "GET /echo/a HTTP/1.1\r\nHost: a\r\nX: ";
	struct peer peer;
	uint64_t began = zl_now_ms();

	dial(&peer, *state);
	say(&peer, HEAD);
	struct pollfd ready = { .fd = peer.fd, .events = POLLIN };
	while (poll(&ready, 1, 20) == 0) {
		assert_true(zl_now_ms() < began + PATIENCE_MS);
		say(&peer, "x");
	}
	assert_int_equal(answer(&peer), 408);
	assert_true(zl_now_ms() - began >= 250);
	hang_up(&peer);

	dial(&peer, *state);
	say(&peer, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
	ready.fd = peer.fd;
	while (poll(&ready, 1, 20) == 0)
		say(&peer, "x");
	assert_int_equal(answer(&peer), 408);
	hang_up(&peer);

	dial(&peer, *state); /* and who says nothing is sent away */
	expect_end(&peer);
	hang_up(&peer);
}

static void late_answers(void **state)
{
	struct fixture *fix = *state;
	struct peer peer;

	dial(&peer, fix);
	say(&peer, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
		   "GET /echo/next HTTP/1.1\r\nHost: a\r\n\r\n");
	await(&fix->pending, 1);
	tell(fix, ANSWER);
	assert_int_equal(answer(&peer), 200);
	assert_string_equal(peer.body, "{\"late\":1}");
	assert_int_equal(answer(&peer), 200);
	assert_string_equal(peer.body, "next|-");
	assert_int_equal(atomic_load(&fix->gone), 0);
	hang_up(&peer);
}

static void an_answer_to_nobody_is_dropped(void **state)
{
	struct fixture *fix = *state;
	struct peer peer;

	dial(&peer, fix);
	say(&peer, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	await(&fix->pending, 1);
	hang_up(&peer);
	await(&fix->gone, 1);
	tell(fix, ANSWER);
	await(&fix->pending, 0);
	dial(&peer, fix);
	assert_int_equal(ask(&peer, "GET /echo/alive"), 200);
	hang_up(&peer);
}

static void an_answer_too_late_is_dropped(void **state)
{
	struct fixture *fix = *state;
	struct peer peer;

	dial(&peer, fix);
	say(&peer, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(answer(&peer), 503);
	expect_end(&peer);
	await(&fix->gone, 1);
	tell(fix, ANSWER);
	await(&fix->pending, 0);
	hang_up(&peer);
}

static void drain_lets_requests_end(void **state)
{
	struct fixture *fix = *state;
	struct peer idle, busy;

	dial(&idle, fix);
	assert_int_equal(ask(&idle, "GET /echo/a"), 200);
	dial(&busy, fix);
	say(&busy, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	await(&fix->pending, 1);
	tell(fix, DRAIN);
	expect_end(&idle);
	tell(fix, ANSWER);
	assert_int_equal(answer(&busy), 200);
	assert_non_null(strstr(busy.head, "\r\nConnection: close\r\n"));
	expect_end(&busy);
	assert_int_not_equal(access(fix->unix_addr.host, F_OK), 0);
	hang_up(&idle);
	hang_up(&busy);
}

static void a_full_house_sends_the_idle_away(void **state)
{
	static const char LATER[] = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
	struct fixture *fix = *state;
	struct peer first, second, third, fourth;

	dial(&first, fix);
	assert_int_equal(ask(&first, "GET /echo/1"), 200);
	dial(&second, fix);
	say(&second, LATER);
	await(&fix->pending, 1);
	dial(&third, fix); /* takes the place of the first, which has no request */
	expect_end(&first);
	say(&third, LATER);
	await(&fix->pending, 2);
	dial(&fourth, fix); /* there is no other such */
	assert_int_equal(answer(&fourth), 503);
	expect_end(&fourth);
	tell(fix, ANSWER);
	assert_int_equal(answer(&second), 200);
	assert_int_equal(answer(&third), 200);
	hang_up(&first);
	hang_up(&second);
	hang_up(&third);
	hang_up(&fourth);
}

static void browsers_of_others_are_refused(void **state)
{
	static const struct {
		const char *head;
		unsigned status;
	} CASES[] = {
		{ "GET /echo/a HTTP/1.1\r\nHost: 127.0.0.1:5681\r\n\r\n", 200 },
		{ "GET /echo/a HTTP/1.1\r\nHost: localhost:5681\r\n\r\n", 200 },
		{ "GET /echo/a HTTP/1.1\r\nHost: [::1]:5681\r\n\r\n", 200 },
		{ "GET /echo/a HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421 },
		{ "POST /body HTTP/1.1\r\nHost: localhost:1\r\nOrigin: "
		  "http://localhost:1\r\n\r\n",
		  201 },
		{ "POST /body HTTP/1.1\r\nHost: localhost:1\r\nOrigin: "
		  "https://evil.example\r\n\r\n",
		  403 },
		{ "POST /body HTTP/1.1\r\nHost: localhost:1\r\nOrigin: null\r\n\r\n",
		  403 },
	};
	struct fixture *fix = *state;
	struct peer peer = { .fd = socket(AF_INET, SOCK_STREAM, 0) };
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(fix->tcp_addr.port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	assert_int_not_equal(fix->tcp_addr.port, 0);
	assert_int_equal(connect(peer.fd, (const struct sockaddr *)&sin, sizeof(sin)), 0);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		say(&peer, CASES[i].head);
		if (answer(&peer) != CASES[i].status)
			fail_msg("%s: %u", CASES[i].head, peer.status);
	}
	hang_up(&peer);
}

static void addresses_are_guarded(void **state)
{
	struct fixture *fix = *state;
	struct zl_addr all;
	struct zl_err err = { 0 };
	struct stat info;

	assert_int_equal(stat(fix->unix_addr.host, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(zl_addr_parse("0.0.0.0:0", &all, &err), ZL_OK);
	assert_int_equal(http_listen(fix->server, &all, &err), ZL_EACCES);
	assert_non_null(strstr(err.msg, "listen on 0.0.0.0:0: "));
}

int main(void)
{
#define TEST(name, how) cmocka_unit_test_setup_teardown(name, how, teardown)
	const struct CMUnitTest tests[] = {
		TEST(requests_share_a_connection, setup),
		TEST(words_are_decoded, setup),
		TEST(wrong_method_names_the_right_ones, setup),
		TEST(problems_have_both_shapes, setup),
		TEST(bodies_come_whole_or_in_chunks, setup),
		TEST(pipelined_requests_are_answered_in_order, setup),
		TEST(what_follows_a_refused_head_is_not_served, setup),
		TEST(bodies_are_bounded_by_their_route, setup),
		TEST(bodies_of_all_are_bounded, setup),
		TEST(heads_are_bounded, setup),
		TEST(slow_heads_and_bodies_end, setup_quick),
		TEST(late_answers, setup),
		TEST(an_answer_to_nobody_is_dropped, setup),
		TEST(an_answer_too_late_is_dropped, setup_quick),
		TEST(drain_lets_requests_end, setup),
		TEST(a_full_house_sends_the_idle_away, setup_narrow),
		TEST(browsers_of_others_are_refused, setup),
		TEST(addresses_are_guarded, setup),
	};
	return cmocka_run_group_tests_name("http/server", tests, NULL, NULL);
}
