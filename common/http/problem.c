/* Statuses in words, and problem documents (RFC 9457, with the members that clients of
 * Kuma know: details and causes). */
#include "http/inside.h"

#include <string.h>

static const struct {
	unsigned status;
	const char *reason;
} REASONS[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

const char *http_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof(REASONS) / sizeof(REASONS[0]); i++)
		if (REASONS[i].status == status)
			return REASONS[i].reason;
	return "Status";
}

unsigned http_status(enum zl_code code)
{
	switch (code) {
	case ZL_OK:
		return 200;
	case ZL_EINVAL:
	case ZL_ESYNTAX:
		return 400;
	case ZL_EACCES:
		return 403;
	case ZL_ENOENT:
		return 404;
	case ZL_ECONFLICT:
		return 409;
	case ZL_ELIMIT:
		return 413;
	case ZL_EUNREACH:
	case ZL_ETIMEOUT:
		return 503;
	case ZL_ENOSPC:
		return 507;
	case ZL_ENOMEM:
	case ZL_ECORRUPT:
	case ZL_EIO:
		break;
	}
	return 500;
}

static void add_string(struct zl_buf *to, const char *text)
{
	zl_buf_char(to, '"');
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			zl_buf_format(to, "\\%c", c);
		else if (c == '\n')
			zl_buf_str(to, "\\n");
		else if (c < 0x20 || c == 0x7f)
			zl_buf_format(to, "\\u%04x", c);
		else
			zl_buf_char(to, (char)c);
	}
	zl_buf_char(to, '"');
}

static void add_member(struct zl_buf *to, const char *name, const char *text)
{
	zl_buf_format(to, ",\"%s\":", name);
	add_string(to, text);
}

/* A list of flaws; word is how its members call the reason. */
static void add_flaws(struct zl_buf *to, const char *name, const char *word,
		      const struct http_flaw *flaws, size_t count)
{
	zl_buf_format(to, ",\"%s\":[", name);
	for (size_t i = 0; i < count; i++) {
		zl_buf_str(to, i > 0 ? ",{\"field\":" : "{\"field\":");
		add_string(to, flaws[i].field);
		add_member(to, word, flaws[i].reason);
		if (flaws[i].document > 0)
			zl_buf_format(to, ",\"document\":%u", flaws[i].document);
		zl_buf_char(to, '}');
	}
	zl_buf_char(to, ']');
}

void http_problem_body(struct zl_buf *to, unsigned status, const char *title,
		       const char *detail, const char *id, const struct http_flaw *flaws,
		       size_t count)
{
	zl_buf_format(to, "{\"type\":\"/std-errors\",\"status\":%u", status);
	add_member(to, "title", title != NULL ? title : http_reason(status));
	add_member(to, "detail", detail);
	add_member(to, "instance", id);
	if (status == 400 || count > 0)
		add_flaws(to, "invalid_parameters", "reason", flaws, count);
	add_member(to, "details", detail);
	if (status == 400 || count > 0)
		add_flaws(to, "causes", "message", flaws, count);
	zl_buf_char(to, '}');
}
