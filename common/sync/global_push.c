#include "sync/global_parts.h"

#include <string.h>

enum { FULL_BYTES_MAX = 64 << 20, RETRY_MS = 500, WAIT_MS = 50 };

void inbox_clear(struct inbox *inbox)
{
	zl_arena_reset(inbox->arena);
	inbox->full_id = 0;
	inbox->part = 0;
	inbox->bytes = 0;
	inbox->ops = NULL;
	inbox->op_count = inbox->capacity = 0;
}

static void pushed(struct sync_global *global, uint64_t handle, uint64_t req_id)
{
	Sync__Pushed reply = SYNC__PUSHED__INIT;

	reply.req_id = req_id;
	global_reply(global, handle, SYNC_MSG_PUSHED, &reply);
}

static void want_all(struct sync_global *global, const struct asking *asking)
{
	Sync__PushReset reply = SYNC__PUSH_RESET__INIT;

	inbox_clear(&asking->session->inbox);
	reply.req_id = asking->head->req_id;
	global_reply(global, asking->handle, SYNC_MSG_PUSH_RESET, &reply);
}

static void keep(struct inbox *inbox, const Sync__Push *push)
{
	if (inbox->op_count + push->n_records > inbox->capacity) {
		size_t capacity = 2 * inbox->capacity + push->n_records;
		struct op *grown = zl_arena_alloc(inbox->arena, capacity, sizeof(*grown));
		if (inbox->op_count > 0)
			memcpy(grown, inbox->ops, inbox->op_count * sizeof(*grown));
		inbox->ops = grown;
		inbox->capacity = capacity;
	}
	for (size_t i = 0; i < push->n_records; i++) {
		const Sync__Record *from = push->records[i];
		struct op *op = &inbox->ops[inbox->op_count++];
		op->key = zl_arena_memdup(inbox->arena, from->key.data, from->key.len);
		op->key_len = from->key.len;
		op->value =
			zl_arena_memdup(inbox->arena, from->value.data, from->value.len);
		op->value_len = from->value.len;
		op->deleted = from->deleted;
		inbox->bytes += op->key_len + op->value_len;
	}
}

static void write_inbox(struct sync_global *global, const struct asking *asking,
			const Sync__Push *push)
{
	struct inbox *inbox = &asking->session->inbox;
	struct sync_global_action *act = global_act(global, SYNC_DO_WRITE);

	inbox->write = (struct pending){ .ticket = ++global->ticket,
					 .handle = asking->handle,
					 .req_id = asking->head->req_id };
	inbox->to_seq = push->to_seq;
	inbox->to_full = push->full_id;
	act->id = inbox->write.ticket;
	act->zone = asking->session->name;
	act->ops = inbox->ops;
	act->op_count = inbox->op_count;
	act->full = push->full_id != 0;
}

static void on_part(struct sync_global *global, const struct asking *asking,
		    const Sync__Push *push)
{
	struct inbox *inbox = &asking->session->inbox;

	if (push->full_id <= inbox->full_done || push->full_id < inbox->full_id ||
	    (push->full_id == inbox->full_id && push->part + 1 == inbox->part)) {
		pushed(global, asking->handle,
		       asking->head->req_id); /* a double, or late */
		return;
	}
	if (push->part == 0 && push->full_id > inbox->full_id) {
		inbox_clear(inbox);
		inbox->full_id = push->full_id;
	}
	if (push->full_id != inbox->full_id || push->part != inbox->part) {
		want_all(global, asking);
		return;
	}
	keep(inbox, push);
	inbox->part++;
	if (inbox->bytes > FULL_BYTES_MAX) {
		global_log(global, asking->session->name, true,
			   "the zone's inventory is over %d MiB and is not taken",
			   FULL_BYTES_MAX >> 20);
		want_all(global, asking);
	} else if (push->last) {
		write_inbox(global, asking, push);
	} else {
		pushed(global, asking->handle, asking->head->req_id);
	}
}

static void on_changes(struct sync_global *global, const struct asking *asking,
		       const Sync__Push *push)
{
	struct inbox *inbox = &asking->session->inbox;

	if (inbox->full_done == 0 || push->from_seq > inbox->acked) {
		want_all(global, asking);
		return;
	}
	if (push->to_seq <= inbox->acked) {
		pushed(global, asking->handle, asking->head->req_id); /* a double */
		return;
	}
	inbox_clear(inbox);
	keep(inbox, push);
	write_inbox(global, asking, push);
}

void global_push(struct sync_global *global, const struct asking *asking,
		 const void *body)
{
	const Sync__Push *push = body;
	struct pending *write = &asking->session->inbox.write;

	if (write->ticket != 0) {
		/* The same one, asked again on another way: answer the newest. */
		if (write->req_id == asking->head->req_id)
			write->handle = asking->handle;
		else
			global_later(global, asking->handle, asking->head->req_id,
				     WAIT_MS);
		return;
	}
	if (push->full_id != 0)
		on_part(global, asking, push);
	else
		on_changes(global, asking, push);
}

void global_written(struct sync_global *global, struct session *session, bool ok)
{
	struct inbox *inbox = &session->inbox;
	struct pending write = inbox->write;

	inbox->write.ticket = 0;
	if (!ok) {
		/* Of a full inventory the last part comes again. */
		global_later(global, write.handle, write.req_id, RETRY_MS);
		inbox_clear(inbox);
		return;
	}
	inbox->acked = inbox->to_seq;
	if (inbox->to_full != 0)
		inbox->full_done = inbox->to_full;
	inbox_clear(inbox);
	pushed(global, write.handle, write.req_id);
	global_act(global, SYNC_DO_ZONE)->zone = session->name;
}
