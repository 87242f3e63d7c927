#include "backup/inside.h"

#include "base/mem.h"
#include "store/store.h"
#include "store/write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum zl_code backup_read(const char *path, struct backup_facts *facts, struct zl_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum zl_code code = ZL_OK;
	char head[BACKUP_HEAD];
	struct stat file = { 0 };

	*facts = (struct backup_facts){ 0 };
	if (fd < 0 || fstat(fd, &file) != 0)
		code = backup_errno(err, "open", path);
	else if (read(fd, head, sizeof(head)) != sizeof(head) ||
		 !header_read(head, facts))
		code = zl_fail(err, ZL_ECORRUPT, "%s is not a snapshot", path);
	uint64_t whole = facts->data_bytes + BACKUP_HEAD + ZL_SHA256;
	if (code == ZL_OK) {
		facts->file_bytes = (uint64_t)file.st_size;
		if (facts->file_bytes != whole)
			code = zl_fail(err, ZL_ECORRUPT,
				       "%s is not whole: it has %" PRIu64
				       " bytes, not %" PRIu64,
				       path, facts->file_bytes, whole);
	}
	if (fd >= 0)
		close(fd);
	return code;
}

enum zl_code backup_check(const char *path, struct backup_facts *facts,
			  struct zl_err *err)
{
	enum zl_code code = backup_read(path, facts, err);

	return code == ZL_OK ? unpack(path, facts, NULL, err) : code;
}

/* What the store in folder dir is must be what the header says. */
static enum zl_code compare(const char *path, const char *dir,
			    const struct backup_facts *facts, struct zl_err *err)
{
	struct backup_facts found = { 0 };
	enum zl_code code = look(dir, &found, err);

	if (code == ZL_OK && (!position_equal(&found.position, &facts->position) ||
			      !digest_equal(&found.digest, &facts->digest) ||
			      found.records != facts->records))
		code = zl_fail(err, ZL_ECORRUPT,
			       "%s holds another state than its header says", path);
	return code;
}

/* The store of path, checked, in the new folder dir. */
static enum zl_code open_up(const char *path, const char *dir, struct backup_facts *facts,
			    struct zl_err *err)
{
	enum zl_code code = backup_check(path, facts, err);

	if (code == ZL_OK && mkdir(dir, 0700) != 0)
		code = backup_errno(err, "make folder", dir);
	if (code == ZL_OK)
		code = unpack(path, facts, dir, err);
	if (code == ZL_OK)
		code = compare(path, dir, facts, err);
	return code;
}

enum zl_code backup_verify(const char *path, const char *work, struct backup_facts *facts,
			   struct zl_err *err)
{
	enum zl_code code = open_up(path, work, facts, err);

	remove_store(work);
	return code;
}

/* Zones that followed the history before the backup went on from another point of it:
 * what comes now is another history. */
static enum zl_code new_epoch(const char *dir, struct backup_facts *facts,
			      struct zl_err *err)
{
	struct store_result *result = NULL;
	struct store *store;

	enum zl_code code = store_open(&store, dir, NULL, err);
	if (code != ZL_OK)
		return code;
	zl_random(facts->position.epoch, POSITION_EPOCH);
	struct store_job *job = store_epoch_new(NULL, facts->position.epoch);
	code = store_run(store, &job, &result, err);
	store_job_free(&job);
	store_results_free(&result);
	store_close(&store);
	return code;
}

/* A name beside dir, which nothing has yet: dir.word-TIME. */
static char *name_beside(const char *dir, const char *word)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm parts;
	struct stat file;

	(void)gmtime_r(&now, &parts);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts);
	char *name = zl_format("%s.%s-%s", dir, word, stamp);
	for (unsigned i = 2; lstat(name, &file) == 0; i++) {
		free(name);
		name = zl_format("%s.%s-%s-%u", dir, word, stamp, i);
	}
	return name;
}

/* The two change places: at no moment is there no store, which global would take for a
 * new beginning. */
static enum zl_code exchange(const char *fresh, const char *dir, char **aside,
			     struct zl_err *err)
{
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, dir, RENAME_EXCHANGE) != 0)
		return backup_errno(err, "exchange the store with", dir);
	*aside = name_beside(dir, "before");
	if (rename(fresh, *aside) == 0)
		return ZL_OK;
	free(*aside); /* the old one keeps the name of the work */
	*aside = zl_strdup(fresh);
	return ZL_OK;
}

/* Put folder fresh in the place of dir. What is there and not empty goes aside. */
static enum zl_code put_in_place(const char *fresh, const char *dir, bool force,
				 char **aside, struct zl_err *err)
{
	int lock = -1;

	if (rename(fresh, dir) == 0)
		return ZL_OK; /* nothing was there, or an empty folder */
	if (errno != ENOTEMPTY && errno != EEXIST)
		return backup_errno(err, "move the store to", dir);
	if (!force)
		return zl_fail(err, ZL_ECONFLICT,
			       "%s holds a store already; --force moves it aside", dir);
	enum zl_code code = store_lock(dir, &lock, err);
	if (code == ZL_OK)
		code = exchange(fresh, dir, aside, err);
	if (lock >= 0)
		close(lock);
	return code;
}

static char *folder_above(const char *dir)
{
	const char *slash = strrchr(dir, '/');

	return slash == NULL  ? zl_strdup(".")
	       : slash == dir ? zl_strdup("/")
			      : zl_strndup(dir, (size_t)(slash - dir));
}

/* The process that will use the store is that of the folder's owner. */
static enum zl_code check_owner(const char *folder, struct zl_err *err)
{
	struct stat file;

	if (stat(folder, &file) != 0)
		return backup_errno(err, "folder", folder);
	if (file.st_uid != geteuid())
		return zl_fail(err, ZL_EACCES,
			       "folder %s belongs to user %u and this is user %u: run as "
			       "its owner",
			       folder, (unsigned)file.st_uid, (unsigned)geteuid());
	return ZL_OK;
}

enum zl_code backup_restore(const char *path, const char *dir, bool force,
			    struct backup_facts *facts, char **aside, struct zl_err *err)
{
	char *above = folder_above(dir);
	char *fresh = name_beside(dir, "new");

	*aside = NULL;
	enum zl_code code = check_owner(above, err);
	if (code == ZL_OK)
		code = open_up(path, fresh, facts, err);
	if (code == ZL_OK)
		code = new_epoch(fresh, facts, err);
	if (code == ZL_OK)
		code = put_in_place(fresh, dir, force, aside, err);
	if (code == ZL_OK)
		code = sync_folder(above, err);
	if (code != ZL_OK && *aside == NULL)
		remove_store(fresh);
	free(fresh);
	free(above);
	return code;
}
