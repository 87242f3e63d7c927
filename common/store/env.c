#include "store/env.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOCK_BYTES = 8192 }; /* of the lock file for LMDB's default of 126 readers */

static const char STATE[] = "state";

enum zl_code env_code(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return ZL_OK;
	case MDB_NOTFOUND:
		return ZL_ENOENT;
	case MDB_BAD_VALSIZE:
		return ZL_EINVAL;
	case MDB_MAP_FULL:
	case EDQUOT:
	case EFBIG:
		return ZL_ENOSPC;
	case MDB_READERS_FULL:
	case MDB_TXN_FULL:
		return ZL_ELIMIT;
	case MDB_CORRUPTED:
	case MDB_INVALID:
	case MDB_PAGE_NOTFOUND:
	case MDB_VERSION_MISMATCH:
	case MDB_KEYEXIST: /* the log has entries beyond its end */
		return ZL_ECORRUPT;
	default: /* LMDB's own codes are negative, the system's positive */
		return rc < 0 ? ZL_EIO : zl_code_from_errno(rc);
	}
}

enum zl_code env_fail(struct zl_err *err, int rc, const char *what)
{
	return zl_fail(err, env_code(rc), "%s: %s", what, mdb_strerror(rc));
}

MDB_val env_val(const void *data, size_t len)
{
	union {
		const void *in;
		void *out;
	} ptr = { .in = data };

	return (MDB_val){ len, ptr.out };
}

/* What a new store begins with. */
static int put_first_state(struct env *env, MDB_txn *txn)
{
	struct state state = { .floor = 1 };

	zl_random(state.uuid, sizeof(state.uuid));
	zl_random(state.position.epoch, sizeof(state.position.epoch));
	return env_put_state(env, txn, &state);
}

/* Open the tables; an empty environment becomes a new store in the same transaction. */
static int open_tables(struct env *env)
{
	unsigned flag = env->read_only ? 0 : MDB_CREATE;
	const struct {
		const char *name;
		MDB_dbi *table;
	} tables[] = { { "a", &env->table[0] },
		       { "b", &env->table[1] },
		       { "log", &env->log },
		       { "local", &env->local } };
	struct state state;
	MDB_stat stat;
	MDB_txn *txn;
	int rc = mdb_txn_begin(env->mdb, NULL, env->read_only ? MDB_RDONLY : 0, &txn);

	if (rc != 0)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, &env->main);
	if (rc == 0)
		rc = mdb_stat(txn, env->main, &stat);
	if (rc == 0 && stat.ms_entries == 0)
		rc = env->read_only ? ENOENT : put_first_state(env, txn);
	if (rc == 0)
		rc = env_state(env, txn, &state);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && rc == 0; i++)
		rc = mdb_dbi_open(txn, tables[i].name, flag, tables[i].table);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc == MDB_NOTFOUND ? MDB_INVALID : rc; /* not one of ours */
	}
	return mdb_txn_commit(txn);
}

/* LMDB makes its lock file with holes and writes to it through a map: on a full disk
 * that is a SIGBUS. A file that has its blocks it takes as it is. */
static enum zl_code reserve_lock(const char *dir, struct zl_err *err)
{
	char *path = zl_format("%s/lock.mdb", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int fault = fd < 0 ? errno : posix_fallocate(fd, 0, LOCK_BYTES);

	if (fd >= 0)
		(void)close(fd);
	free(path);
	return fault == 0 ? ZL_OK : env_fail(err, fault, "lock.mdb");
}

enum zl_code env_open(struct env *env, const char *dir, uint64_t map_size, bool read_only,
		      struct zl_err *err)
{
	enum zl_code code = pages_check_header(dir, err);
	int rc;

	if (code == ZL_OK && !read_only)
		code = reserve_lock(dir, err);
	if (code != ZL_OK)
		return code;
	(void)pthread_rwlock_init(&env->map, NULL);
	env->read_only = read_only;
	if ((rc = mdb_env_create(&env->mdb)) != 0 ||
	    (rc = mdb_env_set_mapsize(env->mdb, map_size)) != 0 ||
	    (rc = mdb_env_set_maxdbs(env->mdb, 8)) != 0 ||
	    (rc = mdb_env_open(env->mdb, dir, MDB_NOTLS | (read_only ? MDB_RDONLY : 0),
			       0600)) != 0) {
		code = env_fail(err, rc, "data.mdb");
		env_close(env);
		return code;
	}
	env_clear_readers(env);
	code = pages_check(env->mdb, dir, !read_only, err);
	if (code == ZL_OK && (rc = open_tables(env)) != 0)
		code = env_fail(err, rc, "tables");
	if (code != ZL_OK)
		env_close(env);
	return code;
}

void env_close(struct env *env)
{
	if (env->mdb == NULL)
		return;
	mdb_env_close(env->mdb);
	env->mdb = NULL;
	(void)pthread_rwlock_destroy(&env->map);
}

/* Another process has made the map larger: take its size. */
static void adopt_size(struct env *env)
{
	(void)pthread_rwlock_wrlock(&env->map);
	(void)mdb_env_set_mapsize(env->mdb, 0);
	(void)pthread_rwlock_unlock(&env->map);
}

int env_read_begin(struct env *env, MDB_txn **txnp)
{
	for (;;) {
		(void)pthread_rwlock_rdlock(&env->map);
		int rc = *txnp != NULL ? mdb_txn_renew(*txnp)
				       : mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, txnp);
		if (rc == 0)
			return 0;
		mdb_txn_abort(*txnp);
		*txnp = NULL;
		(void)pthread_rwlock_unlock(&env->map);
		if (rc != MDB_MAP_RESIZED)
			return rc;
		adopt_size(env);
	}
}

void env_read_end(struct env *env, MDB_txn *txn)
{
	mdb_txn_reset(txn);
	(void)pthread_rwlock_unlock(&env->map);
}

int env_write_begin(struct env *env, MDB_txn **txnp)
{
	int rc = mdb_txn_begin(env->mdb, NULL, 0, txnp);

	if (rc == MDB_MAP_RESIZED) {
		adopt_size(env);
		rc = mdb_txn_begin(env->mdb, NULL, 0, txnp);
	}
	return rc;
}

int env_grow(struct env *env, uint64_t more)
{
	MDB_envinfo info;

	(void)mdb_env_info(env->mdb, &info);
	uint64_t size = 2 * (uint64_t)info.me_mapsize;
	if (size < info.me_mapsize + 2 * more)
		size = info.me_mapsize + 2 * more;
	(void)pthread_rwlock_wrlock(&env->map);
	int rc = mdb_env_set_mapsize(env->mdb, size);
	(void)pthread_rwlock_unlock(&env->map);
	zl_log(ZL_INFO, "store", "map grown", "bytes=%lu", (unsigned long)size);
	return rc;
}

void env_clear_readers(struct env *env)
{
	int dead = 0;

	if (mdb_reader_check(env->mdb, &dead) == 0 && dead > 0)
		zl_log(ZL_WARN, "store", "slots of dead readers freed", "count=%d", dead);
}

/* One line of LMDB's reader table: process, thread, transaction or "-". */
static int oldest(const char *line, void *ctx)
{
	uint64_t *least = ctx;
	const char *last = strrchr(line, ' ');
	char *end;

	if (last == NULL)
		return 0;
	uint64_t txnid = strtoull(last + 1, &end, 10);
	if (end != last + 1 && txnid < *least)
		*least = txnid;
	return 0;
}

void env_size(struct env *env, struct env_size *size)
{
	uint64_t least = UINT64_MAX;
	MDB_envinfo info;
	MDB_stat stat;

	(void)pthread_rwlock_rdlock(&env->map); /* LMDB looks into the map for these */
	(void)mdb_env_info(env->mdb, &info);
	(void)mdb_env_stat(env->mdb, &stat);
	(void)mdb_reader_list(env->mdb, oldest, &least);
	(void)pthread_rwlock_unlock(&env->map);
	*size = (struct env_size){
		.file_bytes = (info.me_last_pgno + 1) * (uint64_t)stat.ms_psize,
		.map_bytes = info.me_mapsize,
		.reader_lag = least < info.me_last_txnid ? info.me_last_txnid - least : 0,
	};
}

int env_state(const struct env *env, MDB_txn *txn, struct state *state)
{
	MDB_val key = env_val(STATE, sizeof(STATE) - 1);
	MDB_val val;
	uint32_t schema;
	int rc = mdb_get(txn, env->main, &key, &val);

	if (rc != 0)
		return rc;
	if (state_unpack(val.mv_data, val.mv_size, state, &schema))
		return 0;
	return schema > STATE_SCHEMA ? MDB_VERSION_MISMATCH : MDB_CORRUPTED;
}

int env_put_state(const struct env *env, MDB_txn *txn, const struct state *state)
{
	uint8_t bytes[STATE_SIZE];
	MDB_val key = env_val(STATE, sizeof(STATE) - 1);
	MDB_val val = env_val(bytes, sizeof(bytes));

	state_pack(bytes, state);
	return mdb_put(txn, env->main, &key, &val, 0);
}
