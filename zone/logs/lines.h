/* zone/logs/lines.h - lines on their way to one receiver: as many as fit, the oldest goes
 * first.
 *
 * What was written to a connection is kept until the other end has it: if the connection
 * breaks before, it is written once more to the next one. So a line may come twice, but
 * is not lost. Lines that do not fit are dropped, the oldest first, but none of which a
 * part is written, and counted.
 *
 * Pure.
 *
 * Threads:  the owner's.
 * Lifetime: zeroed with max is empty; lines_drop leaves nothing to free.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct line;

struct lines {
	size_t max;                /* bytes, with what a line costs beside its text */
	struct line *first, *last; /* owned */
	struct line *next;         /* the first that is not wholly written; NULL: none */
	size_t offset;             /* what is written of it */
	size_t flight;             /* bytes that are written and still kept */
	size_t bytes;
	uint64_t delivered, dropped; /* lines, since the start */
};

/* A line, with its newline. */
void lines_add(struct lines *lines, const char *text, size_t len);
bool lines_empty(const struct lines *lines);

/* What is to be written, at most most runs; how many there are. */
size_t lines_peek(const struct lines *lines, struct iovec *runs, size_t most);
/* So many bytes of that were. */
void lines_written(struct lines *lines, size_t count);
/* The other end has all that was written but the last left bytes. */
void lines_left(struct lines *lines, size_t left);
/* The connection is gone: what is kept is to be written anew. */
void lines_again(struct lines *lines);
/* Nobody will take them: all are dropped. */
void lines_drop(struct lines *lines);
