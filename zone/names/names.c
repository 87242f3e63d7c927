#include "zone/names/names.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "wire/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { ASKED_MAX = 8 }; /* at one time */

struct name {
	struct names *names;
	char *text; /* owned */
	char address[INET6_ADDRSTRLEN];
	void *asked; /* owned by ops; NULL: not asked for now */
	uint64_t due_ms;
	bool failed; /* the last time */
	UT_hash_handle hh;
};

struct names {
	struct names_setup setup;
	struct name *all; /* by text */
	struct loop_timer *timer;
	unsigned asked;
};

/* ---- the C library ---- */

static void *ask_library(struct loop *loop, const char *name,
			 void (*done)(void *arg, const struct resolve_list *list),
			 void *arg)
{
	struct zl_addr addr = { 0 };

	(void)snprintf(addr.host, sizeof(addr.host), "%s", name);
	return resolve_new(loop, &addr, done, arg);
}

static void end_library(void *asked)
{
	struct resolve *resolve = asked;

	resolve_free(&resolve);
}

static const struct names_ops LIBRARY = { ask_library, end_library };

/* ---- which address ---- */

struct choice {
	int family;
	size_t len;
	unsigned char bytes[sizeof(struct in6_addr)];
};

static bool read_address(const struct sockaddr_storage *from, struct choice *to)
{
	*to = (struct choice){ .family = from->ss_family };
	if (from->ss_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, from, sizeof(in));
		to->len = sizeof(in.sin_addr);
		memcpy(to->bytes, &in.sin_addr, to->len);
	} else if (from->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, from, sizeof(in6));
		to->len = sizeof(in6.sin6_addr);
		memcpy(to->bytes, &in6.sin6_addr, to->len);
	}
	return to->len > 0;
}

static bool is_before(const struct choice *a, const struct choice *b)
{
	if (a->family != b->family)
		return a->family == AF_INET;
	return memcmp(a->bytes, b->bytes, a->len) < 0;
}

/* False: the list has no address that can be dialled. */
static bool choose(const struct resolve_list *list, const char *had,
		   char text[INET6_ADDRSTRLEN])
{
	struct choice best = { 0 };

	for (unsigned i = 0; i < list->count; i++) {
		struct choice at;

		if (!read_address(&list->at[i], &at) ||
		    inet_ntop(at.family, at.bytes, text, INET6_ADDRSTRLEN) == NULL)
			continue;
		if (strcmp(text, had) == 0)
			return true;
		if (best.len == 0 || is_before(&at, &best))
			best = at;
	}
	return best.len > 0 &&
	       inet_ntop(best.family, best.bytes, text, INET6_ADDRSTRLEN) != NULL;
}

/* ---- asking ---- */

static void forget(struct name *name)
{
	struct names *names = name->names;

	HASH_DEL(names->all, name);
	if (name->asked != NULL) {
		names->setup.ops->end(name->asked);
		names->asked--;
	}
	free(name->text);
	free(name);
}

static void soon(struct names *names)
{
	loop_timer_set(names->timer, 0);
}

static void tell_of_failure(struct name *name, const char *why)
{
	if (!name->failed)
		zl_log(ZL_WARN, "names", "a host name has no address",
		       "name=%q err=%q kept=%q", name->text, why, name->address);
	name->failed = true;
}

static void on_answer(void *arg, const struct resolve_list *list)
{
	struct name *name = arg;
	struct names *names = name->names;
	char text[INET6_ADDRSTRLEN];
	bool found = choose(list, name->address, text);
	bool changed = found && strcmp(text, name->address) != 0;

	names->setup.ops->end(name->asked);
	name->asked = NULL;
	names->asked--;
	name->due_ms =
		zl_now_ms() + (found ? names->setup.again_ms : names->setup.retry_ms);
	soon(names);
	if (!found) {
		tell_of_failure(name, list->why);
		return;
	}
	if (name->failed)
		zl_log(ZL_INFO, "names", "a host name has an address again",
		       "name=%q address=%q", name->text, text);
	name->failed = false;
	if (!changed)
		return;
	memcpy(name->address, text, sizeof(text));
	names->setup.changed(names->setup.owner, name->text);
}

static void ask(struct name *name)
{
	struct names *names = name->names;

	name->asked =
		names->setup.ops->ask(names->setup.loop, name->text, on_answer, name);
	if (name->asked != NULL) {
		names->asked++;
		return;
	}
	tell_of_failure(name, "no thread can be had to ask");
	name->due_ms = zl_now_ms() + names->setup.retry_ms;
}

static void on_due(void *arg)
{
	struct names *names = arg;
	uint64_t now = zl_now_ms();
	uint64_t next = UINT64_MAX;
	struct name *at;
	struct name *following;

	HASH_ITER (hh, names->all, at, following) {
		if (at->asked != NULL)
			continue;
		/* Who must wait for others is asked for when one of them is done; whether
		 * it is wanted is looked for then, for that is a long way. */
		if (at->due_ms <= now && names->asked == ASKED_MAX)
			continue;
		if (at->due_ms <= now &&
		    !names->setup.wanted(names->setup.owner, at->text)) {
			forget(at);
			continue;
		}
		if (at->due_ms <= now)
			ask(at);
		if (at->asked == NULL && at->due_ms < next)
			next = at->due_ms;
	}
	if (next != UINT64_MAX)
		loop_timer_set(names->timer, next - now);
}

const char *names_address(struct names *names, const char *text)
{
	struct name *name;

	HASH_FIND_STR(names->all, text, name);
	if (name == NULL) {
		name = zl_alloc(1, sizeof(*name));
		name->names = names;
		name->text = zl_strdup(text);
		HASH_ADD_KEYPTR(hh, names->all, name->text, strlen(name->text), name);
		soon(names);
	}
	return name->address[0] != '\0' ? name->address : NULL;
}

/* ---- life ---- */

struct names *names_open(const struct names_setup *setup)
{
	struct names *names = zl_alloc(1, sizeof(*names));

	names->setup = *setup;
	if (names->setup.ops == NULL)
		names->setup.ops = &LIBRARY;
	names->timer = loop_timer_new(setup->loop, on_due, names);
	return names;
}

void names_close(struct names **namesp)
{
	struct names *names = *namesp;
	struct name *at;
	struct name *following;

	*namesp = NULL;
	if (names == NULL)
		return;
	HASH_ITER (hh, names->all, at, following)
		forget(at);
	loop_timer_free(&names->timer);
	free(names);
}
