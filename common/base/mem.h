/* base/mem.h - memory that is there, arenas and growing buffers.
 *
 * Inputs are bounded before they are read, so memory that cannot be had is the machine's
 * end, not a caller's case: zl_alloc and what builds on it print one line and abort()
 * (docs/decisions/out-of-memory.md). None of these functions returns NULL.
 *
 * Threads:  an arena or a buffer belongs to one thread at a time.
 * Lifetime: what an arena gave lives until zl_arena_free or zl_arena_reset.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory for count objects of size bytes; free() it. */
void *zl_alloc(size_t count, size_t size) __attribute__((malloc));
/* As realloc for count objects of size bytes; what is new is not zeroed. */
void *zl_realloc(void *old, size_t count, size_t size);
char *zl_strdup(const char *text);
char *zl_strndup(const char *text, size_t len);
char *zl_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *zl_memdup(const void *data, size_t len);

struct zl_arena;

struct zl_arena *zl_arena_new(void);
/* Free all that the arena gave and the arena, set *arenap to NULL. Accepts NULL. */
void zl_arena_free(struct zl_arena **arenap);
/* Free all that the arena gave; the arena can be used again. */
void zl_arena_reset(struct zl_arena *arena);
/* Zeroed memory, aligned for any object. size may be 0. */
void *zl_arena_alloc(struct zl_arena *arena, size_t count, size_t size);
char *zl_arena_strdup(struct zl_arena *arena, const char *text);
char *zl_arena_strndup(struct zl_arena *arena, const char *text, size_t len);
char *zl_arena_format(struct zl_arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void *zl_arena_memdup(struct zl_arena *arena, const void *data, size_t len);
/* list with room for one more than its count objects of size bytes: itself while it has
 * that, or a copy with twice the room. Both may be 0 and list NULL. */
void *zl_arena_more(struct zl_arena *arena, void *list, size_t count, size_t *room,
		    size_t size);
/* Bytes given so far: what a budget is checked against. */
size_t zl_arena_used(const struct zl_arena *arena);

/* A growing run of bytes; zeroed is empty. data has a NUL behind its len bytes, or is
 * NULL while nothing was added. */
struct zl_buf {
	char *data; /* owned */
	size_t len, capacity;
};

void zl_buf_add(struct zl_buf *buf, const void *data, size_t len);
void zl_buf_str(struct zl_buf *buf, const char *text);
void zl_buf_char(struct zl_buf *buf, char byte);
void zl_buf_format(struct zl_buf *buf, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Take the first len bytes out. */
void zl_buf_drain(struct zl_buf *buf, size_t len);
/* Text of buf, "" while empty. Borrowed. */
const char *zl_buf_text(const struct zl_buf *buf);
/* Free the bytes; buf is empty again. */
void zl_buf_free(struct zl_buf *buf);
