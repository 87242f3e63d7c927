/* The body of wire/link.h on nng: the only file that sees it.
 *
 * nng calls back on threads of its own. A callback touches its own slot and posts a
 * letter, nothing else; everything that opens, closes or sends runs on the loop's thread.
 * The hub's REP and the uplink's REQ have a fixed number of contexts, one slot each. */
#include "wire/link.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "wire/gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HUB_SLOTS = 64,
	HUB_BOX = 4 * HUB_SLOTS,
	HUB_ANSWER_MS = 20000, /* a request without an answer by then is given up */
	PUB_SENDBUF = 1024,
	SUB_RECVBUF = 8192,
	UPLINK_BOX = SUB_RECVBUF + 64,
	PUBLISHED_MAX = 1 << 20,
	REDIAL_MIN_MS = 100,
	REDIAL_MAX_MS = 2000
};

static enum zl_code fail_nng(struct zl_err *err, const char *what, int rv)
{
	enum zl_code code = rv == NNG_ENOMEM     ? ZL_ENOMEM
			    : rv == NNG_EPERM    ? ZL_EACCES
			    : rv == NNG_ENOFILES ? ZL_ELIMIT
						 : ZL_EIO;

	return zl_fail(err, code, "%s: %s", what, nng_strerror(rv));
}

static nng_msg *msg_of(const void *bytes, size_t len)
{
	nng_msg *msg = NULL;

	if (nng_msg_alloc(&msg, 0) != 0 || nng_msg_append(msg, bytes, len) != 0) {
		nng_msg_free(msg);
		return NULL;
	}
	return msg;
}

/* ---- hub ---- */

enum slot_state { SLOT_IDLE, SLOT_RECEIVING, SLOT_ASKED, SLOT_SENDING };

struct hub_slot {
	struct link_hub *hub;
	nng_ctx ctx;
	nng_aio *aio;
	unsigned index;
	_Atomic int state;   /* enum slot_state; who has the slot */
	uint64_t generation; /* of its request; the loop's */
	uint64_t asked_ms;   /* the loop's */
};

struct hub_letter {
	struct hub_slot *slot;
	nng_msg *msg; /* owned */
};

struct link_hub {
	struct loop *loop;
	struct link_hub_handlers handlers;
	nng_socket pub, rep;
	bool pub_open, rep_open;
	struct gate *gate;
	struct mailbox *inbox;
	struct loop_watch *watch;
	struct loop_timer *timer;
	char *folder; /* owned */
	struct hub_slot slots[HUB_SLOTS];
};

static void hub_receive(struct hub_slot *slot)
{
	slot->state = SLOT_RECEIVING;
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
	if (!mailbox_post(slot->hub->inbox, &letter)) {
		nng_msg_free(letter.msg);
		hub_receive(slot);
	}
}

static void on_hub_inbox(void *arg, unsigned events)
{
	struct link_hub *hub = arg;
	struct hub_letter letter;

	(void)events;
	while (mailbox_take(hub->inbox, &letter)) {
		struct hub_slot *slot = letter.slot;
		slot->generation++;
		slot->asked_ms = zl_now_ms();
		hub->handlers.request(hub->handlers.arg,
				      slot->generation * HUB_SLOTS + slot->index, NULL,
				      nng_msg_body(letter.msg), nng_msg_len(letter.msg));
		nng_msg_free(letter.msg);
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
		    now - slot->asked_ms < HUB_ANSWER_MS)
			continue;
		slot->generation++;
		slot->asked_ms = 0;
		hub_receive(slot);
	}
	loop_timer_set(hub->timer, HUB_ANSWER_MS / 10);
}

void link_hub_reply(struct link_hub *hub, uint64_t handle, const void *bytes, size_t len)
{
	struct hub_slot *slot = &hub->slots[handle % HUB_SLOTS];

	if (slot->generation != handle / HUB_SLOTS || slot->state != SLOT_ASKED ||
	    slot->asked_ms == 0)
		return;
	nng_msg *msg = msg_of(bytes, len);
	slot->asked_ms = 0;
	if (msg == NULL) {
		hub_receive(slot);
		return;
	}
	slot->state = SLOT_SENDING;
	nng_aio_set_msg(slot->aio, msg);
	nng_ctx_send(slot->ctx, slot->aio);
}

void link_hub_publish(struct link_hub *hub, const void *bytes, size_t len)
{
	nng_msg *msg = msg_of(bytes, len);

	if (msg != NULL && nng_sendmsg(hub->pub, msg, NNG_FLAG_NONBLOCK) != 0)
		nng_msg_free(msg);
}

/* The inner listeners of one socket: on a port of loopback, and on a unix socket. */
static enum zl_code listen_inside(nng_socket socket, const char *folder, const char *name,
				  struct zl_addr inner[2], struct zl_err *err)
{
	nng_listener listener;
	nng_sockaddr address;
	char *url = zl_format("ipc://%s/%s", folder, name);

	inner[1] = (struct zl_addr){ .is_unix = true };
	(void)snprintf(inner[1].host, sizeof(inner[1].host), "%s/%s", folder, name);
	int rv = nng_listen(socket, url, NULL, 0);
	free(url);
	if (rv != 0)
		return fail_nng(err, inner[1].host, rv);
	if ((rv = nng_listen(socket, "tcp://127.0.0.1:0", &listener, 0)) != 0 ||
	    (rv = nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &address)) != 0)
		return fail_nng(err, "inner listener on loopback", rv);
	inner[0] = (struct zl_addr){ .host = "127.0.0.1",
				     .port = ntohs(address.s_in.sa_port) };
	return ZL_OK;
}

static enum zl_code open_folder(struct link_hub *hub, const char *folder,
				struct zl_err *err)
{
	static const char *const NAMES[] = { "pub", "rep" };

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return zl_fail(err, zl_code_from_errno(errno), "make folder %s: %s",
			       folder, strerror(errno));
	hub->folder = zl_strdup(folder);
	for (int i = 0; i < 2; i++) { /* what a process that was killed left behind */
		char *path = zl_format("%s/%s", folder, NAMES[i]);
		(void)unlink(path);
		free(path);
	}
	return ZL_OK;
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
				 struct gate_setup *gate, struct zl_err *err)
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
	    (rv = nng_socket_set_size(hub->rep, NNG_OPT_RECVMAXSZ, setup->message_max)) !=
		    0)
		return fail_nng(err, "open nng sockets", rv);
	enum zl_code code = listen_inside(hub->pub, setup->folder, "pub", gate->sub, err);
	if (code == ZL_OK)
		code = listen_inside(hub->rep, setup->folder, "rep", gate->req, err);
	if (code != ZL_OK)
		return code;
	rv = open_slots(hub);
	return rv == 0 ? ZL_OK : fail_nng(err, "open nng contexts", rv);
}

enum zl_code link_hub_open(struct link_hub **out, struct loop *loop,
			   const struct link_hub_setup *setup,
			   const struct link_hub_handlers *handlers, struct zl_err *err)
{
	struct link_hub *hub = zl_alloc(1, sizeof(*hub));
	struct gate_setup gate = { .connections_max = setup->connections_max };
	enum zl_code code;

	*out = NULL;
	hub->loop = loop;
	hub->handlers = *handlers;
	hub->timer = loop_timer_new(loop, on_hub_timer, hub);
	if ((code = open_folder(hub, setup->folder, err)) != ZL_OK ||
	    (code = mailbox_open(&hub->inbox, sizeof(struct hub_letter), HUB_BOX, err)) !=
		    ZL_OK ||
	    (code = loop_watch_new(&hub->watch, loop, mailbox_fd(hub->inbox), LOOP_READ,
				   on_hub_inbox, hub, err)) != ZL_OK ||
	    (code = open_sockets(hub, setup, &gate, err)) != ZL_OK ||
	    (code = gate_open(&hub->gate, loop, &gate, err)) != ZL_OK) {
		link_hub_close(&hub);
		return code;
	}
	loop_timer_set(hub->timer, HUB_ANSWER_MS / 10);
	*out = hub;
	return ZL_OK;
}

void link_hub_close(struct link_hub **hubp)
{
	struct link_hub *hub = *hubp;
	struct hub_letter letter;

	*hubp = NULL;
	if (hub == NULL)
		return;
	gate_close(&hub->gate);
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
	loop_watch_free(&hub->watch);
	while (hub->inbox != NULL && mailbox_take(hub->inbox, &letter))
		nng_msg_free(letter.msg);
	mailbox_close(&hub->inbox);
	loop_timer_free(&hub->timer);
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

/* ---- uplink ---- */

struct asking {
	struct link_uplink *uplink;
	nng_ctx ctx;
	nng_aio *aio;
	uint64_t id, deadline_ms;
	bool busy;            /* the loop's */
	_Atomic bool sending; /* nng's threads while busy */
};

enum letter_kind { LETTER_PUBLISHED, LETTER_ANSWER, LETTER_PIPE };

struct uplink_letter {
	enum letter_kind kind;
	struct asking *asking; /* of an answer */
	nng_msg *msg;          /* owned; NULL: lost */
	bool up;               /* of a pipe */
};

struct link_uplink {
	struct loop *loop;
	struct link_uplink_handlers handlers;
	struct zl_addr *addrs; /* owned */
	size_t count, current;
	size_t message_max;
	nng_socket sub, req;
	bool sub_open, req_open;
	nng_dialer sub_dialer, req_dialer;
	bool sub_dialing, req_dialing;
	nng_aio *sub_aio;
	struct mailbox *inbox;
	struct loop_watch *watch;
	struct asking askings[LINK_REQUESTS];
};

/* On a thread of nng: something was published. */
static void on_published_aio(void *arg)
{
	struct link_uplink *uplink = arg;
	int rv = nng_aio_result(uplink->sub_aio);

	if (rv == NNG_ECLOSED || rv == NNG_ECANCELED)
		return;
	if (rv == 0) {
		const struct uplink_letter letter = {
			.kind = LETTER_PUBLISHED, .msg = nng_aio_get_msg(uplink->sub_aio)
		};
		if (!mailbox_post(uplink->inbox, &letter))
			nng_msg_free(letter.msg); /* a hint; what was lost is fetched */
	}
	nng_recv_aio(uplink->sub, uplink->sub_aio);
}

static void post_answer(struct asking *asking, nng_msg *msg)
{
	const struct uplink_letter letter = { .kind = LETTER_ANSWER,
					      .asking = asking,
					      .msg = msg };

	/* An answer must arrive: who asked waits for it. The loop empties the box. */
	while (!mailbox_post(asking->uplink->inbox, &letter))
		usleep(1000);
}

/* On a thread of nng: a request has left, or its answer came. */
static void on_asking_aio(void *arg)
{
	struct asking *asking = arg;
	int rv = nng_aio_result(asking->aio);

	if (asking->sending && rv != 0) {
		nng_msg_free(nng_aio_get_msg(asking->aio));
		asking->sending = false;
	} else if (asking->sending) {
		uint64_t now = zl_now_ms();
		asking->sending = false;
		nng_aio_set_timeout(asking->aio,
				    now < asking->deadline_ms
					    ? (nng_duration)(asking->deadline_ms - now)
					    : 1);
		nng_ctx_recv(asking->ctx, asking->aio);
		return;
	}
	if (rv != NNG_ECLOSED)
		post_answer(asking, rv == 0 ? nng_aio_get_msg(asking->aio) : NULL);
}

/* On a thread of nng. */
static void on_sub_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct link_uplink *uplink = arg;
	const struct uplink_letter letter = { .kind = LETTER_PIPE,
					      .up = event == NNG_PIPE_EV_ADD_POST };

	(void)pipe;
	(void)!mailbox_post(uplink->inbox, &letter);
}

static void take_letter(struct link_uplink *uplink, const struct uplink_letter *letter)
{
	const struct link_uplink_handlers *to = &uplink->handlers;

	if (letter->kind == LETTER_PIPE) {
		to->pipe(to->arg, letter->up);
	} else if (letter->kind == LETTER_PUBLISHED) {
		to->published(to->arg, nng_msg_body(letter->msg),
			      nng_msg_len(letter->msg));
	} else {
		uint64_t id = letter->asking->id;
		letter->asking->busy = false;
		if (letter->msg != NULL)
			to->replied(to->arg, id, nng_msg_body(letter->msg),
				    nng_msg_len(letter->msg));
		else
			to->lost(to->arg, id);
	}
	if (letter->msg != NULL)
		nng_msg_free(letter->msg);
}

static void on_uplink_inbox(void *arg, unsigned events)
{
	struct link_uplink *uplink = arg;
	struct uplink_letter letter;

	(void)events;
	while (mailbox_take(uplink->inbox, &letter))
		take_letter(uplink, &letter);
}

void link_uplink_request(struct link_uplink *uplink, uint64_t id, const void *bytes,
			 size_t len, uint32_t deadline_ms)
{
	struct asking *asking = NULL;

	for (int i = 0; asking == NULL && i < LINK_REQUESTS; i++)
		if (!uplink->askings[i].busy)
			asking = &uplink->askings[i];
	nng_msg *msg = asking != NULL ? msg_of(bytes, len) : NULL;
	if (msg == NULL) {
		uplink->handlers.lost(uplink->handlers.arg, id);
		return;
	}
	asking->busy = true;
	asking->id = id;
	asking->deadline_ms = zl_now_ms() + deadline_ms;
	asking->sending = true;
	nng_aio_set_msg(asking->aio, msg);
	nng_aio_set_timeout(asking->aio, (nng_duration)deadline_ms);
	nng_ctx_send(asking->ctx, asking->aio);
}

static int dial(nng_socket socket, const char *url, nng_dialer *dialer)
{
	int rv = nng_dialer_create(dialer, socket, url);

	if (rv == 0)
		rv = nng_dialer_set_ms(*dialer, NNG_OPT_RECONNMINT, REDIAL_MIN_MS);
	if (rv == 0)
		rv = nng_dialer_set_ms(*dialer, NNG_OPT_RECONNMAXT, REDIAL_MAX_MS);
	return rv == 0 ? nng_dialer_start(*dialer, NNG_FLAG_NONBLOCK) : rv;
}

static enum zl_code dial_current(struct link_uplink *uplink, struct zl_err *err)
{
	const struct zl_addr *addr = &uplink->addrs[uplink->current];
	char text[ZL_ADDR_TEXT];

	zl_addr_text(addr, text);
	char *url = addr->is_unix ? zl_format("ipc://%s", addr->host)
				  : zl_format("tcp://%s", text);
	int rv = dial(uplink->sub, url, &uplink->sub_dialer);
	uplink->sub_dialing = rv == 0;
	if (rv == 0) {
		rv = dial(uplink->req, url, &uplink->req_dialer);
		uplink->req_dialing = rv == 0;
	}
	free(url);
	return rv == 0 ? ZL_OK : fail_nng(err, text, rv);
}

void link_uplink_redial(struct link_uplink *uplink)
{
	struct zl_err err = { 0 };

	if (uplink->sub_dialing)
		nng_dialer_close(uplink->sub_dialer);
	if (uplink->req_dialing)
		nng_dialer_close(uplink->req_dialer);
	uplink->sub_dialing = uplink->req_dialing = false;
	uplink->current = (uplink->current + 1) % uplink->count;
	if (dial_current(uplink, &err) != ZL_OK)
		zl_log(ZL_WARN, "link", "cannot dial global", "err=%q", err.msg);
}

static int open_uplink_sockets(struct link_uplink *uplink)
{
	int rv = nng_sub0_open(&uplink->sub);

	uplink->sub_open = rv == 0;
	if (rv == 0) {
		rv = nng_req0_open(&uplink->req);
		uplink->req_open = rv == 0;
	}
	if (rv != 0 ||
	    (rv = nng_socket_set_int(uplink->sub, NNG_OPT_RECVBUF, SUB_RECVBUF)) != 0 ||
	    (rv = nng_socket_set_bool(uplink->sub, NNG_OPT_SUB_PREFNEW, true)) != 0 ||
	    (rv = nng_socket_set_size(uplink->sub, NNG_OPT_RECVMAXSZ, PUBLISHED_MAX)) !=
		    0 ||
	    (rv = nng_socket_set_size(uplink->req, NNG_OPT_RECVMAXSZ,
				      uplink->message_max)) != 0 ||
	    (rv = nng_pipe_notify(uplink->sub, NNG_PIPE_EV_ADD_POST, on_sub_pipe,
				  uplink)) != 0 ||
	    (rv = nng_pipe_notify(uplink->sub, NNG_PIPE_EV_REM_POST, on_sub_pipe,
				  uplink)) != 0 ||
	    (rv = nng_socket_set(uplink->sub, NNG_OPT_SUB_SUBSCRIBE, "", 0)) != 0 ||
	    (rv = nng_aio_alloc(&uplink->sub_aio, on_published_aio, uplink)) != 0)
		return rv;
	for (int i = 0; i < LINK_REQUESTS; i++) {
		struct asking *asking = &uplink->askings[i];
		asking->uplink = uplink;
		if ((rv = nng_aio_alloc(&asking->aio, on_asking_aio, asking)) != 0 ||
		    (rv = nng_ctx_open(&asking->ctx, uplink->req)) != 0)
			return rv;
	}
	nng_recv_aio(uplink->sub, uplink->sub_aio);
	return 0;
}

enum zl_code link_uplink_open(struct link_uplink **out, struct loop *loop,
			      const struct zl_addr *addrs, size_t count,
			      size_t message_max,
			      const struct link_uplink_handlers *handlers,
			      struct zl_err *err)
{
	struct link_uplink *uplink = zl_alloc(1, sizeof(*uplink));

	*out = NULL;
	uplink->loop = loop;
	uplink->handlers = *handlers;
	uplink->addrs = zl_memdup(addrs, count * sizeof(*addrs));
	uplink->count = count;
	uplink->message_max = message_max;
	enum zl_code code = mailbox_open(&uplink->inbox, sizeof(struct uplink_letter),
					 UPLINK_BOX, err);
	if (code == ZL_OK)
		code = loop_watch_new(&uplink->watch, loop, mailbox_fd(uplink->inbox),
				      LOOP_READ, on_uplink_inbox, uplink, err);
	if (code == ZL_OK) {
		int rv = open_uplink_sockets(uplink);
		code = rv == 0 ? ZL_OK : fail_nng(err, "open nng sockets", rv);
	}
	if (code == ZL_OK)
		code = dial_current(uplink, err);
	if (code != ZL_OK)
		link_uplink_close(&uplink);
	*out = uplink;
	return code;
}

static void aio_end(nng_aio *aio)
{
	if (aio == NULL)
		return;
	nng_aio_stop(aio);
	nng_aio_free(aio);
}

void link_uplink_close(struct link_uplink **uplinkp)
{
	struct link_uplink *uplink = *uplinkp;
	struct uplink_letter letter;

	*uplinkp = NULL;
	if (uplink == NULL)
		return;
	if (uplink->sub_open)
		nng_close(uplink->sub);
	if (uplink->req_open)
		nng_close(uplink->req);
	aio_end(uplink->sub_aio);
	for (int i = 0; i < LINK_REQUESTS; i++)
		aio_end(uplink->askings[i].aio);
	loop_watch_free(&uplink->watch);
	while (uplink->inbox != NULL && mailbox_take(uplink->inbox, &letter))
		if (letter.msg != NULL)
			nng_msg_free(letter.msg);
	mailbox_close(&uplink->inbox);
	free(uplink->addrs);
	free(uplink);
}
