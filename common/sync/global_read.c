#include "sync/global_parts.h"

#include "base/hash.h"

#include <string.h>

enum { PIN_MS = 60000, TROUBLE_MS = 1000, KEYS_BYTES_MAX = 1 << 20, KEY_ROOM = 64 };

static void reset(struct sync_global *global, const struct asking *asking,
		  Sync__Reset__Reason reason)
{
	Sync__Reset reply = SYNC__RESET__INIT;

	reply.req_id = asking->head->req_id;
	reply.reason = reason;
	global_reply(global, asking->handle, SYNC_MSG_RESET, &reply);
}

static void trouble(struct sync_global *global, const struct asking *asking,
		    const struct zl_err *err)
{
	global_log(global, asking->session->name, true, "cannot answer the zone: %s",
		   err->msg);
	global_later(global, asking->handle, asking->head->req_id, TROUBLE_MS);
}

static bool same_epoch(const struct sync_global *global, const struct position *at)
{
	return memcmp(at->epoch, global->head.position.epoch, POSITION_EPOCH) == 0;
}

/* True if at is one of our own positions, and the log goes on from there; else it is
 * answered. */
static bool may_follow(struct sync_global *global, const struct asking *asking,
		       const struct position *at)
{
	uint8_t chain[POSITION_CHAIN];

	if (!same_epoch(global, at)) {
		reset(global, asking, SYNC__RESET__REASON__EPOCH);
	} else if (at->rev > global->head.position.rev) {
		if (global_new_epoch(global, asking, at->rev))
			global_later(global, asking->handle, asking->head->req_id, 50);
		else
			reset(global, asking, SYNC__RESET__REASON__FORKED);
	} else if (!global->setup.ops->chain(global->setup.io, at->rev, chain)) {
		reset(global, asking, SYNC__RESET__REASON__COMPACTED);
	} else if (memcmp(chain, at->chain, POSITION_CHAIN) != 0) {
		reset(global, asking, SYNC__RESET__REASON__FORKED);
	} else {
		return true;
	}
	return false;
}

/* A part of an entry that is too great for one message. */
static void put_part(struct sync_global *global, Sync__Log *log, struct sync_entry entry,
		     uint64_t offset, size_t max)
{
	offset = offset < entry.len ? offset : 0;
	log->offset = offset;
	log->total = entry.len;
	entry.bytes = (const uint8_t *)entry.bytes + offset;
	entry.len -= offset;
	if (entry.len > max)
		entry.len = max;
	log->part = sync_entry_out(global->turn, &entry);
}

static enum zl_code put_entries(struct sync_global *global, Sync__Log *log, uint64_t rev,
				uint64_t offset, size_t max, struct zl_err *err)
{
	uint64_t head = global->head.position.rev;
	size_t bytes = 0, room = 0;

	for (; rev < head; rev++) {
		struct sync_entry entry;
		enum zl_code code = global->setup.ops->entry(global->setup.io, rev + 1,
							     global->turn, &entry, err);
		if (code != ZL_OK)
			return code;
		if (bytes > 0 && bytes + entry.len > max)
			break;
		if (entry.len > max) {
			put_part(global, log, entry, offset, max);
			log->more = log->offset + log->part->bytes.len < log->total ||
				    rev + 1 < head;
			return ZL_OK;
		}
		if (log->n_entries == room) {
			Sync__LogEntry **grown = zl_arena_alloc(
				global->turn, 2 * room + 16, sizeof(*grown));
			if (room > 0)
				memcpy(grown, log->entries, room * sizeof(*grown));
			log->entries = grown;
			room = 2 * room + 16;
		}
		log->entries[log->n_entries++] = sync_entry_out(global->turn, &entry);
		bytes += entry.len + KEY_ROOM;
	}
	log->more = rev < head;
	return ZL_OK;
}

void global_fetch(struct sync_global *global, const struct asking *asking,
		  const void *body)
{
	const Sync__Fetch *fetch = body;
	struct position at = sync_position_in(fetch->position);
	Sync__Log log = SYNC__LOG__INIT;
	size_t max = global->setup.batch_max;
	struct zl_err err;

	if (fetch->max_bytes > 0 && fetch->max_bytes < max)
		max = (size_t)fetch->max_bytes;
	if (!may_follow(global, asking, &at))
		return;
	enum zl_code code = put_entries(global, &log, at.rev, fetch->offset, max, &err);
	if (code == ZL_ENOENT) {
		reset(global, asking, SYNC__RESET__REASON__COMPACTED);
		return;
	}
	if (code != ZL_OK) {
		trouble(global, asking, &err);
		return;
	}
	log.req_id = asking->head->req_id;
	log.epoch = sync_bin(global->turn, at.epoch, POSITION_EPOCH);
	log.head = sync_position_out(global->turn, &global->head.position);
	log.digest = sync_digest_out(global->turn, &global->head.digest);
	global_reply(global, asking->handle, SYNC_MSG_LOG, &log);
}

struct chunk {
	struct sync_global *global;
	Sync__Record **records;
	size_t count, capacity, bytes;
	bool full;
};

static void add_record(struct chunk *chunk, const struct sync_record *record)
{
	if (chunk->count == chunk->capacity) {
		size_t capacity = 2 * chunk->capacity + 16;
		Sync__Record **grown =
			zl_arena_alloc(chunk->global->turn, capacity, sizeof(*grown));
		if (chunk->count > 0)
			memcpy(grown, chunk->records, chunk->count * sizeof(*grown));
		chunk->records = grown;
		chunk->capacity = capacity;
	}
	chunk->records[chunk->count++] = sync_record_out(chunk->global->turn, record);
	chunk->bytes += record->key_len + record->value_len + KEY_ROOM;
}

static bool take_record(void *arg, const struct sync_record *record)
{
	struct chunk *chunk = arg;
	size_t len = record->key_len + record->value_len + KEY_ROOM;

	if (chunk->count > 0 && chunk->bytes + len > chunk->global->setup.chunk_max) {
		chunk->full = true;
		return false;
	}
	add_record(chunk, record);
	return true;
}

void global_snap(struct sync_global *global, const struct asking *asking,
		 const void *body)
{
	const Sync__Snap *snap = body;
	struct session *session = asking->session;
	struct position start = global->head.position;
	struct chunk chunk = { .global = global };
	Sync__Chunk reply = SYNC__CHUNK__INIT;
	struct zl_err err;

	if (snap->start != NULL)
		start = sync_position_in(snap->start);
	if (!same_epoch(global, &start)) {
		reset(global, asking, SYNC__RESET__REASON__EPOCH);
		return;
	}
	if (snap->start == NULL || session->snap_id == snap->snap_id) {
		session->snap_id = snap->snap_id;
		session->pin = start.rev + 1;
		session->pin_until = global->now + PIN_MS;
	}
	if (global->setup.ops->each(global->setup.io, snap->cursor.data, snap->cursor.len,
				    take_record, &chunk, &err) != ZL_OK) {
		trouble(global, asking, &err);
		return;
	}
	reply.req_id = asking->head->req_id;
	reply.start = sync_position_out(global->turn, &start);
	reply.records = chunk.records;
	reply.n_records = chunk.count;
	reply.last = !chunk.full;
	global_reply(global, asking->handle, SYNC_MSG_CHUNK, &reply);
}

void global_sums(struct sync_global *global, const struct asking *asking,
		 const void *body)
{
	struct digest sums[DIGEST_BUCKETS];
	uint8_t bytes[DIGEST_BUCKETS * 32];
	Sync__SumsReply reply = SYNC__SUMS_REPLY__INIT;
	struct zl_err err;

	(void)body;
	if (global->setup.ops->store.sums(global->setup.io, &reply.rev, sums, &err) !=
	    ZL_OK) {
		trouble(global, asking, &err);
		return;
	}
	for (size_t i = 0; i < DIGEST_BUCKETS; i++)
		digest_bytes(&sums[i], bytes + 32 * i);
	reply.req_id = asking->head->req_id;
	reply.sums = sync_bin(global->turn, bytes, sizeof(bytes));
	global_reply(global, asking->handle, SYNC_MSG_SUMS_REPLY, &reply);
}

struct hashes {
	struct zl_arena *arena;
	Sync__KeyHash **keys;
	size_t count, capacity, bytes;
};

static bool take_hash(void *arg, const struct sync_record *record)
{
	struct hashes *hashes = arg;
	uint8_t hash[ZL_SHA256];

	if (hashes->count == hashes->capacity) {
		size_t capacity = 2 * hashes->capacity + 16;
		Sync__KeyHash **grown =
			zl_arena_alloc(hashes->arena, capacity, sizeof(*grown));
		if (hashes->count > 0)
			memcpy(grown, hashes->keys, hashes->count * sizeof(*grown));
		hashes->keys = grown;
		hashes->capacity = capacity;
	}
	Sync__KeyHash *key = zl_arena_alloc(hashes->arena, 1, sizeof(*key));
	sync__key_hash__init(key);
	zl_sha256(&(struct zl_run){ record->value, record->value_len }, 1, hash);
	key->key = sync_bin(hashes->arena, record->key, record->key_len);
	key->mod_rev = record->mod_rev;
	key->hash = sync_bin(hashes->arena, hash, 16);
	hashes->keys[hashes->count++] = key;
	hashes->bytes += record->key_len + KEY_ROOM;
	return hashes->bytes < KEYS_BYTES_MAX;
}

/* All reads of one reply must see one revision: *rev; 0: they did not. */
static void same_rev(uint64_t *rev, uint64_t read, bool first)
{
	*rev = first || *rev == read ? read : 0;
}

static enum zl_code put_hashes(struct sync_global *global, ProtobufCBinaryData buckets,
			       Sync__KeysReply *reply, struct zl_err *err)
{
	struct hashes hashes = { .arena = global->turn };

	for (size_t i = 0; i < buckets.len && hashes.bytes < KEYS_BYTES_MAX; i++) {
		uint64_t rev;
		enum zl_code code = global->setup.ops->store.bucket(
			global->setup.io, buckets.data[i], &rev, take_hash, &hashes, err);
		if (code != ZL_OK)
			return code;
		same_rev(&reply->rev, rev, i == 0);
	}
	reply->too_many = hashes.bytes >= KEYS_BYTES_MAX;
	if (!reply->too_many) {
		reply->keys = hashes.keys;
		reply->n_keys = hashes.count;
	}
	return ZL_OK;
}

static enum zl_code put_values(struct sync_global *global, const Sync__Keys *keys,
			       Sync__KeysReply *reply, struct zl_err *err)
{
	struct chunk chunk = { .global = global };

	for (size_t i = 0; i < keys->n_keys && !chunk.full; i++) {
		struct sync_record record;
		uint64_t rev;
		enum zl_code code = global->setup.ops->get(
			global->setup.io, keys->keys[i].data, keys->keys[i].len, &rev,
			global->turn, &record, err);
		if (code == ZL_ENOENT)
			break; /* the zone sees that it is not what it asked for */
		if (code != ZL_OK)
			return code;
		same_rev(&reply->rev, rev, i == 0);
		take_record(&chunk, &record);
	}
	reply->records = chunk.records;
	reply->n_records = chunk.count;
	return ZL_OK;
}

void global_keys(struct sync_global *global, const struct asking *asking,
		 const void *body)
{
	const Sync__Keys *keys = body;
	Sync__KeysReply reply = SYNC__KEYS_REPLY__INIT;
	struct zl_err err;
	enum zl_code code = keys->n_keys > 0
				    ? put_values(global, keys, &reply, &err)
				    : put_hashes(global, keys->buckets, &reply, &err);

	if (code != ZL_OK) {
		trouble(global, asking, &err);
		return;
	}
	reply.req_id = asking->head->req_id;
	global_reply(global, asking->handle, SYNC_MSG_KEYS_REPLY, &reply);
}
