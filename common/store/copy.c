#include "store/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The copy of the file with free pages left out; with them if LMDB has lost some (it
 * then refuses to leave them out). */
static int copy_to(struct store *store, int fd)
{
	int rc = mdb_env_copyfd2(store->env.mdb, fd, MDB_CP_COMPACT);

	if (rc == MDB_INCOMPATIBLE && lseek(fd, 0, SEEK_SET) == 0 &&
	    ftruncate(fd, 0) == 0)
		rc = mdb_env_copyfd2(store->env.mdb, fd, 0);
	return rc;
}

static int sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? zl_strdup(".")
				  : zl_strndup(path, (size_t)(slash - path) + 1);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) != 0 ? errno : 0;

	if (fd >= 0)
		(void)close(fd);
	free(dir);
	return rc;
}

enum zl_code store_copy(struct store *store, const char *path, struct zl_err *err)
{
	char *part = zl_format("%s.part", path);
	int fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = fd < 0 ? errno : 0;

	if (rc == 0) {
		(void)pthread_rwlock_rdlock(&store->env.map); /* no growth meanwhile */
		rc = copy_to(store, fd);
		(void)pthread_rwlock_unlock(&store->env.map);
	}
	if (rc == 0 && fsync(fd) != 0)
		rc = errno;
	if (fd >= 0 && close(fd) != 0 && rc == 0)
		rc = errno;
	if (rc == 0 && rename(part, path) != 0)
		rc = errno;
	if (rc == 0)
		rc = sync_folder_of(path);
	else if (fd >= 0)
		(void)unlink(part);
	free(part);
	return rc == 0 ? ZL_OK
		       : zl_fail(err, env_code(rc), "copy store %s to %s: %s", store->dir,
				 path, mdb_strerror(rc));
}
