/* global/liveness/keeper.h - the conditions of zones (D13) at work: decided from what the
 * hub hears and from what other zones' probes say, written into the status of the Zones.
 *
 * A condition is a revision like any other, so all zones act on the same word; there is
 * one only when it changes. Zones that offer nothing to others are left alone.
 *
 * Threads:  the loop's.
 * Lifetime: keeper_close before the hub and the store are closed.
 */
#pragma once

#include "global/replication/hub.h"
#include "liveness/liveness.h"

struct keeper;
struct loop;
struct store;

struct keeper_setup {
	struct loop *loop; /* borrowed, as store and hub */
	struct store *store;
	const struct hub *hub;
	struct liveness_rules rules;
	/* What is known now, and where it stands; borrowed for the call. */
	const struct set *(*set)(void *owner);
	struct position (*position)(void *owner);
	void *owner;
};

struct keeper *keeper_open(const struct keeper_setup *setup);
void keeper_close(struct keeper **keeperp);

/* What an operator should know of a zone that is not as it should be: that nothing is
 * heard of it, or that it is heard but does not move. False: there is nothing to tell. */
bool keeper_tell(const struct keeper *keeper, const char *zone, struct zl_buf *out);
