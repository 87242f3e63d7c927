/* wire/refusal.h - who was refused, counted by reason, and told without a flood.
 *
 * A line of the log for each reason and second, with how many there were: a storm of
 * strangers must not fill the log.
 *
 * Threads:  the loop's.
 * Lifetime: refusals_free before the loop is closed. Private to the room.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct loop;
struct refusals;

struct refusals *refusals_new(struct loop *loop);
void refusals_free(struct refusals **refusalsp);

/* peer: its address; zone: what it said it is, "" if nothing. */
void refusals_note(struct refusals *refusals, const char *why, const char *peer,
		   const char *zone);

uint64_t refusals_total(const struct refusals *refusals);
/* The reasons so far, from 0; NULL: no more. The text stays. */
const char *refusals_at(const struct refusals *refusals, size_t index, uint64_t *count);
