#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 8192 }; /* of a message before it is cut: one path may take 4096 */

static bool is_utf8_tail(char byte)
{
	return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Copy text into err->msg; what does not fit is taken out of the middle, between two
 * UTF-8 characters. */
static void keep(struct zl_err *err, const char *text)
{
	const size_t room = sizeof(err->msg);
	size_t len = strlen(text);

	if (len < room) {
		memcpy(err->msg, text, len + 1);
		return;
	}

	size_t head = (room - sizeof("...")) / 2;
	const char *tail = text + len - head;
	while (head > 0 && is_utf8_tail(text[head]))
		head--;
	while (is_utf8_tail(*tail))
		tail++;
	(void)snprintf(err->msg, room, "%.*s...%s", (int)head, text, tail);
}

enum zl_code zl_fail(struct zl_err *err, enum zl_code code, const char *fmt, ...)
{
	char text[LONGEST];
	va_list ap;

	assert(code != ZL_OK);
	if (err == NULL)
		return code;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err->code = code;
	keep(err, text);
	return code;
}

void zl_wrap(struct zl_err *err, const char *fmt, ...)
{
	char text[LONGEST + sizeof(err->msg) + 2];
	va_list ap;

	if (err == NULL)
		return;
	assert(err->code != ZL_OK);
	va_start(ap, fmt);
	(void)vsnprintf(text, LONGEST, fmt, ap);
	va_end(ap);
	size_t len = strlen(text);
	(void)snprintf(text + len, sizeof(text) - len, ": %s", err->msg);
	keep(err, text);
}

#define ZL_CODE_TEXT(code, text) [code] = (text),

const char *zl_code_text(enum zl_code code)
{
	static const char *const TEXT[] = { ZL_CODES(ZL_CODE_TEXT) };

	assert(code < sizeof(TEXT) / sizeof(TEXT[0]));
	return TEXT[code];
}

enum zl_code zl_code_from_errno(int number)
{
	static const struct {
		int number;
		enum zl_code code;
	} MAP[] = {
		{ 0, ZL_OK },
		{ ENOMEM, ZL_ENOMEM },
		{ EINVAL, ZL_EINVAL },
		{ ENOENT, ZL_ENOENT },
		{ EACCES, ZL_EACCES },
		{ EPERM, ZL_EACCES },
		{ EROFS, ZL_EACCES },
		{ ENOSPC, ZL_ENOSPC },
		{ EDQUOT, ZL_ENOSPC },
		{ EMFILE, ZL_ELIMIT },
		{ ENFILE, ZL_ELIMIT },
		{ ETIMEDOUT, ZL_ETIMEOUT },
		{ ECONNREFUSED, ZL_EUNREACH },
		{ ECONNRESET, ZL_EUNREACH },
		{ EHOSTUNREACH, ZL_EUNREACH },
		{ ENETUNREACH, ZL_EUNREACH },
		{ EPIPE, ZL_EUNREACH },
	};

	for (size_t i = 0; i < sizeof(MAP) / sizeof(MAP[0]); i++)
		if (MAP[i].number == number)
			return MAP[i].code;
	return ZL_EIO;
}
