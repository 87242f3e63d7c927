/* newer-release DIR NAME...: what a newer release would have written into a store that
 * nobody has open, in one commit: the resources of these names with a field more, and
 * beside them some of a kind that this release does not know. For
 * tests/multizone/scenarios_skew.py. */
#include "base/mem.h"
#include "model/key.h"
#include "store/read.h"
#include "store/store.h"
#include "store/write.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

enum { NEW_KIND = 200, KINDS = 3 };

struct making {
	char *const *names; /* ends with NULL */
	struct store_job *job;
	struct zl_arena *arena;
	struct key last; /* of the resources that got a field */
	size_t count;
};

/* The document with a field more, in spec or, of a kind that has none, beside name. */
static char *with_more(struct making *at, const struct store_item *item)
{
	char *text = zl_arena_strndup(at->arena, item->value, item->value_len);
	char *spec = strstr(text, "\"spec\":{");
	char *rest = spec != NULL ? spec + strlen("\"spec\":{") : text + 1;

	return zl_arena_format(at->arena, "%.*s\"aNewField\":{\"x\":[1]},%s",
			       (int)(rest - text), text, rest);
}

static bool add_field(void *ctx, const struct store_item *item)
{
	struct making *at = ctx;
	struct key key;
	bool is_named = false;

	if (key_parse(item->key, item->key_len, at->arena, &key, NULL) != ZL_OK)
		return true;
	for (char *const *name = at->names; *name != NULL; name++)
		is_named = is_named || strcmp(*name, key.name) == 0;
	if (!is_named)
		return true;
	char *more = with_more(at, item);
	store_commit_put(at->job, item->key, item->key_len, more, strlen(more), STORE_ANY,
			 0);
	at->last = key;
	at->count++;
	return true;
}

/* The first of them is not even a document. */
static void add_kinds(struct making *at)
{
	struct key key = at->last;

	for (int i = 0; i < KINDS; i++) {
		struct zl_buf bytes = { 0 };
		key.name = zl_arena_format(at->arena, "new-%d", i);
		key_bytes(&key, &bytes);
		bytes.data[0] = (char)NEW_KIND;
		const char *value =
			i == 0 ? "\1\2\3"
			       : zl_arena_format(at->arena,
						 "{\"mesh\":\"default\",\"name\":\"%s\","
						 "\"spec\":{},\"type\":\"New\"}",
						 key.name);
		store_commit_put(at->job, bytes.data, bytes.len, value, strlen(value),
				 STORE_ANY, 0);
		zl_buf_free(&bytes);
	}
}

int main(int argc, char **argv)
{
	struct store *store;
	struct store_view *view;
	struct zl_err why = { 0 };

	if (argc < 3)
		errx(2, "usage: newer-release DIR NAME...");
	struct making making = { .names = argv + 2,
				 .job = store_commit_new(NULL, 1, "a newer release",
							 NULL),
				 .arena = zl_arena_new() };
	if (store_open(&store, argv[1], &(struct store_options){ 0 }, &why) != ZL_OK ||
	    store_view_open(store, &view, &why) != ZL_OK ||
	    store_each(view, NULL, 0, NULL, 0, add_field, &making, &why) != ZL_OK)
		errx(1, "%s", why.msg);
	store_view_close(&view);
	if (making.count != (size_t)argc - 2)
		errx(1, "%zu of %d resources are there", making.count, argc - 2);

	add_kinds(&making);
	if (store_run(store, &making.job, NULL, &why) != ZL_OK)
		errx(1, "%s", why.msg);
	zl_arena_free(&making.arena);
	store_close(&store);
	return 0;
}
