/* http/head.h - reads the head of a request, and chunked bodies, strictly.
 *
 * Whatever two readers could understand differently is refused: two lengths, a length
 * beside Transfer-Encoding, space before a colon, folded lines, bare LF or CR, NUL,
 * signs and prefixes before numbers, a missing Host. Pure: bytes in, spans out.
 *
 * Threads:  any.
 * Lifetime: spans point into the bytes that were read.
 */
#pragma once

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_span {
	const char *at;
	size_t len;
};

struct http_field {
	struct http_span name, value; /* value without space round it */
};

enum { HTTP_FIELDS = 100, HTTP_LINE = 8 << 10, HTTP_HEAD = 16 << 10 };

struct http_head {
	struct http_span method;      /* upper-case letters */
	struct http_span path, query; /* query without '?', at NULL if there was none */
	struct http_field fields[HTTP_FIELDS];
	size_t count;
	struct http_span host;
	uint64_t length; /* of the body; 0 if chunked */
	bool chunked;
	bool keep_alive;
	bool wants_continue; /* Expect: 100-continue */
};

/* Why a request is refused. */
struct http_refusal {
	unsigned status; /* 400, 414, 417, 431, 501, 505 */
	const char *why;
};

/* Read a head from the first bytes of a connection. Returns its length with the empty
 * line; 0: it is not complete; -1: *refusal says why it is none, however it goes on. */
long http_head_check(const char *data, size_t len, struct http_head *head,
		     struct http_refusal *refusal);

/* The value of the first field called name (in any case); at is NULL if there is none. */
struct http_span http_head_field(const struct http_head *head, const char *name);

/* Where a chunked body stands; zeroed at its start. */
struct http_chunks {
	enum {
		HTTP_CHUNK_SIZE,
		HTTP_CHUNK_DATA,
		HTTP_CHUNK_END,
		HTTP_CHUNK_TRAILER,
		HTTP_CHUNK_DONE
	} state;
	uint64_t left;       /* of the chunk */
	size_t trailer, ext; /* bytes of trailers and extensions so far: bounded */
};

/* Read on; data goes behind body, which takes up to limit bytes (else 413). Returns how
 * many bytes were used, the rest is to be given again with what follows; -1: refused. */
long http_chunks_read(struct http_chunks *chunks, const char *data, size_t len,
		      struct zl_buf *body, size_t limit, struct http_refusal *refusal);
