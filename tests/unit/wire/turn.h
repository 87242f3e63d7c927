/* What the tests of wire share: the loop by turns, and peers on plain sockets. */
#pragma once

#include "base/addr.h"
#include "base/clock.h"
#include "loop/loop.h"
#include "support/test.h"
#include "support/tmp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Longer than anything takes on a busy machine under a sanitizer: it only ends what
 * hangs.
 */
enum { PATIENCE_MS = 60000 };

/* Let the loop turn until condition holds, for as long as a test may wait. */
#define UNTIL(loop, condition)                                     \
	do {                                                       \
		uint64_t end_ = zl_now_ms() + PATIENCE_MS;         \
		while (!(condition)) {                             \
			if (zl_now_ms() > end_)                    \
				fail_msg("never: %s", #condition); \
			turn(loop);                                \
		}                                                  \
	} while (0)

static inline void on_turn_over(void *arg)
{
	loop_stop(arg);
}

static inline void turn(struct loop *loop)
{
	struct loop_timer *timer = loop_timer_new(loop, on_turn_over, loop);

	loop_timer_set(timer, 1);
	loop_run(loop);
	loop_timer_free(&timer);
}

/* Turn for ms: to see that something does not happen. */
static inline void turn_for(struct loop *loop, uint64_t ms)
{
	uint64_t end = zl_now_ms() + ms;

	while (zl_now_ms() < end)
		turn(loop);
}

static inline int peer_socket(const struct zl_addr *addr)
{
	int fd = socket(addr->is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	return fd;
}

static inline int peer_connect(int fd, const struct zl_addr *addr)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(addr->port) };

	if (addr->is_unix) {
		memcpy(sun.sun_path, addr->host, strlen(addr->host) + 1);
		return connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	}
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (struct sockaddr *)&sin, sizeof(sin));
}

/* A connection to addr that does not block. */
static inline int peer_dial(const struct zl_addr *addr)
{
	int fd = peer_socket(addr);

	if (peer_connect(fd, addr) != 0)
		fail_msg("cannot connect: %s", strerror(errno));
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static inline void peer_say(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

/* Close fd; with a reset, where it is a TCP connection. */
static inline void peer_reset(int fd)
{
	const struct linger hard = { .l_onoff = 1 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
}

/* The other side has closed, and all that it sent was read. */
static inline bool peer_ended(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);

	return got == 0 || (got < 0 && errno != EAGAIN);
}
