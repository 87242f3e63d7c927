#include "envoy/bootstrap.h"

#include "envoy/pb.h"
#include "model/tree.h"

#include <stdarg.h>

#define NODE_HEADER "zonelink-node"
#define MUTATION "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"
#define CODEC "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
#define TLS_SOCKET "envoy.transport_sockets.tls"
#define TLS_CONTEXT "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"

#define ADMIN_HOST "127.0.0.1"
enum { ADMIN_PORT = 9901, ADMIN_MODE = 0600, EXPRESSION_SIZE = 100000 };

/* A map of name, value, name, value, ..., NULL. */
static struct tree *map_of(struct zl_arena *arena, ...)
{
	struct tree *map = tree_map(arena);
	va_list args;
	const char *name;

	va_start(args, arena);
	while ((name = va_arg(args, const char *)) != NULL)
		tree_set(arena, map, name, va_arg(args, struct tree *));
	va_end(args);
	return map;
}

static struct tree *list_of(struct zl_arena *arena, struct tree *item)
{
	struct tree *list = tree_list(arena);

	tree_push(arena, list, item);
	return list;
}

static struct tree *text(struct zl_arena *arena, const char *value)
{
	return tree_text(arena, value);
}

/* mode 0: not said. */
static struct tree *address_tree(struct zl_arena *arena, const struct zl_addr *addr,
				 int mode)
{
	struct tree *pipe;

	if (!addr->is_unix)
		return map_of(arena, "socket_address",
			      map_of(arena, "address", text(arena, addr->host),
				     "port_value", tree_int(arena, addr->port), NULL),
			      NULL);
	pipe = map_of(arena, "path", text(arena, addr->host), NULL);
	if (mode != 0)
		tree_set(arena, pipe, "mode", tree_int(arena, mode));
	return map_of(arena, "pipe", pipe, NULL);
}

static const char *node_id(struct zl_arena *arena, const struct envoy_bootstrap *from)
{
	return from->mesh[0] != '\0'
		       ? zl_arena_format(arena, "%s.%s", from->mesh, from->name)
		       : from->name;
}

static struct tree *node(struct zl_arena *arena, const struct envoy_bootstrap *from)
{
	const char *service = from->service;

	if (service == NULL || service[0] == '\0')
		service = from->name; /* without a cluster Envoy does not start */
	return map_of(arena, "id", text(arena, node_id(arena, from)), "cluster",
		      text(arena, service), "metadata",
		      map_of(arena, "dataplane.mesh", text(arena, from->mesh),
			     "dataplane.name", text(arena, from->name), NULL),
		      NULL);
}

/* Envoy's own back-off grows to 30 s; a zone that restarts is to be found at once. */
static struct tree *grpc_service(struct zl_arena *arena, const char *token)
{
	struct tree *back_off = map_of(arena, "base_interval", text(arena, "0.2s"),
				       "max_interval", text(arena, "2s"), NULL);
	struct tree *service =
		map_of(arena, "envoy_grpc",
		       map_of(arena, "cluster_name", text(arena, ADS_CLUSTER),
			      "authority", text(arena, ADS_AUTHORITY), "retry_policy",
			      map_of(arena, "retry_back_off", back_off, NULL), NULL),
		       NULL);

	if (token != NULL) {
		const char *value = zl_arena_format(arena, "Bearer %s", token);
		struct tree *header = map_of(arena, "key", text(arena, "authorization"),
					     "value", text(arena, value), NULL);
		tree_set(arena, service, "initial_metadata", list_of(arena, header));
	}
	return service;
}

/* No fetch timeout: with one, Envoy reports itself ready without any configuration. */
static struct tree *from_ads(struct zl_arena *arena)
{
	return map_of(arena, "ads", tree_map(arena), "resource_api_version",
		      text(arena, "V3"), "initial_fetch_timeout", text(arena, "0s"),
		      NULL);
}

static struct tree *dynamic(struct zl_arena *arena, const char *token)
{
	return map_of(arena, "ads_config",
		      map_of(arena, "api_type", text(arena, "DELTA_GRPC"),
			     "transport_api_version", text(arena, "V3"),
			     "set_node_on_first_message_only", tree_bool(arena, true),
			     "grpc_services", list_of(arena, grpc_service(arena, token)),
			     NULL),
		      "cds_config", from_ads(arena), "lds_config", from_ads(arena), NULL);
}

static struct tree *set_header(struct zl_arena *arena, const char *key, const char *value)
{
	return map_of(arena, "append",
		      map_of(arena, "header",
			     map_of(arena, "key", text(arena, key), "value",
				    text(arena, value), NULL),
			     "append_action", text(arena, "OVERWRITE_IF_EXISTS_OR_ADD"),
			     NULL),
		      NULL);
}

static struct tree *filter(struct zl_arena *arena, const char *name, struct tree *config)
{
	return map_of(arena, "name", text(arena, name), "typed_config", config, NULL);
}

/* Every stream to the zone says whose it is and shows the token. An access log's could
 * not know either: its configuration comes from the zone, which keeps no token, and it
 * travels on connections of its own. */
static struct tree *say_who(struct zl_arena *arena, const struct envoy_bootstrap *from)
{
	struct tree *mutations =
		list_of(arena, set_header(arena, NODE_HEADER, node_id(arena, from)));

	if (from->token != NULL)
		tree_push(arena, mutations,
			  set_header(arena, "authorization",
				     zl_arena_format(arena, "Bearer %s", from->token)));
	struct tree *config =
		map_of(arena, "@type", text(arena, PB_URL MUTATION), "mutations",
		       map_of(arena, "request_mutations", mutations, NULL), NULL);
	struct tree *filters = list_of(
		arena, filter(arena, "envoy.filters.http.header_mutation", config));

	tree_push(arena, filters,
		  filter(arena, "envoy.filters.http.upstream_codec",
			 map_of(arena, "@type", text(arena, PB_URL CODEC), NULL)));
	return filters;
}

/* HTTP/2 with pings, so that a silent path is noticed. */
static struct tree *http2(struct zl_arena *arena, const struct envoy_bootstrap *from)
{
	struct tree *keepalive = map_of(arena, "interval", text(arena, "20s"), "timeout",
					text(arena, "5s"), NULL);
	struct tree *options =
		map_of(arena, "http2_protocol_options",
		       map_of(arena, "connection_keepalive", keepalive, NULL), NULL);

	return map_of(arena, HTTP_OPTIONS,
		      map_of(arena, "@type", text(arena, PB_URL HTTP_OPTIONS),
			     "explicit_http_config", options, "http_filters",
			     say_who(arena, from), NULL),
		      NULL);
}

/* TLS 1.3 to a server that shows the URI, whatever its address. */
static struct tree *tls(struct zl_arena *arena, const struct envoy_bootstrap *from)
{
	struct tree *root = map_of(arena, "inline_string", text(arena, from->ca), NULL);
	struct tree *name =
		map_of(arena, "san_type", text(arena, "URI"), "matcher",
		       map_of(arena, "exact", text(arena, from->identity), NULL), NULL);
	struct tree *context = map_of(
		arena, "tls_params",
		map_of(arena, "tls_minimum_protocol_version", text(arena, "TLSv1_3"),
		       "tls_maximum_protocol_version", text(arena, "TLSv1_3"), NULL),
		"alpn_protocols", list_of(arena, text(arena, "h2")), "validation_context",
		map_of(arena, "trusted_ca", root, "match_typed_subject_alt_names",
		       list_of(arena, name), NULL),
		NULL);

	return map_of(arena, "name", text(arena, TLS_SOCKET), "typed_config",
		      map_of(arena, "@type", text(arena, PB_URL TLS_CONTEXT),
			     "common_tls_context", context, NULL),
		      NULL);
}

/* The xDS server. */
static struct tree *ads_cluster(struct zl_arena *arena,
				const struct envoy_bootstrap *from)
{
	const struct zl_addr *ads = &from->ads;
	bool fixed = ads->is_unix || zl_is_ip(ads->host);
	struct tree *endpoint =
		map_of(arena, "endpoint",
		       map_of(arena, "address", address_tree(arena, ads, 0), NULL), NULL);
	struct tree *load =
		map_of(arena, "cluster_name", text(arena, ADS_CLUSTER), "endpoints",
		       list_of(arena, map_of(arena, "lb_endpoints",
					     list_of(arena, endpoint), NULL)),
		       NULL);
	struct tree *cluster = map_of(arena, "name", text(arena, ADS_CLUSTER), "type",
				      text(arena, fixed ? "STATIC" : "STRICT_DNS"), NULL);

	if (!fixed) /* unset, localhost became ::1 only */
		tree_set(arena, cluster, "dns_lookup_family",
			 text(arena, "V4_PREFERRED"));
	tree_set(arena, cluster, "connect_timeout", text(arena, "1s"));
	tree_set(arena, cluster, "load_assignment", load);
	if (from->ca != NULL)
		tree_set(arena, cluster, "transport_socket", tls(arena, from));
	tree_set(arena, cluster, "typed_extension_protocol_options", http2(arena, from));
	return cluster;
}

static struct tree *admin(struct zl_arena *arena, const struct zl_addr *addr)
{
	struct zl_addr usual = { .host = ADMIN_HOST, .port = ADMIN_PORT };

	return map_of(arena, "address",
		      address_tree(arena, addr ? addr : &usual, ADMIN_MODE), NULL);
}

/* Envoy refuses a route table with an expression of more than 100 instructions unless it
 * is told otherwise; which are too large is decided when a route is written. */
static struct tree *runtime(struct zl_arena *arena)
{
	struct tree *layers = list_of(
		arena, map_of(arena, "name", text(arena, "zonelink"), "static_layer",
			      map_of(arena, "re2.max_program_size.error_level",
				     tree_int(arena, EXPRESSION_SIZE), NULL),
			      NULL));

	tree_push(arena, layers,
		  map_of(arena, "name", text(arena, "admin"), "admin_layer",
			 tree_map(arena), NULL));
	return map_of(arena, "layers", layers, NULL);
}

/* Whom Envoy tells how many connections each cluster took; what and how often, the zone
 * says. */
static struct tree *loads(struct zl_arena *arena, const char *token)
{
	return map_of(arena, "load_stats_config",
		      map_of(arena, "api_type", text(arena, "GRPC"),
			     "transport_api_version", text(arena, "V3"), "grpc_services",
			     list_of(arena, grpc_service(arena, token)), NULL),
		      NULL);
}

static struct tree *bootstrap_tree(struct zl_arena *arena,
				   const struct envoy_bootstrap *from)
{
	return map_of(
		arena, "node", node(arena, from), "dynamic_resources",
		dynamic(arena, from->token), "cluster_manager", loads(arena, from->token),
		"static_resources",
		map_of(arena, "clusters", list_of(arena, ads_cluster(arena, from)), NULL),
		"admin", admin(arena, from->admin), "layered_runtime", runtime(arena),
		NULL);
}

void envoy_bootstrap_yaml(const struct envoy_bootstrap *bootstrap, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();

	tree_yaml(bootstrap_tree(arena, bootstrap), out);
	zl_arena_free(&arena);
}

void envoy_bootstrap_json(const struct envoy_bootstrap *bootstrap, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();

	tree_json_pretty(bootstrap_tree(arena, bootstrap), out);
	zl_arena_free(&arena);
	zl_buf_char(out, '\n');
}
