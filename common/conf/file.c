/* A configuration file: YAML of nested maps, scalars and lists of scalars. */
#include "conf/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

enum { MOST_BYTES = 256 << 10, MOST_LINES = 1000, MOST_DEPTH = 8 };

struct reader {
	const char *path;
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	struct zl_arena *arena;
	struct conf_lines *lines;
	const char **names; /* owned: of all keys and groups met, against doubles */
	size_t count;
	struct zl_err *err;
};

static enum zl_code refuse(const struct reader *reader, const char *what)
{
	const yaml_mark_t *at = &reader->event.start_mark;

	return zl_fail(reader->err, ZL_ESYNTAX, "%s:%zu:%zu: %s", reader->path,
		       at->line + 1, at->column + 1, what);
}

/* Step to the next event. */
static enum zl_code next(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;

	yaml_event_delete(&reader->event);
	if (yaml_parser_parse(&reader->parser, &reader->event))
		return ZL_OK;
	memset(&reader->event, 0, sizeof(reader->event));
	if (parser->error == YAML_READER_ERROR)
		return zl_fail(reader->err, ZL_ESYNTAX, "%s: byte %zu: %s", reader->path,
			       parser->problem_offset, parser->problem);
	return zl_fail(reader->err, ZL_ESYNTAX, "%s:%zu:%zu: %s", reader->path,
		       parser->problem_mark.line + 1, parser->problem_mark.column + 1,
		       parser->problem != NULL ? parser->problem : "no YAML");
}

/* The scalar that is the current event, as text. */
static enum zl_code scalar(struct reader *reader, const char **text)
{
	const yaml_event_t *event = &reader->event;

	if (event->type != YAML_SCALAR_EVENT)
		return refuse(reader, event->type == YAML_ALIAS_EVENT
					      ? "aliases are not used here"
					      : "must be a single value");
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL)
		return refuse(reader, "anchors and tags are not used here");
	if (memchr(value, '\0', len) != NULL)
		return refuse(reader, "a value holds a NUL character");
	bool is_null = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		       (strcmp(value, "~") == 0 || strcmp(value, "null") == 0);
	*text = zl_arena_strndup(reader->arena, value, is_null ? 0 : len);
	return ZL_OK;
}

static void keep(struct reader *reader, const char *name, const char *text, size_t line,
		 bool is_list)
{
	struct conf_lines *lines = reader->lines;

	if (lines->count == lines->capacity) {
		lines->capacity = lines->capacity > 0 ? 2 * lines->capacity : 16;
		lines->items =
			zl_realloc(lines->items, lines->capacity, sizeof(*lines->items));
	}
	lines->items[lines->count++] =
		(struct conf_line){ name, text, (unsigned)line + 1, is_list };
}

static enum zl_code read_list(struct reader *reader, const char *name)
{
	const char *all = "";
	const char *one = "";
	size_t line = reader->event.start_mark.line;
	enum zl_code code;

	if ((code = next(reader)) != ZL_OK)
		return code;
	while (reader->event.type != YAML_SEQUENCE_END_EVENT) {
		if ((code = scalar(reader, &one)) != ZL_OK)
			return code;
		all = *all == '\0' ? one
				   : zl_arena_format(reader->arena, "%s,%s", all, one);
		if ((code = next(reader)) != ZL_OK)
			return code;
	}
	keep(reader, name, all, line, true);
	return ZL_OK;
}

/* Note name; it must be new. */
static enum zl_code meet(struct reader *reader, const char *name)
{
	for (size_t i = 0; i < reader->count; i++)
		if (strcmp(reader->names[i], name) == 0)
			return refuse(reader, "this key was given before");
	if (reader->count == MOST_LINES)
		return refuse(reader, "too many keys");
	reader->names[reader->count++] = name;
	return ZL_OK;
}

/* From a mapping's start to its end; prefix is "" or ends with a dot. */
static enum zl_code read_map(struct reader *reader, const char *prefix, int depth)
{
	const char *key = "";
	const char *text = "";
	enum zl_code code;

	if (depth > MOST_DEPTH)
		return refuse(reader, "nested too deeply");
	for (;;) {
		if ((code = next(reader)) != ZL_OK)
			return code;
		if (reader->event.type == YAML_MAPPING_END_EVENT)
			return ZL_OK;
		if ((code = scalar(reader, &key)) != ZL_OK)
			return code;
		const char *name = zl_arena_format(reader->arena, "%s%s", prefix, key);
		size_t line = reader->event.start_mark.line;
		if ((code = meet(reader, name)) != ZL_OK ||
		    (code = next(reader)) != ZL_OK)
			return code;

		if (reader->event.type == YAML_MAPPING_START_EVENT) {
			name = zl_arena_format(reader->arena, "%s.", name);
			code = read_map(reader, name, depth + 1);
		} else if (reader->event.type == YAML_SEQUENCE_START_EVENT) {
			code = read_list(reader, name);
		} else {
			code = scalar(reader, &text);
			if (code == ZL_OK)
				keep(reader, name, text, line, false);
		}
		if (code != ZL_OK)
			return code;
	}
}

/* One document or none. */
static enum zl_code read_stream(struct reader *reader)
{
	const char *text = "";
	enum zl_code code;

	do { /* the stream's start and, if there is one, the document's */
		if ((code = next(reader)) != ZL_OK)
			return code;
		if (reader->event.type == YAML_STREAM_END_EVENT)
			return ZL_OK;
	} while (reader->event.type == YAML_STREAM_START_EVENT ||
		 reader->event.type == YAML_DOCUMENT_START_EVENT);

	if (reader->event.type == YAML_MAPPING_START_EVENT)
		code = read_map(reader, "", 1);
	else if (reader->event.type == YAML_SCALAR_EVENT &&
		 scalar(reader, &text) == ZL_OK && *text == '\0')
		code = ZL_OK; /* nothing but comments */
	else
		code = refuse(reader, "must be a map of keys");

	if (code != ZL_OK || (code = next(reader)) != ZL_OK || /* document's end */
	    (code = next(reader)) != ZL_OK)
		return code;
	if (reader->event.type != YAML_STREAM_END_EVENT)
		return refuse(reader, "holds a second document");
	return ZL_OK;
}

enum zl_code conf_parse(const char *name, const char *data, size_t len,
			struct zl_arena *arena, struct conf_lines *lines,
			struct zl_err *err)
{
	struct reader reader = {
		.path = name, .arena = arena, .lines = lines, .err = err
	};

	*lines = (struct conf_lines){ 0 };
	if (len > MOST_BYTES)
		return zl_fail(err, ZL_ELIMIT, "%s: is larger than %d KiB", name,
			       MOST_BYTES >> 10);
	if (!yaml_parser_initialize(&reader.parser))
		abort(); /* fails only without memory */
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)data, len);
	reader.names = zl_alloc(MOST_LINES, sizeof(*reader.names));

	enum zl_code code = read_stream(&reader);
	yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	free(reader.names);
	if (code != ZL_OK) {
		free(lines->items);
		*lines = (struct conf_lines){ 0 };
	}
	return code;
}

/* Open a regular file and read up to size bytes of it. -1: errno says why not. */
static ssize_t slurp(const char *path, char *data, size_t size)
{
	struct stat info;
	ssize_t len = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hang */

	if (fd < 0)
		return -1;
	if (fstat(fd, &info) == 0 && !S_ISREG(info.st_mode))
		errno = EISDIR;
	else
		len = read(fd, data, size);
	int number = errno;
	close(fd);
	errno = number;
	return len;
}

enum zl_code conf_file(const char *path, struct zl_arena *arena, struct conf_lines *lines,
		       struct zl_err *err)
{
	enum zl_code code;
	char *data = zl_alloc(MOST_BYTES + 1, 1);
	ssize_t len = slurp(path, data, MOST_BYTES + 1);

	*lines = (struct conf_lines){ 0 };
	if (len >= 0)
		code = conf_parse(path, data, (size_t)len, arena, lines, err);
	else if (errno == EISDIR)
		code = zl_fail(err, ZL_EIO, "%s: is not a file", path);
	else
		code = zl_fail(err, zl_code_from_errno(errno), "%s: %m", path);
	free(data);
	return code;
}
