/* wire/greet.h - from a connected socket to a peer that is known and has greeted.
 *
 * TLS, then the SP header, under one deadline. A greeter serves many of them, one step of
 * one of them a turn of the loop: however many strangers there are, what else the loop
 * has to do waits for the arithmetic of one of them only.
 *
 * Threads:  the loop's.
 * Lifetime: greets are freed, or taken, before their greeter; from any of their handlers
 *           too. Private to the room.
 */
#pragma once

#include "pki/authority.h"

#include <stdbool.h>
#include <stdint.h>

struct bufferevent;
struct greet;
struct greeter;
struct loop;
struct pki_tls;

struct greeter *greeter_new(struct loop *loop);
void greeter_free(struct greeter **greeterp);
/* How many could go on at once, but for others. */
unsigned greeter_waiting(const struct greeter *greeter);

struct greet_setup {
	int fd;              /* taken */
	struct pki_tls *tls; /* borrowed for the call; NULL: in the clear */
	const uint8_t
		*say; /* a client's header; NULL: a server, whose peer speaks first */
	uint64_t ms;  /* for all of it */
	/* The peer has proved who it is; NULL: it showed nothing, or there is no TLS. Who
	 * does not want it, frees the greet and returns false. */
	bool (*proved)(void *arg, const struct pki_facts *facts);
	/* All is well: greet_take. */
	void (*heard)(void *arg, const uint8_t *header);
	/* Free the greet. why is valid during the call. */
	void (*failed)(void *arg, const char *why);
	void *arg;
};

struct greet *greet_new(struct greeter *greeter, const struct greet_setup *setup);
/* Hang up. */
void greet_free(struct greet **greetp);

/* The connection, the caller's; NULL: it cannot be had. The greet is over. */
struct bufferevent *greet_take(struct greet **greetp);
