/* policy/refs.h - the references of routes: what they ask for, and how it is told.
 *
 * Threads:  pure.
 * Lifetime: texts live in the arena.
 */
#pragma once

#include "model/resource.h"

/* Of a MeshTCPRoute, a MeshHTTPRoute, a MeshLoadBalancingStrategy or one of
 * kind_attaches: spec.targetRef, how many items spec.to has, and the targetRef of one. */
const struct target_ref *route_top(const struct resource *route);
size_t route_to_count(const struct resource *route);
const struct target_ref *route_to(const struct resource *route, size_t to);

/* True for the kinds that say where traffic goes: MeshTCPRoute and MeshHTTPRoute. */
bool route_is_route(const struct resource *policy);

/* Where the refs of a policy look that name no namespace: its own, or "", any, for one
 * that stands above all (spec 5.4, D19). */
const char *route_namespace(const struct resource *policy);

/* True if ref is one that finds a tag service by its name; else it asks for a real
 * object (D32). */
bool ref_is_by_name(const struct target_ref *ref);

/* Why ref finds nothing: `no MeshService "x" with port 80 in mesh "default"`. */
const char *ref_missing(const struct target_ref *ref, const char *mesh,
			struct zl_arena *arena);

/* The same where only an object would do. */
const char *ref_missing_object(const struct target_ref *ref, const char *mesh,
			       struct zl_arena *arena);

/* "{a: b, c: d}" */
const char *labels_text(struct labels labels, struct zl_arena *arena);
