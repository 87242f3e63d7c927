/* zone/logs/sink.h - the one connection to a receiver of access logs.
 *
 * It is made when there is a line, again and again until it is there, and closed when
 * there was no line for a while. What the receiver says is read and not looked at.
 *
 * Private to the room.
 *
 * Threads:  the loop's.
 * Lifetime: sink_close before the loop is closed.
 */
#pragma once

#include "zone/logs/lines.h"

#include "base/addr.h"

struct loop;
struct sink;

struct sink_setup {
	struct loop *loop;  /* borrowed */
	const char *target; /* for the log; copied, as addr */
	const struct zl_addr *addr;
	size_t max_bytes;
	uint64_t idle_ms, rest_ms; /* rest: the longest one between two attempts */
};

struct sink *sink_open(const struct sink_setup *setup);
/* Lines that are left are lost, which the log says. */
void sink_close(struct sink **sinkp);

void sink_add(struct sink *sink, const char *text, size_t len);
/* It has neither lines nor a connection. */
bool sink_is_idle(const struct sink *sink);
bool sink_is_connected(const struct sink *sink);
const struct lines *sink_lines(const struct sink *sink);
