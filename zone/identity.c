#include "zone/identity.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "store/read.h"
#include "store/write.h"

#include <string.h>

#define SPACE "zone"
#define NAME "identity"

static enum zl_code read_last(struct store *store, struct identity *out,
			      struct zl_err *err)
{
	struct store_item item;
	struct store_view *view;

	enum zl_code code = store_view_open(store, &view, err);
	if (code != ZL_OK)
		return code;
	code = store_local_get(view, SPACE, NAME, &item, err);
	if (code == ZL_OK && item.value_len != SYNC_UUID + 8) {
		code = zl_fail(err, ZL_ECORRUPT, "the zone's identity is damaged");
	} else if (code == ZL_OK) {
		const uint8_t *from = item.value;
		memcpy(out->uuid, from, SYNC_UUID);
		out->incarnation = zl_get_be64(from + SYNC_UUID);
	}
	store_view_close(&view);
	return code;
}

enum zl_code identity_take(struct store *store, struct identity *out, struct zl_err *err)
{
	uint8_t bytes[SYNC_UUID + 8];

	*out = (struct identity){ 0 };
	enum zl_code code = read_last(store, out, err);
	if (code == ZL_ENOENT)
		zl_random(out->uuid, SYNC_UUID);
	else if (code != ZL_OK)
		return code;
	out->incarnation++;

	memcpy(bytes, out->uuid, SYNC_UUID);
	zl_put_be64(bytes + SYNC_UUID, out->incarnation);
	struct store_job *job = store_local_new(NULL);
	store_local_put(job, SPACE, NAME, bytes, sizeof(bytes));
	code = store_run(store, &job, NULL, err);
	store_job_free(&job);
	return code;
}
