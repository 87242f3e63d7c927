/* base/base64.h - RFC 4648 base64: standard alphabet, padded, unless said otherwise.
 *
 * Threads:  any.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"

#include <stddef.h>

/* Append bytes as base64. */
void zl_base64(const void *bytes, size_t len, struct zl_buf *out);
/* The same with the alphabet for URLs and file names, without padding. */
void zl_base64_url(const void *bytes, size_t len, struct zl_buf *out);
/* Append what text stands for. ZL_EINVAL: not base64, or not in its one proper form (no
 * padding, bits beyond the last byte); out is then as it was. */
ZL_MUST_USE enum zl_code zl_base64_read(const char *text, size_t len, struct zl_buf *out,
					struct zl_err *err);
