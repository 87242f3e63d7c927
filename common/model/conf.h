/* model/conf.h - what the merged `default` of policies says.
 *
 * Policies that attach to routes say what they say in a `default`, of which that of the
 * policy of greater precedence wins member by member (RFC 7396); so confs are merged as
 * trees, and read once that is done.
 *
 * Threads:  pure.
 * Lifetime: results live in the arena; texts and trees in them may be those of the tree
 *           that was read, which must live as long.
 */
#pragma once

#include "model/resource.h"

/* Read merged, the `default` of a policy of kind (kind_attaches): a struct timeout_conf,
 * retry_conf, health_conf, breaker_conf, log_conf or permission_conf. Never NULL: what is
 * not understood counts as not written. */
const void *conf_read(enum kind kind, const struct tree *merged, struct zl_arena *arena);

/* What a legacy policy says in the words of the kind that replaces it, for what carries
 * this protocol ("tcp", "http", "http2", "grpc"): a tree that conf_read takes as
 * kind_replaces says. mesh: for the backends of a TrafficLog. NULL: it says nothing of
 * it, as a TrafficLog whose backend the mesh has not. Texts may be those of policy. */
const struct tree *conf_of_legacy(const struct resource *policy, const char *protocol,
				  const struct mesh_spec *mesh, struct zl_arena *arena);

/* KIND_TIMEOUT -> KIND_MESH_TIMEOUT and so on. */
enum kind kind_replaces(enum kind legacy);
