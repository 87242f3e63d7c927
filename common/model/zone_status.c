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
	struct tree *from = resource_tree(zone, arena);
	struct tree *doc = tree_map(arena);
	struct tree *status = tree_map(arena);
	struct resource *res = NULL;
	struct zl_buf json = { 0 };

	for (size_t i = 0; i < from->count; i++)
		if (strcmp(from->members[i].key, "status") != 0)
			tree_set(arena, doc, from->members[i].key,
				 from->members[i].value);
	tree_set(arena, status, "condition", tree_text(arena, NAMES[condition]));
	tree_set(arena, status, "since", tree_text(arena, since));
	if (condition != ZONE_ONLINE)
		tree_set(arena, doc, "status", status);
	tree_json(doc, &json);
	enum zl_code code = resource_from_json(json.data, json.len, &res, NULL);
	assert(code == ZL_OK); /* zone was understood */
	(void)code;
	res->mod_rev = zone->mod_rev;
	res->create_rev = zone->create_rev;
	res->mod_wall_us = zone->mod_wall_us;
	zl_buf_free(&json);
	zl_arena_free(&arena);
	return res;
}
