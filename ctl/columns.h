/* ctl/columns.h - what `get` shows of each kind as a table.
 *
 * Threads:  one.
 */
#pragma once

#include "ctl/ctl.h"
#include "ctl/table.h"

#include "model/key.h"
#include "model/tree.h"

struct columns {
	const char *headers[TABLE_COLUMNS];
	/* Add doc, a document as the server sends it. */
	void (*row)(struct ctl *ctl, struct table *table, const struct tree *doc);
	size_t narrow; /* columns without -o wide; 0: all */
};

const struct columns *columns_of(enum kind kind);
