/* What the server reads, refuses and answers. */
#include "served.h"

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
		TEST(heads_are_bounded, setup),
		TEST(browsers_of_others_are_refused, setup),
		TEST(addresses_are_guarded, setup),
	};
	return cmocka_run_group_tests_name("http/server", tests, NULL, NULL);
}
