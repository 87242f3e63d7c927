#include "ctl/json.h"

const char *json_find(const struct tree *map, const char *key)
{
	const struct tree *value = tree_get(map, key);

	return value != NULL ? value->text : NULL;
}

const char *json_text(const struct tree *map, const char *key)
{
	const char *text = json_find(map, key);

	return text != NULL ? text : "";
}

bool json_true(const struct tree *map, const char *key)
{
	const struct tree *value = tree_get(map, key);

	return value != NULL && value->type == TREE_BOOL && value->boolean;
}

const struct tree *json_list(const struct tree *map, const char *key)
{
	static const struct tree EMPTY = { .type = TREE_LIST };
	const struct tree *value = tree_get(map, key);

	return value != NULL && value->type == TREE_LIST ? value : &EMPTY;
}
