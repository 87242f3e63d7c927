/* policy/routes.h - what policies mean for one proxy: the result of policy_resolve.
 *
 * Plain values, without a decision left to take but two, which split_of takes: what an
 * unresolved backend does, and that equal clusters are one.
 *
 * Threads:  pure.
 * Lifetime: in the arena given to policy_resolve. Texts belong to the proxy, the index
 *           and the inventory that were resolved, which must be held as long.
 */
#pragma once

#include "model/resource.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum via { VIA_DIRECT, VIA_INGRESS, VIA_EGRESS, VIA_EXTERNAL };
const char *via_name(enum via via); /* "direct" */

struct endpoint {
	const char *zone;
	const char
		*address; /* an IP address, or a DNS name where one was written (D24) */
	uint32_t port;
	uint64_t weight; /* 1..2^32-1; so is the sum of each priority */
	unsigned priority;
	enum via via;
	struct labels tags; /* with kuma.io/service, kuma.io/zone; via ingress: those
			     * that all instances behind it have in common */
	/* By a MeshLoadBalancingStrategy: "rack=r1", the group that it is in, and the
	 * group's weight beside the others of its priority, where backend.by_group. NULL:
	 * in none, as all of another zone, which are one group together. */
	const char *sub_zone;
	uint64_t group_weight;
};

struct contributor {
	const struct resource *policy;
	size_t to; /* index in its spec.to; of a TrafficRoute 0 */
};

/* ---- what policies that attach to routes say ---- */

enum setting_source {
	SOURCE_DIRECT,    /* of a listener or an inbound */
	SOURCE_OWN,       /* of a backend: an entry names its service */
	SOURCE_INHERITED, /* an entry names the destination that leads there */
	SOURCE_MESH       /* an entry is about the whole mesh */
};
const char *setting_source_name(enum setting_source source); /* "own"; "" for direct */

enum attached_list { LIST_TO, LIST_FROM, LIST_RULES, LIST_LEGACY };
const char *attached_list_name(enum attached_list list); /* "to"; legacy: "conf" */

/* One field that is in effect. */
struct applied {
	enum kind kind;            /* "MeshTimeout", also what a Timeout says */
	const char *field;         /* dotted, below default: "http.requestTimeout" */
	const struct tree *value;  /* as written */
	struct contributor policy; /* whose value won; to: index in list */
	enum attached_list list;
	enum setting_source source;
	const char *from; /* inherited: from the destination of this name; else "" */
};

/* All that is in effect at one place; what does not apply there is not in it. NULL:
 * nothing is said. */
struct settings {
	const struct timeout_conf *timeout;
	const struct retry_conf *retry;
	const struct health_conf *health;
	const struct breaker_conf *breaker;
	const struct log_conf *log;
	/* By kind, then field. The confs have more: what is shown where it has its effect
	 * (idleTimeout, of an HTTP listener), and what switches off. */
	const struct applied *applied;
	size_t applied_count;
};

/* ---- where traffic goes ---- */

/* One target of traffic. Weight 0: no cluster, no endpoints, not resolved, reason says
 * "weight 0". */
struct backend {
	enum ref_kind kind; /* as written */
	const char *name,
		*ns;        /* as written; of a ref by labels: of what it found, or "" */
	struct labels tags; /* of a subset; without kuma.io/service */
	struct labels labels; /* of a ref by labels */
	uint64_t weight;      /* verbatim */
	bool resolved;
	const char *reason;            /* not resolved: why; "" otherwise */
	const struct resource *object; /* the service object; NULL: a tag service */
	const char *section;           /* of the object's port, canonical; "" */
	uint32_t port;                 /* its number; 0 */
	const char *cluster;           /* resolved: its name; "" otherwise */
	const char *protocol;          /* of the service or port; "unknown" */
	const struct external_tls
		*outside; /* endpoints are outside the mesh and dialled by the proxy
			   * itself, so they stand in the cluster; NULL: inside */
	bool relayed;     /* outside, by way of an egress: it gets what is spoken there */
	const char *host; /* relayed: the first name that is dialled there; NULL: none */
	/* What the mesh's mTLS asks of connections to it: the server name that they ask
	 * for, and the URIs of which the server must have one. sni NULL: they are plain,
	 * or outside. */
	const char *sni;
	const struct expected_name *names;
	size_t name_count;
	/* The MeshLoadBalancingStrategies about it; increasing precedence. */
	const struct contributor *balancing;
	size_t balancing_count;
	/* Groups of endpoints share by their weights (endpoint.group_weight). */
	bool by_group;
	/* A level of priority is used alone while this many percent of its endpoints,
	 * times their health, cover it; 0: Envoy's own 140. */
	uint32_t overprovisioning;
	const struct endpoint *endpoints; /* sorted by (priority, zone, address, port) */
	size_t endpoint_count;
	/* What holds for its cluster: equal in all backends of one cluster (P4). NULL:
	 * nothing, or it has no cluster. */
	const struct settings *settings;
};

enum route_owner {
	OWNER_DEFAULT,
	OWNER_TCP_ROUTE,
	OWNER_HTTP_ROUTE,
	OWNER_TRAFFIC_ROUTE
};
const char *route_owner_name(enum route_owner owner); /* as in design.md 7 */

/* One match of one rule of an HTTP outbound, in the order they are tried. */
struct request_route {
	const struct http_match *match;
	const struct contributor *from; /* NULL: the rule for all that is left (K14) */
	const struct backend *backends; /* at least one */
	size_t backend_count;
	const struct settings *settings; /* of its route: timeouts, retries; or NULL */
};

struct outbound_route {
	const char *address;
	uint32_t port;
	struct {
		enum ref_kind kind; /* REF_MESH_SERVICE for a tag service */
		const char *name, *ns;
		struct labels
			tags; /* more tags of the outbound; without kuma.io/service */
		struct labels labels;          /* of what labels ask for and is missing */
		bool missing;                  /* an object that was not found (K17) */
		const struct resource *object; /* NULL: a tag service, or missing */
		const char *section;           /* of the object's port; "" */
		uint32_t port;                 /* of a real object; 0: null */
		const char *protocol;          /* "unknown" where no endpoint tells */
	} destination;
	struct labels tags; /* of the outbound as written, {} if by backendRef */
	enum route_owner owner;
	const struct contributor *policies; /* increasing precedence */
	size_t policy_count;
	enum unresolved unresolved;
	/* Connections are HTTP: routed by request (owner MeshHTTPRoute, or an http
	 * destination that nobody owns). */
	bool http;
	const struct request_route *rules; /* of an HTTP outbound; one takes all */
	size_t rule_count;
	const struct backend *backends; /* as in the winning list; at least one, but of an
					 * outbound that MeshHTTPRoute owns none */
	size_t backend_count;
	/* What holds for its listener, the destination's (P3): without connect attempts
	 * where they have no effect (P6). NULL: nothing. */
	const struct settings *settings;
};

const char *gateway_protocol_name(enum gateway_protocol protocol); /* "TCP" */

/* One listener and hostname of a builtin gateway. */
struct listener_route {
	const struct resource *gateway; /* the MeshGateway */
	const struct gateway_listener *listener;
	enum route_owner owner;
	const struct contributor *policies; /* increasing precedence */
	size_t policy_count;
	enum unresolved unresolved;
	const struct backend *backends; /* none: connections are closed */
	size_t backend_count;
	const struct settings *settings; /* as of an outbound */
};

/* ---- who is let in ---- */

/* Clients whose certificate has all of these names; none: every client. */
struct client_set {
	const struct expected_name *names; /* sorted */
	size_t name_count;
};

/* Those of who that are in none of except. */
struct grant {
	struct client_set who;
	const struct client_set *except; /* sorted */
	size_t except_count;
	const struct resource *legacy; /* the TrafficPermission that says so; NULL:
					* MeshTrafficPermissions do */
};

enum permission_mode {
	PERMISSION_PLAIN,    /* the mesh has no mTLS: nobody is asked */
	PERMISSION_ENFORCED, /* some policy selects the inbound */
	PERMISSION_OPEN,     /* none does, and the mesh lets in by default (P9) */
	PERMISSION_DENIED    /* none does: nobody is let in */
};
const char *permission_mode_name(enum permission_mode mode); /* "enforced" */

struct permission {
	enum permission_mode mode;
	const struct grant *allow; /* ENFORCED: sorted, all different; none: nobody */
	size_t allow_count;
	const struct grant *shadow; /* who is let in, and would be denied */
	size_t shadow_count;
	const struct client_set *deny; /* what rules deny, for people */
	size_t deny_count;
	const struct contributor *policies; /* that select the inbound; increasing
					     * precedence */
	const enum attached_list *lists;    /* of each: where its `to` counts */
	size_t policy_count;
};

/* An inbound of the proxy that is served. */
struct inbound_route {
	const struct inbound *inbound;
	const char *address; /* an IP address, or a name as written */
	const char *service, *protocol;
	struct permission permission;
	const struct settings *settings; /* timeouts, breakers, logs; or NULL */
};

/* Why a policy of the mesh applies to the proxy or not: for people. */
struct considered {
	const struct resource *policy;
	bool selected;
	const char *reason; /* "its top-level ref MeshSubset {version: v1} matches inbound
			       8080" */
};

struct routes {
	const struct resource *proxy; /* a Dataplane */
	const char *zone;
	const struct mesh_spec *mesh; /* the proxy's */
	const char *const *uris;      /* of its identity (kinds-spec 1), sorted */
	size_t uri_count;
	const struct outbound_route *outbounds; /* as the Dataplane lists them */
	size_t outbound_count;
	const struct inbound_route *inbounds; /* as the Dataplane lists them, but for
					       * ignored ones */
	size_t inbound_count;
	bool is_gateway; /* a builtin one: it has listeners in place of outbounds */
	const struct listener_route *listeners; /* by port and hostname */
	size_t listener_count;
	const char *const *warnings; /* sorted, all different */
	size_t warning_count;
	const struct considered *considered; /* in policy order; only on request */
	size_t considered_count;
	const char *leads; /* for policy_services */
	size_t leads_len;
};

/* One server name that a zone proxy takes connections for, and where they go. */
struct passage {
	const char *mesh;
	const char *sni; /* differs from those of the others */
	/* Where to: its cluster's name differs per mesh ("default:backend"), and its
	 * endpoints are this zone's (ingress), other zones' ingresses (egress), or
	 * outside (egress). TLS goes through untouched, but that for outside ends here.
	 */
	const struct backend *backend;
};

/* What a ZoneIngress or a ZoneEgress does. */
struct zone_routes {
	const struct resource *proxy;
	const char *zone;
	const struct passage *passages; /* by server name */
	size_t passage_count;
	/* The meshes whose connections end here: an identity for each (egress). */
	const struct zone_mesh {
		const char *name;
		const struct mesh_spec *mesh;
		const char *const *uris; /* "spiffe://<mesh>/zone-egress" */
		size_t uri_count;
	} * meshes; /* by name */
	size_t mesh_count;
	const char *const *warnings; /* sorted, all different */
	size_t warning_count;
};

/* What Envoy is to do with the connections of an outbound (spec 5.3, 5.7, D7, D33):
 * weight 0 dropped, equal clusters joined at the place of the first, unresolved ones
 * joined to one part without a cluster (Blackhole) or dropped (Renormalise). Never empty:
 * where nothing is left, it is one part without a cluster. */
struct part {
	const struct backend *backend; /* the first of its cluster; NULL: the blackhole */
	uint64_t weight;
};
const struct part *split_of(enum unresolved mode, const struct backend *backends,
			    size_t count, struct zl_arena *arena, size_t *part_count);
