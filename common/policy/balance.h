/* policy/balance.h - what MeshLoadBalancingStrategies say of a target: which zones its
 * connections may go to, in which order, and which of the own zone's endpoints are near
 * (kinds-spec 15, spec 6.6).
 *
 * They are looked up for the target of each backend, not for its outbound.
 *
 * Threads:  pure.
 * Lifetime: in the arena of resolving; texts belong to proxy and policies.
 */
#pragma once

#include "policy/routes.h"

struct resolving;

struct balance {
	struct locality locality; /* of all that is said, merged */
	/* For each of locality.tags what the proxy itself has there; NULL: nothing. */
	const char *const *own;
	const struct contributor *policies; /* increasing precedence */
	size_t policy_count;
};

/* Those that select at->proxy and are about backend, whose object and port are known. Of
 * a proxy of a zone, not of a mesh, those of the whole mesh. */
struct balance balance_of(struct resolving *at, const struct backend *backend);

/* Where the endpoints of another zone stand: LEVEL_OUT for nowhere. own is the zone of
 * the proxy; aware: what the mesh says without a policy. */
enum { LEVEL_LAST = 128 /* that Envoy takes */, LEVEL_OUT };
unsigned balance_level(const struct balance *balance, const char *own, const char *zone,
		       bool aware);

/* True if endpoints of the own zone share by groups. */
bool balance_has_groups(const struct balance *balance);
/* Then: let an endpoint of the own zone stand in its group. */
void balance_group(const struct balance *balance, struct endpoint *endpoint,
		   struct zl_arena *arena);

/* Fill in what the target's cluster is to know. */
void balance_tell(const struct balance *balance, struct backend *backend);
