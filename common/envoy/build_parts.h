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

/* What the mesh's mTLS is to this proxy. */
struct trust {
	bool on, permissive;
	bool has_identity;
	const char *identity, *roots; /* SDS names */
	const char *root_text;        /* PEM; NULL: not to be had */
};

struct build {
	struct zl_arena *arena;
	const char *mesh; /* whose Secrets and mTLS are meant */
	struct trust trust;
	bool at_edge; /* strangers connect: a builtin gateway, a zone proxy */
	bool relays;  /* an egress: it hands on what others speak with what is outside */
	const struct routes *routes;
	const struct envoy_secrets *secrets; /* NULL: none is to be had */
	const struct envoy_mute *mute;       /* NULL: all files are written to */
	const struct backend **targets; /* resolved, sorted by cluster, which differ */
	size_t target_count;
	unsigned char *uses;       /* of each target: see build_settings.h */
	const char *blackhole;     /* name of that cluster; NULL until it is needed */
	Envoy__Any *http_one;      /* options packed once for all clusters; NULL until */
	Envoy__Any *http_two;      /* then */
	const struct watch *watch; /* the same */
	struct envoy_resource *items; /* in the order of adding */
	size_t count, room;
	const char **named; /* Secrets that something names; of items, those that
			     * nothing names are left out */
	size_t named_count, named_room;
};

/* ---- build.c ---- */

/* Add a resource. Of two of one type and name the first stays. */
void build_add(struct build *build, enum envoy_type type, const char *name,
	       const ProtobufCMessage *message);
/* The config of all that was added, the first of each name. */
struct envoy_config *build_done(struct build *build);
/* Sort build->targets, one of each cluster. */
void build_sort_targets(struct build *build);
/* What is known of the uses of a target. */
unsigned char *build_uses_of(const struct build *build, const char *cluster);
/* wanted, or wanted with underscores behind it while a target is called so: names of our
 * own clusters and names of services are written with the same letters. */
const char *build_free_name(struct build *build, const char *wanted);
/* Nothing is to be written to this file. */
bool build_is_muted(const struct build *build, const char *path);

/* ---- build_cluster.c ---- */

/* Of a gateway: of each connection. */
enum { EDGE_BUFFER = 32768 };

enum http_version { HTTP_NONE, HTTP_ONE, HTTP_TWO };
/* What an application of this protocol speaks. */
enum http_version build_http_version(const char *protocol);

/* A cluster and a load assignment for each target; the blackhole if something named it.
 */
void build_targets(struct build *build);
/* One of one endpoint; address NULL: of none. settings: what is asked of it, or NULL. */
void build_static_cluster(struct build *build, const char *name, const char *address,
			  uint32_t port, enum http_version version,
			  const struct settings *settings);
Envoy__Cluster *build_cluster_new(struct build *build, const char *name,
				  Envoy__Cluster__DiscoveryType type);
/* With what is asked of its requests. Those to what speaks no HTTP by its own word go by
 * HTTP/1.1, as Envoy does. */
void build_set_http(struct build *build, Envoy__Cluster *cluster,
		    enum http_version version, const struct backend *target);
/* The endpoints of target; names: those with a DNS name as well. *priorities: how many
 * of them there are. */
Envoy__ClusterLoadAssignment *build_assignment(struct build *build,
					       const struct backend *target, bool names,
					       unsigned *priorities);

/* ---- build_watch.c ---- */

/* Let the proxy notice which endpoints of cluster are dead. */
void build_watch(struct build *build, Envoy__Cluster *cluster);
/* This one is not asked every now and then whether it lives. */
void build_trust_in(struct build *build, Envoy__Endpoint *endpoint);

/* ---- build_external.c ---- */

/* The cluster of a target outside the mesh. */
void build_outside(struct build *build, const struct backend *target);
/* One more name that the other end may have; to has room for it. */
void build_expect_name(struct zl_arena *arena, Envoy__CertificateValidationContext *to,
		       Envoy__SubjectAltNameMatcher__SanType type,
		       const struct expected_name *name);

/* ---- build_secret.c ---- */

/* The text of source; NULL: it is not to be had. */
const char *build_content(struct build *build, const struct data_source *source);
/* Resources (SDS) by these names. */
void build_pair_secret(struct build *build, const char *name, const char *chain,
		       const char *key);
void build_roots_secret(struct build *build, const char *name, const char *roots);
/* Roots, and the URIs of which a certificate by them must have one. */
void build_check_secret(struct build *build, const char *name, const char *roots,
			const struct expected_name *names, size_t count);
/* "It comes by SDS, under this name." */
Envoy__SdsSecretConfig *build_secret_ref(struct build *build, const char *name);
/* When all is named, and before build_is_named. */
void build_sort_named(struct build *build);
bool build_is_named(const struct build *build, const char *secret);

/* ---- build_trust.c ---- */

/* Find out, and add the identity and the roots, if they are to be had. Holder without
 * URIs: mTLS is off. */
void build_trust(struct build *build, const struct envoy_holder *holder);
/* TLS to a target inside the mesh, and from others in it. gate: the Secret that says whom
 * to take; NULL: all of the mesh. */
Envoy__TransportSocket *build_mesh_client(struct build *build,
					  const struct backend *target);
Envoy__TransportSocket *build_mesh_server(struct build *build, const char *gate);
/* context, of an upstream or downstream TLS, as a socket. */
Envoy__TransportSocket *build_tls_socket(struct zl_arena *arena,
					 const ProtobufCMessage *context);
/* Of TLS, only the mesh's. */
void build_match_mesh(struct zl_arena *arena, Envoy__FilterChainMatch *match);
/* Let the server name and what is spoken be known before a chain is chosen. */
void build_look_into_tls(struct zl_arena *arena, Envoy__Listener *listener);

/* ---- build_listener.c ---- */

/* The connections of a chain: what is asked of them beside where they go. */
struct stream {
	const struct settings *settings; /* NULL: nothing */
	bool inbound;
	bool of_mesh; /* they have shown a certificate: their targets wait for that */
	const char *destination; /* service: for access logs */
};

extern const struct stream NOTHING_ASKED;

/* A listener, without its chains. */
struct place {
	const char *name, *address;
	uint32_t port;
	Envoy__Listener__TrafficDirection direction;
	const char *tag, *tag_value; /* shown beside tags; NULL: nothing is */
	struct labels tags;          /* shown, without kuma.io/mesh */
};

/* "outbound:127.0.0.1:10001", "outbound:[::1]:10001" */
const char *build_listener_name(struct build *build, const char *direction,
				const char *address, uint32_t port);
/* name in letters that Envoy takes for a name of statistics. */
char *build_stat_prefix(struct build *build, const char *name);
/* A chain of one filter. */
Envoy__FilterChain *build_chain(struct zl_arena *arena, Envoy__Filter *filter);
/* The filter of which only the name and the type are said: the rest comes by ECDS. */
Envoy__Filter *build_filter_by_name(struct zl_arena *arena, const char *name,
				    const char *url);
/* That rest. One name has one type for ever: an old listener that has not gone yet would
 * refuse another, and with it all that comes along. */
void build_extension(struct build *build, const char *name,
		     const ProtobufCMessage *message);
Envoy__Listener *build_listener_new(struct build *build, const struct place *place,
				    size_t chains);
void build_listener(struct build *build, const struct place *place,
		    Envoy__Filter *filter);
/* The extension name: a TcpProxy to these. */
void build_split(struct build *build, const char *name, const char *stat_name,
		 const struct stream *stream, enum unresolved unresolved,
		 const struct backend *backends, size_t count);
/* The same to one cluster. */
void build_passage(struct build *build, const char *name, const char *stat_name,
		   const struct stream *stream, const char *cluster);
/* The name of the blackhole, which is in the config from now on. */
const char *build_blackhole(struct build *build);
/* The cluster of one part of a split. */
char *build_part_cluster(struct build *build, const struct part *part);

/* ---- build_denials.c ---- */

/* The zone is told of who is denied by the mesh's TLS or by RBAC in listener, or would
 * be. */
void build_tell_denials(struct build *build, Envoy__Listener *listener);

/* ---- build_http.c ---- */

/* An HTTP connection manager, whose routes are this table for ever: one that asks for
 * another later never gets it. */
Envoy__HttpConnectionManager *build_http_manager(struct build *build,
						 const char *stat_name, const char *table,
						 const struct stream *stream);
/* The filter that stands for manager in listener; the extension is added. */
Envoy__Filter *build_http_filter(struct build *build, const char *listener,
				 const Envoy__HttpConnectionManager *manager);
Envoy__HeaderMatcher *build_header_matcher(struct zl_arena *arena,
					   const struct http_field *header);
/* The route table of an outbound. */
void build_http_routes(struct build *build, const char *name, const char *called,
		       const struct outbound_route *outbound);
/* One that leads all to one cluster. */
void build_http_passage(struct build *build, const char *name, const char *called,
			const struct stream *stream, const char *cluster);

/* ---- build_permission.c ---- */

/* The filter that keeps out of listener who is not permitted; the extension is added. It
 * judges by the first byte of a client. */
Envoy__Filter *build_permission(struct build *build, const char *listener,
				const struct permission *permission);
/* The Secret by which the TLS of an inbound keeps out most of those before that: else a
 * silent client would be greeted. */
const char *build_gate(struct build *build, const struct inbound_route *inbound);

/* ---- build_outbound.c, build_inbound.c, build_gateway.c ---- */

void build_outbounds(struct build *build);
void build_inbounds(struct build *build);
void build_gateway(struct build *build);

/* ---- build_zone.c ---- */

/* The listener of a zone proxy with room for chains, which is not added yet. */
Envoy__Listener *build_zone_listener(struct build *build, const char *address,
				     uint32_t port, size_t chains);
/* The chain of that listener for a passage, whose extension is added. */
Envoy__FilterChain *build_passage_chain(struct build *build, const char *listener,
					const struct passage *passage);
/* Make the targets of all passages those of build. */
void build_find_passages(struct build *build, const struct zone_routes *routes);
