#include "model/resource.h"

#include <stdatomic.h>

/* The count is the one part of a published resource that changes. */
static struct resource *counted(const struct resource *res)
{
	union {
		const struct resource *in;
		struct resource *out;
	} ptr = { .in = res };

	return ptr.out;
}

struct resource *resource_hold(const struct resource *res)
{
	struct resource *held = counted(res);

	atomic_fetch_add_explicit(&held->holders, 1, memory_order_relaxed);
	return held;
}

void resource_drop(struct resource **resp)
{
	struct resource *res = *resp;

	*resp = NULL;
	if (res == NULL ||
	    atomic_fetch_sub_explicit(&res->holders, 1, memory_order_acq_rel) != 1)
		return;
	struct zl_arena *arena = res->arena; /* res itself lives in it */
	zl_arena_free(&arena);
}
