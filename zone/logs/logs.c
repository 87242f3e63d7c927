#include "zone/logs/logs.h"

#include "base/log.h"
#include "zone/logs/sink.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define OTHER "other"

struct target {
	UT_hash_handle hh;
	struct sink *sink; /* owned */
	char name[];
};

struct logs {
	struct logs_setup setup;
	struct target *targets;      /* owned, by name */
	uint64_t delivered, dropped; /* by targets that are not there */
};

struct logs *logs_open(const struct logs_setup *setup)
{
	struct logs *logs = zl_alloc(1, sizeof(*logs));

	logs->setup = *setup;
	if (logs->setup.max_bytes == 0)
		logs->setup.max_bytes = LOGS_BYTES;
	if (logs->setup.idle_ms == 0)
		logs->setup.idle_ms = LOGS_IDLE_MS;
	if (logs->setup.rest_ms == 0)
		logs->setup.rest_ms = LOGS_REST_MS;
	return logs;
}

static void forget(struct logs *logs, struct target *target)
{
	const struct lines *lines = sink_lines(target->sink);

	logs->delivered += lines->delivered;
	logs->dropped += lines->dropped;
	HASH_DEL(logs->targets, target);
	sink_close(&target->sink);
	free(target);
}

void logs_close(struct logs **logsp)
{
	struct logs *logs = *logsp;

	*logsp = NULL;
	if (logs == NULL)
		return;
	struct target *target = logs->targets;
	HASH_CLEAR(hh, logs->targets); /* leaves them linked */
	while (target != NULL) {
		struct target *next = target->hh.next;
		sink_close(&target->sink);
		free(target);
		target = next;
	}
	free(logs);
}

/* One that is idle makes room for the newest. False: the others are busy. */
static bool make_room(struct logs *logs, const struct target *newest)
{
	struct target *at = logs->targets;

	if (HASH_COUNT(logs->targets) <= LOGS_TARGETS)
		return true;
	while (at != NULL && (at == newest || !sink_is_idle(at->sink)))
		at = at->hh.next;
	if (at != NULL)
		forget(logs, at);
	return at != NULL;
}

static struct target *add_target(struct logs *logs, const char *name,
				 const struct zl_addr *addr)
{
	const struct sink_setup setup = { .loop = logs->setup.loop,
					  .target = name,
					  .addr = addr,
					  .max_bytes = logs->setup.max_bytes,
					  .idle_ms = logs->setup.idle_ms,
					  .rest_ms = logs->setup.rest_ms };
	struct target *target = zl_alloc(1, sizeof(*target) + strlen(name) + 1);

	memcpy(target->name, name, strlen(name) + 1);
	target->sink = sink_open(&setup);
	HASH_ADD_STR(logs->targets, name, target);
	return target;
}

/* NULL: it is no address, or there are too many. */
static struct target *open_target(struct logs *logs, const char *name)
{
	struct zl_err err = { 0 };
	struct zl_addr addr;

	if (zl_addr_parse(name, &addr, &err) == ZL_OK && !addr.is_unix) {
		struct target *target = add_target(logs, name, &addr);
		if (make_room(logs, target))
			return target;
		forget(logs, target);
	}
	if (logs->dropped == 0)
		zl_log(ZL_WARN, "logs", "no room for a target of access logs",
		       "target=%q most=%d", name, LOGS_TARGETS);
	return NULL;
}

void logs_add(struct logs *logs, const char *name, const char *text, size_t len)
{
	struct target *target;

	HASH_FIND_STR(logs->targets, name, target);
	if (target == NULL)
		target = open_target(logs, name);
	if (target == NULL)
		logs->dropped++;
	else
		sink_add(target->sink, text, len);
}

const struct logs_view *logs_views(const struct logs *logs, struct zl_arena *arena,
				   size_t *count)
{
	struct logs_view *views =
		zl_arena_alloc(arena, HASH_COUNT(logs->targets) + 1, sizeof(*views));

	*count = 0;
	for (const struct target *at = logs->targets; at != NULL; at = at->hh.next) {
		const struct lines *lines = sink_lines(at->sink);
		views[(*count)++] =
			(struct logs_view){ zl_arena_strdup(arena, at->name),
					    sink_is_connected(at->sink), lines->bytes,
					    lines->delivered, lines->dropped };
	}
	if (logs->delivered > 0 || logs->dropped > 0)
		views[(*count)++] = (struct logs_view){ .target = OTHER,
							.delivered = logs->delivered,
							.dropped = logs->dropped };
	return views;
}
