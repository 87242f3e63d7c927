/* global/replication/zone_book.h - what global keeps in mind of one zone's resources: how
 * much they are, and which of them it did not take, with the reason.
 *
 * A resource that is refused is in quarantine: it stops no other one, what global holds
 * of it from before stays, and it leaves when the zone sends it anew or takes it away.
 * After a restart of global the list is made anew, as each zone then tells all it has.
 *
 * Threads:  the loop's.
 * Lifetime: zone_books_free; texts are valid until the zone sends something.
 */
#pragma once

#include "model/entry.h"
#include "model/travel.h"
#include "sync/sync.h"

enum { ZONE_BOOK_REFUSED = 1000 }; /* more are only counted */

struct zone_refusal {
	char *key; /* owned, as the texts; the bytes that the zone sent */
	size_t key_len;
	char *what; /* a KRI; of a kind that is not known, its number and names */
	char *why;
};

struct zone_book {
	struct zone_book *next; /* owned */
	char zone[SYNC_NAME_MAX + 1];
	struct zone_refusal *refused; /* owned */
	size_t refused_count, refused_room;
	size_t unlisted;         /* refused besides, since the zone told all it has */
	bool counted;            /* load is what global holds */
	struct travel_load load; /* with what is being written */
	uint64_t next_ms;        /* the zone's next commit comes no sooner */
};

struct zone_books {
	struct zone_book *first; /* owned */
};

/* The book of zone, made when there is none. */
struct zone_book *zone_books_get(struct zone_books *books, const char *zone);
/* NULL: the zone never sent anything. */
const struct zone_book *zone_books_find(const struct zone_books *books, const char *zone);
void zone_books_free(struct zone_books *books);

void zone_book_refuse(struct zone_book *book, const struct op *op, const char *why);
/* Op was taken, or takes away what was refused. */
void zone_book_release(struct zone_book *book, const struct op *op);
/* The zone tells all it has. */
void zone_book_clear(struct zone_book *book);
bool zone_book_has(const struct zone_book *book, const struct op *op);
