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
};

/* Blocks by mesh and name. */
extern const struct pmap_ops BLOCK_OPS;

/* The rows of before that are not gone, and the new ones: the caller's turn is at the
 * first ones of the service. NULL: no row is left. before may be NULL. */
struct block *block_merge(const struct block *before, const struct rows *rows,
			  size_t local, size_t local_count, size_t remote,
			  size_t remote_count);

/* The set that an inventory was made of; borrowed. */
const struct set *inventory_set(const struct inventory *inventory);
/* The block of the service inventory_at(inventory, index). */
const struct block *inventory_block(const struct inventory *inventory, size_t index);
/* Fill in offer. */
void block_offer(struct block *block);
/* By mesh and tags. */
int offer_compare(const void *one, const void *other);
