/* Any bytes as a head and as a chunked body: nothing is read past them, and what is
 * taken is the same however it arrives. */
#include "http/head.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

static bool inside(struct http_span span, const char *bytes, size_t len)
{
	return span.at == NULL || (span.at >= bytes && span.at + span.len <= bytes + len);
}

static void as_head(const char *bytes, size_t len)
{
	struct http_head head;
	struct http_head again;
	struct http_refusal refusal = { 0, NULL };
	long used = http_head_check(bytes, len, &head, &refusal);

	if (used < 0)
		require(refusal.status >= 400 && refusal.why != NULL);
	if (used <= 0)
		return;
	require((size_t)used <= len && used <= HTTP_HEAD);
	require(!(head.chunked && head.length > 0));
	require(inside(head.method, bytes, len) && inside(head.path, bytes, len) &&
		inside(head.query, bytes, len) && inside(head.host, bytes, len));
	for (size_t i = 0; i < head.count; i++)
		require(inside(head.fields[i].name, bytes, len) &&
			inside(head.fields[i].value, bytes, len));
	/* It ends where it ends, whatever follows. */
	require(http_head_check(bytes, (size_t)used, &again, &refusal) == used);
	require(http_head_check(bytes, (size_t)used - 1, &again, &refusal) == 0);
}

/* Give the body in pieces of at most step bytes. */
static long as_chunks(const char *bytes, size_t len, size_t step, struct zl_buf *body)
{
	struct http_chunks chunks = { 0 };
	struct http_refusal refusal = { 0, NULL };
	size_t at = 0;

	for (size_t end = 0; end < len;) {
		end = len - end > step ? end + step : len;
		long used = http_chunks_read(&chunks, bytes + at, end - at, body, 4096,
					     &refusal);
		require(body->len <= 4096);
		if (used < 0)
			return -1;
		at += (size_t)used;
		require(at <= end);
	}
	return chunks.state == HTTP_CHUNK_DONE ? (long)at : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size > 0 ? size : 1);
	struct zl_buf whole = { 0 };
	struct zl_buf pieces = { 0 };

	if (size > 0)
		memcpy(bytes, data, size);
	as_head(bytes, size);
	long at_once = as_chunks(bytes, size, size + 1, &whole);
	long in_bytes = as_chunks(bytes, size, 1, &pieces);
	require(at_once == in_bytes);
	require(at_once <= 0 ||
		(whole.len == pieces.len &&
		 memcmp(zl_buf_text(&whole), zl_buf_text(&pieces), whole.len) == 0));
	zl_buf_free(&whole);
	zl_buf_free(&pieces);
	free(bytes);
	return 0;
}
