/* To be preloaded: a wall clock that is wrong by as many seconds as stand in the file
 * that ZL_CLOCK_FAULT names. While there is none it is right. Clocks that only count on
 * are never wrong: no process can set them. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long wrong_by(void)
{
	const char *path = getenv("ZL_CLOCK_FAULT");
	char text[32] = "";
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return 0;
	ssize_t len = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	return len > 0 ? strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, now);

	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += wrong_by();
	return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec at;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &at);
	*now = (struct timeval){ at.tv_sec, at.tv_nsec / 1000 };
	return 0;
}

time_t time(time_t *to)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_REALTIME, &at);
	if (to != NULL)
		*to = at.tv_sec;
	return at.tv_sec;
}
