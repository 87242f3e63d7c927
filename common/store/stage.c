#include "store/inside.h"

#include "model/entry.h"

#include <string.h>

static bool keys_fit(const struct store_job *job, struct store_result *result)
{
	for (size_t i = 0; i < job->op_count; i++) {
		const struct job_op *op = &job->ops[i];
		if (op->key_len == 0 || op->key_len > ENTRY_KEY_MAX ||
		    op->value_len > STORE_VALUE_MAX) {
			result->op = i;
			zl_fail(&result->err, ZL_EINVAL,
				"a record of %zu + %zu bytes: at most %d + %d",
				op->key_len, op->value_len, ENTRY_KEY_MAX,
				STORE_VALUE_MAX);
			return false;
		}
	}
	return true;
}

static int put_record(MDB_txn *txn, MDB_dbi table, const struct job_op *op)
{
	const struct record record = { op->rev, op->rev, 0, op->value, op->value_len };
	MDB_val key = env_val(op->key, op->key_len);
	MDB_val val = { RECORD_HEAD + op->value_len, NULL };
	int rc = mdb_put(txn, table, &key, &val, MDB_RESERVE);

	if (rc == 0)
		record_pack(val.mv_data, op->key, op->key_len, &record);
	return rc;
}

int stage_apply(struct work *work, struct store_job *job, struct store_result *result)
{
	MDB_dbi table = work->store->env.table[!work->state.table];
	int rc = 0;

	if (!keys_fit(job, result))
		return 0;
	work->dirty = true;
	if (job->fresh)
		rc = mdb_drop(work->txn, table, 0);
	for (size_t i = 0; i < job->op_count && rc == 0; i++) {
		const struct job_op *op = &job->ops[i];
		MDB_val key = env_val(op->key, op->key_len);
		MDB_val val;
		struct record old = { 0 };
		rc = mdb_get(work->txn, table, &key, &val);
		if (rc != 0 && rc != MDB_NOTFOUND)
			break;
		bool is_there = rc == 0;
		rc = 0;
		if (is_there &&
		    !record_unpack(val.mv_data, val.mv_size, op->key, op->key_len, &old))
			return MDB_CORRUPTED;
		if (is_there && old.mod_rev >= op->rev)
			continue; /* the copy was already newer than this */
		if (!op->deleted)
			rc = put_record(work->txn, table, op);
		else if (is_there)
			rc = mdb_del(work->txn, table, &key, NULL);
	}
	return rc;
}

int swap_apply(struct work *work, struct store_job *job, struct store_result *result)
{
	struct state *state = &work->state;
	MDB_dbi old = work->store->env.table[state->table];
	MDB_dbi table = work->store->env.table[!state->table];
	struct digest sums[DIGEST_BUCKETS];
	struct digest total;
	uint64_t records;

	if (verify_table(work->txn, table, sums, &records, &result->err) != ZL_OK) {
		zl_wrap(&result->err, "staged records");
		return 0;
	}
	verify_total(sums, &total);
	if (!digest_equal(&total, &job->digest)) {
		zl_fail(&result->err, ZL_ECONFLICT,
			"the %llu staged records do not have the expected digest",
			(unsigned long long)records);
		return 0;
	}
	int rc = mdb_drop(work->txn, old, 0);
	if (rc == 0)
		rc = mdb_drop(work->txn, work->store->env.log, 0);
	work->dirty = true;
	memcpy(work->sums, sums, sizeof(sums));
	state->table = !state->table;
	state->position = job->position;
	state->digest = total;
	state->records = records;
	state->floor = job->position.rev + 1;
	memcpy(state->floor_chain, job->position.chain, POSITION_CHAIN);
	state->log_bytes = 0;
	return rc;
}

/* What a damaged record was counted as is not known, so it cannot be taken out of the
 * digest: then a snapshot must replace all. */
static int repair_one(struct work *work, const struct job_op *op, struct zl_err *err)
{
	struct record old;
	int rc = work_old(work, op->key, op->key_len, &old, err);
	bool is_there = rc == 0;

	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	if (op->deleted)
		return is_there ? work_delete(work, op->key, op->key_len, &old) : 0;
	const struct record record = { op->rev, is_there ? old.create_rev : op->rev,
				       is_there ? old.wall_us : 0, op->value,
				       op->value_len };
	return work_put(work, op->key, op->key_len, &record, is_there ? &old : NULL);
}

int repair_apply(struct work *work, struct store_job *job, struct store_result *result)
{
	if (!position_equal(&job->position, &work->state.position)) {
		zl_fail(&result->err, ZL_ECONFLICT,
			"the store is at revision %llu, the repair is for %llu",
			(unsigned long long)work->state.position.rev,
			(unsigned long long)job->position.rev);
		return 0;
	}
	if (!keys_fit(job, result))
		return 0;
	for (size_t i = 0; i < job->op_count; i++) {
		int rc = repair_one(work, &job->ops[i], &result->err);
		if (rc != 0)
			return rc;
	}
	return 0;
}
