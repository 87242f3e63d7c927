#include "zone/join/ask.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "pki/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* What thread and owner share; the last of the two frees it. */
struct work {
	atomic_int holders;
	struct zl_addr addr;
	struct pki_tls *tls; /* held */
	struct zl_buf request, answer;
	uint64_t until_ms;
	char why[256];
	int done, cancel; /* eventfds: the answer is there; nobody wants it */
};

struct ask {
	struct work *work; /* held */
	struct loop_watch *watch;
	void (*fn)(void *arg, const struct ask_answer *answer);
	void *arg;
};

static void work_drop(struct work *work)
{
	if (atomic_fetch_sub(&work->holders, 1) != 1)
		return;
	if (work->request.data != NULL)
		explicit_bzero(work->request.data, work->request.len);
	zl_buf_free(&work->request);
	zl_buf_free(&work->answer);
	pki_tls_drop(&work->tls);
	if (work->done >= 0)
		(void)close(work->done);
	if (work->cancel >= 0)
		(void)close(work->cancel);
	free(work);
}

/* ---- on the thread ---- */

/* False: no time is left, or nobody waits any more. */
static bool await(struct work *work, int fd, short events)
{
	struct pollfd fds[2] = { { .fd = fd, .events = events },
				 { .fd = work->cancel, .events = POLLIN } };
	uint64_t now = zl_now_ms();

	if (now >= work->until_ms) {
		(void)snprintf(work->why, sizeof(work->why), "no answer in time");
		return false;
	}
	int ready = poll(fds, 2, (int)(work->until_ms - now));
	if (ready < 0 && errno == EINTR)
		return true;
	if (ready == 0)
		(void)snprintf(work->why, sizeof(work->why), "no answer in time");
	return ready > 0 && fds[1].revents == 0;
}

static int connect_one(struct work *work, const struct addrinfo *to)
{
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;
	socklen_t len = sizeof(error);

	if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) != 0)
		error = errno;
	if (error == EINPROGRESS) {
		error = 0;
		if (!await(work, fd, POLLOUT))
			error = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
			error = errno;
	}
	if (error == 0)
		return fd;
	(void)snprintf(work->why, sizeof(work->why), "%s", strerror(error));
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int connect_any(struct work *work)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	char port[8];
	int fd = -1;

	(void)snprintf(port, sizeof(port), "%u", work->addr.port);
	int rc = getaddrinfo(work->addr.host, port, &hints, &list);
	if (rc != 0)
		(void)snprintf(work->why, sizeof(work->why), "%s", gai_strerror(rc));
	for (const struct addrinfo *at = list; rc == 0 && at != NULL && fd < 0;
	     at = at->ai_next)
		fd = connect_one(work, at);
	if (list != NULL)
		freeaddrinfo(list);
	return fd;
}

/* True: go on with what did not go at once. */
static bool again(struct work *work, SSL *session, int fd, int rc)
{
	switch (SSL_get_error(session, rc)) {
	case SSL_ERROR_WANT_READ:
		return await(work, fd, POLLIN);
	case SSL_ERROR_WANT_WRITE:
		return await(work, fd, POLLOUT);
	default:
		pki_tls_why(session, work->why, sizeof(work->why));
		return false;
	}
}

static bool say(struct work *work, SSL *session, int fd)
{
	size_t said = 0;
	int rc;

	while ((rc = SSL_connect(session)) != 1)
		if (!again(work, session, fd, rc))
			return false;
	while (said < work->request.len) {
		rc = SSL_write(session, work->request.data + said,
			       (int)(work->request.len - said));
		if (rc > 0)
			said += (size_t)rc;
		else if (!again(work, session, fd, rc))
			return false;
	}
	return true;
}

/* The other end closes behind its answer. */
static bool hear(struct work *work, SSL *session, int fd)
{
	char bytes[4096];

	while (work->answer.len <= ASK_ANSWER) {
		int rc = SSL_read(session, bytes, sizeof(bytes));
		if (rc > 0) {
			zl_buf_add(&work->answer, bytes, (size_t)rc);
			continue;
		}
		if (SSL_get_error(session, rc) == SSL_ERROR_ZERO_RETURN)
			return true;
		if (!again(work, session, fd, rc))
			return false;
	}
	(void)snprintf(work->why, sizeof(work->why), "the answer is too long");
	return false;
}

static bool transfer(struct work *work)
{
	int fd = connect_any(work);
	SSL *session = fd >= 0 ? pki_tls_session(work->tls) : NULL;
	bool ok = false;

	if (session != NULL && SSL_set_fd(session, fd) == 1) {
		SSL_set_connect_state(session);
		ok = say(work, session, fd) && hear(work, session, fd);
	}
	SSL_free(session);
	if (fd >= 0)
		(void)close(fd);
	return ok;
}

static void *run(void *arg)
{
	struct work *work = arg;
	const uint64_t one = 1;

	if (!transfer(work)) {
		zl_buf_free(&work->answer);
		if (*work->why == '\0')
			(void)snprintf(work->why, sizeof(work->why), "given up");
	}
	if (write(work->done, &one, sizeof(one)) < 0) {
		/* an eventfd takes it */
	}
	work_drop(work);
	return NULL;
}

/* ---- on the loop ---- */

/* "HTTP/1.1 200 OK", headers, an empty line, the body. */
static struct ask_answer parse(const struct work *work)
{
	const char *text = zl_buf_text(&work->answer);
	const char *body = strstr(text, "\r\n\r\n");
	struct ask_answer out = { .body = "", .why = work->why };

	if (work->answer.len == 0)
		return out;
	if (strncmp(text, "HTTP/1.1 ", 9) != 0 || body == NULL) {
		out.why = "what answers speaks no HTTP/1.1";
		return out;
	}
	out.status = (unsigned)strtoul(text + 9, NULL, 10);
	out.body = body + 4;
	out.len = work->answer.len - (size_t)(out.body - text);
	return out;
}

static void on_done(void *arg, unsigned events)
{
	struct ask *ask = arg;
	struct work *work = ask->work;
	uint64_t count;

	(void)events;
	if (read(work->done, &count, sizeof(count)) != sizeof(count))
		return; /* not yet: what the thread wrote is read only after this */
	loop_watch_free(&ask->watch);
	atomic_fetch_add(&work->holders, 1); /* done may free the ask */
	const struct ask_answer answer = parse(work);
	ask->fn(ask->arg, &answer);
	work_drop(work);
}

static struct work *work_new(const struct ask_setup *setup)
{
	struct work *work = zl_alloc(1, sizeof(*work));
	char host[ZL_ADDR_TEXT];

	zl_addr_text(setup->addr, host);
	atomic_init(&work->holders, 1);
	work->addr = *setup->addr;
	work->tls = pki_tls_hold(setup->tls);
	work->until_ms = zl_now_ms() + setup->deadline_ms;
	work->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	work->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	zl_buf_format(&work->request,
		      "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
		      "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		      setup->path, host, strlen(setup->body), setup->body);
	return work;
}

struct ask *ask_new(struct loop *loop, const struct ask_setup *setup,
		    void (*done)(void *arg, const struct ask_answer *answer), void *arg)
{
	struct ask *ask = zl_alloc(1, sizeof(*ask));
	pthread_t thread;

	ask->work = work_new(setup);
	ask->fn = done;
	ask->arg = arg;
	atomic_fetch_add(&ask->work->holders, 1); /* the thread's */
	if (ask->work->done >= 0 && ask->work->cancel >= 0 &&
	    loop_watch_new(&ask->watch, loop, ask->work->done, LOOP_READ, on_done, ask,
			   NULL) == ZL_OK &&
	    pthread_create(&thread, NULL, run, ask->work) == 0) {
		(void)pthread_detach(thread);
		return ask;
	}
	atomic_store(&ask->work->holders, 1); /* there is no thread */
	ask_free(&ask);
	return NULL;
}

void ask_free(struct ask **askp)
{
	struct ask *ask = *askp;
	const uint64_t one = 1;

	*askp = NULL;
	if (ask == NULL)
		return;
	if (write(ask->work->cancel, &one, sizeof(one)) < 0) {
		/* then it ends by its deadline */
	}
	loop_watch_free(&ask->watch);
	work_drop(ask->work);
	free(ask);
}
