#include "global/replication/reads.h"

#include "base/bytes.h"
#include "base/log.h"
#include "secrets/secrets.h"
#include "store/read.h"

#include <string.h>

/* One view for each call: it is short, and never open across a turn. */
static struct store_view *view_of(void *io, enum zl_code *code, struct zl_err *err)
{
	const struct reads *reads = io;
	struct store_view *view = NULL;

	*code = store_view_open(reads->store, &view, err);
	if (*code != ZL_OK)
		zl_log(ZL_ERROR, "store", "cannot be read", "err=%q",
		       err != NULL ? err->msg : zl_code_text(*code));
	return view;
}

static enum zl_code read_sums(void *io, uint64_t *rev, struct digest sums[DIGEST_BUCKETS],
			      struct zl_err *err)
{
	const struct reads *reads = io;
	struct position position;
	enum zl_code code = store_sums(reads->store, sums, &position, err);

	*rev = position.rev;
	return code;
}

struct give {
	sync_record_fn *fn;
	void *arg;
	uint8_t bucket;
};

static struct sync_record record_of(const struct store_item *item)
{
	return (struct sync_record){ .key = item->key,
				     .key_len = item->key_len,
				     .mod_rev = item->mod_rev,
				     .value = item->value,
				     .value_len = item->value_len };
}

static bool give_item(void *ctx, const struct store_item *item)
{
	const struct give *give = ctx;
	struct sync_record record = record_of(item);

	return give->fn(give->arg, &record);
}

static bool give_key(void *ctx, const struct store_item *item, const uint8_t hash[32])
{
	(void)hash;
	return give_item(ctx, item);
}

static enum zl_code read_bucket(void *io, uint8_t bucket, uint64_t *rev,
				sync_record_fn *fn, void *arg, struct zl_err *err)
{
	bool wanted[DIGEST_BUCKETS] = { false };
	struct give give = { fn, arg, bucket };
	struct position position;
	enum zl_code code;
	struct store_view *view = view_of(io, &code, err);

	if (view == NULL)
		return code;
	wanted[bucket] = true;
	store_position(view, &position, NULL);
	*rev = position.rev;
	code = store_bucket_keys(view, wanted, give_key, &give, err);
	store_view_close(&view);
	return code;
}

static bool read_chain(void *io, uint64_t rev, uint8_t chain[POSITION_CHAIN])
{
	enum zl_code code;
	struct store_view *view = view_of(io, &code, NULL);
	bool known = view != NULL && store_chain_at(view, rev, chain, NULL) == ZL_OK;

	store_view_close(&view);
	return known;
}

struct take {
	struct zl_arena *arena;
	struct sync_entry *out;
	bool found;
};

static bool take_entry(void *ctx, const struct store_log_item *item)
{
	struct take *take = ctx;

	*take->out = (struct sync_entry){ .rev = item->rev, .len = item->len };
	memcpy(take->out->chain, item->chain, POSITION_CHAIN);
	take->out->bytes = zl_arena_memdup(take->arena, item->entry, item->len);
	take->found = true;
	return false;
}

static enum zl_code read_entry(void *io, uint64_t rev, struct zl_arena *arena,
			       struct sync_entry *out, struct zl_err *err)
{
	struct take take = { arena, out, false };
	enum zl_code code;
	struct store_view *view = view_of(io, &code, err);

	if (view == NULL)
		return code;
	code = store_log(view, rev, take_entry, &take, err);
	store_view_close(&view);
	if (code == ZL_OK && (!take.found || out->rev != rev))
		return zl_fail(err, ZL_ENOENT, "revision %llu is not in the log",
			       (unsigned long long)rev);
	return code;
}

static uint64_t read_floor(void *io)
{
	enum zl_code code;
	struct store_view *view = view_of(io, &code, NULL);
	uint64_t floor = view != NULL ? store_floor(view) : UINT64_MAX;

	store_view_close(&view);
	return floor;
}

static enum zl_code read_each(void *io, const void *after, size_t after_len,
			      sync_record_fn *fn, void *arg, struct zl_err *err)
{
	struct give give = { fn, arg, 0 };
	enum zl_code code;
	struct store_view *view = view_of(io, &code, err);

	if (view == NULL)
		return code;
	code = store_each(view, NULL, 0, after_len > 0 ? after : NULL, after_len,
			  give_item, &give, err);
	store_view_close(&view);
	return code;
}

static enum zl_code read_get(void *io, const void *key, size_t key_len, uint64_t *rev,
			     struct zl_arena *arena, struct sync_record *out,
			     struct zl_err *err)
{
	struct store_item item;
	struct position position;
	enum zl_code code;
	struct store_view *view = view_of(io, &code, err);

	if (view == NULL)
		return code;
	store_position(view, &position, NULL);
	*rev = position.rev;
	code = store_get(view, key, key_len, &item, err);
	if (code == ZL_OK) {
		*out = record_of(&item);
		out->key = zl_arena_memdup(arena, item.key, item.key_len);
		out->value = zl_arena_memdup(arena, item.value, item.value_len);
	}
	store_view_close(&view);
	return code;
}

enum zl_code reads_record_of_zone(const void *bytes, size_t len,
				  struct sync_zone_record *record)
{
	const uint8_t *from = bytes;

	if (len != READS_ZONE_BYTES && len != READS_ZONE_BYTES_1)
		return ZL_ECORRUPT;
	memcpy(record->uuid, from, SYNC_UUID);
	record->incarnation = zl_get_be64(from + SYNC_UUID);
	record->session = zl_get_be64(from + SYNC_UUID + 8);
	record->fence = zl_get_be64(from + SYNC_UUID + 16);
	record->quarantined = len == READS_ZONE_BYTES && from[SYNC_UUID + 24] != 0;
	return ZL_OK;
}

void reads_zone_bytes(const struct sync_zone_record *record,
		      uint8_t out[READS_ZONE_BYTES])
{
	memcpy(out, record->uuid, SYNC_UUID);
	zl_put_be64(out + SYNC_UUID, record->incarnation);
	zl_put_be64(out + SYNC_UUID + 8, record->session);
	zl_put_be64(out + SYNC_UUID + 16, record->fence);
	out[SYNC_UUID + 24] = record->quarantined;
}

static bool read_zone(void *io, const char *zone, struct sync_zone_record *out)
{
	struct store_item item;
	enum zl_code code;
	struct store_view *view = view_of(io, &code, NULL);
	bool found =
		view != NULL &&
		store_local_get(view, READS_ZONE_SPACE, zone, &item, NULL) == ZL_OK &&
		reads_record_of_zone(item.value, item.value_len, out) == ZL_OK;

	store_view_close(&view);
	return found;
}

/* Only what the set shows now and something of its mesh names. Whether the zone has a
 * proxy that needs it the zone alone knows, and asks for nothing else. */
static enum zl_code read_secret(void *io, const char *zone,
				const struct sync_secret *secret, struct zl_arena *arena,
				struct sync_bytes *out, struct zl_err *err)
{
	const struct reads *reads = io;
	const struct set *set = reads->set(reads->owner);
	const struct key key = { KIND_SECRET, secret->mesh, "", "", secret->name };
	const struct resource *res = set_get(set, &key);
	struct zl_buf content = { 0 };

	(void)zone;
	if (reads->secrets == NULL || res == NULL ||
	    strcmp(res->secret->version, secret->version) != 0)
		return zl_fail(err, ZL_ENOENT, "there is no such version of it");
	if (!secret_is_named(set, res))
		return zl_fail(err, ZL_EACCES, "nothing names it");
	enum zl_code code = secrets_read(reads->secrets, res, &content, err);
	if (code == ZL_OK)
		*out = (struct sync_bytes){ zl_arena_memdup(arena, zl_buf_text(&content),
							    content.len),
					    content.len };
	secrets_wipe(&content);
	return code;
}

const struct sync_global_ops READS_OPS = {
	.store = { .sums = read_sums, .bucket = read_bucket },
	.chain = read_chain,
	.entry = read_entry,
	.floor = read_floor,
	.each = read_each,
	.get = read_get,
	.zone = read_zone,
	.secret = read_secret,
};
