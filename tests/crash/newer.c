/* newer-release DIR: what a newer release would have written into the store of a global
 * that is stopped, in one commit: resources of a kind that this release does not know,
 * and route-1 with a field more. For tests/multizone/scenarios_skew.py. */
#include "base/mem.h"
#include "model/key.h"
#include "store/read.h"
#include "store/store.h"
#include "store/write.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

enum { NEW_KIND = 200, KINDS = 3 };

static const char ROUTE[] = "\5default\0\0\0route-1";

/* The document with a field more. */
static char *with_more(const struct store_item *item)
{
	char *text = zl_strndup(item->value, item->value_len);
	char *spec = strstr(text, "\"spec\":{");

	if (spec == NULL)
		errx(1, "route-1 has no spec: %s", text);
	*spec = '\0';
	char *more =
		zl_format("%s\"spec\":{\"aNewField\":{\"x\":[1]},%s", text, spec + 8);
	free(text);
	return more;
}

int main(int argc, char **argv)
{
	struct store *store;
	struct store_view *view;
	struct store_item item;
	struct zl_err why = { 0 };

	if (argc != 2)
		errx(2, "usage: newer-release DIR");
	if (store_open(&store, argv[1], &(struct store_options){ 0 }, &why) != ZL_OK ||
	    store_view_open(store, &view, &why) != ZL_OK ||
	    store_get(view, ROUTE, sizeof(ROUTE) - 1, &item, &why) != ZL_OK)
		errx(1, "%s", why.msg);
	char *more = with_more(&item);
	store_view_close(&view);

	struct store_job *job = store_commit_new(NULL, 1, "a newer release", NULL);
	for (int i = 0; i < KINDS; i++) {
		char key[] = "\0default\0\0\0new-0";
		key[0] = (char)NEW_KIND;
		key[sizeof(key) - 2] = (char)('0' + i);
		store_commit_put(job, key, sizeof(key) - 1, "\1\2\3", 3, STORE_ANY, 0);
	}
	store_commit_put(job, ROUTE, sizeof(ROUTE) - 1, more, strlen(more), STORE_ANY, 0);
	if (store_run(store, &job, NULL, &why) != ZL_OK)
		errx(1, "%s", why.msg);
	free(more);
	store_close(&store);
	return 0;
}
