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

/* One for each place of a schema, see struct schema. */
void check_mesh(struct decode *dec, const struct tree *tree, const struct path *at,
		const void *made);
void check_mesh_mtls(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made);
void check_mesh_backend(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made);

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
void check_backend_ref(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made);

void check_secret(struct decode *dec, const struct tree *tree, const struct path *at,
		  const void *made);

/* Complete a struct target_ref: proxyTypes, has_labels, the alias _port. */
void finish_ref(struct decode *dec, const struct tree *tree, void *made);
