#include "wire/link_nng.h"

#include "base/log.h"
#include "base/mem.h"
#include "wire/link.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { STOP_SECONDS = 3 };

enum zl_code link_fail(struct zl_err *err, const char *what, int rv)
{
	enum zl_code code = rv == NNG_ENOMEM     ? ZL_ENOMEM
			    : rv == NNG_EPERM    ? ZL_EACCES
			    : rv == NNG_ENOFILES ? ZL_ELIMIT
						 : ZL_EIO;

	return zl_fail(err, code, "%s: %s", what, nng_strerror(rv));
}

nng_msg *link_msg(const void *bytes, size_t len)
{
	nng_msg *msg = NULL;

	if (nng_msg_alloc(&msg, 0) != 0 || nng_msg_append(msg, bytes, len) != 0) {
		nng_msg_free(msg);
		return NULL;
	}
	return msg;
}

struct stopping {
	void (*stop)(void *arg);
	void *arg;
};

static void *stop_thread(void *arg)
{
	const struct stopping *stopping = arg;

	stopping->stop(stopping->arg);
	return NULL;
}

static _Atomic unsigned left_behind;

unsigned link_left_behind(void)
{
	return left_behind;
}

bool link_stop(void (*stop)(void *arg), void *arg)
{
	struct stopping *stopping = zl_alloc(1, sizeof(*stopping));
	struct timespec until;
	pthread_t thread;

	*stopping = (struct stopping){ stop, arg };
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_SECONDS;
	if (pthread_create(&thread, NULL, stop_thread, stopping) != 0) {
		stop(arg);
	} else if (pthread_timedjoin_np(thread, NULL, &until) != 0) {
		pthread_detach(thread);
		left_behind++;
		zl_log(ZL_ERROR, "link", "nng does not close its sockets: left behind",
		       NULL);
		return false;
	}
	free(stopping);
	return true;
}

nng_duration link_ms(uint64_t ms)
{
	return ms < INT32_MAX ? (nng_duration)ms : INT32_MAX;
}

enum zl_code link_folder(const char *folder, struct zl_err *err)
{
	struct sockaddr_un sun;
	struct stat info;

	if (strlen(folder) + LINK_NAME_MAX >= sizeof(sun.sun_path))
		return zl_fail(err, ZL_EINVAL,
			       "folder %s: the path of a unix socket in it would have "
			       "more than %zu bytes; choose a shorter one",
			       folder, sizeof(sun.sun_path) - 1);
	if ((mkdir(folder, 0700) != 0 && errno != EEXIST) || stat(folder, &info) != 0 ||
	    ((info.st_mode & 077) != 0 && chmod(folder, 0700) != 0))
		return zl_fail(err, zl_code_from_errno(errno), "make folder %s: %s",
			       folder, strerror(errno));
	return ZL_OK;
}

/* On a thread of nng: somebody has connected to an inner listener. Others than our gate
 * have no business there. */
static void on_pipe_coming(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	uint64_t pid = 0;

	(void)event, (void)arg;
	if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_PID, &pid) == 0 &&
	    pid == (uint64_t)getpid())
		return;
	zl_log(ZL_WARN, "link",
	       "another process has connected to our inner sockets: refused", "pid=%llu",
	       (unsigned long long)pid);
	nng_pipe_close(pipe);
}

int link_guard(nng_socket socket)
{
	return nng_pipe_notify(socket, NNG_PIPE_EV_ADD_PRE, on_pipe_coming, NULL);
}

int link_listen(nng_socket socket, const char *path, nng_listener *listener)
{
	char *url = zl_format("ipc://%s", path);

	(void)unlink(path); /* what a process that was killed left behind */
	int rv = nng_listen(socket, url, listener, 0);
	free(url);
	return rv;
}
