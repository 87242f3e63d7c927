#include "ctl/table.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void table_row(struct table *table, const char *const *cells)
{
	if (table->count == table->room) {
		size_t room = table->room ? table->room * 2 : 32;
		const char *(*rows)[TABLE_COLUMNS] =
			zl_arena_alloc(table->arena, room, sizeof(*rows));
		if (table->count > 0)
			memcpy(rows, table->rows, table->count * sizeof(*rows));
		table->rows = rows;
		table->room = room;
	}
	for (size_t i = 0; i < table->columns; i++)
		table->rows[table->count][i] = zl_arena_strdup(
			table->arena,
			cells[i] != NULL && *cells[i] != '\0' ? cells[i] : "-");
	table->count++;
}

struct table table_new(struct zl_arena *arena, const char *const *headers)
{
	struct table table = { .arena = arena };

	while (headers[table.columns] != NULL)
		table.columns++;
	assert(table.columns <= TABLE_COLUMNS);
	table_row(&table, headers);
	return table;
}

void table_print(const struct table *table, bool headers)
{
	int width[TABLE_COLUMNS] = { 0 };

	for (size_t r = headers ? 0 : 1; r < table->count; r++)
		for (size_t c = 0; c < table->columns; c++)
			if ((int)strlen(table->rows[r][c]) > width[c])
				width[c] = (int)strlen(table->rows[r][c]);
	for (size_t r = headers ? 0 : 1; r < table->count; r++)
		for (size_t c = 0; c < table->columns; c++)
			(void)printf("%-*s%s", c + 1 < table->columns ? width[c] : 0,
				     table->rows[r][c],
				     c + 1 < table->columns ? "  " : "\n");
}
