#include "store/inside.h"

#include "base/bytes.h"

#include <string.h>

enum zl_code verify_table(MDB_txn *txn, MDB_dbi table, struct digest sums[DIGEST_BUCKETS],
			  uint64_t *records, struct zl_err *err)
{
	enum zl_code code = ZL_OK;
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val val;

	memset(sums, 0, DIGEST_BUCKETS * sizeof(*sums));
	*records = 0;
	int rc = mdb_cursor_open(txn, table, &cursor);
	if (rc != 0)
		return env_fail(err, rc, "read records");
	while ((rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT)) == 0) {
		struct record record;
		if (!record_unpack(val.mv_data, val.mv_size, key.mv_data, key.mv_size,
				   &record)) {
			code = view_damaged(err, "record", key.mv_data, key.mv_size);
			break;
		}
		digest_add(&sums[digest_bucket(key.mv_data, key.mv_size)], key.mv_data,
			   key.mv_size, record.mod_rev, record.value, record.len);
		++*records;
	}
	mdb_cursor_close(cursor);
	if (code == ZL_OK && rc != MDB_NOTFOUND)
		code = env_fail(err, rc, "read records");
	return code;
}

void verify_total(const struct digest sums[DIGEST_BUCKETS], struct digest *total)
{
	*total = (struct digest){ 0 };
	for (int i = 0; i < DIGEST_BUCKETS; i++)
		for (int lane = 0; lane < DIGEST_LANES; lane++)
			total->lane[lane] += sums[i].lane[lane];
}

static enum zl_code bad_log(struct zl_err *err, uint64_t rev, const char *why)
{
	return zl_fail(err, ZL_ECORRUPT, "log entry of revision %llu %s",
		       (unsigned long long)rev, why);
}

struct chain_walk {
	uint8_t chain[POSITION_CHAIN];
	uint64_t next;
	uint64_t bytes;
	struct zl_err *err;
	enum zl_code code;
};

static bool follows(void *ctx, const struct store_log_item *item)
{
	struct chain_walk *walk = ctx;

	position_chain(walk->chain, walk->chain, item->rev, item->entry, item->len);
	if (memcmp(walk->chain, item->chain, POSITION_CHAIN) != 0)
		walk->code = bad_log(walk->err, item->rev,
				     "does not follow from its "
				     "forerunner");
	walk->next = item->rev + 1;
	return walk->code == ZL_OK;
}

/* The log ends where the state says, with the chain that the state says; whole: each
 * entry is there and follows from the one before. */
static enum zl_code verify_log(struct store_view *view, bool whole, struct zl_err *err)
{
	const struct state *state = &view->state;
	uint64_t rev = state->position.rev;
	struct chain_walk walk = { .next = state->floor, .err = err };
	MDB_cursor *cursor;
	MDB_val key = { 0 };
	MDB_val val;

	int rc = mdb_cursor_open(view->txn, view->store->env.log, &cursor);
	if (rc == 0) {
		rc = mdb_cursor_get(cursor, &key, &val, MDB_LAST);
		mdb_cursor_close(cursor);
	}
	if (rc != 0 && rc != MDB_NOTFOUND)
		return env_fail(err, rc, "read the log");
	uint64_t last = rc == 0 && key.mv_size == 8 ? zl_get_be64(key.mv_data) : 0;
	if (last != (state->floor > rev ? 0 : rev))
		return zl_fail(err, ZL_ECORRUPT,
			       "the store is at revision %llu but its log ends at %llu",
			       (unsigned long long)rev, (unsigned long long)last);
	if (last == 0)
		return ZL_OK;

	/* The last entry alone: from the chain before it. */
	if (!whole)
		walk.next = rev;
	enum zl_code code = store_chain_at(view, walk.next - 1, walk.chain, err);
	if (code == ZL_OK)
		code = store_log(view, walk.next, follows, &walk, err);
	if (code == ZL_OK)
		code = walk.code;
	if (code == ZL_OK &&
	    (walk.next != rev + 1 ||
	     memcmp(walk.chain, state->position.chain, POSITION_CHAIN) != 0))
		code = bad_log(err, rev, "does not lead to the chain of the state");
	return code;
}

enum zl_code verify_view(struct store_view *view, bool log,
			 struct digest sums[DIGEST_BUCKETS], struct zl_err *err)
{
	const struct state *state = &view->state;
	struct digest total;
	uint64_t records;

	enum zl_code code = verify_log(view, log, err);
	if (code == ZL_OK)
		code = verify_table(view->txn, view->store->env.table[state->table], sums,
				    &records, err);
	if (code != ZL_OK)
		return code;
	verify_total(sums, &total);
	if (records != state->records)
		return zl_fail(err, ZL_ECORRUPT, "%llu records where %llu were written",
			       (unsigned long long)records,
			       (unsigned long long)state->records);
	if (!digest_equal(&total, &state->digest))
		return zl_fail(err, ZL_ECORRUPT,
			       "the records do not have the digest that was written");
	return ZL_OK;
}

enum zl_code store_verify(struct store *store, struct zl_err *err)
{
	struct digest sums[DIGEST_BUCKETS];
	struct store_view *view;
	enum zl_code code = store_view_open(store, &view, err);

	if (code != ZL_OK)
		return code;
	code = verify_view(view, true, sums, err);
	store_view_close(&view);
	return code;
}
