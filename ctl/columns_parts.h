/* ctl/columns_parts.h - what the rows of several kinds share. Private.
 *
 * Threads:  one.
 */
#pragma once

#include "ctl/columns.h"

/* The fields of a resource: under spec, or beside name. */
const struct tree *columns_spec(const struct tree *doc);
/* The label of doc; NULL: none. */
const char *columns_label(const struct tree *doc, const char *key);
/* "backend" of a reference: its name, else its kind. */
const char *columns_ref(const struct tree *ref);
/* Append text, or "?" for NULL, after a space. */
void columns_add(struct zl_buf *out, const char *text);
/* The match of each of a list of selectors. */
void columns_selectors(struct zl_buf *out, const struct tree *list);

/* Of the kinds that attach to what routes make, and of their legacy forms. */
void row_attached(struct ctl *ctl, struct table *table, const struct tree *doc);
void row_legacy(struct ctl *ctl, struct table *table, const struct tree *doc);
