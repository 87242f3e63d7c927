#include "store/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum zl_code fail_errno(struct zl_err *err, const char *what)
{
	int number = errno;

	return zl_fail(err, env_code(number), "%s: %s", what, strerror(number));
}

static enum zl_code in_use(struct zl_err *err, int fd, bool read_only)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (read_only && pid != getpid())
		return ZL_OK; /* a reader beside the process that writes */
	return zl_fail(err, ZL_ECONFLICT,
		       "it is open in process %ld; stop that one first", pid);
}

/* The lock belongs to the open file, so it keeps out this process too: LMDB cannot have
 * one file open twice. */
static enum zl_code take_lock(int fd, bool read_only, struct zl_err *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char text[32];

	if (fcntl(fd, read_only ? F_OFD_GETLK : F_OFD_SETLK, &lock) != 0)
		return errno == EAGAIN || errno == EACCES ? in_use(err, fd, false)
							  : fail_errno(err, "file owner");
	if (read_only)
		return lock.l_type == F_UNLCK ? ZL_OK : in_use(err, fd, true);
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) < 0)
		return fail_errno(err, "file owner");
	return ZL_OK;
}

/* A store that was begun has its data: an empty file is a loss, not a new store. */
static enum zl_code check_mark(const char *dir, struct zl_err *err)
{
	char *mark = zl_format("%s/store-id", dir);
	char *data = zl_format("%s/data.mdb", dir);
	struct stat file;
	enum zl_code code = ZL_OK;

	if (stat(mark, &file) == 0 && (stat(data, &file) != 0 || file.st_size == 0))
		code = zl_fail(err, ZL_ECORRUPT, "data.mdb is lost or was emptied");
	free(mark);
	free(data);
	return code;
}

enum zl_code owner_take(const char *dir, bool read_only, int *owner, struct zl_err *err)
{
	struct stat file;

	if (!read_only && mkdir(dir, 0700) != 0 && errno != EEXIST)
		return fail_errno(err, "make the folder");
	if (stat(dir, &file) != 0)
		return zl_fail(err, env_code(errno), "%s", strerror(errno));
	if (!S_ISDIR(file.st_mode))
		return zl_fail(err, ZL_EINVAL, "not a folder");
	if (file.st_uid != geteuid())
		return zl_fail(
			err, ZL_EACCES,
			"it belongs to user %u and this is user %u: run as its owner",
			(unsigned)file.st_uid, (unsigned)geteuid());
	char *path = zl_format("%s/owner", dir);
	int fd = open(path,
		      O_CLOEXEC | O_NOFOLLOW | (read_only ? O_RDONLY : O_RDWR | O_CREAT),
		      0600);
	free(path);
	if (fd < 0 && !read_only)
		return fail_errno(err, "file owner");
	enum zl_code code = fd >= 0 ? take_lock(fd, read_only, err) : ZL_OK;
	if (code == ZL_OK && !read_only)
		*owner = fd;
	else if (fd >= 0)
		(void)close(fd);
	return code == ZL_OK ? check_mark(dir, err) : code;
}

enum zl_code store_lock(const char *dir, int *lock, struct zl_err *err)
{
	char *path = zl_format("%s/owner", dir);
	int fd = open(path, O_CLOEXEC | O_NOFOLLOW | O_RDWR);

	free(path);
	*lock = -1;
	if (fd < 0)
		return errno == ENOENT ? ZL_OK : fail_errno(err, "file owner");
	enum zl_code code = take_lock(fd, false, err);
	if (code == ZL_OK)
		*lock = fd;
	else
		(void)close(fd);
	return code;
}

enum zl_code owner_mark(const char *dir, struct zl_err *err)
{
	char *path = zl_format("%s/store-id", dir);
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int above = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	enum zl_code code = ZL_OK;

	/* The names too must outlive a power cut: of the files, and of the folder. One
	 * above that cannot be read was there before. */
	if (folder < 0 || fd < 0 || fsync(fd) != 0 || fsync(folder) != 0 ||
	    (above >= 0 && fsync(above) != 0))
		code = fail_errno(err, "file store-id");
	if (above >= 0)
		(void)close(above);
	if (fd >= 0)
		(void)close(fd);
	if (folder >= 0)
		(void)close(folder);
	free(path);
	return code;
}
