/* What a write would do, told from the set. */
#include "rest/write.h"

#include "store/read.h"

#include <string.h>

static bool holds(const struct condition *condition, const struct resource *old)
{
	switch (condition->on) {
	case AT_REV:
		return old != NULL && old->mod_rev == condition->rev;
	case EXISTS:
		return old != NULL;
	case ABSENT:
		return old == NULL;
	case ALWAYS:
		break;
	}
	return true;
}

static struct store_change change_of(const struct resource *old,
				     const struct resource *now)
{
	struct store_change change = { .kind = STORE_UNCHANGED };

	if (now == NULL)
		change.kind = STORE_DELETED;
	else if (old == NULL)
		change.kind = STORE_CREATED;
	else if (old->json_len != now->json_len ||
		 memcmp(old->json, now->json, now->json_len) != 0)
		change.kind = STORE_UPDATED;
	if (old != NULL)
		change.old_rev = change.mod_rev = old->mod_rev;
	return change;
}

/* The revision at which the store stands. */
static enum zl_code present_rev(struct rest *rest, uint64_t *rev, struct zl_err *err)
{
	struct store_view *view = NULL;
	struct position position = { 0 };
	enum zl_code code = store_view_open(rest->store, &view, err);

	if (code != ZL_OK)
		return code;
	store_position(view, &position, NULL);
	store_view_close(&view);
	*rev = position.rev;
	return ZL_OK;
}

void write_dry(struct rest *rest, const struct write *write)
{
	const struct set *set = rest->ops->set(rest->owner);
	struct store_change *changes =
		zl_arena_alloc(write->arena, write->count, sizeof(*changes));
	struct zl_buf body = { 0 };
	struct zl_err err = { 0 };
	uint64_t rev;

	for (size_t i = 0; i < write->count; i++) {
		const struct resource *old = set_get(set, &write->items[i].key);
		if (i == 0 && !holds(&write->condition, old)) {
			write_refuse_moved(write, &write->items[i],
					   old != NULL ? old->mod_rev : 0);
			return;
		}
		changes[i] = change_of(old, write->items[i].res);
	}
	if (present_rev(rest, &rev, &err) != ZL_OK) {
		http_refuse(write->req, 503, "%s", err.msg);
		return;
	}
	write_body(write, rev, changes, &body);
	http_json(write->req, 200, body.data);
	zl_buf_free(&body);
}
