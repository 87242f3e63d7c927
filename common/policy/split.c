#include "policy/routes.h"

#include <string.h>

/* The part that leads where backend leads; NULL: none yet. */
static struct part *same_target(struct part *parts, size_t count,
				const struct backend *backend)
{
	for (size_t i = 0; i < count; i++) {
		const struct backend *other = parts[i].backend;

		if (other == NULL || backend == NULL) {
			if (other == backend)
				return &parts[i];
		} else if (strcmp(other->cluster, backend->cluster) == 0) {
			return &parts[i];
		}
	}
	return NULL;
}

const struct part *split_of(enum unresolved mode, const struct backend *backends,
			    size_t count, struct zl_arena *arena, size_t *part_count)
{
	struct part *parts = zl_arena_alloc(arena, count + 1, sizeof(*parts));
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		const struct backend *target = &backends[i];

		if (target->weight == 0)
			continue;
		if (!target->resolved && mode == UNRESOLVED_RENORMALISE)
			continue;
		if (!target->resolved)
			target = NULL;

		struct part *part = same_target(parts, used, target);
		if (part == NULL) {
			part = &parts[used++];
			part->backend = target;
		}
		part->weight += backends[i].weight;
	}
	if (used == 0)
		parts[used++].weight = 1;
	*part_count = used;
	return parts;
}
