/* zone/secrets/keeper.h - the contents of the Secrets that this zone has a use for.
 *
 * What global replicates of a Secret is a version. The keeper finds the Secrets that a
 * Mesh with Dataplanes here names, and those that the proxies here need, asks for those
 * whose content it has not, and keeps them sealed in the zone's own store, so that they
 * are there when global is not: also those of a proxy that is away for a while. What
 * nothing names any more is deleted.
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
	/* True if a proxy that is here needs it. */
	bool (*is_needed)(void *owner, const char *mesh, const char *name);
	/* The content of secret has come, and with it all that was asked for. */
	void (*came)(void *owner, const struct resource *secret);
	void *owner;
};

struct keeper *keeper_open(const struct keeper_setup *setup);
void keeper_close(struct keeper **keeperp);

/* The zone knows set now, and its proxies need what is_needed says now. */
void keeper_update(struct keeper *keeper, const struct set *set);

/* Append what stands for the Secret of this mesh and name: its content, or while a new
 * one is on its way the one before. False: there is no such Secret, or no content of it.
 */
bool keeper_read(struct keeper *keeper, const struct set *set, const char *mesh,
		 const char *name, struct zl_buf *content);

/* What global answered: the content of secret, or NULL and why there is none. */
void keeper_take(struct keeper *keeper, const struct sync_secret *secret,
		 const void *content, size_t len, const char *why);

/* The first revision of which a content is still awaited; UINT64_MAX: none. What global
 * has not to give is not awaited. */
uint64_t keeper_awaited(const struct keeper *keeper);

/* How many are needed, and how many of these are not here. */
struct keeper_counts {
	size_t needed, missing;
};
struct keeper_counts keeper_counts(const struct keeper *keeper);
