#include "zone/replica.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void remove_store(const char *dir)
{
	static const char *const NAMES[] = { "data.mdb", "lock.mdb", "owner",
					     "store-id" };

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		char *path = zl_format("%s/%s", dir, NAMES[i]);
		(void)unlink(path);
		free(path);
	}
	(void)rmdir(dir);
}

static enum zl_code move_aside(const char *dir, const char *aside, struct zl_err *err)
{
	remove_store(aside);
	if (rename(dir, aside) == 0)
		return ZL_OK;
	return zl_fail(err, zl_code_from_errno(errno), "move %s to %s: %s", dir, aside,
		       strerror(errno));
}

/* Has nothing been copied yet? */
static bool is_empty(struct store *store)
{
	struct position position = { .rev = 0 };
	struct store_view *view;

	if (store_view_open(store, &view, NULL) == ZL_OK) {
		store_position(view, &position, NULL);
		store_view_close(&view);
	}
	return position.rev == 0;
}

enum zl_code replica_open(struct store **out, const char *data_dir,
			  const struct store_options *options, bool *lost,
			  struct zl_err *err)
{
	char *dir = zl_format("%s/replica", data_dir);
	char *aside = zl_format("%s.damaged", dir);
	struct zl_err why = { 0 };
	struct stat file;

	enum zl_code code = store_open(out, dir, options, &why);
	if (code == ZL_ECORRUPT) {
		zl_log(ZL_ERROR, "store",
		       "the copy of global's store is damaged: it is copied again, and "
		       "proxies keep what they have until then",
		       "err=%q damaged=%q", why.msg, aside);
		code = move_aside(dir, aside, &why);
		if (code == ZL_OK)
			code = store_open(out, dir, options, &why);
	}
	*lost = code == ZL_OK && stat(aside, &file) == 0 && is_empty(*out);
	if (code != ZL_OK)
		zl_fail(err, code, "%s", why.msg);
	free(aside);
	free(dir);
	return code;
}
