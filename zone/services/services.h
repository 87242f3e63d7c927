/* zone/services/services.h - the MeshServices of a zone at work: derived ones are written
 * into the zone's own store, state and identities go to the owner (plan.h).
 *
 * Changes within 20 ms are looked at together. While nothing is known of global's word
 * nothing is derived and nothing goes.
 *
 * Threads:  the loop's.
 * Lifetime: services_close before the store, the registry and the loop are closed; every
 *           job has had its result by then.
 */
#pragma once

#include "store/write.h"
#include "zone/inventory/registry.h"

struct services;
struct loop;

struct services_setup {
	struct loop *loop;   /* borrowed, as all here */
	struct store *store; /* the zone's own */
	const struct registry *registry;
	const char *zone;
	uint64_t grace_ms; /* a derived object outlives its Dataplanes so long */
	/* Is global's word known, or is there no global? */
	bool (*is_known)(void *owner);
	/* What was worked out of MeshServices is something else now. Borrowed. */
	void (*states)(void *owner, const struct set *states);
	void *owner;
};

struct services *services_open(const struct services_setup *setup);
void services_close(struct services **servicesp); /* accepts NULL */

/* The registry is another one now: look soon. */
void services_changed(struct services *services);
/* Submit nothing any more: the process ends. */
void services_halt(struct services *services);
/* Each result of the zone's own store, after the registry has it. True: it was one of
 * these. */
bool services_result(struct services *services, const struct store_result *result);
