/* Every change of one file as the disk is told of it. The functions of recorder.c stand
 * before those of the C library, for LMDB too; what they do not record they pass on.
 *
 * Threads:  any write; the rest, one, while nobody writes.
 * Lifetime: recorder_begin to recorder_end; data of events until then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
	EVENT_WRITE,
	EVENT_SYNC,
	EVENT_SIZE, /* ftruncate to at */
	EVENT_ACK   /* recorder_ack: number */
};

struct event {
	enum event_kind kind;
	bool durable; /* WRITE: when it returned it was on the disk (O_DSYNC) */
	uint64_t at;
	size_t len;
	uint8_t *data; /* owned */
	uint64_t number;
};

/* Record changes of the file path, which is there. */
void recorder_begin(const char *path);
void recorder_ack(uint64_t number);
/* Stop; the events in the order in which they ended, owned by the recorder. */
const struct event *recorder_end(size_t *count);
void recorder_clear(void);
/* From now on a sync returns at once: for images that nobody cuts the power of. */
void recorder_no_sync(bool no_sync);
