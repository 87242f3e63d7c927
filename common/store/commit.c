#include "store/inside.h"

#include "base/bytes.h"
#include "model/entry.h"

#include <stdlib.h>
#include <string.h>

/* What the check found out about one op; for the writing that follows it. */
struct found {
	struct store_change change;
	uint64_t create_rev;
};

struct by_key {
	const struct job_op *op;
};

static int compare(const void *a, const void *b)
{
	const struct job_op *x = ((const struct by_key *)a)->op;
	const struct job_op *y = ((const struct by_key *)b)->op;
	size_t common = x->key_len < y->key_len ? x->key_len : y->key_len;
	int order = memcmp(x->key, y->key, common);

	return order != 0 ? order : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

static bool has_double(const struct store_job *job, size_t *which)
{
	struct by_key *sorted = zl_alloc(job->op_count, sizeof(*sorted));
	bool found = false;

	for (size_t i = 0; i < job->op_count; i++)
		sorted[i].op = &job->ops[i];
	qsort(sorted, job->op_count, sizeof(*sorted), compare);
	for (size_t i = 1; i < job->op_count && !found; i++) {
		found = compare(&sorted[i - 1], &sorted[i]) == 0;
		*which = (size_t)(sorted[i].op - job->ops);
	}
	free(sorted);
	return found;
}

/* Is the job within the limits, each key at most once? Else false and why. */
static bool is_sound(const struct store_job *job, struct store_result *result)
{
	if (job->op_count > ENTRY_OPS_MAX || job->bytes > STORE_COMMIT_MAX) {
		zl_fail(&result->err, ZL_ELIMIT,
			"a commit of %zu records, %zu bytes: at most %d and %d",
			job->op_count, job->bytes, ENTRY_OPS_MAX, STORE_COMMIT_MAX);
		return false;
	}
	for (size_t i = 0; i < job->op_count; i++) {
		const struct job_op *op = &job->ops[i];
		result->op = i;
		if (op->key_len == 0 || op->key_len > ENTRY_KEY_MAX) {
			zl_fail(&result->err, ZL_EINVAL, "a key of %zu bytes: 1 to %d",
				op->key_len, ENTRY_KEY_MAX);
			return false;
		}
		if (op->value_len > STORE_VALUE_MAX) {
			zl_fail(&result->err, ZL_ELIMIT,
				"a record of %zu bytes: at most %d", op->value_len,
				STORE_VALUE_MAX);
			return false;
		}
	}
	if (job->op_count > 1 && has_double(job, &result->op)) {
		zl_fail(&result->err, ZL_EINVAL, "one key twice in a commit");
		return false;
	}
	result->op = 0;
	return true;
}

static bool holds(const struct job_op *op, const struct record *old)
{
	switch (op->expect) {
	case STORE_ABSENT:
		return old == NULL;
	case STORE_EXISTS:
		return old != NULL;
	case STORE_AT_REV:
		return (old != NULL ? old->mod_rev : 0) == op->rev;
	case STORE_ANY:
		break;
	}
	return true;
}

/* Check one op against what is stored; nothing is written. False: refused. */
static bool check(const struct job_op *op, const struct record *old, uint64_t rev,
		  struct found *found, struct store_result *result)
{
	enum store_change_kind kind = old != NULL ? STORE_UPDATED : STORE_CREATED;

	result->op_rev = old != NULL ? old->mod_rev : 0;
	if (op->deleted && old == NULL && op->expect != STORE_AT_REV) {
		zl_fail(&result->err, ZL_ENOENT, "there is no such record");
		return false;
	}
	if (!holds(op, old)) {
		zl_fail(&result->err, ZL_ECONFLICT,
			result->op_rev > 0 ? "the record is at revision %llu"
					   : "there is no such record (revision %llu)",
			(unsigned long long)result->op_rev);
		return false;
	}
	if (op->deleted)
		kind = old != NULL ? STORE_DELETED : STORE_UNCHANGED;
	else if (old != NULL && old->len == op->value_len &&
		 memcmp(old->value, op->value, old->len) == 0)
		kind = STORE_UNCHANGED;
	found->change = (struct store_change){
		kind, kind == STORE_UNCHANGED ? result->op_rev : rev, result->op_rev
	};
	found->create_rev = old != NULL ? old->create_rev : rev;
	return true;
}

static int check_all(struct work *work, const struct store_job *job, struct found *found,
		     size_t *changed, struct store_result *result)
{
	*changed = 0;
	for (size_t i = 0; i < job->op_count; i++) {
		const struct job_op *op = &job->ops[i];
		struct record old;
		result->op = i;
		int rc = work_old(work, op->key, op->key_len, &old, &result->err);
		if (rc == MDB_CORRUPTED && result->err.code != ZL_OK)
			return 0; /* nothing is written yet: only this job fails */
		if (rc != 0 && rc != MDB_NOTFOUND)
			return rc;
		if (!check(op, rc == 0 ? &old : NULL, work->state.position.rev + 1,
			   &found[i], result))
			return 0;
		*changed += found[i].change.kind != STORE_UNCHANGED;
	}
	result->op = 0;
	result->op_rev = 0;
	return 0;
}

static int write_one(struct work *work, const struct store_job *job,
		     const struct job_op *op, const struct found *found)
{
	struct record old;
	int rc = work_old(work, op->key, op->key_len, &old, NULL);
	bool is_there = rc == 0;

	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	if (op->deleted)
		return work_delete(work, op->key, op->key_len, &old);
	const struct record record = { found->change.mod_rev, found->create_rev,
				       job->wall_us, op->value, op->value_len };
	return work_put(work, op->key, op->key_len, &record, is_there ? &old : NULL);
}

/* Write the ops that change something, and the entry that tells of them. */
static int write_all(struct work *work, struct store_job *job, const struct found *found,
		     size_t changed, struct store_result *result)
{
	struct op *ops = zl_arena_alloc(job->arena, changed, sizeof(*ops));
	uint8_t *before = zl_arena_alloc(job->arena, changed, 8);
	struct zl_buf bytes = { 0 };
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < job->op_count && rc == 0; i++) {
		const struct job_op *op = &job->ops[i];
		if (found[i].change.kind == STORE_UNCHANGED)
			continue;
		zl_put_be64(before + 8 * n, found[i].change.old_rev);
		ops[n++] = (struct op){ op->key, op->key_len, op->value, op->value_len,
					op->deleted };
		rc = write_one(work, job, op, &found[i]);
	}
	const struct entry entry = { ops, n, job->wall_us, job->who, job->message };
	entry_pack(&entry, &bytes);
	if (rc == 0)
		rc = work_log(work, bytes.data, bytes.len, before, (uint32_t)n);
	result->entry = bytes.data;
	result->entry_len = bytes.len;
	return rc;
}

int commit_apply(struct work *work, struct store_job *job, struct store_result *result)
{
	size_t changed = 0;

	if (!is_sound(job, result))
		return 0;
	struct found *found = zl_alloc(job->op_count, sizeof(*found));
	int rc = check_all(work, job, found, &changed, result);
	if (rc == 0 && result->err.code == ZL_OK) {
		result->changes = zl_alloc(job->op_count, sizeof(*result->changes));
		result->change_count = job->op_count;
		for (size_t i = 0; i < job->op_count; i++)
			result->changes[i] = found[i].change;
		if (changed > 0)
			rc = write_all(work, job, found, changed, result);
		if (rc == 0 && job->also != NULL)
			rc = local_apply(work, job->also, result);
	}
	free(found);
	return rc;
}
