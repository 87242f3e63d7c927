#include "zone/replication/replica.h"

#include "base/log.h"
#include "store/read.h"

static enum zl_code read_sums(void *io, uint64_t *rev, struct digest sums[DIGEST_BUCKETS],
			      struct zl_err *err)
{
	struct position position;
	enum zl_code code = store_sums(io, sums, &position, err);

	*rev = position.rev;
	return code;
}

struct give {
	sync_record_fn *fn;
	void *arg;
};

static bool give_key(void *ctx, const struct store_item *item, const uint8_t hash[32])
{
	const struct give *give = ctx;
	const struct sync_record record = { .key = item->key,
					    .key_len = item->key_len,
					    .mod_rev = item->mod_rev,
					    .value = item->value,
					    .value_len = item->value_len };

	(void)hash;
	return give->fn(give->arg, &record);
}

static enum zl_code read_bucket(void *io, uint8_t bucket, uint64_t *rev,
				sync_record_fn *fn, void *arg, struct zl_err *err)
{
	bool wanted[DIGEST_BUCKETS] = { false };
	struct give give = { fn, arg };
	struct position position;
	struct store_view *view;

	enum zl_code code = store_view_open(io, &view, err);
	if (code != ZL_OK)
		return code;
	wanted[bucket] = true;
	store_position(view, &position, NULL);
	*rev = position.rev;
	code = store_bucket_keys(view, wanted, give_key, &give, err);
	store_view_close(&view);
	return code;
}

const struct sync_store_ops REPLICA_OPS = { .sums = read_sums, .bucket = read_bucket };

void replica_on_odd(void *ctx, const struct key *key, uint64_t rev, const char *why)
{
	struct zl_buf kri = { 0 };

	(void)ctx;
	if (key->kind != KIND_NONE)
		key_kri(key, "", &kri);
	zl_log(ZL_ERROR, "replication", "a resource from global is not understood",
	       "kri=%q rev=%llu err=%q", zl_buf_text(&kri), (unsigned long long)rev, why);
	zl_buf_free(&kri);
}
