/* What requests bring, and what answers look like. */
#include "base/clock.h"
#include "global/joining/inside.h"
#include "rest/body.h"

#include <string.h>

const struct resource *joining_zone(const struct joining *joining, const char *name)
{
	const struct key key = { KIND_ZONE, "", "", "", name };

	return set_get(joining->setup.set(joining->setup.owner), &key);
}

static void refuse_flaw(struct http_request *req, const char *field, const char *reason)
{
	const struct http_flaw flaw = { 0, field, reason };

	http_problem(req, 400, NULL, "the body is not what this path takes", &flaw, 1);
}

static bool is_known(const char *name, const char *const *known)
{
	while (*known != NULL && strcmp(*known, name) != 0)
		known++;
	return *known != NULL;
}

const struct tree *joining_body(struct http_request *req, struct zl_arena *arena,
				const char *const *known)
{
	size_t len;

	(void)http_body(req, &len);
	const struct tree *doc = len > 0 ? body_doc(req, arena) : tree_map(arena);
	if (doc == NULL)
		return NULL;
	if (doc->type != TREE_MAP) {
		refuse_flaw(req, "", "must be an object");
		return NULL;
	}
	for (size_t i = 0; i < doc->count; i++) {
		const struct tree_member *member = &doc->members[i];
		if (!is_known(member->key, known)) {
			refuse_flaw(req, member->key, "unknown field");
			return NULL;
		}
		if (member->value->type != TREE_TEXT) {
			refuse_flaw(req, member->key, "must be text");
			return NULL;
		}
	}
	return doc;
}

const char *joining_text(const struct tree *doc, const char *name)
{
	const struct tree *found = tree_get(doc, name);

	return found != NULL ? found->text : NULL;
}

void joining_answer(struct http_request *req, unsigned status, const struct tree *out)
{
	struct zl_buf body = { 0 };

	tree_json_pretty(out, &body);
	http_json(req, status, zl_buf_text(&body));
	zl_buf_free(&body);
}

struct tree *joining_time(struct zl_arena *arena, uint64_t seconds)
{
	char text[ZL_TIME_TEXT];

	zl_time_text(seconds * 1000000, text);
	return tree_text(arena, text);
}
