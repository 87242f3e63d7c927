/* inventory/block.h - a service of an inventory, which later inventories may share.
 *
 * Threads:  holders may be on different threads (the count is atomic); immutable.
 * Lifetime: counted. Its resources are held by the sets of the inventories that have it.
 */
#pragma once

#include "inventory/rows.h"

#include "base/pmap.h"

struct block {
	_Atomic unsigned holders;
	struct service service;
	struct local *locals; /* owned, as all below */
	struct remote *remotes;
	struct label *tags;              /* of rows whose own lack kuma.io/zone */
	char *zone;                      /* the inventory's */
	struct available_service *offer; /* what it adds to inventory_offer; sorted */
	size_t offer_count;
	const struct resource **externals; /* all of the tag; by name */
	size_t external_count;
	const struct resource **counted; /* those of them that count */
	struct left_out *left_out;       /* those that do not */
	struct label *marks; /* all tags of its rows that the index knows; sorted */
	size_t mark_count;
};

/* Blocks by mesh and name. */
extern const struct pmap_ops BLOCK_OPS;

/* The rows of before that are not gone, and new ones of rows: those of the service, which
 * start at first and end before end. NULL: no row is left. before may be NULL. */
struct block *block_merge(const struct block *before, const struct rows *rows,
			  struct rows_at first, struct rows_at end);

/* Its index of labels (inventory/marks.h). */
const struct pmap *inventory_marks(const struct inventory *inventory);
/* The set that an inventory was made of; borrowed. */
const struct set *inventory_set(const struct inventory *inventory);
/* The block of the service inventory_at(inventory, index). */
const struct block *inventory_block(const struct inventory *inventory, size_t index);
/* Fill in offer. */
void block_offer(struct block *block);
/* Fill in what the service says of its ExternalServices. */
void block_externals(struct block *block);
/* Fill in marks. */
void block_marks(struct block *block);
/* By mesh and tags. */
int offer_compare(const void *one, const void *other);
