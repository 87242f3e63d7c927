/* zone/xds/load.h - a LoadStatsRequest as it came, checked, and the answer to it.
 *
 * Threads:  any.  Lifetime: all that a report points to is in its arena.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "zone/xds/xds.h"

enum { XDS_LOAD_INTERVAL_S = 2 };

struct xds_report {
	const char *node; /* its id; NULL: the report has no node */
	const char *cluster;
	struct xds_load *loads;
	size_t count;
};

/* ZL_EINVAL damaged, text that is no UTF-8 or holds a NUL; ZL_ELIMIT too many clusters.
 */
ZL_MUST_USE enum zl_code xds_report_read(struct xds_report *report,
					 struct zl_arena *arena, const void *bytes,
					 size_t len, struct zl_err *err);

/* Add what is asked of the proxy to out, as a gRPC message: all clusters, every
 * XDS_LOAD_INTERVAL_S; detail: each endpoint as well. */
void xds_report_ask(struct zl_buf *out, bool detail);
