/* wire/pair.h - one connection through a gate: the peer's side, and the inner one that
 * leads to nng.
 *
 * nng 1.5.2 stands neither a peer that goes away while they greet each other nor one that
 * goes in the middle of a message. So the inner side is connected when the peer has
 * greeted, and whatever the peer does, it stays until nng is through with its greeting;
 * only whole messages are handed on, in either direction; and the inner side ends as
 * ending.h says. What a slow side has not taken holds the other one back.
 *
 * Threads:  the loop's.
 * Lifetime: pair_free at any time but from within greeted; ended is the last call.
 *           Private to the room.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct loop;
struct pair;

struct pair_setup {
	struct loop *loop;
	struct bufferevent *outer; /* taken; idle */
	const char *inner;         /* path of nng's listener */
	const uint8_t *header;     /* what the peer said, for nng */
	bool answer;               /* nng's header goes to the peer, who waits for it */
	/* Of a message to nng and from it, with what nng adds; a greater one is its end.
	 */
	size_t inward_max, outward_max;
	bool has_ids; /* messages to nng begin with a request's id, or nng hangs up */
	uint64_t stall_ms; /* a peer that takes nothing for so long; 0: 20000 */
	void (*greeted)(void *arg);
	void (*parted)(void *arg); /* the peer has gone; ended comes later. Or NULL */
	/* It is over. why: a fault of the peer's, or of ours; NULL: a side hung up. */
	void (*ended)(void *arg, const char *why);
	void *arg;
};

struct pair *pair_new(const struct pair_setup *setup);
/* Close both sides at once; after ended or pair_quit. */
void pair_free(struct pair **pairp);

/* Part with the peer, as if it had gone; ended comes when nng can bear it, at once or
 * soon. */
void pair_part(struct pair *pair);

/* Part with the peer and wait until nng can bear the end, or until_ms on the clock:
 * without the loop. Only pair_free may follow; ended does not come. */
enum { PAIR_QUIT_MS = 2000 };
void pair_quit(struct pair *pair, uint64_t until_ms);
