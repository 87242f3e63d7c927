/* sync/outbox.h - a zone's own inventory, and what of it global has not yet.
 *
 * Only the newest value of a key is kept, so it never grows beyond the inventory and what
 * was deleted since the last acknowledgement. Each change of a key takes the next seq.
 *
 * Private to the room.
 *
 * Threads:  one.
 * Lifetime: outbox_free; what outbox_next gives lives in its arena.
 */
#pragma once

#include "sync/codec.h"

struct outbox_item;

struct outbox {
	struct outbox_item *items; /* owned, in order of keys */
	size_t count, capacity;
	size_t push_max; /* bytes of one push, about; set by the owner */
	uint64_t seq;    /* of the newest change */
	uint64_t acked;  /* what global has; of a session that began with everything */
	uint64_t full_id;
	uint64_t full_seq; /* what of */
	bool full;         /* everything is being sent */
	uint32_t part;
	struct zl_buf cursor; /* the last key that was acknowledged of it */
	/* The push that is on its way: */
	uint64_t to_seq;
	bool last;
	struct zl_buf sent; /* its last key */
};

/* Take changes in, or everything there is. */
void outbox_change(struct outbox *box, const struct op *ops, size_t count, bool full);

/* Begin again with everything: a new session. */
void outbox_restart(struct outbox *box);

/* The next push, without a head; NULL: global has it all. */
Sync__Push *outbox_next(struct outbox *box, struct zl_arena *arena);

/* Global has what outbox_next gave last. */
void outbox_acked(struct outbox *box);
/* It may not have. */
void outbox_lost(struct outbox *box);

void outbox_free(struct outbox *box);
