#include "inventory/block.h"
#include "inventory/marks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct inventory {
	_Atomic unsigned holders;
	struct inventory *self; /* for holders of a const one */
	struct set *set;        /* held */
	char *zone;             /* owned */
	struct pmap *blocks;    /* held */
	struct pmap *marks;     /* held */
};

static struct inventory *inventory_new(const struct set *set, const char *zone)
{
	struct inventory *inventory = zl_alloc(1, sizeof(*inventory));

	inventory->holders = 1;
	inventory->self = inventory;
	inventory->set = set_hold(set);
	inventory->zone = zl_strdup(zone);
	return inventory;
}

static const struct block *find(const struct inventory *inventory, const char *mesh,
				const char *name)
{
	const struct block like = { .service = { .mesh = mesh, .name = name } };

	return pmap_find(&BLOCK_OPS, inventory->blocks, &like);
}

static void replace(struct inventory *inventory, const struct row_name *name,
		    const struct block *old, struct block *block)
{
	struct labels was = { 0 };
	struct labels now = { 0 };

	if (old != NULL)
		was = (struct labels){ old->marks, old->mark_count };
	if (block != NULL)
		now = (struct labels){ block->marks, block->mark_count };
	marks_service(&inventory->marks, name->mesh, name->service, was, now);
	if (block != NULL)
		pmap_put(&BLOCK_OPS, &inventory->blocks, block);
	else if (old != NULL)
		pmap_del(&BLOCK_OPS, &inventory->blocks, old);
}

/* Make the services that rows touch anew. */
static void apply(struct inventory *inventory, const struct rows *rows)
{
	struct rows_at first = { 0 };

	for (size_t i = 0; i < rows->touched_count; i++) {
		const struct row_name *name = &rows->touched[i];
		struct rows_at end = rows_behind(rows, first, name);
		const struct block *old = find(inventory, name->mesh, name->service);

		replace(inventory, name, old, block_merge(old, rows, first, end));
		first = end;
	}
}

struct inventory *inventory_update(const struct inventory *before, const struct set *set)
{
	struct inventory *inventory = inventory_new(set, before->zone);
	struct rows rows;

	inventory->blocks = pmap_hold(before->blocks);
	inventory->marks = pmap_hold(before->marks);
	rows_collect(&rows, before->set, set, inventory->zone);
	apply(inventory, &rows);
	marks_objects(&inventory->marks, before->set, set, inventory->zone);
	rows_end(&rows);
	return inventory;
}

struct inventory *inventory_build(const struct set *set, const char *zone)
{
	struct set *empty = set_empty();
	struct inventory *nothing = inventory_new(empty, zone);
	struct inventory *inventory = inventory_update(nothing, set);

	inventory_drop(&nothing);
	set_drop(&empty);
	return inventory;
}

struct inventory *inventory_hold(const struct inventory *inventory)
{
	atomic_fetch_add_explicit(&inventory->self->holders, 1, memory_order_relaxed);
	return inventory->self;
}

void inventory_drop(struct inventory **inventoryp)
{
	struct inventory *inventory = *inventoryp;

	*inventoryp = NULL;
	if (inventory == NULL || atomic_fetch_sub(&inventory->holders, 1) != 1)
		return;
	pmap_drop(&BLOCK_OPS, &inventory->blocks);
	pmap_drop(&MARKS, &inventory->marks);
	set_drop(&inventory->set);
	free(inventory->zone);
	free(inventory);
}

bool inventory_fits(const struct inventory *inventory, const struct set *set)
{
	static const enum kind READ[] = { KIND_DATAPLANE,
					  KIND_ZONE_INGRESS,
					  KIND_ZONE_EGRESS,
					  KIND_ZONE,
					  KIND_EXTERNAL_SERVICE,
					  KIND_MESH_SERVICE,
					  KIND_MESH_MULTI_ZONE_SERVICE,
					  KIND_MESH_EXTERNAL_SERVICE };

	for (size_t i = 0; i < sizeof(READ) / sizeof(READ[0]); i++)
		if (!set_same_kind(inventory->set, set, READ[i]))
			return false;
	return true;
}

const struct pmap *inventory_marks(const struct inventory *inventory)
{
	return inventory->marks;
}

const struct set *inventory_set(const struct inventory *inventory)
{
	return inventory->set;
}

const char *inventory_zone(const struct inventory *inventory)
{
	return inventory->zone;
}

const struct service *inventory_find(const struct inventory *inventory, const char *mesh,
				     const char *name)
{
	const struct block *block = find(inventory, mesh, name);

	return block != NULL ? &block->service : NULL;
}

/* Resources are immutable, and their inbounds and records are parts of them. */
bool service_same(const struct service *a, const struct service *b)
{
	if (a == b || a == NULL || b == NULL)
		return a == b;
	if (a->local_count != b->local_count || a->remote_count != b->remote_count ||
	    a->external_count != b->external_count ||
	    a->left_out_count != b->left_out_count)
		return false;
	for (size_t i = 0; i < a->local_count; i++)
		if (a->locals[i].inbound != b->locals[i].inbound)
			return false;
	for (size_t i = 0; i < a->remote_count; i++)
		if (a->remotes[i].record != b->remotes[i].record ||
		    a->remotes[i].condition != b->remotes[i].condition)
			return false;
	for (size_t i = 0; i < a->external_count; i++)
		if (a->externals[i] != b->externals[i])
			return false;
	/* Why they are left out follows from all the rest. */
	for (size_t i = 0; i < a->left_out_count; i++)
		if (a->left_out[i].external != b->left_out[i].external)
			return false;
	return true;
}

size_t inventory_count(const struct inventory *inventory)
{
	return pmap_count(inventory->blocks);
}

const struct block *inventory_block(const struct inventory *inventory, size_t index)
{
	return pmap_at(inventory->blocks, index);
}

const struct service *inventory_at(const struct inventory *inventory, size_t index)
{
	return &inventory_block(inventory, index)->service;
}
