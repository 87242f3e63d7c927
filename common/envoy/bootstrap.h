/* envoy/bootstrap.h - the file that an Envoy starts with: `zonelinkctl bootstrap`.
 *
 * It names the proxy and the zone's xDS server and holds nothing else; all the rest comes
 * over Delta ADS. The connection is plain HTTP/2 to a loopback address or a unix socket;
 * TLS and the token belong into the one static cluster (bootstrap.c, ads_cluster).
 *
 * Threads:  pure.
 * Lifetime: nothing is kept.
 */
#pragma once

#include "base/addr.h"
#include "base/mem.h"

struct envoy_bootstrap {
	const char *mesh; /* "" for a ZoneIngress */
	const char *name;
	const char *service;         /* node.cluster; "" or NULL: name */
	struct zl_addr ads;          /* of the xDS server; host may be a DNS name */
	const struct zl_addr *admin; /* borrowed; NULL: 127.0.0.1:9901 */
};

/* Append the bootstrap as YAML or as JSON; `envoy -c FILE` takes either as it is. Node
 * id is "<mesh>.<name>", or "<name>" without a mesh. */
void envoy_bootstrap_yaml(const struct envoy_bootstrap *bootstrap, struct zl_buf *out);
void envoy_bootstrap_json(const struct envoy_bootstrap *bootstrap, struct zl_buf *out);
