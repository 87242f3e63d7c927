#include "model/zone_status.h"

#include "model/resource.h"

#include <assert.h>
#include <string.h>

static const char *const NAMES[] = {
	[ZONE_ONLINE] = "Online", [ZONE_STALE] = "Stale", [ZONE_OFFLINE] = "Offline"
};

const char *zone_condition_name(enum zone_condition condition)
{
	assert(condition <= ZONE_OFFLINE);
	return NAMES[condition];
}

static const char *text_in(const struct tree *map, const char *key)
{
	const struct tree *text = tree_get(map, key);

	return text != NULL && text->type == TREE_TEXT ? text->text : "";
}

void zone_read_status(const struct tree *status, struct zl_arena *arena,
		      struct zone_spec *to)
{
	const char *condition = text_in(status, "condition");

	to->since = "";
	for (enum zone_condition at = ZONE_STALE; at <= ZONE_OFFLINE; at++)
		if (strcmp(condition, NAMES[at]) == 0)
			to->condition = at;
	if (to->condition != ZONE_ONLINE)
		to->since = zl_arena_strdup(arena, text_in(status, "since"));
}

struct resource *zone_with_condition(const struct resource *zone,
				     enum zone_condition condition, const char *since)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *status = tree_map(arena);

	tree_set(arena, status, "condition", tree_text(arena, NAMES[condition]));
	tree_set(arena, status, "since", tree_text(arena, since));
	struct resource *res =
		resource_with_status(zone, condition != ZONE_ONLINE ? status : NULL);
	zl_arena_free(&arena);
	return res;
}
