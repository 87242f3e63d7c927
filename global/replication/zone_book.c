#include "global/replication/zone_book.h"

#include <stdlib.h>
#include <string.h>

enum { WHY_MAX = 400, SPELLED_MAX = 200 };

struct zone_book *zone_books_get(struct zone_books *books, const char *zone)
{
	struct zone_book **at = &books->first;

	while (*at != NULL && strcmp((*at)->zone, zone) != 0)
		at = &(*at)->next;
	if (*at == NULL) {
		*at = zl_alloc(1, sizeof(**at));
		(void)stpncpy((*at)->zone, zone, SYNC_NAME_MAX);
	}
	return *at;
}

const struct zone_book *zone_books_find(const struct zone_books *books, const char *zone)
{
	const struct zone_book *at = books->first;

	while (at != NULL && strcmp(at->zone, zone) != 0)
		at = at->next;
	return at;
}

static void free_refusal(struct zone_refusal *refusal)
{
	free(refusal->key);
	free(refusal->what);
	free(refusal->why);
}

void zone_book_clear(struct zone_book *book)
{
	for (size_t i = 0; i < book->refused_count; i++)
		free_refusal(&book->refused[i]);
	book->refused_count = 0;
	book->unlisted = 0;
}

void zone_books_free(struct zone_books *books)
{
	while (books->first != NULL) {
		struct zone_book *book = books->first;
		books->first = book->next;
		zone_book_clear(book);
		free(book->refused);
		free(book);
	}
}

/* Where op's key stands in the list, or its end. */
static size_t place(const struct zone_book *book, const struct op *op)
{
	for (size_t i = 0; i < book->refused_count; i++)
		if (book->refused[i].key_len == op->key_len &&
		    memcmp(book->refused[i].key, op->key, op->key_len) == 0)
			return i;
	return book->refused_count;
}

bool zone_book_has(const struct zone_book *book, const struct op *op)
{
	return place(book, op) < book->refused_count;
}

void zone_book_release(struct zone_book *book, const struct op *op)
{
	size_t at = place(book, op);

	if (at == book->refused_count)
		return;
	free_refusal(&book->refused[at]);
	book->refused[at] = book->refused[--book->refused_count];
}

/* At most WHY_MAX bytes, no half character at the end. */
static char *shorten(const char *why)
{
	size_t len = strnlen(why, WHY_MAX + 1);

	if (len <= WHY_MAX)
		return zl_strdup(why);
	len = WHY_MAX;
	while (len > 0 && ((unsigned char)why[len] & 0xc0) == 0x80)
		len--;
	return zl_format("%.*s...", (int)len, why);
}

/* A key of a kind that a newer release has, or of none: what of it can be read. */
static void spell(const struct op *op, struct zl_buf *out)
{
	const unsigned char *bytes = op->key;

	zl_buf_format(out, "kind %u:", bytes[0]);
	for (size_t i = 1; i < op->key_len && i < SPELLED_MAX; i++) {
		char letter = bytes[i] == '\0' ? ' ' : '?';
		if (bytes[i] > ' ' && bytes[i] < 0x7f)
			letter = (char)bytes[i];
		zl_buf_char(out, letter);
	}
}

static char *name_of(const struct op *op)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_buf name = { 0 };
	struct key key;

	if (key_parse(op->key, op->key_len, arena, &key, NULL) == ZL_OK)
		key_kri(&key, "", &name);
	else
		spell(op, &name);
	char *text = zl_strdup(zl_buf_text(&name));
	zl_buf_free(&name);
	zl_arena_free(&arena);
	return text;
}

void zone_book_refuse(struct zone_book *book, const struct op *op, const char *why)
{
	zone_book_release(book, op);
	if (book->refused_count == ZONE_BOOK_REFUSED) {
		book->unlisted++;
		return;
	}
	if (book->refused_count == book->refused_room) {
		book->refused_room = book->refused_room == 0 ? 4 : 2 * book->refused_room;
		book->refused = zl_realloc(book->refused, book->refused_room,
					   sizeof(*book->refused));
	}
	book->refused[book->refused_count++] =
		(struct zone_refusal){ .key = zl_memdup(op->key, op->key_len),
				       .key_len = op->key_len,
				       .what = name_of(op),
				       .why = shorten(why) };
}
