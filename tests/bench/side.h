/* One of the two systems that bench-etcd compares: where a value is put, and the watchers
 * that are told of it. Link 0 is the putter's, the others are the watchers'.
 *
 * Threads:  one.  Lifetime: until the program ends.
 */
#pragma once

#include "base/addr.h"

#include <stddef.h>
#include <stdint.h>

enum { WATCHERS_MAX = 200, VALUE_BYTES = 450 };

struct side {
	const char *name;
	size_t watchers;
	int fds[WATCHERS_MAX + 1];
	/* Send value number count. */
	void (*put)(struct side *side, uint64_t count);
	/* Ask for what costs the same but the disk: a value that is only checked; a read.
	 */
	void (*look)(struct side *side, uint64_t count);
	/* Take what lies on a link: the revision that the putter's answer or the
	 * watcher's news names; 0: not complete yet. */
	uint64_t (*take)(struct side *side, size_t link);
	/* Between two values, outside of what is timed. */
	void (*rest)(struct side *side);
	void *state;
};

/* Global, and one zone for each watcher. */
struct side *side_zonelink(const char *const *addresses, size_t count);
/* One server, and so many watchers of it. */
struct side *side_etcd(const char *address, size_t watchers);

/* For both. A failure ends the program. */
int dial(const char *address);
void send_all(int fd, const void *bytes, size_t len);
/* A route as JSON, of the same size for each count. */
size_t value_make(char *out, size_t size, uint64_t count);
