/* inventory/rows.h - all inbounds and records of a set that count, sorted by service.
 *
 * Threads:  pure.
 * Lifetime: rows in the arena, their names until rows_end.
 */
#pragma once

#include "inventory/inventory.h"

struct row_name {
	const char *mesh, *service;
};

bool row_name_equal(const struct row_name *a, const struct row_name *b);

/* Names stand in arrays of their own, so that services can use runs of the others. */
struct rows {
	struct local *locals;
	struct row_name *local_names;
	size_t local_count;
	struct remote *remotes;
	struct row_name *remote_names;
	size_t remote_count;
};

/* zone lives as long as arena. */
void rows_collect(struct rows *rows, const struct set *set, const char *zone,
		  struct zl_arena *arena);
void rows_end(struct rows *rows);
