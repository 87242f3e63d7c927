/* conf/ready.h - the first and the last thing a process does before it serves: its folder
 * and its ready file.
 *
 * Threads:  any.
 */
#pragma once

#include "base/err.h"
#include "conf/conf.h"

struct conf_ready {
	const char *role;                                        /* "global" or "zone" */
	const struct conf_addrs *api, *sync, *diagnostics, *xds; /* NULL: none */
};

/* {"pid":123,"role":"global","api":[...],"sync":[...],"diagnostics":[...],"xds":[...]},
 * written whole. Fails as conf_write_file. */
ZL_MUST_USE enum zl_code
conf_write_ready(const char *path, const struct conf_ready *ready, struct zl_err *err);

/* Make the folder with mode 0700, if it is not there. ZL_EACCES, ZL_ENOENT no such
 * parent, ZL_EINVAL there is something else of that name. */
ZL_MUST_USE enum zl_code conf_make_folder(const char *path, struct zl_err *err);
