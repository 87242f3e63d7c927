#include "store/inside.h"

#include "base/bytes.h"

#include <string.h>

enum {
	TRIM_SLACK = 64, /* entries above the limit before a trim is worth its pages */
	TRIM_STEP = 100  /* entries taken off beyond those that came */
};

static MDB_dbi present(const struct work *work)
{
	return work->store->env.table[work->state.table];
}

int work_old(struct work *work, const void *key, size_t key_len, struct record *old,
	     struct zl_err *err)
{
	MDB_val name = env_val(key, key_len);
	MDB_val val;
	int rc = mdb_get(work->txn, present(work), &name, &val);

	if (rc == 0 && !record_unpack(val.mv_data, val.mv_size, key, key_len, old)) {
		(void)view_damaged(err, "record", key, key_len);
		rc = MDB_CORRUPTED;
	}
	return rc;
}

/* Take out of the digest and its bucket what was, add what is; NULL for nothing. */
static void count(struct work *work, const void *key, size_t key_len,
		  const struct record *out, const struct record *in)
{
	struct digest change = { 0 };
	struct digest *sum = &work->sums[digest_bucket(key, key_len)];

	if (out != NULL)
		digest_take(&change, key, key_len, out->mod_rev, out->value, out->len);
	if (in != NULL)
		digest_add(&change, key, key_len, in->mod_rev, in->value, in->len);
	for (int i = 0; i < DIGEST_LANES; i++) {
		sum->lane[i] += change.lane[i];
		work->state.digest.lane[i] += change.lane[i];
	}
	work->state.records += in != NULL;
	work->state.records -= out != NULL;
}

int work_put(struct work *work, const void *key, size_t key_len,
	     const struct record *record, const struct record *old)
{
	MDB_val name = env_val(key, key_len);
	MDB_val val = { RECORD_HEAD + record->len, NULL };

	count(work, key, key_len, old, record); /* first: old's bytes go with the put */
	int rc = mdb_put(work->txn, present(work), &name, &val, MDB_RESERVE);
	if (rc == 0)
		record_pack(val.mv_data, key, key_len, record);
	work->dirty = true;
	return rc;
}

int work_delete(struct work *work, const void *key, size_t key_len,
		const struct record *old)
{
	MDB_val name = env_val(key, key_len);

	count(work, key, key_len, old, NULL);
	work->dirty = true;
	return mdb_del(work->txn, present(work), &name, NULL);
}

int work_log(struct work *work, const void *entry, size_t len, const uint8_t *before,
	     uint32_t op_count)
{
	struct state *state = &work->state;
	uint64_t rev = state->position.rev + 1;
	uint8_t chain[POSITION_CHAIN];
	uint8_t number[8];

	position_chain(chain, state->position.chain, rev, entry, len);
	const struct log_record record = { chain, op_count, before, entry, len };
	zl_put_be64(number, rev);
	MDB_val key = env_val(number, sizeof(number));
	MDB_val val = { log_record_size(&record), NULL };
	int rc = mdb_put(work->txn, work->store->env.log, &key, &val,
			 MDB_APPEND | MDB_RESERVE);
	if (rc != 0)
		return rc;
	log_record_pack(val.mv_data, rev, &record);
	state->position.rev = rev;
	memcpy(state->position.chain, chain, POSITION_CHAIN);
	state->log_bytes += val.mv_size;
	work->dirty = true;
	return 0;
}

/* The revision from which on entries must stay: pins, and the last one always. */
static uint64_t trim_end(struct work *work)
{
	struct store *store = work->store;
	uint64_t end = work->state.position.rev;

	(void)pthread_mutex_lock(&store->lock);
	for (const struct pin *pin = store->pins; pin != NULL; pin = pin->next)
		if (pin->rev < end)
			end = pin->rev;
	(void)pthread_mutex_unlock(&store->lock);
	return end;
}

static bool too_long(const struct work *work, uint64_t slack)
{
	const struct store_options *options = &work->store->options;
	const struct state *state = &work->state;
	uint64_t entries = state->position.rev + 1 - state->floor;

	return entries > options->log_count + slack ||
	       state->log_bytes >
		       options->log_bytes + slack * (options->log_bytes / 1024);
}

int work_trim(struct work *work)
{
	struct state *state = &work->state;

	if (!too_long(work, TRIM_SLACK))
		return 0;
	uint64_t end = trim_end(work);
	uint64_t came = state->position.rev - work->store->state.position.rev;
	for (uint64_t i = 0;
	     i < TRIM_STEP + came && state->floor < end && too_long(work, 0); i++) {
		struct log_record record;
		uint8_t number[8] = { 0 };
		MDB_val key = env_val(number, sizeof(number));
		MDB_val val;
		zl_put_be64(number, state->floor);
		int rc = mdb_get(work->txn, work->store->env.log, &key, &val);
		if (rc != 0)
			return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
		if (!log_record_unpack(val.mv_data, val.mv_size, state->floor, &record))
			return MDB_CORRUPTED;
		memcpy(state->floor_chain, record.chain, POSITION_CHAIN);
		state->log_bytes -= val.mv_size;
		state->floor++;
		if ((rc = mdb_del(work->txn, work->store->env.log, &key, NULL)) != 0)
			return rc;
	}
	return 0;
}
