/* conf/parts.h - the pieces conf.c is put together from.
 *
 * Threads:  one at a time.
 * Lifetime: what is returned lives in the arena that is given.
 */
#pragma once

#include "base/mem.h"
#include "conf/conf.h"

/* value.c: text as key's type, into its field of values. The message says what is wrong
 * with the value, not where it came from. */
ZL_MUST_USE enum zl_code conf_value(const struct conf_key *key, const char *text,
				    struct zl_arena *arena, void *values,
				    struct zl_err *err);

/* What a value of key looks like: "true or false", "1 to 65535". */
const char *conf_form(const struct conf_key *key, struct zl_arena *arena);

/* names.c: the key that is called name, NULL if there is none. */
const struct conf_key *conf_find(const struct conf_program *program, const char *name);

/* names.c: a message about a name that is no key, with the one that was probably meant.
 */
enum zl_code conf_unknown(const struct conf_program *program, const char *name,
			  struct zl_err *err);

/* file.c: what a YAML file holds, flat: nested names joined by dots, lists by commas. */
struct conf_line {
	const char *name, *text;
	unsigned line;
	bool is_list;
};
struct conf_lines {
	struct conf_line *items; /* owned; free() */
	size_t count, capacity;
};
/* ZL_ESYNTAX with line and column, or why path cannot be read; lines is then empty. */
ZL_MUST_USE enum zl_code conf_file(const char *path, struct zl_arena *arena,
				   struct conf_lines *lines, struct zl_err *err);
/* The same of bytes in memory; name stands in messages. */
ZL_MUST_USE enum zl_code conf_parse(const char *name, const char *data, size_t len,
				    struct zl_arena *arena, struct conf_lines *lines,
				    struct zl_err *err);

/* help.c: the text of --help. */
void conf_help(const struct conf_program *program, FILE *to);
