#include "wire/resolve.h"

#include "base/mem.h"
#include "loop/loop.h"

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

/* What the thread works on; freed by who is last. */
struct work {
	_Atomic int holders;
	struct zl_addr addr;
	struct resolve_list list; /* the thread's until it is done */
	_Atomic bool done;
	int fd;
};

struct resolve {
	struct work *work; /* held */
	struct loop_watch *watch;
	void (*done)(void *arg, const struct resolve_list *list);
	void *arg;
};

static void look_up(const struct zl_addr *addr, int flags, struct resolve_list *list)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV | flags,
					.ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char port[8];

	memset(list, 0, sizeof(*list));
	(void)snprintf(port, sizeof(port), "%u", addr->port);
	int rc = getaddrinfo(addr->host, port, &hints, &found);
	if (rc != 0)
		(void)snprintf(list->why, sizeof(list->why), "%s", gai_strerror(rc));
	for (const struct addrinfo *at = rc == 0 ? found : NULL;
	     at != NULL && list->count < RESOLVE_MAX; at = at->ai_next) {
		if (at->ai_addrlen > sizeof(list->at[0]))
			continue;
		memcpy(&list->at[list->count], at->ai_addr, at->ai_addrlen);
		list->len[list->count++] = at->ai_addrlen;
	}
	if (rc == 0)
		freeaddrinfo(found);
}

bool resolve_now(const struct zl_addr *addr, struct resolve_list *list)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (addr->is_unix) {
		memset(list, 0, sizeof(*list));
		memcpy(sun.sun_path, addr->host,
		       strnlen(addr->host, sizeof(sun.sun_path) - 1));
		memcpy(&list->at[0], &sun, sizeof(sun));
		list->len[0] = sizeof(sun);
		list->count = 1;
		return true;
	}
	if (!zl_is_ip(addr->host))
		return false;
	look_up(addr, AI_NUMERICHOST, list);
	return true;
}

static void drop(struct work *work)
{
	if (atomic_fetch_sub(&work->holders, 1) != 1)
		return;
	close(work->fd);
	free(work);
}

static void *work_thread(void *arg)
{
	const uint64_t one = 1;
	struct work *work = arg;

	look_up(&work->addr, 0, &work->list);
	work->done = true;
	if (write(work->fd, &one, sizeof(one)) != sizeof(one))
		abort(); /* a counter of ours at 0 takes 1 */
	drop(work);
	return NULL;
}

static void on_done(void *arg, unsigned events)
{
	struct resolve *resolve = arg;
	struct resolve_list list;

	(void)events;
	if (!resolve->work->done)
		return;
	loop_watch_free(&resolve->watch);
	list = resolve->work->list;
	if (list.count == 0 && list.why[0] == '\0')
		(void)snprintf(list.why, sizeof(list.why), "it has no address");
	resolve->done(resolve->arg, &list);
}

static bool start(struct work *work)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	atomic_store(&work->holders, 2);
	int rc = pthread_create(&thread, &attr, work_thread, work);
	if (rc != 0)
		atomic_store(&work->holders, 1);
	pthread_attr_destroy(&attr);
	return rc == 0;
}

struct resolve *resolve_new(struct loop *loop, const struct zl_addr *addr,
			    void (*done)(void *arg, const struct resolve_list *list),
			    void *arg)
{
	struct resolve *resolve = zl_alloc(1, sizeof(*resolve));
	struct work *work = zl_alloc(1, sizeof(*work));

	*resolve = (struct resolve){ .work = work, .done = done, .arg = arg };
	work->addr = *addr;
	work->fd = eventfd(0, EFD_CLOEXEC);
	atomic_store(&work->holders, 1);
	if (work->fd < 0 ||
	    loop_watch_new(&resolve->watch, loop, work->fd, LOOP_READ, on_done, resolve,
			   NULL) != ZL_OK ||
	    !start(work))
		resolve_free(&resolve);
	return resolve;
}

void resolve_free(struct resolve **resolvep)
{
	struct resolve *resolve = *resolvep;

	*resolvep = NULL;
	if (resolve == NULL)
		return;
	loop_watch_free(&resolve->watch);
	drop(resolve->work);
	free(resolve);
}
