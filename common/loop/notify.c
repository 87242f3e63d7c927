#include "loop/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The manager's socket: a path, or with '@' a name in the abstract namespace. 0: none. */
static socklen_t manager(struct sockaddr_un *sun)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name != NULL ? strlen(name) : 0;

	if (len < 2 || len >= sizeof(sun->sun_path))
		return 0;
	if (name[0] != '/' && name[0] != '@')
		return 0;
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(sun->sun_path, name, len);
	if (name[0] == '@')
		sun->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

void loop_notify(const char *state)
{
	struct sockaddr_un sun;
	socklen_t len = manager(&sun);

	if (len == 0)
		return;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL,
			      (const struct sockaddr *)&sun, len);
	(void)sent;
	close(fd);
}

uint64_t loop_watchdog_ms(void)
{
	const char *text = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	char *end;

	if (text == NULL || *text == '\0')
		return 0;
	if (pid != NULL && strtoll(pid, NULL, 10) != getpid())
		return 0;
	errno = 0;
	unsigned long long us = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return 0;
	return us / 2000;
}
