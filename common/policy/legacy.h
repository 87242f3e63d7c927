/* policy/legacy.h - Timeout, Retry, HealthCheck, CircuitBreaker and TrafficLog: what they
 * say about a destination that a TrafficRoute owns (policies-spec 4).
 *
 * Threads:  pure.
 * Lifetime: in the arena of resolving.
 */
#pragma once

#include "policy/about.h"

/* Fill in the legacy of about, the destination of outbound. Warns of those that do not
 * reach it. */
void legacy_about(struct resolving *at, const struct outbound_route *outbound,
		  struct about *about);
