/* base/log.h - one line per event, on standard error.
 *
 *   zl_log(ZL_WARN, "xds", "resource rejected", "proxy=%q type=%s", name, type);
 *
 * logfmt: ts=... level=warn component=xds msg="resource rejected" proxy="a" type=cds
 * json:   {"ts":"...","level":"warn","component":"xds","msg":"...","proxy":"a",...}
 *
 * The fields are a format of space-separated key=%d, %u, %lu, %lld, %zu, %s, or %q for
 * text that comes from outside and is quoted and escaped; NULL for none. Secrets are
 * never given to it. A line that cannot be written is lost: logging never blocks the
 * caller for long and never ends the process.
 *
 * Threads:  zl_log from any thread; the settings before threads start.
 */
#pragma once

#include <stdbool.h>

enum zl_level { ZL_ERROR, ZL_WARN, ZL_INFO, ZL_DEBUG };

/* Level and format names: "error", "warn", "info", "debug"; "logfmt", "json". False: not
 * one of them, nothing changed. The default is info and logfmt. */
bool zl_log_set_level(const char *name);
bool zl_log_set_format(const char *name);

/* True if a line of this level is written: to spare the work of making it. */
bool zl_log_on(enum zl_level level);

void zl_log(enum zl_level level, const char *component, const char *msg,
	    const char *fields, ...);
