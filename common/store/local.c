#include "store/inside.h"

int local_apply(struct work *work, struct store_job *job, struct store_result *result)
{
	MDB_dbi table = work->store->env.local;

	(void)result;
	for (size_t i = 0; i < job->op_count; i++) {
		const struct job_op *op = &job->ops[i];
		const struct record record = { .value = op->value, .len = op->value_len };
		MDB_val key = env_val(op->key, op->key_len);
		MDB_val val = { RECORD_HEAD + op->value_len, NULL };
		int rc = op->deleted ? mdb_del(work->txn, table, &key, NULL)
				     : mdb_put(work->txn, table, &key, &val, MDB_RESERVE);
		if (rc == MDB_NOTFOUND)
			continue; /* gone already */
		if (rc != 0)
			return rc;
		if (!op->deleted)
			record_pack(val.mv_data, op->key, op->key_len, &record);
		work->dirty = true;
	}
	return 0;
}
