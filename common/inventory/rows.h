/* inventory/rows.h - the inbounds and records by which two sets differ, by service.
 *
 * Tags of rows are as written: the service that takes a row adds kuma.io/zone.
 *
 * Threads:  pure.
 * Lifetime: until rows_end; all texts are the sets'.
 */
#pragma once

#include "inventory/inventory.h"

struct row_name {
	const char *mesh, *service;
};

int row_name_compare(const struct row_name *a, const struct row_name *b);
/* In the order that a service has them; 0 only for the same inbound or record. */
int local_compare(const struct local *a, const struct local *b);
int remote_compare(const struct remote *a, const struct remote *b);

struct local_row {
	struct row_name name;
	struct local local;
};
struct remote_row {
	struct row_name name;
	struct remote remote;
};

struct external_row {
	struct row_name name;
	const struct resource *external;
};

struct rows {
	const struct set *before, *after;
	const char *zone;
	struct local_row *locals; /* owned, as the others: new ones, sorted */
	size_t local_count, local_room;
	struct remote_row *remotes; /* new ones, sorted */
	size_t remote_count, remote_room;
	struct external_row *externals; /* new ones, sorted by name of the resource */
	size_t external_count, external_room;
	struct row_name *touched; /* services with a row that is new or gone; sorted */
	size_t touched_count, touched_room;
	const struct resource **gone; /* whose rows are; sorted by address */
	size_t gone_count, gone_room;
};

/* A place in all three lists. */
struct rows_at {
	size_t local, remote, external;
};

void rows_collect(struct rows *rows, const struct set *before, const struct set *after,
		  const char *zone);
void rows_end(struct rows *rows);
/* Behind the rows of name, which start at first if there are any. */
struct rows_at rows_behind(const struct rows *rows, struct rows_at first,
			   const struct row_name *name);
bool rows_gone(const struct rows *rows, const struct resource *res);
