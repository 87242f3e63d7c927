/* model/faults.h - what is wrong with one value, for the fault of a field: the text of
 * the violation, in arena or constant; NULL: nothing. The value has the right type, and
 * an unknown one of an enumeration is among them. Private to the room.
 *
 * Threads:  pure.
 */
#pragma once

#include "model/decode.h"

/* Of durations and numbers (policies-spec 2: T0, T1, T2). */
const char *fault_negative(const struct tree *value, struct zl_arena *arena);
const char *fault_not_above_zero(const struct tree *value, struct zl_arena *arena);
const char *fault_zero(const struct tree *value, struct zl_arena *arena);
/* The same of what has no default. */
const char *fault_undefined_or_zero(const struct tree *value, struct zl_arena *arena);
/* T4: a percentage as a number or a text. */
const char *fault_percentage(const struct tree *value, struct zl_arena *arena);
/* A factor above 0 as a number or a text. */
const char *fault_factor(const struct tree *value, struct zl_arena *arena);

/* Of texts. */
const char *fault_base64(const struct tree *value, struct zl_arena *arena);
const char *fault_path(const struct tree *value, struct zl_arena *arena);
/* Of what becomes part of a request: Envoy takes no line breaks there. */
const char *fault_request_path(const struct tree *value, struct zl_arena *arena);
const char *fault_request_text(const struct tree *value, struct zl_arena *arena);
/* Of the name of a header. "": T5. */
const char *fault_header_name(const struct tree *value, struct zl_arena *arena);
