/* zone/logs/denials.h - who was denied at inbounds of the zone, or would be: the last of
 * them, and how many there were.
 *
 * Pure: the time comes in.
 *
 * Threads:  the owner's.
 * Lifetime: new/free; what is handed out is borrowed until the next call.
 */
#pragma once

#include "zone/logs/record.h"

#include <stddef.h>
#include <stdint.h>

enum { DENIALS_KEPT = 1000, DENIALS_COUNTED = 10000 };

struct denials;

struct denial {
	uint64_t time_us; /* since 1970 */
	enum denial_mode mode;
	const char *mesh, *service, *proxy, *inbound, *client, *why;
};

struct denials *denials_new(void);
void denials_free(struct denials **denialsp);

/* Copied. */
void denials_add(struct denials *denials, const struct denial *denial);
/* The newest is number 0; NULL: there are not so many. */
const struct denial *denials_get(const struct denials *denials, size_t number);

/* How many there were since the start, by mesh, service and mode. Of more than
 * DENIALS_COUNTED of these the rest are counted as service "other" of mesh "". */
struct denial_count {
	const char *mesh, *service;
	enum denial_mode mode;
	uint64_t count;
};
const struct denial_count *denials_counts(const struct denials *denials,
					  struct zl_arena *arena, size_t *count);
