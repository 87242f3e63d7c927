#include "store/inside.h"

#include "base/bytes.h"
#include "model/entry.h"

#include <string.h>

/* Are all entries whole, in order, and linked to what is here? Nothing is written. */
static bool are_next(const struct work *work, struct store_job *job,
		     struct entry *entries, struct store_result *result)
{
	const struct position *at = &work->state.position;
	uint8_t chain[POSITION_CHAIN];

	memcpy(chain, at->chain, POSITION_CHAIN);
	for (size_t i = 0; i < job->op_count; i++) {
		const struct job_op *op = &job->ops[i];
		unsigned long long rev = at->rev + 1 + i;
		result->op = i;
		if (op->rev != rev) {
			zl_fail(&result->err, ZL_ECONFLICT,
				"revision %llu given where %llu comes next",
				(unsigned long long)op->rev, rev);
			return false;
		}
		position_chain(chain, chain, op->rev, op->value, op->value_len);
		if (memcmp(chain, op->chain, POSITION_CHAIN) != 0) {
			zl_fail(&result->err, ZL_ECONFLICT,
				"revision %llu belongs to another history: its chain "
				"differs",
				rev);
			return false;
		}
		if (entry_unpack(op->value, op->value_len, job->arena, &entries[i],
				 &result->err) != ZL_OK) {
			result->err.code = ZL_EINVAL; /* it was sent so, not stored */
			zl_wrap(&result->err, "revision %llu", rev);
			return false;
		}
	}
	result->op = 0;
	return true;
}

static int apply_op(struct work *work, const struct entry *entry, const struct op *op,
		    uint64_t rev, uint8_t before[8], struct zl_err *err)
{
	struct record old;
	int rc = work_old(work, op->key, op->key_len, &old, err);
	bool is_there = rc == 0;

	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	zl_put_be64(before, is_there ? old.mod_rev : 0);
	if (op->deleted)
		return is_there ? work_delete(work, op->key, op->key_len, &old) : 0;
	const struct record record = { rev, is_there ? old.create_rev : rev,
				       entry->wall_us, op->value, op->value_len };
	return work_put(work, op->key, op->key_len, &record, is_there ? &old : NULL);
}

static int apply_entry(struct work *work, struct store_job *job,
		       const struct job_op *from, const struct entry *entry,
		       struct zl_err *err)
{
	uint8_t *before = zl_arena_alloc(job->arena, entry->op_count, 8);

	for (size_t i = 0; i < entry->op_count; i++) {
		int rc = apply_op(work, entry, &entry->ops[i], from->rev, before + 8 * i,
				  err);
		if (rc != 0)
			return rc;
	}
	return work_log(work, from->value, from->value_len, before,
			(uint32_t)entry->op_count);
}

int follow_apply(struct work *work, struct store_job *job, struct store_result *result)
{
	struct entry *entries =
		zl_arena_alloc(job->arena, job->op_count, sizeof(*entries));

	if (!are_next(work, job, entries, result))
		return 0;
	for (size_t i = 0; i < job->op_count; i++) {
		int rc = apply_entry(work, job, &job->ops[i], &entries[i], &result->err);
		if (rc != 0)
			return rc;
	}
	return 0;
}
