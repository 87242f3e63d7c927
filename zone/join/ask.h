/* zone/join/ask.h - one HTTPS request, on a thread of its own.
 *
 * Names are resolved and the answer is awaited there, within one deadline for all of it,
 * so the loop never waits. Private to the room.
 *
 * Threads:  the loop's.
 * Lifetime: ask_free at any time, also from done: a thread that is still at work ends by
 *           itself.
 */
#pragma once

#include "base/addr.h"

#include <stddef.h>
#include <stdint.h>

struct ask;
struct loop;
struct pki_tls;

enum { ASK_ANSWER = 256 << 10 };

struct ask_setup {
	const struct zl_addr *addr; /* copied, as the texts */
	struct pki_tls *tls;        /* held; knows who has to answer */
	const char *path;           /* of a POST */
	const char *body;           /* JSON; wiped after use */
	uint64_t deadline_ms;
};

struct ask_answer {
	unsigned status; /* 0: there is no answer, and why says so */
	const char *body;
	size_t len;
	const char *why;
};

/* done comes once. NULL: no thread can be had. */
struct ask *ask_new(struct loop *loop, const struct ask_setup *setup,
		    void (*done)(void *arg, const struct ask_answer *answer), void *arg);
void ask_free(struct ask **askp);
