#include "recorder.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct event *events; /* owned */
static size_t count, room;
static bool recording, syncless;
static dev_t device;
static ino_t inode;

static bool is_ours(int fd)
{
	struct stat file;

	return recording && fstat(fd, &file) == 0 && file.st_dev == device &&
	       file.st_ino == inode;
}

static void add(struct event event, const void *data)
{
	(void)pthread_mutex_lock(&lock);
	if (count == room) {
		room = room == 0 ? 1024 : 2 * room;
		events = realloc(events, room * sizeof(*events));
	}
	if (event.len > 0) {
		event.data = malloc(event.len);
		memcpy(event.data, data, event.len);
	}
	events[count++] = event;
	(void)pthread_mutex_unlock(&lock);
}

static void add_write(int fd, uint64_t at, const void *data, ssize_t len)
{
	int flags = fcntl(fd, F_GETFL);

	if (len > 0)
		add((struct event){ .kind = EVENT_WRITE,
				    .durable = (flags & O_DSYNC) != 0,
				    .at = at,
				    .len = (size_t)len },
		    data);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	ssize_t n = syscall(SYS_pwrite64, fd, data, len, at);

	if (is_ours(fd))
		add_write(fd, (uint64_t)at, data, n);
	return n;
}

ssize_t write(int fd, const void *data, size_t len)
{
	bool ours = is_ours(fd);
	off_t at = ours ? lseek(fd, 0, SEEK_CUR) : 0;
	ssize_t n = syscall(SYS_write, fd, data, len);

	if (ours)
		add_write(fd, (uint64_t)at, data, n);
	return n;
}

ssize_t writev(int fd, const struct iovec *parts, int part_count)
{
	ssize_t sum = 0;

	if (!is_ours(fd))
		return syscall(SYS_writev, fd, parts, part_count);
	for (int i = 0; i < part_count; i++) {
		ssize_t n = write(fd, parts[i].iov_base, parts[i].iov_len);
		if (n < 0)
			return sum > 0 ? sum : n;
		sum += n;
		if ((size_t)n < parts[i].iov_len)
			break;
	}
	return sum;
}

static int synced(int fd, long how)
{
	int rc = syncless ? 0 : (int)syscall(how, fd);

	if (rc == 0 && is_ours(fd))
		add((struct event){ .kind = EVENT_SYNC }, NULL);
	return rc;
}

int fdatasync(int fd)
{
	return synced(fd, SYS_fdatasync);
}

int fsync(int fd)
{
	return synced(fd, SYS_fsync);
}

int ftruncate(int fd, off_t len)
{
	int rc = (int)syscall(SYS_ftruncate, fd, len);

	if (rc == 0 && is_ours(fd))
		add((struct event){ .kind = EVENT_SIZE, .at = (uint64_t)len }, NULL);
	return rc;
}

void recorder_begin(const char *path)
{
	struct stat file;

	recorder_clear();
	if (stat(path, &file) != 0)
		abort();
	device = file.st_dev;
	inode = file.st_ino;
	recording = true;
}

void recorder_ack(uint64_t number)
{
	add((struct event){ .kind = EVENT_ACK, .number = number }, NULL);
}

const struct event *recorder_end(size_t *event_count)
{
	recording = false;
	*event_count = count;
	return events;
}

void recorder_clear(void)
{
	for (size_t i = 0; i < count; i++)
		free(events[i].data);
	free(events);
	events = NULL;
	count = room = 0;
}

void recorder_no_sync(bool no_sync)
{
	syncless = no_sync;
}
