#include "sync/zone_parts.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 3, WANTED_MAX = 4096, ASK_MAX = 256 };

void zone_repair_begin(struct sync_zone *zone)
{
	struct repair *repair = &zone->repair;

	if (++repair->tries > TRIES_MAX) {
		repair->tries = 0;
		zone_alarm(zone,
			   "records differ from global's and could not be repaired; "
			   "everything is copied");
		zone_snap_begin(zone);
		return;
	}
	zone_alarm(zone, "records differ from global's at revision %llu; repairing",
		   (unsigned long long)zone->head.rev);
	zl_arena_reset(repair->arena);
	repair->phase = REPAIR_SUMS;
	repair->bucket_count = repair->wanted_count = repair->got = 0;
	repair->record_count = repair->capacity = 0;
	repair->wanted = NULL;
	repair->records = NULL;
	zone_move(zone, SYNC_REPAIR);
}

/* Either side has moved on: the next BEAT says whether they still differ. */
static void give_up(struct sync_zone *zone)
{
	zone_move(zone, SYNC_SYNC);
}

static void copy_all(struct sync_zone *zone)
{
	zone->repair.tries = 0;
	zone_snap_begin(zone);
}

void zone_repair_ask(struct sync_zone *zone)
{
	struct repair *repair = &zone->repair;
	Sync__Keys keys = SYNC__KEYS__INIT;
	Sync__Sums sums = SYNC__SUMS__INIT;

	if (repair->phase == REPAIR_WRITE)
		return;
	if (repair->phase == REPAIR_SUMS) {
		sums.head = zone_head(zone);
		zone_ask(zone, MAIN, SYNC_MSG_SUMS, &sums);
		return;
	}
	keys.head = zone_head(zone);
	if (repair->phase == REPAIR_KEYS) {
		keys.buckets =
			sync_bin(zone->turn, repair->buckets, repair->bucket_count);
	} else {
		size_t left = repair->wanted_count - repair->got;
		keys.n_keys = left < ASK_MAX ? left : ASK_MAX;
		keys.keys = zl_arena_alloc(zone->turn, keys.n_keys, sizeof(*keys.keys));
		for (size_t i = 0; i < keys.n_keys; i++) {
			const struct sync_bytes *key = &repair->wanted[repair->got + i];
			keys.keys[i] = sync_bin(zone->turn, key->data, key->len);
		}
	}
	zone_ask(zone, MAIN, SYNC_MSG_KEYS, &keys);
}

static struct sync_record *add_record(struct repair *repair)
{
	if (repair->record_count == repair->capacity) {
		size_t capacity = repair->capacity == 0 ? 16 : 2 * repair->capacity;
		struct sync_record *grown =
			zl_arena_alloc(repair->arena, capacity, sizeof(*grown));
		if (repair->record_count > 0)
			memcpy(grown, repair->records,
			       repair->record_count * sizeof(*grown));
		repair->records = grown;
		repair->capacity = capacity;
	}
	return &repair->records[repair->record_count++];
}

static void write_repair(struct sync_zone *zone)
{
	struct repair *repair = &zone->repair;
	struct sync_zone_action *act = zone_act(zone, SYNC_DO_REPAIR);

	repair->phase = REPAIR_WRITE;
	act->id = zone->barrier = ++zone->ticket;
	act->records = repair->records;
	act->record_count = repair->record_count;
	act->position = zone->head;
}

void zone_on_sums(struct sync_zone *zone, const void *body)
{
	const Sync__SumsReply *reply = body;
	struct repair *repair = &zone->repair;
	struct digest ours[DIGEST_BUCKETS];
	uint64_t rev;

	if (zone->setup.ops->sums(zone->setup.io, &rev, ours, NULL) != ZL_OK ||
	    rev != zone->head.rev || reply->rev != rev) {
		give_up(zone);
		return;
	}
	for (size_t i = 0; i < DIGEST_BUCKETS; i++) {
		struct digest theirs;
		digest_from_bytes(&theirs, reply->sums.data + 32 * i);
		if (!digest_equal(&ours[i], &theirs))
			repair->buckets[repair->bucket_count++] = (uint8_t)i;
	}
	repair->phase = REPAIR_KEYS;
	if (repair->bucket_count == 0) /* the records are right and their sum is not */
		write_repair(zone);
}

static int compare_runs(const void *a, size_t a_len, const void *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int by_key(const void *a, const void *b)
{
	const Sync__KeyHash *const *left = a, *const *right = b;

	return compare_runs((*left)->key.data, (*left)->key.len, (*right)->key.data,
			    (*right)->key.len);
}

/* Our keys of a bucket beside those of global, which are sorted; same: found equal. */
struct compared {
	struct repair *repair;
	Sync__KeyHash **theirs;
	size_t count;
	bool *same;
};

static bool compare_record(void *arg, const struct sync_record *ours)
{
	struct compared *compared = arg;
	struct repair *repair = compared->repair;
	Sync__KeyHash wanted = SYNC__KEY_HASH__INIT, *key = &wanted;
	uint8_t hash[ZL_SHA256];

	wanted.key = sync_bin(repair->arena, ours->key, ours->key_len);
	Sync__KeyHash **found = compared->count > 0
					? bsearch(&key, compared->theirs, compared->count,
						  sizeof(*compared->theirs), by_key)
					: NULL;
	if (found == NULL) {
		*add_record(repair) = (struct sync_record){ .key = wanted.key.data,
							    .key_len = wanted.key.len,
							    .deleted = true };
		return true;
	}
	zl_sha256(&(struct zl_run){ ours->value, ours->value_len }, 1, hash);
	if ((*found)->mod_rev == ours->mod_rev &&
	    memcmp((*found)->hash.data, hash, (*found)->hash.len) == 0)
		compared->same[found - compared->theirs] = true;
	return true;
}

static void on_hashes(struct sync_zone *zone, const Sync__KeysReply *reply)
{
	struct repair *repair = &zone->repair;
	struct compared compared = { repair, reply->keys, reply->n_keys, NULL };

	if (compared.count > 0) /* or theirs is NULL, which even none may not be */
		qsort(compared.theirs, compared.count, sizeof(*compared.theirs), by_key);
	compared.same = zl_arena_alloc(zone->turn, compared.count, sizeof(bool));
	for (size_t i = 0; i < repair->bucket_count; i++) {
		uint64_t rev;
		if (zone->setup.ops->bucket(zone->setup.io, repair->buckets[i], &rev,
					    compare_record, &compared, NULL) != ZL_OK ||
		    rev != zone->head.rev) {
			give_up(zone);
			return;
		}
	}
	repair->wanted =
		zl_arena_alloc(repair->arena, compared.count, sizeof(*repair->wanted));
	for (size_t i = 0; i < compared.count; i++) {
		const Sync__KeyHash *theirs = compared.theirs[i];
		if (!compared.same[i])
			repair->wanted[repair->wanted_count++] =
				(struct sync_bytes){ zl_arena_memdup(repair->arena,
								     theirs->key.data,
								     theirs->key.len),
						     theirs->key.len };
	}
	repair->phase = REPAIR_VALUES;
	if (repair->wanted_count > WANTED_MAX)
		copy_all(zone);
	else if (repair->wanted_count == 0)
		write_repair(zone);
}

/* They come in the order in which they were asked for, as many as fit. */
static void on_values(struct sync_zone *zone, const Sync__KeysReply *reply)
{
	struct repair *repair = &zone->repair;
	size_t left = repair->wanted_count - repair->got;

	if (reply->n_records == 0 || reply->n_records > left) {
		copy_all(zone);
		return;
	}
	for (size_t i = 0; i < reply->n_records; i++) {
		struct sync_record from = sync_record_in(reply->records[i]);
		const struct sync_bytes *key = &repair->wanted[repair->got++];
		if (compare_runs(from.key, from.key_len, key->data, key->len) != 0) {
			copy_all(zone);
			return;
		}
		from.key = key->data;
		from.value = zl_arena_memdup(repair->arena, from.value, from.value_len);
		from.deleted = false;
		*add_record(repair) = from;
	}
	if (repair->got == repair->wanted_count)
		write_repair(zone);
}

void zone_on_keys(struct sync_zone *zone, const void *body)
{
	const Sync__KeysReply *reply = body;

	if (reply->too_many)
		copy_all(zone);
	else if (reply->rev != zone->head.rev)
		give_up(zone);
	else if (zone->repair.phase == REPAIR_KEYS)
		on_hashes(zone, reply);
	else
		on_values(zone, reply);
}
