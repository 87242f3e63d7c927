#include "store/inside.h"

#include "model/entry.h"

#include <string.h>

static void item_from(struct store_item *item, const MDB_val *key,
		      const struct record *record)
{
	*item = (struct store_item){ .key = key->mv_data,
				     .key_len = key->mv_size,
				     .value = record->value,
				     .value_len = record->len,
				     .mod_rev = record->mod_rev,
				     .create_rev = record->create_rev,
				     .wall_us = record->wall_us };
}

static enum zl_code get(struct store_view *view, MDB_dbi table, MDB_val key,
			struct store_item *item, struct zl_err *err)
{
	struct record record;
	MDB_val val;

	int rc = mdb_get(view->txn, table, &key, &val);
	if (rc == MDB_NOTFOUND)
		return ZL_ENOENT;
	if (rc != 0)
		return env_fail(err, rc, "read a record");
	if (!record_unpack(val.mv_data, val.mv_size, key.mv_data, key.mv_size, &record))
		return view_damaged(err, "record", key.mv_data, key.mv_size);
	item_from(item, &key, &record);
	return ZL_OK;
}

enum zl_code store_get(struct store_view *view, const void *key, size_t key_len,
		       struct store_item *item, struct zl_err *err)
{
	if (key_len == 0 || key_len > ENTRY_KEY_MAX)
		return ZL_ENOENT;
	return get(view, view->store->env.table[view->state.table], env_val(key, key_len),
		   item, err);
}

/* Is key behind after? */
static bool is_behind(const MDB_val *key, const void *after, size_t len)
{
	size_t common = key->mv_size < len ? key->mv_size : len;
	int order = memcmp(key->mv_data, after, common);

	return order > 0 || (order == 0 && key->mv_size > len);
}

struct walk {
	const void *prefix, *after;
	size_t prefix_len, after_len;
	store_item_fn *fn;
	void *ctx;
};

static int walk_first(MDB_cursor *cursor, const struct walk *walk, MDB_val *key,
		      MDB_val *val)
{
	bool from_after =
		walk->after != NULL &&
		is_behind(&(MDB_val){ walk->after_len, env_val(walk->after, 0).mv_data },
			  walk->prefix, walk->prefix_len);

	*key = from_after ? env_val(walk->after, walk->after_len)
			  : env_val(walk->prefix, walk->prefix_len);
	if (key->mv_size == 0)
		return mdb_cursor_get(cursor, key, val, MDB_FIRST);
	int rc = mdb_cursor_get(cursor, key, val, MDB_SET_RANGE);
	if (rc == 0 && walk->after != NULL &&
	    !is_behind(key, walk->after, walk->after_len))
		rc = mdb_cursor_get(cursor, key, val, MDB_NEXT);
	return rc;
}

static enum zl_code each(struct store_view *view, MDB_dbi table, const struct walk *walk,
			 struct zl_err *err)
{
	enum zl_code code = ZL_OK;
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val val;

	int rc = mdb_cursor_open(view->txn, table, &cursor);
	if (rc != 0)
		return env_fail(err, rc, "read records");
	rc = walk_first(cursor, walk, &key, &val);
	while (rc == 0 && key.mv_size >= walk->prefix_len &&
	       memcmp(key.mv_data, walk->prefix, walk->prefix_len) == 0) {
		struct record record;
		struct store_item item;
		if (!record_unpack(val.mv_data, val.mv_size, key.mv_data, key.mv_size,
				   &record)) {
			code = view_damaged(err, "record", key.mv_data, key.mv_size);
			break;
		}
		item_from(&item, &key, &record);
		if (!walk->fn(walk->ctx, &item))
			break;
		rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	if (code == ZL_OK && rc != 0 && rc != MDB_NOTFOUND)
		code = env_fail(err, rc, "read records");
	return code;
}

enum zl_code store_each(struct store_view *view, const void *prefix, size_t prefix_len,
			const void *after, size_t after_len, store_item_fn *fn, void *ctx,
			struct zl_err *err)
{
	const struct walk walk = {
		prefix != NULL ? prefix : "", after, prefix_len, after_len, fn, ctx
	};

	return each(view, view->store->env.table[view->state.table], &walk, err);
}

enum zl_code store_staged_each(struct store_view *view, store_item_fn *fn, void *ctx,
			       struct zl_err *err)
{
	const struct walk walk = { .prefix = "", .fn = fn, .ctx = ctx };

	return each(view, view->store->env.table[!view->state.table], &walk, err);
}

struct key_walk {
	const bool *wanted;
	store_key_fn *fn;
	void *ctx;
};

static bool in_bucket(void *ctx, const struct store_item *item)
{
	const struct key_walk *walk = ctx;
	struct digest one = { 0 };
	uint8_t hash[32];

	if (!walk->wanted[digest_bucket(item->key, item->key_len)])
		return true;
	digest_add(&one, item->key, item->key_len, item->mod_rev, item->value,
		   item->value_len);
	digest_bytes(&one, hash);
	return walk->fn(walk->ctx, item, hash);
}

enum zl_code store_bucket_keys(struct store_view *view, const bool wanted[DIGEST_BUCKETS],
			       store_key_fn *fn, void *ctx, struct zl_err *err)
{
	struct key_walk walk = { wanted, fn, ctx };

	return store_each(view, NULL, 0, NULL, 0, in_bucket, &walk, err);
}

enum zl_code store_sums(struct store *store, struct digest sums[DIGEST_BUCKETS],
			struct position *position, struct zl_err *err)
{
	if (store->options.read_only) { /* its writer is another process */
		struct store_view *view;
		enum zl_code code = store_view_open(store, &view, err);
		if (code != ZL_OK)
			return code;
		*position = view->state.position;
		code = verify_view(view, false, sums, err);
		store_view_close(&view);
		return code;
	}
	(void)pthread_mutex_lock(&store->lock);
	*position = store->state.position;
	memcpy(sums, store->sums, sizeof(store->sums));
	(void)pthread_mutex_unlock(&store->lock);
	return ZL_OK;
}

enum { LOCAL_KEY_MAX = 402 };

/* space 0x00 name (and 0x00, not counted in len); false: too long. */

static bool local_key(char key[LOCAL_KEY_MAX], const char *space, const char *name,
		      size_t *len)
{
	size_t head = strlen(space) + 1;
	size_t tail = strlen(name);

	if (head > 201 || tail > 200)
		return false;
	memcpy(key, space, head);
	memcpy(key + head, name, tail + 1);
	*len = head + tail;
	return true;
}

enum zl_code store_local_get(struct store_view *view, const char *space, const char *name,
			     struct store_item *item, struct zl_err *err)
{
	char key[LOCAL_KEY_MAX];
	size_t len;

	if (!local_key(key, space, name, &len))
		return ZL_ENOENT;
	enum zl_code code =
		get(view, view->store->env.local, env_val(key, len), item, err);
	if (code == ZL_OK) {
		item->key = name;
		item->key_len = strlen(name);
	}
	return code;
}

struct local_walk {
	size_t head;
	store_item_fn *fn;
	void *ctx;
};

static bool local_item(void *ctx, const struct store_item *item)
{
	const struct local_walk *walk = ctx;
	struct store_item inner = *item;

	inner.key = (const char *)item->key + walk->head;
	inner.key_len -= walk->head;
	return walk->fn(walk->ctx, &inner);
}

enum zl_code store_local_each(struct store_view *view, const char *space,
			      store_item_fn *fn, void *ctx, struct zl_err *err)
{
	char key[LOCAL_KEY_MAX];
	size_t len;

	if (!local_key(key, space, "", &len))
		return ZL_OK;
	struct local_walk inner = { len, fn, ctx };
	const struct walk walk = { key, NULL, len, 0, local_item, &inner };
	return each(view, view->store->env.local, &walk, err);
}
