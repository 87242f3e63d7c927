/* Global's end of wire/link.h on nng. nng calls back on threads of its own: a callback
 * touches its own slot and posts a letter, nothing else; everything that opens, closes or
 * sends runs on the loop's thread. REP has a fixed number of contexts, one slot each. */
#include "wire/link.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "wire/frame.h"
#include "wire/gate.h"
#include "wire/link_nng.h"

#include <assert.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HUB_SLOTS = 64,
	HUB_BOX = 4 * HUB_SLOTS,
	ANSWER_MS = 20000,
	PUB_SENDBUF = 1024,
	ZONES_MAX = 4096
};

enum slot_state { SLOT_IDLE, SLOT_RECEIVING, SLOT_ASKED, SLOT_SENDING };

struct hub_slot {
	struct link_hub *hub;
	nng_ctx ctx;
	nng_aio *aio;
	unsigned index;
	_Atomic int state;   /* enum slot_state; ASKED: the loop has the slot, else nng */
	uint64_t generation; /* of its request; the loop's */
	uint64_t asked_ms;   /* the loop's; 0: it has no request of this slot */
};

struct hub_letter {
	struct hub_slot *slot;
	nng_msg *msg; /* owned */
};

/* The inner listeners of one zone. */
struct inner {
	char *zone; /* owned; NULL: those without TLS */
	unsigned index;
	nng_listener pub, rep;
	bool hears, asks; /* which of them are there */
};

struct link_hub {
	struct loop *loop;
	struct link_hub_handlers handlers;
	bool (*admit)(void *arg, const char *zone, const char *serial);
	nng_socket pub, rep;
	bool pub_open, rep_open;
	struct gate *gate;
	struct mailbox *inbox;
	struct loop_watch *watch;
	struct loop_timer *timer;
	uint64_t answer_ms;
	size_t message_max;
	_Atomic bool closing; /* requests are dropped */
	struct hub_slot slots[HUB_SLOTS];
	char *folder;          /* owned */
	struct inner **inners; /* owned; one for each zone that ever came */
	size_t inner_count;
};

static void hub_receive(struct hub_slot *slot)
{
	slot->state = SLOT_RECEIVING;
	nng_aio_set_timeout(slot->aio, NNG_DURATION_INFINITE);
	nng_ctx_recv(slot->ctx, slot->aio);
}

/* On a thread of nng: a request came, or an answer has left. */
static void on_hub_aio(void *arg)
{
	struct hub_slot *slot = arg;
	int rv = nng_aio_result(slot->aio);

	if (rv == NNG_ECLOSED || rv == NNG_ECANCELED) {
		if (slot->state == SLOT_SENDING)
			nng_msg_free(nng_aio_get_msg(slot->aio));
		slot->state = SLOT_IDLE;
		return;
	}
	if (slot->state == SLOT_SENDING) {
		if (rv != 0)
			nng_msg_free(nng_aio_get_msg(slot->aio));
		hub_receive(slot);
		return;
	}
	if (rv != 0) {
		hub_receive(slot);
		return;
	}
	const struct hub_letter letter = { slot, nng_aio_get_msg(slot->aio) };
	slot->state = SLOT_ASKED;
	if (slot->hub->closing || !mailbox_post(slot->hub->inbox, &letter)) {
		nng_msg_free(letter.msg);
		hub_receive(slot);
	}
}

/* Requests that the owner does not answer give their slots back. */
static void on_hub_timer(void *arg)
{
	struct link_hub *hub = arg;
	uint64_t now = zl_now_ms();

	for (int i = 0; i < HUB_SLOTS; i++) {
		struct hub_slot *slot = &hub->slots[i];
		if (slot->state != SLOT_ASKED || slot->asked_ms == 0 ||
		    now - slot->asked_ms < hub->answer_ms)
			continue;
		slot->generation++;
		slot->asked_ms = 0;
		hub_receive(slot);
	}
	loop_timer_set(hub->timer, hub->answer_ms / 10 + 1);
}

void link_hub_reply(struct link_hub *hub, uint64_t handle, const void *bytes, size_t len)
{
	struct hub_slot *slot = &hub->slots[handle % HUB_SLOTS];

	if (slot->generation != handle / HUB_SLOTS || slot->state != SLOT_ASKED ||
	    slot->asked_ms == 0)
		return;
	/* One too great would break the connection, again and again. */
	nng_msg *msg = len <= hub->message_max ? link_msg(bytes, len) : NULL;
	slot->asked_ms = 0;
	if (msg == NULL) {
		hub_receive(slot);
		return;
	}
	slot->state = SLOT_SENDING;
	nng_aio_set_msg(slot->aio, msg);
	/* A peer that takes no answers must not keep the slots. */
	nng_aio_set_timeout(slot->aio, link_ms(hub->answer_ms));
	nng_ctx_send(slot->ctx, slot->aio);
}

void link_hub_publish(struct link_hub *hub, const void *bytes, size_t len)
{
	assert(len <= LINK_PUBLISHED_MAX);
	nng_msg *msg = link_msg(bytes, len);

	if (msg != NULL && nng_sendmsg(hub->pub, msg, NNG_FLAG_NONBLOCK) != 0)
		nng_msg_free(msg);
}

static bool on_admit(void *arg, const char *zone, const char *serial)
{
	const struct link_hub *hub = arg;

	return hub->admit == NULL || hub->admit(hub->handlers.arg, zone, serial);
}

static struct inner *inner_of(struct link_hub *hub, const char *zone)
{
	for (size_t i = 0; i < hub->inner_count; i++) {
		const char *name = hub->inners[i]->zone;
		if (name == zone ||
		    (name != NULL && zone != NULL && strcmp(name, zone) == 0))
			return hub->inners[i];
	}
	if (hub->inner_count == ZONES_MAX)
		return NULL;
	struct inner *inner = zl_alloc(1, sizeof(*inner));
	inner->zone = zone != NULL ? zl_strdup(zone) : NULL;
	inner->index = (unsigned)hub->inner_count;
	hub->inners = zl_realloc(hub->inners, hub->inner_count + 1, sizeof(inner));
	hub->inners[hub->inner_count++] = inner;
	return inner;
}

/* Each zone has listeners of its own, so a pipe's listener says whose it is. They are
 * made when its first connection arrives, and stay. */
static enum zl_code on_inner(void *arg, const char *zone, int protocol,
			     char path[GATE_INNER], struct zl_err *err)
{
	struct link_hub *hub = arg;
	struct inner *inner = inner_of(hub, zone);
	bool hears = protocol == FRAME_SUB;

	if (inner == NULL)
		return zl_fail(err, ZL_ELIMIT, "more than %d zones", ZONES_MAX);
	(void)snprintf(path, GATE_INNER, "%s/%u.%s", hub->folder, inner->index,
		       hears ? "pub" : "rep");
	if (hears ? inner->hears : inner->asks)
		return ZL_OK;
	int rv = hears ? link_listen(hub->pub, path, &inner->pub)
		       : link_listen(hub->rep, path, &inner->rep);
	if (rv != 0)
		return link_fail(err, path, rv);
	if (hears)
		inner->hears = true;
	else
		inner->asks = true;
	return ZL_OK;
}

/* Whose request it is; false: the peer has gone. */
static bool zone_of(const struct link_hub *hub, const nng_msg *msg, const char **zone)
{
	int id = nng_listener_id(nng_pipe_listener(nng_msg_get_pipe(msg)));

	for (size_t i = 0; i < hub->inner_count; i++) {
		const struct inner *inner = hub->inners[i];
		if (inner->asks && nng_listener_id(inner->rep) == id) {
			*zone = inner->zone;
			return true;
		}
	}
	return false;
}

static void take_letter(struct link_hub *hub, const struct hub_letter *letter)
{
	struct hub_slot *slot = letter->slot;
	const char *zone;

	slot->generation++;
	if (!zone_of(hub, letter->msg, &zone)) {
		hub_receive(slot);
		return;
	}
	slot->asked_ms = zl_now_ms();
	hub->handlers.request(hub->handlers.arg,
			      slot->generation * HUB_SLOTS + slot->index, zone,
			      nng_msg_body(letter->msg), nng_msg_len(letter->msg));
}

static void on_hub_inbox(void *arg, unsigned events)
{
	struct link_hub *hub = arg;
	struct hub_letter letter;

	(void)events;
	while (mailbox_take(hub->inbox, &letter)) {
		take_letter(hub, &letter);
		nng_msg_free(letter.msg);
	}
}

static int open_slots(struct link_hub *hub)
{
	int rv = 0;

	for (unsigned i = 0; rv == 0 && i < HUB_SLOTS; i++) {
		struct hub_slot *slot = &hub->slots[i];
		slot->hub = hub;
		slot->index = i;
		rv = nng_aio_alloc(&slot->aio, on_hub_aio, slot);
		if (rv == 0)
			rv = nng_ctx_open(&slot->ctx, hub->rep);
		if (rv == 0)
			hub_receive(slot);
	}
	return rv;
}

static enum zl_code open_sockets(struct link_hub *hub, const struct link_hub_setup *setup,
				 struct zl_err *err)
{
	int rv = nng_pub0_open(&hub->pub);

	hub->pub_open = rv == 0;
	if (rv == 0) {
		rv = nng_rep0_open(&hub->rep);
		hub->rep_open = rv == 0;
	}
	if (rv != 0 ||
	    (rv = nng_socket_set_int(hub->pub, NNG_OPT_SENDBUF, PUB_SENDBUF)) != 0 ||
	    (rv = nng_socket_set_size(hub->pub, NNG_OPT_RECVMAXSZ, 1024)) != 0 ||
	    (rv = nng_socket_set_size(hub->rep, NNG_OPT_RECVMAXSZ,
				      setup->message_max + LINK_HEADER_MAX)) != 0 ||
	    (rv = link_guard(hub->pub)) != 0 || (rv = link_guard(hub->rep)) != 0)
		return link_fail(err, "open nng sockets", rv);
	rv = open_slots(hub);
	return rv == 0 ? ZL_OK : link_fail(err, "open nng contexts", rv);
}

enum zl_code link_hub_open(struct link_hub **out, struct loop *loop,
			   const struct link_hub_setup *setup,
			   const struct link_hub_handlers *handlers, struct zl_err *err)
{
	struct link_hub *hub = zl_alloc(1, sizeof(*hub));
	const struct gate_setup gate = {
		.tls = setup->tls,
		.allow_plain = setup->allow_plain,
		.connections_max = setup->connections_max,
		.message_max = setup->message_max + LINK_HEADER_MAX,
		.published_max = LINK_PUBLISHED_MAX,
		.admit = on_admit,
		.inner = on_inner,
		.arg = hub,
	};
	enum zl_code code;

	*out = NULL;
	hub->loop = loop;
	hub->folder = zl_strdup(setup->folder);
	hub->handlers = *handlers;
	hub->admit = setup->admit;
	hub->message_max = setup->message_max;
	hub->answer_ms = setup->answer_ms != 0 ? setup->answer_ms : ANSWER_MS;
	hub->timer = loop_timer_new(loop, on_hub_timer, hub);
	if ((code = link_folder(setup->folder, err)) != ZL_OK ||
	    (code = mailbox_open(&hub->inbox, sizeof(struct hub_letter), HUB_BOX, err)) !=
		    ZL_OK ||
	    (code = loop_watch_new(&hub->watch, loop, mailbox_fd(hub->inbox), LOOP_READ,
				   on_hub_inbox, hub, err)) != ZL_OK ||
	    (code = open_sockets(hub, setup, err)) != ZL_OK) {
		link_hub_close(&hub);
		return code;
	}
	hub->gate = gate_open(loop, &gate);
	loop_timer_set(hub->timer, hub->answer_ms / 10 + 1);
	*out = hub;
	return ZL_OK;
}

/* Nobody will answer, but nng must go on reading, or its connections could not end. */
static void drop_requests(struct link_hub *hub)
{
	struct hub_letter letter;

	hub->closing = true;
	for (int i = 0; i < HUB_SLOTS; i++) {
		struct hub_slot *slot = &hub->slots[i];
		if (slot->state == SLOT_ASKED && slot->asked_ms != 0)
			hub_receive(slot);
	}
	while (hub->inbox != NULL && mailbox_take(hub->inbox, &letter)) {
		nng_msg_free(letter.msg);
		hub_receive(letter.slot);
	}
}

static void stop_hub(void *arg)
{
	struct link_hub *hub = arg;

	if (hub->rep_open)
		nng_close(hub->rep);
	if (hub->pub_open)
		nng_close(hub->pub);
	for (int i = 0; i < HUB_SLOTS; i++) {
		if (hub->slots[i].aio == NULL)
			continue;
		nng_aio_stop(hub->slots[i].aio);
		nng_aio_free(hub->slots[i].aio);
	}
}

void link_hub_close(struct link_hub **hubp)
{
	struct link_hub *hub = *hubp;
	struct hub_letter letter;

	*hubp = NULL;
	if (hub == NULL)
		return;
	drop_requests(hub);
	gate_close(&hub->gate);
	loop_watch_free(&hub->watch);
	loop_timer_free(&hub->timer);
	if (!link_stop(stop_hub, hub))
		return;
	while (hub->inbox != NULL && mailbox_take(hub->inbox, &letter))
		nng_msg_free(letter.msg);
	mailbox_close(&hub->inbox);
	for (size_t i = 0; i < hub->inner_count; i++) {
		free(hub->inners[i]->zone);
		free(hub->inners[i]);
	}
	free(hub->inners);
	free(hub->folder);
	free(hub);
}

enum zl_code link_hub_listen(struct link_hub *hub, struct zl_addr *addr,
			     struct zl_err *err)
{
	return gate_listen(hub->gate, addr, err);
}

unsigned link_hub_connections(const struct link_hub *hub)
{
	return gate_connections(hub->gate);
}

uint64_t link_hub_refused(const struct link_hub *hub)
{
	return gate_refused(hub->gate);
}

const char *link_hub_refusal(const struct link_hub *hub, size_t index, uint64_t *count)
{
	return gate_refusal(hub->gate, index, count);
}

void link_hub_set_tls(struct link_hub *hub, struct pki_tls *tls)
{
	gate_set_tls(hub->gate, tls);
}

void link_hub_cut(struct link_hub *hub, const char *zone)
{
	gate_cut(hub->gate, zone);
}
