/* model/scalar.h - bytes and scalars as the readers and the printers agree on them
 * (private to the room).
 *
 * Threads:  pure.
 * Lifetime: nothing is kept.
 */
#pragma once

#include "base/err.h"
#include "model/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One UTF-8 sequence at the start of bytes: its length and in *rune its code point. 0:
 * there is none (truncated, overlong, a surrogate, beyond U+10FFFF). */
size_t scalar_rune(const char *bytes, size_t len, uint32_t *rune);

/* True for what YAML lets stand unescaped in a document. */
bool scalar_printable(uint32_t rune);

/* ZL_ESYNTAX with "line:column: what" unless bytes are UTF-8 without NUL; with yaml, also
 * without what is not printable. */
ZL_MUST_USE enum zl_code scalar_check(const char *bytes, size_t len, bool yaml,
				      struct zl_err *err);

/* What text means where it stands without quotes: type and value of *out are set, text
 * is not. False: a number that no double can hold. */
bool scalar_read(const char *text, struct tree *out);

/* The shortest text that reads back as value; it always reads as TREE_REAL. */
enum { SCALAR_REAL_MAX = 40 };
void scalar_real(double value, char to[SCALAR_REAL_MAX]);
