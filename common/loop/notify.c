#include "loop/notify.h"

#include "base/mem.h"

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

static void notify(const char *state)
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

/* How often it wants to hear of us, in ms; 0: never. */
static uint64_t watchdog_ms(void)
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

struct loop_manager {
	struct loop_timer *timer;
	uint64_t every_ms;
};

static void feed(void *arg)
{
	struct loop_manager *manager = arg;

	notify("WATCHDOG=1");
	loop_timer_set(manager->timer, manager->every_ms);
}

struct loop_manager *loop_manager_new(struct loop *loop)
{
	struct loop_manager *manager = zl_alloc(1, sizeof(*manager));

	manager->timer = loop_timer_new(loop, feed, manager);
	manager->every_ms = watchdog_ms();
	notify("READY=1");
	if (manager->every_ms > 0)
		feed(manager);
	return manager;
}

void loop_manager_stopping(void)
{
	notify("STOPPING=1");
}

void loop_manager_free(struct loop_manager **managerp)
{
	struct loop_manager *manager = *managerp;

	*managerp = NULL;
	if (manager == NULL)
		return;
	loop_timer_free(&manager->timer);
	free(manager);
}
