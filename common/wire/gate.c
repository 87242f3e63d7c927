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

enum { HEADER = 8, HEADER_MS = 5000, BACKLOG_MAX = 1 << 20, ACCEPTS_A_TURN = 64 };

/* One listening socket. */
struct post {
	struct post *next; /* owned by the gate */
	struct gate *gate;
	struct loop_watch *watch;
	int fd;
	bool is_unix;
};

/* One connection: the peer's side, and after its header the inner one. */
struct pair {
	struct pair *next, **at; /* in the gate's list */
	struct gate *gate;
	struct bufferevent *outer, *inner; /* owned */
	bool is_unix, through, ending;
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
	gate->through -= pair->through;
	gate->refused += !pair->through;
	if (pair->outer != NULL)
		bufferevent_free(pair->outer);
	if (pair->inner != NULL)
		bufferevent_free(pair->inner);
	free(pair);
}

static struct bufferevent *other(const struct pair *pair, const struct bufferevent *side)
{
	return side == pair->outer ? pair->inner : pair->outer;
}

/* Bytes came in on side: hand them on, and stop reading while the other side is slow. */
static void on_read(struct bufferevent *side, void *arg)
{
	struct pair *pair = arg;
	struct bufferevent *to = other(pair, side);
	struct evbuffer *out = bufferevent_get_output(to);

	evbuffer_add_buffer(out, bufferevent_get_input(side));
	if (evbuffer_get_length(out) > BACKLOG_MAX)
		bufferevent_disable(side, EV_READ);
}

/* All that was to be written on side is. */
static void on_drained(struct bufferevent *side, void *arg)
{
	struct pair *pair = arg;

	if (pair->ending)
		pair_free(pair);
	else if (other(pair, side) != NULL)
		bufferevent_enable(other(pair, side), EV_READ);
}

/* A side ended or failed: the other gets what is left for it, then both go. */
static void on_event(struct bufferevent *side, short what, void *arg)
{
	struct pair *pair = arg;
	struct bufferevent *to = other(pair, side);

	if ((what & BEV_EVENT_CONNECTED) != 0)
		return;
	if (!pair->through || to == NULL || (what & BEV_EVENT_ERROR) != 0 ||
	    pair->ending) {
		pair_free(pair);
		return;
	}
	on_read(side, pair);
	pair->ending = true;
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

static void no_delay(struct bufferevent *side)
{
	const int on = 1;

	(void)setsockopt(bufferevent_getfd(side), IPPROTO_TCP, TCP_NODELAY, &on,
			 sizeof(on));
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
		no_delay(side);
	pair->through = true;
	pair->gate->through++;
	bufferevent_setcb(pair->outer, on_read, on_drained, on_event, pair);
	bufferevent_setcb(pair->inner, on_read, on_drained, on_event, pair);
	bufferevent_set_timeouts(pair->outer, NULL, NULL);
	bufferevent_enable(pair->outer, EV_READ | EV_WRITE);
	bufferevent_enable(pair->inner, EV_READ | EV_WRITE);
	if (evbuffer_get_length(bufferevent_get_input(pair->outer)) > 0)
		on_read(pair->outer, pair);
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
	socklen_t len = inner_address(pair, protocol, &to);
	pair->inner = bufferevent_socket_new(loop_base(pair->gate->loop), -1,
					     BEV_OPT_CLOSE_ON_FREE);
	if (pair->inner == NULL) {
		pair_free(pair);
		return;
	}
	bufferevent_setcb(pair->inner, NULL, NULL, on_inner_connected, pair);
	/* The header leads what is pumped, so it stays in the buffer. */
	if (bufferevent_socket_connect(pair->inner, (struct sockaddr *)&to, (int)len) !=
	    0)
		pair_free(pair);
}

/* A new connection. TLS will come first here, and on_header when it is done. */
static void greet(struct post *post, int fd)
{
	struct gate *gate = post->gate;
	struct pair *pair = zl_alloc(1, sizeof(*pair));
	const struct timeval deadline = {
		.tv_sec = (time_t)(gate->setup.header_ms / 1000),
		.tv_usec = (suseconds_t)(gate->setup.header_ms % 1000 * 1000)
	};

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
		no_delay(pair->outer);
	bufferevent_setcb(pair->outer, on_header, NULL, on_event, pair);
	bufferevent_setwatermark(pair->outer, EV_READ, 0, BACKLOG_MAX);
	bufferevent_set_timeouts(pair->outer, &deadline, NULL);
	bufferevent_enable(pair->outer, EV_READ);
}

static void on_acceptable(void *arg, unsigned events)
{
	struct post *post = arg;

	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(post->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (post->gate->open < post->gate->setup.connections_max) {
			greet(post, fd);
			continue;
		}
		post->gate->refused++;
		close(fd);
	}
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
	*post = (struct post){ gate->posts, gate, NULL, fd, addr->is_unix };
	gate->posts = post;
	return loop_watch_new(&post->watch, gate->loop, fd, LOOP_READ, on_acceptable,
			      post, err);
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
	*out = gate;
	return ZL_OK;
}

void gate_close(struct gate **gatep)
{
	struct gate *gate = *gatep;

	*gatep = NULL;
	if (gate == NULL)
		return;
	while (gate->pairs != NULL)
		pair_free(gate->pairs);
	while (gate->posts != NULL) {
		struct post *post = gate->posts;
		gate->posts = post->next;
		loop_watch_free(&post->watch);
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
