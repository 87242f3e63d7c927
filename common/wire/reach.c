#include "wire/reach.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "pki/tls.h"
#include "wire/frame.h"
#include "wire/greet.h"
#include "wire/pair.h"
#include "wire/resolve.h"
#include "wire/socket.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CONNECT_MS = 5000,
	HEADER_MS = 5000,
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 2000,
	LASTED_MS = 1000, /* a connection that did is not followed by a long wait */
	WAYS = 2,
	TROUBLE = 256
};

enum stage { REST, RESOLVE, CONNECT, GREET, UP };

/* The connection of one protocol. */
struct way {
	struct reach *reach;
	int protocol, answer;           /* what we say, what global must say */
	size_t inward_max, outward_max; /* see pair.h */
	char *inner;                    /* owned */
	enum stage stage;
	size_t addr; /* of the reach's, that it tries or has */
	struct resolve *resolve;
	struct resolve_list list;
	unsigned next; /* of list */
	int fd;        /* while it connects; -1 */
	struct loop_watch *watch;
	struct loop_timer *timer; /* of a stage that must end, or of the rest */
	struct greet *greet;
	struct pair *pair;
	bool parting; /* by our own will */
	unsigned failures;
	uint64_t up_ms; /* since when it is */
};

struct reach {
	struct loop *loop;
	struct reach_setup setup;
	struct zl_addr *addrs; /* owned */
	size_t current;
	struct greeter *greeter;
	struct way ways[WAYS];
	char trouble[TROUBLE];
};

static void attempt(struct way *way);
static void try_next(struct way *way);

/* Give up whatever way has under way, but for a name that is being resolved. */
static void clear(struct way *way)
{
	loop_watch_free(&way->watch);
	loop_timer_clear(way->timer);
	greet_free(&way->greet);
	pair_free(&way->pair);
	if (way->fd >= 0)
		close(way->fd);
	way->fd = -1;
	way->parting = false;
	way->stage = REST;
}

static const struct way *other(const struct way *way)
{
	return &way->reach->ways[way == &way->reach->ways[0]];
}

/* Half of the wait is certain, half of it dice: many zones must not come at once. */
static void rest(struct way *way)
{
	uint64_t wait = BACKOFF_MIN_MS;
	uint32_t dice;

	for (unsigned i = 0; i < way->failures && wait < BACKOFF_MAX_MS; i++)
		wait *= 2;
	if (wait > BACKOFF_MAX_MS)
		wait = BACKOFF_MAX_MS;
	zl_random(&dice, sizeof(dice));
	way->failures++;
	loop_timer_set(way->timer, wait / 2 + dice % (wait / 2 + 1));
}

/* All that the address has was tried. */
static void give_up(struct way *way)
{
	struct reach *reach = way->reach;

	clear(way);
	if (way->addr == reach->current && other(way)->stage != UP)
		reach->current = (reach->current + 1) % reach->setup.count;
	rest(way);
}

/* Said once for each cause, not for each attempt. */
static void note(struct way *way, const char *why)
{
	struct reach *reach = way->reach;
	char text[ZL_ADDR_TEXT], trouble[TROUBLE];

	zl_addr_text(&reach->addrs[way->addr], text);
	(void)snprintf(trouble, sizeof(trouble), "%.150s: %.100s", text, why);
	if (strcmp(trouble, reach->trouble) == 0)
		return;
	memcpy(reach->trouble, trouble, sizeof(trouble));
	zl_log(ZL_WARN, "link", "no connection to global", "addr=%q err=%q", text, why);
}

static void failed(struct way *way, const char *why)
{
	note(way, why);
	clear(way);
	try_next(way);
}

/* ---- up ---- */

static void on_greeted(void *arg)
{
	struct way *way = arg;
	char text[ZL_ADDR_TEXT];

	way->stage = UP;
	way->up_ms = zl_now_ms();
	if (other(way)->stage != UP)
		return;
	way->reach->trouble[0] = '\0';
	zl_addr_text(&way->reach->addrs[way->addr], text);
	zl_log(ZL_INFO, "link", "connected to global", "addr=%q", text);
}

static void on_ended(void *arg, const char *why)
{
	struct way *way = arg;

	if (way->stage == UP && zl_now_ms() - way->up_ms >= LASTED_MS)
		way->failures = 0;
	if (!way->parting)
		note(way, why != NULL ? why : "it hung up");
	clear(way);
	rest(way);
}

static void on_heard(void *arg, const uint8_t *header)
{
	struct way *way = arg;
	struct reach *reach = way->reach;
	struct pair_setup pair = { .loop = reach->loop,
				   .inner = way->inner,
				   .inward_max = way->inward_max,
				   .outward_max = way->outward_max,
				   .has_ids = way->protocol == FRAME_REQ,
				   .stall_ms = reach->setup.stall_ms,
				   .greeted = on_greeted,
				   .ended = on_ended,
				   .arg = way };

	if (frame_protocol(header) != way->answer) {
		failed(way, "what answers there is no global");
		return;
	}
	/* Both ways lead to one place. */
	if (other(way)->pair != NULL && other(way)->addr != way->addr) {
		clear(way);
		rest(way);
		return;
	}
	uint8_t said[FRAME_HEADER]; /* the greet's goes with it */
	memcpy(said, header, FRAME_HEADER);
	pair.header = said;
	pair.outer = greet_take(&way->greet);
	if (pair.outer == NULL) {
		failed(way, "out of memory");
		return;
	}
	reach->current = way->addr;
	way->pair = pair_new(&pair);
}

/* ---- greeting ---- */

static bool on_proved(void *arg, const struct pki_facts *facts)
{
	(void)arg, (void)facts; /* our TLS lets no other than global through */
	return true;
}

static void on_failed(void *arg, const char *why)
{
	failed(arg, why);
}

static void start_greet(struct way *way)
{
	struct reach *reach = way->reach;
	uint8_t header[FRAME_HEADER];
	const struct greet_setup setup = {
		.fd = way->fd,
		.tls = reach->addrs[way->addr].is_unix ? NULL : reach->setup.tls,
		.say = header,
		/* The second time longer: three ways there and back can take it. */
		.ms = reach->setup.header_ms << (way->failures > 0),
		.proved = on_proved,
		.heard = on_heard,
		.failed = on_failed,
		.arg = way,
	};

	loop_watch_free(&way->watch);
	loop_timer_clear(way->timer);
	way->stage = GREET;
	way->fd = -1;
	frame_header(way->protocol, header);
	way->greet = greet_new(reach->greeter, &setup);
}

/* ---- connecting ---- */

static void on_connected(void *arg, unsigned events)
{
	struct way *way = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	if (getsockopt(way->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0)
		start_greet(way);
	else
		failed(way, strerror(error));
}

static bool connect_to(struct way *way, const struct sockaddr_storage *to, socklen_t len)
{
	way->fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (way->fd < 0)
		return false;
	if (to->ss_family != AF_UNIX)
		socket_tune(way->fd);
	return connect(way->fd, (const struct sockaddr *)to, len) == 0 ||
	       errno == EINPROGRESS;
}

/* The next address that the name has. */
static void try_next(struct way *way)
{
	struct zl_err err = { 0 };

	while (way->next < way->list.count) {
		unsigned i = way->next++;
		bool connects = connect_to(way, &way->list.at[i], way->list.len[i]);
		if (connects &&
		    loop_watch_new(&way->watch, way->reach->loop, way->fd, LOOP_WRITE,
				   on_connected, way, &err) == ZL_OK) {
			way->stage = CONNECT;
			loop_timer_set(way->timer, way->reach->setup.connect_ms);
			return;
		}
		note(way, connects ? err.msg : strerror(errno));
		clear(way);
	}
	give_up(way);
}

/* ---- the name ---- */

static void on_resolved(void *arg, const struct resolve_list *list)
{
	struct way *way = arg;

	way->list = *list;
	way->next = 0;
	resolve_free(&way->resolve);
	if (list->count == 0)
		note(way, list->why);
	clear(way);
	try_next(way);
}

static void attempt(struct way *way)
{
	struct reach *reach = way->reach;

	if (reach->setup.tls == NULL && reach->setup.waits &&
	    !reach->addrs[reach->current].is_unix) {
		way->addr = reach->current;
		note(way, "the zone has no certificate yet");
		return; /* until reach_set_tls */
	}
	/* A name that still is being resolved may be another address's. */
	if (way->addr != reach->current)
		resolve_free(&way->resolve);
	way->addr = reach->current;
	way->next = 0;
	if (way->resolve == NULL && resolve_now(&reach->addrs[way->addr], &way->list)) {
		try_next(way);
		return;
	}
	if (way->resolve == NULL)
		way->resolve = resolve_new(reach->loop, &reach->addrs[way->addr],
					   on_resolved, way);
	if (way->resolve == NULL) {
		note(way, "out of threads");
		give_up(way);
		return;
	}
	way->stage = RESOLVE;
	loop_timer_set(way->timer, reach->setup.connect_ms);
}

static void on_timer(void *arg)
{
	struct way *way = arg;

	switch (way->stage) {
	case REST:
		attempt(way);
		break;
	case RESOLVE:
		note(way, "its name is not resolved in time");
		give_up(way);
		break;
	case CONNECT:
		failed(way, "it does not answer in time");
		break;
	case GREET:
	case UP:
		break;
	}
}

/* ---- from outside ---- */

static void way_open(struct reach *reach, struct way *way, int protocol,
		     const char *inner)
{
	*way = (struct way){ .reach = reach,
			     .protocol = protocol,
			     .answer = protocol == FRAME_SUB ? FRAME_PUB : FRAME_REP,
			     .inward_max = protocol == FRAME_SUB
						   ? reach->setup.published_max
						   : reach->setup.message_max,
			     .outward_max = reach->setup.message_max,
			     .inner = zl_strdup(inner),
			     .fd = -1 };
	way->timer = loop_timer_new(reach->loop, on_timer, way);
	loop_timer_set(way->timer, 0);
}

struct reach *reach_open(struct loop *loop, const struct reach_setup *setup)
{
	struct reach *reach = zl_alloc(1, sizeof(*reach));

	reach->loop = loop;
	reach->setup = *setup;
	if (setup->connect_ms == 0)
		reach->setup.connect_ms = CONNECT_MS;
	if (setup->header_ms == 0)
		reach->setup.header_ms = HEADER_MS;
	if (setup->tls != NULL)
		(void)pki_tls_hold(setup->tls);
	reach->addrs = zl_memdup(setup->addrs, setup->count * sizeof(*setup->addrs));
	reach->greeter = greeter_new(loop);
	way_open(reach, &reach->ways[0], FRAME_SUB, setup->sub);
	way_open(reach, &reach->ways[1], FRAME_REQ, setup->req);
	return reach;
}

void reach_close(struct reach **reachp)
{
	const uint64_t until_ms = zl_now_ms() + PAIR_QUIT_MS;
	struct reach *reach = *reachp;

	*reachp = NULL;
	if (reach == NULL)
		return;
	for (int i = 0; i < WAYS; i++) {
		struct way *way = &reach->ways[i];
		if (way->pair != NULL)
			pair_quit(way->pair, until_ms);
		clear(way);
		resolve_free(&way->resolve);
		loop_timer_free(&way->timer);
		free(way->inner);
	}
	greeter_free(&reach->greeter);
	pki_tls_drop(&reach->setup.tls);
	free(reach->addrs);
	free(reach);
}

void reach_redial(struct reach *reach)
{
	reach->current = (reach->current + 1) % reach->setup.count;
	for (int i = 0; i < WAYS; i++) {
		struct way *way = &reach->ways[i];
		/* There is no other place to go to: who was refused here waits, and what
		 * has begun may be on its way, however long that is. */
		if (way->stage != UP && reach->setup.count == 1)
			continue;
		way->failures = 0;
		if (way->pair != NULL) {
			way->parting = true;
			pair_part(way->pair); /* on_ended goes on, now or soon */
		} else {
			clear(way);
		}
		if (way->stage == REST)
			loop_timer_set(way->timer, 0);
	}
}

void reach_set_tls(struct reach *reach, struct pki_tls *tls)
{
	(void)pki_tls_hold(tls);
	pki_tls_drop(&reach->setup.tls);
	reach->setup.tls = tls;
	/* Who was refused with the old one need not wait any longer. */
	for (int i = 0; i < WAYS; i++)
		if (reach->ways[i].stage == REST)
			loop_timer_set(reach->ways[i].timer, 0);
}

const char *reach_trouble(const struct reach *reach)
{
	return reach->trouble;
}
