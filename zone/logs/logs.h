/* zone/logs/logs.h - access logs on their way to the TCP addresses that policies name.
 *
 * Each target has one connection and a bounded queue (lines.h). There are at most
 * LOGS_TARGETS of them: one that is idle makes room for another, else the other's lines
 * are dropped. All that is dropped is counted.
 *
 * Whether a proxy may log to an address is the owner's to say.
 *
 * Threads:  the loop's.
 * Lifetime: logs_close before the loop is closed; views live in the arena given.
 */
#pragma once

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LOGS_TARGETS = 64,
	LOGS_BYTES = 4 << 20,
	LOGS_IDLE_MS = 60000,
	LOGS_REST_MS = 10000
};

struct logs;
struct loop;

struct logs_setup {
	struct loop *loop; /* borrowed */
	size_t max_bytes;  /* of each target's queue; 0: LOGS_BYTES */
	uint64_t idle_ms;  /* 0: LOGS_IDLE_MS */
	uint64_t rest_ms;  /* the longest wait between two attempts; 0: LOGS_REST_MS */
};

struct logs *logs_open(const struct logs_setup *setup);
void logs_close(struct logs **logsp);

/* Write a line, with its newline, to target, "host:port". */
void logs_add(struct logs *logs, const char *target, const char *text, size_t len);

struct logs_view {
	const char *target; /* "other": those that made room, or had none */
	bool connected;
	size_t queued;               /* bytes */
	uint64_t delivered, dropped; /* lines, since the start */
};
/* By age. */
const struct logs_view *logs_views(const struct logs *logs, struct zl_arena *arena,
				   size_t *count);
