/* zone/proxies/serving.h - does a ZoneEgress take connections?
 *
 * It does once its Envoy has acknowledged its listener. An Envoy whose stream ends goes
 * on with what it has and comes back within a second; only if it does not is it taken for
 * gone. A zone that starts knows nothing of the Envoys that were there before it, and
 * takes all for serving for as long as they may need to come back.
 *
 * Pure: what happens and the time come in, the answer goes out.
 *
 * Threads:  pure.
 */
#pragma once

#include "zone/xds/xds.h"

enum {
	SERVING_BACK_MS = 1000,  /* until an Envoy whose stream ended is here again */
	SERVING_START_MS = 5000, /* until one is, and has acknowledged, after a start */
};

enum serving_event {
	SERVING_STARTED, /* the zone, which knew of the egress already */
	SERVING_CAME,    /* a stream of its Envoy */
	SERVING_HEARD,   /* the Envoy has its listener */
	SERVING_BARE,    /* the Envoy has none, or one at another place */
	SERVING_LEFT,    /* the last stream of its Envoy ended */
	SERVING_PASSED,  /* some time */
};

struct serving {
	bool on;
	uint64_t until_ms; /* on: and no longer, if nothing is heard; 0: for good */
};

/* True if on is another now. */
bool serving_take(struct serving *serving, enum serving_event event, uint64_t now_ms);

/* True if its Envoy, whose resources are list, has a listener that stays: of an egress
 * that moves, the one at its last place goes only once the next is there. */
bool serving_is_heard(const struct xds_resource_status *list, size_t count);
