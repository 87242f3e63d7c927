#include "ctl/derived.h"

#include "inventory/objects.h"

static void note(void *ctx, const char *text)
{
	struct derived *to = ctx;

	if (to->count == to->room) {
		const char **wider =
			zl_arena_alloc(to->arena, 8 + 2 * to->room, sizeof(*wider));

		for (size_t i = 0; i < to->count; i++)
			wider[i] = to->warnings[i];
		to->warnings = wider;
		to->room = 8 + 2 * to->room;
	}
	to->warnings[to->count++] = text;
}

struct derived derived_add(struct set **setp, const char *zone, const char *mesh,
			   struct zl_arena *arena)
{
	struct derived derived = { .arena = arena };
	struct set_edit *edit = set_edit(*setp);
	size_t count;
	struct resource **made =
		objects_derive(*setp, zone, mesh, arena, &count, note, &derived);

	for (size_t i = 0; i < count; i++) {
		set_put(edit, made[i]);
		resource_drop(&made[i]);
	}
	set_drop(setp);
	*setp = set_done(&edit);
	return derived;
}

const char *const *derived_warnings(const struct derived *derived,
				    const char *const *more, size_t *count)
{
	const char **all =
		zl_arena_alloc(derived->arena, derived->count + *count, sizeof(*all));

	for (size_t i = 0; i < derived->count; i++)
		all[i] = derived->warnings[i];
	for (size_t i = 0; i < *count; i++)
		all[derived->count + i] = more[i];
	*count += derived->count;
	return all;
}
