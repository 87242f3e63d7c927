/* global/replication/reads.h - what the machine reads of the store. Private to the room.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "sync/global.h"

struct secrets;
struct set;
struct store;

/* The io of READS_OPS: what they read, borrowed. */
struct reads {
	struct store *store;
	const struct secrets *secrets; /* NULL: there are none */
	const struct set *(*set)(void *owner);
	void *owner;
};
extern const struct sync_global_ops READS_OPS;

enum zl_code reads_record_of_zone(const void *bytes, size_t len,
				  struct sync_zone_record *record);
enum {
	READS_ZONE_BYTES_1 = SYNC_UUID + 24,
	READS_ZONE_BYTES
}; /* _1: without quarantine */
void reads_zone_bytes(const struct sync_zone_record *record,
		      uint8_t out[READS_ZONE_BYTES]);
#define READS_ZONE_SPACE "zone-sessions"
