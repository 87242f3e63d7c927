/* envoy/bootstrap.h - the file that an Envoy starts with: `zonelinkctl bootstrap`.
 *
 * It names the proxy and the zone's xDS server, says by which certificate that server is
 * known and shows the proxy's token; all the rest comes over Delta ADS. The connection is
 * TLS 1.3, or plain HTTP/2 where there is no certificate to know the server by: to a unix
 * socket. The token makes the file a secret.
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
	const char *ca;              /* PEM; NULL: plain HTTP/2 */
	const char *identity;        /* URI in the server's certificate; with ca */
	const char *token;           /* of the proxy; NULL: none */
};

/* Append the bootstrap as YAML or as JSON; `envoy -c FILE` takes either as it is. Node
 * id is "<mesh>.<name>", or "<name>" without a mesh. */
void envoy_bootstrap_yaml(const struct envoy_bootstrap *bootstrap, struct zl_buf *out);
void envoy_bootstrap_json(const struct envoy_bootstrap *bootstrap, struct zl_buf *out);
