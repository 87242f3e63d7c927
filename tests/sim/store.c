#include "store.h"

#include <stdlib.h>
#include <string.h>

/* Sums are kept with the records: to hash them all again for each look at a store was
 * most of what the simulation did. */
static void sum_up(struct sim_record *record)
{
	record->sum = (struct digest){ { 0 } };
	digest_add(&record->sum, record->key, strlen(record->key), record->mod_rev,
		   record->value, record->len);
}

static void add(struct digest *digest, const struct digest *more)
{
	for (size_t i = 0; i < DIGEST_LANES; i++)
		digest->lane[i] += more->lane[i];
}

static void take(struct digest *digest, const struct digest *less)
{
	for (size_t i = 0; i < DIGEST_LANES; i++)
		digest->lane[i] -= less->lane[i];
}

static void record_fini(struct sim_record *record)
{
	free(record->value);
}

static void log_clear(struct sim_store *store)
{
	for (size_t i = 0; i < store->log_count; i++)
		free(store->log[i].bytes);
	free(store->log);
	store->log = NULL;
	store->log_count = 0;
}

void sim_store_clear(struct sim_store *store)
{
	for (size_t i = 0; i < store->count; i++)
		record_fini(&store->records[i]);
	store->count = 0;
	store->state.digest = (struct digest){ { 0 } };
	log_clear(store);
}

void sim_store_fini(struct sim_store *store)
{
	sim_store_clear(store);
	zl_arena_free(&store->scratch);
	*store = (struct sim_store){ 0 };
}

static void copy_records(struct sim_store *to, const struct sim_store *from)
{
	to->count = from->count;
	for (size_t i = 0; i < from->count; i++) {
		to->records[i] = from->records[i];
		to->records[i].value =
			zl_memdup(from->records[i].value, from->records[i].len);
	}
}

void sim_store_copy(struct sim_store *to, const struct sim_store *from)
{
	sim_store_fini(to);
	*to = *from;
	to->scratch = NULL;
	copy_records(to, from);
	to->log = zl_alloc(from->log_count + 1, sizeof(*to->log));
	for (size_t i = 0; i < from->log_count; i++) {
		to->log[i] = from->log[i];
		to->log[i].bytes = zl_memdup(from->log[i].bytes, from->log[i].len);
	}
}

static size_t place(const struct sim_store *store, const char *key, bool *found)
{
	size_t low = 0, high = store->count;

	*found = false;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(store->records[middle].key, key);
		*found = order == 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

static void text_key(char to[SIM_KEY], const void *key, size_t len)
{
	memset(to, 0, SIM_KEY);
	if (len > 0)
		memcpy(to, key, len < SIM_KEY ? len : SIM_KEY - 1);
}

const struct sim_record *sim_store_find(const struct sim_store *store, const void *key,
					size_t key_len)
{
	char text[SIM_KEY];
	bool found;

	text_key(text, key, key_len);
	size_t at = place(store, text, &found);
	if (!found)
		return NULL;
	return &store->records[at];
}

void sim_store_delete(struct sim_store *store, const void *key, size_t key_len)
{
	char text[SIM_KEY];
	bool found;

	text_key(text, key, key_len);
	size_t at = place(store, text, &found);
	if (!found)
		return;
	struct sim_record *record = &store->records[at];
	take(&store->state.digest, &record->sum);
	record_fini(record);
	store->count--;
	memmove(record, record + 1, (store->count - at) * sizeof(*record));
}

void sim_store_put(struct sim_store *store, const void *key, size_t key_len,
		   uint64_t mod_rev, const void *value, size_t len)
{
	char text[SIM_KEY];
	bool found;

	sim_store_delete(store, key, key_len);
	text_key(text, key, key_len);
	size_t at = place(store, text, &found);
	if (store->count == SIM_RECORDS)
		abort(); /* a mistake of the simulation */
	struct sim_record *record = &store->records[at];
	memmove(record + 1, record, (store->count - at) * sizeof(*record));
	store->count++;
	memcpy(record->key, text, SIM_KEY);
	record->mod_rev = mod_rev;
	record->value = zl_memdup(value, len);
	record->len = len;
	sum_up(record);
	add(&store->state.digest, &record->sum);
}

struct digest sim_store_digest(const struct sim_store *store)
{
	struct digest digest = { { 0 } };

	for (size_t i = 0; i < store->count; i++)
		add(&digest, &store->records[i].sum);
	return digest;
}

void sim_store_rot(struct sim_store *store, size_t index)
{
	if (store->count == 0)
		return;
	struct sim_record *record = &store->records[index % store->count];
	if (record->len > 0)
		record->value[index % record->len] ^= 1;
	sum_up(record);
	store->state.digest = sim_store_digest(store);
}

static void trim(struct sim_store *store, uint64_t pin)
{
	while (store->log_count > store->keep && store->log[0].rev < pin) {
		memcpy(store->floor_chain, store->log[0].chain, POSITION_CHAIN);
		free(store->log[0].bytes);
		store->log_count--;
		memmove(store->log, store->log + 1,
			store->log_count * sizeof(*store->log));
	}
}

/* Only what was packed comes here: the chain says so. */
static struct entry unpacked(struct sim_store *store, const void *bytes, size_t len)
{
	struct entry entry;

	if (store->scratch == NULL)
		store->scratch = zl_arena_new();
	zl_arena_reset(store->scratch);
	if (entry_unpack(bytes, len, store->scratch, &entry, NULL) != ZL_OK)
		abort();
	return entry;
}

void sim_store_apply(struct sim_store *store, const void *bytes, size_t len, uint64_t pin)
{
	const struct entry entry = unpacked(store, bytes, len);
	uint64_t rev = store->state.position.rev + 1;

	for (size_t i = 0; i < entry.op_count; i++) {
		const struct op *op = &entry.ops[i];
		if (op->deleted)
			sim_store_delete(store, op->key, op->key_len);
		else
			sim_store_put(store, op->key, op->key_len, rev, op->value,
				      op->value_len);
	}
	position_chain(store->state.position.chain, store->state.position.chain, rev,
		       bytes, len);
	store->state.position.rev = rev;
	store->log = zl_realloc(store->log, store->log_count + 1, sizeof(*store->log));
	struct sim_entry *last = &store->log[store->log_count++];
	last->rev = rev;
	last->bytes = zl_memdup(bytes, len);
	last->len = len;
	memcpy(last->chain, store->state.position.chain, POSITION_CHAIN);
	trim(store, pin);
}

/* 0: there is none. */
static uint64_t mod_rev_of(const struct sim_store *store, const void *key, size_t len)
{
	char text[SIM_KEY];
	bool found;

	text_key(text, key, len);
	size_t at = place(store, text, &found);
	return found ? store->records[at].mod_rev : 0;
}

void sim_store_replay(struct sim_store *store, const struct sync_entry *from)
{
	const struct entry entry = unpacked(store, from->bytes, from->len);

	for (size_t i = 0; i < entry.op_count; i++) {
		const struct op *op = &entry.ops[i];
		if (mod_rev_of(store, op->key, op->key_len) >= from->rev)
			continue;
		if (op->deleted)
			sim_store_delete(store, op->key, op->key_len);
		else
			sim_store_put(store, op->key, op->key_len, from->rev, op->value,
				      op->value_len);
	}
}

void sim_store_swap(struct sim_store *store, const struct sim_store *from,
		    const struct position *position)
{
	sim_store_clear(store);
	copy_records(store, from);
	store->state = from->state;
	store->state.position = *position;
}

bool sim_store_same(const struct sim_store *a, const struct sim_store *b)
{
	if (a->count != b->count ||
	    !position_equal(&a->state.position, &b->state.position))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct sim_record *x = &a->records[i], *y = &b->records[i];
		if (strcmp(x->key, y->key) != 0 || x->mod_rev != y->mod_rev ||
		    x->len != y->len || memcmp(x->value, y->value, x->len) != 0)
			return false;
	}
	return true;
}

static struct sync_record view(const struct sim_record *record)
{
	return (struct sync_record){ .key = record->key,
				     .key_len = strlen(record->key),
				     .mod_rev = record->mod_rev,
				     .value = record->value,
				     .value_len = record->len };
}

static enum zl_code op_sums(void *io, uint64_t *rev, struct digest sums[DIGEST_BUCKETS],
			    struct zl_err *err)
{
	const struct sim_store *store = io;

	(void)err;
	memset(sums, 0, DIGEST_BUCKETS * sizeof(*sums));
	for (size_t i = 0; i < store->count; i++) {
		struct sync_record record = view(&store->records[i]);
		digest_add(&sums[digest_bucket(record.key, record.key_len)], record.key,
			   record.key_len, record.mod_rev, record.value,
			   record.value_len);
	}
	*rev = store->state.position.rev;
	return ZL_OK;
}

static enum zl_code op_bucket(void *io, uint8_t bucket, uint64_t *rev, sync_record_fn *fn,
			      void *arg, struct zl_err *err)
{
	const struct sim_store *store = io;

	(void)err;
	*rev = store->state.position.rev;
	for (size_t i = 0; i < store->count; i++) {
		struct sync_record record = view(&store->records[i]);
		if (digest_bucket(record.key, record.key_len) == bucket &&
		    !fn(arg, &record))
			break;
	}
	return ZL_OK;
}

static bool op_chain(void *io, uint64_t rev, uint8_t chain[POSITION_CHAIN])
{
	const struct sim_store *store = io;
	uint64_t before = store->state.position.rev - store->log_count;

	if (rev < before || rev > store->state.position.rev)
		return false;
	memcpy(chain,
	       rev == before ? store->floor_chain : store->log[rev - before - 1].chain,
	       POSITION_CHAIN);
	return true;
}

static enum zl_code op_entry(void *io, uint64_t rev, struct zl_arena *arena,
			     struct sync_entry *out, struct zl_err *err)
{
	const struct sim_store *store = io;
	uint64_t before = store->state.position.rev - store->log_count;

	if (rev <= before || rev > store->state.position.rev)
		return zl_fail(err, ZL_ENOENT, "revision not in the log");
	const struct sim_entry *entry = &store->log[rev - before - 1];
	out->rev = rev;
	out->bytes = zl_arena_memdup(arena, entry->bytes, entry->len);
	out->len = entry->len;
	memcpy(out->chain, entry->chain, POSITION_CHAIN);
	return ZL_OK;
}

static uint64_t op_floor(void *io)
{
	const struct sim_store *store = io;

	return store->state.position.rev - store->log_count + 1;
}

static enum zl_code op_each(void *io, const void *after, size_t after_len,
			    sync_record_fn *fn, void *arg, struct zl_err *err)
{
	const struct sim_store *store = io;
	char text[SIM_KEY];

	(void)err;
	text_key(text, after, after_len);
	for (size_t i = 0; i < store->count; i++) {
		struct sync_record record = view(&store->records[i]);
		if (strcmp(store->records[i].key, text) > 0 && !fn(arg, &record))
			break;
	}
	return ZL_OK;
}

static enum zl_code op_get(void *io, const void *key, size_t key_len, uint64_t *rev,
			   struct zl_arena *arena, struct sync_record *out,
			   struct zl_err *err)
{
	const struct sim_store *store = io;
	const struct sim_record *record = sim_store_find(store, key, key_len);

	(void)arena;
	*rev = store->state.position.rev;
	if (record == NULL)
		return zl_fail(err, ZL_ENOENT, "no such record");
	*out = view(record);
	return ZL_OK;
}

static bool op_zone(void *io, const char *zone, struct sync_zone_record *out)
{
	(void)io;
	(void)zone;
	(void)out;
	return false;
}

const struct sync_store_ops SIM_STORE_OPS = { op_sums, op_bucket };

const struct sync_global_ops SIM_GLOBAL_OPS = { .store = { op_sums, op_bucket },
						.chain = op_chain,
						.entry = op_entry,
						.floor = op_floor,
						.each = op_each,
						.get = op_get,
						.zone = op_zone };
