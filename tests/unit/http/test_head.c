#include "http/head.h"

#include "support/seeds.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST "Host: localhost\r\n"
#define GET "GET / HTTP/1.1\r\n"

/* Every vector a lenient reader takes and another could understand differently. */
static const struct {
	const char *name, *bytes;
	size_t len; /* 0: up to the NUL */
	unsigned status;
} HOSTILE[] = {
	/* clang-format off */
	{ "two lengths that differ",  "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", 0, 400 },
	{ "two lengths alike",        "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc", 0, 400 },
	{ "a list of lengths",        "POST / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\nabc", 0, 400 },
	{ "space before the colon",   "POST / HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\nabc", 0, 400 },
	{ "tab before the colon",     "POST / HTTP/1.1\r\n" HOST "Content-Length\t: 3\r\n\r\nabc", 0, 400 },
	{ "length with a plus",       "POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc", 0, 400 },
	{ "length with a minus",      "POST / HTTP/1.1\r\n" HOST "Content-Length: -3\r\n\r\nabc", 0, 400 },
	{ "length in hex",            "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\nabc", 0, 400 },
	{ "length over 64 bit",       "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551619\r\n\r\nabc", 0, 400 },
	{ "length empty",             "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\nabc", 0, 400 },
	{ "length with a space",      "POST / HTTP/1.1\r\n" HOST "Content-Length: 1 2\r\n\r\nabc", 0, 400 },
	{ "CL.TE",                    "POST / HTTP/1.1\r\n" HOST "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", 0, 400 },
	{ "TE.CL",                    "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n", 0, 400 },
	{ "TE twice",                 "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 0, 400 },
	{ "TE unknown",               "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", 0, 501 },
	{ "TE gzip, chunked",         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 0, 501 },
	{ "TE chunked, identity",     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n", 0, 501 },
	{ "TE after a space",         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n", 0, 400 },
	{ "TE in quotes",             "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n", 0, 501 },
	{ "TE with a vertical tab",   "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \vchunked\r\n\r\n", 0, 400 },
	{ "TE in HTTP/1.0",           "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 0, 400 },
	{ "TE folded",                "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n chunked\r\n\r\n", 0, 501 },
	{ "NUL in a value",           GET HOST "X: a\0b\r\n\r\n", sizeof(GET HOST "X: a\0b\r\n\r\n") - 1, 400 },
	{ "NUL in a name",            GET HOST "X\0: a\r\n\r\n", sizeof(GET HOST "X\0: a\r\n\r\n") - 1, 400 },
	{ "NUL in the target",        "GET /\0 HTTP/1.1\r\n" HOST "\r\n", sizeof("GET /\0 HTTP/1.1\r\n" HOST "\r\n") - 1, 400 },
	{ "obs-fold",                 GET HOST "X: a\r\n b\r\n\r\n", 0, 400 },
	{ "fold at the first header", GET " X: a\r\n" HOST "\r\n", 0, 400 },
	{ "bare LF after the line",   "GET / HTTP/1.1\n" HOST "\r\n", 0, 400 },
	{ "bare LF after a header",   GET "Host: a\nX: b\r\n\r\n", 0, 400 },
	{ "bare LF at the end",       GET HOST "\n", 0, 400 },
	{ "bare CR in a value",       GET HOST "X: a\rb\r\n\r\n", 0, 400 },
	{ "no Host",                  GET "X: a\r\n\r\n", 0, 400 },
	{ "two Hosts",                GET HOST HOST "\r\n", 0, 400 },
	{ "Host with a path",         GET "Host: a/b\r\n\r\n", 0, 400 },
	{ "Host with user",           GET "Host: a@b\r\n\r\n", 0, 400 },
	{ "space in the target",      "GET /a b HTTP/1.1\r\n" HOST "\r\n", 0, 400 },
	{ "tab in the line",          "GET\t/ HTTP/1.1\r\n" HOST "\r\n", 0, 400 },
	{ "two spaces in the line",   "GET  / HTTP/1.1\r\n" HOST "\r\n", 0, 400 },
	{ "space behind the version", "GET / HTTP/1.1 \r\n" HOST "\r\n", 0, 400 },
	{ "empty line first",         "\r\n" GET HOST "\r\n", 0, 400 },
	{ "no version",               "GET /\r\n" HOST "\r\n", 0, 400 },
	{ "HTTP/2",                   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, 505 },
	{ "small letters in HTTP",    "GET / http/1.1\r\n" HOST "\r\n", 0, 400 },
	{ "version 1.10",             "GET / HTTP/1.10\r\n" HOST "\r\n", 0, 400 },
	{ "method with small letters", "get / HTTP/1.1\r\n" HOST "\r\n", 0, 400 },
	{ "absolute target",          "GET http://a/ HTTP/1.1\r\n" HOST "\r\n", 0, 400 },
	{ "target with fragment",     "GET /#a HTTP/1.1\r\n" HOST "\r\n", 0, 400 },
	{ "target with high byte",    "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 0, 400 },
	{ "half a %-encoding",        "GET /%4 HTTP/1.1\r\n" HOST "\r\n", 0, 400 },
	{ "no hex after %",           "GET /%zz HTTP/1.1\r\n" HOST "\r\n", 0, 400 },
	{ "backslash in the target",  "GET /..\\a HTTP/1.1\r\n" HOST "\r\n", 0, 400 },
	{ "header without colon",     GET HOST "X\r\n\r\n", 0, 400 },
	{ "header without name",      GET HOST ": a\r\n\r\n", 0, 400 },
	{ "name with a space",        GET HOST "X Y: a\r\n\r\n", 0, 400 },
	{ "unknown Expect",           GET HOST "Expect: a\r\n\r\n", 0, 417 },
	{ "TLS on the plain port",    "\x16\x03\x01\x02\x00\x01\n", 0, 400 },
	/* clang-format on */
};

static long check(const char *bytes, size_t len, struct http_head *head,
		  struct http_refusal *refusal)
{
	char *exact = malloc(len > 0 ? len : 1); /* so that ASan sees a byte too far */

	memcpy(exact, bytes, len);
	*refusal = (struct http_refusal){ 0, NULL };
	long used = http_head_check(exact, len, head, refusal);
	free(exact);
	return used;
}

static void hostile_heads_are_refused(void **state)
{
	struct http_head head;
	struct http_refusal refusal;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(HOSTILE); i++) {
		size_t len =
			HOSTILE[i].len > 0 ? HOSTILE[i].len : strlen(HOSTILE[i].bytes);
		long used = check(HOSTILE[i].bytes, len, &head, &refusal);
		if (used != -1 || refusal.status != HOSTILE[i].status ||
		    refusal.why == NULL)
			fail_msg("%s: %ld, status %u", HOSTILE[i].name, used,
				 refusal.status);
		/* However the bytes are cut, a prefix is never taken. */
		for (size_t cut = 0; cut < len; cut++)
			if (check(HOSTILE[i].bytes, cut, &head, &refusal) > 0)
				fail_msg("%s: taken at %zu", HOSTILE[i].name, cut);
	}
}

static bool span_is(struct http_span span, const char *text)
{
	return span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

static void a_head_is_read(void **state)
{
	static const char BYTES[] = "PUT /meshes/a%2Fb?x=1&y[z]=2 HTTP/1.1\r\n"
				    "hOsT: 127.0.0.1:80\r\nIf-Match:\t\"r42\" \r\n"
				    "Content-Length: 12\r\nExpect: 100-Continue\r\n"
				    "Empty:\r\n\r\nbody";
	struct http_head head;
	struct http_refusal refusal;

	(void)state;
	assert_int_equal(http_head_check(BYTES, sizeof(BYTES) - 1, &head, &refusal),
			 sizeof(BYTES) - 1 - 4);
	assert_true(span_is(head.method, "PUT"));
	assert_true(span_is(head.path, "/meshes/a%2Fb"));
	assert_true(span_is(head.query, "x=1&y[z]=2"));
	assert_true(span_is(head.host, "127.0.0.1:80"));
	assert_true(span_is(http_head_field(&head, "if-match"), "\"r42\""));
	assert_true(span_is(http_head_field(&head, "EMPTY"), ""));
	assert_null(http_head_field(&head, "absent").at);
	assert_int_equal(head.length, 12);
	assert_true(head.wants_continue && head.keep_alive && !head.chunked);
	for (size_t cut = 0; cut < sizeof(BYTES) - 5; cut++)
		assert_int_equal(check(BYTES, cut, &head, &refusal), 0);
}

static void connection_follows_version_and_header(void **state)
{
	static const struct {
		const char *bytes;
		bool keep;
	} CASES[] = {
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nHost:\r\nConnection: x , CLOSE\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nHost:\r\nConnection: closed\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
	};
	struct http_head head;
	struct http_refusal refusal;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		assert_true(check(CASES[i].bytes, strlen(CASES[i].bytes), &head,
				  &refusal) > 0);
		assert_int_equal(head.keep_alive, CASES[i].keep);
	}
}

static void sizes_are_bounded(void **state)
{
	struct http_head head;
	struct http_refusal refusal;
	struct zl_buf bytes = { 0 };

	(void)state;
	zl_buf_str(&bytes, "GET /");
	while (bytes.len < HTTP_LINE + 2)
		zl_buf_char(&bytes, 'a');
	assert_int_equal(check(bytes.data, bytes.len, &head, &refusal), -1);
	assert_int_equal(refusal.status, 414);
	zl_buf_free(&bytes);

	zl_buf_str(&bytes, GET HOST "X: ");
	while (bytes.len < HTTP_HEAD - 4)
		zl_buf_char(&bytes, 'a');
	assert_int_equal(check(bytes.data, bytes.len, &head, &refusal), 0);
	zl_buf_str(&bytes, "\r\n\r\n");
	assert_int_equal(check(bytes.data, bytes.len, &head, &refusal), HTTP_HEAD);
	bytes.data[bytes.len - 4] =
		'a'; /* one byte longer, so the end is past the limit */
	zl_buf_str(&bytes, "\r\n\r\n");
	memcpy(bytes.data + HTTP_HEAD - 4, "aaaa", 4);
	assert_int_equal(check(bytes.data, bytes.len, &head, &refusal), -1);
	assert_int_equal(refusal.status, 431);
	zl_buf_free(&bytes);

	zl_buf_str(&bytes, GET HOST);
	for (int i = 0; i < HTTP_FIELDS; i++)
		zl_buf_str(&bytes, "A: b\r\n");
	zl_buf_str(&bytes, "\r\n");
	assert_int_equal(check(bytes.data, bytes.len, &head, &refusal), -1);
	assert_int_equal(refusal.status, 431);
	zl_buf_free(&bytes);
}

/* Read a chunked body in pieces that the dice choose. Returns the status it ends with,
 * 0 if it needs more, 200 if it is complete and nothing is left. */
static unsigned chunked(const char *bytes, size_t limit, struct dice *dice,
			struct zl_buf *body)
{
	struct http_chunks chunks = { 0 };
	struct http_refusal refusal;
	size_t len = strlen(bytes), at = 0, end = 0;

	while (end < len) {
		end += 1 + dice_below(dice, len - end);
		long used = http_chunks_read(&chunks, bytes + at, end - at, body, limit,
					     &refusal);
		if (used < 0)
			return refusal.status;
		at += (size_t)used;
	}
	if (chunks.state == HTTP_CHUNK_DONE)
		return at == len ? 200 : 0;
	return 0;
}

static const char *chunk_cases(uint64_t seed)
{
	static const struct {
		const char *bytes, *body;
		unsigned status;
	} CASES[] = {
		{ "3\r\nabc\r\n0\r\n\r\n", "abc", 200 },
		{ "3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n", "abc0123456789",
		  200 },
		{ "0\r\n\r\n", "", 200 },
		{ "000\r\n\r\n", "", 200 },
		{ "3\r\nab", "ab", 0 },
		{ "0x3\r\nabc\r\n0\r\n\r\n", "", 400 },
		{ "+3\r\nabc\r\n0\r\n\r\n", "", 400 },
		{ "-3\r\nabc\r\n0\r\n\r\n", "", 400 },
		{ " 3\r\nabc\r\n0\r\n\r\n", "", 400 },
		{ "3 \r\nabc\r\n0\r\n\r\n", "", 400 },
		{ "3\nabc\r\n0\r\n\r\n", "", 400 },
		{ "3\r\nabcd\r\n0\r\n\r\n", "abc", 400 },
		{ "3\r\nabc\n0\r\n\r\n", "abc", 400 },
		{ "100000003\r\nabc\r\n0\r\n\r\n", "", 400 },
		{ "\r\nabc\r\n0\r\n\r\n", "", 400 },
		{ "11\r\n01234567890123456\r\n0\r\n\r\n", "", 413 },
		{ "f\r\n012345678901234\r\n2\r\nab\r\n", "012345678901234", 413 },
		{ "0\r\n folded\r\n\r\n", "", 400 },
		{ "0\r\nX y: z\r\n\r\n", "", 400 },
	};
	struct dice dice = { seed };

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct zl_buf body = { 0 };
		unsigned status = chunked(CASES[i].bytes, 16, &dice, &body);
		bool same = strcmp(zl_buf_text(&body), CASES[i].body) == 0;
		zl_buf_free(&body);
		if (status != CASES[i].status)
			return CASES[i].bytes;
		if (!same)
			return "body";
	}
	return NULL;
}

static void chunked_bodies(void **state)
{
	(void)state;
	seeds_run(200, chunk_cases);
}

static void chunk_lines_are_bounded(void **state)
{
	struct http_chunks chunks = { 0 };
	struct http_refusal refusal;
	struct zl_buf body = { 0 };
	char line[1024];

	(void)state;
	memset(line, 'a', sizeof(line));
	line[0] = '3';
	line[1] = ';';
	assert_int_equal(
		http_chunks_read(&chunks, line, sizeof(line), &body, 16, &refusal), -1);
	assert_int_equal(refusal.status, 400);

	/* One byte of data a chunk, each with an extension: more talk than body. */
	chunks = (struct http_chunks){ 0 };
	long used = 0;
	for (int i = 0; i < 100 && used >= 0; i++) {
		char chunk[128];
		int len = snprintf(chunk, sizeof(chunk), "1;%0100d\r\nx\r\n", i);
		used = http_chunks_read(&chunks, chunk, (size_t)len, &body, 1000,
					&refusal);
	}
	assert_int_equal(used, -1);
	zl_buf_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_heads_are_refused),
		cmocka_unit_test(a_head_is_read),
		cmocka_unit_test(connection_follows_version_and_header),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(chunked_bodies),
		cmocka_unit_test(chunk_lines_are_bounded),
	};
	return cmocka_run_group_tests_name("http/head", tests, NULL, NULL);
}
