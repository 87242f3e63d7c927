/* zone/secrets/keeper.h - the contents of the Secrets that this zone has a use for.
 *
 * What global replicates of a Secret is a version. The keeper finds the Secrets that a
 * Mesh with Dataplanes here names, asks for those whose content it has not, and keeps
 * them sealed in the zone's own store, so that they are there when global is not. What is
 * of no use any more is deleted.
 *
 * Threads:  the loop's.
 * Lifetime: keeper_close before the store is closed.
 */
#pragma once

#include "model/set.h"
#include "secrets/secrets.h"
#include "sync/sync.h"

struct keeper;

struct keeper_setup {
	struct secrets secrets;
	const char *zone; /* borrowed */
	/* Ask global for these, and for no others. */
	void (*want)(void *owner, const struct sync_secret *list, size_t count);
	void *owner;
};

struct keeper *keeper_open(const struct keeper_setup *setup);
void keeper_close(struct keeper **keeperp);

/* The zone knows set now, which is kept until the next call. */
void keeper_update(struct keeper *keeper, const struct set *set);

/* What global answered: the content of secret, or NULL and why there is none. */
void keeper_take(struct keeper *keeper, const struct sync_secret *secret,
		 const void *content, size_t len, const char *why);

/* How many are needed, and how many of these are not here. */
struct keeper_counts {
	size_t needed, missing;
};
struct keeper_counts keeper_counts(const struct keeper *keeper);
