#include "wire/gate.h"

#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	HEADER = 8,
	HEADER_MS = 5000,
	GREETING_MS = 15000, /* nng gives a greeting up by itself after 10 s */
	SETTLE_MS = 1000,
	STALL_MS = 20000,
	BACKLOG_MAX = 1 << 20,
	ACCEPTS_A_TURN = 64,
	ACCEPT_PAUSE_MS = 100,
	KEEPALIVE_IDLE_S = 10,
	KEEPALIVE_EACH_S = 3,
	KEEPALIVE_COUNT = 3,
	UNACKED_MS = STALL_MS
};

/* One listening socket. */
struct post {
	struct post *next; /* owned by the gate */
	struct gate *gate;
	struct loop_watch *watch; /* NULL: it pauses */
	struct loop_timer *pause;
	int fd;
	bool is_unix;
};

enum stage {
	WAIT_HEADER, /* of the peer */
	GREET,       /* inner connects, and the headers cross; outer is not read */
	SETTLE,      /* bytes flow; inner must not end yet */
	FLOW,
	END /* one side has ended; the other gets what is left for it */
};

/* One connection: the peer's side, and after its header the inner one. Whatever the peer
 * does, the inner one must not end before nng is through with the greeting. That nng has
 * sent its header and has ours does not say that it has read it, and of a unix socket
 * that was closed it would not: so the inner one stays a while. */
struct pair {
	struct pair *next, **at; /* in the gate's list */
	struct gate *gate;
	struct bufferevent *outer;   /* owned; NULL: the peer went while we SETTLE */
	struct bufferevent *inner;   /* owned; NULL while we WAIT_HEADER */
	struct loop_timer *deadline; /* of WAIT_HEADER, GREET and SETTLE */
	enum stage stage;
	bool is_unix;
};

struct gate {
	struct loop *loop;
	struct gate_setup setup;
	struct post *posts;
	struct pair *pairs;
	unsigned open, through;
	uint64_t refused;
};

int gate_check_header(const uint8_t header[HEADER])
{
	static const uint8_t MAGIC[4] = { 0, 'S', 'P', 0 };
	int protocol = header[4] << 8 | header[5];

	if (memcmp(header, MAGIC, sizeof(MAGIC)) != 0 || header[6] != 0 || header[7] != 0)
		return 0;
	return protocol == GATE_SUB || protocol == GATE_REQ ? protocol : 0;
}

static void pair_free(struct pair *pair)
{
	struct gate *gate = pair->gate;

	*pair->at = pair->next;
	if (pair->next != NULL)
		pair->next->at = pair->at;
	gate->open--;
	if (pair->stage == WAIT_HEADER)
		gate->refused++;
	else
		gate->through--;
	if (pair->outer != NULL)
		bufferevent_free(pair->outer);
	if (pair->inner != NULL)
		bufferevent_free(pair->inner);
	loop_timer_free(&pair->deadline);
	free(pair);
}

static void on_deadline(void *arg)
{
	struct pair *pair = arg;

	if (pair->stage == GREET)
		zl_log(ZL_WARN, "gate", "inner listener does not answer", NULL);
	if (pair->stage == SETTLE && pair->outer != NULL)
		pair->stage = FLOW;
	else
		pair_free(pair);
}

static struct bufferevent *other(const struct pair *pair, const struct bufferevent *side)
{
	return side == pair->outer ? pair->inner : pair->outer;
}

/* Both headers have crossed the inner connection: it may end now. */
static bool has_greeted(const struct pair *pair)
{
	return evbuffer_get_length(bufferevent_get_input(pair->inner)) >= HEADER &&
	       evbuffer_get_length(bufferevent_get_output(pair->inner)) == 0;
}

/* Bytes came in on side: hand them on, and stop reading while the other side is slow. */
static void on_read(struct bufferevent *side, void *arg)
{
	struct pair *pair = arg;
	struct bufferevent *to = other(pair, side);

	if (to == NULL) {
		struct evbuffer *in = bufferevent_get_input(side);
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	struct evbuffer *out = bufferevent_get_output(to);
	evbuffer_add_buffer(out, bufferevent_get_input(side));
	if (evbuffer_get_length(out) > BACKLOG_MAX)
		bufferevent_disable(side, EV_READ);
}

/* All that was to be written on side is. */
static void on_drained(struct bufferevent *side, void *arg)
{
	struct pair *pair = arg;

	if (pair->stage == END)
		pair_free(pair);
	else if (other(pair, side) != NULL)
		bufferevent_enable(other(pair, side), EV_READ);
}

/* A side ended, failed, or takes nothing any more. After its end the other still gets
 * what is left for it. */
static void on_event(struct bufferevent *side, short what, void *arg)
{
	struct pair *pair = arg;
	struct bufferevent *to = other(pair, side);

	if (pair->stage == SETTLE && side == pair->outer) {
		bufferevent_free(pair->outer);
		pair->outer = NULL;
		bufferevent_enable(pair->inner, EV_READ);
		return; /* on_deadline ends it */
	}
	if (pair->stage < SETTLE || pair->stage == END || to == NULL ||
	    (what & BEV_EVENT_EOF) == 0) {
		pair_free(pair);
		return;
	}
	on_read(side, pair);
	pair->stage = END;
	loop_timer_clear(pair->deadline);
	bufferevent_disable(side, EV_READ | EV_WRITE);
	bufferevent_disable(to, EV_READ);
	if (evbuffer_get_length(bufferevent_get_output(to)) == 0)
		pair_free(pair);
}

/* The address of the inner listener for protocol. */
static socklen_t inner_address(const struct pair *pair, int protocol,
			       struct sockaddr_storage *to)
{
	const struct gate_setup *setup = &pair->gate->setup;
	const struct zl_addr *addr = protocol == GATE_SUB ? &setup->sub[pair->is_unix]
							  : &setup->req[pair->is_unix];

	memset(to, 0, sizeof(*to));
	if (pair->is_unix) {
		struct sockaddr_un sun = { .sun_family = AF_UNIX };
		memcpy(sun.sun_path, addr->host,
		       strnlen(addr->host, sizeof(sun.sun_path) - 1));
		memcpy(to, &sun, sizeof(sun));
		return sizeof(sun);
	}
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(addr->port) };
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(to, &sin, sizeof(sin));
	return sizeof(sin);
}

static void set_tcp(int fd, int option, int value)
{
	(void)setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value));
}

/* A peer that has vanished is noticed within half a minute. */
static void tune(int fd)
{
	const int on = 1;

	set_tcp(fd, TCP_NODELAY, on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	set_tcp(fd, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_tcp(fd, TCP_KEEPINTVL, KEEPALIVE_EACH_S);
	set_tcp(fd, TCP_KEEPCNT, KEEPALIVE_COUNT);
	set_tcp(fd, TCP_USER_TIMEOUT, UNACKED_MS);
}

/* What the inner listener answers is the peer's, but only once it has greeted us. */
static void on_greeting(struct bufferevent *side, void *arg)
{
	struct pair *pair = arg;
	uint64_t stall_ms = pair->gate->setup.stall_ms;
	/* A peer that takes nothing for so long goes, and what waits for it. */
	const struct timeval stall = { .tv_sec = (time_t)(stall_ms / 1000),
				       .tv_usec = (suseconds_t)(stall_ms % 1000 * 1000) };

	(void)side;
	if (!has_greeted(pair))
		return;
	pair->stage = SETTLE;
	loop_timer_set(pair->deadline, pair->gate->setup.settle_ms);
	bufferevent_setcb(pair->inner, on_read, on_drained, on_event, pair);
	bufferevent_setcb(pair->outer, on_read, on_drained, on_event, pair);
	bufferevent_set_timeouts(pair->outer, NULL, &stall);
	bufferevent_enable(pair->outer, EV_READ | EV_WRITE);
	on_read(pair->inner, pair);
	on_read(pair->outer, pair);
}

static void on_inner_connected(struct bufferevent *side, short what, void *arg)
{
	struct pair *pair = arg;

	if ((what & BEV_EVENT_CONNECTED) == 0) {
		zl_log(ZL_WARN, "gate", "inner listener cannot be reached", NULL);
		pair_free(pair);
		return;
	}
	if (!pair->is_unix)
		set_tcp(bufferevent_getfd(side), TCP_NODELAY, 1);
	bufferevent_setcb(pair->inner, on_greeting, on_greeting, on_event, pair);
	bufferevent_enable(pair->inner, EV_READ | EV_WRITE);
	uint8_t header[HEADER];
	bufferevent_read(pair->outer, header, HEADER);
	bufferevent_write(pair->inner, header, HEADER);
}

/* The peer's header is complete: check it and connect inwards. */
static void on_header(struct bufferevent *side, void *arg)
{
	struct pair *pair = arg;
	struct evbuffer *in = bufferevent_get_input(side);
	struct sockaddr_storage to;
	uint8_t header[HEADER];

	if (evbuffer_copyout(in, header, HEADER) < HEADER)
		return;
	int protocol = gate_check_header(header);
	if (protocol == 0) {
		zl_log(ZL_DEBUG, "gate", "refused: no SP header of a zone", NULL);
		pair_free(pair);
		return;
	}
	bufferevent_disable(side, EV_READ);
	pair->stage = GREET;
	pair->gate->through++;
	loop_timer_set(pair->deadline, GREETING_MS);
	socklen_t len = inner_address(pair, protocol, &to);
	pair->inner = bufferevent_socket_new(loop_base(pair->gate->loop), -1,
					     BEV_OPT_CLOSE_ON_FREE);
	if (pair->inner == NULL) {
		pair_free(pair);
		return;
	}
	bufferevent_setcb(pair->inner, NULL, NULL, on_inner_connected, pair);
	if (bufferevent_socket_connect(pair->inner, (struct sockaddr *)&to, (int)len) !=
	    0)
		pair_free(pair);
}

/* A new connection. TLS will come first here, and on_header when it is done. */
static void greet(struct post *post, int fd)
{
	struct gate *gate = post->gate;
	struct pair *pair = zl_alloc(1, sizeof(*pair));

	*pair = (struct pair){ .next = gate->pairs,
			       .at = &gate->pairs,
			       .gate = gate,
			       .is_unix = post->is_unix };
	if (pair->next != NULL)
		pair->next->at = &pair->next;
	gate->pairs = pair;
	gate->open++;
	pair->outer =
		bufferevent_socket_new(loop_base(gate->loop), fd, BEV_OPT_CLOSE_ON_FREE);
	if (pair->outer == NULL) {
		close(fd);
		pair_free(pair);
		return;
	}
	if (!post->is_unix)
		tune(fd);
	bufferevent_setcb(pair->outer, on_header, NULL, on_event, pair);
	bufferevent_setwatermark(pair->outer, EV_READ, 0, BACKLOG_MAX);
	/* One deadline for all of the greeting: single bytes do not put it off. */
	pair->deadline = loop_timer_new(gate->loop, on_deadline, pair);
	loop_timer_set(pair->deadline, gate->setup.header_ms);
	bufferevent_enable(pair->outer, EV_READ);
}

static void on_acceptable(void *arg, unsigned events)
{
	struct post *post = arg;

	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(post->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			/* Without descriptors it would be acceptable for ever. */
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM) {
				loop_watch_free(&post->watch);
				loop_timer_set(post->pause, ACCEPT_PAUSE_MS);
			}
			return;
		}
		if (post->gate->open < post->gate->setup.connections_max) {
			greet(post, fd);
			continue;
		}
		post->gate->refused++;
		close(fd);
	}
}

static enum zl_code watch(struct post *post, struct zl_err *err)
{
	return loop_watch_new(&post->watch, post->gate->loop, post->fd, LOOP_READ,
			      on_acceptable, post, err);
}

static void on_pause_over(void *arg)
{
	struct post *post = arg;

	if (watch(post, NULL) != ZL_OK)
		loop_timer_set(post->pause, ACCEPT_PAUSE_MS);
}

enum zl_code gate_listen(struct gate *gate, struct zl_addr *addr, struct zl_err *err)
{
	char text[ZL_ADDR_TEXT];
	int fd;

	zl_addr_text(addr, text);
	if (!zl_addr_is_local(addr))
		return zl_fail(err, ZL_EINVAL,
			       "listen on %s: replication has no TLS yet, so only "
			       "loopback addresses and unix sockets are served",
			       text);
	enum zl_code code = zl_addr_listen(addr, &fd, err);
	if (code != ZL_OK)
		return code;
	struct post *post = zl_alloc(1, sizeof(*post));
	*post = (struct post){
		.next = gate->posts, .gate = gate, .fd = fd, .is_unix = addr->is_unix
	};
	post->pause = loop_timer_new(gate->loop, on_pause_over, post);
	gate->posts = post;
	return watch(post, err);
}

enum zl_code gate_open(struct gate **out, struct loop *loop,
		       const struct gate_setup *setup, struct zl_err *err)
{
	struct gate *gate = zl_alloc(1, sizeof(*gate));

	(void)err;
	gate->loop = loop;
	gate->setup = *setup;
	if (gate->setup.header_ms == 0)
		gate->setup.header_ms = HEADER_MS;
	if (gate->setup.settle_ms == 0)
		gate->setup.settle_ms = SETTLE_MS;
	if (gate->setup.stall_ms == 0)
		gate->setup.stall_ms = STALL_MS;
	*out = gate;
	return ZL_OK;
}

void gate_close(struct gate **gatep)
{
	struct gate *gate = *gatep;

	*gatep = NULL;
	if (gate == NULL)
		return;
	for (struct pair *pair = gate->pairs, *next; pair != NULL; pair = next) {
		next = pair->next;
		pair_free(pair);
	}
	while (gate->posts != NULL) {
		struct post *post = gate->posts;
		gate->posts = post->next;
		loop_watch_free(&post->watch);
		loop_timer_free(&post->pause);
		close(post->fd);
		free(post);
	}
	free(gate);
}

unsigned gate_connections(const struct gate *gate)
{
	return gate->through;
}

uint64_t gate_refused(const struct gate *gate)
{
	return gate->refused;
}
