#include "policy/memo.h"

/* The place of (what, port), or the free one where it would stand. The few ports of one
 * object stand side by side. */
static struct memo_item *place(const struct memo *memo, const void *what, uint32_t port)
{
	size_t mask = memo->room - 1;
	size_t at = (uintptr_t)what >> 4;

	at ^= at >> 16;
	for (;; at++) {
		struct memo_item *item = &memo->items[at & mask];

		if (item->what == NULL || (item->what == what && item->port == port))
			return item;
	}
}

const struct backend *memo_find(const struct memo *memo, const void *what, uint32_t port)
{
	return memo->count == 0 ? NULL : place(memo, what, port)->target;
}

static void grow(struct memo *memo, struct zl_arena *arena)
{
	struct memo wider = { .room = memo->room == 0 ? 16 : 2 * memo->room };

	wider.items = zl_arena_alloc(arena, wider.room, sizeof(*wider.items));
	for (size_t i = 0; i < memo->room; i++)
		if (memo->items[i].what != NULL)
			*place(&wider, memo->items[i].what, memo->items[i].port) =
				memo->items[i];
	wider.count = memo->count;
	*memo = wider;
}

void memo_add(struct memo *memo, const void *what, uint32_t port,
	      const struct backend *target, struct zl_arena *arena)
{
	/* Always a free place, and mostly no other before it. */
	if (2 * memo->count >= memo->room)
		grow(memo, arena);
	*place(memo, what, port) =
		(struct memo_item){ what, port,
				    zl_arena_memdup(arena, target, sizeof(*target)) };
	memo->count++;
}
