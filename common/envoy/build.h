/* envoy/build.h - what policies mean, as Envoy resources.
 *
 * An outbound is a listener whose one filter is only named; what it does (the split)
 * travels as an extension of the listener's name (ECDS). So the bytes of a listener
 * depend on the outbound alone, and a policy, a weight or an endpoint that changes cuts
 * no connection. Each target is an EDS cluster with its load assignment, be it empty;
 * what has no target goes to the STATIC cluster "blackhole". Inbounds are made alike; the
 * bytes of their listeners depend on the address and port alone.
 *
 * Every cluster that an extension names is in the same config, always. An inbound whose
 * application would be its own listener leads to the blackhole too.
 *
 * Pure: equal routes and an equal Dataplane give equal bytes.
 *
 * Threads:  pure; configs are counted without atomics, see config.h.
 * Lifetime: the result owns all it needs; the caller holds it.
 */
#pragma once

#include "envoy/config.h"
#include "policy/routes.h"

/* The config of routes->proxy, a Dataplane. Outbounds of every protocol are plain TCP.
 * What Envoy would refuse is left out: addresses that are no IP (D24 is the caller's to
 * resolve), and the second of two listeners on one address and port. */
struct envoy_config *envoy_build_proxy(const struct routes *routes);

/* The config of a ZoneIngress. While no mesh has mTLS there is no server name to route
 * by, so it has no chain, and without a chain no listener: an empty config. */
struct envoy_config *envoy_build_ingress(const struct resource *ingress);
