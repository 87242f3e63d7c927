/* model/schemas.h - the schema of each kind, and the checks they name. Private.
 *
 * Threads:  constant data; pure.
 */
#pragma once

#include "model/decode.h"

extern const struct schema SCHEMA_MESH;
extern const struct schema SCHEMA_ZONE;
extern const struct schema SCHEMA_DATAPLANE;
extern const struct schema SCHEMA_ZONE_INGRESS;
extern const struct schema SCHEMA_MESH_TCP_ROUTE;
extern const struct schema SCHEMA_SECRET;
extern const struct schema SCHEMA_MESH_SERVICE;
extern const struct schema SCHEMA_MESH_MULTI_ZONE_SERVICE;
extern const struct schema SCHEMA_MESH_EXTERNAL_SERVICE;
extern const struct schema SCHEMA_EXTERNAL_SERVICE;
extern const struct schema SCHEMA_MESH_HTTP_ROUTE;
extern const struct schema SCHEMA_TRAFFIC_ROUTE;
extern const struct schema SCHEMA_MESH_GATEWAY;
extern const struct schema SCHEMA_ZONE_EGRESS;
extern const struct schema SCHEMA_MESH_LOAD_BALANCING_STRATEGY;
extern const struct schema SCHEMA_MESH_TIMEOUT;
extern const struct schema SCHEMA_MESH_RETRY;
extern const struct schema SCHEMA_MESH_HEALTH_CHECK;
extern const struct schema SCHEMA_MESH_CIRCUIT_BREAKER;
extern const struct schema SCHEMA_MESH_ACCESS_LOG;
extern const struct schema SCHEMA_MESH_TRAFFIC_PERMISSION;
extern const struct schema SCHEMA_TIMEOUT;
extern const struct schema SCHEMA_RETRY;
extern const struct schema SCHEMA_HEALTH_CHECK;
extern const struct schema SCHEMA_CIRCUIT_BREAKER;
extern const struct schema SCHEMA_TRAFFIC_LOG;
extern const struct schema SCHEMA_TRAFFIC_PERMISSION;

/* What policies share: spec.targetRef, to[].targetRef (of struct target_ref; with the
 * kinds that are balanced, for MeshLoadBalancingStrategy) and backendRefs[] (of struct
 * backend_ref). */
extern const struct schema TOP_REF_SCHEMA;
extern const struct schema TO_REF_SCHEMA;
extern const struct schema BALANCED_REF_SCHEMA;
extern const struct schema BACKEND_REF_SCHEMA;

/* A header and its value (of struct http_field). */
extern const struct schema HTTP_HEADER_SCHEMA;

/* sources[] and destinations[] of the legacy kinds (of struct tag_selector). */
extern const struct schema TRAFFIC_SOURCE_SCHEMA;
extern const struct schema TRAFFIC_DESTINATION_SCHEMA;

/* One for each place of a schema, see struct schema. */
void check_mesh(struct decode *dec, const struct tree *tree, const struct path *at,
		const void *made);
void check_mesh_mtls(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made);
void check_mesh_backend(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);
void check_mesh_logging(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);
void check_mesh_log(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made);

void check_dataplane(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made);
void check_inbound(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made);
void check_outbound(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made);
void check_outbound_ref(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);
void check_gateway(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made);

void check_ingress(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made);
void check_ingress_networking(struct decode *dec, const struct tree *tree,
			      const struct path *at, const void *made);
void check_egress(struct decode *dec, const struct tree *tree, const struct path *at,
		  const void *made);
void check_egress_networking(struct decode *dec, const struct tree *tree,
			     const struct path *at, const void *made);
void check_available(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made);

void check_route(struct decode *dec, const struct tree *tree, const struct path *at,
		 const void *made);
void check_route_to(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made);
void check_route_default(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made);
void check_top_ref(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made);
void check_to_ref(struct decode *dec, const struct tree *tree, const struct path *at,
		  const void *made);
void check_from_ref(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made);
void check_backend_ref(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made);

void check_http_rule(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made);
void check_http_match(struct decode *dec, const struct tree *tree, const struct path *at,
		      const void *made);
void check_http_path(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made);
void check_http_header(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made);
void check_http_param(struct decode *dec, const struct tree *tree, const struct path *at,
		      const void *made);
void check_http_filter(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made);
void check_http_default(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);
void check_http_to(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made);

void check_balancing(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made);
void check_balancing_to(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);
void check_local_zone(struct decode *dec, const struct tree *tree, const struct path *at,
		      const void *made);
void check_affinity_tag(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);
void check_failover_from(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made);
void check_failover_to(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made);
void check_threshold(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made);

/* A percentage as a number or a text: false for another text, or a wrong type. */
bool percentage_read(const struct tree *tree, double *value);

void check_traffic_route(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made);
void check_traffic_conf(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);
void check_traffic_source(struct decode *dec, const struct tree *tree,
			  const struct path *at, const void *made);
void check_traffic_destination(struct decode *dec, const struct tree *tree,
			       const struct path *at, const void *made);
void check_traffic_split(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made);

void check_mesh_gateway(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);
void check_gateway_selector(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made);
void check_gateway_conf(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);
void check_gateway_listener(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made);

void check_service(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made);
void check_service_selector(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made);
void check_multi_zone(struct decode *dec, const struct tree *tree, const struct path *at,
		      const void *made);
void check_service_port(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);

void check_mesh_external(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made);
void check_external_match(struct decode *dec, const struct tree *tree,
			  const struct path *at, const void *made);
void check_external_endpoint(struct decode *dec, const struct tree *tree,
			     const struct path *at, const void *made);
void check_tls_version(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made);
void check_tls_name(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made);
void check_tls_verification(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made);

void check_external(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made);
void check_external_networking(struct decode *dec, const struct tree *tree,
			       const struct path *at, const void *made);
/* HOST:PORT as ExternalServices have it. NULL, or the text of the violation. */
struct external_host {
	const char *name; /* of name_len bytes, within text */
	size_t name_len;
	uint32_t port;
};
const char *external_host_read(const char *text, struct external_host *host);
void check_external_tls(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);

void check_secret(struct decode *dec, const struct tree *tree, const struct path *at,
		  const void *made);

/* Complete a struct target_ref: proxyTypes, has_labels, the alias _port. */
void finish_ref(struct decode *dec, const struct tree *tree, void *made);
