/* zone/liveness/prober.h - looks whether zones that global hears nothing of answer at
 * their ingresses: a plain TCP connection to what they advertise, every 2 s.
 *
 * Only zones that global calls Stale or Offline are probed, so a healthy system has no
 * probes. What is found goes to global with the zone's reports, and counts here: a zone
 * that is Offline but answers is not withdrawn here. An ingress that advertises a host
 * name is tried at its address, once that is known.
 *
 * Threads:  the loop's.
 * Lifetime: prober_close before the loop is closed.
 */
#pragma once

#include "liveness/liveness.h"
#include "model/set.h"
#include "sync/sync.h"

struct prober;
struct loop;

struct prober_setup {
	struct loop *loop; /* borrowed */
	const char *zone;  /* this one; borrowed */
	/* What was found is something else now. */
	void (*changed)(void *owner);
	/* The address of a host name, NULL: it has none. May be NULL: no name has. */
	const char *(*address)(void *owner, const char *name);
	void *owner;
};

struct prober *prober_open(const struct prober_setup *setup);
void prober_close(struct prober **proberp);

/* What global says is set now. */
void prober_follow(struct prober *prober, const struct set *set);

/* Zones with a verdict, in arena; *count of them. */
const struct sync_probe *prober_found(const struct prober *prober, struct zl_arena *arena,
				      size_t *count);

/* The Zones that look better from here than what global says of them; the caller holds
 * the result. */
struct set *prober_views(const struct prober *prober);
