/* base/err.h - how a function says that it failed.
 *
 * The code is what programs branch on, the message is what the operator reads. The
 * first to see a failure writes the message (zl_fail), callers put what they were doing
 * in front of it (zl_wrap): "start global: open store /var/lib/zonelink: Permission
 * denied". A message that grows too long loses its middle, never its cause.
 *
 * Threads:  nothing is shared.
 * Lifetime: caller's memory, nothing to free. Each err may be NULL.
 */
#pragma once

#define ZL_CODES(X)                                \
	X(ZL_OK, "ok")                             \
	X(ZL_ENOMEM, "out of memory")              \
	X(ZL_EINVAL, "invalid argument")           \
	X(ZL_ENOENT, "not found")                  \
	X(ZL_ECONFLICT, "changed by someone else") \
	X(ZL_EACCES, "permission denied")          \
	X(ZL_ENOSPC, "no space left")              \
	X(ZL_ELIMIT, "limit reached")              \
	X(ZL_ETIMEOUT, "timed out")                \
	X(ZL_EUNREACH, "peer cannot be reached")   \
	X(ZL_ECORRUPT, "stored data is damaged")   \
	X(ZL_EIO, "input or output failed")        \
	X(ZL_ESYNTAX, "syntax error")

#define ZL_CODE_NAME(code, text) code,
enum zl_code { ZL_CODES(ZL_CODE_NAME) };

#define ZL_MUST_USE __attribute__((warn_unused_result))

struct zl_err {
	enum zl_code code;
	char msg[512];
};

/* Record a failure and return code, so that callers can write
 * "return zl_fail(err, ...)". code is not ZL_OK. */
enum zl_code zl_fail(struct zl_err *err, enum zl_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "prefix: " before the recorded message. There must be one. */
void zl_wrap(struct zl_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What code means, in words. */
const char *zl_code_text(enum zl_code code);

/* The code for a value of errno; ZL_EIO for one without a code of its own. */
enum zl_code zl_code_from_errno(int number);
