/* zone/xds/logs.h - OTLP's ExportLogsServiceRequest: records of access logs.
 *
 * Threads:  any.  Lifetime: a record is borrowed until each returns.
 */
#pragma once

#include "base/err.h"
#include "zone/xds/xds.h"

/* Call each for every record; their number is added to *count. ZL_EINVAL damaged; records
 * before the damage were told. Nested lists in a record's fields are left out. */
ZL_MUST_USE enum zl_code xds_logs_read(const void *bytes, size_t len,
				       void (*each)(void *to,
						    const struct xds_log_record *record),
				       void *to, uint64_t *count, struct zl_err *err);
