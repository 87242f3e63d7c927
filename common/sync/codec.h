/* sync/codec.h - messages of replication.proto in and out of their envelope.
 *
 * What decode lets through keeps all limits: UTF-8 texts without NUL, hashes of their
 * length, keys that are keys, and every part that is needed is there. It uses at most
 * eight times the memory of the message and 64 KiB.
 *
 * Private to the room.
 *
 * Threads:  pure.
 * Lifetime: everything lives in the arena.
 */
#pragma once

#include "sync/sync.h"

#include "proto/replication.pb-c.h"

/* The numbers are sent; never change one. */
enum sync_type {
	SYNC_MSG_NONE = 0,
	SYNC_MSG_DELTA = 1,
	SYNC_MSG_NUDGE = 2,
	SYNC_MSG_BEAT = 3,
	SYNC_MSG_HELLO = 16,
	SYNC_MSG_FETCH = 17,
	SYNC_MSG_SNAP = 18,
	SYNC_MSG_SUMS = 19,
	SYNC_MSG_KEYS = 20,
	SYNC_MSG_PUSH = 21,
	SYNC_MSG_LEASE = 22,
	SYNC_MSG_BYE = 23,
	SYNC_MSG_SECRET = 24,
	SYNC_MSG_WELCOME = 32,
	SYNC_MSG_REFUSED = 33,
	SYNC_MSG_FENCED = 34,
	SYNC_MSG_UNKNOWN = 35,
	SYNC_MSG_LATER = 36,
	SYNC_MSG_LOG = 37,
	SYNC_MSG_RESET = 38,
	SYNC_MSG_CHUNK = 39,
	SYNC_MSG_SUMS_REPLY = 40,
	SYNC_MSG_KEYS_REPLY = 41,
	SYNC_MSG_PUSHED = 42,
	SYNC_MSG_PUSH_RESET = 43,
	SYNC_MSG_LEASED = 44,
	SYNC_MSG_BYE_OK = 45,
	SYNC_MSG_SECRET_REPLY = 46,
	SYNC_TYPES
};

struct sync_message {
	enum sync_type type;
	const void *body; /* the generated struct of type */
};

/* ZL_EINVAL with what is wrong, ZL_ELIMIT too great. */
ZL_MUST_USE enum zl_code sync_decode(struct zl_arena *arena, const void *bytes,
				     size_t len, struct sync_message *out,
				     struct zl_err *err);
/* body: the generated struct of type. */
struct sync_bytes sync_encode(struct zl_arena *arena, enum sync_type type,
			      const void *body);

/* Between our structs and the generated ones; what is made lives in the arena. */
Sync__Position *sync_position_out(struct zl_arena *arena, const struct position *from);
struct position sync_position_in(const Sync__Position *from);
ProtobufCBinaryData sync_bin(struct zl_arena *arena, const void *data, size_t len);
ProtobufCBinaryData sync_digest_out(struct zl_arena *arena, const struct digest *from);
struct digest sync_digest_in(ProtobufCBinaryData from);
Sync__LogEntry *sync_entry_out(struct zl_arena *arena, const struct sync_entry *from);
struct sync_entry sync_entry_in(const Sync__LogEntry *from);
Sync__Record *sync_record_out(struct zl_arena *arena, const struct sync_record *from);
struct sync_record sync_record_in(const Sync__Record *from);
/* Text that fits: cut at SYNC_TEXT_MAX, and nothing that is not UTF-8 or is NUL. */
char *sync_text_out(struct zl_arena *arena, const char *text);
