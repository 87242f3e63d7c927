#include "sync/outbox.h"

#include <stdlib.h>
#include <string.h>

struct outbox_item {
	char *key, *value; /* owned */
	size_t key_len, value_len;
	uint64_t seq;
	bool deleted;
	bool seen; /* in the list that is being taken in */
};

static int compare_keys(const void *a, size_t a_len, const void *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

/* Where key is or would be. */
static size_t place(const struct outbox *box, const void *key, size_t len, bool *found)
{
	size_t low = 0, high = box->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct outbox_item *item = &box->items[middle];
		int order = compare_keys(item->key, item->key_len, key, len);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct outbox_item *insert(struct outbox *box, size_t at, const struct op *op)
{
	if (box->count == box->capacity) {
		box->capacity = box->capacity == 0 ? 16 : 2 * box->capacity;
		box->items = zl_realloc(box->items, box->capacity, sizeof(*box->items));
	}
	memmove(box->items + at + 1, box->items + at,
		(box->count - at) * sizeof(*box->items));
	box->count++;
	box->items[at] = (struct outbox_item){ .key = zl_memdup(op->key, op->key_len),
					       .key_len = op->key_len,
					       .deleted = true };
	return &box->items[at];
}

static void take(struct outbox *box, const struct op *op)
{
	bool found;
	size_t at = place(box, op->key, op->key_len, &found);

	if (!found && op->deleted)
		return;
	struct outbox_item *item = found ? &box->items[at] : insert(box, at, op);
	item->seen = true;
	if (item->deleted == op->deleted &&
	    (op->deleted || (item->value_len == op->value_len &&
			     memcmp(item->value, op->value, op->value_len) == 0)))
		return;
	free(item->value);
	item->value = op->deleted ? NULL : zl_memdup(op->value, op->value_len);
	item->value_len = op->deleted ? 0 : op->value_len;
	item->deleted = op->deleted;
	item->seq = ++box->seq;
}

void outbox_change(struct outbox *box, const struct op *ops, size_t count, bool full)
{
	for (size_t i = 0; full && i < box->count; i++)
		box->items[i].seen = false;
	for (size_t i = 0; i < count; i++)
		take(box, &ops[i]);
	for (size_t i = 0; full && i < box->count; i++) {
		struct outbox_item *item = &box->items[i];
		if (!item->seen && !item->deleted)
			take(box, &(struct op){ .key = item->key,
						.key_len = item->key_len,
						.deleted = true });
	}
}

void outbox_restart(struct outbox *box)
{
	box->full = true;
	box->full_id++;
	box->full_seq = box->seq;
	box->part = 0;
	zl_buf_drain(&box->cursor, box->cursor.len);
}

static Sync__Record *record(struct zl_arena *arena, const struct outbox_item *item)
{
	return sync_record_out(arena, &(struct sync_record){ .key = item->key,
							     .key_len = item->key_len,
							     .value = item->value,
							     .value_len = item->value_len,
							     .deleted = item->deleted });
}

static Sync__Push *empty_push(const struct outbox *box, struct zl_arena *arena)
{
	Sync__Push *push = zl_arena_alloc(arena, 1, sizeof(*push));

	sync__push__init(push);
	push->records = zl_arena_alloc(arena, box->count, sizeof(Sync__Record *));
	return push;
}

static Sync__Push *next_part(struct outbox *box, struct zl_arena *arena)
{
	Sync__Push *push = empty_push(box, arena);
	bool found = false;
	size_t bytes = 0, at = 0;

	if (box->cursor.len > 0)
		at = place(box, box->cursor.data, box->cursor.len, &found) + found;
	zl_buf_drain(&box->sent, box->sent.len);
	for (; at < box->count && bytes < box->push_max; at++) {
		const struct outbox_item *item = &box->items[at];
		if (!item->deleted)
			push->records[push->n_records++] = record(arena, item);
		bytes += item->key_len + item->value_len;
		zl_buf_drain(&box->sent, box->sent.len);
		zl_buf_add(&box->sent, item->key, item->key_len);
	}
	box->last = at == box->count;
	box->to_seq = box->full_seq;
	push->to_seq = box->full_seq;
	push->full_id = box->full_id;
	push->part = box->part;
	push->last = box->last;
	return push;
}

static int by_seq(const void *a, const void *b)
{
	const struct outbox_item *const *left = a, *const *right = b;

	return ((*left)->seq > (*right)->seq) - ((*left)->seq < (*right)->seq);
}

static Sync__Push *next_changes(struct outbox *box, struct zl_arena *arena)
{
	if (box->seq == box->acked)
		return NULL;

	Sync__Push *push = empty_push(box, arena);
	const struct outbox_item **changed =
		zl_arena_alloc(arena, box->count, sizeof(*changed));
	size_t count = 0, bytes = 0;
	for (size_t i = 0; i < box->count; i++)
		if (box->items[i].seq > box->acked)
			changed[count++] = &box->items[i];
	qsort(changed, count, sizeof(*changed), by_seq);

	box->to_seq = box->acked;
	for (size_t i = 0; i < count && bytes < box->push_max; i++) {
		push->records[push->n_records++] = record(arena, changed[i]);
		bytes += changed[i]->key_len + changed[i]->value_len;
		box->to_seq = changed[i]->seq;
	}
	push->from_seq = box->acked;
	push->to_seq = box->to_seq;
	push->last = true;
	return push;
}

Sync__Push *outbox_next(struct outbox *box, struct zl_arena *arena)
{
	return box->full ? next_part(box, arena) : next_changes(box, arena);
}

/* What was deleted and is known to be deleted needs no place any more. */
static void forget(struct outbox *box)
{
	size_t kept = 0;

	for (size_t i = 0; i < box->count; i++) {
		struct outbox_item *item = &box->items[i];
		if (item->deleted && item->seq <= box->acked)
			free(item->key);
		else
			box->items[kept++] = *item;
	}
	box->count = kept;
}

void outbox_acked(struct outbox *box)
{
	if (box->full && !box->last) {
		box->part++;
		zl_buf_drain(&box->cursor, box->cursor.len);
		zl_buf_add(&box->cursor, box->sent.data, box->sent.len);
		return;
	}
	box->full = false;
	box->acked = box->to_seq;
	forget(box);
}

/* Nobody knows whether it arrived, and what is sent again may be cut elsewhere. */
void outbox_lost(struct outbox *box)
{
	if (box->full)
		outbox_restart(box);
}

void outbox_free(struct outbox *box)
{
	for (size_t i = 0; i < box->count; i++) {
		free(box->items[i].key);
		free(box->items[i].value);
	}
	free(box->items);
	zl_buf_free(&box->cursor);
	zl_buf_free(&box->sent);
}
