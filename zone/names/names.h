/* zone/names/names.h - IP addresses of the host names that Dataplanes and ingresses have
 * in place of addresses (D24).
 *
 * Names are asked for off the loop, a few at a time, and again after again_ms; after
 * retry_ms where there was no answer. The last answer stays until there is another one: a
 * name server that is away takes nothing down. Of several addresses the one that a name
 * had stays, as long as it is among them; else it is the first, IPv4 before IPv6, by
 * number.
 *
 * Threads:  the loop's.
 * Lifetime: names_close before the loop is closed. An address lives until changed is
 *           called for its name, or wanted says no.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct names;
struct resolve_list;

enum { NAMES_AGAIN_MS = 30000, NAMES_RETRY_MS = 5000 };

/* Who is asked; tests have a body of their own. */
struct names_ops {
	/* done is called once, later. NULL: it cannot be asked now. */
	void *(*ask)(struct loop *loop, const char *name,
		     void (*done)(void *arg, const struct resolve_list *list), void *arg);
	void (*end)(void *asked);
};

struct names_setup {
	struct loop *loop;           /* borrowed */
	const struct names_ops *ops; /* NULL: the C library */
	uint64_t again_ms, retry_ms;
	/* name has its first address, or another one. */
	void (*changed)(void *owner, const char *name);
	/* False: name may be forgotten. */
	bool (*wanted)(void *owner, const char *name);
	void *owner;
};

struct names *names_open(const struct names_setup *setup);
void names_close(struct names **namesp);

/* The address of name, as text. NULL: there is none yet; it is being asked for. */
const char *names_address(struct names *names, const char *name);
