#include "zone/xds/shelf.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static struct xds_item *item_new(const char *name)
{
	struct xds_item *item = zl_alloc(1, sizeof(*item));

	item->name = zl_strdup(name);
	return item;
}

static void item_free(struct xds_item *item)
{
	free(item->nack);
	free(item->name);
	free(item);
}

void xds_shelf_free(struct xds_shelf *shelf)
{
	for (size_t i = 0; i < shelf->count; i++)
		item_free(shelf->items[i]);
	free(shelf->items);
	free(shelf->todo);
	*shelf = (struct xds_shelf){ 0 };
}

struct xds_item *xds_shelf_find(const struct xds_shelf *shelf, const char *name)
{
	size_t low = 0;
	size_t high = shelf->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, shelf->items[mid]->name);
		if (order == 0)
			return shelf->items[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* The new array for items and count more, empty. */
static struct xds_item **room_for(const struct xds_shelf *shelf, size_t more)
{
	return zl_alloc(shelf->count + more + 1, sizeof(struct xds_item *));
}

static void replace(struct xds_shelf *shelf, struct xds_item **items, size_t count)
{
	free(shelf->items);
	shelf->items = items;
	shelf->count = count;
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

void xds_shelf_add(struct xds_shelf *shelf, const char *const *names, size_t count)
{
	if (count == 0 || (count == 1 && xds_shelf_find(shelf, names[0]) != NULL))
		return;
	const char **sorted = zl_alloc(count, sizeof(*sorted));
	memcpy(sorted, names, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_text);

	struct xds_item **merged = room_for(shelf, count);
	size_t total = 0;
	size_t old = 0;
	for (size_t i = 0; i < count; i++) {
		int order = 1;
		while (old < shelf->count &&
		       (order = strcmp(shelf->items[old]->name, sorted[i])) < 0)
			merged[total++] = shelf->items[old++];
		bool there = old < shelf->count && order == 0;
		bool twice = i > 0 && strcmp(sorted[i - 1], sorted[i]) == 0;
		if (!there && !twice)
			merged[total++] = item_new(sorted[i]);
	}
	while (old < shelf->count)
		merged[total++] = shelf->items[old++];
	free(sorted);
	replace(shelf, merged, total);
}

static void want(struct xds_item *item, const struct envoy_resource *resource)
{
	if (item->want == NULL)
		item->declined = false;
	item->want = resource;
}

/* Set want of the items that are there; how many of list have none yet. */
static size_t want_known(struct xds_shelf *shelf, const struct envoy_resource *list,
			 size_t count)
{
	size_t missing = 0;
	size_t at = 0;

	for (size_t i = 0; i < shelf->count; i++) {
		struct xds_item *item = shelf->items[i];
		int order = 1;
		for (; at < count && (order = strcmp(list[at].name, item->name)) < 0;
		     at++)
			missing++;
		if (at < count && order == 0) {
			want(item, &list[at++]);
		} else {
			item->want = NULL;
			shelf->sweep = true;
		}
	}
	return missing + (count - at);
}

void xds_shelf_want(struct xds_shelf *shelf, const struct envoy_resource *list,
		    size_t count)
{
	size_t missing = want_known(shelf, list, count);

	if (missing == 0)
		return;
	struct xds_item **merged = room_for(shelf, missing);
	size_t total = 0;
	size_t old = 0;
	for (size_t i = 0; i < count; i++) {
		int order = 1;
		while (old < shelf->count &&
		       (order = strcmp(shelf->items[old]->name, list[i].name)) < 0)
			merged[total++] = shelf->items[old++];
		if (old < shelf->count && order == 0) {
			merged[total++] = shelf->items[old++];
			continue;
		}
		merged[total] = item_new(list[i].name);
		want(merged[total++], &list[i]);
	}
	while (old < shelf->count)
		merged[total++] = shelf->items[old++];
	replace(shelf, merged, total);
}

void xds_shelf_queue(struct xds_shelf *shelf, struct xds_item *item)
{
	if (item->queued)
		return;
	if (shelf->todo_count == shelf->todo_capacity) {
		shelf->todo_capacity = 2 * shelf->todo_capacity + 16;
		shelf->todo = zl_realloc(shelf->todo, shelf->todo_capacity,
					 sizeof(struct xds_item *));
	}
	shelf->todo[shelf->todo_count++] = item;
	item->queued = true;
}

static bool stands_for_nothing(const struct xds_item *item)
{
	return item->want == NULL && !item->held && !item->subscribed && !item->due &&
	       !item->queued && !item->untold && item->nonce == 0;
}

void xds_shelf_sweep(struct xds_shelf *shelf)
{
	size_t kept = 0;

	if (!shelf->sweep)
		return;
	for (size_t i = 0; i < shelf->count; i++) {
		if (stands_for_nothing(shelf->items[i]))
			item_free(shelf->items[i]);
		else
			shelf->items[kept++] = shelf->items[i];
	}
	shelf->count = kept;
	shelf->sweep = false;
}

void xds_item_forget(struct xds_item *item)
{
	item->held = item->usable = item->unknown = item->alone = false;
	item->sent[0] = item->acked[0] = '\0';
}
