/* policy/refs.h - what a reference asks for, and how it is told.
 *
 * Threads:  pure.
 * Lifetime: texts live in the arena.
 */
#pragma once

#include "model/resource.h"

/* True if ref is one that finds a tag service by its name; else it asks for a real
 * object (D32). */
bool ref_is_by_name(const struct target_ref *ref);

/* Why ref finds nothing: `no MeshService "x" with port 80 in mesh "default"`. */
const char *ref_missing(const struct target_ref *ref, const char *mesh,
			struct zl_arena *arena);

/* "{a: b, c: d}" */
const char *labels_text(struct labels labels, struct zl_arena *arena);
