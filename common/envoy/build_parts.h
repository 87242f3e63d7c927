/* envoy/build_parts.h - the parts that envoy_build_proxy is made of.
 *
 * Private to the room.
 *
 * Threads:  one build belongs to one thread.
 * Lifetime: all in build->arena, which ends with the build.
 */
#pragma once

#include "envoy/build.h"
#include "envoy/pb.h"

#include "base/mem.h"

struct build {
	struct zl_arena *arena;
	const struct routes *routes;
	const struct backend **targets; /* resolved, sorted by cluster, which differ */
	size_t target_count;
	const char *blackhole;        /* name of that cluster; NULL until it is needed */
	Envoy__Any *http2;            /* packed once for all clusters; NULL until then */
	struct envoy_resource *items; /* in the order of adding */
	size_t count, room;
};

/* Add a resource. Of two of one type and name the first stays. */
void build_add(struct build *build, enum envoy_type type, const char *name,
	       const ProtobufCMessage *message);
/* wanted, or wanted with underscores behind it while a target is called so: names of our
 * own clusters and names of services are written with the same letters. */
const char *build_free_name(struct build *build, const char *wanted);

/* Find the targets of all outbounds. */
void build_find_targets(struct build *build);
/* A cluster and a load assignment for each target; the blackhole if something named it.
 */
void build_targets(struct build *build);
void build_static_cluster(struct build *build, const char *name, const char *address,
			  uint32_t port); /* address NULL: no endpoint */

void build_outbounds(struct build *build);
void build_inbounds(struct build *build);
