#include "http/head.h"

#include <string.h>
#include <strings.h>

/* RFC 9110 5.6.2 */
static bool is_token(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_hex(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_text(unsigned char c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static bool span_is(struct http_span span, const char *text)
{
	return span.len == strlen(text) && strncasecmp(span.at, text, span.len) == 0;
}

static long refuse(struct http_refusal *refusal, unsigned status, const char *why)
{
	*refusal = (struct http_refusal){ status, why };
	return -1;
}

/* A line up to its CRLF. Returns its length with CRLF; 0: not complete; -1: a CR or LF
 * by itself. */
static long line_read(const char *data, size_t len, struct http_span *line,
		      struct http_refusal *refusal)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n')
			return refuse(refusal, 400, "a line ends with LF, not CRLF");
		if (data[i] != '\r')
			continue;
		if (i + 1 == len)
			return 0;
		if (data[i + 1] != '\n')
			return refuse(refusal, 400, "a CR stands without LF");
		*line = (struct http_span){ data, i };
		return (long)i + 2;
	}
	return 0;
}

static bool is_version(struct http_span span)
{
	return span.len == 8 && memcmp(span.at, "HTTP/", 5) == 0 && span.at[5] >= '0' &&
	       span.at[5] <= '9' && span.at[6] == '.' && span.at[7] >= '0' &&
	       span.at[7] <= '9';
}

/* The characters of RFC 3986, and in the query '[' and ']', which browsers send bare. */
static bool target_is_clean(const char *at, size_t len)
{
	bool in_query = false;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)at[i];
		if (c == '%') {
			if (len - i < 3 || !is_hex((unsigned char)at[i + 1]) ||
			    !is_hex((unsigned char)at[i + 2]))
				return false;
		} else if (c == '?') {
			in_query = true;
		} else if (c == '[' || c == ']') {
			if (!in_query)
				return false;
		} else if (c <= 0x20 || c >= 0x7f || strchr("\"#<>\\^`{|}", c) != NULL) {
			return false;
		}
	}
	return true;
}

static long target_read(struct http_span target, struct http_head *head,
			struct http_refusal *refusal)
{
	if (target.len == 0 || target.at[0] != '/')
		return refuse(refusal, 400, "the target must begin with '/'");
	if (!target_is_clean(target.at, target.len))
		return refuse(refusal, 400,
			      "the target holds a character that must be %-encoded, or a "
			      "bad %-encoding");
	const char *mark = memchr(target.at, '?', target.len);
	head->path = target;
	if (mark != NULL) {
		head->path.len = (size_t)(mark - target.at);
		head->query =
			(struct http_span){ mark + 1, target.len - head->path.len - 1 };
	}
	return 0;
}

/* "METHOD SP target SP HTTP/1.x" */
static long request_line(struct http_span line, struct http_head *head,
			 struct http_refusal *refusal)
{
	const char *end = line.at + line.len;
	size_t method = 0;

	while (method < line.len && line.at[method] >= 'A' && line.at[method] <= 'Z')
		method++;
	if (method == 0 || method > 16 || method == line.len || line.at[method] != ' ')
		return refuse(refusal, 400,
			      "the request line must begin with a method and one space");
	head->method = (struct http_span){ line.at, method };

	const char *target = line.at + method + 1;
	const char *space = memchr(target, ' ', (size_t)(end - target));
	if (space == NULL)
		return refuse(refusal, 400, "the request line has no HTTP version");
	struct http_span version = { space + 1, (size_t)(end - space - 1) };
	if (!is_version(version))
		return refuse(refusal, 400,
			      "the request line must be METHOD TARGET HTTP/1.1");
	if (version.at[5] != '1')
		return refuse(refusal, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	head->keep_alive = version.at[7] != '0';
	return target_read((struct http_span){ target, (size_t)(space - target) }, head,
			   refusal);
}

/* "name: value" */
static long field_read(struct http_span line, struct http_field *field,
		       struct http_refusal *refusal)
{
	const char *colon = memchr(line.at, ':', line.len);

	if (line.at[0] == ' ' || line.at[0] == '\t')
		return refuse(refusal, 400, "a header is folded over two lines");
	if (colon == NULL || colon == line.at)
		return refuse(refusal, 400, "a header must be NAME: VALUE");
	field->name = (struct http_span){ line.at, (size_t)(colon - line.at) };
	for (size_t i = 0; i < field->name.len; i++)
		if (!is_token((unsigned char)field->name.at[i]))
			return refuse(refusal, 400,
				      "a header's name holds a space or another "
				      "character that may not be there");

	const char *from = colon + 1;
	const char *end = line.at + line.len;
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	field->value = (struct http_span){ from, (size_t)(end - from) };
	for (const char *c = from; c < end; c++)
		if (!is_text((unsigned char)*c))
			return refuse(refusal, 400,
				      "a header's value holds a control character");
	return 0;
}

/* Digits and nothing else; 18 of them cannot overflow. */
static bool number_read(struct http_span span, uint64_t *number)
{
	if (span.len == 0 || span.len > 18)
		return false;
	*number = 0;
	for (size_t i = 0; i < span.len; i++) {
		if (span.at[i] < '0' || span.at[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(span.at[i] - '0');
	}
	return true;
}

static bool host_is_clean(struct http_span host)
{
	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.at[i];
		if (c <= 0x20 || c >= 0x7f || strchr("\"#/<>?@\\^`{|}", c) != NULL)
			return false;
	}
	return true;
}

/* True if the comma-separated list holds word. */
static bool list_has(struct http_span list, const char *word)
{
	const char *at = list.at;
	const char *end = list.at + list.len;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;
		struct http_span one = { at, (size_t)(stop - at) };
		while (one.len > 0 && (one.at[0] == ' ' || one.at[0] == '\t')) {
			one.at++;
			one.len--;
		}
		while (one.len > 0 &&
		       (one.at[one.len - 1] == ' ' || one.at[one.len - 1] == '\t'))
			one.len--;
		if (span_is(one, word))
			return true;
		at = stop + 1;
	}
	return false;
}

/* What framing hangs on, each at most once. */
struct seen {
	unsigned hosts, lengths, codings;
};

static long field_weigh(const struct http_field *field, bool is_1_0,
			struct http_head *head, struct seen *seen,
			struct http_refusal *refusal)
{
	if (span_is(field->name, "host")) {
		if (++seen->hosts > 1)
			return refuse(refusal, 400, "Host is given twice");
		if (!host_is_clean(field->value))
			return refuse(refusal, 400, "Host is no host");
		head->host = field->value;
	} else if (span_is(field->name, "content-length")) {
		if (++seen->lengths > 1)
			return refuse(refusal, 400, "Content-Length is given twice");
		if (!number_read(field->value, &head->length))
			return refuse(refusal, 400, "Content-Length is no number");
	} else if (span_is(field->name, "transfer-encoding")) {
		if (++seen->codings > 1)
			return refuse(refusal, 400, "Transfer-Encoding is given twice");
		if (is_1_0)
			return refuse(refusal, 400,
				      "HTTP/1.0 knows no Transfer-Encoding");
		if (!span_is(field->value, "chunked"))
			return refuse(refusal, 501,
				      "the only Transfer-Encoding here is chunked");
		head->chunked = true;
	} else if (span_is(field->name, "expect")) {
		if (!span_is(field->value, "100-continue"))
			return refuse(refusal, 417, "the only Expect is 100-continue");
		head->wants_continue = !is_1_0;
	} else if (span_is(field->name, "connection")) {
		if (list_has(field->value, "close"))
			head->keep_alive = false;
		else if (is_1_0 && list_has(field->value, "keep-alive"))
			head->keep_alive = true;
	}
	return 0;
}

/* The fields, from after the request line to the empty line. Returns as
 * http_head_check, counted from data. */
static long fields_read(const char *data, size_t len, bool is_1_0, struct http_head *head,
			struct http_refusal *refusal)
{
	struct seen seen = { 0 };
	size_t at = 0;

	for (;;) {
		struct http_span line;
		long used = line_read(data + at, len - at, &line, refusal);
		if (used <= 0)
			return used;
		at += (size_t)used;
		if (line.len == 0)
			break;
		if (head->count == HTTP_FIELDS)
			return refuse(refusal, 431, "more than 100 headers");
		struct http_field *field = &head->fields[head->count++];
		if (field_read(line, field, refusal) < 0 ||
		    field_weigh(field, is_1_0, head, &seen, refusal) < 0)
			return -1;
	}
	if (seen.hosts == 0 && !is_1_0)
		return refuse(refusal, 400, "Host is missing");
	if (seen.lengths > 0 && seen.codings > 0)
		return refuse(refusal, 400, "Content-Length beside Transfer-Encoding");
	return (long)at;
}

long http_head_check(const char *data, size_t len, struct http_head *head,
		     struct http_refusal *refusal)
{
	struct http_span line;
	size_t shown = len < HTTP_HEAD ? len : HTTP_HEAD;

	head->count = 0;
	head->query = head->host = (struct http_span){ NULL, 0 };
	head->length = 0;
	head->chunked = head->wants_continue = false;

	if (shown > 0 &&
	    (data[0] < 'A' || data[0] > 'Z')) /* do not wait for a line end */
		return refuse(
			refusal, 400,
			"this is no HTTP request (TLS, perhaps, where plain text is "
			"spoken?)");
	long first = line_read(data, shown, &line, refusal);
	if (first == 0 && shown > HTTP_LINE)
		return refuse(refusal, 414, "the request line is over 8 KiB");
	if (first <= 0)
		return first;
	if (first > HTTP_LINE)
		return refuse(refusal, 414, "the request line is over 8 KiB");
	if (request_line(line, head, refusal) < 0)
		return -1;

	bool is_1_0 = line.at[line.len - 1] == '0';
	long rest =
		fields_read(data + first, shown - (size_t)first, is_1_0, head, refusal);
	if (rest == 0 && shown == HTTP_HEAD)
		return refuse(refusal, 431, "the head is over 16 KiB");
	return rest > 0 ? first + rest : rest;
}

struct http_span http_head_field(const struct http_head *head, const char *name)
{
	for (size_t i = 0; i < head->count; i++)
		if (span_is(head->fields[i].name, name))
			return head->fields[i].value;
	return (struct http_span){ NULL, 0 };
}

/* Chunked bodies. */

enum { SIZE_LINE = 256, EXTENSIONS = 4096 };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 0x20) - 'a' + 10;
}

/* "size[;extension]" */
static long size_line(struct http_chunks *chunks, struct http_span line,
		      struct http_refusal *refusal)
{
	size_t digits = 0;

	chunks->left = 0;
	while (digits < line.len && is_hex((unsigned char)line.at[digits]))
		chunks->left = chunks->left << 4 | (unsigned)hex_digit(line.at[digits++]);
	if (digits == 0 || digits > 8)
		return refuse(refusal, 400, "a chunk's size is no hexadecimal number");
	if (digits < line.len && line.at[digits] != ';')
		return refuse(refusal, 400, "a chunk's size is followed by something");
	for (size_t i = digits; i < line.len; i++)
		if (!is_text((unsigned char)line.at[i]))
			return refuse(refusal, 400,
				      "a chunk extension holds a control "
				      "character");
	chunks->ext += line.len - digits;
	if (chunks->ext > EXTENSIONS)
		return refuse(refusal, 400, "too many chunk extensions");
	chunks->state = chunks->left > 0 ? HTTP_CHUNK_DATA : HTTP_CHUNK_TRAILER;
	return 0;
}

/* The line that begins at data, or part of it: at most most bytes. */
static long bounded_line(const char *data, size_t len, size_t most,
			 struct http_span *line, struct http_refusal *refusal)
{
	long used = line_read(data, len, line, refusal);

	if ((used == 0 && len > most) || used > (long)most)
		return refuse(refusal, 400, "a line of the chunked body is too long");
	return used;
}

static long trailer_line(struct http_chunks *chunks, struct http_span line,
			 struct http_refusal *refusal)
{
	struct http_field field;

	if (line.len == 0) {
		chunks->state = HTTP_CHUNK_DONE;
		return 0;
	}
	chunks->trailer += line.len;
	if (chunks->trailer > HTTP_HEAD)
		return refuse(refusal, 431, "the trailers are over 16 KiB");
	return field_read(line, &field, refusal);
}

/* One step; returns the bytes it used, 0 if it needs more. */
static long chunk_step(struct http_chunks *chunks, const char *data, size_t len,
		       struct zl_buf *body, size_t limit, struct http_refusal *refusal)
{
	struct http_span line;
	size_t take;
	long used;

	switch (chunks->state) {
	case HTTP_CHUNK_SIZE:
		used = bounded_line(data, len, SIZE_LINE, &line, refusal);
		if (used > 0 && size_line(chunks, line, refusal) < 0)
			return -1;
		return used;
	case HTTP_CHUNK_DATA:
		if (chunks->left > limit - body->len)
			return refuse(refusal, 413, "the body is over the limit");
		take = chunks->left < len ? (size_t)chunks->left : len;
		zl_buf_add(body, data, take);
		chunks->left -= take;
		if (chunks->left == 0)
			chunks->state = HTTP_CHUNK_END;
		return (long)take;
	case HTTP_CHUNK_END:
		used = line_read(data, len < 2 ? len : 2, &line, refusal);
		if (used == 0 && len >= 2)
			return refuse(refusal, 400, "a chunk is longer than its size");
		if (used > 0)
			chunks->state = HTTP_CHUNK_SIZE;
		return used;
	case HTTP_CHUNK_TRAILER:
		used = bounded_line(data, len, HTTP_LINE, &line, refusal);
		if (used > 0 && trailer_line(chunks, line, refusal) < 0)
			return -1;
		return used;
	case HTTP_CHUNK_DONE:
		break;
	}
	return 0;
}

long http_chunks_read(struct http_chunks *chunks, const char *data, size_t len,
		      struct zl_buf *body, size_t limit, struct http_refusal *refusal)
{
	size_t at = 0;
	long used;

	while (at < len && chunks->state != HTTP_CHUNK_DONE) {
		used = chunk_step(chunks, data + at, len - at, body, limit, refusal);
		if (used < 0)
			return -1;
		if (used == 0)
			break;
		at += (size_t)used;
	}
	return (long)at;
}
