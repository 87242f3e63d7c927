#include "wire/gate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "pki/tls.h"
#include "wire/frame.h"
#include "wire/greet.h"
#include "wire/pair.h"
#include "wire/refusal.h"
#include "wire/socket.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HEADER_MS = 5000,
	ACCEPTS_A_TURN = 16,
	WAITING_MAX = 32, /* more wait in the kernel: here the oldest would be dropped */
	WAITING_PAUSE_MS = 2,
	ACCEPT_PAUSE_MS = 100,
	EXPIRY_LOOK_MS = 60000,
	ZONE_MAX = 8,
	LEAVING = 4, /* times as many may be on their way out */
	STRANGERS_MAX = 512,
	OF_A_SOURCE_MAX = 128,
	ZONE_NAME = PKI_IDENTITY
};

static const char TOO_MANY_OF_ZONE[] = "too many connections of its zone";
static const char NOT_ADMITTED[] = "zone or certificate not admitted";

/* One listening socket. */
struct post {
	struct post *next; /* owned by the gate */
	struct gate *gate;
	struct loop_watch *watch; /* NULL: it pauses */
	struct loop_timer *pause;
	int fd;
	bool is_unix;
};

/* One who came: a stranger while greet is there, let through when pair is. */
struct guest {
	TAILQ_ENTRY(guest) link; /* of the strangers, or of those let through; by age */
	struct gate *gate;
	struct greet *greet;       /* owned */
	struct pair *pair;         /* owned */
	struct loop_timer *expiry; /* of its certificate; NULL: it has none */
	struct in6_addr source;    /* zero: a unix socket */
	bool counted;              /* as a connection */
	uint64_t ends_s;           /* of its certificate; 0: none */
	char zone[ZONE_NAME];      /* "": none */
	char peer[SOCKET_TEXT];
};

TAILQ_HEAD(guests, guest);

struct gate {
	struct loop *loop;
	struct gate_setup setup;
	struct post *posts;
	struct greeter *greeter;
	struct refusals *refusals;
	struct guests strangers, through;
	unsigned stranger_count, connections;
};

static void guest_free(struct guest *guest)
{
	struct gate *gate = guest->gate;

	if (guest->pair != NULL) {
		TAILQ_REMOVE(&gate->through, guest, link);
	} else {
		TAILQ_REMOVE(&gate->strangers, guest, link);
		gate->stranger_count--;
	}
	if (guest->counted)
		gate->connections--;
	greet_free(&guest->greet);
	pair_free(&guest->pair);
	loop_timer_free(&guest->expiry);
	free(guest);
}

static void refuse(struct guest *guest, const char *why)
{
	refusals_note(guest->gate->refusals, why, guest->peer, guest->zone);
	guest_free(guest);
}

/* ---- those let through ---- */

/* Its peer has gone; nng may need another while. */
static void on_parted(void *arg)
{
	struct guest *guest = arg;

	if (guest->counted)
		guest->gate->connections--;
	guest->counted = false;
}

/* A zone that has another certificate by now keeps its connections as long as it has one.
 */
static void on_expiry(void *arg)
{
	struct guest *guest = arg;
	const struct gate_setup *setup = &guest->gate->setup;

	if (setup->admit != NULL && setup->admit(setup->arg, guest->zone, NULL)) {
		loop_timer_set(guest->expiry, EXPIRY_LOOK_MS);
		return;
	}
	zl_log(ZL_WARN, "gate", "a zone's certificate has expired: disconnected",
	       "zone=%q", guest->zone);
	pair_part(guest->pair);
}

static void on_greeted(void *arg)
{
	const struct guest *guest = arg;

	zl_log(ZL_DEBUG, "gate", "let through", "zone=%q peer=%q", guest->zone,
	       guest->peer);
}

static void on_ended(void *arg, const char *why)
{
	struct guest *guest = arg;

	if (why != NULL)
		refuse(guest, why);
	else
		guest_free(guest);
}

/* Its places are limited; of a zone that comes back, the old connections may not have
 * noticed that they are dead. False: too many are still on their way out. */
static bool make_room(struct gate *gate, const char *zone)
{
	struct guest *guest, *oldest = NULL;
	unsigned count = 0, leaving = 0;

	TAILQ_FOREACH(guest, &gate->through, link)
	{
		if (strcmp(guest->zone, zone) != 0)
			continue;
		/* cppcheck-suppress uninitvar ; it has not read sys/queue.h */
		if (guest->counted && oldest == NULL)
			oldest = guest;
		if (guest->counted)
			count++;
		else
			leaving++;
	}
	if (leaving >= LEAVING * gate->setup.zone_max)
		return false;
	if (oldest == NULL || count < gate->setup.zone_max)
		return true;
	refusals_note(gate->refusals, TOO_MANY_OF_ZONE, oldest->peer, zone);
	pair_part(oldest->pair);
	return true;
}

static void watch_expiry(struct guest *guest)
{
	uint64_t now_s = zl_wall_us() / 1000000;

	if (guest->ends_s == 0)
		return;
	guest->expiry = loop_timer_new(guest->gate->loop, on_expiry, guest);
	loop_timer_set(guest->expiry,
		       guest->ends_s > now_s ? (guest->ends_s - now_s) * 1000 : 0);
}

static void let_through(struct guest *guest, const char *path, const uint8_t *header)
{
	bool hears = frame_protocol(header) == FRAME_SUB;
	struct gate *gate = guest->gate;
	const struct gate_setup *setup = &gate->setup;
	struct pair_setup pair = { .loop = gate->loop,
				   .inner = path,
				   .answer = true,
				   .inward_max = hears ? 0 : setup->message_max,
				   .outward_max = hears ? setup->published_max
							: setup->message_max,
				   .has_ids = !hears,
				   .stall_ms = setup->stall_ms,
				   .greeted = on_greeted,
				   .parted = on_parted,
				   .ended = on_ended,
				   .arg = guest };

	uint8_t said[FRAME_HEADER]; /* the greet's goes with it */
	memcpy(said, header, FRAME_HEADER);
	pair.header = said;
	pair.outer = greet_take(&guest->greet);
	if (pair.outer == NULL) {
		refuse(guest, "out of memory");
		return;
	}
	TAILQ_REMOVE(&gate->strangers, guest, link);
	gate->stranger_count--;
	TAILQ_INSERT_TAIL(&gate->through, guest, link);
	gate->connections++;
	guest->counted = true;
	guest->pair = pair_new(&pair);
	watch_expiry(guest);
}

/* ---- strangers ---- */

static void on_heard(void *arg, const uint8_t *header)
{
	struct guest *guest = arg;
	struct gate *gate = guest->gate;
	const char *zone = guest->zone[0] != '\0' ? guest->zone : NULL;
	char path[GATE_INNER];
	struct zl_err err = { 0 };

	int protocol = frame_protocol(header);
	if (protocol != FRAME_SUB && protocol != FRAME_REQ) {
		refuse(guest, "no SP header of a zone");
		return;
	}
	if (zone != NULL && !make_room(gate, zone)) {
		refuse(guest, TOO_MANY_OF_ZONE);
		return;
	}
	if (gate->connections >= gate->setup.connections_max) {
		refuse(guest, "too many connections of zones");
		return;
	}
	if (gate->setup.inner(gate->setup.arg, zone, protocol, path, &err) != ZL_OK) {
		zl_log(ZL_ERROR, "gate", "cannot listen for a zone", "zone=%q err=%q",
		       guest->zone, err.msg);
		refuse(guest, "global cannot listen for it");
		return;
	}
	let_through(guest, path, header);
}

static bool on_proved(void *arg, const struct pki_facts *facts)
{
	struct guest *guest = arg;
	const struct gate_setup *setup = &guest->gate->setup;
	const char *zone = facts != NULL ? pki_zone_of(facts->identity) : NULL;

	if (zone == NULL) {
		refuse(guest, facts != NULL ? "not the certificate of a zone"
					    : "no certificate");
		return false;
	}
	(void)snprintf(guest->zone, sizeof(guest->zone), "%s", zone);
	guest->ends_s = facts->ends_s;
	if (setup->admit == NULL || setup->admit(setup->arg, zone, facts->serial))
		return true;
	refuse(guest, NOT_ADMITTED);
	return false;
}

static void on_failed(void *arg, const char *why)
{
	refuse(arg, why);
}

/* The one that has been here longest goes: from the same source if that has too many, or
 * of all. */
static void make_room_for_stranger(struct gate *gate, const struct in6_addr *source)
{
	struct guest *guest, *oldest = NULL;
	unsigned count = 0;

	TAILQ_FOREACH(guest, &gate->strangers, link)
	{
		/* cppcheck-suppress uninitvar ; it has not read sys/queue.h */
		if (memcmp(&guest->source, source, sizeof(*source)) != 0)
			continue;
		if (oldest == NULL)
			oldest = guest;
		count++;
	}
	if (oldest != NULL && count >= gate->setup.of_a_source_max)
		refuse(oldest, "too many strangers from its address");
	else if (gate->stranger_count >= gate->setup.strangers_max)
		refuse(TAILQ_FIRST(&gate->strangers), "too many strangers");
}

static void welcome(const struct post *post, int fd, const struct sockaddr_storage *from)
{
	struct gate *gate = post->gate;
	struct guest *guest = zl_alloc(1, sizeof(*guest));
	const struct greet_setup setup = {
		.fd = fd,
		.tls = post->is_unix ? NULL : gate->setup.tls,
		.ms = gate->setup.header_ms,
		.proved = on_proved,
		.heard = on_heard,
		.failed = on_failed,
		.arg = guest,
	};

	guest->gate = gate;
	socket_text(from, guest->peer);
	socket_source(from, &guest->source);
	make_room_for_stranger(gate, &guest->source);
	if (!post->is_unix)
		socket_tune(fd);
	TAILQ_INSERT_TAIL(&gate->strangers, guest, link);
	gate->stranger_count++;
	guest->greet = greet_new(gate->greeter, &setup);
}

/* ---- listening ---- */

static void pause_post(struct post *post, uint64_t ms)
{
	loop_watch_free(&post->watch);
	loop_timer_set(post->pause, ms);
}

static void on_acceptable(void *arg, unsigned events)
{
	struct post *post = arg;
	struct sockaddr_storage from;

	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		if (greeter_waiting(post->gate->greeter) >= WAITING_MAX) {
			pause_post(post, WAITING_PAUSE_MS);
			return;
		}
		socklen_t len = sizeof(from);
		memset(&from, 0, sizeof(from));
		int fd = accept4(post->fd, (struct sockaddr *)&from, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			welcome(post, fd, &from);
			continue;
		}
		/* Without descriptors it would be acceptable for ever. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			pause_post(post, ACCEPT_PAUSE_MS);
		return;
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

static enum zl_code check_address(const struct gate *gate, const struct zl_addr *addr,
				  struct zl_err *err)
{
	char text[ZL_ADDR_TEXT];

	zl_addr_text(addr, text);
	if (addr->is_unix && !gate->setup.allow_plain)
		return zl_fail(err, ZL_EINVAL,
			       "listen on %s: zones prove who they are by TLS, which a "
			       "unix socket does not have; use HOST:PORT",
			       text);
	if (addr->is_unix || gate->setup.tls != NULL ||
	    (gate->setup.allow_plain && zl_addr_is_local(addr)))
		return ZL_OK;
	return zl_fail(err, ZL_EINVAL,
		       "listen on %s: there is no certificate for TLS, without which "
		       "only loopback addresses and unix sockets could be served",
		       text);
}

enum zl_code gate_listen(struct gate *gate, struct zl_addr *addr, struct zl_err *err)
{
	int fd;

	enum zl_code code = check_address(gate, addr, err);
	if (code == ZL_OK)
		code = zl_addr_listen(addr, &fd, err);
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

static unsigned or_else(unsigned value, unsigned otherwise)
{
	return value != 0 ? value : otherwise;
}

struct gate *gate_open(struct loop *loop, const struct gate_setup *setup)
{
	struct gate *gate = zl_alloc(1, sizeof(*gate));

	gate->loop = loop;
	gate->setup = *setup;
	gate->setup.zone_max = or_else(setup->zone_max, ZONE_MAX);
	gate->setup.strangers_max = or_else(setup->strangers_max, STRANGERS_MAX);
	gate->setup.of_a_source_max = or_else(setup->of_a_source_max, OF_A_SOURCE_MAX);
	if (setup->header_ms == 0)
		gate->setup.header_ms = HEADER_MS;
	if (setup->tls != NULL)
		(void)pki_tls_hold(setup->tls);
	TAILQ_INIT(&gate->strangers);
	TAILQ_INIT(&gate->through);
	gate->greeter = greeter_new(loop);
	gate->refusals = refusals_new(loop);
	return gate;
}

void gate_close(struct gate **gatep)
{
	const uint64_t until_ms = zl_now_ms() + PAIR_QUIT_MS;
	struct gate *gate = *gatep;

	*gatep = NULL;
	if (gate == NULL)
		return;
	while (!TAILQ_EMPTY(&gate->strangers))
		guest_free(TAILQ_FIRST(&gate->strangers));
	while (!TAILQ_EMPTY(&gate->through)) {
		struct guest *guest = TAILQ_FIRST(&gate->through);
		pair_quit(guest->pair, until_ms);
		guest_free(guest);
	}
	while (gate->posts != NULL) {
		struct post *post = gate->posts;
		gate->posts = post->next;
		loop_watch_free(&post->watch);
		loop_timer_free(&post->pause);
		close(post->fd);
		free(post);
	}
	greeter_free(&gate->greeter);
	refusals_free(&gate->refusals);
	pki_tls_drop(&gate->setup.tls);
	free(gate);
}

void gate_set_tls(struct gate *gate, struct pki_tls *tls)
{
	(void)pki_tls_hold(tls);
	pki_tls_drop(&gate->setup.tls);
	gate->setup.tls = tls;
}

void gate_cut(struct gate *gate, const char *zone)
{
	struct guest *guest, *next;

	for (guest = TAILQ_FIRST(&gate->strangers); guest != NULL; guest = next) {
		next = TAILQ_NEXT(guest, link);
		if (strcmp(guest->zone, zone) == 0)
			refuse(guest, NOT_ADMITTED);
	}
	for (guest = TAILQ_FIRST(&gate->through); guest != NULL; guest = next) {
		next = TAILQ_NEXT(guest, link);
		if (strcmp(guest->zone, zone) == 0)
			pair_part(guest->pair);
	}
}

unsigned gate_connections(const struct gate *gate)
{
	return gate->connections;
}

uint64_t gate_refused(const struct gate *gate)
{
	return refusals_total(gate->refusals);
}

const char *gate_refusal(const struct gate *gate, size_t index, uint64_t *count)
{
	return refusals_at(gate->refusals, index, count);
}
