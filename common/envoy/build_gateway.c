#include "envoy/build_parts.h"

#include "base/addr.h"
#include "pki/pem.h"

#include <string.h>

/* All that a gateway listens for on one port. */
struct port {
	const struct listener_route *listeners;
	size_t count;
	struct place place;
	const char *service; /* of the gateway */
};

static const char *protocol_name(enum gateway_protocol protocol)
{
	return protocol == GATEWAY_TLS ? "TLS" : "TCP";
}

/* ---- the certificates of a hostname ---- */

struct certificates {
	Envoy__SdsSecretConfig *refs[2]; /* at most one of a kind */
	bool has[PKI_KEY_ECDSA + 1];
	size_t count;
};

/* True if an earlier port has another certificate of this kind in its document. */
static bool is_taken(struct build *build, const struct listener_route *route,
		     enum pki_key kind, const char *text)
{
	const struct listener_route *each;

	for (each = build->routes->listeners; each < route; each++) {
		const struct gateway_listener *other = each->listener;
		if (strcmp(other->hostname, route->listener->hostname) != 0)
			continue;
		for (size_t i = 0; i < other->cert_count; i++) {
			const char *theirs = other->certs[i].text;
			if (other->certs[i].secret[0] == '\0' &&
			    strcmp(theirs, text) != 0 &&
			    pki_pem_pair(theirs, theirs) == kind)
				return true;
		}
	}
	return false;
}

static const char *certificate_name(struct build *build,
				    const struct listener_route *route,
				    const struct data_source *source, enum pki_key kind,
				    const char *text)
{
	const char *type = kind == PKI_KEY_RSA ? "rsa" : "ecdsa";
	const struct gateway_listener *listener = route->listener;

	if (source->secret[0] != '\0')
		return zl_arena_format(build->arena, "cert.%s:secret:%s", type,
				       source->secret);
	if (is_taken(build, route, kind, text))
		return zl_arena_format(build->arena, "cert.%s:inline:%s:%u", type,
				       listener->hostname, listener->port);
	return zl_arena_format(build->arena, "cert.%s:inline:%s", type,
			       listener->hostname);
}

/* One that cannot be had or loaded is left out (K18), and a second one of its kind. */
static void add_certificate(struct build *build, const struct listener_route *route,
			    const struct data_source *source,
			    struct certificates *certificates)
{
	const char *text = build_content(build, source);
	enum pki_key kind = text != NULL ? pki_pem_pair(text, text) : PKI_KEY_NONE;
	const char *name;

	if (kind == PKI_KEY_NONE || certificates->has[kind])
		return;
	name = certificate_name(build, route, source, kind, text);
	build_pair_secret(build, name, text, text);
	certificates->has[kind] = true;
	certificates->refs[certificates->count++] = build_secret_ref(build, name);
}

/* TLS is ended here; NULL: without a certificate it cannot be. */
static Envoy__TransportSocket *tls_end(struct build *build,
				       const struct listener_route *route)
{
	struct zl_arena *arena = build->arena;
	struct certificates certificates = { 0 };
	Envoy__DownstreamTlsContext *context =
		pb_new(arena, &envoy__downstream_tls_context__descriptor);
	Envoy__CommonTlsContext *common =
		pb_new(arena, &envoy__common_tls_context__descriptor);

	for (size_t i = 0; i < route->listener->cert_count; i++)
		add_certificate(build, route, &route->listener->certs[i], &certificates);
	if (certificates.count == 0)
		return NULL;
	common->tls_params = pb_new(arena, &envoy__tls_parameters__descriptor);
	common->tls_params->tls_minimum_protocol_version =
		ENVOY__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_2;
	common->tls_certificate_sds_secret_configs =
		zl_arena_memdup(arena, certificates.refs, sizeof(certificates.refs));
	common->n_tls_certificate_sds_secret_configs = certificates.count;
	context->common_tls_context = common;
	context->require_client_certificate = pb_bool(arena, false);
	return build_tls_socket(arena, &context->base);
}

/* ---- listeners ---- */

static Envoy__FilterChainMatch *match_host(struct zl_arena *arena, const char *hostname)
{
	Envoy__FilterChainMatch *match =
		pb_new(arena, &envoy__filter_chain_match__descriptor);

	match->transport_protocol = zl_arena_strdup(arena, "tls");
	if (strcmp(hostname, "*") == 0)
		return match;
	match->server_names = pb_list(arena, 1);
	match->server_names[match->n_server_names++] = zl_arena_strdup(arena, hostname);
	return match;
}

static Envoy__FilterChain *host_chain(struct build *build, const struct port *port,
				      const struct listener_route *route)
{
	const struct gateway_listener *listener = route->listener;
	const char *name = port->place.name;
	const struct stream stream = { .settings = route->settings, .destination = "*" };
	Envoy__TransportSocket *socket = NULL;
	Envoy__FilterChain *chain;

	if (listener->tls == GATEWAY_TLS_TERMINATE &&
	    (socket = tls_end(build, route)) == NULL)
		return NULL;
	if (listener->protocol == GATEWAY_TLS)
		name = zl_arena_format(build->arena, "%s/%s", name, listener->hostname);
	build_split(build, name, port->service, &stream, route->unresolved,
		    route->backends, route->backend_count);
	chain = build_chain(build->arena,
			    build_filter_by_name(build->arena, name, TCP_PROXY_URL));
	if (listener->protocol == GATEWAY_TLS)
		chain->filter_chain_match = match_host(build->arena, listener->hostname);
	chain->transport_socket = socket;
	return chain;
}

static void add_port(struct build *build, const struct port *port)
{
	struct zl_arena *arena = build->arena;
	Envoy__Listener *listener = build_listener_new(build, &port->place, port->count);

	for (size_t i = 0; i < port->count; i++) {
		Envoy__FilterChain *chain = host_chain(build, port, &port->listeners[i]);
		if (chain != NULL)
			listener->filter_chains[listener->n_filter_chains++] = chain;
	}
	if (listener->n_filter_chains == 0) /* Envoy takes none without */
		return;
	/* Of plain TCP nothing is looked at: it would wait for a client that waits to be
	 * spoken to. */
	if (port->listeners[0].listener->protocol == GATEWAY_TLS)
		build_look_into_tls(arena, listener);
	listener->per_connection_buffer_limit_bytes = pb_u32(arena, EDGE_BUFFER);
	listener->enable_reuse_port = pb_bool(arena, true);
	build_add(build, ENVOY_LISTENER, port->place.name, &listener->base);
}

/* As many of the listeners from here on as share a port. */
static size_t port_length(const struct listener_route *listeners, size_t count)
{
	size_t length = 1;

	while (length < count &&
	       listeners[length].listener->port == listeners[0].listener->port)
		length++;
	return length;
}

void build_gateway(struct build *build)
{
	const struct routes *routes = build->routes;
	const struct dataplane_spec *spec = routes->proxy->dataplane;
	const char *service = labels_get(spec->gateway_tags, TAG_SERVICE);
	size_t length;

	if (!zl_is_ip(spec->address))
		return;
	for (size_t i = 0; i < routes->listener_count; i += length) {
		const struct listener_route *first = &routes->listeners[i];
		enum gateway_protocol protocol = first->listener->protocol;
		struct port port = { .listeners = first,
				     .service = service != NULL ? service : "gateway" };

		length = port.count = port_length(first, routes->listener_count - i);
		if (protocol != GATEWAY_TCP && protocol != GATEWAY_TLS)
			continue; /* K13 */
		port.place = (struct place){
			.name = zl_arena_format(
				build->arena, "%s:%s:%u", first->gateway->key.name,
				protocol_name(protocol), first->listener->port),
			.address = spec->address,
			.port = first->listener->port,
			.direction = ENVOY__LISTENER__TRAFFIC_DIRECTION__INBOUND
		};
		add_port(build, &port);
	}
}
