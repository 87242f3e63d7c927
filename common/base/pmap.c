/* Balanced by weight: no subtree is more than DELTA times as large as its sibling, and a
 * double rotation is taken where the inner grandchild is GAMMA times the outer one. */
#include "base/pmap.h"

#include "base/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

enum { DELTA = 3, GAMMA = 2 };

struct pmap {
	_Atomic unsigned holders;
	struct pmap *self; /* for holders of a const one */
	size_t count;      /* items at and below this node */
	void *item;        /* held */
	struct pmap *left, *right;
};

struct pmap *pmap_hold(const struct pmap *map)
{
	if (map == NULL)
		return NULL;
	atomic_fetch_add_explicit(&map->self->holders, 1, memory_order_relaxed);
	return map->self;
}

void pmap_drop(const struct pmap_ops *ops, struct pmap **mapp)
{
	struct pmap *map = *mapp;

	*mapp = NULL;
	if (map == NULL ||
	    atomic_fetch_sub_explicit(&map->holders, 1, memory_order_acq_rel) != 1)
		return;
	pmap_drop(ops, &map->left);
	pmap_drop(ops, &map->right);
	ops->drop(map->item);
	free(map);
}

size_t pmap_count(const struct pmap *map)
{
	return map != NULL ? map->count : 0;
}

static struct pmap *count_again(struct pmap *map)
{
	map->count = 1 + pmap_count(map->left) + pmap_count(map->right);
	return map;
}

static struct pmap *leaf(void *item)
{
	struct pmap *map = zl_alloc(1, sizeof(*map));

	map->holders = 1;
	map->self = map;
	map->item = item;
	map->count = 1;
	return map;
}

/* The node, such that only the caller holds it. */
static struct pmap *own(const struct pmap_ops *ops, struct pmap *map)
{
	if (atomic_load_explicit(&map->holders, memory_order_acquire) == 1)
		return map;
	ops->hold(map->item);
	struct pmap *copy = leaf(map->item);
	copy->left = pmap_hold(map->left);
	copy->right = pmap_hold(map->right);
	copy->count = map->count;
	pmap_drop(ops, &map);
	return copy;
}

/* Both take an owned node and return the owned one that takes its place. */
static struct pmap *turn_left(const struct pmap_ops *ops, struct pmap *map)
{
	struct pmap *top = own(ops, map->right);

	map->right = top->left;
	top->left = count_again(map);
	return count_again(top);
}

static struct pmap *turn_right(const struct pmap_ops *ops, struct pmap *map)
{
	struct pmap *top = own(ops, map->left);

	map->left = top->right;
	top->right = count_again(map);
	return count_again(top);
}

static struct pmap *balance(const struct pmap_ops *ops, struct pmap *map)
{
	size_t left = pmap_count(map->left);
	size_t right = pmap_count(map->right);

	if (left + right > 1 && right > DELTA * left) {
		struct pmap *heavy = map->right = own(ops, map->right);

		if (pmap_count(heavy->left) >= GAMMA * pmap_count(heavy->right))
			map->right = turn_right(ops, heavy);
		return turn_left(ops, map);
	}
	if (left + right > 1 && left > DELTA * right) {
		struct pmap *heavy = map->left = own(ops, map->left);

		if (pmap_count(heavy->right) >= GAMMA * pmap_count(heavy->left))
			map->left = turn_left(ops, heavy);
		return turn_right(ops, map);
	}
	return count_again(map);
}

static struct pmap *put(const struct pmap_ops *ops, struct pmap *map, void *item)
{
	if (map == NULL)
		return leaf(item);
	map = own(ops, map);
	int order = ops->compare(item, map->item);
	if (order == 0) {
		ops->drop(map->item);
		map->item = item;
		return map;
	}
	if (order < 0)
		map->left = put(ops, map->left, item);
	else
		map->right = put(ops, map->right, item);
	return balance(ops, map);
}

void pmap_put(const struct pmap_ops *ops, struct pmap **mapp, void *item)
{
	*mapp = put(ops, *mapp, item);
}

/* Take the first node out of *mapp. */
static struct pmap *take_first(const struct pmap_ops *ops, struct pmap **mapp)
{
	struct pmap *map = own(ops, *mapp);

	if (map->left == NULL) {
		*mapp = map->right;
		return map;
	}
	struct pmap *first = take_first(ops, &map->left);
	*mapp = balance(ops, map);
	return first;
}

/* like is in map. */
static struct pmap *del(const struct pmap_ops *ops, struct pmap *map, const void *like)
{
	map = own(ops, map);
	int order = ops->compare(like, map->item);
	if (order < 0) {
		map->left = del(ops, map->left, like);
		return balance(ops, map);
	}
	if (order > 0) {
		map->right = del(ops, map->right, like);
		return balance(ops, map);
	}

	struct pmap *left = map->left;
	struct pmap *right = map->right;
	ops->drop(map->item);
	free(map);
	if (left == NULL || right == NULL)
		return left != NULL ? left : right;
	struct pmap *top = take_first(ops, &right);
	top->left = left;
	top->right = right;
	return balance(ops, top);
}

void pmap_del(const struct pmap_ops *ops, struct pmap **mapp, const void *like)
{
	if (pmap_find(ops, *mapp, like) != NULL)
		*mapp = del(ops, *mapp, like);
}

void *pmap_find(const struct pmap_ops *ops, const struct pmap *map, const void *like)
{
	while (map != NULL) {
		int order = ops->compare(like, map->item);

		if (order == 0)
			return map->item;
		map = order < 0 ? map->left : map->right;
	}
	return NULL;
}

size_t pmap_rank(const struct pmap_ops *ops, const struct pmap *map, const void *like)
{
	size_t rank = 0;

	while (map != NULL) {
		if (ops->compare(like, map->item) <= 0) {
			map = map->left;
		} else {
			rank += pmap_count(map->left) + 1;
			map = map->right;
		}
	}
	return rank;
}

void *pmap_at(const struct pmap *map, size_t index)
{
	while (index != pmap_count(map->left)) {
		if (index < pmap_count(map->left)) {
			map = map->left;
		} else {
			index -= pmap_count(map->left) + 1;
			map = map->right;
		}
	}
	return map->item;
}
