#include "base/mem.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 4096, ALIGN = 16 };

static void *there(void *ptr)
{
	if (ptr == NULL) {
		(void)fputs("zonelink: out of memory\n", stderr);
		abort();
	}
	return ptr;
}

void *zl_alloc(size_t count, size_t size)
{
	return there(calloc(count ? count : 1, size ? size : 1));
}

void *zl_realloc(void *old, size_t count, size_t size)
{
	return there(reallocarray(old, count ? count : 1, size ? size : 1));
}

void *zl_memdup(const void *data, size_t len)
{
	void *copy = zl_alloc(1, len);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *zl_strndup(const char *text, size_t len)
{
	char *copy = zl_alloc(len + 1, 1);

	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

char *zl_strdup(const char *text)
{
	return zl_strndup(text, strlen(text));
}

char *zl_format(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	int len = vasprintf(&text, fmt, ap);
	va_end(ap);
	return there(len < 0 ? NULL : text);
}

struct chunk {
	struct chunk *next; /* owned */
	size_t size, used;
	_Alignas(ALIGN) unsigned char bytes[];
};

struct zl_arena {
	struct chunk *chunks; /* owned; the first is the one with room */
	size_t used;
};

struct zl_arena *zl_arena_new(void)
{
	return zl_alloc(1, sizeof(struct zl_arena));
}

static void chunks_free(struct chunk *chunk)
{
	while (chunk != NULL) {
		struct chunk *next = chunk->next;
		ASAN_UNPOISON_MEMORY_REGION(chunk->bytes, chunk->size);
		free(chunk);
		chunk = next;
	}
}

/* The first chunk stays, for an arena that is reset is used again at once. */
void zl_arena_reset(struct zl_arena *arena)
{
	struct chunk *first = arena->chunks;

	arena->used = 0;
	if (first == NULL)
		return;
	chunks_free(first->next);
	first->next = NULL;
	first->used = 0;
	if (first->size > CHUNK) {
		chunks_free(first);
		arena->chunks = NULL;
		return;
	}
	ASAN_POISON_MEMORY_REGION(first->bytes, first->size);
}

void zl_arena_free(struct zl_arena **arenap)
{
	if (*arenap == NULL)
		return;
	chunks_free((*arenap)->chunks);
	free(*arenap);
	*arenap = NULL;
}

static struct chunk *chunk_new(size_t size)
{
	struct chunk *chunk = there(malloc(sizeof(*chunk) + size));

	*chunk = (struct chunk){ .size = size };
	return chunk;
}

/* Large objects get a chunk of their own, behind the one with room. */
static void *chunk_for(struct zl_arena *arena, size_t size)
{
	struct chunk *first = arena->chunks;

	if (first != NULL && size <= first->size - first->used) {
		void *ptr = first->bytes + first->used;
		first->used += size;
		ASAN_UNPOISON_MEMORY_REGION(ptr, size);
		return ptr;
	}
	struct chunk *chunk = chunk_new(size > CHUNK / 4 ? size : CHUNK);
	chunk->used = size;
	if (size > CHUNK / 4 && first != NULL) {
		chunk->next = first->next;
		first->next = chunk;
	} else {
		chunk->next = first;
		arena->chunks = chunk;
	}
	return chunk->bytes;
}

void *zl_arena_alloc(struct zl_arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
		there(NULL);
	bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
	arena->used += bytes;
	void *ptr = chunk_for(arena, bytes);
	return memset(ptr, 0, bytes);
}

char *zl_arena_strndup(struct zl_arena *arena, const char *text, size_t len)
{
	char *copy = zl_arena_alloc(arena, len + 1, 1);

	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

char *zl_arena_strdup(struct zl_arena *arena, const char *text)
{
	return zl_arena_strndup(arena, text, strlen(text));
}

char *zl_arena_format(struct zl_arena *arena, const char *fmt, ...)
{
	va_list ap;
	va_list again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(len >= 0);
	char *text = zl_arena_alloc(arena, (size_t)len + 1, 1);
	(void)vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	return text;
}

void *zl_arena_memdup(struct zl_arena *arena, const void *data, size_t len)
{
	void *copy = zl_arena_alloc(arena, len, 1);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

void *zl_arena_more(struct zl_arena *arena, void *list, size_t count, size_t *room,
		    size_t size)
{
	if (count < *room)
		return list;
	*room = *room == 0 ? 8 : 2 * *room;
	void *wider = zl_arena_alloc(arena, *room, size);
	if (count > 0)
		memcpy(wider, list, count * size);
	return wider;
}

size_t zl_arena_used(const struct zl_arena *arena)
{
	return arena->used;
}

static void reserve(struct zl_buf *buf, size_t more)
{
	size_t need;

	if (__builtin_add_overflow(buf->len, more + 1, &need))
		there(NULL);
	if (need <= buf->capacity)
		return;
	size_t capacity = buf->capacity ? buf->capacity * 2 : 64;
	while (capacity < need)
		capacity *= 2;
	buf->data = zl_realloc(buf->data, capacity, 1);
	buf->capacity = capacity;
}

void zl_buf_add(struct zl_buf *buf, const void *data, size_t len)
{
	reserve(buf, len);
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void zl_buf_str(struct zl_buf *buf, const char *text)
{
	zl_buf_add(buf, text, strlen(text));
}

void zl_buf_char(struct zl_buf *buf, char byte)
{
	zl_buf_add(buf, &byte, 1);
}

void zl_buf_format(struct zl_buf *buf, const char *fmt, ...)
{
	va_list ap;
	va_list again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(len >= 0);
	reserve(buf, (size_t)len);
	(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
	va_end(again);
	buf->len += (size_t)len;
}

void zl_buf_drain(struct zl_buf *buf, size_t len)
{
	assert(len <= buf->len);
	if (len == 0)
		return;
	memmove(buf->data, buf->data + len, buf->len - len + 1);
	buf->len -= len;
}

const char *zl_buf_text(const struct zl_buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

void zl_buf_free(struct zl_buf *buf)
{
	free(buf->data);
	*buf = (struct zl_buf){ 0 };
}
