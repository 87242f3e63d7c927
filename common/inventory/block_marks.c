#include "inventory/block.h"
#include "inventory/marks.h"

#include <stdlib.h>
#include <string.h>

/* Rows of one service have few different tag sets: the last ones are known again. */
enum { RECENT = 8 };

struct collecting {
	struct labels recent[RECENT];
	size_t recent_count, turn;
	struct label *items;
	size_t count, room;
};

static bool is_recent(const struct collecting *to, struct labels tags)
{
	for (size_t i = 0; i < to->recent_count; i++)
		if (labels_compare(to->recent[i], tags) == 0)
			return true;
	return false;
}

static void collect(struct collecting *to, struct labels tags)
{
	if (is_recent(to, tags))
		return;
	to->recent[to->turn] = tags;
	to->turn = (to->turn + 1) % RECENT;
	if (to->recent_count < RECENT)
		to->recent_count++;
	if (to->count + tags.count > to->room) {
		to->room = 2 * (to->count + tags.count);
		to->items = zl_realloc(to->items, to->room, sizeof(*to->items));
	}
	for (size_t i = 0; i < tags.count; i++)
		if (marks_know(KIND_NONE, tags.items[i].key))
			to->items[to->count++] = tags.items[i];
}

static int compare(const void *one, const void *other)
{
	const struct label *a = one;
	const struct label *b = other;
	int order = strcmp(a->key, b->key);

	return order != 0 ? order : strcmp(a->value, b->value);
}

void block_marks(struct block *block)
{
	const struct service *service = &block->service;
	struct collecting to = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < service->local_count; i++)
		collect(&to, service->locals[i].inbound->tags);
	for (size_t i = 0; i < service->remote_count; i++)
		collect(&to, service->remotes[i].record->tags);
	if (to.count > 1)
		qsort(to.items, to.count, sizeof(*to.items), compare);
	for (size_t i = 0; i < to.count; i++)
		if (kept == 0 || compare(&to.items[kept - 1], &to.items[i]) != 0)
			to.items[kept++] = to.items[i];
	block->marks = to.items;
	block->mark_count = kept;
}
