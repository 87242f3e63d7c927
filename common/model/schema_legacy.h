/* model/schema_legacy.h - the confs of the legacy kinds, which are checked by their
 * schema and kept as trees. Private to the room.
 *
 * Threads:  constant data; pure.
 */
#pragma once

#include "model/decode.h"

extern const struct schema LEGACY_TIMEOUT_SCHEMA;
extern const struct schema LEGACY_RETRY_SCHEMA;
extern const struct schema LEGACY_HEALTH_SCHEMA;
extern const struct schema LEGACY_BREAKER_SCHEMA;

/* Texts of these kinds for a value that is not above 0; NULL: it is, as in faults.h. */
const char *legacy_fault_zero(const struct tree *value, struct zl_arena *arena);
const char *legacy_fault_zero_set(const struct tree *value, struct zl_arena *arena);
const char *legacy_fault_positive(const struct tree *value, struct zl_arena *arena);
const char *legacy_fault_percent(const struct tree *value, struct zl_arena *arena);

/* Tell reason at, or at field of it, unless tree has at least one of fields, which ends
 * with NULL. */
void legacy_check_some(struct decode *dec, const struct tree *tree, const struct path *at,
		       const char *const *fields, const char *reason);

/* Lists of legacy words, with the word of the new kind at each one's index; "": it has
 * none. Both end with NULL. */
extern const char *const LEGACY_HTTP_RETRY_ON[], *const NEW_HTTP_RETRY_ON[];
extern const char *const LEGACY_GRPC_RETRY_ON[], *const NEW_GRPC_RETRY_ON[];
extern const char *const LEGACY_METHODS[], *const NEW_METHODS[];

/* A number that may have a fraction. */
bool legacy_is_number(const struct tree *value);
