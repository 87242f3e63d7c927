/* A zone's end of wire/link.h on nng, as link_nng_hub.c is global's. REQ has a fixed
 * number of contexts, one for each request under way. */
#include "wire/link_nng.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "wire/link.h"

#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SUB_RECVBUF = 8192,
	UPLINK_BOX = SUB_RECVBUF + 64,
	PUBLISHED_MAX = 1 << 20,
	REDIAL_MIN_MS = 100,
	REDIAL_MAX_MS = 2000
};

enum zl_code link_fail(struct zl_err *err, const char *what, int rv)
{
	enum zl_code code = rv == NNG_ENOMEM     ? ZL_ENOMEM
			    : rv == NNG_EPERM    ? ZL_EACCES
			    : rv == NNG_ENOFILES ? ZL_ELIMIT
						 : ZL_EIO;

	return zl_fail(err, code, "%s: %s", what, nng_strerror(rv));
}

nng_msg *link_msg(const void *bytes, size_t len)
{
	nng_msg *msg = NULL;

	if (nng_msg_alloc(&msg, 0) != 0 || nng_msg_append(msg, bytes, len) != 0) {
		nng_msg_free(msg);
		return NULL;
	}
	return msg;
}

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
	struct asking *asking; /* of an answer; NULL: there was no room to ask */
	uint64_t id;           /* then: what was not asked */
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
	_Atomic bool closing;
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
	while (!mailbox_post(asking->uplink->inbox, &letter)) {
		if (asking->uplink->closing) {
			if (msg != NULL)
				nng_msg_free(msg);
			return;
		}
		usleep(1000);
	}
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
		uint64_t id = letter->id;
		if (letter->asking != NULL) {
			id = letter->asking->id;
			letter->asking->busy = false;
		}
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
	nng_msg *msg = asking != NULL ? link_msg(bytes, len) : NULL;
	if (msg == NULL) {
		/* Not from within this call: who asks is not ready for an answer. */
		const struct uplink_letter letter = { .kind = LETTER_ANSWER, .id = id };
		(void)!mailbox_post(uplink->inbox, &letter);
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
	return rv == 0 ? ZL_OK : link_fail(err, text, rv);
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
		code = rv == 0 ? ZL_OK : link_fail(err, "open nng sockets", rv);
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
	uplink->closing = true;
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
