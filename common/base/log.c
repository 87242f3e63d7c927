#include "base/log.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Set before threads start, then only read. */
static enum zl_level threshold = ZL_INFO;
static bool as_json = false;

static const char *const LEVELS[] = { "error", "warn", "info", "debug" };

bool zl_log_set_level(const char *name)
{
	for (int i = 0; i < 4; i++) {
		if (strcmp(name, LEVELS[i]) == 0) {
			threshold = (enum zl_level)i;
			return true;
		}
	}
	return false;
}

bool zl_log_set_format(const char *name)
{
	if (strcmp(name, "json") != 0 && strcmp(name, "logfmt") != 0)
		return false;
	as_json = strcmp(name, "json") == 0;
	return true;
}

bool zl_log_on(enum zl_level level)
{
	return level <= threshold;
}

static void quote(struct zl_buf *line, const char *text)
{
	zl_buf_char(line, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			zl_buf_format(line, "\\%c", *text);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			zl_buf_format(line, "\\u%04x", (unsigned)*text);
		else
			zl_buf_char(line, *text);
	}
	zl_buf_char(line, '"');
}

/* One value of fields; at stands behind the %. Returns what follows it. */
static const char *value(struct zl_buf *line, const char *at, va_list *ap)
{
	size_t n = strcspn(at, "sqduc");
	char kind = at[n];

	if (kind == 'q' || kind == 's') {
		const char *text = va_arg(*ap, const char *);
		if (text == NULL)
			text = "";
		if (kind == 'q' || as_json)
			quote(line, text);
		else
			zl_buf_str(line, text);
	} else if (n >= 2 || (n == 1 && (at[0] == 'z' || at[0] == 'l'))) {
		unsigned long long number = va_arg(*ap, unsigned long long);
		if (kind == 'd')
			zl_buf_format(line, "%lld", (long long)number);
		else
			zl_buf_format(line, "%llu", number);
	} else if (kind == 'd') {
		zl_buf_format(line, "%d", va_arg(*ap, int));
	} else {
		zl_buf_format(line, "%u", va_arg(*ap, unsigned));
	}
	return at + n + 1;
}

static void add_fields(struct zl_buf *line, const char *at, va_list *ap)
{
	while (*at != '\0') {
		size_t key = strcspn(at, "=");
		assert(at[key] == '=' && at[key + 1] == '%');
		if (as_json)
			zl_buf_format(line, ",\"%.*s\":", (int)key, at);
		else
			zl_buf_format(line, " %.*s=", (int)key, at);
		at = value(line, at + key + 2, ap);
		while (*at == ' ')
			at++;
	}
}

void zl_log(enum zl_level level, const char *component, const char *msg,
	    const char *fields, ...)
{
	struct zl_buf line = { 0 };
	char now[ZL_TIME_TEXT];
	va_list ap;

	if (!zl_log_on(level))
		return;
	zl_time_text(zl_wall_us(), now);
	zl_buf_format(&line,
		      as_json ? "{\"ts\":\"%s\",\"level\":\"%s\",\"component\":\"%s\","
				"\"msg\":"
			      : "ts=%s level=%s component=%s msg=",
		      now, LEVELS[level], component);
	quote(&line, msg);
	if (fields != NULL) {
		va_start(ap, fields);
		add_fields(&line, fields, &ap);
		va_end(ap);
	}
	zl_buf_str(&line, as_json ? "}\n" : "\n");
	ssize_t wrote = write(STDERR_FILENO, line.data, line.len);
	(void)wrote; /* a log that cannot be written must not stop the service */
	zl_buf_free(&line);
}
