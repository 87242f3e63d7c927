/* convert/policies.h - the policies that take the place of Timeout, Retry, HealthCheck,
 * CircuitBreaker, TrafficLog and TrafficPermission (policies-spec 4).
 *
 * Each becomes one document of the kind that replaces it, of the same name, for each of
 * its sources (of a TrafficPermission for each of its destinations). What they set is the
 * same on the routes of TrafficRoutes, as long as one legacy policy of a kind is about
 * each; it is in effect on routes of MeshTCPRoutes and MeshHTTPRoutes as well.
 *
 * A policy that cannot be said stays, and a note says why: nothing is dropped silently.
 *
 * Pure: the same set gives the same policies and notes, in the same order.
 *
 * Threads:  pure.
 * Lifetime: in the arena, and as long as the set.
 */
#pragma once

#include "model/set.h"

struct policy_note {
	const struct resource *policy; /* a legacy one */
	const char *text;
	bool kept; /* not converted: the legacy policy must stay */
};

struct converted_policy {
	const struct resource *from; /* a legacy one */
	struct resource *made;       /* held */
};

struct policy_conversion {
	const struct converted_policy *policies; /* by kind, mesh and name of from */
	size_t count;
	const struct policy_note *notes; /* in the same order */
	size_t note_count;
	size_t kept_count; /* of the notes */
};

struct policy_conversion convert_policies(const struct set *set, struct zl_arena *arena);
void policy_conversion_drop(struct policy_conversion *conversion);
