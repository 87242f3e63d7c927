/* zone/xds/shelf.h - what is known of one type's resources on one stream.
 *
 * An item stands for a name: what the proxy should have of it, what it was sent, what it
 * has. All items of a type are on a shelf, sorted by name; those with something left to
 * do, in flight included, are on its todo list too, so that a turn looks at what changed
 * and not at all there is.
 *
 * Lifetime: a zeroed shelf is empty; xds_shelf_free when done. An item keeps its address
 *           until xds_shelf_sweep finds nothing left of it.
 */
#pragma once

#include "envoy/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XDS_VERSION = 17 };

struct xds_item {
	char *name;                        /* owned */
	const struct envoy_resource *want; /* in the session's config; NULL: none */
	char sent[XDS_VERSION];            /* newest sent; "": none, or its removal */
	char acked[XDS_VERSION];           /* what the proxy said it has */
	char refused[XDS_VERSION];         /* refused when sent alone */
	char *nack;                        /* owned; why */
	uint64_t nonce; /* response that is not answered yet; 0: none */
	uint64_t sent_at, acked_at, nacked_at;
	bool held;       /* the proxy has it, or may have */
	bool usable;     /* ... surely, in some version: it acknowledged one */
	bool unknown;    /* ... but in which version: a response with it was refused */
	bool subscribed; /* asked for by name */
	bool declined;   /* unsubscribed since it was sent */
	bool emptied;    /* sent as xds_response_nothing */
	bool due;        /* must be sent, whatever version the proxy has */
	bool alone;      /* ... in a response of its own, to find who is refused */
	bool queued;     /* is on todo */
	bool untold;     /* refused, and nobody was told yet */
};

struct xds_shelf {
	struct xds_item **items; /* sorted by name */
	size_t count;
	struct xds_item **todo;
	size_t todo_count, todo_capacity;
	size_t subscribed; /* items asked for by name */
	uint64_t nonce;    /* of the response that is not answered yet; 0: none */
	size_t in_flight;  /* names in that response */
	bool opened;       /* the proxy asked for this type */
	bool wildcard;     /* ... for all of it */
	bool answered;     /* something was sent since then */
	bool sweep;        /* an item may have nothing left */
};

void xds_shelf_free(struct xds_shelf *shelf);

struct xds_item *xds_shelf_find(const struct xds_shelf *shelf, const char *name);

/* Put names on the shelf that are not there yet; in any order, also twice. */
void xds_shelf_add(struct xds_shelf *shelf, const char *const *names, size_t count);

/* Point each item to what list, sorted by name, has of it; items for new names. */
void xds_shelf_want(struct xds_shelf *shelf, const struct envoy_resource *list,
		    size_t count);

/* Put item on todo unless it is there. */
void xds_shelf_queue(struct xds_shelf *shelf, struct xds_item *item);

/* Free items that stand for nothing any more. */
void xds_shelf_sweep(struct xds_shelf *shelf);

/* The proxy no longer has it, as far as we know. */
void xds_item_forget(struct xds_item *item);
