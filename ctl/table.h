/* ctl/table.h - columns that line up.
 *
 * Threads:  one.  Lifetime: rows live in the arena of table_new.
 */
#pragma once

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS = 12 };

struct table {
	struct zl_arena *arena; /* borrowed */
	size_t columns, count, room;
	const char *(*rows)[TABLE_COLUMNS];
};

/* headers: names of the columns, NULL-terminated. */
struct table table_new(struct zl_arena *arena, const char *const *headers);
/* Add a row; one text per column, copied. NULL is "-". */
void table_row(struct table *table, const char *const *cells);
/* On standard output, two spaces between columns. */
void table_print(const struct table *table, bool headers);
