/* envoy/build.h - what policies mean, as Envoy resources.
 *
 * An outbound is a listener whose filter is only named; what it does (the split) travels
 * as an extension of the listener's name (ECDS). For one that routes by request that is
 * an HTTP connection manager, "<listener>/http", and its route table, of the listener's
 * name, travels by RDS. So the bytes of a listener depend on the outbound alone, and a
 * policy, a weight, a rule or an endpoint that changes cuts no connection.
 * Inbounds are made alike. A builtin gateway has a listener for each port, with a chain
 * for each hostname that it takes TLS for.
 *
 * Each target inside the mesh is an EDS cluster with its load assignment, be it empty; a
 * target outside is a cluster that holds its addresses and starts TLS by itself; what has
 * no target goes to the STATIC cluster "blackhole".
 *
 * Every cluster that an extension or a route table names is in the same config, always,
 * and so is every Secret (SDS) that a cluster or chain names: while a certificate cannot
 * be had or loaded, the cluster has no endpoints, and the chain is not there (K18).
 *
 * Who may connect to an inbound stands in front of it as "<listener>/rbac" (ECDS), and in
 * the names that its TLS takes (SDS).
 *
 * In a mesh with mTLS targets inside it are asked for by name and identity, and inbounds
 * take only who has one of the mesh (kinds-spec 1); identity and roots come by SDS, so
 * that a new certificate changes nothing else. A proxy without an identity serves nothing
 * and has no way to anything, unless plain connections are taken too (PERMISSIVE). An
 * inbound whose application would be its own listener leads to the blackhole too.
 *
 * A zone proxy has one listener, whose chains tell connections apart by the server name
 * that they ask for, and a cluster for each service, or subset, of each mesh.
 *
 * Pure: equal routes, an equal Dataplane and equal contents give equal bytes.
 *
 * Threads:  pure; configs are counted without atomics, see config.h.
 * Lifetime: the result owns all it needs; the caller holds it.
 */
#pragma once

/* What travels to the zone as access logs (OTLP) has one of these attributes: the address
 * to which the body is to be written, as a line; or the listener of the inbound at which
 * somebody was denied, or would be, whose body is a list of "client", "termination",
 * "failure", "shadow" and "inbound". */
#define ENVOY_LOG_ADDRESS "address"
#define ENVOY_LOG_DENIAL "denial"

#include "envoy/config.h"
#include "policy/routes.h"

#include "base/mem.h"

/* Who a proxy is, in PEM. */
struct envoy_identity {
	struct zl_buf chain, key;
	struct zl_buf roots; /* of its mesh: whom it trusts */
};

/* Who a proxy is to be in a mesh that has mTLS. */
struct envoy_holder {
	const char *mesh_name;
	const struct mesh_spec *mesh;
	const char *const *uris; /* sorted */
	size_t uri_count;
};

/* Where the contents of Secrets are to be had. */
struct envoy_secrets {
	/* Append the content of the Secret of this mesh and name. False: it is not here.
	 */
	bool (*read)(void *owner, const char *mesh, const char *name,
		     struct zl_buf *content);
	/* Append the identity of holder. False: it has none yet. NULL: it comes from
	 * elsewhere, and is only named. */
	bool (*identity)(void *owner, const struct envoy_holder *holder,
			 struct envoy_identity *out);
	void *owner;
};

/* The config of routes->proxy, a Dataplane. secrets NULL: none is to be had. What Envoy
 * would refuse is left out: addresses that are no IP (D24 is the caller's to resolve),
 * and the second of two listeners on one address and port. */
struct envoy_config *envoy_build_proxy(const struct routes *routes,
				       const struct envoy_secrets *secrets);

/* Files that Envoy cannot open: a resource that names one is refused whole (P15). */
struct envoy_mute {
	const char *const *paths; /* "": every file */
	size_t count;
};
/* The same, but nothing is written to these files: neither access logs nor events of
 * health checks. */
struct envoy_config *envoy_build_muted(const struct routes *routes,
				       const struct envoy_secrets *secrets,
				       const struct envoy_mute *mute);

/* The SDS name of the identity of a proxy of mesh; in arena. */
const char *envoy_identity_name(const char *mesh, struct zl_arena *arena);

/* The names of the Secrets, of the proxy's mesh, that the config of routes has a use for,
 * whether they are to be had or not: a NUL behind each, some perhaps twice. Appends. */
void envoy_secrets_named(const struct routes *routes, struct zl_buf *names);

/* The config of routes->proxy, a ZoneIngress: one listener with a chain for each server
 * name, which is all that the chain tells, so that others may come and go. Where its
 * connections lead travels by ECDS. Without a passage, as while no mesh has mTLS, there
 * is no listener; nor if its address is no IP. */
struct envoy_config *envoy_build_ingress(const struct zone_routes *routes);

/* The same of a ZoneEgress. Connections to what is outside end in the chain, with the
 * identity of the egress in their mesh, and have no chain while that is not to be had;
 * the cluster starts the TLS of the other end. */
struct envoy_config *envoy_build_egress(const struct zone_routes *routes,
					const struct envoy_secrets *secrets);

/* As envoy_secrets_named, but each name is the mesh, a NUL, the Secret and a NUL. */
void envoy_zone_secrets_named(const struct zone_routes *routes, struct zl_buf *names);
