/* zone/inventory/file.h - one file of the watched folder, read whole or not at all.
 *
 * Threads:  any; no state.
 * Lifetime: the result is the caller's: file_drop.
 */
#pragma once

#include "base/err.h"
#include "model/resource.h"

#include <stdbool.h>
#include <stddef.h>

struct file {
	char *name;                  /* owned; in the folder */
	struct resource **resources; /* owned, held; count of them, sorted by key */
	size_t count;
	char *fault; /* owned; NULL: none. file_read leaves count 0 with a fault */
	bool busy;   /* somebody has it open for writing: read it again later */
};

/* Read dir/name for the resources of zone. Never fails: what is wrong is file->fault. A
 * file that is gone has count 0 and no fault. */
void file_read(const char *dir, const char *name, const char *zone, bool alone,
	       struct file *file);
void file_drop(struct file *file);

/* True for a name that the folder looks at. */
bool file_is_ours(const char *name);
