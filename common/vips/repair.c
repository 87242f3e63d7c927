/* Services that were stored without an address: before there were any, or while their
 * range was full. */
#include "base/clock.h"
#include "base/mem.h"
#include "vips/vips.h"

#include <string.h>

enum { BATCH = 500 }; /* objects of one commit */

struct repair {
	struct vips *vips;
	struct store *store;
	struct store_job *job, *local; /* NULL: nothing is to be written */
	size_t count, done;
	struct zl_err *err;
};

static enum zl_code send(struct repair *at)
{
	if (at->job == NULL)
		return ZL_OK;
	store_commit_also(at->job, &at->local);
	enum zl_code code = store_run(at->store, &at->job, NULL, at->err);
	store_job_free(&at->job);
	at->count = 0;
	return code;
}

static enum zl_code look_at(struct repair *at, const struct resource *res)
{
	struct resource *made = vips_complete(at->vips, res);
	enum zl_code code = ZL_OK;
	struct zl_buf key = { 0 };

	if (made == NULL || (made->json_len == res->json_len &&
			     memcmp(made->json, res->json, res->json_len) == 0)) {
		resource_drop(&made);
		return ZL_OK;
	}
	if (at->job == NULL) {
		at->job = store_commit_new(NULL, zl_wall_us(), "control plane",
					   "addresses of services");
		at->local = store_local_new(NULL);
	}
	key_bytes(&made->key, &key);
	store_commit_put(at->job, key.data, key.len, made->json, made->json_len,
			 STORE_EXISTS, 0);
	vips_beside(at->vips, made, at->local);
	at->done++;
	if (++at->count == BATCH)
		code = send(at);
	zl_buf_free(&key);
	resource_drop(&made);
	return code;
}

enum zl_code vips_repair(struct vips *vips, struct store *store, const struct set *set,
			 size_t *count, struct zl_err *err)
{
	struct repair at = { .vips = vips, .store = store, .err = err };
	enum zl_code code = ZL_OK;

	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(set, (enum kind)kind, NULL);
		const struct resource *res;
		while (vip_kind_of((enum kind)kind) < VIP_KINDS && code == ZL_OK &&
		       (res = set_next(&each)) != NULL)
			code = look_at(&at, res);
	}
	if (code == ZL_OK)
		code = send(&at);
	store_job_free(&at.local);
	store_job_free(&at.job);
	*count = at.done;
	return code;
}
