/* To be preloaded: a disk that is full or broken when a file says so. ZL_DISK_FAULTS is
 * the path of that file; in it stand the call (pwrite or fdatasync), the errno, and how
 * many calls go well before: "pwrite 28 3". While there is none all goes well. Only files
 * named data.mdb are concerned. The two header pages are written over in place, for which
 * a full disk has room. With the name of a file (data.mdb or lock.mdb) in the place of
 * the call it cannot be opened for writing: "lock.mdb 13 0". */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HEADERS = 2 * 4096 };

static char rule[64]; /* as read last */
static long before;   /* calls that still go well */

static bool is_store(int fd)
{
	char link[64];
	char path[4096];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path));
	return n >= 8 && memcmp(path + n - 8, "data.mdb", 8) == 0;
}

/* True: this call fails, errno is set. LMDB's writer is one thread. */
static bool fails(const char *call, bool in_place)
{
	const char *file = getenv("ZL_DISK_FAULTS");
	char text[sizeof(rule)] = "";
	char *at = text;

	if (file == NULL)
		return false;
	int in = open(file, O_RDONLY | O_CLOEXEC);
	if (in < 0 || read(in, text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	if (in >= 0)
		(void)close(in);
	bool is_new = strcmp(text, rule) != 0;
	memcpy(rule, text, sizeof(rule));
	const char *name = strsep(&at, " ");
	if (at == NULL)
		return false;
	long number = strtol(at, &at, 10);
	if (is_new)
		before = strtol(at, NULL, 10);
	if (strcmp(name, call) != 0 || (in_place && number == ENOSPC) || before-- > 0)
		return false;
	before = 0;
	errno = (int)number;
	return true;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return is_store(fd) && fails("pwrite", at < HEADERS)
		       ? -1
		       : syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	return is_store(fd) && fails("pwrite", false)
		       ? -1
		       : syscall(SYS_writev, fd, parts, count);
}

int fdatasync(int fd)
{
	return is_store(fd) && fails("fdatasync", false)
		       ? -1
		       : (int)syscall(SYS_fdatasync, fd);
}

int open(const char *path, int flags, ...)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	bool is_ours = strcmp(name, "data.mdb") == 0 || strcmp(name, "lock.mdb") == 0;
	mode_t mode = 0;
	va_list rest;

	va_start(rest, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(rest, mode_t);
	va_end(rest);
	if (is_ours && (flags & O_ACCMODE) != O_RDONLY && fails(name, false))
		return -1;
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
