/* ctl/reference.h - the pages of docs/reference that come from tables of the code.
 *
 * Threads:  one.  Lifetime: texts live in the arena.
 */
#pragma once

#include "ctl/ctl.h"
#include "model/schema.h"

/* On standard output, as Markdown. */
void reference_kinds(const struct ctl *ctl);
void reference_findings(void);

/* ---- a field in words: cmd_schema.c ---- */
const char *schema_type(const struct field *field, struct zl_arena *arena);
/* NULL: none. */
const char *schema_range(const struct field *field, struct zl_arena *arena);
const char *schema_choices(const struct field *field, struct zl_arena *arena);
/* Where the kind is written: "global", "zone", "both". */
const char *schema_places(enum kind kind);
