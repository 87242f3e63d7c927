/* policy/memo.h - targets that were resolved for a proxy already, so that outbounds and
 * lists that share them cost once.
 *
 * Threads:  pure.
 * Lifetime: in the arena; zeroed is empty.
 */
#pragma once

#include "policy/routes.h"

struct memo_item {
	const void *what; /* a service or an object; NULL: free */
	uint32_t port;
	const struct backend *target;
};

struct memo {
	struct memo_item *items; /* room of them, by their hash */
	size_t count, room;      /* room: 0 or a power of 2 */
};

/* What what led to; NULL: it was not asked for yet. */
const struct backend *memo_find(const struct memo *memo, const void *what, uint32_t port);
/* Note a copy of target, which memo_find does not find. */
void memo_add(struct memo *memo, const void *what, uint32_t port,
	      const struct backend *target, struct zl_arena *arena);
