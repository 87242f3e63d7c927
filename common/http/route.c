/* From a path to its route, with the path's and the query's words decoded. */
#include "http/inside.h"

#include <string.h>

enum { SEGMENTS = 16 };

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 0x20) - 'a' + 10;
}

/* UTF-8 (RFC 3629) without control characters. */
static bool is_clean(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		unsigned char c = at[i];
		size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xc2) || c > 0xf4 ||
		    len - i <= more)
			return false;
		unsigned char low = 0x80, high = 0xbf;
		if (c == 0xe0)
			low = 0xa0;
		else if (c == 0xed)
			high = 0x9f;
		else if (c == 0xf0)
			low = 0x90;
		else if (c == 0xf4)
			high = 0x8f;
		for (size_t j = 1; j <= more; j++, low = 0x80, high = 0xbf)
			if (at[i + j] < low || at[i + j] > high)
				return false;
		i += 1 + more;
	}
	return true;
}

/* Undo %-encoding, whose form the head's check has seen to. NULL: what comes out is not
 * clean. */
static const char *decode(struct zl_arena *arena, struct http_span span, bool plus)
{
	char *text = zl_arena_alloc(arena, span.len + 1, 1);
	size_t len = 0;

	for (size_t i = 0; i < span.len; i++) {
		char c = span.at[i];
		if (c == '%') {
			c = (char)(digit(span.at[i + 1]) << 4 | digit(span.at[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		text[len++] = c;
	}
	return is_clean(text, len) ? text : NULL;
}

/* The words of "/a/b": a, b. "/" has none. -1: too many, or one is not clean. */
static int split(struct http_request *req, struct http_span path,
		 const char *words[SEGMENTS])
{
	const char *at = path.at + 1;
	const char *end = path.at + path.len;
	int count = 0;

	if (at == end)
		return 0;
	for (;;) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		const char *stop = slash != NULL ? slash : end;
		if (count == SEGMENTS)
			return -1;
		words[count] = decode(
			req->arena, (struct http_span){ at, (size_t)(stop - at) }, false);
		if (words[count] == NULL || strcmp(words[count], ".") == 0 ||
		    strcmp(words[count], "..") == 0)
			return -1;
		count++;
		if (slash == NULL)
			return count;
		at = slash + 1;
	}
}

/* How many params pattern has if it fits the words, else -1; they go to req if it is not
 * NULL. */
static int fits(const char *pattern, const char *const *words, int count,
		struct http_request *req)
{
	int params = 0;
	const char *at = pattern + 1;

	if (req != NULL)
		req->param_count = 0;
	if (*at == '\0')
		return count == 0 ? 0 : -1;
	for (int i = 0; i < count; i++) {
		size_t len = strcspn(at, "/");
		if (*at == '{') {
			if (*words[i] == '\0')
				return -1;
			if (req != NULL)
				req->params[req->param_count++] = (struct http_pair){
					zl_arena_strndup(req->arena, at + 1, len - 2),
					words[i]
				};
			params++;
		} else if (strlen(words[i]) != len || memcmp(words[i], at, len) != 0) {
			return -1;
		}
		at += len;
		if (*at == '\0')
			return i + 1 == count ? params : -1;
		at++;
	}
	return -1;
}

static unsigned query_split(struct http_request *req, const char **why)
{
	const char *at = req->head.query.at;
	const char *end = at != NULL ? at + req->head.query.len : NULL;

	while (at < end) {
		const char *amp = memchr(at, '&', (size_t)(end - at));
		const char *stop = amp != NULL ? amp : end;
		const char *equals = memchr(at, '=', (size_t)(stop - at));
		const char *name_end = equals != NULL ? equals : stop;
		const char *value = equals != NULL ? equals + 1 : stop;
		if (stop > at) {
			struct http_pair pair = {
				decode(req->arena,
				       (struct http_span){ at, (size_t)(name_end - at) },
				       true),
				decode(req->arena,
				       (struct http_span){ value,
							   (size_t)(stop - value) },
				       true)
			};
			*why = "the query is not UTF-8 or holds control characters";
			if (pair.name == NULL || pair.value == NULL)
				return 400;
			*why = "the query has more than 64 arguments";
			if (req->arg_count == HTTP_ARGS)
				return 400;
			req->args[req->arg_count++] = pair;
		}
		at = stop + 1;
	}
	return 0;
}

static void allow_add(struct zl_buf *allow, const char *method)
{
	zl_buf_format(allow, "%s%s", allow->len > 0 ? ", " : "", method);
	if (strcmp(method, "GET") == 0)
		zl_buf_str(allow, ", HEAD");
}

unsigned http_route_find(struct http_request *req, const char **why, struct zl_buf *allow)
{
	const struct http_options *options = &req->server->options;
	const char *words[SEGMENTS];
	const char *method = req->is_head ? "GET" : req->method;
	int best = -1;

	*why = "the path is too long, not UTF-8, or holds control characters or dots";
	int count = split(req, req->head.path, words);
	if (count < 0)
		return 400;
	/* Of patterns that fit, the one with the fewest params is meant: /zones/_overview
	 * before /zones/{name}. */
	for (size_t i = 0; i < options->count; i++) {
		int params = fits(options->routes[i].pattern, words, count, NULL);
		if (params >= 0 && (best < 0 || params < best))
			best = params;
	}
	*why = "there is nothing at this path";
	if (best < 0)
		return 404;
	for (size_t i = 0; i < options->count; i++) {
		const struct http_route *route = &options->routes[i];
		if (fits(route->pattern, words, count, NULL) != best)
			continue;
		allow_add(allow, route->method);
		if (req->route == NULL && strcmp(route->method, method) == 0)
			req->route = route;
	}
	*why = "this path does not take this method";
	if (req->route == NULL)
		return 405;
	(void)fits(req->route->pattern, words, count, req);
	return query_split(req, why);
}
