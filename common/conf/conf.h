/* conf/conf.h - configuration and command line of a process, from one table of keys.
 *
 * A process describes its keys in a table and has a struct for the values. A value comes
 * from, the later the stronger: the table, the file (YAML, nested maps), the environment
 * (zone.name is ZONELINK_ZONE_NAME), --set zone.name=east. The table also makes --help,
 * --print-config and the messages.
 *
 * Threads:  any, one at a time; reads the environment.
 * Lifetime: texts and lists in the values belong to struct conf.
 */
#pragma once

#include "base/addr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The type of a key, and of its field in the struct of values. */
enum conf_type {
	CONF_TEXT,  /* const char *; NULL if nobody gave one */
	CONF_LABEL, /* the same; an RFC 1035 label */
	CONF_ENUM,  /* the same; one of values */
	CONF_ADDRS, /* struct conf_addrs: a YAML list, or text with commas */
	CONF_BOOL,  /* bool: true, false */
	CONF_INT,   /* int64_t, min to max */
	CONF_MS,    /* uint64_t, min to max: 250ms, 5s, 2m, 1h */
	CONF_BYTES, /* uint64_t, min to max: 4096, 64KiB, 1MiB, 2GiB */
};

struct conf_addrs {
	struct zl_addr *items;
	size_t count;
};

struct conf_key {
	const char *name; /* dotted */
	enum conf_type type;
	size_t offset;             /* of the field */
	const char *fallback;      /* as --set takes it; NULL: none */
	bool required;             /* without a value the process does not start */
	int64_t min, max;          /* both 0: no limit but the type's */
	const char *const *values; /* of a CONF_ENUM, NULL behind the last */
	const char *help;          /* one line */
};

struct conf_program {
	const char *name;         /* "zonelink-zone" */
	const char *about;        /* one line for --help */
	const char *default_file; /* read if it is there and --config is not; or NULL */
	const struct conf_key *keys;
	size_t count;
	size_t size; /* of the struct of values */
};

struct conf;

/* Exit statuses; CONF_GO: go on and run. */
enum { CONF_GO = -1, CONF_DONE = 0, CONF_USAGE = 2, CONF_INVALID = 3, CONF_SYNTAX = 10 };

/* Read the command line and all sources into *values. CONF_GO: *out is the caller's.
 * Anything else is the status to exit with; what had to be said was printed (help,
 * version, config: standard output; failures: standard error), and *out is NULL. */
ZL_MUST_USE int conf_load(struct conf **out, const struct conf_program *program, int argc,
			  char *const *argv, void *values);

/* Read the same sources again, for a reload. On failure *out is NULL and *values
 * unchanged: ZL_EINVAL a value, ZL_ESYNTAX the file's form, or why it cannot be read. */
ZL_MUST_USE enum zl_code conf_reload(const struct conf *old, struct conf **out,
				     void *values, struct zl_err *err);

void conf_free(struct conf **confp);

/* --ready-file, or NULL. Borrowed. */
const char *conf_ready_file(const struct conf *conf);

/* Write text to path whole or not at all: a new file, renamed over it. */
ZL_MUST_USE enum zl_code conf_write_file(const char *path, const char *text,
					 struct zl_err *err);

/* Print "key: value  # origin" for each key. */
void conf_print(const struct conf *conf, FILE *to);
