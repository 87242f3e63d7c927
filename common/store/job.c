#include "store/inside.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct store_job *job_new(enum store_job_kind kind, void *tag)
{
	struct store_job *job = zl_alloc(1, sizeof(*job));

	job->kind = kind;
	job->tag = tag;
	job->arena = zl_arena_new();
	return job;
}

static void job_add(struct store_job *job, struct job_op op)
{
	if (job->op_count == job->op_room) {
		job->op_room = job->op_room > 0 ? 2 * job->op_room : 4;
		job->ops = zl_realloc(job->ops, job->op_room, sizeof(*job->ops));
	}
	op.key = zl_arena_memdup(job->arena, op.key, op.key_len);
	op.value = zl_arena_memdup(job->arena, op.value, op.value_len);
	job->bytes += op.key_len + op.value_len;
	job->ops[job->op_count++] = op;
}

void store_job_free(struct store_job **jobp)
{
	struct store_job *job = *jobp;

	if (job == NULL)
		return;
	*jobp = NULL;
	store_job_free(&job->also);
	zl_arena_free(&job->arena);
	free(job->ops);
	free(job);
}

struct store_job *store_commit_new(void *tag, uint64_t wall_us, const char *who,
				   const char *message)
{
	struct store_job *job = job_new(STORE_COMMIT, tag);

	job->wall_us = wall_us;
	job->who = zl_arena_strdup(job->arena, who != NULL ? who : "");
	job->message = zl_arena_strdup(job->arena, message != NULL ? message : "");
	return job;
}

void store_commit_also(struct store_job *job, struct store_job **localp)
{
	assert(job->kind == STORE_COMMIT && job->also == NULL);
	assert((*localp)->kind == STORE_LOCAL);
	job->also = *localp;
	job->bytes += job->also->bytes;
	*localp = NULL;
}

void store_commit_put(struct store_job *job, const void *key, size_t key_len,
		      const void *value, size_t value_len, enum store_expect expect,
		      uint64_t rev)
{
	assert(job->kind == STORE_COMMIT);
	job_add(job, (struct job_op){ .key = key,
				      .key_len = key_len,
				      .value = value,
				      .value_len = value_len,
				      .expect = expect,
				      .rev = rev });
}

void store_commit_delete(struct store_job *job, const void *key, size_t key_len,
			 enum store_expect expect, uint64_t rev)
{
	assert(job->kind == STORE_COMMIT);
	job_add(job, (struct job_op){ .key = key,
				      .key_len = key_len,
				      .expect = expect,
				      .rev = rev,
				      .deleted = true });
}

struct store_job *store_follow_new(void *tag)
{
	return job_new(STORE_FOLLOW, tag);
}

void store_follow_entry(struct store_job *job, uint64_t rev,
			const uint8_t chain[POSITION_CHAIN], const void *entry,
			size_t len)
{
	assert(job->kind == STORE_FOLLOW);
	job_add(job, (struct job_op){ .value = entry,
				      .value_len = len,
				      .rev = rev,
				      .chain = zl_arena_memdup(job->arena, chain,
							       POSITION_CHAIN) });
}

struct store_job *store_stage_new(void *tag, bool fresh)
{
	struct store_job *job = job_new(STORE_STAGE, tag);

	job->fresh = fresh;
	return job;
}

struct store_job *store_repair_new(void *tag, const struct position *position)
{
	struct store_job *job = job_new(STORE_REPAIR, tag);

	job->position = *position;
	return job;
}

void store_record_put(struct store_job *job, const void *key, size_t key_len,
		      uint64_t mod_rev, const void *value, size_t value_len)
{
	assert(job->kind == STORE_STAGE || job->kind == STORE_REPAIR);
	job_add(job, (struct job_op){ .key = key,
				      .key_len = key_len,
				      .value = value,
				      .value_len = value_len,
				      .rev = mod_rev });
}

void store_record_delete(struct store_job *job, const void *key, size_t key_len,
			 uint64_t rev)
{
	assert(job->kind == STORE_STAGE || job->kind == STORE_REPAIR);
	job_add(job,
		(struct job_op){
			.key = key, .key_len = key_len, .rev = rev, .deleted = true });
}

struct store_job *store_swap_new(void *tag, const struct position *position,
				 const struct digest *digest)
{
	struct store_job *job = job_new(STORE_SWAP, tag);

	job->position = *position;
	job->digest = *digest;
	return job;
}

struct store_job *store_epoch_new(void *tag, const uint8_t epoch[POSITION_EPOCH])
{
	struct store_job *job = job_new(STORE_EPOCH, tag);

	if (epoch != NULL)
		memcpy(job->position.epoch, epoch, POSITION_EPOCH);
	else
		zl_random(job->position.epoch, POSITION_EPOCH);
	return job;
}

struct store_job *store_local_new(void *tag)
{
	return job_new(STORE_LOCAL, tag);
}

void store_local_put(struct store_job *job, const char *space, const char *name,
		     const void *value, size_t len)
{
	struct zl_buf key = { 0 };

	assert(job->kind == STORE_LOCAL);
	assert(*space != '\0' && strlen(space) <= 200 && *name != '\0' &&
	       strlen(name) <= 200 && len <= STORE_LOCAL_MAX);
	zl_buf_add(&key, space, strlen(space) + 1);
	zl_buf_str(&key, name);
	job_add(job, (struct job_op){ .key = key.data,
				      .key_len = key.len,
				      .value = value,
				      .value_len = value != NULL ? len : 0,
				      .deleted = value == NULL });
	zl_buf_free(&key);
}

void store_results_free(struct store_result **resultsp)
{
	struct store_result *result = *resultsp;

	while (result != NULL) {
		struct store_result *next = result->next;
		free(result->entry);
		free(result->changes);
		free(result);
		result = next;
	}
	*resultsp = NULL;
}
