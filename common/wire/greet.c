#include "wire/greet.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "pki/tls.h"
#include "wire/frame.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

/* Steps at full speed, for all zones may come back at once; one a millisecond after that,
 * so that a storm of strangers does not take all the time there is. */
enum { BURST = 512, WHY = 128 };

enum stage { PROVE, SAY, HEAR };

struct greet {
	TAILQ_ENTRY(greet) link; /* while it is queued */
	struct greeter *greeter;
	struct greet_setup setup; /* its say is copied */
	struct loop_watch *watch; /* NULL: it is queued */
	struct loop_timer *deadline;
	struct ssl_st *ssl; /* owned; NULL: in the clear */
	enum stage stage;
	bool queued;
	uint8_t say[FRAME_HEADER], heard[FRAME_HEADER];
	size_t count; /* of what is said or heard */
};

struct greeter {
	struct loop *loop;
	struct loop_timer *turn;
	/* cppcheck-suppress syntaxError ; it has not read sys/queue.h */
	TAILQ_HEAD(, greet) queue; /* they can go on */
	unsigned waiting;          /* so many */
	uint64_t credit;           /* steps that may follow at once */
	uint64_t credit_ms;        /* when it was counted */
};

static void fail(struct greet *greet, const char *why)
{
	greet->setup.failed(greet->setup.arg, why);
}

/* How long the next step has to wait. */
static uint64_t pace(struct greeter *greeter)
{
	uint64_t now = zl_now_ms();

	greeter->credit += now - greeter->credit_ms;
	greeter->credit_ms = now;
	if (greeter->credit > BURST)
		greeter->credit = BURST;
	if (greeter->credit == 0)
		return 1;
	greeter->credit--;
	return 0;
}

static void queue(struct greet *greet)
{
	struct greeter *greeter = greet->greeter;

	loop_watch_free(&greet->watch);
	TAILQ_INSERT_TAIL(&greeter->queue, greet, link);
	greeter->waiting++;
	greet->queued = true;
	if (!loop_timer_is_set(greeter->turn))
		loop_timer_set(greeter->turn, pace(greeter));
}

static void unqueue(struct greet *greet)
{
	TAILQ_REMOVE(&greet->greeter->queue, greet, link);
	greet->greeter->waiting--;
	greet->queued = false;
}

static void on_ready(void *arg, unsigned events)
{
	(void)events;
	queue(arg);
}

static void wait_for(struct greet *greet, unsigned events)
{
	if (loop_watch_new(&greet->watch, greet->greeter->loop, greet->setup.fd, events,
			   on_ready, greet, NULL) != ZL_OK)
		fail(greet, "cannot be watched");
}

static const char *gone(const struct greet *greet)
{
	return greet->stage == PROVE ? "went away in the handshake"
				     : "went away before its header";
}

/* What OpenSSL, or the socket, said of a step that did not succeed: wait or give up. */
static void on_setback(struct greet *greet, int result)
{
	char why[WHY];

	if (greet->ssl == NULL) {
		if (result < 0 && errno == EAGAIN)
			wait_for(greet, greet->stage == SAY ? LOOP_WRITE : LOOP_READ);
		else
			fail(greet, gone(greet));
		return;
	}
	switch (SSL_get_error(greet->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		wait_for(greet, LOOP_READ);
		return;
	case SSL_ERROR_WANT_WRITE:
		wait_for(greet, LOOP_WRITE);
		return;
	case SSL_ERROR_SSL:
		if (ERR_GET_REASON(ERR_peek_error()) ==
		    SSL_R_UNEXPECTED_EOF_WHILE_READING)
			break;
		pki_tls_why(greet->ssl, why, sizeof(why));
		fail(greet, why);
		return;
	default:
		break;
	}
	fail(greet, gone(greet));
}

/* Each step returns true if the next may follow in the same turn. */
static bool prove(struct greet *greet)
{
	struct pki_facts facts;

	int result = SSL_do_handshake(greet->ssl);
	if (result != 1) {
		on_setback(greet, result);
		return false;
	}
	greet->stage = greet->setup.say != NULL ? SAY : HEAR;
	return greet->setup.proved(greet->setup.arg,
				   pki_tls_peer(greet->ssl, &facts) ? &facts : NULL);
}

static bool say(struct greet *greet)
{
	const uint8_t *rest = greet->say + greet->count;
	size_t len = FRAME_HEADER - greet->count;

	int result = greet->ssl != NULL ? SSL_write(greet->ssl, rest, (int)len)
					: (int)send(greet->setup.fd, rest, len,
						    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (result <= 0) {
		on_setback(greet, result);
		return false;
	}
	greet->count += (size_t)result;
	if (greet->count < FRAME_HEADER)
		return true;
	greet->count = 0;
	greet->stage = HEAR;
	return true;
}

static bool hear(struct greet *greet)
{
	uint8_t *rest = greet->heard + greet->count;
	size_t len = FRAME_HEADER - greet->count;

	int result = greet->ssl != NULL
			     ? SSL_read(greet->ssl, rest, (int)len)
			     : (int)recv(greet->setup.fd, rest, len, MSG_DONTWAIT);
	if (result <= 0) {
		on_setback(greet, result);
		return false;
	}
	greet->count += (size_t)result;
	if (greet->count < FRAME_HEADER)
		return true;
	/* What OpenSSL has read already nobody would be woken for. */
	if (greet->ssl != NULL && SSL_pending(greet->ssl) > 0)
		fail(greet, "spoke before it was answered");
	else
		greet->setup.heard(greet->setup.arg, greet->heard);
	return false;
}

static void step(struct greet *greet)
{
	ERR_clear_error();
	if (greet->stage == PROVE && !prove(greet))
		return;
	while (greet->stage == SAY)
		if (!say(greet))
			return;
	while (hear(greet))
		;
}

static void on_turn(void *arg)
{
	struct greeter *greeter = arg;
	struct greet *greet = TAILQ_FIRST(&greeter->queue);

	if (greet == NULL)
		return;
	unqueue(greet);
	if (!TAILQ_EMPTY(&greeter->queue))
		loop_timer_set(greeter->turn, pace(greeter));
	step(greet);
}

static void on_deadline(void *arg)
{
	fail(arg, "was silent for too long");
}

struct greeter *greeter_new(struct loop *loop)
{
	struct greeter *greeter = zl_alloc(1, sizeof(*greeter));

	greeter->loop = loop;
	greeter->turn = loop_timer_new(loop, on_turn, greeter);
	TAILQ_INIT(&greeter->queue);
	return greeter;
}

void greeter_free(struct greeter **greeterp)
{
	struct greeter *greeter = *greeterp;

	*greeterp = NULL;
	if (greeter == NULL)
		return;
	loop_timer_free(&greeter->turn);
	free(greeter);
}

unsigned greeter_waiting(const struct greeter *greeter)
{
	return greeter->waiting;
}

struct greet *greet_new(struct greeter *greeter, const struct greet_setup *setup)
{
	struct greet *greet = zl_alloc(1, sizeof(*greet));

	greet->greeter = greeter;
	greet->setup = *setup;
	if (setup->say != NULL)
		memcpy(greet->say, setup->say, FRAME_HEADER);
	greet->deadline = loop_timer_new(greeter->loop, on_deadline, greet);
	loop_timer_set(greet->deadline, setup->ms);
	greet->stage = setup->say != NULL ? SAY : HEAR;
	if (setup->tls != NULL) {
		greet->stage = PROVE;
		greet->ssl = pki_tls_session(setup->tls);
		if (greet->ssl == NULL || SSL_set_fd(greet->ssl, setup->fd) != 1) {
			loop_timer_set(greet->deadline, 0); /* as if it were silent */
			return greet;
		}
		if (setup->say != NULL)
			SSL_set_connect_state(greet->ssl);
		else
			SSL_set_accept_state(greet->ssl);
	}
	queue(greet);
	return greet;
}

void greet_free(struct greet **greetp)
{
	struct greet *greet = *greetp;

	*greetp = NULL;
	if (greet == NULL)
		return;
	if (greet->queued)
		unqueue(greet);
	loop_watch_free(&greet->watch);
	loop_timer_free(&greet->deadline);
	SSL_free(greet->ssl);
	if (greet->setup.fd >= 0)
		close(greet->setup.fd);
	free(greet);
}

struct bufferevent *greet_take(struct greet **greetp)
{
	struct greet *greet = *greetp;
	struct event_base *base = loop_base(greet->greeter->loop);
	struct bufferevent *bev;

	if (greet->ssl != NULL)
		bev = bufferevent_openssl_socket_new(base, greet->setup.fd, greet->ssl,
						     BUFFEREVENT_SSL_OPEN,
						     BEV_OPT_CLOSE_ON_FREE);
	else
		bev = bufferevent_socket_new(base, greet->setup.fd,
					     BEV_OPT_CLOSE_ON_FREE);
	greet->ssl = NULL; /* libevent's, even if it fails */
	if (bev != NULL) {
		greet->setup.fd = -1;
		bufferevent_disable(bev, EV_READ | EV_WRITE);
	}
	greet_free(greetp);
	return bev;
}
