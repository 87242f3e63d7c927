/* A zone's end of wire/link.h on nng, as link_nng_hub.c is global's. Its sockets listen
 * for the connections that reach.h makes. REQ has a fixed number of contexts, one for
 * each request under way. */
#include "wire/link_nng.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "wire/link.h"
#include "wire/reach.h"

#include <assert.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	SUB_RECVBUF = 8192,
	/* Of what was published; there is always room for answers and news of the pipe.
	 */
	BOX_PUBLISHED = SUB_RECVBUF,
	BOX_BYTES = 64 << 20,
	BOX_SIZE = BOX_PUBLISHED + LINK_REQUESTS + 1,
	LETTERS_A_TURN = 256
};

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
	nng_msg *msg;          /* owned; of an answer NULL: lost */
};

/* One of the two sockets. */
struct line {
	struct link_uplink *uplink;
	nng_socket socket;
	bool open;
	_Atomic uint32_t pipe; /* the one that is up, or 0 */
};

struct link_uplink {
	struct loop *loop;
	struct link_uplink_handlers handlers;
	size_t message_max;
	struct line sub, req;
	struct reach *reach;
	nng_aio *sub_aio;
	struct mailbox *inbox;
	struct loop_watch *watch;
	struct asking askings[LINK_REQUESTS];
	struct loop_timer *timer; /* tells of the refused */
	uint64_t *refused;        /* owned; requests that were too many */
	size_t refused_count;

	/* What was published and is in the inbox: counted by nng's threads, discounted by
	 * the loop's. */
	_Atomic size_t box_count, box_bytes;
	_Atomic bool pipe_news; /* its letter is in the inbox */
};

/* What was published is a hint, so it may be dropped; what was lost is fetched. */
static void post_published(struct link_uplink *uplink, nng_msg *msg)
{
	const struct uplink_letter letter = { .kind = LETTER_PUBLISHED, .msg = msg };
	size_t len = nng_msg_len(msg);

	if (uplink->box_count < BOX_PUBLISHED && uplink->box_bytes + len <= BOX_BYTES) {
		uplink->box_count++;
		uplink->box_bytes += len;
		if (mailbox_post(uplink->inbox, &letter))
			return;
		uplink->box_count--;
		uplink->box_bytes -= len;
	}
	nng_msg_free(msg);
}

/* On a thread of nng: something was published. */
static void on_published_aio(void *arg)
{
	struct link_uplink *uplink = arg;
	int rv = nng_aio_result(uplink->sub_aio);

	if (rv == NNG_ECLOSED || rv == NNG_ECANCELED)
		return;
	if (rv == 0)
		post_published(uplink, nng_aio_get_msg(uplink->sub_aio));
	nng_recv_aio(uplink->sub.socket, uplink->sub_aio);
}

static void post_answer(struct asking *asking, nng_msg *msg)
{
	const struct uplink_letter letter = { .kind = LETTER_ANSWER,
					      .asking = asking,
					      .msg = msg };
	bool posted = mailbox_post(asking->uplink->inbox, &letter);

	assert(posted);
	(void)posted;
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
					    ? link_ms(asking->deadline_ms - now)
					    : 1);
		nng_ctx_recv(asking->ctx, asking->aio);
		return;
	}
	if (rv != NNG_ECLOSED)
		post_answer(asking, rv == 0 ? nng_aio_get_msg(asking->aio) : NULL);
}

/* On a thread of nng. After a redial the new pipe may come before the old one goes. One
 * letter tells of all that happened until it is read. */
static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	const struct uplink_letter letter = { .kind = LETTER_PIPE };
	struct line *line = arg;
	struct link_uplink *uplink = line->uplink;
	uint32_t id = (uint32_t)nng_pipe_id(pipe);

	if (event == NNG_PIPE_EV_ADD_POST)
		line->pipe = id;
	else if (!atomic_compare_exchange_strong(&line->pipe, &id, 0))
		return;
	if (line != &uplink->sub || atomic_exchange(&uplink->pipe_news, true))
		return;
	bool posted = mailbox_post(uplink->inbox, &letter);
	assert(posted);
	(void)posted;
}

static void take_answer(struct link_uplink *uplink, const struct uplink_letter *letter)
{
	const struct link_uplink_handlers *to = &uplink->handlers;

	letter->asking->busy = false;
	if (letter->msg != NULL)
		to->replied(to->arg, letter->asking->id, nng_msg_body(letter->msg),
			    nng_msg_len(letter->msg));
	else
		to->lost(to->arg, letter->asking->id);
}

static void take_letter(struct link_uplink *uplink, const struct uplink_letter *letter)
{
	const struct link_uplink_handlers *to = &uplink->handlers;

	switch (letter->kind) {
	case LETTER_PIPE:
		uplink->pipe_news = false; /* first: what comes now is told by another */
		to->pipe(to->arg, uplink->sub.pipe != 0);
		break;
	case LETTER_PUBLISHED:
		uplink->box_count--;
		uplink->box_bytes -= nng_msg_len(letter->msg);
		to->published(to->arg, nng_msg_body(letter->msg),
			      nng_msg_len(letter->msg));
		break;
	case LETTER_ANSWER:
		take_answer(uplink, letter);
		break;
	}
	if (letter->msg != NULL)
		nng_msg_free(letter->msg);
}

static void on_uplink_inbox(void *arg, unsigned events)
{
	struct link_uplink *uplink = arg;
	struct uplink_letter letter;

	(void)events;
	for (int i = 0; i < LETTERS_A_TURN && mailbox_take(uplink->inbox, &letter); i++)
		take_letter(uplink, &letter);
}

static void on_refused(void *arg)
{
	struct link_uplink *uplink = arg;
	uint64_t *refused = uplink->refused;
	size_t count = uplink->refused_count;

	uplink->refused = NULL; /* a handler may ask again */
	uplink->refused_count = 0;
	for (size_t i = 0; i < count; i++)
		uplink->handlers.lost(uplink->handlers.arg, refused[i]);
	free(refused);
}

/* Not told from within the call: who asks is not ready for an answer yet. */
static void refuse(struct link_uplink *uplink, uint64_t id)
{
	uplink->refused = zl_realloc(uplink->refused, uplink->refused_count + 1,
				     sizeof(*uplink->refused));
	uplink->refused[uplink->refused_count++] = id;
	loop_timer_set(uplink->timer, 0);
}

void link_uplink_request(struct link_uplink *uplink, uint64_t id, const void *bytes,
			 size_t len, uint32_t deadline_ms)
{
	struct asking *asking = NULL;
	/* The hub would break the connection for it, again and again. */
	bool fits = len <= uplink->message_max;

	for (int i = 0; fits && asking == NULL && i < LINK_REQUESTS; i++)
		if (!uplink->askings[i].busy)
			asking = &uplink->askings[i];
	nng_msg *msg = asking != NULL ? link_msg(bytes, len) : NULL;
	if (msg == NULL) {
		refuse(uplink, id);
		return;
	}
	asking->busy = true;
	asking->id = id;
	asking->deadline_ms = zl_now_ms() + deadline_ms;
	asking->sending = true;
	nng_aio_set_msg(asking->aio, msg);
	nng_aio_set_timeout(asking->aio, link_ms(deadline_ms));
	nng_ctx_send(asking->ctx, asking->aio);
}

void link_uplink_redial(struct link_uplink *uplink)
{
	reach_redial(uplink->reach);
}

void link_uplink_set_tls(struct link_uplink *uplink, struct pki_tls *tls)
{
	reach_set_tls(uplink->reach, tls);
}

const char *link_uplink_trouble(const struct link_uplink *uplink)
{
	return reach_trouble(uplink->reach);
}

/* Before anybody can connect to it. */
static int line_open(struct line *line, struct link_uplink *uplink,
		     int (*open)(nng_socket *socket), size_t message_max)
{
	int rv = open(&line->socket);

	line->uplink = uplink;
	line->open = rv == 0;
	if (rv != 0 ||
	    (rv = nng_socket_set_size(line->socket, NNG_OPT_RECVMAXSZ, message_max)) !=
		    0 ||
	    (rv = link_guard(line->socket)) != 0 ||
	    (rv = nng_pipe_notify(line->socket, NNG_PIPE_EV_ADD_POST, on_pipe, line)) !=
		    0)
		return rv;
	return nng_pipe_notify(line->socket, NNG_PIPE_EV_REM_POST, on_pipe, line);
}

static int open_uplink_sockets(struct link_uplink *uplink)
{
	nng_socket sub;
	int rv;

	if ((rv = line_open(&uplink->sub, uplink, nng_sub0_open, LINK_PUBLISHED_MAX)) !=
		    0 ||
	    (rv = line_open(&uplink->req, uplink, nng_req0_open,
			    uplink->message_max + LINK_HEADER_MAX)) != 0)
		return rv;
	sub = uplink->sub.socket;
	if ((rv = nng_socket_set_int(sub, NNG_OPT_RECVBUF, SUB_RECVBUF)) != 0 ||
	    (rv = nng_socket_set_bool(sub, NNG_OPT_SUB_PREFNEW, true)) != 0 ||
	    (rv = nng_socket_set(sub, NNG_OPT_SUB_SUBSCRIBE, "", 0)) != 0 ||
	    (rv = nng_aio_alloc(&uplink->sub_aio, on_published_aio, uplink)) != 0)
		return rv;
	for (int i = 0; i < LINK_REQUESTS; i++) {
		struct asking *asking = &uplink->askings[i];
		asking->uplink = uplink;
		if ((rv = nng_aio_alloc(&asking->aio, on_asking_aio, asking)) != 0 ||
		    (rv = nng_ctx_open(&asking->ctx, uplink->req.socket)) != 0)
			return rv;
	}
	nng_recv_aio(uplink->sub.socket, uplink->sub_aio);
	return 0;
}

/* Who global is, is known by TLS alone. */
static enum zl_code check_addresses(const struct link_uplink_setup *setup,
				    struct zl_err *err)
{
	char text[ZL_ADDR_TEXT];

	for (size_t i = 0; i < setup->count; i++) {
		const struct zl_addr *addr = &setup->addrs[i];
		bool is_tls = !addr->is_unix && (setup->tls != NULL || setup->waits);
		zl_addr_text(addr, text);
		if (!is_tls && !(setup->allow_plain && zl_addr_is_local(addr)))
			return zl_fail(err, ZL_EINVAL, "global at %s: %s", text,
				       addr->is_unix ? "a unix socket has no TLS; use "
						       "HOST:PORT"
						     : "there is no certificate for TLS; "
						       "the zone has to join first");
	}
	return ZL_OK;
}

static enum zl_code start_reach(struct link_uplink *uplink,
				const struct link_uplink_setup *setup, struct zl_err *err)
{
	char *sub = zl_format("%s/sub", setup->folder);
	char *req = zl_format("%s/req", setup->folder);
	const struct reach_setup reach = { .addrs = setup->addrs,
					   .count = setup->count,
					   .tls = setup->tls,
					   .waits = setup->waits,
					   .sub = sub,
					   .req = req,
					   .message_max =
						   setup->message_max + LINK_HEADER_MAX,
					   .published_max = LINK_PUBLISHED_MAX };
	nng_listener listener;

	int rv = link_listen(uplink->sub.socket, sub, &listener);
	if (rv == 0)
		rv = link_listen(uplink->req.socket, req, &listener);
	if (rv == 0)
		uplink->reach = reach_open(uplink->loop, &reach);
	free(sub);
	free(req);
	return rv == 0 ? ZL_OK : link_fail(err, setup->folder, rv);
}

enum zl_code link_uplink_open(struct link_uplink **out, struct loop *loop,
			      const struct link_uplink_setup *setup,
			      const struct link_uplink_handlers *handlers,
			      struct zl_err *err)
{
	struct link_uplink *uplink = zl_alloc(1, sizeof(*uplink));
	enum zl_code code;
	int rv = 0;

	*out = NULL;
	uplink->loop = loop;
	uplink->handlers = *handlers;
	uplink->message_max = setup->message_max;
	uplink->timer = loop_timer_new(loop, on_refused, uplink);
	if ((code = check_addresses(setup, err)) == ZL_OK &&
	    (code = link_folder(setup->folder, err)) == ZL_OK &&
	    (code = mailbox_open(&uplink->inbox, sizeof(struct uplink_letter), BOX_SIZE,
				 err)) == ZL_OK &&
	    (code = loop_watch_new(&uplink->watch, loop, mailbox_fd(uplink->inbox),
				   LOOP_READ, on_uplink_inbox, uplink, err)) == ZL_OK) {
		rv = open_uplink_sockets(uplink);
		code = rv == 0 ? start_reach(uplink, setup, err)
			       : link_fail(err, "open nng sockets", rv);
	}
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

static void stop_uplink(void *arg)
{
	struct link_uplink *uplink = arg;

	if (uplink->sub.open)
		nng_close(uplink->sub.socket);
	if (uplink->req.open)
		nng_close(uplink->req.socket);
	aio_end(uplink->sub_aio);
	for (int i = 0; i < LINK_REQUESTS; i++)
		aio_end(uplink->askings[i].aio);
}

void link_uplink_close(struct link_uplink **uplinkp)
{
	struct link_uplink *uplink = *uplinkp;
	struct uplink_letter letter;

	*uplinkp = NULL;
	if (uplink == NULL)
		return;
	reach_close(&uplink->reach);
	loop_watch_free(&uplink->watch);
	loop_timer_free(&uplink->timer);
	free(uplink->refused);
	if (!link_stop(stop_uplink, uplink))
		return;
	while (uplink->inbox != NULL && mailbox_take(uplink->inbox, &letter))
		if (letter.msg != NULL)
			nng_msg_free(letter.msg);
	mailbox_close(&uplink->inbox);
	free(uplink);
}
