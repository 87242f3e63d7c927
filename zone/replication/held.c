#include "zone/replication/held.h"

#include "base/bytes.h"
#include "base/log.h"
#include "store/read.h"
#include "store/write.h"

#include <string.h>

/* epoch | rev u64 big-endian | chain | digest */
enum {
	REV_AT = POSITION_EPOCH,
	CHAIN_AT = REV_AT + 8,
	DIGEST_AT = CHAIN_AT + POSITION_CHAIN,
	NOTE_BYTES = DIGEST_AT + 32
};
static const char SPACE[] = "replication", NAME[] = "held";

void held_note(struct store *store, const struct sync_state *held)
{
	struct store_job *job = store_local_new(NULL);
	struct zl_err err = { 0 };
	uint8_t bytes[NOTE_BYTES];

	if (held != NULL) {
		memcpy(bytes, held->position.epoch, POSITION_EPOCH);
		zl_put_be64(bytes + REV_AT, held->position.rev);
		memcpy(bytes + CHAIN_AT, held->position.chain, POSITION_CHAIN);
		digest_bytes(&held->digest, bytes + DIGEST_AT);
	}
	store_local_put(job, SPACE, NAME, held != NULL ? bytes : NULL,
			held != NULL ? NOTE_BYTES : 0);
	if (store_submit(store, &job, &err) == ZL_OK)
		return;
	zl_log(ZL_WARN, "replication", "the note of what is held is not stored", "err=%q",
	       err.msg);
	store_job_free(&job);
}

static bool take(void *ctx, const struct store_item *item)
{
	staging_put(ctx, item->key, item->key_len, item->mod_rev, item->value,
		    item->value_len);
	return true;
}

static bool read_note(struct store_view *view, struct sync_state *held)
{
	struct store_item item;

	if (store_local_get(view, SPACE, NAME, &item, NULL) != ZL_OK ||
	    item.value_len != NOTE_BYTES)
		return false;
	const uint8_t *bytes = item.value;
	memcpy(held->position.epoch, bytes, POSITION_EPOCH);
	held->position.rev = zl_get_be64(bytes + REV_AT);
	memcpy(held->position.chain, bytes + CHAIN_AT, POSITION_CHAIN);
	digest_from_bytes(&held->digest, bytes + DIGEST_AT);
	return true;
}

bool held_load(struct store *store, const struct set *shown, struct staging *staging,
	       struct sync_state *held)
{
	struct store_view *view;
	bool found;

	if (store_view_open(store, &view, NULL) != ZL_OK)
		return false;
	staging_begin(staging, shown);
	found = read_note(view, held) &&
		store_staged_each(view, take, staging, NULL) == ZL_OK &&
		digest_equal(&staging->digest, &held->digest);
	store_view_close(&view);
	if (!found)
		staging_clear(staging);
	return found;
}
