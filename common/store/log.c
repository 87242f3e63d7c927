#include "store/inside.h"

#include "base/bytes.h"
#include "model/entry.h"

#include <assert.h>
#include <string.h>

static enum zl_code damaged(struct zl_err *err, uint64_t rev)
{
	return zl_fail(err, ZL_ECORRUPT, "log entry of revision %llu is damaged",
		       (unsigned long long)rev);
}

/* The log record of rev. ZL_ENOENT: the log does not have it; err is untouched. */
static enum zl_code log_get(struct store_view *view, uint64_t rev,
			    struct log_record *record, struct zl_err *err)
{
	uint8_t number[8] = { 0 };
	MDB_val key = env_val(number, sizeof(number));
	MDB_val val;

	if (rev < view->state.floor || rev > view->state.position.rev)
		return ZL_ENOENT;
	zl_put_be64(number, rev);
	int rc = mdb_get(view->txn, view->store->env.log, &key, &val);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return env_fail(err, rc, "read the log");
	if (rc != 0 || !log_record_unpack(val.mv_data, val.mv_size, rev, record))
		return damaged(err, rev);
	return ZL_OK;
}

enum zl_code store_log(struct store_view *view, uint64_t from, store_log_fn *fn,
		       void *ctx, struct zl_err *err)
{
	if (from < view->state.floor)
		return zl_fail(err, ZL_ENOENT,
			       "the log was cut: it begins with revision %llu, not %llu",
			       (unsigned long long)view->state.floor,
			       (unsigned long long)from);
	for (uint64_t rev = from; rev <= view->state.position.rev; rev++) {
		struct log_record record = { 0 };
		enum zl_code code = log_get(view, rev, &record, err);
		if (code != ZL_OK)
			return code;
		const struct store_log_item item = { rev, record.chain, record.entry,
						     record.len };
		if (!fn(ctx, &item))
			break;
	}
	return ZL_OK;
}

enum zl_code store_chain_at(struct store_view *view, uint64_t rev,
			    uint8_t chain[POSITION_CHAIN], struct zl_err *err)
{
	const struct state *state = &view->state;
	struct log_record record = { 0 };

	if (rev == state->position.rev || rev + 1 == state->floor) {
		memcpy(chain,
		       rev == state->position.rev ? state->position.chain
						  : state->floor_chain,
		       POSITION_CHAIN);
		return ZL_OK;
	}
	enum zl_code code = log_get(view, rev, &record, err);
	if (code == ZL_ENOENT)
		return zl_fail(err, code, "revision %llu is not in the log",
			       (unsigned long long)rev);
	if (code != ZL_OK)
		return code;
	assert(record.chain != NULL);
	memcpy(chain, record.chain, POSITION_CHAIN);
	return ZL_OK;
}

/* The op of entry that concerns key, or NULL. */
static const struct op *op_of(const struct entry *entry, const void *key, size_t key_len)
{
	for (size_t i = 0; i < entry->op_count; i++) {
		const struct op *op = &entry->ops[i];
		if (op->key_len == key_len && memcmp(op->key, key, key_len) == 0)
			return op;
	}
	return NULL;
}

struct past {
	const void *key;
	size_t key_len;
	struct zl_arena *arena;
	struct entry entry;
	const struct op *op; /* NULL: the entry does not concern key */
	uint64_t before;     /* mod_rev of the key before; 0: there was none */
};

static enum zl_code past_at(struct store_view *view, uint64_t rev, struct past *past,
			    struct zl_err *err)
{
	struct log_record record = { 0 };
	enum zl_code code = log_get(view, rev, &record, err);

	zl_arena_reset(past->arena);
	if (code == ZL_OK)
		code = entry_unpack(record.entry, record.len, past->arena, &past->entry,
				    err);
	if (code != ZL_OK)
		return code;
	past->op = op_of(&past->entry, past->key, past->key_len);
	if (past->op != NULL) {
		size_t i = (size_t)(past->op - past->entry.ops);
		if (i >= record.op_count)
			return damaged(err, rev);
		past->before = zl_get_be64(record.before + 8 * i);
	}
	return ZL_OK;
}

/* A key that is gone: look for its end in the log, from the newest entry back. */
static enum zl_code find_end(struct store_view *view, struct past *past, uint64_t *rev,
			     struct zl_err *err)
{
	for (*rev = view->state.position.rev; *rev >= view->state.floor; --*rev) {
		enum zl_code code = past_at(view, *rev, past, err);
		if (code != ZL_OK)
			return code;
		if (past->op != NULL)
			return ZL_OK;
	}
	return ZL_ENOENT;
}

static enum zl_code walk_back(struct store_view *view, struct past *past, uint64_t rev,
			      size_t limit, store_past_fn *fn, void *ctx,
			      struct zl_err *err)
{
	while (limit-- > 0 && rev != 0) {
		enum zl_code code = past_at(view, rev, past, err);
		if (code != ZL_OK)
			return code == ZL_ENOENT ? ZL_OK
						 : code; /* the log was cut here */
		if (past->op == NULL)
			return ZL_OK; /* put there by a repair, not by this entry */
		const struct store_past item = { .rev = rev,
						 .wall_us = past->entry.wall_us,
						 .who = past->entry.who,
						 .message = past->entry.message,
						 .value = past->op->value_len > 0
								  ? past->op->value
								  : "",
						 .value_len = past->op->value_len,
						 .deleted = past->op->deleted };
		if (!fn(ctx, &item) || past->before >= rev)
			break;
		rev = past->before;
	}
	return ZL_OK;
}

enum zl_code store_history(struct store_view *view, const void *key, size_t key_len,
			   size_t limit, store_past_fn *fn, void *ctx, struct zl_err *err)
{
	struct past past = { .key = key, .key_len = key_len, .arena = zl_arena_new() };
	struct store_item item;
	uint64_t rev = 0;

	enum zl_code code = store_get(view, key, key_len, &item, err);
	if (code == ZL_OK)
		rev = item.mod_rev;
	else if (code == ZL_ENOENT)
		code = find_end(view, &past, &rev, err);
	if (code == ZL_OK)
		code = walk_back(view, &past, rev, limit, fn, ctx, err);
	zl_arena_free(&past.arena);
	return code == ZL_ENOENT ? ZL_OK : code;
}
